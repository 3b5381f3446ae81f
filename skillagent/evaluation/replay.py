"""Replay: the actions of an episode once more, in a fresh world. No model is asked."""

from __future__ import annotations

from skillagent.loop import Agent
from skillagent.schema import Outcome, Step, Trajectory, Value


class Difference(Value):
    """Where a replay came out otherwise. Step 0 is the start."""

    step: int
    what: str
    was: str
    now: str


def play_again(agent: Agent, trajectory: Trajectory) -> list[Difference]:
    """Do the trajectory's actions again from the task's seed, and return what came out otherwise.

    Compared are what is seen before each step, whether the action is refused, and the reward at the end.
    """
    environment = agent.open(trajectory.task)
    seen, last = environment.reset(trajectory.task), None
    found = []
    for number, step in enumerate(trajectory.steps, start=1):
        if seen.text != step.observation.text:
            found.append(Difference(step=number - 1, what="page", was=step.observation.text, now=seen.text))
        last = environment.step(step.action)
        found += _differences(number, step, last)
        seen = last.observation
    if last is not None and last.reward != trajectory.reward:
        number = len(trajectory.steps)
        found.append(Difference(step=number, what="reward", was=str(trajectory.reward), now=str(last.reward)))
    return found


def _differences(number: int, step: Step, outcome: Outcome) -> list[Difference]:
    was, now = step.error or "", outcome.error or ""
    return [] if bool(was) == bool(now) else [Difference(step=number, what="error", was=was, now=now)]
