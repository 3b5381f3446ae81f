"""Explain: in which general ways an action of a success can be described, each with what it costs to say it.

An explanation is kept only if it leads back to the very element, or the very text, in the state in which it was used.
What is cheaper says less: a value of the goal before a fixed name, a name before a place.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import TypeVar

from skillagent.programs.find import find, fitting, number, place_of, plain, tells_of, text_behind, words_of
from skillagent.programs.template import HOWS, literal
from skillagent.schema import Element, Filled, Observation, Target

SLOT, CONSTANT = 1.0, 1.5
_HAS, _NEAR, _WITHIN, _AFTER, _ORDER, _BARE = 0.7, 0.4, 1.2, 2.2, 3.0, 2.5
_Fields = tuple[tuple[str, str], ...]  # of a target
_K = TypeVar("_K", str, Target)

_WORD = 0.15  # a fixed word around a slot
_STATE, _LIKE = 1.4, 1.0
_PLACED = 0.5  # without a name, but with a label
_CHOICES = 16
_FEW = 4  # words of a name, each of which may be what matters
LONGEST = 120  # characters of a fixed text: more is a page's, not a control's


def texts(value: str, filled: Filled, *, exact: bool = True) -> dict[str, float]:
    """Return templates that give this text, with their costs.

    Args:
        value: What was typed, or what an element is called.
        filled: The slots of the goal.
        exact: Case counts, as it does in what is typed; an element is found in any case.
    """
    found: dict[str, float] = {literal(value): CONSTANT}
    for name, known in filled.items():
        if not isinstance(known, str) or not known.strip():
            continue
        if known == value or (not exact and plain(known) == plain(value)):
            found[f"{{{name}}}"] = SLOT
            continue
        for how, change in HOWS.items():
            if change(known) == value:
                found[f"{{{name}|{how}}}"] = SLOT + 0.5
    for mixed in _mixed(value, filled):
        words = re.findall(r"\w+", re.sub(r"\{.*?\}", "", mixed))
        found.setdefault(mixed, SLOT + 0.4 + _WORD * len(words))
    return found


def _mixed(value: str, filled: Filled) -> Iterator[str]:
    """Yield the text with every value of the goal in it written as its slot, longer ones first.

    Where several slots hold the same value, each may be meant: the ways to choose come in turn, up to a limit.
    """
    known: dict[str, list[str]] = {}
    for name, text in filled.items():
        if isinstance(text, str) and text.strip():
            known.setdefault(text, []).append(name)
    marks: list[tuple[int, int, list[str]]] = []
    for text in sorted(known, key=lambda text: -len(text)):
        for match in re.finditer(rf"(?<!\w){re.escape(text)}(?!\w)", value):
            if not _inside_a_number(match, value) and not any(
                match.start() < end and start < match.end() for start, end, _ in marks
            ):
                marks.append((*match.span(), known[text]))
    marks.sort(key=lambda mark: mark[0])
    for chosen in islice(product(*(names for *_, names in marks)), _CHOICES) if marks else ():
        parts, at = [], 0
        for (start, end, _), name in zip(marks, chosen, strict=True):
            parts += [literal(value[at:start]), f"{{{name}}}"]
            at = end
        yield "".join([*parts, literal(value[at:])])


def _inside_a_number(match: re.Match[str], value: str) -> bool:
    """Tell whether a match is only a part of a number such as 0.5; a part of 31.08.2019 is a value of its own."""
    around = next((one for one in re.finditer(r"[\d.]*\d", value) if one.start() <= match.start() < one.end()), None)
    return around is not None and around.span() != match.span() and around[0].count(".") == 1


def readings(value: str, seen: Observation, filled: Filled) -> dict[str, float]:
    """Return templates of texts behind which the page says just this value, with their costs."""
    known = {f"{{{name}}}": text for name, text in filled.items() if isinstance(text, str)}
    return {
        template: SLOT + 0.4 for template, text in known.items() if text != value and text_behind(seen, text) == value
    }


def targets(
    element: Element, seen: Observation, filled: Filled, *, taken: Collection[str] = (), following: bool = False
) -> dict[Target, float]:
    """Return targets that lead to this element alone, with their costs.

    Args:
        element: What was acted on.
        seen: The state in which it was.
        filled: The slots of the goal.
        taken: Refs that were used before in this repetition.
        following: It is one of a repetition: `next` may describe it.
    """
    return {
        target: cost
        for target, cost in _thinkable(element, seen, filled, following=following)
        if [one.ref for one in find(target, seen, filled, taken)] == [element.ref]
    }


def _thinkable(
    element: Element, seen: Observation, filled: Filled, *, following: bool
) -> Iterator[tuple[Target, float]]:
    named = dict(_named(element, filled))
    around = dict(_around(element, filled))
    for (name, cost), (where, more) in product(named.items(), around.items()):
        if not name and where and where[0][0] not in ("after", "state"):
            cost = _PLACED
        base = Target.model_validate({"role": element.role, **dict(name), **dict(where)})
        yield base, cost + more
        for order, extra in _orders(base, element, seen, filled, following=following):
            yield base.model_copy(update={"order": order}), cost + more + extra


def _named(element: Element, filled: Filled) -> Iterator[tuple[_Fields, float]]:
    if element.name and len(element.name) <= LONGEST:
        for template, cost in texts(element.name, filled, exact=False).items():
            yield (("name", template),), cost
    for name, value in filled.items():
        if isinstance(value, str) and value.strip() and (place_of(value, element.name) or tells_of(value, element)):
            yield (("has", f"{{{name}}}"),), SLOT + _HAS
        elif isinstance(value, str) and words_of(value) & words_of(element.name):
            yield (("like", f"{{{name}}}"),), SLOT + _LIKE
    words = re.findall(r"\w+", element.name)
    for word in dict.fromkeys(words) if 1 < len(words) <= _FEW else ():  # what a red key and a blue key share
        if word.isalpha() and len(word) > 1:
            yield (("has", word),), _BARE + 0.1
    yield (), _BARE


def _around(element: Element, filled: Filled) -> Iterator[tuple[_Fields, float]]:
    yield (), 0.0
    for field, cost in (("near", _NEAR), ("within", _WITHIN)):
        text = getattr(element, field)
        if text and len(text) <= LONGEST:
            for template, more in texts(text, filled, exact=False).items():
                yield ((field, template),), cost + more
    for state in element.states:
        for template, more in texts(state, filled, exact=False).items():
            yield (("state", template),), _STATE + more
    for name, value in filled.items():
        if isinstance(value, str) and value.strip() and place_of(value, element.within):
            yield (("within", f"{{{name}}}"),), _WITHIN + SLOT + _HAS
        if isinstance(value, str):
            yield (("after", f"{{{name}}}"),), _AFTER


def _orders(
    base: Target, element: Element, seen: Observation, filled: Filled, *, following: bool
) -> Iterator[tuple[int | str, float]]:
    """Yield what tells the element from the others that fit, where there are others, or might be."""
    if following:
        yield "next", 0.5
    fits = [one.ref for one in fitting(base, seen, filled)]
    if element.ref not in fits:
        return
    place = fits.index(element.ref) + 1
    for name, value in filled.items():
        if isinstance(value, str) and number(value) == place:
            yield f"{{{name}}}", _ORDER - 1.5
    yield place, _ORDER + (0.0 if place == 1 else 0.3)
    if place == len(fits) > 1:
        yield "last", _ORDER + 0.1
    if len(fits) > 1 and not base.name:
        yield "least", _ORDER + 0.05
        yield "greatest", _ORDER + 0.05


def shared(choices: Sequence[Mapping[_K, float]]) -> dict[_K, float]:
    """Return what explains all of them, with the highest cost that one of them asks for."""
    common = set(choices[0]).intersection(*choices[1:])
    return {what: max(choice[what] for choice in choices) for what in common}


def cheapest(costs: Mapping[_K, float]) -> tuple[_K, float] | None:
    """Return what costs least, and its cost; of equals the one that is written shortest."""
    if not costs:
        return None
    best = min(costs, key=lambda what: (costs[what], len(repr(what)), repr(what)))
    return best, costs[best]
