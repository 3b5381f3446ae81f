"""Fuse: the parts of a likeness become one score, and a score the chance that the best item fits at all.

The score is on an absolute scale, so libraries of all sizes compare: sums of z-scores, which it replaced, lean on one
part or another as unrelated items come in. Where the numbers come from, and what was worse: `evals/LOG.md`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_WORDS = 0.3
_WORDS_UNTRIED = 0.6  # of items that have solved nothing: their texts are less like goals, and their words say more
RIVALS = 19
_UNRELATED = 0.1  # the score of an item that has nothing to do with the goal

# `evals.router_gate`: a logistic regression on the score, its lead over the next ones, and neither.
_PROVEN = (8.1, 6.4, -10.6)  # of items that have solved goals
_UNTRIED = (3.5, 9.0, -7.1)


class Likeness(NamedTuple):
    """How like a goal items are: `numbers` of an index, in ascending order, and each part an array over them.

    `words`: BM25Plus over text and solved goals, as a share of the most that any text could have. `whole`: cosine to
    the mean of the text and the mean of the solved goals, a running prototype; where nothing was solved, to the text.
    `proven`: it has solved goals.
    """

    numbers: NDArray[np.intp]
    words: NDArray[np.float64]
    whole: NDArray[np.float64]
    proven: NDArray[np.bool_]


def fuse(like: Likeness) -> NDArray[np.float64]:
    """Return the score of each item, shape (n,): about 0 for what is unrelated, 1.3 or more for what is equal."""
    scores = np.where(like.proven, _WORDS, _WORDS_UNTRIED) * like.words + like.whole
    return np.asarray(scores.round(6), dtype=np.float64)  # further digits depend on where a vector lies in memory


def chance(best: float, rivals: NDArray[np.float64], *, proven: bool) -> float:
    """Return how likely it is that the best item is for the goal, 0 to 1.

    Args:
        best: Its score.
        rivals: The scores of the next ones, of which so many count; unrelated ones stand in for those that lack.
        proven: It has solved goals.
    """
    near = np.sort(rivals)[-RIVALS:]
    lead = best - (float(near.sum()) + _UNRELATED * (RIVALS - len(near))) / RIVALS
    score, ahead, neither = _PROVEN if proven else _UNTRIED
    return 1 / (1 + math.exp(-(score * best + ahead * lead + neither)))


def lacking(now: float, wanted: float, *, proven: bool) -> float:
    """Return how much more score an item needs for a greater chance; a better score is a greater lead as well."""
    score, ahead, _ = _PROVEN if proven else _UNTRIED
    return (_odds(wanted) - _odds(now)) / (score + ahead)


def _odds(chance: float) -> float:
    inside = min(max(chance, 1e-9), 1 - 1e-9)
    return math.log(inside / (1 - inside))
