"""Patterns: which programs know a goal of this form, without reading every pattern.

A pattern is filed under one of its words that no slot touches: it can only fit a goal in which all of these stand. Of
the words it takes the one with the fewest patterns so far, so that what is asked for stays short as patterns are added.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from skillagent.programs.template import ARTICLES, form_of, without_slots

_WORD = re.compile(r"\w+")
_SLOT = "\u02e3"  # a letter that no word has: what touches a slot is part of a longer word
_NONE = ""


class Patterns:
    """The goal patterns of items by number."""

    def __init__(self) -> None:
        self._filed: dict[str, dict[tuple[int, str], frozenset[str]]] = defaultdict(dict)
        self._under: dict[int, list[tuple[str, str]]] = {}

    def add(self, number: int, patterns: Iterable[str]) -> None:
        """Take in an item's patterns."""
        for pattern in patterns:
            words = fixed_words(pattern)
            key = min(sorted(words), key=lambda word: len(self._filed.get(word, ())), default=_NONE)
            self._filed[key][number, pattern] = words
            self._under.setdefault(number, []).append((key, pattern))

    def remove(self, number: int) -> None:
        """Take out an item's patterns, if it has any."""
        for key, pattern in self._under.pop(number, ()):
            self._filed[key].pop((number, pattern), None)

    def fitting(self, goal: str) -> dict[int, int]:
        """Return the items that know a goal of this very form, and how many letters of it are the form's."""
        said = frozenset(_words(goal))
        found: dict[int, int] = {}
        for key in (*said, _NONE):
            for (number, pattern), words in self._filed.get(key, {}).items():
                if words <= said and (letters := form_of([pattern], goal)):
                    found[number] = max(letters, found.get(number, 0))
        return found


def fixed_words(pattern: str) -> frozenset[str]:
    """Return the words that stand in every goal that fits the pattern."""
    words = _words(without_slots(pattern, _SLOT))
    return frozenset(word for word in words if _SLOT not in word and word not in ARTICLES)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
