"""Tasks: what a seed draws for each of them: a scene, what is asked in words, and the predicates that say it is done.

The words are ours: three wordings a task, of which the seed takes one. Nothing of what is wanted holds at the start.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import yaml

from skillagent.envs.tabletop.predicates import WAYS, Beside, Counted, On, Opened, Predicate, Rests
from skillagent.envs.tabletop.scene import BOWL, COLOURS, PLATE, SPOTS, TRAVEL, WIDTHS, Place, Thing, drawer

_SIDES: Sequence[tuple[Place, Place]] = (  # where a person may sit: the middle of their side, and its size
    ((-0.39, -0.02, 0.0), (0.07, 0.12, 0.0)),
    ((0.39, -0.02, 0.0), (0.07, 0.12, 0.0)),
    ((0.0, 0.28, 0.0), (0.14, 0.06, 0.0)),
)
_FIELD = (0.36, 0.24)  # where cubes, bowls and plates stand: half of its width and depth
_AROUND = 0.028  # about a cube, for the fingers
_RIM = 0.014
_TRIES = 400
_NUMBERS = ("zero cubes", "one cube", "two cubes", "three cubes")
GIVE = 10.0  # percent of a drawer's opening
SHUT = 6.0


@dataclass(frozen=True)
class Asked:
    """What a seed drew: what stands on the table, in the order of the refs, what is asked, and what is wanted."""

    goal: str
    things: tuple[Thing, ...]
    wanted: tuple[Predicate, ...]


T = TypeVar("T")
Words = Mapping[str, str | int]
Told = tuple[Words, Sequence[Predicate]]


@cache
def wordings() -> Mapping[str, Sequence[str]]:
    """Return the wordings of every task by its name, e.g. `stack`."""
    told: Mapping[str, Sequence[str]] = yaml.safe_load(
        Path(__file__).with_name("tasks.yaml").read_text(encoding="utf-8")
    )
    return told


def draw(name: str, seed: int) -> Asked:
    """Return the task as a seed draws it; the same seed always draws the same."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    while True:
        drawing = Drawing(rng)
        try:
            words, wanted = _DRAWN[name](drawing)
            things = drawing.laid()
        except _Full:
            continue
        now = {one.name: one for one in things}
        if not any(one.holds(now) for one in wanted):
            said = wordings()[name]
            return Asked(said[seed % len(said)].format(**words), things, tuple(wanted))


class _Full(Exception):
    """There is no place left on the table."""


class Drawing:
    """A scene that is being drawn."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self._stands: list[Thing] = []
        self._cubes: list[Thing] = []
        self._loaded: tuple[str, ...] = ()

    def cubes(self, colours: Sequence[str], sizes: Sequence[str] | None = None) -> list[str]:
        """Add a cube of each of these colours, of these sizes or any, and return their names."""
        words = sizes or [str(one) for one in self.rng.choice(list(WIDTHS), len(colours))]
        names = list[str]()
        for colour, word in zip(colours, words, strict=True):
            alike = list(colours).count(colour) > 1
            name = f"{word} {colour} cube" if alike else f"{colour} cube"
            if name in names:
                raise _Full  # nobody could tell them apart
            names.append(name)
            half = WIDTHS[word] / 2
            yaw = float(self.rng.uniform(-45, 45))
            self._cubes.append(Thing("cube", name, (0, 0, half), (half, half, half), colour, word, yaw=yaw))
        return names

    def colours(self, count: int) -> list[str]:
        """Return different colours."""
        return [str(one) for one in self.rng.choice(list(COLOURS), count, replace=False)]

    def one_of(self, among: Sequence[T]) -> T:
        """Return one of them."""
        return among[int(self.rng.integers(len(among)))]

    def bowls(self, colours: Sequence[str]) -> list[str]:
        """Add a bowl of each colour and return their names."""
        self._stands += [Thing("bowl", f"{one} bowl", size=BOWL, colour=one) for one in colours]
        return [f"{one} bowl" for one in colours]

    def plate(self) -> str:
        """Add the plate and return its name."""
        self._stands.append(Thing("plate", "plate", size=PLATE, colour="white"))
        return "plate"

    def load(self, names: Sequence[str]) -> None:
        """Let these cubes lie on the plate at the start, four at most."""
        self._loaded = tuple(names)

    def drawer(self, opening: float = 0.0) -> str:
        """Add the drawer, so far open, and return its name."""
        self._stands.append(drawer(float(self.rng.uniform(-0.25, 0.25)), opening))
        return "drawer"

    def zone(self) -> str:
        """Add the person's side of the table and return its name."""
        place, size = self.one_of(_SIDES)
        self._stands.append(Thing("zone", "person's side", place, size))
        return "person's side"

    def laid(self) -> tuple[Thing, ...]:
        """Return everything with a place of its own, cubes first, in any order.

        Raises:
            _Full: No place was found for one of them.
        """
        laid = [one for one in self._stands if one.role in ("drawer", "zone")]
        for one in (*(one for one in self._stands if one.role not in ("drawer", "zone")), *self._cubes):
            laid.append(self._placed(one, laid))
        cubes = [one for one in laid if one.role == "cube"]
        order = self.rng.permutation(len(cubes))
        return (*(cubes[at] for at in order), *(one for one in laid if one.role != "cube"))

    def _placed(self, thing: Thing, laid: Sequence[Thing]) -> Thing:
        if thing.name in self._loaded:
            plate = next(one for one in laid if one.role == "plate")
            right, away = SPOTS["plate"][self._loaded.index(thing.name)]
            x, y, _ = plate.place
            return replace(thing, place=(x + right, y + away, plate.top + thing.size[2]), yaw=0.0)
        for _ in range(_TRIES):
            x, y = (float(self.rng.uniform(-half + _reach(thing) / 2, half - _reach(thing) / 2)) for half in _FIELD)
            if not any(_meet(thing, x, y, one) for one in laid):
                return replace(thing, place=(x, y, thing.place[2]))
        raise _Full


def _stack(table: Drawing) -> Told:
    first, second = table.cubes(table.colours(4))[:2]
    return {"first": first, "second": second}, [On(first, second)]


def _stack_all(table: Drawing) -> Told:
    names = table.cubes(table.colours(3))
    return {"order": ", ".join(names)}, [On(upper, lower) for lower, upper in pairwise(names)]


def _smaller_on_bigger(table: Drawing) -> Told:
    colours = table.colours(3) if table.one_of((0, 1)) else [*table.colours(1)] * 3
    small, medium, big = table.cubes(colours, ["small", "medium", "big"])
    return {}, [On(medium, big), On(small, medium)]


def _sort_by_colour(table: Drawing) -> Told:
    first, second = colours = table.colours(2)
    bowls = dict(zip(colours, table.bowls(colours), strict=True))
    every = [first, second, table.one_of(colours)]
    alike = iter(table.rng.permutation(["small", "medium"]))
    sizes = [str(next(alike)) if every.count(one) > 1 else "medium" for one in every]
    return {}, [Rests(name, bowls[one]) for name, one in zip(table.cubes(every, sizes), every, strict=True)]


def _matching_bowl(table: Drawing) -> Told:
    colours = table.colours(3)
    table.bowls(colours[:2])
    first = table.cubes(colours)[0]
    return {"first": first}, [Rests(first, f"{colours[0]} bowl")]


def _even_number(table: Drawing) -> Told:
    table.load(table.cubes(table.colours(4))[: table.one_of((0, 0, 1, 3))])
    return {}, [Counted(table.plate(), (2, 4))]


def _number_on_plate(table: Drawing) -> Told:
    number = table.one_of((1, 2, 3))
    table.load(table.cubes(table.colours(4))[: table.one_of((0, 0, 1, 2, 3))])
    return {"number": _NUMBERS[number]}, [Counted(table.plate(), (number,))]


def _left_of(table: Drawing) -> Told:
    first, second = table.cubes(table.colours(3))[:2]
    within = table.one_of((10, 12, 15))
    words: Words = {"first": first, "second": second, "within": within}
    return words, [Beside(first, "to the left of", second, within / 100)]


def _beside(table: Drawing) -> Told:
    first, second = table.cubes(table.colours(3))[:2]
    way, within = table.one_of([one for one in WAYS if "left" not in one]), table.one_of((10, 12, 15))
    words: Words = {"first": first, "second": second, "way": way, "within": within}
    return words, [Beside(first, way, second, within / 100)]


def _arrange(table: Drawing) -> Told:
    first, second, third, _ = table.cubes(table.colours(4))
    way, other = table.rng.permutation(list(WAYS))[:2].tolist()
    within = table.one_of((12, 15))
    words: Words = {"first": first, "second": second, "third": third, "way": way, "other_way": other, "within": within}
    return words, [Beside(first, way, second, within / 100), Beside(third, other, second, within / 100)]


def _hand_over(table: Drawing) -> Told:
    first = table.cubes(table.colours(4))[0]
    return {"first": first}, [Rests(first, table.zone())]


def _open_half(table: Drawing) -> Told:
    percent = table.one_of((25, 50, 75))
    table.cubes(table.colours(2))
    return {"percent": percent}, [Opened(table.drawer(), percent, GIVE)]


def _close_drawer(table: Drawing) -> Told:
    table.cubes(table.colours(2))
    return {}, [Opened(table.drawer(float(table.rng.uniform(0.4, 1.0))), 0.0, SHUT)]


def _open_and_put(table: Drawing) -> Told:
    first = table.cubes(table.colours(3))[0]
    return {"first": first}, [Rests(first, table.drawer())]


def _tidy_away(table: Drawing) -> Told:
    first = table.cubes(table.colours(3))[0]
    name = table.drawer(float(table.rng.uniform(0.7, 1.0)))
    return {"first": first}, [Rests(first, name), Opened(name, 0.0, SHUT)]


_DRAWN: Mapping[str, Callable[[Drawing], Told]] = {
    "stack": _stack,
    "stack-all": _stack_all,
    "smaller-on-bigger": _smaller_on_bigger,
    "sort-by-colour": _sort_by_colour,
    "matching-bowl": _matching_bowl,
    "even-number": _even_number,
    "number-on-plate": _number_on_plate,
    "left-of": _left_of,
    "beside": _beside,
    "arrange": _arrange,
    "hand-over": _hand_over,
    "open-half": _open_half,
    "close-drawer": _close_drawer,
    "open-and-put": _open_and_put,
    "tidy-away": _tidy_away,
}


def _reach(thing: Thing) -> float:
    """Return how far a thing, with room for the fingers about it, reaches from its middle."""
    return thing.size[0] * math.sqrt(2) + _AROUND if thing.role == "cube" else thing.size[0] + _RIM


def _meet(thing: Thing, x: float, y: float, other: Thing) -> bool:
    """Tell whether a thing at (x, y) would be in another's way."""
    reach = _reach(thing)
    if other.role == "drawer":  # wherever it is pulled to
        front = other.place[1] + (other.opening - 1) * TRAVEL - _AROUND
        return abs(x - other.place[0]) < other.size[0] + 0.03 + reach and y + reach > front
    if other.role == "zone":
        return abs(x - other.place[0]) < other.size[0] + reach and abs(y - other.place[1]) < other.size[1] + reach
    return math.dist((x, y), other.place[:2]) < reach + _reach(other)
