"""Actions: what the hand can do among household things, one function each; the first line of a docstring is read.

Picking and placing look whether they did it, and say in words what is wrong. Beneath them are the arm's primitives.
Distances are metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from skillagent.envs.libero.scene import Scene, Thing
from skillagent.envs.robot.primitives import EXAMPLES as BENEATH
from skillagent.envs.robot.primitives import Arm, grasp, move_to, press, pull, push, release, retrace, wait
from skillagent.envs.robot.simulator import CLOSED, OPEN, Vector
from skillagent.envs.robot.world import at
from skillagent.envs.verbs import Doing
from skillagent.errors import InvalidAction
from skillagent.schema import Json

ObjectRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": ["object"]})]
OntoRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": ["object", "fixture", "place"]})]

_ABOVE = 0.12  # a thing, before the hand goes down to it
_CLEAR = 0.16  # above the highest thing, when something is carried
_WIDEST = 0.07  # that goes between the fingers
_RIM = 0.006  # inwards from the edge of what is wider
_DEEP = (0.03, 0.045)  # below the top of what is gripped: the first try, and the second
_FLOOR = 0.012  # above the lowest of what is gripped
_NEAR = 0.01
_EXACT = 0.004
_GRIP = 16  # control steps in which the gripper closes or opens for sure
_LAND = 0.015  # above what it is put on
_REST = 10
_GIVE = 0.02  # above and below
_ASTRAY = 0.03  # beyond the edge of what it should be on


class Hand(Arm):
    """The hand in a scene."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.scene = scene

    def thing(self, ref: str) -> Thing:
        """Return a thing as it is now; raises InvalidAction where there is none."""
        self.place(ref)
        return self.scene.all[int(ref) - 1]

    def called(self, key: str) -> str:
        """Return how an observation names a thing, e.g. `[2] "butter"`."""
        number, thing = next((n, one) for n, one in enumerate(self.scene.all, start=1) if one.key == key)
        return f'[{number}] "{thing.name}"'

    def now(self, key: str) -> Thing:
        """Return the thing of that key."""
        return next(one for one in self.scene.all if one.key == key)

    def close(self) -> bool:
        """Close the gripper, and return whether something is between the fingers."""
        self.grip = CLOSED
        self.hold(_GRIP)
        return self.scene.between

    def open(self) -> None:
        """Open the gripper."""
        self.grip = OPEN
        self.hold(_GRIP)

    def over(self, place: Vector, height: float) -> None:
        """Move over a place, at a height: up first, then across."""
        high = max(height, float(self.hand[2]))
        self.go(np.array([*self.hand[:2], high]), _NEAR)
        self.go(np.array([*place[:2], high]), _EXACT)


def pick(arm: Hand, ref: ObjectRef) -> None:
    """Pick up a thing from above; the hand must be empty."""
    thing = arm.thing(ref)
    if thing.role != "object":
        raise InvalidAction(f"a {thing.role} cannot be picked up")
    if held := arm.scene.held:
        raise InvalidAction(f"your hand is not empty: put {arm.called(held)} down first")
    stopped = f"the gripper does not hold {arm.called(thing.key)}: it is wider than the hand, or moved away"
    for tried in range(len(_grips(thing))):
        now = arm.now(thing.key)  # the last try may have moved it
        try:
            _grip(arm, _grips(now)[tried], float(now.high[2]))
        except InvalidAction as fault:
            stopped = str(fault)
        if arm.scene.over or arm.scene.held == thing.key:
            return
        arm.open()
    arm.go(arm.hand + np.array([0, 0, _ABOVE]), _NEAR)
    raise InvalidAction(stopped)


def place(arm: Hand, ref: OntoRef) -> None:
    """Put what is held on a thing, or into it."""
    held, onto = arm.scene.held, arm.thing(ref)
    if held is None:
        raise InvalidAction("you hold nothing: pick something up first")
    if held == onto.key:
        raise InvalidAction("a thing cannot be put on itself")
    arm.over(arm.hand, max(float(one.high[2]) for one in (onto, arm.now(held))) + _CLEAR)
    arm.over(onto.place + (arm.hand - arm.now(held).place), float(arm.hand[2]))
    down = float(arm.now(held).low[2] - onto.high[2]) - _LAND
    arm.go(arm.hand - np.array([0, 0, max(0.0, down)]), _NEAR)
    arm.open()
    arm.go(arm.hand + np.array([0, 0, _ABOVE]), _NEAR)
    arm.hold(_REST)
    now = arm.now(held)
    if not arm.scene.over and (arm.scene.held == held or not rests(now, arm.now(onto.key))):
        raise InvalidAction(f"{arm.called(held)} is not on or in {arm.called(onto.key)}: it is at {at(now.place)}")


def rests(thing: Thing, onto: Thing) -> bool:
    """Tell whether a thing is on or in another: over it, and its bottom or its middle no higher than its top."""
    beside = (thing.place[:2] < onto.low[:2] - _ASTRAY) | (thing.place[:2] > onto.high[:2] + _ASTRAY)
    heights = (float(thing.low[2]), float(thing.place[2]))
    return not beside.any() and any(onto.low[2] - _GIVE < one < onto.high[2] + _GIVE for one in heights)


def _grip(arm: Hand, spot: Vector, top: float) -> None:
    """Go down to a spot with the gripper open, close it, and rise."""
    arm.open()
    arm.over(spot, top + _ABOVE)
    arm.go(spot, _EXACT)
    arm.close()
    arm.go(np.array([*spot[:2], spot[2] + _ABOVE]), _NEAR)


def _grips(thing: Thing) -> list[Vector]:
    """Return where the fingers, which open to the right and left, may go down: around a thing, or on its edges."""
    middle, low, high = thing.place, thing.low, thing.high
    sides = [middle[0]] if high[0] - low[0] < _WIDEST else [high[0] - _RIM, low[0] + _RIM]
    heights = [max(float(low[2]) + _FLOOR, float(high[2]) - deep) for deep in _DEEP]
    return [np.array([side, middle[1], height]) for height in heights for side in sides]


ACTIONS: tuple[Doing, ...] = (pick, place, move_to, grasp, release, push, pull, press, wait, retrace)
EXAMPLES: Mapping[str, Json] = BENEATH
