"""Actions: what the hand can do among household things, one function each; the first line of a docstring is read.

Picking, placing and opening look whether they did it, and say in words what is wrong. Beneath them are the arm's
primitives. Distances are metres.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from skillagent.envs.libero.doors import close, open, turn_off, turn_on  # noqa: A004 - the verbs' names
from skillagent.envs.libero.grips import Grip, grips
from skillagent.envs.libero.hand import ABOVE, EXACT, NEAR, WIDE, Hand
from skillagent.envs.noted import at
from skillagent.envs.robot.primitives import EXAMPLES as BENEATH
from skillagent.envs.robot.primitives import (
    Offset,
    grasp,
    move_to,
    move_to_point,
    press,
    pull,
    push,
    release,
    retrace,
    wait,
)
from skillagent.envs.robot.simulator import Vector
from skillagent.envs.verbs import Doing, Ref
from skillagent.errors import InvalidAction
from skillagent.schema import Json

ObjectRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": ["object"]})]
OntoRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": ["object", "fixture", "place", "drawer"]})]

_TRIES = 3
_EXPOSED = 0.5  # of an opening, for what is put in
_REST = 10
_ASTRAY = 0.03


def pick(arm: Hand, ref: ObjectRef) -> None:
    """Pick up a thing from above; the hand must be empty."""
    thing = arm.thing(ref)
    if thing.role != "object":
        raise InvalidAction(f"a {thing.role} cannot be picked up")
    arm.empty()
    stopped = f"the gripper does not hold {arm.called(thing.key)}: it is wider than the hand, or moved away"
    tried: list[Grip] = []
    for _ in range(_TRIES):
        now = arm.now(thing.key)  # the last try may have moved it
        ways = grips(arm.scene.pieces(thing.key), arm.scene.others(thing.key), arm.scene.base)
        grip = next((one for one in ways if not any(one.like(before) for before in tried)), ways[0])
        tried.append(grip)
        try:
            _grip(arm, grip, float(now.high[2]))
        except InvalidAction as fault:
            stopped = str(fault)
        if arm.scene.over or arm.scene.held == thing.key:
            return
        arm.open()
    arm.go(arm.hand + np.array([0, 0, ABOVE]), NEAR)
    raise InvalidAction(stopped)


def place(arm: Hand, ref: OntoRef) -> None:
    """Put what is held on a thing, or into it."""
    held, onto = _holding(arm), arm.thing(ref)
    if held == onto.key:
        raise InvalidAction("a thing cannot be put on itself")
    if onto.part is not None and onto.part.kind == "drawer" and onto.part.opening < _EXPOSED:
        raise InvalidAction(f"{arm.called(onto.key)} is {onto.part.told}: empty your hand and open it")
    _put(arm, held, onto.place, float(onto.low[2]), float(onto.high[2]))
    if not arm.scene.over and (arm.scene.held == held or not arm.scene.lies(held, onto.key)):
        there = at(arm.now(held).place)
        raise InvalidAction(f"{arm.called(held)} is not on or in {arm.called(onto.key)}: it is at {there}")


def place_at(arm: Hand, ref: Ref, offset: Offset) -> None:
    """Put what is held down at an offset from a thing: [right, away, 0] in metres."""
    held, spot = _holding(arm), arm.place(ref, offset)
    _put(arm, held, spot, -math.inf, 0.0)
    now = arm.now(held)
    astray = float(np.linalg.norm(now.place[:2] - spot[:2]))
    if not arm.scene.over and (arm.scene.held == held or astray > _ASTRAY):
        raise InvalidAction(f"{arm.called(held)} is {astray:.3f} m away from there: it is at {at(now.place)}")


def _holding(arm: Hand) -> str:
    if (held := arm.scene.held) is None:
        raise InvalidAction("you hold nothing: pick something up first")
    return held


def _put(arm: Hand, held: str, spot: Vector, bottom: float, top: float) -> None:
    """Bring what is held over a spot, lower it until it lands, or is as low as that, and let go."""
    arm.carry(held, spot, top)
    if arm.scene.held != held and not arm.scene.over:
        raise InvalidAction(f"{arm.called(held)} slipped out of the hand: it is at {at(arm.now(held).place)}")
    arm.lower(held, bottom)
    arm.open()
    arm.go(arm.hand + np.array([0, 0, ABOVE]), NEAR)
    arm.hold(_REST)


def _grip(arm: Hand, grip: Grip, top: float) -> None:
    """Come to a spot the way the fingers point, open so far, close them, and go back."""
    back = ABOVE * grip.turn(arm.scene.base).apply([0, 0, 1])
    arm.open(min(grip.wide, WIDE))
    arm.aim(grip.spot, grip.yaw, grip.lean)
    arm.over(grip.spot + back, top + ABOVE)
    if grip.lean:
        arm.go(grip.spot + back, NEAR)
    arm.go(grip.spot, EXACT)
    arm.close()
    arm.go(grip.spot + back, NEAR)


ACTIONS: tuple[Doing, ...] = (
    pick, place, place_at, open, close, turn_on, turn_off, move_to, move_to_point, grasp, release, push, pull,
    press, wait, retrace,
)  # fmt: skip
EXAMPLES: Mapping[str, Json] = {**BENEATH, "place_at": {"ref": "1", "offset": [-0.08, 0, 0]}}
