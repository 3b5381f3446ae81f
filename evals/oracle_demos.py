"""Write demonstrations: successes at pages, levels, tables, household or Meta-World tasks, by scripted solutions.

    python -m evals.oracle_demos miniwob-ax demos/
    skillagent learn miniwob-ax --demos demos/ --retries 0

Solutions of pages, levels and tables are those that the tests use. A robot's task is shown by its own scripted policy,
cut into phases and said in primitives. Only practice seeds are played. A task without a solution is left out and named.
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
from skillagent.envs.robot.phases import recorded, ways
from skillagent.envs.robot.world import MetaWorld
from skillagent.envs.tabletop.world import Tabletop
from skillagent.envs.worlds import Worlds
from skillagent.evaluation.rows import keep
from skillagent.evaluation.suites import load_suite
from skillagent.learning.judge import judge
from skillagent.ports import Environment
from skillagent.schema import Attempt, Split, Task
from skillagent.testing import Oracle, solve

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
        case MetaWorld():
            return _told_in_primitives(environment, task)
        case _:
            return ORACLES.get(task.name)


def _told_in_primitives(world: MetaWorld, task: Task) -> Oracle | None:
    """Return the first way to say the scripted policy's demonstration that does it again, in primitives."""
    world.reset(task)
    demo = recorded(world.simulation, task.name, task.seed)
    for actions in ways(world.simulation, demo) if demo is not None else ():
        oracle = reciting(actions)
        if solve(world, task, oracle).reward == 1.0:
            return oracle
    return None


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
