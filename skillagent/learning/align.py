"""Align: from the steps of successes to what they have in common, step by step.

The steps of one success become parts: a run over the values of a list is one part, and a run in search of something
belongs to the part that it ends in. The parts of all successes are then set side by side. Nothing is described yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from skillagent.learning.patterns import free
from skillagent.programs.find import find, plain
from skillagent.schema import Element, Filled, Observation, Step, Target


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


@dataclass(frozen=True)
class Part:
    """One node of a program as one success shows it: one use, or those of a loop. `before` are searches before it.

    `item` is what one value of the list in `slot` is called.
    """

    key: tuple[str, ...]
    uses: tuple[Use, ...]
    slot: str = ""
    item: str = ""
    before: tuple[Use, ...] = ()
    seen: Observation | None = None

    @property
    def labels(self) -> frozenset[str]:
        """What the elements that it acts on are called."""
        return frozenset(plain(one.name or one.near) for use in self.uses for one in use.elements.values())

    @property
    def start(self) -> Observation:
        """The state in which it begins."""
        if self.before:
            return self.before[0].step.observation
        if self.uses:
            return self.uses[0].step.observation
        assert self.seen is not None
        return self.seen


def parts_of(steps: Sequence[Step], filled: Filled) -> list[Part]:
    """Return the steps with runs over a list, and runs in search of something, joined."""
    parts: list[Part] = []
    lists = {name: list(value) for name, value in filled.items() if not isinstance(value, str)}
    name, at = free("item", filled), 0
    while at < len(steps):
        if (run := _each(steps[at:], lists)) is not None:
            slot, items = run
            own = steps[at : at + len(items)]
            uses = tuple(Use(s, {**filled, name: item}) for s, item in zip(own, items, strict=True))
            parts.append(Part(("each", slot, *uses[0].key), uses, slot=slot, item=name))
            del lists[slot]
            at += len(items)
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


def _each(steps: Sequence[Step], lists: Mapping[str, Sequence[str]]) -> tuple[str, list[str]] | None:
    """Return the list whose values the next steps act on one by one, and its values in the order of the steps."""
    for slot, items in lists.items():
        own = steps[: len(items)]
        if not items or len(own) < len(items) or len({Use(step, {}).key for step in own}) > 1:
            continue
        left, order = list(items), []
        for step in own:
            named = {plain(text) for text in used([step])}
            item = next((one for one in left if plain(one) in named), None)
            if item is None:
                break
            left.remove(item)
            order.append(item)
        if not left:
            return slot, order
    return None


def _search(steps: Sequence[Step], filled: Filled) -> int:
    """Return how many of the next steps only look for the element of the one after them, which the goal names."""
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
    return 0


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


def reference_of(rows: Sequence[list[Part]]) -> tuple[list[Part], list[list[Part]]]:
    """Return the success that most others are a part of, the shortest such, and those others, itself among them."""
    best: tuple[list[Part], list[list[Part]]] = ([], [])
    for row in sorted(rows, key=len):
        members = [other for other in rows if _places(other, row) is not None]
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
    """One node: the parts of the successes that have it, and the states in which the others went on without it."""

    parts: Sequence[Part]
    without: Sequence[tuple[Observation, Filled]]


def columns(reference: Sequence[Part], members: Sequence[list[Part]]) -> Iterator[Column]:
    """Yield a column for every part of the reference, with what its members have there."""
    aligned = [(row, _places(row, reference) or []) for row in members]
    for number, wanted in enumerate(reference):
        parts, without = [], []
        for row, places in aligned:
            if number in places:
                parts.append(row[places.index(number)])
            elif not wanted.slot:  # a list without values needs no condition
                later = [part for part, place in zip(row, places, strict=True) if place > number]
                if later:
                    without.append((later[0].start, later[0].uses[0].filled))
        yield Column(parts, without)
