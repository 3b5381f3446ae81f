"""What LIBERO's episodes cost beside the bare simulator's loop: the same motions, with and without the verbs.

    python -m evals.libero_speed object-1 --rounds 5 --out evals/results/libero-speed.json

By turns, in one process: the scripted solution over verbs; the same with robosuite's own control step, in which each
state is worked out three times (`skillagent.envs.libero.thrift`); and the motions that the verbs made, handed to
LIBERO's own `step`. Processor seconds a control step; resets are left out. LIBERO's resets do not repeat to the last
bit, so that the motions are only asked to do the task again.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Annotated
from unittest.mock import patch

import numpy as np
import typer

from skillagent.cli.output import note
from skillagent.config import draw_without_a_screen
from skillagent.envs.libero import scene
from skillagent.envs.libero.world import Libero
from skillagent.schema import Outcome, Task

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "envs"))

from libero_oracle import carrying  # type: ignore[import-not-found]

OURS, WHOLE, BARE = "verbs", "verbs, robosuite's own control step", "bare"


def played(world: Libero, task: Task) -> float:
    """Return the processor seconds a control step that the scripted solution's verbs take; it must solve the task."""
    outcome, took = Outcome(observation=world.reset(task)), 0.0
    acting = carrying(world)(outcome.observation)
    action = next(acting)
    while not (outcome.terminated or outcome.truncated):
        began = time.process_time()
        outcome = world.step(action)
        took += time.process_time() - began
        if outcome.terminated:
            break
        action = acting.send(outcome)
    assert outcome.reward == 1.0, "the script does not solve this start"
    return took / world.simulation.steps


@contextmanager
def noting(world: Libero) -> Iterator[list[np.ndarray]]:
    """Keep the motions that LIBERO is handed meanwhile."""
    motions, step = list[np.ndarray](), world.simulation._env.step

    def noted(motion: np.ndarray) -> object:
        motions.append(motion)
        return step(motion)

    with patch.object(world.simulation._env, "step", noted):
        yield motions


def bare(world: Libero, task: Task, motions: list[np.ndarray]) -> float:
    """Return the processor seconds a control step that LIBERO's own loop takes for the same motions."""
    world.reset(task)
    step = world.simulation._env.step
    began = time.process_time()
    for motion in motions:
        step(motion)
    took = time.process_time() - began
    assert world.simulation._env.check_success(), "the same motions do not do it again"
    return took / len(motions)


def main(
    name: str,
    rounds: Annotated[int, typer.Option(help="Of each of the three.")] = 5,
    out: Path | None = None,
) -> None:
    """Measure all three by turns, and write the ratios."""
    draw_without_a_screen()
    world, task = Libero(), Task(env="libero", name=name, max_steps=24, timeout_s=3000)
    world.reset(task)
    with noting(world) as all_motions:
        played(world, task)
    motions = all_motions[-world.simulation.steps :]  # without those in which things come to rest
    took: dict[str, list[float]] = {OURS: [], WHOLE: [], BARE: []}
    for _ in range(rounds):
        took[OURS].append(played(world, task))
        with patch.object(scene, "once", lambda *_: nullcontext()):
            took[WHOLE].append(played(world, task))
        took[BARE].append(bare(world, task, motions))
        note("  ".join(f"{way}: {1000 * each[-1]:.1f} ms" for way, each in took.items()))
    result = {
        "task": name,
        "rounds": rounds,
        "control steps": len(motions),
        "milliseconds a control step": {way: round(1000 * median(each), 2) for way, each in took.items()},
        "beside bare": {
            way: round(median(one / plain for one, plain in zip(took[way], took[BARE], strict=True)), 3)
            for way in (OURS, WHOLE)
        },
    }
    print(json.dumps(result))
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
