"""Predicates: what a task wants of the table, as functions of where things are.

They look at places alone: that things lie still, and in nobody's hand, is looked at by the simulation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from skillagent.envs.tabletop.scene import TRAY, Thing

Now = Mapping[str, Thing]

_TOUCH = 0.008  # metres between what lies on each other
_BELOW = -0.05  # the table's edge is above it
WAYS: Mapping[str, tuple[int, int]] = {
    "to the left of": (-1, 0),
    "to the right of": (1, 0),
    "in front of": (0, -1),
    "behind": (0, 1),
}


@dataclass(frozen=True)
class Rests:
    """A cube is on or in something, straight or on others that are."""

    thing: str
    below: str

    def holds(self, now: Now) -> bool:
        """Tell whether it is so."""
        return rests(now, self.thing, self.below)


@dataclass(frozen=True)
class On:
    """A cube lies on another, with nothing between them."""

    thing: str
    below: str

    def holds(self, now: Now) -> bool:
        """Tell whether it is so."""
        return lies(now[self.thing], now[self.below])


@dataclass(frozen=True)
class Beside:
    """A thing is on one side of another, so many metres away at most, and more to that side than to any other."""

    thing: str
    way: str
    other: str
    within: float

    def holds(self, now: Now) -> bool:
        """Tell whether it is so."""
        x, y = (a - b for a, b in zip(now[self.thing].place[:2], now[self.other].place[:2], strict=True))
        along = x * WAYS[self.way][0] + y * WAYS[self.way][1]
        across = math.sqrt(max(0.0, x * x + y * y - along * along))
        return across < along and math.hypot(x, y) <= self.within


@dataclass(frozen=True)
class Counted:
    """One of these numbers of cubes is on a thing."""

    below: str
    numbers: tuple[int, ...]

    def holds(self, now: Now) -> bool:
        """Tell whether it is so."""
        return sum(rests(now, one.name, self.below) for one in now.values() if one.role == "cube") in self.numbers


@dataclass(frozen=True)
class Opened:
    """A drawer is so far open, in percent."""

    thing: str
    percent: float
    give: float

    def holds(self, now: Now) -> bool:
        """Tell whether it is so."""
        return abs(100 * now[self.thing].opening - self.percent) <= self.give


Predicate = Rests | On | Beside | Counted | Opened


def lies(thing: Thing, below: Thing) -> bool:
    """Tell whether a cube lies on a thing, or in it, with nothing between them."""
    middle = below.tray if below.role == "drawer" else below.place
    x, y = abs(thing.place[0] - middle[0]), abs(thing.place[1] - middle[1])
    touching = abs(thing.bottom - below.top) < _TOUCH
    match below.role:
        case "cube":
            return math.hypot(x, y) < below.size[0] and touching
        case "plate":
            return math.hypot(x, y) < below.size[0] and touching
        case "zone":
            return x < below.size[0] and y < below.size[1] and touching
        case "bowl":
            return math.hypot(x, y) < below.size[0] and -_TOUCH < thing.bottom < below.size[2] / 2
        case "drawer":
            return x < TRAY[0] and y < TRAY[1] and -_TOUCH < thing.bottom < TRAY[2] / 2


def rests(now: Now, name: str, below: str) -> bool:
    """Tell whether a cube is on or in a thing, straight or on other cubes that are."""
    thing = now[name]
    if lies(thing, now[below]):
        return True
    return any(
        rests(now, one.name, below)
        for one in now.values()
        if one.role == "cube" and one.bottom < thing.bottom and lies(thing, one)
    )


def under(now: Now, thing: Thing) -> Thing | None:
    """Return what a cube lies on or in, or None: the table, the floor, or a hand."""
    others = sorted((one for one in now.values() if one.name != thing.name), key=lambda one: one.role != "cube")
    return next((one for one in others if lies(thing, one)), None)


def where(now: Now, thing: Thing) -> str:
    """Say what a cube lies on or in, by its name."""
    below = under(now, thing)
    if below is not None:
        return f"{'in' if below.role in ('bowl', 'drawer') else 'on'} {below.name}"
    return lone(thing)


def lone(thing: Thing) -> str:
    """Say where a cube is that lies on nothing and in nothing."""
    if thing.place[2] < _BELOW:
        return "on the floor"
    return "on the table" if thing.bottom < _TOUCH else "on nothing"
