"""Unfinished demonstrations put together with the rest of others where their states meet: how often that does it.

    python -m evals.robot_stitch pick-place,drawer-open --seeds 6

No model is asked. The scripted policy's demonstrations on practice seeds are said in primitives, and each is cut before
its last step. It goes on as another went on from such a state, if one did.
"""

from __future__ import annotations

from typing import Annotated

import typer

from evals.robot_demos import done
from skillagent.envs.robot.several import stitched
from skillagent.envs.robot.world import MetaWorld
from skillagent.schema import Attempt, Task


def shown(world: MetaWorld, task: Task) -> Attempt | None:
    """Return the first way to say the scripted policy's demonstration that does it again."""
    actions = world.shows(task)
    return done(world, task, actions) if actions else None


def main(
    tasks: Annotated[str, typer.Argument(help="drawer-open,…")],
    seeds: Annotated[int, typer.Option(help="Practice seeds of each task.")] = 6,
) -> None:
    """Cut every demonstration, put it together with another, and count."""
    for name in tasks.split(","):
        world = MetaWorld()
        instances = [Task(env="metaworld", name=name, seed=seed, max_steps=50) for seed in range(seeds)]
        good = [one for one in (shown(world, task) for task in instances) if one is not None]
        cut = met = solved = 0
        for one in good:
            short = done(world, one.trajectory.task, [step.action for step in one.trajectory.steps[:-1]])
            if short.verdict.success or not short.trajectory.steps:
                continue
            found = stitched(short.trajectory, [other.trajectory for other in good if other is not one])
            cut, met = cut + 1, met + (found is not None)
            solved += found is not None and done(world, one.trajectory.task, found[0]).verdict.success is True
        print(f"{name:28} unfinished: {cut}  states met: {met}  solved: {solved}")
        world.close()


if __name__ == "__main__":
    typer.run(main)
