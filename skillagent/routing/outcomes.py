"""Outcomes: what became of goals under each program, as the ledger tells, and what to expect of it for another goal.

Two programs may know a goal in the same words, and one of them works: no text tells which. Nothing is trained, so a new
world makes nothing of an old one forgotten. A program that is changed, by whomever, is another one, and holdout seeds
never count. Where the numbers come from, and what training added to them (nothing): `evals/LOG.md`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from skillagent.goals import shape
from skillagent.ports import VectorCache, Vectors
from skillagent.programs.text import FILE
from skillagent.schema import Attempted, Event, Ran, Skill, Split, digest_of

UNKNOWN = 0.5  # what is expected of a program that was never tried
_UNKNOWN_COUNTS = 2.0  # tries
_ALIKE = 0.1  # 1 - cosine at which a try counts 1/e
_LATEST = 200  # tries of a program that are remembered


class Outcomes:
    """What became of goals under programs.

    Args:
        cache: Gives unit vectors.
        events: Returns the ledger, oldest first; read again, from where it was left, whenever something is asked.
    """

    def __init__(self, cache: VectorCache, events: Callable[[], Iterable[Event]]) -> None:
        self._cache, self._events, self._read = cache, events, 0
        self._of: dict[str, deque[tuple[str, bool]]] = defaultdict(lambda: deque(maxlen=_LATEST))  # by digest

    def expected(self, goal: str, skills: Sequence[Skill]) -> list[float | None]:
        """Return for each skill's program how likely it is to do such a goal by itself, 0 to 1; None: never tried.

        Tries count the more, the more their goals are like this one.
        """
        self._catch_up()
        told = [self._of.get(digest_of(skill.files.get(FILE))) for skill in skills]
        query = self._vectors([goal])[0] if any(told) else None
        return [self._share(query, tries) if tries and query is not None else None for tries in told]

    def _share(self, query: Vectors, tries: Iterable[tuple[str, bool]]) -> float:
        goals, solved = zip(*tries, strict=True)
        weights = np.exp((self._vectors(goals) @ query - 1) / _ALIKE)
        return float((weights @ np.array(solved) + _UNKNOWN_COUNTS * UNKNOWN) / (weights.sum() + _UNKNOWN_COUNTS))

    def _vectors(self, goals: Iterable[str]) -> Vectors:
        return self._cache.vectors([shape(goal) for goal in goals])

    def _catch_up(self) -> None:
        for event in islice(self._events(), self._read, None):
            self._read += 1
            for run, solved in _told(event):
                self._of[run.program].append((run.goal, solved))


def _told(event: Event) -> Iterator[tuple[Ran, bool]]:
    """Yield the runs of which an event tells, and whether each did its part by itself; what did not fit did not."""
    match event.entry:
        case Attempted(void=None, score=float() as score, task=task, runs=runs, surprise=surprise):
            if task.split is Split.HOLDOUT:
                return
            yield from ((run, False) for run in runs if not run.fit)
            begun = [run for run in runs if run.fit]
            for run in begun[:-1]:
                if score >= 1 or run.helped:  # else nobody knows whether its part was done
                    yield run, not run.helped
            for run in begun[-1:]:
                yield run, score >= 1 and not run.helped and not surprise
