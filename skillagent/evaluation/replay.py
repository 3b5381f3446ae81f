"""Replay: the actions of an episode once more, in a fresh world. No model is asked."""

from __future__ import annotations

from skillagent.acting.policy import NO_ACTION
from skillagent.loop import Agent
from skillagent.schema import Trajectory, Value


class Difference(Value):
    """Where a replay came out otherwise. Step 0 is the start."""

    step: int
    what: str
    was: str
    now: str


def play_again(agent: Agent, trajectory: Trajectory) -> list[Difference]:
    """Do the trajectory's actions again from the task's seed, and return what came out otherwise.

    Compared are what is seen at the start, and after each step whether the action is refused, whether it ends the task,
    what is seen and the reward. What follows an end that comes too early is not played. Who cut off an episode that did
    not end by itself, the world or the clock, is not kept, so it is not compared.
    """
    environment, steps = agent.open(trajectory.task), trajectory.steps
    pages = [step.observation for step in steps[1:]] + [trajectory.final]  # that each step led to
    found: list[Difference] = []

    def compare(number: int, what: str, was: str, now: str) -> None:
        if was != now:
            found.append(Difference(step=number, what=what, was=was, now=now))

    first = environment.reset(trajectory.task)
    if start := steps[0].observation if steps else trajectory.final:
        compare(0, "page", start.text, first.text)
    for number, (step, page) in enumerate(zip(steps, pages, strict=False), start=1):  # no steps: only a final
        last, outcome = number == len(steps), environment.step(NO_ACTION if step.recalled else step.action)
        if step.recalled:  # a turn in which nothing was done
            outcome = outcome.model_copy(update={"error": None})
        if bool(step.error) != bool(outcome.error):
            compare(number, "error", step.error or "", outcome.error or "")
        compare(number, "task", _ended(trajectory.terminated and last), _ended(outcome.terminated))
        if page is not None:
            compare(number, "page", page.text, outcome.observation.text)
        compare(number, "reward", str(trajectory.reward if last else step.reward), str(outcome.reward))
        if outcome.terminated:
            break
    return found


def _ended(over: bool) -> str:
    return "over" if over else "going on"
