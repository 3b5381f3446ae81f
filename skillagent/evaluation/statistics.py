"""Statistics: rates with intervals, and paired comparisons of two arms on the same tasks and seeds.

Seeds of one task resemble each other, so intervals of differences come from the spread over tasks, not over episodes.
Pairs with an unscored side are dropped and counted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skillagent.schema import Value

Key = tuple[str, int]  # task id and seed


class Rate(Value):
    """A success rate with its 95 % Wilson interval; `n` scored episodes."""

    value: float
    low: float
    high: float
    n: int


class Comparison(Value):
    """Arm b against arm a on the same tasks and seeds.

    `difference` is the mean of b - a over pairs, with a 95 % t interval over tasks. `p` is two-sided,
    from flipping the signs of whole tasks: exact for few tasks, 9,999 random flips for many.
    """

    difference: float
    low: float
    high: float
    p: float
    wins: int
    losses: int
    ties: int
    dropped: int


def rate(successes: int, n: int) -> Rate:
    """Return the rate and its Wilson interval; of nothing, 0 with the whole of [0, 1]."""
    from scipy.stats import binomtest

    if n == 0:
        return Rate(value=0.0, low=0.0, high=1.0, n=0)
    interval = binomtest(successes, n).proportion_ci(method="wilson")
    return Rate(value=successes / n, low=float(interval.low), high=float(interval.high), n=n)


def compare(a: Mapping[Key, float | None], b: Mapping[Key, float | None]) -> Comparison:
    """Compare two arms by their scores per task and seed; None is unscored."""
    shared = [key for key in a if key in b]
    pairs = [(key, x, y) for key in shared if (x := a[key]) is not None and (y := b[key]) is not None]
    wins, losses = sum(y > x for _, x, y in pairs), sum(y < x for _, x, y in pairs)
    by_task: dict[str, list[float]] = {}
    for (task, _), x, y in pairs:
        by_task.setdefault(task, []).append(y - x)
    low, high = _clustered_interval(list(by_task.values()))
    return Comparison(
        difference=float(np.mean([y - x for _, x, y in pairs])) if pairs else 0.0,
        low=low,
        high=high,
        p=_flip_p([sum(cluster) for cluster in by_task.values()]),
        wins=wins,
        losses=losses,
        ties=len(pairs) - wins - losses,
        dropped=len(shared) - len(pairs),
    )


def _flip_p(sums: list[float]) -> float:
    """Return how likely a total as far from zero is when each task's sign is a coin's."""
    from scipy.stats import permutation_test

    if len(sums) < 2 or not any(sums):
        return 1.0
    zeros = np.zeros(len(sums))
    found = permutation_test(
        (np.array(sums), zeros), lambda x, y, axis: x.sum(axis) - y.sum(axis), permutation_type="samples", rng=0
    )
    return float(found.pvalue)


def _clustered_interval(clusters: list[list[float]]) -> tuple[float, float]:
    """Return the 95 % t interval of the mean over clusters, within [-1, 1]; the whole range where it says nothing.

    Resampling whole clusters would be too narrow for the dozen tasks that a suite often has (Cameron, Gelbach and
    Miller 2008). Fewer than six clusters that all say the same could do so by chance too often (2 / 2**5 > 0.05).
    """
    from scipy.stats import t

    count = len(clusters)
    if count < 2:
        return -1.0, 1.0
    sums, sizes = np.array([sum(c) for c in clusters]), np.array([len(c) for c in clusters])
    mean = sums.sum() / sizes.sum()
    error = np.sqrt(count / (count - 1) * ((sums - mean * sizes) ** 2).sum()) / sizes.sum()
    if error == 0:
        return (float(mean), float(mean)) if count >= 6 or mean == 0 else (-1.0, 1.0)
    low, high = t.interval(0.95, count - 1, loc=mean, scale=error)
    return max(-1.0, float(low)), min(1.0, float(high))
