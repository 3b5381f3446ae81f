"""Steps: the moments of demonstrations that are most like the present one, wherever in the library they are.

A moment is alike by several keys at once: what the goal asks for, what is seen, and what was done just before. Source:
retrieval of in-context examples per step by a weighted similarity (ICAL), diverse ones by clusters (Auto-CoT).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skillagent.goals import shape
from skillagent.library import Library
from skillagent.ports import VectorCache
from skillagent.schema import Demonstration, Moment, Value

_SEEN = 600  # characters of a state that are compared


class Similar(Value):
    """How many like moments are shown, and from which weighted cosine on; `most` 0: none.

    `goal`, `state` and `before` are the weights of the keys. Of one demonstration at most one moment is shown, and all
    of them take at most `characters`.
    """

    most: int = 0
    least: float = 0.70
    goal: float = 0.5
    state: float = 0.3
    before: float = 0.2
    characters: int = 1_600


def similar(
    goal: str, state: str, before: str, library: Library, cache: VectorCache, limits: Similar
) -> tuple[Moment, ...]:
    """Return the moments to show, the most alike first.

    Args:
        goal: As stated.
        state: What is seen now.
        before: The reply that was given just before; empty at the beginning.
        library: Whose demonstrations are looked through.
        cache: Gives unit vectors.
        limits: How many, how alike, how long.
    """
    moments = [(demo, n) for demo in library.demonstrations.values() for n in range(len(demo.steps))]
    if not moments or not limits.most:
        return ()
    goals = _cosines(shape(goal), [shape(demo.goal) for demo, _ in moments], cache)
    states = _cosines(state[:_SEEN], [demo.steps[n].observation[:_SEEN] for demo, n in moments], cache)
    befores = _like_before(before, [demo.steps[n - 1].action if n else "" for demo, n in moments], cache)
    scores = limits.goal * goals + limits.state * states + limits.before * befores
    best: dict[str, Moment] = {}
    for number in np.argsort(-scores, kind="stable"):
        demo, step = moments[number]
        fits = len(demo.steps[step].observation) + len(demo.steps[step].action) <= limits.characters
        if scores[number] >= limits.least and fits:
            one = Moment(of=demo.id, goal=demo.goal, step=demo.steps[step], score=float(scores[number]))
            best.setdefault(demo.id, one)
    found = list(best.values())
    if len(found) > limits.most:
        rows = cache.vectors([f"{shape(one.goal)}\n{one.step.observation[:_SEEN]}" for one in found])
        found = diverse(found, np.asarray(rows, dtype=np.float64), limits.most)
    return _within(found, limits.characters)


def nearest(goal: str, library: Library, cache: VectorCache, *, most: int, least: float) -> tuple[Demonstration, ...]:
    """Return the demonstrations whose goals are most like a goal, at least `least` by cosine; the nearest first."""
    demos = list(library.demonstrations.values())
    if not demos:
        return ()
    scores = _cosines(shape(goal), [shape(demo.goal) for demo in demos], cache)
    return tuple(demos[n] for n in np.argsort(-scores, kind="stable")[:most] if scores[n] >= least)


def diverse(moments: Sequence[Moment], rows: NDArray[np.float64], count: int) -> list[Moment]:
    """Return `count` moments, the most alike first: the best of each cluster, then the best of the rest.

    Args:
        moments: More than `count`, the most alike first.
        rows: Unit vectors of what the moments are told apart by, shape (len(moments), d).
        count: At least 1.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    marks = fcluster(linkage(rows, "average"), count, "maxclust")
    first = {int(mark): number for number, mark in reversed(list(enumerate(marks)))}
    chosen = sorted(first.values())
    chosen += [number for number in range(len(moments)) if number not in chosen]
    return [moments[number] for number in sorted(chosen[:count])]


def _within(moments: Sequence[Moment], characters: int) -> tuple[Moment, ...]:
    kept: list[Moment] = []
    for moment in moments:
        characters -= len(moment.step.observation) + len(moment.step.action)
        if characters < 0:
            break
        kept.append(moment)
    return tuple(kept)


def _cosines(one: str, others: Sequence[str], cache: VectorCache) -> NDArray[np.float64]:
    unique = list(dict.fromkeys(others))
    rows = cache.vectors([one, *unique])
    near = dict(zip(unique, rows[1:] @ rows[0], strict=True))
    return np.array([float(near[other]) for other in others])


def _like_before(before: str, others: Sequence[str], cache: VectorCache) -> NDArray[np.float64]:
    """Return how like the replies just before are; a beginning is like a beginning and like nothing else."""
    if not before:
        return np.array([float(not other) for other in others])
    near = _cosines(before, [other or before for other in others], cache)
    return np.where([bool(other) for other in others], near, 0.0)
