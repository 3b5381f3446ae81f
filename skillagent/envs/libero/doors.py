"""Doors: verbs that open and close drawers and doors, and turn knobs; each looks whether it did it.

A drawer is drawn by its handle and pushed shut against it, a door is pushed shut at its outer edge, a knob is gripped
from above and turned with the hand. The fingers point as level as the table below allows, so that they reach a handle
between others.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Annotated

import numpy as np
from pydantic import Field

from skillagent.envs.libero.hand import ABOVE, NEAR, Hand
from skillagent.envs.libero.parts import Part
from skillagent.envs.libero.turns import rotation
from skillagent.envs.robot.simulator import CLOSED, Vector
from skillagent.errors import InvalidAction

MovingRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": ["drawer", "fixture", "object"]})]

_TILTS = (90, 75, 60, 45, 30, 0)  # degrees from pointing down
_HALF = 0.11  # of the hand's width, and how far its body is from the finger tips
_FREE = 0.01  # between the hand and what is below it
_BACK = 0.08  # from a handle, before the hand goes to it and after
_LEAD = 0.03  # metres that the hand strives ahead of what it moves
_STALLED = 20  # control steps in which it does not move
_MOVES = 0.002  # of an opening, at least
_WIDE = 0.97  # an opening that is as wide as it gets
_DEEP = 0.02  # below the top of what is gripped or pushed from above
_TURN = 0.06  # radians in a control step
_FARTHEST = 1.2  # radians in one grip
_TRIES = 2


def open(arm: Hand, ref: MovingRef) -> None:  # noqa: A001 - the verb's name
    """Open a drawer or a door as wide as it goes; the hand must be empty."""
    part = _moving(arm, ref, "opened", ("drawer", "door"))
    if part.kind == "door" and part.state != "open":
        raise InvalidAction("it has nothing that the hand could grip")
    _until(arm, ref, "open", _pull)


def close(arm: Hand, ref: MovingRef) -> None:
    """Push a drawer or a door shut; the hand must be empty."""
    _moving(arm, ref, "closed", ("drawer", "door"))
    _until(arm, ref, "closed", _push)


def turn_on(arm: Hand, ref: MovingRef) -> None:
    """Turn the knob of a thing until it is on; the hand must be empty."""
    _moving(arm, ref, "turned on", ("knob",))
    _until(arm, ref, "on", lambda arm, ref, part: _twist(arm, ref, part, "on", 1.0))


def turn_off(arm: Hand, ref: MovingRef) -> None:
    """Turn the knob of a thing until it is off; the hand must be empty."""
    _moving(arm, ref, "turned off", ("knob",))
    _until(arm, ref, "off", lambda arm, ref, part: _twist(arm, ref, part, "off", -1.0))


def _moving(arm: Hand, ref: str, done: str, kinds: tuple[str, ...]) -> Part:
    """Return what moves of a thing; raises InvalidAction where that cannot be done to it, or the hand is full."""
    thing = arm.thing(ref)
    if thing.part is None or thing.part.kind not in kinds:
        raise InvalidAction(f"{arm.called(thing.key)} cannot be {done}")
    arm.empty()
    return thing.part


def _until(arm: Hand, ref: str, state: str, attempt: Callable[[Hand, str, Part], None]) -> None:
    """Attempt something until a part is in a state, and leave it each time; raises InvalidAction where it is not."""
    stopped = "something stopped it"
    for _ in range(_TRIES):
        if (part := _part(arm, ref)).state == state or arm.scene.over:
            return
        try:
            attempt(arm, ref, part)
        except InvalidAction as fault:
            stopped = str(fault)
        _leave(arm)
    part = _part(arm, ref)
    if not arm.scene.over and part.state != state:
        raise InvalidAction(f"{arm.called(arm.thing(ref).key)} is {part.told}: {stopped}")


def _pull(arm: Hand, ref: str, part: Part) -> None:
    """Grip a drawer by its handle and draw it open."""
    _reach(arm, part, closed=False)
    if not arm.close() and not arm.scene.over:
        raise InvalidAction("the gripper closed on nothing, it missed the handle")
    _along(arm, ref, 1.0, lambda now: now.opening > _WIDE)


def _push(arm: Hand, ref: str, part: Part) -> None:
    """Push a part shut from where it opens to."""
    _reach(arm, part, closed=True)
    _along(arm, ref, -1.0, lambda now: now.opening == 0)


def _reach(arm: Hand, part: Part, *, closed: bool) -> None:
    """Bring the hand to a handle, the fingers around it; closed, in front of it."""
    arm.grip = CLOSED if closed else -CLOSED
    level = part.grip.copy()
    if part.kind == "door":
        level[2] = part.high[2] - _DEEP
    before = level + _BACK * part.way
    arm.over(before, max(float(one.high[2]) for one in arm.scene.all) + ABOVE)
    pointing = np.array([0.0, 0.0, -1.0])
    if part.kind == "drawer":
        pointing = _face(arm, part)
    if closed:
        arm.go(before, NEAR)
    else:
        arm.go(level - _BACK * pointing, NEAR)
        arm.go(level, 0.006)


def _face(arm: Hand, part: Part) -> Vector:
    """Turn the hand to face a drawer, as level as there is room below, and return where the fingers point."""
    floor = min(float(one.low[2]) for one in arm.scene.all if one.role == "fixture") + _FREE

    def lowest(degrees: float) -> float:
        turn = math.radians(degrees)
        return float(part.grip[2]) + _HALF * (math.cos(turn) - math.sin(turn))

    tilt = math.radians(next((one for one in _TILTS if lowest(one) > floor), 0))
    right, away, _ = part.way
    yaw = math.remainder(math.atan2(away, right), math.pi)  # the hand is the same turned half round
    arm.face((rotation(tilt * np.array([-away, right, 0])) * rotation([0, 0, yaw])).as_rotvec())
    pointing: Vector = -math.sin(tilt) * part.way - np.array([0, 0, math.cos(tilt)])
    return pointing


def _along(arm: Hand, ref: str, sign: float, done: Callable[[Part], bool]) -> None:
    """Move the hand the way that opens a part, or back, until it is done or the part moves no more."""
    best, since = -math.inf, 0
    while not done(now := _part(arm, ref)) and since < _STALLED and not arm.scene.over:
        gone = sign * now.opening
        best, since = (gone, 0) if gone > best + _MOVES else (best, since + 1)
        arm.drive(arm.hand + sign * _LEAD * now.way, arm.scene.gain)


def _leave(arm: Hand) -> None:
    """Let go, move back from what is left and up, and point down again."""
    turned = arm.scene.turned
    back = rotation(turned).apply([0, 0, 1]) if turned is not None else np.array([0, 0, 1])
    arm.open()
    with contextlib.suppress(InvalidAction):  # it has moved as far as it could
        arm.go(arm.hand + _BACK * back, 0.02)
        arm.go(arm.hand + np.array([0, 0, ABOVE]), 0.03)
    arm.face(np.zeros(3))


def _twist(arm: Hand, ref: str, part: Part, state: str, sign: float) -> None:
    """Grip a knob from above, turn it, and leave it."""
    wide = part.high - part.low
    arm.open()
    arm.aim(part.anchor, 0.0 if wide[0] <= wide[1] else math.pi / 2)
    arm.over(part.anchor, float(part.high[2]) + ABOVE)
    arm.go(np.array([*part.anchor[:2], part.high[2] - _DEEP]), NEAR)
    arm.close()
    centre, facing = (
        arm.hand.copy(),
        rotation(np.zeros(3) if arm.scene.turned is None else arm.scene.turned),
    )
    for turned in np.arange(0, _FARTHEST, _TURN) * sign * float(np.sign(part.axis[2])):
        if _part(arm, ref).state == state or arm.scene.over:
            break
        arm.scene.turned = (rotation([0, 0, turned]) * facing).as_rotvec()
        arm.drive(centre, arm.scene.gain)


def _part(arm: Hand, ref: str) -> Part:
    part = arm.thing(ref).part
    assert part is not None, "it moved before"
    return part
