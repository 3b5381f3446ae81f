"""Primitives: what the arm can do, one function each, with closed-loop control.

A primitive drives the simulation, control step by control step, and looks at where things are as it goes. One that does
not get there, or closes the gripper on nothing, raises `InvalidAction` and says what stopped it, after a second try
where another way may do; one that does returns why it stopped: `reached`, `touched`, `time`. The first line of a
docstring is what the policy reads. Distances are metres.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Protocol

import numpy as np
from pydantic import Field

from skillagent.envs.robot.simulator import CLOSED, OPEN, Vector
from skillagent.envs.verbs import Doing, Ref
from skillagent.errors import InvalidAction
from skillagent.schema import Json

_FAR = 1.0  # nothing that the hand reaches is further away
Offset = Annotated[list[Annotated[float, Field(ge=-_FAR, le=_FAR)]], Field(min_length=3, max_length=3)]
Point = Offset  # from where positions are counted
Distance = Annotated[float, Field(gt=0, le=_FAR)]

_HOLD = 10.0  # gain
_NEAR = 0.006  # there
_SHORT = 0.02  # of a place: near enough to go on
_LOST = 0.03  # behind a path, where a row of it is held on to
_ADVANCE = 0.003  # a control step, when pushing
_ASTRAY = 0.05  # of the end of a path: the hand was not led there
_LAG = 0.035  # of a hand that is pushed on, when nothing is in its way
_LAST = 6  # rows of a path that tell where it was going
_HELD = 6  # control steps that one row of a path is held on to
_STALLED = 15  # control steps without a millimetre of progress
_LONGEST = 200  # control steps of one motion
_GRIP = 0.3125  # seconds in which the gripper closes for sure
_ABOVE = 0.1
_UNITS = (1000.0, 1000.0, 1000.0, 100.0, 100.0, 100.0, 100.0)  # of a path as text: millimetres and percent


class Simulation(Protocol):
    """What an arm moves in: Meta-World's or another, whose hand goes at most a centimetre along each axis a step."""

    @property
    def second(self) -> float:
        """Control steps of a simulated second."""
        ...

    @property
    def gain(self) -> float:
        """How much of full speed a metre of distance asks for."""
        ...

    @property
    def over(self) -> bool:
        """True when the task is done, or no step is left."""
        ...

    @property
    def hand(self) -> Vector:
        """Where the gripper is, shape (3,)."""
        ...

    @property
    def between(self) -> bool:
        """True when something is between the fingers."""
        ...

    @property
    def free(self) -> bool:
        """True when the gripper has let go of what it may have held."""
        ...

    @property
    def things(self) -> Sequence[tuple[str, str, Vector]]:
        """Role, name and position of all that the task is about."""
        ...

    def step(self, motion: Vector, grip: float) -> bool:
        """Do one control step, each axis and the grip in [-1, 1], and return whether the episode may go on."""
        ...


class Arm:
    """The hand and its gripper, in a task that is being done."""

    def __init__(self, simulator: Simulation) -> None:
        self.simulator = simulator
        self.grip = OPEN

    @property
    def hand(self) -> Vector:
        """Where it is, shape (3,)."""
        return self.simulator.hand

    def place(self, ref: str, offset: Offset | None = None) -> Vector:
        """Return where a thing is, or an offset from it, shape (3,).

        Raises:
            InvalidAction: There is no such thing.
        """
        places = {str(number): place for number, (*_, place) in enumerate(self.simulator.things, start=1)}
        if ref not in places:
            raise InvalidAction(f"no thing [{ref}]: there are {', '.join(f'[{one}]' for one in places)}")
        place: Vector = places[ref] + np.array(offset or (0.0, 0.0, 0.0))
        return place

    def drive(self, towards: Vector, gain: float = _HOLD) -> bool:
        """Do one control step towards a place, and return whether the episode may go on."""
        return self.simulator.step(gain * (towards - self.hand), self.grip)

    def go(self, target: Vector, near: float = _NEAR) -> str:
        """Move the hand to a place, in metres, and return why it stopped.

        Raises:
            InvalidAction: Something stopped it before it was there.
        """
        place, best, since = target.tolist(), math.inf, 0
        for _ in range(_LONGEST):
            going = self.drive(target, self.simulator.gain)  # once at least: where it was shown, to be there is asked
            left = math.dist(place, self.hand.tolist())
            if left < near or not going:
                return "reached"
            best, since = (left, 0) if left < best - 0.001 else (best, since + 1)
            if since > _STALLED:
                break
        if best > _SHORT:
            raise InvalidAction(f"something stopped the hand {best:.3f} m before it was there")
        return f"{'touched' if since > _STALLED else 'time'}, {best:.3f} m before it was there"

    def approach(self, target: Vector) -> str:
        """Move the hand to a place, once more from above where something beside it stops it; return why it stopped.

        Raises:
            InvalidAction: Something stopped it again.
        """
        try:
            return self.go(target)
        except InvalidAction:
            if math.dist(target[:2], self.hand[:2]) <= _SHORT:
                raise  # it is over it already
            high = max(float(self.hand[2]), float(target[2])) + _ABOVE
            with suppress(InvalidAction):  # as high as it goes
                self.go(np.array([*self.hand[:2], high]))
            with suppress(InvalidAction):
                self.go(np.array([*target[:2], high]))
            return self.go(target)

    def close(self) -> bool:
        """Close the gripper, and return whether something is between the fingers."""
        self.grip = CLOSED
        self.hold(round(_GRIP * self.simulator.second))
        return self.simulator.between

    def hold(self, steps: int) -> None:
        """Stay where it is; the gripper moves."""
        for _ in range(steps):
            if not self.simulator.step(np.zeros(3), self.grip):
                return


def move_to(arm: Arm, ref: Ref, offset: Offset | None = None) -> str:
    """Move the hand to a thing, or to an offset from it: [right, away, up] in metres."""
    return arm.approach(arm.place(ref, offset))


def move_to_point(arm: Arm, point: Point) -> str:
    """Move the hand to a place [right, away, up] in metres, as the state tells places."""
    return arm.approach(np.array(point))


def grasp(arm: Arm) -> str:
    """Close the gripper."""
    if not arm.close() and not arm.simulator.over:
        raise InvalidAction("the gripper closed on nothing")
    return "touched"


def release(arm: Arm) -> None:
    """Open the gripper."""
    arm.grip = OPEN
    for _ in range(2):
        arm.hold(round(_GRIP * arm.simulator.second))
        if arm.simulator.free or arm.simulator.over:
            return
    raise InvalidAction("the gripper did not open: it has not let go")


def push(arm: Arm, way: Offset, distance: Distance) -> str:
    """Move the hand straight along a way [right, away, up], for a distance in metres, the gripper as it is."""
    if not any(way):
        raise InvalidAction("way: its numbers are all 0")
    start, unit = arm.hand.copy(), np.array(way) / np.linalg.norm(way)
    for gone in np.arange(_ADVANCE, distance + _ADVANCE, _ADVANCE):
        if not arm.drive(start + gone * unit):
            break
    moved = float((arm.hand - start) @ unit)
    if moved < distance / 2 and not arm.simulator.over:
        raise InvalidAction(f"something stopped the hand after {moved:.3f} m")
    return "reached" if moved > distance - min(_LAG, distance / 4) else f"touched, after {moved:.3f} m"


def pull(arm: Arm, way: Offset, distance: Distance) -> str:
    """Close the gripper, then move the hand straight along a way [right, away, up], for a distance in metres."""
    grasp(arm)
    return push(arm, way, distance)


def press(arm: Arm, ref: Ref) -> str:
    """Move the hand above a thing and then straight down on it."""
    arm.go(arm.place(ref, [0.0, 0.0, _ABOVE]))
    return push(arm, [0.0, 0.0, -1.0], _ABOVE)


def wait(arm: Arm, seconds: Annotated[float, Field(gt=0, le=2)] = 0.5) -> str:
    """Hold still."""
    arm.hold(round(seconds * arm.simulator.second))
    return "time"


def retrace(
    arm: Arm, ref: Ref, offset: Offset, path: Annotated[str, Field(max_length=40_000)], on: Distance | None = None
) -> str:
    """Move along a path that was shown, bent to end at an offset from a thing. For programs: nobody writes a path.

    Then on, in the direction in which it ended, for so many metres. Only where that is the end of it all, and the hand
    was not where the path ends, it is led there once more: in between a path that meets something ends elsewhere, and
    still does the task.
    """
    end, rows = arm.place(ref, offset), rows_of(path)
    start = arm.hand.copy()
    astray = end - (start + rows[-1, :3])
    for number, row in enumerate(rows, start=1):
        wanted, arm.grip = start + row[:3] + astray * (number / len(rows)), float(row[6])
        for _ in range(_HELD):
            if not arm.simulator.step(row[3:6] + _HOLD * (wanted - arm.hand), arm.grip):
                return "reached"
            if math.dist(wanted, arm.hand) < _LOST:
                break
    left = float(np.linalg.norm(end - arm.hand))
    if on is not None and (way := rows[-1, :3] - rows[max(0, len(rows) - _LAST - 1), :3]).any():
        for gone in np.arange(_ADVANCE, on, _ADVANCE):
            if not arm.drive(end + gone * way / np.linalg.norm(way)):
                return "reached"
    if on is not None and left > _ASTRAY:
        return arm.go(end)
    return "reached" if left < _SHORT else f"touched, {left:.3f} m before the end of the path"


PRIMITIVES: tuple[Doing, ...] = (move_to, move_to_point, grasp, release, push, pull, press, wait, retrace)
EXAMPLES: Mapping[str, Json] = {
    "move_to": {"ref": "1", "offset": [0, 0, 0.1]},
    "move_to_point": {"point": [0, 0.1, 0.2]},
    "push": {"way": [0, 1, 0], "distance": 0.1},
    "pull": {"way": [0, -1, 0], "distance": 0.1},
}


def path_of(rows: Vector) -> str:
    """Return a path as text: a row for each control step, in millimetres and percent.

    Args:
        rows: Where the hand was after it, from the start of the path (3), how it was driven (3) and how the gripper was
            (1); shape (n, 7).
    """
    return "; ".join(" ".join(str(one) for one in row) for row in np.rint(rows * _UNITS).astype(int))


def rows_of(path: str) -> Vector:
    """Return the path that a text says, shape (n, 7); raises InvalidAction where it says none."""
    try:
        rows = np.array([[float(one) for one in row.split()] for row in path.split(";")])
    except ValueError:
        rows = np.zeros(0)
    if rows.ndim != 2 or rows.shape[1] != len(_UNITS) or not np.isfinite(rows).all():
        raise InvalidAction("path: rows of seven numbers, with ; between them")
    return rows / _UNITS
