"""Alternatives: what really followed when different things were done in one state: reflection rests on outcomes.

Source: early experience. Practice does an earlier try again up to where it went wrong and takes another way there; what
each way led to is read off the trajectories. Of a state only what was seen before acting is told, an action and what it
led to are told once, and nothing says who acted. A state is the same whatever refs its elements have: a page that is
loaded anew gives them others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from skillagent.learning.trace import COPIED_WORDS, instruct, shorten
from skillagent.schema import Attempt, Observation, Trajectory

_STATES, _WAYS = 2, 4
_LINES = 2
_REF = re.compile(r"\[(\w+)\] ?")  # as texts name an element: [4] button "Save"


def alternatives(attempts: Sequence[Attempt]) -> list[str]:
    """Return one text for each state in which different things were done: the ways, and what each led to.

    The states with the most ways come first; of several tries of one way the first is told.
    """
    ways: dict[tuple[str, int, str], dict[str, str]] = {}
    for trajectory in (one.trajectory for one in attempts):
        if trajectory.void is not None:
            continue
        for number, step in enumerate(trajectory.steps):
            if step.recalled:
                continue
            state = (trajectory.task.id, trajectory.task.seed, _seen(step.observation))
            ways.setdefault(state, {}).setdefault(instruct(step, trajectory.goal), _led_to(trajectory, number))
    several = sorted((one for one in ways.values() if len(one) > 1), key=lambda one: -len(one))
    return [
        "\n".join(["In one state:", *(f"- {way}: {led}" for way, led in list(one.items())[:_WAYS])])
        for one in several[:_STATES]
    ]


def _led_to(trajectory: Trajectory, number: int) -> str:
    step, last = trajectory.steps[number], number == len(trajectory.steps) - 1
    if step.error:
        return f"refused: {shorten(step.error.splitlines()[0], COPIED_WORDS - 1)}"
    if last and trajectory.terminated:
        return (
            f"the task ended, with score {trajectory.reward:g}" if trajectory.reward is not None else "the task ended"
        )
    after = trajectory.final if last else trajectory.steps[number + 1].observation
    if after is None or _seen(after) == _seen(step.observation):
        return "nothing changed"
    return _new_lines(_seen(step.observation), _seen(after))


def _seen(observation: Observation) -> str:
    """Return what is seen without the elements' refs, which are others each time that a page is loaded."""
    refs = {element.ref for element in observation.elements}
    return _REF.sub(lambda found: "" if found[1] in refs else found[0], observation.text)


def _new_lines(before: str, after: str) -> str:
    known = set(before.splitlines())
    new = [line.strip() for line in after.splitlines() if line not in known and line.strip()]
    shown = "; ".join(shorten(line, COPIED_WORDS - 1) for line in new[:_LINES])
    return f"then there was {shown}" if shown else "then something was gone"
