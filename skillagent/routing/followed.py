"""Followed: whether a skill in words was done as it says, or left aside, as what was done tells.

A skill's steps are the verbs in backquotes that begin the parts of its numbered lines, each with the role of what it
acts on; names and values are left out, on both sides, so that another goal's values make no other step. It was followed
where more than half of its steps were taken, in its order, by the model. What a reader would get wrong: nobody can look
into a model, so what it would have done anyway counts as followed; and it is the skill as it stands now.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from skillagent.schema import Skill

_LINE = re.compile(r"^[ \t]*\d+\.[ \t]+(.*)$", re.MULTILINE)
_STEP = re.compile(r"(?:^|, then |: |; else )`([a-z_]\w*)`(?: (?:onto )?the (\w+))?")
_ACTION = re.compile(r'\{"verb":"([^"]*)"(.*?)\}?( \[[a-z]+\])?( ✗ .*)?', re.DOTALL)
_ELEMENT = re.compile(r'"\w*ref":"(\w+)')
_ANY = "element"  # what a step acts on where it names no role


class Move(NamedTuple):
    """A step without its values: the verb, and the role of what it acts on; empty: of nothing, or of anything."""

    verb: str
    role: str = ""


def steps_of(text: str) -> tuple[Move, ...]:
    """Return the steps that a skill's text tells, in order; none where it is written in another way."""
    found = (step for line in _LINE.finditer(text) for step in _STEP.finditer(line[1]))
    return tuple(Move(step[1], "" if step[2] in (None, _ANY) else step[2].casefold()) for step in found)


def taken(actions: Sequence[str]) -> tuple[Move, ...]:
    """Return what the model did, from lines as `replies.retold` writes them; what went wrong was not done."""
    moves = []
    for line in actions:
        if (found := _ACTION.fullmatch(line)) and not found[3] and not found[4]:
            element = _ELEMENT.search(found[2])
            moves.append(Move(found[1], element[1].casefold() if element else ""))
    return tuple(moves)


def followed(skill: Skill, actions: Sequence[str]) -> bool | None:
    """Tell whether more than half of a skill's steps were taken, in its order.

    None where it cannot be told: its text has no steps, or nobody wrote down what was done.
    """
    steps = _known_steps(skill.body)
    return 2 * _common(steps, taken(actions)) > len(steps) if steps and actions else None


@lru_cache(maxsize=4096)
def _known_steps(text: str) -> tuple[Move, ...]:
    return steps_of(text)


def _common(steps: Sequence[Move], done: Sequence[Move]) -> int:
    """Return how many steps were taken at most, each after the one before it."""
    best = [0] * (len(steps) + 1)
    for move in done:
        for n in range(len(steps), 0, -1):  # from the end, so that one move is one step
            if steps[n - 1].verb == move.verb and steps[n - 1].role in ("", move.role):
                best[n] = max(best[n], best[n - 1] + 1)
        for n in range(1, len(steps) + 1):
            best[n] = max(best[n], best[n - 1])
    return best[-1]
