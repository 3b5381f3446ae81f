"""Align: from the steps of successes to what they have in common, step by step.

The steps of one success become parts: a run over the values of a list is one part, and a run in search of something
belongs to the part that it ends in. The parts of all successes are then set side by side. Nothing is described yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic import JsonValue

from skillagent.learning.patterns import free
from skillagent.programs.find import find, place_of, plain
from skillagent.schema import Element, Filled, Observation, Step, Target

_LONGEST_BODY = 4  # steps
Body = tuple[
    tuple[tuple[str, ...], frozenset[str]], ...
]  # of each step for a value: its key, its labels if not its own


def used(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the texts that the steps acted with, or on."""
    for step in steps:
        for value in step.action.arguments.values():
            element = step.observation.element(value)
            yield from (element.name, element.near) if element else (value,) if isinstance(value, str) else ()


@dataclass(frozen=True)
class Use:
    """One action in the state in which it was done, with what the slots held."""

    step: Step
    filled: Filled
    taken: tuple[str, ...] = ()

    @property
    def elements(self) -> dict[str, Element]:
        """The elements that it names, by parameter."""
        named = {key: self.step.observation.element(value) for key, value in self.step.action.arguments.items()}
        return {key: element for key, element in named.items() if element is not None and key.endswith("ref")}

    @property
    def arguments(self) -> dict[str, JsonValue]:
        """Whatever else it was done with."""
        return {key: value for key, value in self.step.action.arguments.items() if key not in self.elements}

    @property
    def key(self) -> tuple[str, ...]:
        """What two actions must share to be one step of a program."""
        return (self.step.action.verb, *sorted(self.arguments), *sorted(one.role for one in self.elements.values()))

    @property
    def labels(self) -> frozenset[str]:
        """What the elements that it acts on are called."""
        return frozenset(plain(one.name or one.near) for one in self.elements.values())


@dataclass(frozen=True)
class Part:
    """One node of a program as one success shows it: one use, or those of a loop. `before` are searches before it.

    `item` is what one value of the list in `slot` is called, and `body` what each takes, perhaps several nodes; without
    a list it is the name of each element of the role `of`. `after` is the state behind a run of one action of which
    other successes need more, or fewer.
    """

    key: tuple[str, ...]
    uses: tuple[Use, ...]
    slot: str = ""
    of: str = ""
    item: str = ""
    body: Body = ()
    before: tuple[Use, ...] = ()
    after: Observation | None = None

    @property
    def labels(self) -> frozenset[str]:
        """What the elements that it acts on are called."""
        return frozenset[str]().union(*(use.labels for use in self.uses))

    @property
    def start(self) -> Observation:
        """The state in which it begins."""
        return (*self.before, *self.uses)[0].step.observation


def parts_of(
    steps: Sequence[Step], filled: Filled, bodies: Mapping[str, Body] | None = None, *, every: bool = False
) -> list[Part]:
    """Return the steps with runs over a list, and runs in search of something, joined.

    Args:
        steps: Of one success.
        filled: The slots of its goal.
        bodies: What a value of a list takes, by slot, as other successes show it: a list of one value cannot tell.
        every: Join a run that does the same with all elements of a role, too.
    """
    parts: list[Part] = []
    lists = {name: list(value) for name, value in filled.items() if not isinstance(value, str)}
    name, at = free("item", filled), 0
    while at < len(steps):
        if (run := _each(steps[at:], lists, bodies or {})) is not None:
            slot, items, body = run
            own = steps[at : at + len(items) * len(body)]
            uses = tuple(Use(step, {**filled, name: items[n // len(body)]}) for n, step in enumerate(own))
            key = ("each", slot, *(word for one in body for word in one[0]))
            parts.append(Part(key, uses, slot=slot, item=name, body=body))
            del lists[slot]
            at += len(own)
            continue
        if every and (found := _every(steps[at:])) is not None:
            role, size, length = found
            names = [element.name for one in steps[at : at + length : size] if (element := one.target)]
            uses = tuple(Use(one, {**filled, name: names[n // size]}) for n, one in enumerate(steps[at : at + length]))
            body = tuple((use.key, frozenset[str]()) for use in uses[:size])
            key = ("every", role, *(word for one in body for word in one[0]))
            parts.append(Part(key, uses, of=role, item=name, body=body))
            at += length
            continue
        length = _search(steps[at:], filled)
        before, taken = [], list[str]()
        for step in steps[at : at + length]:
            use = Use(step, filled, tuple(taken))
            before.append(use)
            taken += [element.ref for element in use.elements.values()]
        use = Use(steps[at + length], filled)
        parts.append(Part(use.key, (use,), before=tuple(before)))
        at += length + 1
    return parts


def _each(
    steps: Sequence[Step], lists: Mapping[str, Sequence[str]], bodies: Mapping[str, Body]
) -> tuple[str, list[str], Body] | None:
    """Return the list whose values the next steps take one by one, its values in their order, and what each takes."""
    for size in range(1, _LONGEST_BODY + 1):
        for slot, items in lists.items():
            known = bodies.get(slot) if len(items) == 1 else None
            if len(items) == 1 and size != (len(known) if known else 1):
                continue
            run = _in_turn(steps, items, size)
            if run is not None and (known is None or known == run[1]):
                return slot, *run
    return None


def _every(steps: Sequence[Step]) -> tuple[str, int, int] | None:
    """Return the role of which the next steps take all elements, as they are now, the steps for each, and for all."""
    if (first := steps[0].target) is None:
        return None
    there = sorted(one.name for one in steps[0].observation.elements if one.role == first.role)
    for size in range(1, _LONGEST_BODY + 1):
        own = steps[: len(there) * size]
        if len(there) < 2 or len(own) < len(there) * size or len(set(there)) < len(there):
            return None
        taken = [one.target for one in own[::size]]
        keys = {tuple(Use(one, {}).key for one in own[at : at + size]) for at in range(0, len(own), size)}
        if len(keys) == 1 and sorted(one.name for one in taken if one and one.role == first.role) == there:
            return first.role, size, len(own)
    return None


def _in_turn(steps: Sequence[Step], items: Sequence[str], size: int) -> tuple[list[str], Body] | None:
    """Return the values in the order in which the next steps name them, each in so many steps that are alike."""
    if not items or len(steps) < len(items) * size:
        return None
    left, order, bodies = list(items), list[str](), set[Body]()
    for at in range(0, len(items) * size, size):
        own = steps[at : at + size]
        named = {plain(text) for text in used(own)}
        item = next((one for one in left if plain(one) in named), None)
        if item is None:
            return None
        left.remove(item)
        order.append(item)
        bodies.add(_body(own, item))
    return (order, bodies.pop()) if len(bodies) == 1 else None


def _body(steps: Sequence[Step], item: str) -> Body:
    """Return what the steps for one value have in common with those for another."""
    return tuple(
        (use.key, frozenset() if any(place_of(plain(item), plain(text)) for text in used([use.step])) else use.labels)
        for use in (Use(step, {}) for step in steps)
    )


def _search(steps: Sequence[Step], filled: Filled) -> int:
    """Return how many of the next steps only look for the element of the one after them.

    The goal names it; or they act on no element, and it was not there before.
    """
    length = 0
    while length + 1 < len(steps) and Use(steps[length], filled).key == Use(steps[0], filled).key:
        if by_goal(steps[length], filled) is not None:
            return 0
        length += 1
        wanted = by_goal(steps[length], filled)
        if wanted is not None:
            there = [bool(find(wanted, step.observation, filled)) for step in steps[:length]]
            return 0 if any(there) else length
        if appears(steps[:length], steps[length].observation, filled) is not None:
            return length
        if not any(Use(step, filled).elements for step in steps[:length]) and _is_new(steps[length], steps[:length]):
            return length
    return 0


def _is_new(step: Step, before: Sequence[Step]) -> bool:
    """Tell whether a step acts on an element the like of which was not there before any of the others."""
    wanted = step.target
    if wanted is None:
        return False
    seen = (element for one in before for element in one.observation.elements)
    return not any(one.role == wanted.role and plain(one.name) == plain(wanted.name) for one in seen)


def joined(rows: Sequence[list[Part]], finals: Sequence[Observation | None]) -> list[list[Part]]:
    """Return the rows with each run of one action that all of them have, but not of one length, as one part.

    Args:
        rows: Of all successes.
        finals: The state in which each ended.
    """
    runs = [[[*run] for _, run in groupby(row, key=_kind)] for row in rows]
    once = [
        kind for kind in map(_kind, rows[0]) if all([_kind(run[0]) for run in own].count(kind) == 1 for own in runs)
    ]
    varying = {kind for kind in once if len({[*map(_kind, row)].count(kind) for row in rows}) > 1}
    made = []
    for own, final in zip(runs, finals, strict=True):
        row = list[Part]()
        for run, end in zip(own, [*(run[0].start for run in own[1:]), final], strict=True):
            uses = tuple(use for part in run for use in part.uses)
            whole = Part(("repeat", *run[0].key), uses, after=end or uses[-1].step.observation)
            row += [whole] if _kind(run[0]) in varying else run
        made.append(row)
    return made


def _kind(part: Part) -> tuple[tuple[str, ...], frozenset[str], int]:
    return part.key, part.labels, len(part.before)


def appears(steps: Sequence[Step], after: Observation, filled: Filled) -> str | None:
    """Return the slot whose text is shown after the steps, and was not before any of them."""
    for name, value in filled.items():
        if isinstance(value, str) and after.shows(value) and not any(step.observation.shows(value) for step in steps):
            return name
    return None


def by_goal(step: Step, filled: Filled) -> Target | None:
    """Return the target that the goal names outright."""
    element = step.target
    for name, value in filled.items():
        if element is not None and isinstance(value, str) and element.name and plain(element.name) == plain(value):
            return Target(role=element.role, name=f"{{{name}}}")
    return None


def reference_of(rows: Sequence[list[Part]]) -> tuple[list[Part], list[int]]:
    """Return the success that most others are a part of, the shortest such, and the numbers of those, its own too."""
    best: tuple[list[Part], list[int]] = ([], [])
    for row in sorted(rows, key=len):
        members = [number for number, other in enumerate(rows) if _places(other, row) is not None]
        if len(members) > len(best[1]):
            best = (row, members)
    return best


def _places(row: Sequence[Part], reference: Sequence[Part]) -> list[int] | None:
    """Return where each part stands in the reference, by what is done and, where there is a choice, on what.

    None unless all of them stand there in this order.
    """
    found: dict[tuple[int, int], tuple[int, list[int]] | None] = {}

    def placed(at: int, start: int) -> tuple[int, list[int]] | None:
        if at == len(row):
            return 0, []
        if (at, start) not in found:
            tries = []
            for place in range(start, len(reference)):
                if reference[place].key == row[at].key and (rest := placed(at + 1, place + 1)) is not None:
                    alike = bool(reference[place].labels & row[at].labels)
                    tries.append((alike + rest[0], [place, *rest[1]]))
            found[at, start] = max(tries, key=lambda one: one[0]) if tries else None
        return found[at, start]

    whole = placed(0, 0)
    return whole[1] if whole else None


@dataclass(frozen=True)
class Column:
    """One node: the parts of the successes that have it, and the states in which the others went on without it.

    `having` numbers the successes that have it.
    """

    parts: Sequence[Part]
    having: frozenset[int]
    without: Sequence[tuple[Observation, Filled]]


def columns(reference: Sequence[Part], members: Sequence[list[Part]]) -> Iterator[Column]:
    """Yield a column for every part of the reference, with what its members have there."""
    aligned = [(row, _places(row, reference) or []) for row in members]
    for number, wanted in enumerate(reference):
        parts, having, without = [], set[int](), []
        for member, (row, places) in enumerate(aligned):
            if number in places:
                parts.append(row[places.index(number)])
                having.add(member)
            elif not wanted.slot and not wanted.of:  # a list without values needs no condition
                later = [part for part, place in zip(row, places, strict=True) if place > number]
                if later:
                    without.append((later[0].start, later[0].uses[0].filled))
        yield Column(parts, frozenset(having), without)
