"""Wording: a way in space in words, and the words of a person as a way in space.

Right, away from the robot and up, in metres, as observations have it. The grammar is closed: what it does not know is
refused, with examples.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

from skillagent.envs.robot.simulator import Vector
from skillagent.errors import ConfigError
from skillagent.schema import Value

_UNITS = {"mm": 0.001, "cm": 0.01, "m": 1.0}
_WAYS = {
    "right": (0, 1),
    "left": (0, -1),
    "away": (1, 1),
    "further": (1, 1),
    "further away": (1, 1),
    "towards": (1, -1),
    "closer": (1, -1),
    "up": (2, 1),
    "higher": (2, 1),
    "down": (2, -1),
    "lower": (2, -1),
}
_SAID = (("to the right of", "to the left of"), ("further away than", "closer than"), ("higher than", "lower than"))
_AMOUNT = re.compile(
    rf"(\d+(?:\.\d+)?|\.\d+) *({'|'.join(_UNITS)}) +(?:to the +)?({'|'.join(sorted(_WAYS, key=len, reverse=True))})"
)
_WHERE = re.compile(r"(?:(?:at|in) the (start|middle|end)(?: of step (\d+))?|at step (\d+))")
_FARTHEST = 0.2  # metres: more is another program, not a correction
EXAMPLES = (
    "2 cm higher",
    "5 mm to the left at the end",
    "1 cm further away at step 2",
    "3 cm up in the middle of step 3",
)


class Correction(Value):
    """A point of a program that is to be moved: by how much, and which; the end of the last step where none is said."""

    right_m: float = 0.0
    away_m: float = 0.0
    up_m: float = 0.0
    at: Literal["start", "middle", "end"] = "end"
    step: int | None = None

    @property
    def way(self) -> Vector:
        """Right, away and up, in metres, shape (3,)."""
        return np.array([self.right_m, self.away_m, self.up_m])


def in_words(way: Vector) -> str:
    """Say how far one place is from another, and by the longest axis on which side: `0.080 m to the right of`."""
    axis = int(np.argmax(np.abs(way)))
    return f"{np.linalg.norm(way):.3f} m {_SAID[axis][int(way[axis] < 0)]}"


def corrections(words: str) -> Correction:
    """Return what a person's words ask for: a number, a unit, a direction, and perhaps a place.

    Raises:
        ConfigError: They say something else, or ask for more than a correction moves; the message has examples.
    """
    text = " ".join(words.lower().split()).rstrip(".")
    amount = _AMOUNT.match(text)
    rest = text[amount.end() :] if amount else text
    where = _WHERE.fullmatch(rest.strip()) if amount else None
    if amount is None or (rest.strip() and (where is None or not rest.startswith(" "))):
        raise ConfigError(f"{words!r} is not understood; say it like {', '.join(map(repr, EXAMPLES))}")
    metres = float(amount[1]) * _UNITS[amount[2]]
    if not 0 < metres <= _FARTHEST:
        raise ConfigError(f"{words!r}: a correction moves by more than nothing and at most {_FARTHEST:g} m")
    axis, sign = _WAYS[amount[3]]
    moved = {("right_m", "away_m", "up_m")[axis]: sign * metres}
    if where is None:
        return Correction.model_validate(moved)
    step = where[2] or where[3]
    return Correction.model_validate({**moved, "at": where[1] or "end", "step": int(step) if step else None})
