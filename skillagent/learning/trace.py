"""Trace: what a trajectory says exactly: which steps mattered, on what, and which values came from the goal.

Whatever can be read off a trajectory is read off here, so that no model has to remember it. Nothing is generalised over
several trajectories.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import JsonValue

from skillagent.goals import shape
from skillagent.schema import Element, Step, Trajectory

_IDLE = frozenset({"wait", "done", "none"})


def useful_steps(trajectory: Trajectory) -> tuple[Step, ...]:
    """Return the steps that changed something, in order; the step that ended the episode always counts."""
    following = [*(step.observation for step in trajectory.steps[1:]), trajectory.final]
    kept = []
    for index, (step, after) in enumerate(zip(trajectory.steps, following, strict=False)):  # no steps: only a final
        ends = index == len(trajectory.steps) - 1 and trajectory.terminated
        changed = after is not None and after.text != step.observation.text
        if step.error is None and (ends or (changed and step.action.verb not in _IDLE)):
            kept.append(step)
    return tuple(kept)


def instruct(step: Step, goal: str) -> str:
    """Return the step as an instruction for any goal of this kind: the verb, what it acts on, and with which value."""
    parts = [_said(name, value, step, goal) for name, value in step.action.arguments.items()]
    return " ".join([f"`{step.action.verb}`", *parts])


def instructions(steps: Sequence[Step], goal: str) -> list[str]:
    """Return one instruction a step; a run of equal instructions becomes one that says to repeat it."""
    lines: list[str] = []
    counts: list[int] = []
    for step in steps:
        line = instruct(step, goal)
        if lines and lines[-1] == line:
            counts[-1] += 1
        else:
            lines.append(line)
            counts.append(1)
    return [
        line if count == 1 else f"{line}; repeat this for each one that the goal names"
        for line, count in zip(lines, counts, strict=True)
    ]


def _said(name: str, value: JsonValue, step: Step, goal: str) -> str:
    """Return one argument in words. Only a name that ends in "ref" holds an element: a typed 3 is not element 3."""
    if name.endswith("ref"):
        element = step.observation.element(value)
        what = f"the {_describe(element, goal)}" if element else "an element that is not there"
        return f"onto {what}" if name == "to_ref" else what
    if isinstance(value, str):
        return f"with {_source(value, goal) or f'{name} {value!r}'}"
    return f"{name} {value}"


def _describe(element: Element, goal: str) -> str:
    if element.name and _source(element.name, goal):
        return f"{element.role} that the goal names"
    if element.name:
        return f'{element.role} "{_short(element.name)}"'
    if element.near and _source(element.near, goal):
        return f"{element.role} near the text that the goal names"
    if element.near:
        return f'{element.role} near "{_short(element.near)}"'
    return element.role


def _short(name: str) -> str:
    """Return the first six words: enough to find the element, too few to carry a sentence of the page."""
    words = name.split()
    return " ".join(words[:6]) + ("…" if len(words) > 6 else "")


def _source(value: str, goal: str) -> str | None:
    """Say where in the goal a value stands; None when the goal does not give it, or says it in every goal alike."""
    text = value.strip()
    if len(text) < 2 and not text.isdigit():
        return None
    word = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)
    found = word.search(goal)
    if found is None or word.search(shape(goal)):
        return None
    before = re.findall(r"\w+", goal[: found.start()])[-4:]
    return (
        f'the value that the goal gives after "{" ".join(before)}"' if before else "the value that the goal begins with"
    )
