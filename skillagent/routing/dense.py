"""Dense: similarity by meaning, to an item's text and to the goals that it has solved.

Goals are compared by their shape: the values of one task say nothing about which skill fits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skillagent.goals import shape
from skillagent.ports import VectorCache, Vectors


def similarities(
    goal: str, documents: Sequence[str], solved: Sequence[Sequence[str]], cache: VectorCache
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how near the goal is to each document, and to the nearest goal that each item solved.

    Args:
        goal: As stated; it is masked here.
        documents: One text an item, n of them.
        solved: The goals that each item solved, n tuples; may be empty.
        cache: Gives unit vectors.

    Returns:
        Two arrays of cosines, each of shape (n,); the second is -1 for an item that has solved nothing.
    """
    if not documents:
        return np.zeros(0), np.zeros(0)
    shapes = sorted({shape(one) for goals in solved for one in goals})
    rows = cache.vectors([shape(goal), *documents, *shapes])
    query, texts = rows[0], rows[1 : 1 + len(documents)]
    by_shape = dict(zip(shapes, rows[1 + len(documents) :], strict=True))
    return np.asarray(texts @ query, dtype=np.float64), np.array([_nearest(query, goals, by_shape) for goals in solved])


def _nearest(query: Vectors, goals: Sequence[str], by_shape: dict[str, Vectors]) -> float:
    return max((float(by_shape[shape(goal)] @ query) for goal in goals), default=-1.0)
