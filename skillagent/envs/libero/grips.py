"""Grips: where the fingers may go to hold a thing, the best first.

What is narrow is gripped around its middle, what is wide on its edge. The best grip has room for the open hand beside
what stands near, then asks the arm to reach the least. No physics is tried: it looks at boxes around pieces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skillagent.envs.libero.parts import Pieces
from skillagent.envs.libero.turns import rotation
from skillagent.envs.robot.simulator import Vector

if TYPE_CHECKING:
    from scipy.spatial.transform import Rotation

ROOM = 0.004  # beside the hand, beyond which more is no better
_WIDEST = 0.07  # that goes between the fingers
_RIM = 0.006  # inwards from the edge of what is wider
_DEEP = (0.03, 0.018)  # below the top of what is gripped: no deeper, as the fingers are so long
_TOP = 0.02  # metres of a thing that tell how wide its top is
_FLOOR = 0.012  # above the lowest of what is gripped
_SAME = 0.01  # metres within which two spots are one
_TURNING = 0.03  # metres of reach that it is worth not to turn the hand
_LEANING = 0.02  # metres of room that it is worth not to lean it more than it must
_EASY = 0.6  # metres from the robot to which the arm reaches with ease
_FAR, _NEAR = 0.68, 0.4  # between which the hand is best upright
_WRIST = 0.21  # metres from the finger tips
_LEAN = 0.6  # radians, at most
_OPEN = 0.08  # between fingers that are wide open
_EDGE = 0.04  # between them on an edge in a narrow place
_TIGHT = 0.02  # more than the width of what is gripped, there
_FINGER = 0.022  # thick, the way they close
_HAND = (
    np.array(  # half of the fingers, the palm and the arm behind it: the way they close, across it, from where to where
        [[0.0, 0.012, -0.006, 0.045], [0.105, 0.035, 0.045, 0.12], [0.06, 0.05, 0.12, 0.3]]
    )
)


@dataclass(frozen=True)
class Grip:
    """How the hand holds something.

    The middle between the finger tips is at `spot`. The hand is turned about the vertical by `yaw`, then leans out from
    the robot by `lean`, in radians; its fingers are open so `wide`.
    """

    spot: Vector
    yaw: float
    lean: float = 0.0
    wide: float = _OPEN

    def like(self, other: Grip) -> bool:
        """Tell whether another grip is much the same."""
        turned = abs(self.yaw - other.yaw) + abs(self.lean - other.lean)
        return turned < _SAME and float(np.linalg.norm(self.spot - other.spot)) < _SAME

    def turn(self, base: Vector) -> Rotation:
        """Return how the hand is turned from pointing down, with a robot that stands there."""
        return turned(self.spot, base, self.yaw, self.lean)


def turned(spot: Vector, base: Vector, yaw: float, lean: float) -> Rotation:
    """Return the turn of a hand at a spot by `yaw` about the vertical, that leans out from the robot by `lean`."""
    right, away = lean * (spot - base)[:2] / np.linalg.norm((spot - base)[:2])
    return rotation([away, -right, 0]) * rotation([0, 0, yaw])


def leaning(spot: Vector, base: Vector) -> float:
    """Return how far the hand best leans at a spot: out to what is far, back to what is near the robot."""
    far = float(np.linalg.norm((spot - base)[:2]))
    return float(np.clip((max(0.0, far - _FAR) + min(0.0, far - _NEAR)) / _WRIST, -_LEAN, _LEAN))


def grips(thing: Pieces, others: Pieces, base: Vector) -> list[Grip]:
    """Return the ways to grip a thing from above, the best first.

    Args:
        thing: Its pieces.
        others: All that the hand could run into.
        base: Where the robot stands, shape (3,).
    """
    low, high = thing.low.min(axis=0), thing.high.max(axis=0)
    top = thing[thing.high[:, 2] > high[2] - _TOP]
    if min((high - low)[:2]) >= _WIDEST > min((top.high.max(axis=0) - top.low.min(axis=0))[:2]):
        low[:2], high[:2] = top.low.min(axis=0)[:2], top.high.max(axis=0)[:2]  # a pot by its lid, not by its handle
    middle, wide = (low + high) / 2, high - low
    found = []
    for axis, yaw in ((0, 0.0), (1, math.pi / 2)):
        narrow = wide[axis] < _WIDEST
        if not narrow and wide[1 - axis] < _WIDEST:
            continue
        for side in [middle[axis]] if narrow else [high[axis] - _RIM, low[axis] + _RIM]:
            for deep in _DEEP:
                spot = middle.copy()
                spot[axis], spot[2] = side, max(low[2] + _FLOOR, high[2] - deep)
                least, lean = float(wide[axis]) + _TIGHT if narrow else _EDGE, leaning(spot, base)
                found += [Grip(spot, yaw, one, each) for one in {lean, _LEAN} for each in {_OPEN, min(least, _OPEN)}]

    def worth(grip: Grip) -> tuple[float, float]:
        leans = grip.lean - leaning(grip.spot, base) > _SAME
        reach = max(0.0, float(np.linalg.norm((grip.spot - base)[:2])) - _EASY) + _TURNING * bool(grip.yaw)
        return round(min(ROOM, room(grip, others, base)) - _LEANING * leans, 3), grip.wide - reach - _SAME * grip.spot[
            2
        ]

    return sorted(found, key=worth, reverse=True)


def room(grip: Grip, others: Pieces, base: Vector) -> float:
    """Return how many metres are free around the open hand on its way to a grip; below zero, by how many it is blocked.

    Two boxes are apart where they are so along an axis of the one or of the other.
    """
    axes: NDArray[np.float64] = grip.turn(base).as_matrix()
    between = np.einsum("nij,jk->nik", others.axes.transpose(0, 2, 1), axes)  # the hand's axes as each piece sees them
    across = [(-grip.wide / 2 - _FINGER / 2, _FINGER / 2), (grip.wide / 2 + _FINGER / 2, _FINGER / 2)]
    parts = [(one, half, _HAND[0]) for one, half in across] + [(0.0, each[0], each) for each in _HAND[1:]]
    free = math.inf
    for along, half, (_, flat, least, most) in parts:
        centre, extent = np.array([along, 0, (least + most) / 2]), np.array([half, flat, (most - least) / 2])
        apart = others.middle - grip.spot - axes @ centre
        seen = np.abs(np.einsum("nij,ni->nj", others.axes, apart)) - others.half - np.abs(between) @ extent
        from_hand = np.abs(apart @ axes) - np.einsum("nij,ni->nj", np.abs(between), others.half) - extent
        free = min(free, float(np.maximum(seen, from_hand).max(axis=1).min(initial=math.inf)))
    return free
