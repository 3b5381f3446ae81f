"""Actions: what the gripper can do at the table, one function each; the first line of a docstring is what is read.

Picking, placing, opening and turning look whether they did it, try once more where that may help, and say in words what
is wrong. Beneath them are the arm's primitives, and
`rotate`, as this hand can turn. Distances are metres, angles degrees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Annotated

import numpy as np
from pydantic import Field

from skillagent.envs.robot.primitives import (
    Arm,
    Offset,
    grasp,
    move_to,
    move_to_point,
    press,
    pull,
    push,
    release,
    wait,
)
from skillagent.envs.robot.simulator import Vector
from skillagent.envs.tabletop.predicates import lies, rests, where
from skillagent.envs.tabletop.scene import SPOTS, TABLE, TRAVEL, WIDEST, Thing
from skillagent.envs.tabletop.table import Table
from skillagent.envs.verbs import Doing, Ref
from skillagent.errors import InvalidAction
from skillagent.schema import Json

CubeRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": ["cube"]})]
OnRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": ["cube", "plate", "zone"]})]
InRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": ["bowl", "drawer"]})]
DrawerRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": ["drawer"]})]
Percent = Annotated[float, Field(ge=0, le=100)]
Degrees = Annotated[float, Field(ge=-180, le=180)]

_CLEAR = 0.05  # above all that stands on the table
_LEAST = 0.12  # and at least so high
_LOWEST = 0.016  # of the hand: its finger tips just above the table
_ROOM = 0.024  # between the fingers beside what is gripped or let go
_ROOMS = (_ROOM, _ROOM / 2)  # of the first try, and of the second
_FINGER = 0.011  # thickness, and a little
_EXACT = 0.0015
_DOWN = 0.004  # a control step
_DROP = 0.012  # below where it should have landed
_MOMENT = 8  # control steps in which the gripper opens, or things come to rest
_ASTRAY = 0.02
_GIVE = 0.01  # of an opening
_OFF = 5.0  # percent
_TURNED = 5.0  # degrees
_TRIES = 2
_EXPOSED = 0.06  # of a drawer's inside, for the hand
_STALLED = 20  # control steps
_SLOW = 0.006  # a control step, with a drawer in the hand


class Gripper(Arm):
    """The hand at a table."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.table = table

    def thing(self, ref: str) -> Thing:
        """Return a thing as it is now; raises InvalidAction where there is none."""
        self.place(ref)
        return list(self.table.now.values())[int(ref) - 1]

    def called(self, name: str) -> str:
        """Return how an observation names a thing, e.g. `[2] "red cube"`."""
        return f'[{list(self.table.now).index(name) + 1}] "{name}"'

    def turn(self, degrees: float) -> None:
        """Turn the hand until it is turned so far, where it is."""
        self.table.turned = degrees
        for _ in range(_STALLED * 3):
            if abs(self.table.yaw - degrees) < 1 or not self.drive(self.hand):
                return

    def open(self, width: float = WIDEST) -> None:
        """Open the gripper so wide."""
        self.grip = 1 - 2 * min(width, WIDEST) / WIDEST
        self.hold(_MOMENT)

    def rise(self) -> None:
        """Move up until the hand, and what it holds, clears all that stands on the table."""
        held = self.table.held
        others = [one.highest for one in self.table.now.values() if one.name != held]
        below = self.hand[2] - self.table.now[held].bottom if held else 0.0
        self.go(np.array([*self.hand[:2], max([_LEAST, *others]) + _CLEAR + below]), 0.01)

    def reach(self, place: Vector, degrees: float) -> None:
        """Move over a place at a safe height, turned so far."""
        self.rise()
        self.go(np.array([*place[:2], self.hand[2]]), 0.004)
        self.turn(degrees)
        self.go(np.array([*place[:2], self.hand[2]]), _EXACT)

    def free(self, middle: tuple[float, float], width: float, ways: Iterable[float], *, but: str) -> float:
        """Return in which of these ways, in degrees, the fingers have most room beside something so wide."""
        away = width / 2 + _ROOM / 2 + _FINGER / 2

        others = [one for one in self.table.now.values() if one.name != but]

        def clear(degrees: float) -> float:
            x, y = away * math.cos(math.radians(degrees)), away * math.sin(math.radians(degrees))
            tips = [(middle[0] + sign * x, middle[1] + sign * y) for sign in (-1, 1)]
            return min((_gap(tip, one) for tip in tips for one in others), default=math.inf)

        return max(ways, key=clear)


def pick(arm: Gripper, ref: CubeRef) -> None:
    """Pick up a cube from above; the hand must be empty."""
    thing = arm.thing(ref)
    _can_pick(arm, thing)
    stopped = f"the gripper closed on nothing: {arm.called(thing.name)} is {where(arm.table.now, thing)}"
    for room in _ROOMS:
        try:
            _grip(arm, arm.thing(ref), room)
        except InvalidAction as fault:
            stopped = str(fault)
        if arm.table.over or arm.table.held == thing.name:
            return
        arm.open()
    arm.rise()
    raise InvalidAction(stopped)


def place_on(arm: Gripper, ref: OnRef) -> None:
    """Put what is held on a cube, a plate or a zone."""
    name, thing = _holding(arm), arm.thing(ref)
    if thing.role in ("bowl", "drawer"):
        raise InvalidAction(f"things are put in a {thing.role}, not on it: place_in")
    if name == thing.name:
        raise InvalidAction("a thing cannot be put on itself")
    if thing.role == "cube" and (there := _upon(arm, thing)):
        raise InvalidAction(f"{arm.called(there)} is on {arm.called(thing.name)} already")

    def put() -> None:
        _put(arm, name, _spot(arm, arm.thing(ref), name), arm.thing(ref).top)

    _until(arm, name, put, lambda: _amiss(arm, name, ref, "on"))


def place_in(arm: Gripper, ref: InRef) -> None:
    """Put what is held in a bowl, or in a drawer that is open."""
    name, thing = _holding(arm), arm.thing(ref)
    if thing.role not in ("bowl", "drawer"):
        raise InvalidAction(f"nothing can be put in a {thing.role}: place_on")
    if thing.role == "drawer" and thing.opening * TRAVEL < _EXPOSED:
        raise InvalidAction(f"the drawer is only {thing.percent} % open: empty your hand and open it further")

    def put() -> None:
        _put(arm, name, _spot(arm, arm.thing(ref), name), 0.0)

    _until(arm, name, put, lambda: _amiss(arm, name, ref, "in"))


def place_at(arm: Gripper, ref: Ref, offset: Offset) -> None:
    """Put what is held down at an offset from a thing: [right, away, 0] in metres."""
    name, spot = _holding(arm), arm.place(ref, offset)[:2]
    if (np.abs(spot) > TABLE).any():
        raise InvalidAction(f"that is not on the table: it ends at {TABLE[0]} to each side and {TABLE[1]} away")
    cubes = [one for one in arm.table.now.values() if one.role == "cube" and one.name != name]
    if there := next((one for one in cubes if math.dist(one.place[:2], spot) < one.size[0] + _ROOM), None):
        raise InvalidAction(f"there is no room: {arm.called(there.name)} is there")

    def amiss() -> str | None:
        astray = math.dist(arm.table.now[name].place[:2], spot)
        if arm.table.held != name and astray <= _ASTRAY:
            return None
        return f"{arm.called(name)} is {astray:.3f} m away from there, {where(arm.table.now, arm.table.now[name])}"

    _until(arm, name, lambda: _put(arm, name, (float(spot[0]), float(spot[1])), 0.0), amiss)


def open_to(arm: Gripper, ref: DrawerRef, percent: Percent) -> None:
    """Pull or push a drawer by its handle until it is so many percent open; the hand must be empty."""
    if (thing := arm.thing(ref)).role != "drawer":
        raise InvalidAction(f"a {thing.role} cannot be opened")
    _empty(arm)
    stopped = ""
    for _ in range(_TRIES):
        arm.open(WIDEST / 2)
        arm.reach(np.array(arm.thing(ref).place), 0.0)
        arm.go(np.array(arm.thing(ref).place), 0.004)
        gripped = arm.close()
        if gripped:
            _draw(arm, percent / 100)
        arm.open(WIDEST / 2)
        if arm.table.over:
            return
        arm.rise()
        opened = arm.thing(ref).percent
        if gripped and abs(opened - percent) <= _OFF:
            return
        stopped = f"the drawer is {opened} % open: something stopped it"
        stopped = stopped if gripped else "the gripper closed on nothing: it missed the handle"
    raise InvalidAction(stopped)


def rotate(arm: Gripper, degrees: Degrees) -> None:
    """Turn the hand by so many degrees, anticlockwise as seen from above."""
    wanted = arm.table.turned + degrees
    if abs(wanted) > 180:
        raise InvalidAction(f"the hand is turned by {arm.table.turned:.0f} degrees, and by 180 at most")
    for _ in range(_TRIES):
        arm.turn(wanted)
        if arm.table.over or abs(arm.table.yaw - wanted) < _TURNED:
            return
    arm.table.turned = arm.table.yaw
    raise InvalidAction(f"something stopped the hand: it is turned by {arm.table.yaw:.0f} degrees, not {wanted:.0f}")


ACTIONS: tuple[Doing, ...] = (
    pick, place_on, place_in, place_at, open_to, move_to, move_to_point, grasp, release, push, pull, rotate,
    press, wait,
)  # fmt: skip
EXAMPLES: Mapping[str, Json] = {
    "place_at": {"ref": "1", "offset": [-0.08, 0, 0]},
    "open_to": {"ref": "1", "percent": 50},
    "move_to": {"ref": "1", "offset": [0, 0, 0.1]},
    "move_to_point": {"point": [0, 0.1, 0.2]},
    "push": {"way": [0, 1, 0], "distance": 0.1},
    "pull": {"way": [0, -1, 0], "distance": 0.1},
}


def _can_pick(arm: Gripper, thing: Thing) -> None:
    """Raise InvalidAction where a thing cannot be picked up as things are."""
    now = arm.table.now
    if thing.role != "cube":
        raise InvalidAction(f"a {thing.role} cannot be picked up")
    _empty(arm)
    if over := _upon(arm, thing):
        raise InvalidAction(f"{arm.called(over)} is on {arm.called(thing.name)}: pick that up first")
    if where(now, thing) == "on the floor":
        raise InvalidAction(f"{arm.called(thing.name)} is on the floor, out of reach")
    for drawer in (one for one in now.values() if one.role == "drawer" and lies(thing, one)):
        if thing.place[1] > drawer.place[1] + drawer.opening * TRAVEL + _ROOM:
            raise InvalidAction(f"{arm.called(thing.name)} is in the drawer: open it further")


def _upon(arm: Gripper, thing: Thing) -> str | None:
    """Return the name of a cube that lies on another."""
    return next((one.name for one in arm.table.now.values() if one.role == "cube" and lies(one, thing)), None)


def _empty(arm: Gripper) -> None:
    if arm.table.held:
        raise InvalidAction(f"your hand is not empty: put {arm.called(arm.table.held)} down first")


def _holding(arm: Gripper) -> str:
    if not (held := arm.table.held):
        raise InvalidAction("you hold nothing: pick something up first")
    return held


def _grip(arm: Gripper, thing: Thing, room: float) -> None:
    """Close the gripper, opened so much wider than a cube, around it, along its faces, and lift it."""
    width, across = 2 * thing.size[0], thing.yaw - 90 if thing.yaw > 0 else thing.yaw + 90
    turned = arm.free(thing.place[:2], width, (thing.yaw, across), but=thing.name)
    arm.open(width + room)
    arm.reach(np.array(thing.place), turned)
    arm.go(np.array([*thing.place[:2], max(thing.place[2], _LOWEST)]), 0.003)
    arm.close()
    arm.rise()


def _spot(arm: Gripper, thing: Thing, held: str) -> tuple[float, float]:
    """Return where on or in a thing there is most room."""
    x, y = thing.middle
    spots = [(x + right, y + away) for right, away in SPOTS[thing.role]]
    there = [
        one.place[:2]
        for one in arm.table.now.values()
        if one.role == "cube" and one.name not in (held, thing.name) and rests(arm.table.now, one.name, thing.name)
    ]
    return max(spots, key=lambda spot: round(min((math.dist(spot, one) for one in there), default=1.0), 3))


def _put(arm: Gripper, name: str, spot: tuple[float, float], height: float) -> None:
    """Bring what is held over a spot, lower it until it lands, and let go."""
    width = 2 * arm.table.now[name].size[0]
    arm.reach(np.array(spot), arm.free(spot, width, (0.0, 90.0), but=name))
    held = arm.table.now[name]
    if arm.table.held != name:
        if arm.table.over:
            return
        raise InvalidAction(f"{arm.called(name)} slipped out of the hand: it is {where(arm.table.now, held)}")
    over = arm.hand.copy()
    over[:2] += np.array(spot) - held.place[:2]
    arm.go(over, _EXACT)
    _lower(arm, name, height - arm.table.now[name].bottom)
    arm.open(width + _ROOM)
    if not arm.table.over:
        arm.rise()
        arm.hold(_MOMENT)


def _lower(arm: Gripper, name: str, by: float) -> None:
    """Move down until what is held lands on something, or should have."""
    start = arm.hand.copy()
    near = min(0.0, by + 0.02)
    arm.go(start + np.array([0, 0, near]), 0.003)
    for down in np.arange(near, by - _DROP, -_DOWN):
        if arm.table.lands(name) or not arm.drive(start + np.array([0, 0, down]), arm.table.gain):
            return


def _until(arm: Gripper, name: str, put: Callable[[], None], amiss: Callable[[], str | None]) -> None:
    """Put a cube down until nothing is amiss, picked up again if need be; raises InvalidAction where something is."""
    fault = ""
    for tries in range(_TRIES):
        if tries and arm.table.held != name:
            with suppress(InvalidAction):  # the first fault says more
                pick(arm, str(list(arm.table.now).index(name) + 1))
        if tries and arm.table.held != name:
            break
        try:
            put()
            fault = amiss() or ""
        except InvalidAction as slipped:
            fault = str(slipped)
        if arm.table.over or not fault:
            return
    raise InvalidAction(fault)


def _amiss(arm: Gripper, name: str, ref: str, how: str) -> str | None:
    """Say where a cube is that should rest on or in something; None where it does."""
    now, below = arm.table.now, arm.thing(ref).name
    if arm.table.held != name and rests(now, name, below):
        return None
    return f"{arm.called(name)} is not {how} {arm.called(below)}: it is {where(now, now[name])}"


def _draw(arm: Gripper, opening: float) -> None:
    """Move the handle that is held until the drawer is so far open, or moves no more."""
    best, since = math.inf, 0
    while (left := opening - arm.table.opening) and abs(left) > _GIVE and since < _STALLED:
        best, since = (abs(left), 0) if abs(left) < best - _GIVE / 5 else (best, since + 1)
        way = max(-_SLOW, min(_SLOW, left * TRAVEL))
        if not arm.drive(arm.hand - np.array([0, way, 0]), 100.0):
            return
    arm.hold(_MOMENT // 2)


def _gap(tip: tuple[float, float], thing: Thing) -> float:
    """Return how far a finger tip is from a thing that it could run into."""
    apart = math.dist(tip, thing.middle if thing.role == "drawer" else thing.place[:2])
    match thing.role:
        case "cube":
            return apart - 1.2 * thing.size[0]
        case "bowl":
            return abs(apart - thing.size[0])
        case "drawer":
            return abs(abs(tip[0] - thing.place[0]) - thing.size[0])
        case _:
            return math.inf
