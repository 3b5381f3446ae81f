"""Write demonstrations of MiniWoB pages: one success a task, by the hand-written solutions that the tests use.

    python -m evals.oracle_demos miniwob-ax demos/
    skillagent learn miniwob-ax --demos demos/ --retries 0

Only practice seeds are played. A task without a solution is left out and named.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from skillagent.cli.output import note
from skillagent.envs.registry import open_environment
from skillagent.evaluation.rows import keep
from skillagent.evaluation.suites import load_suite
from skillagent.learning.judge import judge
from skillagent.ports import Environment
from skillagent.schema import Attempt, Outcome, Split, Step, Task, Trajectory
from skillagent.testing import Oracle

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "envs"))

from oracles import ORACLES  # type: ignore[import-not-found]


def shown(environment: Environment, task: Task, oracle: Oracle) -> Trajectory:
    """Return what the oracle does from a reset until the task ends or the oracle does."""
    first = environment.reset(task)
    outcome, steps = Outcome(observation=first), list[Step]()
    acting = oracle(first)
    try:
        action = next(acting)
        while not (outcome.terminated or outcome.truncated):
            now = outcome.observation
            outcome = environment.step(action)
            steps.append(Step(observation=now, action=action, error=outcome.error, reward=outcome.reward, by="oracle"))
            action = acting.send(outcome)
    except StopIteration:
        pass
    return Trajectory(
        task=task,
        goal=first.goal,
        steps=tuple(steps),
        final=outcome.observation,
        reward=outcome.reward,
        terminated=outcome.terminated,
    )


def main(suite: str, folder: Path, seeds: int = 1) -> None:
    """Write successes on the first practice seeds of every task of a suite."""
    environment, missing = open_environment("miniwob"), []
    try:
        for task in load_suite(suite).tasks(Split.PRACTICE, seeds):
            oracle = ORACLES.get(task.name)
            if oracle is None:
                missing.append(task.name)
                continue
            trajectory = shown(environment, task, oracle)
            verdict = judge(trajectory)
            note(f"{task.id} seed {task.seed}: {verdict.score}")
            if verdict.success:
                keep(
                    Attempt(plan=None, route=None, trajectory=trajectory, verdict=verdict, library=""),
                    "oracle",
                    (),
                    folder,
                )
    finally:
        environment.close()
    if missing:
        note(f"no solution is known of {', '.join(dict.fromkeys(missing))}")


if __name__ == "__main__":
    typer.run(main)
