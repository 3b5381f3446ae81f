"""Dense: similarity by meaning, to an item's text and to the goals that it has solved.

Goals are compared by their shape: quoted strings, names and numbers are values of one task and say nothing about which
skill fits, so they are masked on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skillagent.ports import VectorCache, Vectors

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)")
_NAMED = re.compile(  # words with a capital or a digit, unless they begin a sentence; @users, #tags and $prices
    r"(?<![.!?]\s)(?<!^)[@#$]?\b\w*[A-Z0-9]\w*(?:[-'.:/>]\w+)*|[@#$]\w+|\b\w*\d\w*(?:[.:/]\d+)*"
)
_RUN = re.compile(r"…(?:[\s,/>&]*(?:and |or )?…)+")


def shape(goal: str) -> str:
    """Return the goal with its values replaced by `…`: what is quoted, named or a number; a run of them becomes one."""
    return _RUN.sub("…", _NAMED.sub("…", _QUOTED.sub("…", goal)))


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
