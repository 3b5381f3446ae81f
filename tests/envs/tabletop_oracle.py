"""Does tasks at the table by verbs alone, from what is wanted and what an observation shows."""

import itertools
import math
import re

from skillagent.envs.tabletop.predicates import WAYS, Beside, Counted, On, Opened, Rests
from skillagent.schema import Action

_TRIES = 3
_OPEN_ENOUGH = 70
_GRID = [(x / 10, y / 10) for x in range(-3, 4) for y in range(-2, 3)]


def oracle(world):
    """Return an oracle for the task that the world is in."""

    def acting(first):
        outcome = None
        for _ in range(_TRIES):
            for wanted in world.asked.wanted:
                if not wanted.holds(world.simulation.now):
                    outcome = yield from _made(world, wanted, outcome.observation if outcome else first)

    return acting


def _made(world, wanted, seen):
    match wanted:
        case On(thing, below):
            yield from _brought(seen, thing, "place_on", below)
        case Rests(thing, below):
            if (into := _named(seen, below)).role == "drawer" and float(into.value.split()[0]) < _OPEN_ENOUGH:
                yield Action(verb="open_to", arguments={"ref": into.ref, "percent": 100})
            yield from _brought(seen, thing, "place_in" if into.role in ("bowl", "drawer") else "place_on", below)
        case Beside(thing, way, other, within):
            yield from _set_beside(seen, thing, WAYS[way], other, within)
        case Opened(thing, percent):
            yield Action(verb="open_to", arguments={"ref": _named(seen, thing).ref, "percent": percent})
        case Counted(below, numbers):
            yield from _counted(seen, below, numbers)
    return (yield Action(verb="wait", arguments={"seconds": 0.2}))


def _set_beside(seen, thing, way, other, within):
    """Put a thing straight to the side of another, or where there is room."""
    (right, away), ref = way, _named(seen, other).ref
    yield Action(verb="pick", arguments={"ref": _named(seen, thing).ref})
    for along, across in itertools.product((within - 0.025, within - 0.04), (0, 0.045, -0.045)):
        offset = [round(right * along + away * across, 3), round(away * along + right * across, 3), 0]
        outcome = yield Action(verb="place_at", arguments={"ref": ref, "offset": offset})
        if "no room" not in (outcome.error or ""):
            return


def _counted(seen, below, numbers):
    cubes = [one for one in seen.elements if one.role == "cube"]
    there = [one for one in cubes if one.within == below]
    more = min((number - len(there) for number in numbers), key=abs)
    for one in itertools.islice((one for one in cubes if one not in there), max(0, more)):
        yield from _brought(seen, one.name, "place_on", below)
    for one in there[: max(0, -more)]:
        seen = (yield Action(verb="pick", arguments={"ref": one.ref})).observation
        places = _places(seen)
        free = max(_GRID, key=lambda spot: min(math.dist(spot, place) for place in places.values()))
        ref = _named(seen, below).ref
        offset = [round(a - b, 3) for a, b in zip(free, places[ref], strict=True)]
        yield Action(verb="place_at", arguments={"ref": ref, "offset": [*offset, 0]})


def _places(seen):
    told = re.findall(r"^\[(\d+)\].* at \((-?[\d.]+), (-?[\d.]+), ", seen.text, re.MULTILINE)
    return {ref: (float(x), float(y)) for ref, x, y in told}


def _brought(seen, thing, verb, other, **more):
    outcome = yield Action(verb="pick", arguments={"ref": _named(seen, thing).ref})
    if outcome.error is None:
        yield Action(verb=verb, arguments={"ref": _named(seen, other).ref, **more})


def _named(seen, name):
    return next(one for one in seen.elements if one.name == name)
