"""Actions: what can be done in a level, one function each; the first line of a docstring is what the policy reads.

A verb walks as far as it must, over what was seen, and raises `InvalidAction` with words that say what is in the way.
"""

from __future__ import annotations

from collections.abc import Callable

from skillagent.envs.babyai.walker import DROP, PICK_UP, TOGGLE, Cell, Walker, neighbours
from skillagent.envs.verbs import Doing, Ref
from skillagent.errors import InvalidAction


def go_to(walker: Walker, ref: Ref) -> None:
    """Walk until a thing is right ahead."""
    walker.go_before(walker.thing(ref))


def pick_up(walker: Walker, ref: Ref) -> None:
    """Walk to a thing and pick it up; only one thing can be carried."""
    thing = walker.thing(ref)
    if thing.kind == "door":
        raise InvalidAction("a door cannot be picked up")
    if walker.carried:
        raise InvalidAction(f"you carry the {walker.carried} already: drop it first")
    walker.go_before(thing)
    walker.do(PICK_UP)


def drop(walker: Walker) -> None:
    """Put down what is carried, at the nearest free place, not before a door if possible."""
    _carrying(walker)
    doors = [one.cell for one in walker.things() if one.kind == "door"]

    def places(cell: Cell) -> list[Cell]:
        return [one for one in neighbours(cell) if walker.free(one) or one == walker.cell != cell]

    def clear(cell: Cell) -> list[Cell]:
        return [one for one in places(cell) if not any(_next(one, door) for door in doors)]

    if not _put(walker, clear) and not _put(walker, places):
        raise InvalidAction("there is no free place to put it")


def put_next_to(walker: Walker, ref: Ref) -> None:
    """Walk to a thing and put down what is carried right next to it."""
    _carrying(walker)
    thing = walker.thing(ref)

    def places(cell: Cell) -> list[Cell]:
        beside = (one for one in neighbours(cell) if _next(one, thing.cell))
        return [one for one in beside if walker.free(one) or one == walker.cell != cell]

    if not _put(walker, places):
        raise InvalidAction(f'no free place next to [{thing.ref}] "{thing.name}" can be reached')


def open(walker: Walker, ref: Ref) -> None:  # noqa: A001 - the verb's name
    """Walk to a door or a box and open it; a locked door needs the key of its color in the hand."""
    thing = walker.thing(ref)
    if thing.kind not in ("door", "box"):
        raise InvalidAction(f"a {thing.kind} cannot be opened")
    if not walker.opens(thing):
        raise InvalidAction(f"[{ref}] is locked: pick up the {thing.color} key first")
    walker.go_before(thing)
    if thing.state == "open":
        walker.do(TOGGLE)  # who is asked to open it is not served by a door that was left open
    walker.do(TOGGLE)


def explore(walker: Walker) -> None:
    """Walk where you have not been, through closed doors if need be, until something new is seen."""
    known, before = {one.ref for one in walker.things()}, walker.left
    while not walker.over and known.issuperset(one.ref for one in walker.things()):
        if _further(walker):
            continue
        if walker.left == before:
            raise InvalidAction(f"nothing more can be reached{_shut(walker)}")
        return


def turn_left(walker: Walker) -> None:
    """Turn to the left."""
    walker.turn(right=False)


def turn_right(walker: Walker) -> None:
    """Turn to the right."""
    walker.turn(right=True)


def forward(walker: Walker) -> None:
    """Take one step ahead."""
    walker.forward()


ACTIONS: tuple[Doing, ...] = (go_to, pick_up, drop, put_next_to, open, explore, turn_left, turn_right, forward)


def _further(walker: Walker) -> bool:
    """See more, behind the nearest door if nothing else is left, and return whether there was more."""
    path = walker.way(lambda cell: bool(walker.unseen(cell)))
    if path is not None:
        walker.walk(path)
        for cell in walker.unseen(walker.cell)[:1]:
            walker.face(cell)
        return True
    doors = {one.cell: one for one in walker.things() if one.state in ("closed", "locked") and walker.opens(one)}
    path = walker.way(lambda cell: any(_next(cell, door) for door in doors))
    if path is None:
        return False
    walker.walk(path)
    if not walker.over:
        walker.go_before(next(door for cell, door in doors.items() if _next(walker.cell, cell)))
        walker.do(TOGGLE)
    return True


def _shut(walker: Walker) -> str:
    told = [walker.standing_before(one) for one in walker.things()]
    locked = [
        f'[{one.ref}] "{one.name}" is locked, and its key is not in your hand'
        for one in walker.things()
        if one.state == "locked" and not walker.opens(one)
    ]
    reasons = [*dict.fromkeys(one for one in told if one), *locked]
    return f": {'; '.join(reasons)}" if reasons else ""


def _put(walker: Walker, places: Callable[[Cell], list[Cell]]) -> bool:
    """Walk to the nearest cell with such places beside it, and put down there what is carried; False: there is none."""
    path = walker.way(lambda cell: bool(places(cell)))
    if path is None:
        return False
    walker.walk(path)
    if not walker.over:
        walker.face(places(walker.cell)[0])
        walker.do(DROP)
    return True


def _carrying(walker: Walker) -> None:
    if not walker.carried:
        raise InvalidAction("you carry nothing: pick something up first")


def _next(cell: Cell, other: Cell) -> bool:
    return abs(cell[0] - other[0]) + abs(cell[1] - other[1]) == 1
