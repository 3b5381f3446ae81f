"""Write demonstrations: successes at pages, levels, tables, household or Meta-World tasks, by scripted solutions.

    python -m evals.oracle_demos miniwob-ax demos/
    skillagent learn miniwob-ax --demos demos/ --retries 0

Solutions of pages, levels and tables are those that the tests use; what a world shows by itself, as Meta-World does,
`skillagent demos record` writes too. Only practice seeds are played. A task without a solution is left out and named.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import typer

from skillagent.acting.play import played, reciting
from skillagent.cli.output import note
from skillagent.envs.babyai.world import BabyAI
from skillagent.envs.libero.world import Libero
from skillagent.envs.registry import open_environment
from skillagent.envs.tabletop.world import Tabletop
from skillagent.envs.worlds import Worlds
from skillagent.evaluation.rows import keep
from skillagent.evaluation.suites import load_suite
from skillagent.learning.judge import judge
from skillagent.ports import Environment, shows
from skillagent.schema import Attempt, Split, Task
from skillagent.testing import Oracle

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "envs"))

from babyai_oracle import mission  # type: ignore[import-not-found]
from libero_oracle import carrying  # type: ignore[import-not-found]
from oracles import ORACLES  # type: ignore[import-not-found]
from tabletop_oracle import oracle as at_the_table  # type: ignore[import-not-found]


def solution(environment: Environment, task: Task) -> Oracle | None:
    """Return what solves an instance of a task, where that is known."""
    match environment:
        case BabyAI():
            return cast(Oracle, mission(environment))
        case Tabletop():
            return cast(Oracle, at_the_table(environment))
        case Libero():
            return cast(Oracle | None, carrying(environment))
        case _:
            actions = shows(environment, task)
            return reciting(actions) if actions else ORACLES.get(task.name)


def demonstrated(world: Environment, task: Task) -> Attempt | None:
    """Return a scripted solution of the task, or None where there is none or it fails."""
    world.reset(task)
    oracle = solution(world, task)
    if oracle is None:
        return None
    try:
        trajectory = played(world, task, oracle)
    except IndexError:  # the solution was not written for such an instance
        return None
    tried = Attempt(plan=None, route=None, trajectory=trajectory, verdict=judge(trajectory), library="")
    return tried if tried.verdict.success else None


def main(suite: str, folder: Path, seeds: int = 1) -> None:
    """Write successes on the first practice seeds of every task of a suite."""
    worlds, missing = Worlds(open_environment), []
    try:
        for task in load_suite(suite).tasks(Split.PRACTICE, seeds):
            tried = demonstrated(worlds.open(task), task)
            note(f"{task.id} seed {task.seed}: {'not solved' if tried is None else 'solved'}")
            if tried is None:
                missing.append(task.id)
            else:
                keep(tried, "oracle", (), folder)
    finally:
        worlds.close()
    if missing:
        note(f"not shown, or not every instance: {', '.join(dict.fromkeys(missing))}")


if __name__ == "__main__":
    typer.run(main)
