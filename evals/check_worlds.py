"""Whether every task of a world keeps what the port of environments promises (`skillagent.testing.check_environment`).

    python -m evals.check_worlds tabletop --out evals/results/worlds-tabletop.json
    python -m evals.check_worlds babyai/GoTo,babyai/Synth

No model is asked. A task is checked on the first practice seed that its scripted solution (`evals.oracle_demos`) does,
so that its reward and what follows the end are looked at too; without such a seed the rest is checked on the first one,
and the task is counted as not solved: that is the solution's fault, not the world's. What is already in the file is not
checked again, unless it broke a promise. Ends with 1 where a promise is broken.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, cast

import typer

from evals.oracle_demos import solution
from skillagent.cli.output import note
from skillagent.config import draw_without_a_screen
from skillagent.envs.babyai.walker import levels
from skillagent.envs.libero.scene import tasks as scenes
from skillagent.envs.optimize.problems import templates
from skillagent.envs.registry import open_environment
from skillagent.envs.robot.simulator import descriptions
from skillagent.envs.tabletop.tasks import wordings
from skillagent.envs.web.miniwob import tasks as pages
from skillagent.errors import ConfigError
from skillagent.ports import Environment
from skillagent.schema import Json, Task
from skillagent.testing import Oracle, check_environment, solve

WORLDS: Mapping[str, Callable[[], Collection[str]]] = {
    "babyai": levels,
    "libero": scenes,
    "metaworld": descriptions,
    "miniwob": pages,
    "optimize": templates,
    "tabletop": wordings,
}
_STEPS = 300  # that a scripted solution may take
_SEEDS = 3


def names(said: str) -> list[tuple[str, str]]:
    """Return world and name of the tasks that are meant: all of a world, or those that are named with commas between.

    Raises:
        ConfigError: There is no such world.
    """
    if "/" in said:
        return [(env, name) for env, _, name in (one.partition("/") for one in said.split(","))]
    if said not in WORLDS:
        raise ConfigError(f"no world {said!r}; there are {', '.join(WORLDS)}")
    return [(said, name) for name in sorted(WORLDS[said]())]


def checked(make: Callable[[], Environment], env: str, name: str, seeds: int = _SEEDS) -> Json:
    """Return what a check of a task comes to: on which seed, whether it was solved there, and what is broken."""
    tasks = [Task(env=env, name=name, seed=seed, max_steps=_STEPS, timeout_s=120) for seed in range(seeds)]
    began = time.monotonic()
    fault, task, oracle, opened = "", tasks[0], None, list[Environment]()

    def making() -> Environment:
        opened.append(make())
        return opened[-1]

    try:
        for each in tasks:
            if (found := _solving(make, each, opened)) is not None:
                task, oracle = each, found
                break
        check_environment(making, task, oracle)
    except ConfigError:
        raise
    except AssertionError as error:
        fault = str(error)
    except Exception as error:  # a world may break in any way, and the others are still to be checked
        fault = f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - began, 1)
    return {"seed": task.seed, "solved": oracle is not None, "fault": fault, "seconds": seconds}


def _solving(make: Callable[[], Environment], task: Task, opened: list[Environment]) -> Oracle | None:
    """Return what solves an instance, seen to do so in a world of its own, for the world that is opened last."""
    world = make()
    try:
        world.reset(task)
        oracle = solution(world, task)
        if oracle is None or solve(world, task, oracle).reward != 1.0:
            return None
    except (IndexError, StopIteration, RuntimeError):  # the solution was not written for such an instance
        return None
    finally:
        world.close()
    if task.env == "metaworld":  # what was found there is done as it is; other solutions look into their own world
        return oracle
    return lambda first: cast(Oracle, solution(opened[-1], task))(first)


def main(
    world: Annotated[str, typer.Argument(help="A world, or tasks with commas between them.")],
    seeds: Annotated[int, typer.Option(min=1, help="Practice seeds on which a solution may be looked for.")] = _SEEDS,
    out: Annotated[Path | None, typer.Option(help="Keep what comes out here, and go on from it.")] = None,
) -> None:
    """Check every task of a world, and say which keep the promises."""
    draw_without_a_screen()
    table: dict[str, Json] = {}
    if out is not None:
        with suppress(FileNotFoundError):
            table = json.loads(out.read_text(encoding="utf-8"))["tasks"]
    meant = names(world)
    for number, (env, name) in enumerate(meant, start=1):
        if (row := table.get(f"{env}/{name}")) is not None and not row["fault"]:
            continue
        row = table[f"{env}/{name}"] = checked(lambda env=env: open_environment(env), env, name, seeds)
        said = row["fault"] or ("keeps its promises" if row["solved"] else "keeps its promises, not solved")
        note(f"{number} of {len(meant)} {env}/{name}: {said} ({row['seconds']} s)")
        if out is not None:
            out.write_text(json.dumps(summed(table), indent=1) + "\n", encoding="utf-8")
    total = summed(table)
    print(f"{total['kept']} of {total['checked']} keep their promises; {total['solved']} were solved")
    for task, row in table.items():
        if row["fault"]:
            print(f"{task}: {row['fault']}")
    if total["kept"] != total["checked"]:
        raise typer.Exit(1)


def summed(table: Mapping[str, Json]) -> Json:
    """Return the table with how many tasks were checked, kept their promises, and were solved."""
    return {
        "checked": len(table),
        "kept": sum(not row["fault"] for row in table.values()),
        "solved": sum(bool(row["solved"]) for row in table.values()),
        "tasks": dict(table),
    }


if __name__ == "__main__":
    typer.run(main)
