"""Layout: how things stand at the start, read off an observation in metres, and how much two such starts are alike.

Only what a text says as `hand at (x, y, z)` and `[1] role "name" … at (x, y, z)` is read: of a page nothing is. The
first thing is the one that is acted on, and a goal is where it is to go. Source: retrieval by language first, geometry
second (MT3).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_NUMBERS = rf"\({_NUMBER}, {_NUMBER}, {_NUMBER}\)"
_HAND = re.compile(rf"^hand at {_NUMBERS}", re.MULTILINE)
_THING = re.compile(rf'^\[\w+\] (?P<role>[\w-]+) ".*? at {_NUMBERS}', re.MULTILINE)
_SCALE = 0.2  # metres: vectors that differ by so much are alike by 0.37

Place = tuple[float, ...]


@dataclass(frozen=True)
class Layout:
    """The roles of all things, and the ways from the hand to the first thing and from that to the goal, in metres."""

    roles: Counter[str]
    ways: Mapping[str, Place] = field(default_factory=dict)


def layout_of(text: str) -> Layout | None:
    """Return the layout that an observation tells; None where it tells no places."""
    things = [(found["role"], _place(found.groups()[1:])) for found in _THING.finditer(text)]
    hand = _HAND.search(text)
    if hand is None or not things:
        return None
    (_, first), ways = things[0], dict[str, Place]()
    ways["hand"] = _way(_place(hand.groups()), first)
    goals = [place for role, place in things[1:] if role == "goal"]
    if goals:
        ways["goal"] = _way(first, goals[-1])
    return Layout(Counter(role for role, _ in things), ways)


def alike(one: Layout, other: Layout) -> float:
    """Return how much two layouts are alike, in [0, 1]: by the roles, and by each way that one of them has."""
    parts = [(one.roles & other.roles).total() / (one.roles | other.roles).total()]
    for name in dict.fromkeys([*one.ways, *other.ways]):
        both = name in one.ways and name in other.ways
        parts.append(math.exp(-math.dist(one.ways[name], other.ways[name]) / _SCALE) if both else 0.0)
    return sum(parts) / len(parts)


def _place(numbers: tuple[str, ...]) -> Place:
    return tuple(float(one) for one in numbers)


def _way(start: Place, end: Place) -> Place:
    return tuple(b - a for a, b in zip(start, end, strict=True))
