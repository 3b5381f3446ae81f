"""Plans: how near a predicted sequence of skills or actions comes to the reference.

Order matters throughout: the same steps in another order are another plan.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np

from skillagent.schema import Value

T = TypeVar("T", bound=Hashable)


class PlanScores(Value):
    """All in [0, 1].

    `exact` is 1 when all steps are the same (LongVILBench's exact match accuracy), `prefix` the share of the reference
    that is matched from its start without a gap (progress, as in ADS; LongVILBench's step matching), `final` 1 when the
    last steps agree, `matched` the F1 of the longest common subsequence (ordered matching, as in RoboFarseer).
    """

    exact: float
    prefix: float
    final: float
    matched: float


def plan_scores(predicted: Sequence[T], reference: Sequence[T], *, final: bool | None = None) -> PlanScores:
    """Compare two sequences; `final` overrides whether the end was reached, where the world can tell."""
    common = ordered_matching(predicted, reference)
    longest = max(len(predicted), len(reference))
    reached = bool(predicted and reference and predicted[-1] == reference[-1]) if final is None else final
    return PlanScores(
        exact=float(list(predicted) == list(reference)),
        prefix=matched_prefix(predicted, reference) / len(reference) if reference else float(not predicted),
        final=float(reached or longest == 0),
        matched=2 * common / (len(predicted) + len(reference)) if longest else 1.0,
    )


def matched_prefix(predicted: Sequence[T], reference: Sequence[T]) -> int:
    """Return how many steps of the reference the prediction has right from its start."""
    count = 0
    for mine, theirs in zip(predicted, reference, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def ordered_matching(
    predicted: Sequence[T],
    reference: Sequence[T],
    similar: Callable[[T, T], float] = lambda mine, theirs: float(mine == theirs),
) -> float:
    """Return the greatest total similarity of a matching of steps in which no two pairs cross.

    With the default, the length of the longest common subsequence.
    """
    best = np.zeros((len(predicted) + 1, len(reference) + 1))
    for i, mine in enumerate(predicted, start=1):
        for j, theirs in enumerate(reference, start=1):
            best[i, j] = max(best[i - 1, j], best[i, j - 1], best[i - 1, j - 1] + similar(mine, theirs))
    return float(best[-1, -1])
