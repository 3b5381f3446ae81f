"""What an episode of BabyAI costs beside minigrid's own loop: the same turns and steps, with and without the verbs.

    python -m evals.babyai_speed --seeds 3 --out evals/results/babyai-speed.json

The scripted solutions of the tests act, over verbs alone. The control steps that they made are then handed to the bare
level's `step`, from the same start; the CPU seconds of both are compared, by turns in one process, the least of a few
rounds. minigrid makes an observation of its own at every step, in both. Resets are left out.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import fmean, median

import typer

from evals.tabletop_speed import played
from skillagent.cli.output import note
from skillagent.envs.babyai.world import BabyAI
from skillagent.schema import Action, Split, Task

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "envs"))

from babyai_oracle import mission  # type: ignore[import-not-found]

LEVELS = (
    "GoToObj", "PickupLoc", "GoTo", "PutNextS6N3", "UnlockPickup", "Synth", "BossLevel", "KeyInBox", "OpenDoorsOrderN4",
    "BlockedUnlockPickup",
)  # fmt: skip


def controls(world: BabyAI, task: Task, actions: list[Action]) -> list[int]:
    """Return the control steps that the verbs made."""
    made = list[int]()
    world.reset(task)
    env, step = world.simulation.env, world.simulation.env.step

    def noted(control: int) -> object:
        made.append(control)
        return step(control)

    env.step = noted
    try:
        for action in actions:
            world.step(action)
    finally:
        del env.step
    return made


def measured(world: BabyAI, task: Task, rounds: int) -> dict[str, float]:
    """Return how the scripted solution did, and what it cost, by turns with the bare loop."""
    outcome, actions = played(world, task, mission(world))
    made = controls(world, task, actions)
    own, bare = list[float](), list[float]()
    for _ in range(rounds):
        world.reset(task)
        began = time.process_time()
        for action in actions:
            world.step(action)
        own.append(time.process_time() - began)
        env = world.simulation.env
        ended = (tuple(env.agent_pos), env.agent_dir, env.step_count)
        world.reset(task)
        began = time.process_time()
        for control in made:
            env.step(control)
        bare.append(time.process_time() - began)
        assert ended == (tuple(env.agent_pos), env.agent_dir, env.step_count), "the same controls lead elsewhere"
    return {
        "solved": float(outcome.reward == 1.0),
        "verbs": len(actions),
        "steps": len(made),
        "speed": len(made) / min(own),
        "beside": min(own) / min(bare),
    }


def main(seeds: int = 3, first: int = Split.PRACTICE.first_seed, rounds: int = 5, out: Path | None = None) -> None:
    """Play ten levels, and write the table."""
    world, table = BabyAI(), dict[str, dict[str, float]]()
    for name in LEVELS:
        tasks = [Task(env="babyai", name=name, seed=seed, max_steps=300) for seed in range(first, first + seeds)]
        rows = [measured(world, task, rounds) for task in tasks]
        table[name] = {
            "solved": sum(row["solved"] for row in rows),
            "verbs": round(fmean(row["verbs"] for row in rows), 1),
            "control steps": round(fmean(row["steps"] for row in rows)),
            "control steps a second": round(median(row["speed"] for row in rows)),
            "beside minigrid": round(median(row["beside"] for row in rows), 2),
        }
        note(f"{name:20} " + "  ".join(f"{what}: {value}" for what, value in table[name].items()))
    ratio = round(median(row["beside minigrid"] for row in table.values()), 2)
    whole = {"seeds": seeds, "first": first, "rounds": rounds, "median": ratio, "levels": table}
    if out is not None:
        out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    print(f"{sum(row['solved'] for row in table.values()):.0f} of {seeds * len(table)} solved; median {ratio}")


if __name__ == "__main__":
    typer.run(main)
