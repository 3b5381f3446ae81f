"""Utility: what showing an item has been worth, as the posterior lift of success with it over success without it.

Attempts are compared task by task, so that an item that is shown on hard tasks is not blamed for them. A task counts as
much as the item was shown on it, and not at all where it was never tried without the item. Old attempts fade.
Everything is read off the ledger; nothing is ever counted anywhere else. The posteriors are Beta(1, 1) updated by
successes and failures, and the interval takes their difference as normal.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from skillagent.schema import Attempted, Decided, Event, PutInsight, Split, Value

HALF_LIFE = 200  # scored attempts after which one counts half
_NORMAL_95 = 1.96


class Utility(Value):
    """How much likelier success is with an item than without it, and between which bounds (95 %).

    `shown` and `hidden` are how many scored attempts at the same tasks were made with and without it, older ones
    counting less.
    """

    lift: float
    low: float
    high: float
    shown: float
    hidden: float

    @property
    def hurts(self) -> bool:
        """True when success is less likely with it, beyond chance."""
        return self.high < 0


@dataclass
class _Side:
    won: float = 0.0
    lost: float = 0.0

    def add(self, success: bool, weight: float) -> None:
        self.won, self.lost = self.won + weight * success, self.lost + weight * (not success)

    @property
    def count(self) -> float:
        return self.won + self.lost

    @property
    def mean(self) -> float:
        return (1 + self.won) / (2 + self.count)

    @property
    def variance(self) -> float:
        a, b = 1 + self.won, 1 + self.lost
        return a * b / ((a + b) ** 2 * (a + b + 1))


def utilities(events: Iterable[Event], *, half_life: float = HALF_LIFE) -> dict[str, Utility]:
    """Return the utility of every item that was shown in a scored attempt, by its id.

    Holdout seeds do not count: what is learnt, and what is taken out, must not depend on them.
    """
    tries = [one for event in events for one in _tries(event)]
    sides: dict[str, dict[str, tuple[_Side, _Side]]] = defaultdict(lambda: defaultdict(lambda: (_Side(), _Side())))
    for item in {item for one in tries for item in one.items}:
        tasks = {one.task for one in tries if item in one.items}
        for age, one in enumerate(reversed(tries)):
            if one.task in tasks and (one.about is None or one.about == item):
                with_it, without = sides[item][one.task]
                (with_it if item in one.items else without).add(one.success, 0.5 ** (age / half_life))
    return {item: _lift(list(tasks.values())) for item, tasks in sides.items()}


def hurting(events: Iterable[Event]) -> list[str]:
    """Return the items with which success is less likely, beyond chance."""
    return [item for item, worth in utilities(events).items() if worth.hurts]


@dataclass(frozen=True)
class _Try:
    """One scored try at a task and what was shown in it; a replay for the gate is `about` the item under trial."""

    task: str
    items: frozenset[str]
    success: bool
    about: str | None = None


def _tries(event: Event) -> Iterator[_Try]:
    match event.entry:
        case Attempted(void=None, score=float() as score, task=task, shown=shown) if task.split is not Split.HOLDOUT:
            yield _Try(task.id, frozenset(shown), score >= 1.0)
        case Decided(decision=decision):
            tried = decision.edit.proper
            put = [change.key for change in tried if isinstance(change, PutInsight)]
            for pair in (*decision.pairs, *decision.rehearsed) if len(tried) == len(put) == 1 else ():
                if pair.before is not None and pair.after is not None:
                    yield _Try(pair.task.id, frozenset(), pair.before.success, put[0])
                    yield _Try(pair.task.id, frozenset(put), pair.after.success, put[0])


def _lift(tasks: list[tuple[_Side, _Side]]) -> Utility:
    shown, hidden = sum(one.count for one, _ in tasks), sum(other.count for _, other in tasks)
    tasks = [(one, other) for one, other in tasks if one.count and other.count]
    if not tasks:
        return Utility(lift=0.0, low=-1.0, high=1.0, shown=shown, hidden=hidden)
    compared = sum(one.count for one, _ in tasks)
    weights = [one.count / compared for one, _ in tasks]
    lift = sum(w * (one.mean - other.mean) for w, (one, other) in zip(weights, tasks, strict=True))
    spread = math.sqrt(sum(w * w * (a.variance + b.variance) for w, (a, b) in zip(weights, tasks, strict=True)))
    half = _NORMAL_95 * spread
    return Utility(lift=lift, low=lift - half, high=lift + half, shown=shown, hidden=hidden)
