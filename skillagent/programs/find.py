"""Find: the elements that a target means in an observation, by what a person sees, and what stands behind a text.

Names are compared whole and without regard to spaces; case counts only where it tells one from another. Nothing is
guessed from a part of a name unless the target says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from skillagent.programs.template import ARTICLES, fill
from skillagent.schema import Check, Element, Filled, Observation, Target

_WORD = re.compile(r"[\w']+")
_ANYTHING = frozenset(("object", "thing", "item", "element"))
_ORDINAL = re.compile(r"\s*(\d{1,9})(?:st|nd|rd|th)?\s*", re.IGNORECASE)
_AMOUNT = re.compile(r"(?:(?<!\w)-)?\d+(?:,\d{3})*(?:\.\d+)?")
_TYPED = re.compile(r' = "[^"\n]*"')
_SAID = re.compile(r"[ \t]*(?:[|:=][ \t]*)*([^|\n]*[^|\s])")
_WORDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def find(target: Target, observation: Observation, filled: Filled, taken: Collection[str] = ()) -> tuple[Element, ...]:
    """Return the elements that fit, in the order of the observation; with an order, at most that one.

    Behind a text, without an order, only the first.

    Args:
        target: What is looked for.
        observation: Where.
        filled: The slots' values.
        taken: Refs that `next` passes over.

    Raises:
        Unfilled: The target needs a slot that has no value.
    """
    found = fitting(target, observation, filled)
    match target.order:
        case None:
            return tuple(found) if target.after is None else tuple(found[:1])
        case "next":
            return tuple([element for element in found if element.ref not in taken][:1])
        case "last":
            return tuple(found[-1:])
        case "least" | "greatest":
            amounts = [(amount, element) for element in found if (amount := amount_of(element.name)) is not None]
            best = min if target.order == "least" else max
            return (best(amounts, key=lambda pair: pair[0])[1],) if amounts else ()
        case int(order):
            return tuple(found[order - 1 : order])
        case template:
            order = number(fill(template, filled))
            return tuple(found[order - 1 : order]) if order else ()


def fitting(target: Target, observation: Observation, filled: Filled) -> list[Element]:
    """Return all elements that fit, whatever the target's order; raises Unfilled as `find` does."""
    found = [element for element in observation.elements if not target.role or element.role == target.role]
    for field in ("name", "near", "within"):
        template = getattr(target, field)
        if template is not None:
            wanted = fill(template, filled)
            alike = [element for element in found if plain(getattr(element, field)) == plain(wanted)]
            exact = [element for element in alike if getattr(element, field) == wanted]
            inside = field == "within" and not alike and wanted.strip()  # a row is known by what stands in it
            found = exact or alike or [one for one in found if inside and place_of(wanted, one.within)]
    if target.state is not None:
        state = plain(fill(target.state, filled))
        found = [element for element in found if state in map(plain, element.states)]
    if target.has is not None:
        held = fill(target.has, filled)
        by_name = [element for element in found if held.strip() and place_of(held, element.name)]
        found = by_name or [element for element in found if tells_of(held, element)]
    if target.like is not None:
        found = _most_alike(found, words_of(fill(target.like, filled)))
    return found if target.after is None else behind(found, observation, fill(target.after, filled))


def tells_of(text: str, element: Element) -> bool:
    """Tell whether a text has several words, and all of them are seen of an element: `the red door on your left`.

    They are in its role, name or states, or near or around it. A word for anything, say `object`, is seen of each.
    """
    said, told = words_of(text), (element.role, element.name, *element.states, element.near, element.within)
    return len(said) > 1 and said - _ANYTHING <= words_of(" ".join(told)) and bool(said - _ANYTHING)


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text as they are compared, without articles."""
    return frozenset(_WORD.findall(text.casefold())) - ARTICLES


def _most_alike(elements: Sequence[Element], words: Collection[str]) -> list[Element]:
    """Return those elements whose names share most of the words, if any."""
    shared = [len(words_of(element.name) & frozenset(words)) for element in elements]
    most = max(shared, default=0)
    return [element for element, share in zip(elements, shared, strict=True) if share == most > 0]


def holds(check: Check, observation: Observation, filled: Filled, taken: Collection[str] = ()) -> bool:
    """Tell whether a check holds; raises Unfilled where it needs a slot that has no value."""
    if check.given is not None:
        there = bool(filled.get(check.given))
    elif check.element is not None:
        there = bool(find(check.element, observation, filled, taken))
    else:
        there = observation.shows(fill(check.shows or "", filled))
    return there is not check.gone


def behind(elements: Sequence[Element], observation: Observation, text: str) -> list[Element]:
    """Return those elements that the observation lists behind the first place where a text stands, typed text aside."""
    place = _first(text, observation)
    if place is None:
        return []
    return [element for element in elements if observation.text.find(f"[{element.ref}] {element.role}") >= place.end()]


def text_behind(observation: Observation, text: str) -> str | None:
    """Return what the page says behind a text, up to the end of its line or cell; None where it says nothing."""
    place = _first(text, observation)
    found = _SAID.match(observation.text, place.end()) if place else None
    return found[1].strip() if found else None


def _first(text: str, observation: Observation) -> re.Match[str] | None:
    """Return the first place where a text stands on a page, typed text aside."""
    shown = _TYPED.sub(lambda match: " " * len(match[0]), observation.text)
    return place_of(text, shown) if text.strip() else None


def place_of(text: str, whole: str) -> re.Match[str] | None:
    """Return the first place where a text stands as whole words, in any case."""
    return next(places_of(text, whole), None)


def places_of(text: str, whole: str) -> Iterator[re.Match[str]]:
    """Yield the places where a text stands as whole words, in any case."""
    yield from re.finditer(rf"(?<!\w){re.escape(text.strip())}(?!\w)", whole, re.IGNORECASE)


def number(text: str) -> int:
    """Return the place that `2`, `2nd` or `second` means; 0 for anything else."""
    found = _ORDINAL.fullmatch(text)
    word = text.strip().casefold()
    return int(found[1]) if found else _WORDS.index(word) + 1 if word in _WORDS else 0


def amount_of(text: str) -> float | None:
    """Return the first number in a text, with or without commas between thousands; None where there is none."""
    found = _AMOUNT.search(text)
    return float(found[0].replace(",", "")) if found else None


def plain(text: str) -> str:
    """Return a text as names are compared."""
    return " ".join(text.split()).casefold()
