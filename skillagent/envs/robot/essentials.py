"""Essentials: programs of an arm with one thing changed, and what their replays tell of each step.

What a reader would get wrong: a step is essential among the others, not by itself. Two steps that can each stand in for
the other are both free. Nothing is replayed here. Source: counterfactual perturbation of demonstrations (GLiDE).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

from skillagent.schema import Do, Node, Program, Value

SHIFTS = (0.01, 0.02, 0.04)  # metres
_SIDES = (("to the right", "to the left"), ("further away", "closer"), ("up", "down"))
_HOLDS = 0.8  # of what the whole program solves


class Change(Value):
    """One thing that is changed: `what` with a step, counted from 1; a shift goes along an axis by so many metres."""

    what: str
    step: int
    axis: int = 0
    by_m: float = 0.0

    def __str__(self) -> str:
        """The change in words."""
        side = f" {abs(self.by_m):g} m {_SIDES[self.axis][int(self.by_m < 0)]}" if self.by_m else ""
        return f"step {self.step} {self.what}{side}"


def dropped(program: Program) -> dict[Change, Program]:
    """Return the program without each of its steps; one that has a single step has none that could be left out."""
    steps = program.steps
    return {
        Change(what="dropped", step=n + 1): program.model_copy(update={"steps": (*steps[:n], *steps[n + 1 :])})
        for n in range(len(steps) if len(steps) > 1 else 0)
    }


def swapped(program: Program) -> dict[Change, Program]:
    """Return the program with each step and the next the other way round."""
    steps = program.steps
    return {
        Change(what="swapped", step=n + 1): program.model_copy(
            update={"steps": (*steps[:n], steps[n + 1], steps[n], *steps[n + 2 :])}
        )
        for n in range(len(steps) - 1)
    }


def shifts(program: Program) -> dict[Change, Program]:
    """Return the program with each offset moved along each axis, by each of `SHIFTS` both ways."""
    found = dict[Change, Program]()
    for n, step in enumerate(program.steps):
        offset = _offset(step)
        if not isinstance(step, Do) or offset is None:
            continue
        for axis, far, sign in product(range(3), SHIFTS, (1, -1)):
            there = offset + sign * far * np.eye(3)[axis]
            arguments = {**step.arguments, "offset": [round(float(one), 3) for one in there]}
            moved = step.model_copy(update={"arguments": arguments})
            steps = (*program.steps[:n], moved, *program.steps[n + 1 :])
            found[Change(what="shifted", step=n + 1, axis=axis, by_m=sign * far)] = program.model_copy(
                update={"steps": steps}
            )
    return found


def _offset(step: Node) -> NDArray[np.float64] | None:
    """Return a step's offset, shape (3,), in metres; None where it has none, or the goal decides it."""
    given = step.arguments.get("offset") if isinstance(step, Do) else None
    if not isinstance(given, list) or len(given) != len(_SIDES):
        return None
    return np.array(given, dtype=float) if all(isinstance(one, int | float) for one in given) else None


def told(program: Program, found: Mapping[Change, float]) -> list[str]:
    """Say of each step whether it is essential, and how far its offset may be off; a share of successes a change."""
    lines = []
    for number, step in enumerate(program.steps, start=1):
        verb = f"`{step.verb}`" if isinstance(step, Do) else step.kind
        left = found.get(Change(what="dropped", step=number))
        parts = [] if left is None else [f"free: {left:.0%} succeed without it" if left >= _HOLDS else _needed(left)]
        turned = found.get(Change(what="swapped", step=number))
        if turned is not None and turned >= _HOLDS:
            parts.append(f"may come after step {number + 1}")
        if within := _within(number, found):
            parts.append(f"its offset holds within {within}")
        lines.append(f"Step {number}, {verb}, is " + "; ".join(parts or ["the only one"]))
    return lines


def _needed(left: float) -> str:
    return "essential: nothing succeeds without it" if not left else f"essential: {left:.0%} succeed without it"


def _within(number: int, found: Mapping[Change, float]) -> str:
    """Return how far an offset may be moved each way, as far as every shorter shift holds too."""
    said = []
    for axis, sign in product(range(3), (1, -1)):
        held = 0.0
        for far in SHIFTS:
            shares = found.get(Change(what="shifted", step=number, axis=axis, by_m=sign * far))
            if shares is None or shares < _HOLDS:
                break
            held = far
        if Change(what="shifted", step=number, axis=axis, by_m=sign * SHIFTS[0]) in found:
            said.append(f"{f'{100 * held:g}' if held else 'less than 1'} cm {_SIDES[axis][int(sign < 0)]}")
    return ", ".join(said)
