"""How often the table's tasks are solved by script, how fast, and what our loop costs beside MuJoCo's own.

    python -m evals.tabletop_speed --seeds 20 --out evals/results/tabletop-speed.json

The scripted solutions of the tests act, over verbs alone. What they had the actuators do is then done again, from the
same start, by `mj_step` and nothing else; the CPU seconds of the verbs and of that bare loop are compared, by turns in
one process. Of each verb, and of its part of the bare loop, the least of a few rounds counts: what else the machine
does only adds. Resets are left out of both.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from statistics import fmean, median
from types import SimpleNamespace

import mujoco
import numpy as np
import typer

from skillagent.cli.output import note
from skillagent.envs.tabletop.tasks import wordings
from skillagent.envs.tabletop.world import Tabletop
from skillagent.ports import Environment
from skillagent.schema import Action, Observation, Outcome, Split, Task

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "envs"))

from tabletop_oracle import oracle  # type: ignore[import-not-found]

Solution = Callable[[Observation], Generator[Action, Outcome, None]]
_STEP = 0.04  # simulated seconds of a control step
_PHYSICS = 20


def played(world: Environment, task: Task, solution: Solution) -> tuple[Outcome, list[Action]]:
    """Return how a scripted solution ended, and what it did."""
    outcome, actions = Outcome(observation=world.reset(task)), list[Action]()
    acting = solution(outcome.observation)
    try:
        action = next(acting)
        while not (outcome.terminated or outcome.truncated):
            outcome = world.step(action)
            actions.append(action)
            action = acting.send(outcome)
    except StopIteration:
        pass
    return outcome, actions


def controls(world: Tabletop, task: Task, actions: list[Action]) -> list[np.ndarray]:
    """Return what each verb had the actuators do, a row for a control step."""
    rows = list[np.ndarray]()

    def noted(model: object, data: object, nstep: int) -> None:
        rows.append(data.ctrl.copy())  # type: ignore[attr-defined]
        mujoco.mj_step(model, data, nstep=nstep)

    world.reset(task)
    world.simulation._mujoco = SimpleNamespace(mj_step=noted)  # type: ignore[assignment]
    by_verb = list[np.ndarray]()
    for action in actions:
        rows.clear()
        world.step(action)
        by_verb.append(np.array(rows))
    return by_verb


def ours(world: Tabletop, task: Task, actions: list[Action]) -> list[float]:
    """Return the CPU seconds of each verb."""
    world.reset(task)
    return [seconds(partial(world.step, action)) for action in actions]


def bare(world: Tabletop, task: Task, by_verb: list[np.ndarray]) -> list[float]:
    """Return the CPU seconds that the same controls take in a loop of `mj_step` alone, verb by verb."""
    world.reset(task)
    model, data = world.simulation.model, world.simulation.data

    def loop(rows: np.ndarray) -> None:
        for row in rows:
            data.ctrl[:] = row
            mujoco.mj_step(model, data, nstep=_PHYSICS)

    return [seconds(partial(loop, rows)) for rows in by_verb]


def seconds(act: Callable[[], object]) -> float:
    """Return the CPU seconds that something takes."""
    began = time.process_time()
    act()
    return time.process_time() - began


def measured(world: Tabletop, task: Task, rounds: int) -> dict[str, float]:
    """Return how the scripted solution of a task did, and what it cost, by turns with the bare loop."""
    outcome, actions = played(world, task, oracle(world))
    by_verb, steps = controls(world, task, actions), world.simulation.steps
    took, least = list[list[float]](), list[list[float]]()
    for _ in range(rounds):
        took.append(ours(world, task, actions))
        ended = world.simulation.data.qpos.copy()
        least.append(bare(world, task, by_verb))
        assert np.array_equal(ended, world.simulation.data.qpos), "the same controls lead elsewhere"
    own, plain = (sum(map(min, zip(*each, strict=True))) for each in (took, least))
    return {
        "solved": float(outcome.reward == 1.0),
        "verbs": len(actions),
        "steps": steps,
        "speed": steps / own,
        "beside": own / plain,
    }


def main(seeds: int = 20, first: int = Split.PRACTICE.first_seed, rounds: int = 5, out: Path | None = None) -> None:
    """Play every task, and write the table."""
    world, table = Tabletop(), dict[str, dict[str, float]]()
    for name in wordings():
        tasks = [Task(env="tabletop", name=name, seed=seed, max_steps=40) for seed in range(first, first + seeds)]
        rows = [measured(world, task, rounds) for task in tasks]
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
    whole = {"seeds": seeds, "first": first, "rounds": rounds, "tasks": table}
    if out is not None:
        out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    print(f"{sum(row['solved'] for row in table.values()):.0f} of {seeds * len(table)} solved")


if __name__ == "__main__":
    typer.run(main)
