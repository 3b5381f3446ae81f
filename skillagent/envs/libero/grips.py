"""Grips: where the fingers may go down to hold a thing, the best first.

What is narrow is gripped around its middle, what is wide on its edge. The best grip has room for the open hand beside
what stands near, then asks the arm to reach the least. No physics is tried: it looks at boxes around pieces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skillagent.envs.robot.simulator import Vector

_WIDEST = 0.07  # that goes between the fingers
_RIM = 0.006  # inwards from the edge of what is wider
_DEEP = (0.03, 0.018)  # below the top of what is gripped: no deeper, as the fingers are so long
_FLOOR = 0.012  # above the lowest of what is gripped
_ROOM = 0.01  # beside the hand, beyond which more is no better
_TURNING = 0.03  # metres of reach that it is worth not to turn the hand
_FAR = 0.6  # metres from the robot to which the arm reaches with ease
_FINGERS = ((-0.062, 0.062), (-0.012, 0.012), -0.006)  # open: along the way they close, across it, and from where up
_PALM = ((-0.105, 0.105), (-0.035, 0.035), 0.045)


@dataclass(frozen=True)
class Grip:
    """Where the middle between the finger tips goes, shape (3,), and how far the hand is turned, in radians."""

    spot: Vector
    yaw: float

    def like(self, other: Grip) -> bool:
        """Tell whether another grip is much the same."""
        return self.yaw == other.yaw and float(np.linalg.norm(self.spot - other.spot)) < _ROOM


def grips(low: Vector, high: Vector, others: tuple[Vector, Vector], base: Vector) -> list[Grip]:
    """Return the ways to grip a thing from above, the best first.

    Args:
        low: Of the thing, shape (3,).
        high: Of the thing, shape (3,).
        others: The corners of all that the hand could run into, shape (pieces, 3) each.
        base: Where the robot stands, shape (3,).
    """
    middle, wide = (low + high) / 2, high - low
    found = []
    for axis, yaw in ((0, 0.0), (1, math.pi / 2)):
        sides = [middle[axis]] if wide[axis] < _WIDEST else [high[axis] - _RIM, low[axis] + _RIM]
        if wide[axis] >= _WIDEST > wide[1 - axis]:
            continue
        for side in sides:
            for deep in _DEEP:
                spot = middle.copy()
                spot[axis], spot[2] = side, max(low[2] + _FLOOR, high[2] - deep)
                found.append(Grip(spot, yaw))

    def worth(grip: Grip) -> tuple[float, float]:
        reach = max(0.0, float(np.linalg.norm(grip.spot[:2] - base[:2])) - _FAR)
        return round(min(_ROOM, room(grip, others)), 3), -reach - _TURNING * bool(grip.yaw)

    return sorted(found, key=worth, reverse=True)


def room(grip: Grip, others: tuple[Vector, Vector]) -> float:
    """Return how many metres are free beside the open hand as it goes down; below zero, by how many it is blocked."""
    free = math.inf
    for along, across, bottom in (_FINGERS, _PALM):
        least, most = np.array((across, along) if grip.yaw else (along, across)).T
        here = grip.spot[:2]
        apart = np.maximum(here + least - others[1][:, :2], others[0][:, :2] - here - most).max(axis=1)
        in_the_way = others[1][:, 2] > grip.spot[2] + bottom
        free = min(free, float(apart[in_the_way].min(initial=math.inf)))
    return free
