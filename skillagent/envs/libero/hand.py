"""Hand: LIBERO's arm among the things of a scene; it goes up before it goes across, and can turn."""

from __future__ import annotations

import math

import numpy as np

from skillagent.envs.libero.grips import ROOM, Grip, leaning, room, turned
from skillagent.envs.libero.parts import Pieces
from skillagent.envs.libero.scene import Scene, Thing
from skillagent.envs.libero.turns import rotation
from skillagent.envs.robot.primitives import Arm
from skillagent.envs.robot.simulator import CLOSED, OPEN, Vector
from skillagent.errors import InvalidAction

ABOVE = 0.12  # a thing, before the hand goes down to it
NEAR = 0.01
EXACT = 0.004
_GRIP = 16  # control steps in which the gripper closes or opens for sure
_FIRM = 8  # in which it does not yet press
_STILL = 0.0003  # metres that the fingers move in a control step when they have closed
WIDE = 0.077  # metres between fingers that are open
_STAY = 0.0  # a grip that leaves the fingers where they are
_CLEAR = 0.03  # above the highest thing on the way, when something is carried
_BESIDE = 0.1  # the way
_TURNS = (0.0, math.pi / 2, -math.pi / 2)  # radians
_MOST = 1.6  # radians about the vertical, beyond which the wrist comes to its end
_DOWN = 0.01  # a control step
_DEEPEST = 0.6  # metres
_HELD_UP = 8  # control steps without going down
_FACING = 0.05  # radians
_LONGEST = 60  # control steps in which the hand turns


class Hand(Arm):
    """The hand in a scene."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.scene = scene
        self.yaw = 0.0  # radians by which the hand is turned about the vertical

    def thing(self, ref: str) -> Thing:
        """Return a thing as it is now; raises InvalidAction where there is none."""
        things = self.scene.all
        if not ref.isdigit() or not 1 <= int(ref) <= len(things):
            self.place(ref)  # says what there is
        return things[int(ref) - 1]

    def called(self, key: str) -> str:
        """Return how an observation names a thing, e.g. `[2] "butter"`."""
        number, thing = next((n, one) for n, one in enumerate(self.scene.all, start=1) if one.key == key)
        return f'[{number}] "{thing.name}"'

    def now(self, key: str) -> Thing:
        """Return the thing of that key."""
        return next(one for one in self.scene.all if one.key == key)

    def close(self) -> bool:
        """Close the gripper, and return whether something is between the fingers."""
        self.grip, gap = CLOSED, math.inf
        for number in range(_GRIP):
            self.hold(1)
            if number > _FIRM and abs(self.scene.gap - gap) < _STILL:
                break
            gap = self.scene.gap
        return self.scene.between

    def open(self, wide: float = WIDE) -> None:
        """Open the gripper, or so far as to leave that many metres between the fingers."""
        further = self.scene.gap < wide
        self.grip = OPEN if further else CLOSED
        for _ in range(_GRIP):
            if (self.scene.gap < wide) is not further:
                break
            self.hold(1)
        self.grip = OPEN if wide >= WIDE else _STAY

    def over(self, place: Vector, height: float) -> None:
        """Move over a place, at a height: up first, then across."""
        high = max(height, float(self.hand[2]))
        self.go(np.array([*self.hand[:2], high]), NEAR)
        self.go(np.array([*place[:2], high]), EXACT)

    def carry(self, key: str, spot: Vector, top: float) -> None:
        """Bring the middle of what is held over a spot, just above all that stands in the way, or is so high there."""
        held, others = self.now(key), self.scene.others(key)
        start, end = np.minimum(held.place, spot)[:2] - _BESIDE, np.maximum(held.place, spot)[:2] + _BESIDE
        crossed = ((others.low[:, :2] < end) & (others.high[:, :2] > start)).all(axis=1)
        below = float(self.hand[2] - held.low[2])
        height = float(others.high[crossed, 2].max(initial=top)) + _CLEAR + below
        turn = self._roomiest(np.array([*spot[:2], top + below]), self.hand - held.place, others)
        self.over(self.hand, height)
        self.aim(spot, self.yaw + turn)
        self.over(spot + (self.hand - self.now(key).place), height)

    def _roomiest(self, spot: Vector, beside: Vector, others: Pieces) -> float:
        """Return by how many radians to turn the hand, which is beside what it holds, to have room above a spot."""

        def worth(turn: float) -> tuple[float, bool, float]:
            right, away, _ = rotation([0, 0, turn]).apply(beside)
            place, base = spot + np.array([right, away, 0]), self.scene.base
            there = Grip(place, self.yaw + turn, leaning(place, base))
            return min(ROOM, room(there, others, base)), turn == 0, -float(np.linalg.norm((place - base)[:2]))

        return max((one for one in _TURNS if abs(self.yaw + one) < _MOST), key=worth)

    def lower(self, key: str, bottom: float) -> None:
        """Move down until what is held lands on something, its lowest is so low, or the hand is stopped."""
        start, best, since = self.hand.copy(), float(self.hand[2]), 0
        down = min(float(self.now(key).low[2]) - bottom, _DEEPEST)
        for gone in np.arange(_DOWN, down + _DOWN, _DOWN):
            if self.scene.lands(key) or since > _HELD_UP:
                return
            if not self.drive(np.array([*start[:2], start[2] - gone]), self.scene.gain):
                return
            height = float(self.hand[2])
            best, since = (height, 0) if height < best - _DOWN / 4 else (best, since + 1)

    def aim(self, spot: Vector, yaw: float, lean: float | None = None) -> None:
        """Turn the hand about the vertical, and lean it out so far, or as is best to reach a spot."""
        best = leaning(spot, self.scene.base) if lean is None else lean
        self.yaw = yaw
        self.face(turned(spot, self.scene.base, yaw, best).as_rotvec())

    def face(self, rotated: Vector) -> None:
        """Turn the hand where it is until it is turned so far from pointing down: axis times radians."""
        if np.linalg.norm(rotated - (np.zeros(3) if self.scene.turned is None else self.scene.turned)) < _FACING:
            return
        self.scene.turned = rotated
        place = self.hand.copy()
        for _ in range(_LONGEST):
            if not self.drive(place, self.scene.gain) or self.scene.astray < _FACING:
                return

    def empty(self) -> None:
        """Raise InvalidAction where something is in the hand."""
        if held := self.scene.held:
            raise InvalidAction(f"your hand is not empty: put {self.called(held)} down first")
