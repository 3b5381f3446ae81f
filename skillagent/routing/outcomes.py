"""Outcomes: what became of goals under each program, as the ledger tells, and what to expect of it for another goal.

Two programs may know a goal in the same words, and one of them works: no text tells which. Nothing is trained, so a new
world makes nothing of an old one forgotten. A program that is changed, by whomever, is another one, and holdout seeds
never count. Where the numbers come from, and what training added to them (nothing): `evals/LOG.md`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skillagent.goals import shape
from skillagent.ports import VectorCache, Vectors
from skillagent.programs.text import FILE
from skillagent.schema import Attempted, Event, Ran, Skill, Split, digest_of

UNKNOWN = 0.5  # what is expected of a program that was never tried
_UNKNOWN_COUNTS = 2.0  # tries
_ALIKE = 0.1  # 1 - cosine at which a try counts 1/e
_LATEST = 200  # tries of a program that are remembered
Instance = tuple[str, int]  # a task's id and its seed


class Known(NamedTuple):
    """What is known of a program before a goal.

    `expected` is the share of its tries that did it, each counting the more, the more its goal is like this one, and
    `share` that of all its tries alike, both with two tries at one half. `alike`: how many tries the first rests on.
    """

    expected: float
    alike: float
    share: float


class Try(NamedTuple):
    """One try of a program, whether it did its part by itself, and the instance at which it was made."""

    goal: str
    solved: bool
    at: Instance


class Outcomes:
    """What became of goals under programs.

    Args:
        cache: Gives unit vectors.
        events: Returns the ledger, oldest first; read again, from where it was left, whenever something is asked.
    """

    def __init__(self, cache: VectorCache, events: Callable[[], Iterable[Event]]) -> None:
        self._cache, self._events, self._read = cache, events, 0
        self._of: dict[str, deque[Try]] = defaultdict(lambda: deque(maxlen=_LATEST))  # by digest

    def expected(self, goal: str, skills: Sequence[Skill]) -> list[float | None]:
        """Return for each skill's program how likely it is to do such a goal by itself, 0 to 1; None: never tried.

        Tries count the more, the more their goals are like this one.
        """
        return [known and known.expected for known in self.known(goal, skills)]

    def known(self, goal: str, skills: Sequence[Skill], without: Instance | None = None) -> list[Known | None]:
        """Return what is known of each skill's program before a goal; None: it was never tried.

        Args:
            goal: What is to be done.
            skills: Those with programs, in the order of what is returned.
            without: An instance whose tries are left out, as if they were still to come.
        """
        self._catch_up()
        told = [self._tries(skill, without) for skill in skills]
        query = self._vectors([goal])[0] if any(told) else None
        return [_known(self._weights(query, tries), tries) if tries and query is not None else None for tries in told]

    def _tries(self, skill: Skill, without: Instance | None) -> list[Try]:
        tries = self._of.get(digest_of(skill.files.get(FILE)), ())
        return [one for one in tries if without is None or one.at != without]

    def _weights(self, query: Vectors, tries: Sequence[Try]) -> NDArray[np.float64]:
        cosines = self._vectors([one.goal for one in tries]) @ query
        return np.asarray(np.exp((cosines - 1) / _ALIKE), dtype=np.float64)

    def _vectors(self, goals: Iterable[str]) -> Vectors:
        return self._cache.vectors([shape(goal) for goal in goals])

    def _catch_up(self) -> None:
        for event in islice(self._events(), self._read, None):
            self._read += 1
            for run, solved, at in told(event):
                self._of[run.program].append(Try(run.goal, solved, at))


def _known(weights: NDArray[np.float64], tries: Sequence[Try]) -> Known:
    solved = np.array([one.solved for one in tries])
    return Known(
        expected=float((weights @ solved + _UNKNOWN_COUNTS * UNKNOWN) / (weights.sum() + _UNKNOWN_COUNTS)),
        alike=float(weights.sum()),
        share=float((solved.sum() + _UNKNOWN_COUNTS * UNKNOWN) / (len(tries) + _UNKNOWN_COUNTS)),
    )


def told(event: Event) -> Iterator[tuple[Ran, bool, Instance]]:
    """Yield the runs of which an event tells, whether each did its part by itself, and where.

    What did not fit did not do it. Holdout seeds tell nothing.
    """
    match event.entry:
        case Attempted(void=None, score=float() as score, task=task, runs=runs, surprise=surprise):
            if task.split is Split.HOLDOUT:
                return
            at, begun = (task.id, task.seed), [run for run in runs if run.fit]
            yield from ((run, False, at) for run in runs if not run.fit)
            for run in begun[:-1]:
                if score >= 1 or run.helped:  # else nobody knows whether its part was done
                    yield run, not run.helped, at
            for run in begun[-1:]:
                yield run, score >= 1 and not run.helped and not surprise, at
