"""Trace: what a trajectory says exactly: which steps mattered, on what, and which values came from the goal.

Whatever can be read off a trajectory is read off here, so that no model has to remember it. Nothing is generalised over
several trajectories.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from pydantic import JsonValue

from skillagent.goals import shape
from skillagent.schema import Element, Step, Trajectory

WORD = re.compile(r"[^\W_]+")
COPIED_WORDS = 7  # so many words in the order in which a page has them are a sentence of the page
NAMED_WORDS = COPIED_WORDS - 2  # of an element: fewer, and a number may follow here and there

_OPEN_QUOTE = re.compile(r"""(?:["“]|(?<!\w)')[^"”']*$""")
_FROM_GOAL = "that the goal"  # stands in every instruction that takes something from the goal
_IDLE = frozenset({"wait", "done", "none"})


def useful_steps(trajectory: Trajectory) -> tuple[Step, ...]:
    """Return the steps that changed something, in order; the step that ended the episode always counts."""
    following = [*(step.observation for step in trajectory.steps[1:]), trajectory.final]
    kept = []
    for index, (step, after) in enumerate(zip(trajectory.steps, following, strict=False)):  # no steps: only a final
        ends = index == len(trajectory.steps) - 1 and trajectory.terminated
        changed = after is not None and after.text != step.observation.text
        idle = step.recalled or step.action.verb in _IDLE
        if step.error is None and (ends or (changed and not idle)):
            kept.append(step)
    return tuple(kept)


def instruct(step: Step, goal: str) -> str:
    """Return the step as an instruction for any goal of this kind: the verb, what it acts on, and with which value."""
    parts = [_said(name, value, step, goal) for name, value in step.action.arguments.items()]
    return " ".join([f"`{step.action.verb}`", *parts])


def instructions(steps: Sequence[Step], goal: str) -> list[str]:
    """Return one instruction a step; a run of equal instructions becomes one that says how often.

    Different actions come out alike where the goal decides what they act on: then it is once for each thing that the
    goal names. How often one and the same action is needed, a single success cannot tell.
    """
    lines = []
    for line, run in groupby(steps, key=lambda step: instruct(step, goal)):
        actions = [str(step.action) for step in run]
        if len(actions) == 1:
            lines.append(line)
        elif _FROM_GOAL in line and len(set(actions)) == len(actions):
            lines.append(f"{line}; repeat this for each one that the goal names")
        else:
            lines.append(f"{line}; repeat this as often as needed ({len(actions)} times in the example)")
    return lines


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
    name, seen = element.name or element.near, element.role if element.name else f"{element.role} near"
    if not name:
        return element.role
    if _source(name, goal):
        return f"{seen} that the goal names" if element.name else f"{seen} the text that the goal names"
    return f'{seen} "{shorten(name, max(1, NAMED_WORDS - len(WORD.findall(seen))))}"'


def runs(text: str, size: int = COPIED_WORDS) -> Iterator[str]:
    """Yield every run of so many words, in lower case, over line ends too."""
    words = WORD.findall(text.lower())
    for start in range(len(words) - size + 1):
        yield " ".join(words[start : start + size])


def shorten(text: str, most: int) -> str:
    """Return the first words: enough to know it by, and with fewer than `COPIED_WORDS` no sentence of a page."""
    ends = [word.end() for word in WORD.finditer(text)]
    return text if len(ends) <= most else f"{text[: ends[most - 1]]}…"


def _source(value: str, goal: str) -> str | None:
    """Say where in the goal a value stands; None when the goal does not give it, or says it in every goal alike."""
    text = value.strip()
    if len(text) < 2 and not text.isdigit():
        return None
    word = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)
    found = word.search(goal)
    if found is None or word.search(shape(goal)):
        return None
    before = _context(goal[: found.start()])
    return f'the value that the goal gives after "{before}"' if before else "the value that the goal begins with"


def _context(before: str) -> str:
    """Return the last words of what stands before a value in its goal, without the values of this one task."""
    masked = _OPEN_QUOTE.sub("…", shape(before))
    words: list[str] = re.findall(r"\w+|…", masked)
    while words and words[-1] == "…":  # the values that share this place come after the same words
        words.pop()
    return " ".join(words[-4:])
