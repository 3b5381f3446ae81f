"""How far programs reach that were read off one, two or three solved instances of an optimisation problem.

    python -m evals.optimize_programs --out evals/results/optimize-programs.json

No model is asked: the solved instances are the problems' own models, handed in as an oracle would. Of the programs that
they suggest, the one that solves most of five further practice instances is tried on holdout instances.
"""

from __future__ import annotations

import json
from pathlib import Path

import typer

from skillagent.envs.optimize.environment import Optimize
from skillagent.envs.optimize.problems import templates
from skillagent.learning.induce import induce
from skillagent.programs.perform import perform
from skillagent.programs.template import filled_by
from skillagent.schema import Action, Program, Split, Step, Task, Trajectory

PRACTICE = 5


def solved(world: Optimize, task: Task) -> Trajectory:
    """Return the episode in which the problem's own model is handed in."""
    first = world.reset(task)
    arguments = json.loads(templates()[task.name].drawn(task.seed)[1].model_dump_json())
    action = Action(verb="model", arguments={key: value for key, value in arguments.items() if key != "free" or value})
    outcome = world.step(action)
    step = Step(observation=first, action=action, reward=outcome.reward, by="oracle")
    return Trajectory(
        task=task, goal=first.goal, steps=(step,), final=outcome.observation, reward=outcome.reward, terminated=True
    )


def solves(world: Optimize, program: Program, task: Task) -> bool:
    """Tell whether the program alone solves the task."""
    first = world.reset(task)
    filled = filled_by(program.goals, first.goal)
    if filled is None:
        return False
    try:
        move = next(perform(program, filled, first))
    except StopIteration:
        return False
    return isinstance(move, Action) and world.step(move).reward == 1.0


def reach(name: str, count: int, seeds: int) -> int:
    """Return how many holdout instances are solved by the program learnt from so many solved practice instances."""
    world = Optimize()
    tasks = [Task(env="optimize", name=name, seed=seed) for seed in range(count + PRACTICE)]
    looks = [
        Trajectory(task=task, goal=first.goal, final=first) for task in tasks[count:] if (first := world.reset(task))
    ]
    found = [one.program for one in induce([solved(world, task) for task in tasks[:count]], looks, most=6)]
    if not found:
        return 0
    best = max(found, key=lambda program: sum(solves(world, program, task) for task in tasks[count:]))
    held = [Task(env="optimize", name=name, seed=Split.HOLDOUT.first_seed + seed) for seed in range(seeds)]
    return sum(solves(world, best, task) for task in held)


def main(out: Path | None = None, seeds: int = 10) -> None:
    """Learn and try every family, and write the table."""
    table = {name: [reach(name, count, seeds) for count in (1, 2, 3)] for name in templates()}
    totals = [sum(row[n] for row in table.values()) for n in range(3)]
    for name, row in table.items():
        print(f"{name:22}" + "".join(f"{solved:>6}/{seeds}" for solved in row))
    for count, total in zip((1, 2, 3), totals, strict=True):
        print(f"from {count} solved: {total} of {seeds * len(table)} ({total / (seeds * len(table)):.0%})")
    if out is not None:
        result = {"seeds": seeds, "solved_from": {"1": totals[0], "2": totals[1], "3": totals[2]}, "families": table}
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
