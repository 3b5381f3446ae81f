"""Outcomes: what became of goals under each program, as the ledger tells, and what to expect of it for another goal.

Two programs may know a goal in the same words, and one of them works: no text tells which. Nothing is trained, so a new
world makes nothing of an old one forgotten. What a skill's program did before the skill was changed does not count, and
holdout seeds never do. Where the numbers come from, and what training added to them (nothing): `evals/LOG.md`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from skillagent.goals import shape
from skillagent.ports import VectorCache, Vectors
from skillagent.schema import Attempted, Event, Split

UNKNOWN = 0.5  # what is expected of a program that was never tried on such goals
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
        self._of: dict[str, deque[tuple[str, bool]]] = defaultdict(lambda: deque(maxlen=_LATEST))

    def expected(self, goal: str, programs: Sequence[str]) -> list[float]:
        """Return for each program, by its skill's name, how likely it is to do such a goal by itself, 0 to 1.

        Tries count the more, the more their goals are like this one.
        """
        self._catch_up()
        if not any(name in self._of for name in programs):
            return [UNKNOWN] * len(programs)
        query = self._vectors([goal])[0]
        return [self._share(query, self._of.get(name, ())) for name in programs]

    def _share(self, query: Vectors, tries: Iterable[tuple[str, bool]]) -> float:
        goals, solved = [*zip(*tries, strict=True)] or ((), ())
        if not goals:
            return UNKNOWN
        weights = np.exp((self._vectors(goals) @ query - 1) / _ALIKE)
        return float((weights @ np.array(solved) + _UNKNOWN_COUNTS * UNKNOWN) / (weights.sum() + _UNKNOWN_COUNTS))

    def _vectors(self, goals: Iterable[str]) -> Vectors:
        return self._cache.vectors([shape(goal) for goal in goals])

    def _catch_up(self) -> None:
        for event in islice(self._events(), self._read, None):
            self._read += 1
            for key in event.changed:
                self._of.pop(key, None)
            for name, goal, solved in _told(event):
                self._of[name].append((goal, solved))


def _told(event: Event) -> Iterator[tuple[str, str, bool]]:
    """Yield the programs of which an event tells, and whether they did the goal, or their part, by themselves."""
    match event.entry:
        case Attempted(void=None, score=float() as score, task=task, goal=goal, programs=programs, surprise=surprise):
            if task.split is Split.HOLDOUT or not programs:
                return
            ended = score >= 1 and not surprise
            for name in dict.fromkeys(programs if ended else programs[-1:]):  # those before the last did their parts
                yield name, goal, ended
