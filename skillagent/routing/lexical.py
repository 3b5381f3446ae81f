"""Lexical: BM25Plus over the full texts of items that come and go. Finds shared words; knows no meaning.

One text is added or taken out at the cost of its own words: frequencies and lengths are kept as counts, and weights are
worked out when something is asked. BM25Plus because it gives no word a negative weight, however few the texts.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]{2,}")
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by for if in into is it no not of on or such that the their then there these they"
        " this to was will with",
    )
)
_K1, _B, _DELTA = 1.5, 0.75, 1.0


class Words:
    """The words of items by number. An item's number is the place of its score; numbers are never used again."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._items: dict[str, array[int]] = {}
        self._counts: dict[str, array[int]] = {}
        self._found: Counter[str] = Counter()  # in how many items a word stands
        self._lengths = array("l")  # 0: taken out
        self._held = 0
        self._total = 0
        for text in texts:
            self.add(text)

    def add(self, text: str) -> int:
        """Take in a text, and return its number."""
        number, counts = len(self._lengths), Counter(words_of(text))
        for word, count in counts.items():
            self._items.setdefault(word, array("l")).append(number)
            self._counts.setdefault(word, array("l")).append(count)
        self._found.update(counts.keys())
        length = max(1, counts.total())
        self._lengths.append(length)
        self._held += 1
        self._total += length
        return number

    def remove(self, number: int, text: str) -> None:
        """Take out the text that was added under a number."""
        self._found.subtract(set(words_of(text)))
        self._total -= self._lengths[number]
        self._held -= 1
        self._lengths[number] = 0

    def shares(self, query: str) -> NDArray[np.float64]:
        """Return the scores as shares of the most that any text could have, so that libraries of all sizes compare."""
        most = sum(times * self._weight(word) for word, times in Counter(words_of(query)).items())
        return self.scores(query) / ((_DELTA + _K1 + 1) * max(most, 1e-9))

    def scores(self, query: str) -> NDArray[np.float64]:
        """Return the score of every number ever given, zero where no word is shared or the item is taken out."""
        lengths = np.array(self._lengths, dtype=np.float64)
        scores = np.zeros(len(lengths))
        if not self._held:
            return scores
        shorter = _K1 * (1 - _B + _B * lengths / (self._total / self._held))
        for word, times in Counter(words_of(query)).items():
            if self._found[word] < 1:
                continue
            items, counts = np.array(self._items[word]), np.array(self._counts[word], dtype=np.float64)
            scores[items] += times * self._weight(word) * (_DELTA + counts * (_K1 + 1) / (counts + shorter[items]))
        scores[lengths == 0] = 0.0
        return scores

    def _weight(self, word: str) -> float:
        """Return what a word counts: more, the fewer texts it stands in; an unknown one as one of a single text."""
        return math.log((self._held + 1) / max(1, self._found[word]))


def words_of(text: str) -> list[str]:
    """Return the words of a text that say something, in lower case."""
    return [word for word in _WORD.findall(text.lower()) if word not in _STOP]


def bm25_scores(query: str, documents: Sequence[str]) -> NDArray[np.float64]:
    """Return the BM25 score of every document, shape (len(documents),); all zero when no word is shared."""
    return Words(documents).scores(query)
