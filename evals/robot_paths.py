"""The ways that a hand takes by a learnt program, drawn over the way of the demonstration that it was made of.

    python -m evals.robot_demos pick-place --skills /tmp/arm
    python -m evals.robot_paths /tmp/arm pick-place --seeds 5 --out paths.png

No model is asked. Seen from above and from the side, in metres: the demonstration is thick, a try is thin, green where
it succeeded and red where it did not; dots are what the hand began at, crosses the things that the tries began with.
Needs the extras `robot` and `report`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from evals.program_reach import ALONE, Wordless
from evals.robot_demos import shown
from skillagent import load, open_agent
from skillagent.cli.output import note
from skillagent.envs.robot.world import MetaWorld
from skillagent.evaluation.plots import Draw, png
from skillagent.library import Library
from skillagent.loop import Agent, attempt
from skillagent.schema import Edit, PutSkill, Skill, Split, Task
from skillagent.store.disk import DiskStore
from skillagent.testing import MemoryStore

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDES = (("from above", 0, 1), ("from the side", 1, 2))  # which two of right, away from you, up
_AXES = ("to the right", "away", "up")
_GREEN, _RED, _GREY = "#228833", "#ee6677", "#888888"


def way(agent: Agent, world: MetaWorld, task: Task, skill: Skill) -> tuple[np.ndarray, bool]:
    """Return the places (n, 3) of the hand in a try by a skill's program alone, and whether it succeeded."""
    places: list[np.ndarray] = []
    world.film(lambda _: places.append(world.simulation.hand.copy()))
    library = Library().apply(Edit(changes=(PutSkill(skill=skill, base=None),), why="drawn"))
    tried = attempt(agent, task, library, ALONE)
    world.film(None)
    return np.array(places).reshape(-1, 3), tried.verdict.success is True


def drawing(demonstration: np.ndarray, tries: list[tuple[np.ndarray, bool]], things: list[np.ndarray]) -> Draw:
    """Return what draws the ways, each (n, 3) in metres."""

    def draw(axes: Axes) -> None:
        both: list[Any] = [axes.inset_axes((0.55 * number, 0.0, 0.45, 1.0)) for number in (0, 1)]
        axes.axis("off")
        for own, (title, across, along) in zip(both, _SIDES, strict=True):
            own.plot(demonstration[:, across], demonstration[:, along], color=_GREY, linewidth=5, alpha=0.4)
            for places, success in tries:
                own.plot(places[:, across], places[:, along], color=_GREEN if success else _RED, linewidth=1)
                own.plot(*places[0, [across, along]], "o", color=_GREY, markersize=3)
            for place in things:
                own.plot(place[across], place[along], "x", color=_GREY, markersize=5)
            own.set(title=title, xlabel=_AXES[across], ylabel=_AXES[along], aspect="equal")

    return draw


def main(
    skills: Annotated[Path, typer.Argument(help="A library of programs, each named like its task.")],
    task: Annotated[str, typer.Argument(help="pick-place")],
    seeds: Annotated[int, typer.Option(help="Holdout instances that are tried.")] = 5,
    first: Annotated[int, typer.Option(help="The first of them, counted from the beginning of the holdout range.")] = 0,
    out: Path = Path("paths.png"),
) -> None:
    """Try a task, and draw where the hand went."""
    held = DiskStore(skills, skills / ".memory").load().skills
    if task not in held:
        raise typer.BadParameter(f"{skills} holds no skill {task}: make one with `python -m evals.robot_demos {task}`")
    skill = held[task].model_copy(update={"version": 1})
    world = MetaWorld()
    (_, demo), *_ = shown(world, task, 1)[0]
    tries, things = list[tuple[np.ndarray, bool]](), list[np.ndarray]()
    with TemporaryDirectory() as folder:
        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=MemoryStore()) as agent:
            agent = replace(agent, open=lambda _: world)
            for number in range(seeds):
                one = Task(env="metaworld", name=task, seed=Split.HOLDOUT.first_seed + first + number, max_steps=50)
                world.reset(one)
                things += [np.array(place) for _, _, place in world.simulation.things]
                tries.append(way(agent, world, one, skill))
    png(drawing(np.array(demo.hand), tries, things), out)
    note(f"{out}: {sum(success for _, success in tries)} of {seeds} tries succeeded")
    world.close()


if __name__ == "__main__":
    typer.run(main)
