"""What an arm's episode costs beside the bare simulator's loop: the same motions, with and without the primitives.

    python -m evals.robot_speed --out evals/results/robot-speed.json

By turns, in one process: `retrace` along a path, and the motions that it made handed to Meta-World's own `step`. The
medians of the seconds a control step are compared; resets are left out.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer

from skillagent.envs.robot.primitives import path_of
from skillagent.envs.robot.simulator import Simulator
from skillagent.envs.robot.world import MetaWorld
from skillagent.schema import Action, Task

_ROWS = 200


def circle() -> str:
    """Return a path of 200 rows, round and back to where it begins."""
    turn = np.linspace(0, 2 * np.pi, _ROWS)
    places = np.stack([0.05 * np.sin(turn), 0.05 * (1 - np.cos(turn)), 0 * turn], axis=1)
    return path_of(np.hstack([places, np.gradient(places, axis=0) * 100, -np.ones((_ROWS, 1))]))


class Noting(Simulator):
    """Keeps the motions that it is given."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.motions: list[np.ndarray] = []

    def step(self, motion: np.ndarray, grip: float) -> bool:
        """Note and do one control step."""
        self.motions.append(np.clip([*motion, grip], -1, 1).astype(np.float32))
        return super().step(motion, grip)


def main(rounds: Annotated[int, typer.Option(help="Of each of the two.")] = 40, out: Path | None = None) -> None:
    """Measure both and write the ratio."""
    world, task = MetaWorld(), Task(env="metaworld", name="pick-place", max_steps=50)
    world.reset(task)
    hand = [round(float(one), 3) for one in world.simulation.hand - world.simulation.things[0][2]]
    action = Action(verb="retrace", arguments={"ref": "1", "offset": hand, "path": circle()})
    noting = Noting("pick-place")
    world._held = ("pick-place", noting)
    world.reset(task)
    noting.motions.clear()
    world.step(action)
    motions = list(noting.motions)
    plain = Simulator("pick-place")
    world._held = ("pick-place", plain)
    ours, bare = list[float](), list[float]()
    for _ in range(rounds):
        world.reset(task)
        began, before = time.perf_counter(), plain.steps
        world.step(action)
        ours.append((time.perf_counter() - began) / (plain.steps - before))
        plain.reset(0)
        began = time.perf_counter()
        for motion in motions:
            plain._env.step(motion)
        bare.append((time.perf_counter() - began) / len(motions))
    result = {
        "control steps": len(motions),
        "rounds": rounds,
        "ours_us": round(1e6 * median(ours), 1),
        "bare_us": round(1e6 * median(bare), 1),
        "ratio": round(median(ours) / median(bare), 3),
    }
    print(json.dumps(result))
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
