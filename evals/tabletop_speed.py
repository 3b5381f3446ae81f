"""How often the table's tasks are solved by script, how fast, and what our loop costs beside MuJoCo's own.

    python -m evals.tabletop_speed --seeds 20 --out evals/results/tabletop-speed.json

The scripted solutions of the tests act, over verbs alone. What they had the actuators do is then done again, from the
same start, by `mj_step` and nothing else; the CPU seconds of the verbs and of that bare loop are compared, by turns in
one process. Resets are left out of both.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import fmean, median
from types import SimpleNamespace

import mujoco
import numpy as np
import typer

from skillagent.cli.output import note
from skillagent.envs.tabletop.tasks import wordings
from skillagent.envs.tabletop.world import Tabletop
from skillagent.schema import Action, Outcome, Split, Task

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "envs"))

from tabletop_oracle import oracle  # type: ignore[import-not-found]

_STEP = 0.04  # simulated seconds of a control step
_PHYSICS = 20


def played(world: Tabletop, task: Task) -> tuple[Outcome, list[Action], float]:
    """Return how the scripted solution ended, what it did, and the CPU seconds that its verbs took."""
    outcome, actions, took = Outcome(observation=world.reset(task)), list[Action](), 0.0
    acting = oracle(world)(outcome.observation)
    try:
        action = next(acting)
        while not (outcome.terminated or outcome.truncated):
            began = time.process_time()
            outcome = world.step(action)
            took += time.process_time() - began
            actions.append(action)
            action = acting.send(outcome)
    except StopIteration:
        pass
    return outcome, actions, took


def bare(world: Tabletop, task: Task, actions: list[Action]) -> float:
    """Return the CPU seconds that the same controls take in a loop of `mj_step` alone."""
    rows = list[np.ndarray]()

    def noted(model: object, data: object, nstep: int) -> None:
        rows.append(data.ctrl.copy())  # type: ignore[attr-defined]
        mujoco.mj_step(model, data, nstep=nstep)

    world.reset(task)
    world.simulation._mujoco = SimpleNamespace(mj_step=noted)  # type: ignore[assignment]
    for action in actions:
        world.step(action)
    ended = world.simulation.data.qpos.copy()
    world.reset(task)
    model, data = world.simulation.model, world.simulation.data
    began = time.process_time()
    for row in rows:
        data.ctrl[:] = row
        mujoco.mj_step(model, data, nstep=_PHYSICS)
    took = time.process_time() - began
    assert np.array_equal(ended, data.qpos), "the same controls lead elsewhere"
    return took


def main(seeds: int = 20, first: int = Split.PRACTICE.first_seed, out: Path | None = None) -> None:
    """Play every task, and write the table."""
    world, table = Tabletop(), dict[str, dict[str, float]]()
    for name in wordings():
        rows = list[dict[str, float]]()
        for seed in range(first, first + seeds):
            task = Task(env="tabletop", name=name, seed=seed, max_steps=40)
            outcome, actions, took = played(world, task)
            rows.append(
                {
                    "solved": float(outcome.reward == 1.0),
                    "verbs": len(actions),
                    "steps": (steps := world.simulation.steps),
                    "speed": steps / took,
                    "beside": took / bare(world, task, actions),
                }
            )
        speed = median(row["speed"] for row in rows)
        table[name] = {
            "solved": sum(row["solved"] for row in rows),
            "verbs": round(fmean(row["verbs"] for row in rows), 1),
            "control steps": round(fmean(row["steps"] for row in rows)),
            "control steps a second": round(speed),
            "times real time": round(speed * _STEP, 1),
            "beside mj_step": round(median(row["beside"] for row in rows), 2),
        }
        note(f"{name:20} " + "  ".join(f"{what}: {value}" for what, value in table[name].items()))
    whole = {"seeds": seeds, "first": first, "tasks": table}
    if out is not None:
        out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    print(f"{sum(row['solved'] for row in table.values()):.0f} of {seeds * len(table)} solved")


if __name__ == "__main__":
    typer.run(main)
