"""Fuse: the parts of a likeness become one score, and a score the chance that the best item fits at all.

The score is on an absolute scale, so libraries of all sizes compare: sums of z-scores, which it replaced, lean on one
part or another as unrelated items come in. Where the numbers come from, and what was worse: `evals/LOG.md`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skillagent.routing.catalogue import Likeness

_WORDS = 0.3
RIVALS = 19
_UNRELATED = 0.1  # the score of an item that has nothing to do with the goal

# Logistic regression on gate goals, libraries of 1 to 1,164 skills: for the score, its lead over rivals, and neither.
_PROVEN = (7.1, 7.2, -9.7)  # of items that have solved goals
_UNTRIED = (5.2, 10.7, -7.7)


def fuse(like: Likeness) -> NDArray[np.float64]:
    """Return the score of each item, shape (n,): about 0 for what is unrelated, 1.3 for what is equal."""
    scores = _WORDS * like.words + like.whole
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
