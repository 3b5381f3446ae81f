"""Experts: an encoder for each kind of goals, with a detector that opens a new one where goals shift (TAME).

No domain is told. Goals come one by one, and each goes to the expert whose centre is nearest; how far goals are from it
is kept as a running mean and spread. What a reader would get wrong: one goal far off opens nothing, several in a row
do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skillagent.goals import shape
from skillagent.ports import Vectors
from skillagent.routing.measured import Query
from skillagent.routing.rebatch import Rebatch
from skillagent.routing.rerank import Encoder
from skillagent.routing.retune import Fit, fit
from skillagent.schema import Value

_SIGMAS, _IN_A_ROW, _NEWEST = 2.0, 5, 0.1  # how far, how often, and what the newest goal counts
_LEAST_SPREAD = 0.02
_UNKNOWN_SPREAD = 0.3  # of one goal nothing is known: far too wide, and it narrows


class Expert(Value):
    """An encoder for goals about a centre, and how far goals are from that: running mean and spread of 1 - cosine."""

    encoder: Encoder
    centre: tuple[float, ...]
    mean: float
    variance: float

    def far(self, row: Vectors) -> float:
        """Return how far a goal is."""
        return 1.0 - float(np.array(self.centre, dtype=np.float32) @ row)

    def shifted(self, row: Vectors, sigmas: float) -> bool:
        """Tell whether a goal is farther than goals here are wont to be."""
        return self.far(row) > self.mean + sigmas * max(math.sqrt(self.variance), _LEAST_SPREAD)

    def seen(self, row: Vectors) -> Expert:
        """Return it after one more goal: the running figures move a little towards it."""
        off = self.far(row) - self.mean
        centre = _unit((1 - _NEWEST) * np.array(self.centre, dtype=np.float32) + _NEWEST * row)
        return self.model_copy(
            update={
                "centre": tuple(centre.tolist()),
                "mean": self.mean + _NEWEST * off,
                "variance": (1 - _NEWEST) * (self.variance + _NEWEST * off**2),
            }
        )


class Experts(Encoder):
    """An encoder for each kind of goals: that of the nearest centre answers. Without any it is what it is itself."""

    experts: tuple[Expert, ...] = ()

    def nearest(self, row: Vectors) -> int:
        """Return which expert a goal is nearest to."""
        return min(range(len(self.experts)), key=lambda n: self.experts[n].far(row))

    def added(self, goal: Vectors, texts: Vectors) -> NDArray[np.float64]:
        """Return what the goal's expert adds to each text."""
        if not self.experts:
            return super().added(goal, texts)
        return self.experts[self.nearest(goal)].encoder.added(goal, texts)


def experts(
    encoder: Encoder,
    new: Sequence[Query],
    kept: Sequence[Query],
    now: Rebatch,
    *,
    sigmas: float = _SIGMAS,
    fit: Fit = fit,
) -> Encoder:
    """Return the experts after new goals: each is trained on those that came to it, and a shift opens a new one.

    No domain is told. Goals come one by one; where several in a row are farther from their expert than `sigmas` spreads
    of what it is wont to see, these begin an expert of their own, from the encoder that everything began with.
    """
    began = Experts(down=encoder.down, up=encoder.up)
    known = encoder if isinstance(encoder, Experts) else began
    made, whose = assigned(known, new, now.cache.vectors([shape(goal.goal) for goal in new]), sigmas)
    trained = [
        one.model_copy(
            update={
                "encoder": fit(
                    one.encoder, now([new[n] for n in np.flatnonzero(whose == k).tolist()]), now.cache.vectors
                )
            }
        )
        for k, one in enumerate(made)
    ]
    return known.model_copy(update={"experts": tuple(trained)})


def assigned(
    known: Experts, new: Sequence[Query], rows: Vectors, sigmas: float = _SIGMAS
) -> tuple[list[Expert], NDArray[np.intp]]:
    """Return the experts with their running figures after goals, new ones among them, and whose each goal is.

    Args:
        known: The experts so far.
        new: Goals in the order in which they came.
        rows: Their unit rows.
        sigmas: From how many spreads on a goal counts as shifted.
    """
    made, whose, odd = list(known.experts), np.zeros(len(new), dtype=np.intp), list[int]()
    start = Encoder(down=known.down, up=known.up)
    for n, row in enumerate(rows):
        if not made:
            made.append(_opened(start, rows[:1]))
        whose[n] = near = min(range(len(made)), key=lambda k: made[k].far(row))
        if not made[near].shifted(row, sigmas):
            made[near], odd = made[near].seen(row), []
            continue
        odd.append(n)
        if len(odd) == _IN_A_ROW:
            whose[odd] = len(made)
            made.append(_opened(start, rows[odd]))
            odd = []
    return made, whose


def _opened(start: Encoder, rows: Vectors) -> Expert:
    """Return an expert that begins with some goals."""
    centre = _unit(rows.mean(axis=0))
    far = 1.0 - rows @ centre
    spread = float(far.std()) if len(rows) > 1 else _UNKNOWN_SPREAD
    return Expert(encoder=start, centre=tuple(centre.tolist()), mean=float(far.mean()), variance=spread**2)


def _unit(row: Vectors) -> Vectors:
    found: Vectors = row / max(float(np.linalg.norm(row)), 1e-9)
    return found
