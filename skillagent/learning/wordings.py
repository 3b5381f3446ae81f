"""Wordings: goals that ask the same in other words, and which of their slots hold the same.

Two goals are of one wording if they are alike apart from what pages name and what is quoted or a number in them. Slots
of two wordings are the same where the steps use their values at the same places, or where they hold the same values.
Nothing is said here about what a step means; patterns are made elsewhere (`patterns`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations, product

from skillagent.learning.align import Use
from skillagent.learning.patterns import free
from skillagent.programs.find import amount_of, place_of, plain
from skillagent.programs.template import ARTICLES, matched, slots_of_pattern
from skillagent.schema import Observation, Step

_FEW = 4  # words of a name; what is longer is a sentence
_ALIKE = 0.8  # of the words apart from values: two goals of one wording
_WORD = re.compile(r'"[^"]*"|“[^”]*”|[\w\']+')
_VALUE, _JOINING = "…", frozenset(("and", "or"))
_SLOT = re.compile(r"\{(?P<name>[a-z][a-z0-9_]*)(?P<list>\.\.\.)?\}")


@dataclass(frozen=True)
class Worded:
    """A pattern of one wording, the goals that are known to be of it, and the steps of those that were shown."""

    pattern: str
    goals: Sequence[str]
    shown: Sequence[tuple[str, Sequence[Step]]]


def named_on(pages: Iterable[Observation], *, around: bool = False) -> frozenset[str]:
    """Return the words of which the names on some pages are made, long ones aside.

    Args:
        pages: What was seen.
        around: Of what is near and around the elements, and of their states, too.
    """
    elements = [element for page in pages for element in page.elements]
    names = {element.name for element in elements}
    for one in elements if around else ():
        names |= {*one.states, one.near, *one.within.split(", ")}
    return frozenset(word for name in names if len(words := _words(name)) <= _FEW for word in words)


def wordings(goals: Sequence[str], named: Collection[str]) -> list[list[int]]:
    """Group goals by their wording, by their numbers, in the order of the first of each.

    Args:
        goals: Each in words.
        named: Words that pages name things with.
    """
    groups: list[list[int]] = []
    said = [_without_values(goal, named) for goal in goals]
    for number, words in enumerate(said):
        near = ((_ratio(said[group[0]], words), group) for group in groups)
        share, best = max(near, key=lambda pair: pair[0], default=(0.0, []))
        if share >= _ALIKE:
            best.append(number)
        else:
            groups.append([number])
    return groups


def by_way(
    group: Sequence[int], goals: Sequence[str], ways: Sequence[Hashable], named: Collection[str]
) -> list[list[int]]:
    """Divide goals of one wording by what was done for them, where their words tell it: `behind it`, `in front of it`.

    Args:
        group: The goals by their numbers; those without a way of their own go where the words are most alike.
        goals: All goals.
        ways: What was done for the first of them.
        named: Words that pages name things with.
    """
    said = {n: tuple(_without_values(goals[n], named)) for n in group}
    found = dict[Hashable, list[int]]()
    for n in group:
        if n < len(ways):
            found.setdefault(ways[n], []).append(n)
    worded = [{said[n] for n in part} for part in found.values()]
    if len(found) < 2 or any(one & two for one, two in combinations(worded, 2)):
        return [list(group)]
    parts = [*found.values()]
    for n in group:
        if n >= len(ways):
            alike = [max(_ratio(said[n], words) for words in of) for of in worded]
            parts[alike.index(max(alike))].append(n)
    return parts


def _ratio(one: Sequence[str], two: Sequence[str]) -> float:
    return SequenceMatcher(None, one, two, autojunk=False).ratio()


def in_one_language(worded: Sequence[Worded]) -> list[str]:
    """Return the patterns with the slots of the later ones called as in the first where they hold the same."""
    first, known = worded[0], dict(_slots(worded[0]))
    renamed = [first.pattern]
    for other in worded[1:]:
        own = _slots(other)
        pairs = ((_likeness(own[theirs], known[ours]), theirs, ours) for theirs, ours in product(own, known))
        names = dict[str, str]()
        for likeness, theirs, ours in sorted(pairs, key=lambda pair: -pair[0]):
            if likeness > 0 and theirs not in names and ours not in names.values():
                names[theirs] = ours
        for name in own:
            if name not in names:
                names[name] = free(name, {*known, *own, *names.values()})
        known |= {names[name]: slot for name, slot in own.items() if names[name] not in known}
        renamed.append(_SLOT.sub(lambda found: f"{{{names[found['name']]}{found['list'] or ''}}}", other.pattern))  # noqa: B023
    return renamed


@dataclass(frozen=True)
class _Slot:
    """What is known of a slot: whether it is a list, the values that it held, and the places where steps used them."""

    many: bool
    held: frozenset[str]
    places: frozenset[tuple[str, ...]]


def _slots(worded: Worded) -> dict[str, _Slot]:
    lists = slots_of_pattern(worded.pattern)
    filled = [matched(worded.pattern, goal) or {} for goal in worded.goals]
    shown = [(matched(worded.pattern, goal) or {}, steps) for goal, steps in worded.shown]
    return {
        name: _Slot(
            many=many,
            held=frozenset(plain(value) for own in filled if name in own for value in _each(own[name])),
            places=frozenset(
                place
                for own, steps in shown
                if name in own
                for value in _each(own[name])
                for place in _uses(value, steps)
            ),
        )
        for name, many in lists.items()
    }


def _each(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _uses(value: str, steps: Sequence[Step]) -> Iterable[tuple[str, ...]]:
    """Yield where the steps use a value: by verb, parameter and field, and also by the how manieth of that verb."""
    seen: Mapping[str, int] = {}
    for step in steps:
        verb, use = step.action.verb, Use(step, {})
        seen = {**seen, verb: seen.get(verb, 0) + 1}
        texts = {(name, field): getattr(element, field) for name, element in use.elements.items()
                 for field in ("name", "near", "within")}  # fmt: skip
        texts |= {
            (name, "said"): str(said) for name, said in use.arguments.items() if isinstance(said, str | int | float)
        }
        for (name, field), text in texts.items():
            same_number = field == "said" and amount_of(value) is not None and amount_of(value) == amount_of(text)
            if same_number or (value.strip() and place_of(value, text)):
                yield verb, name, field
                yield verb, name, field, str(seen[verb])


def _likeness(one: _Slot, other: _Slot) -> float:
    """Tell how likely two slots hold the same; 0 where nothing says so."""
    if one.many != other.many:
        return 0.0
    return 2 * _overlap(one.places, other.places) + _overlap(one.held, other.held) / 2


def _overlap(one: Collection[object], other: Collection[object]) -> float:
    return len({*one} & {*other}) / len({*one} | {*other}) if one or other else 0.0


def _without_values(goal: str, named: Collection[str]) -> list[str]:
    """Return the words of a goal, with one mark for each run of values."""
    said = list[str]()
    for word in (found[0].casefold() for found in _WORD.finditer(goal)):
        value = word in named or word[0] in '"“' or any(sign.isdigit() for sign in word)
        if value and said[-1:] == [_VALUE]:
            continue
        if value and len(said) > 1 and said[-1] in _JOINING and said[-2] == _VALUE:
            said.pop()
        else:
            said.append(_VALUE if value else "the" if word in ARTICLES else word)
    return said


def _words(text: str) -> list[str]:
    return [found[0] for found in _WORD.finditer(text.casefold())]
