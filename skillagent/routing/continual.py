"""Continual: ways to learn the order of skills where one domain comes after another, each behind one function.

Each takes an encoder, the goals that are new, goals that were kept of earlier domains, and what routes goals among the
skills of now, and returns an encoder. What a reader would get wrong: a buffer keeps goals and what was right for them,
not their candidates, so what a later skill does to an old goal is seen. The default trains nothing: what was solved
moves its skill's prototype, and the encoder stays as it was.

Nothing is measured here (`evaluation.forgetting`); torch is needed by what trains (`retune`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from skillagent.goals import shape
from skillagent.ports import VectorCache
from skillagent.routing.experts import experts
from skillagent.routing.measured import Query
from skillagent.routing.rebatch import Rebatch, Strategy
from skillagent.routing.rerank import Encoder
from skillagent.routing.retune import Fit, Term, fit
from skillagent.routing.train import SHARP, Case
from skillagent.routing.tune import scores

KEPT = 60  # goals that a buffer holds
_MIXED = (0.0, 0.25, 0.5, 0.75, 1.0)  # shares of the encoder before that are tried
_RELATED = 0.5  # the share of kept goals, the nearest to what is new, that are looked at again


def prototypes(
    encoder: Encoder, new: Sequence[Query], kept: Sequence[Query], now: Rebatch, *, fit: Fit = fit
) -> Encoder:
    """Return the encoder as it was: solved goals in the skills' prototypes are all that is learnt (OnPro)."""
    return encoder


def fine_tune(
    encoder: Encoder, new: Sequence[Query], kept: Sequence[Query], now: Rebatch, *, fit: Fit = fit
) -> Encoder:
    """Return the encoder trained on what is new, with nothing done to keep anything."""
    return fit(encoder, now(new), now.cache.vectors)


def replay(
    encoder: Encoder,
    new: Sequence[Query],
    kept: Sequence[Query],
    now: Rebatch,
    *,
    weight: float = 1.0,
    fit: Fit = fit,
) -> Encoder:
    """Return the encoder trained on new and kept goals, each kind by its mean."""
    return fit(encoder, now(new), now.cache.vectors, [Term("right", weight, now(kept))])


def distillation(
    encoder: Encoder,
    new: Sequence[Query],
    kept: Sequence[Query],
    now: Rebatch,
    *,
    weight: float = 1.0,
    fit: Fit = fit,
) -> Encoder:
    """Return the encoder trained by two teachers: what is new, and the scores of the one before (MulKI)."""
    both = now(new)
    return fit(encoder, both, now.cache.vectors, [Term("scores", weight, [*both, *now(kept)])])


def near_old(
    encoder: Encoder,
    new: Sequence[Query],
    kept: Sequence[Query],
    now: Rebatch,
    *,
    weight: float = 10.0,
    fit: Fit = fit,
) -> Encoder:
    """Return an encoder that stays near the one before, without any kept goal (rehearsal-free, L2 to old)."""
    return fit(encoder, now(new), now.cache.vectors, [Term("matrix", weight)])


def elastic(
    encoder: Encoder,
    new: Sequence[Query],
    kept: Sequence[Query],
    now: Rebatch,
    *,
    weight: float = 100.0,
    fit: Fit = fit,
) -> Encoder:
    """Return an encoder in which what matters for kept goals stays what it was (EWC)."""
    return fit(encoder, now(new), now.cache.vectors, [Term("what matters", weight, now(kept))])


def topology(
    encoder: Encoder,
    new: Sequence[Query],
    kept: Sequence[Query],
    now: Rebatch,
    *,
    weight: float = 100.0,
    fit: Fit = fit,
) -> Encoder:
    """Return an encoder by which kept goals and their candidates are as like one another as before (CTP)."""
    return fit(encoder, now(new), now.cache.vectors, [Term("topology", weight, now(kept))])


def interpolation(
    encoder: Encoder,
    new: Sequence[Query],
    kept: Sequence[Query],
    now: Rebatch,
    *,
    weight: float = 1.0,
    fit: Fit = fit,
) -> Encoder:
    """Return what lies between the encoder before and a fine-tuned one, as new and kept goals like it best.

    `weight` is the most that the one before may count.
    """
    given, old = now(new), now(kept)
    tuned = fit(encoder, given, now.cache.vectors)
    mixed = [_between(tuned, encoder, weight * share) for share in _MIXED]
    return max(mixed, key=lambda one: liking(one, given, now.cache) + liking(one, old, now.cache))


def backward(
    encoder: Encoder,
    new: Sequence[Query],
    kept: Sequence[Query],
    now: Rebatch,
    *,
    weight: float = 1.0,
    fit: Fit = fit,
) -> Encoder:
    """Return a fine-tuned encoder where kept goals gain by it, else the one before (CUBER).

    Those count that are nearest to what is new. Without any, or with a weight of zero, it is taken.
    """
    tuned = fit(encoder, now(new), now.cache.vectors)
    related = now(nearest(kept, new, now.cache, max(1, math.ceil(_RELATED * len(kept)))))
    gained = liking(tuned, related, now.cache) - liking(encoder, related, now.cache)
    return tuned if not related or weight * gained >= 0 else encoder


def all_again(
    encoder: Encoder, new: Sequence[Query], kept: Sequence[Query], now: Rebatch, *, fit: Fit = fit
) -> Encoder:
    """Return an encoder trained further on all goals so far, in as many more steps: what could be had at best.

    It takes every goal to be kept; the buffer is not bounded.
    """
    given = now([*new, *kept])
    return fit(encoder, given, now.cache.vectors, rounds=max(1.0, len(given) / max(1, len(now(new)))))


# ── What they are made of ────────────────────────────────────────────────────────────────────────────────────────────


def diverse(goals: Sequence[Query], most: int, cache: VectorCache) -> list[Query]:
    """Return at most so many goals, each as far as can be from those before it, beginning with the first."""
    if len(goals) <= most:
        return list(goals)
    rows = cache.vectors([shape(goal.goal) for goal in goals])
    chosen, near = [0], rows @ rows[0]
    while len(chosen) < most:
        near[chosen[-1]] = np.inf
        chosen.append(int(near.argmin()))
        near = np.maximum(near, rows @ rows[chosen[-1]])
    return [goals[n] for n in chosen]


def nearest(kept: Sequence[Query], new: Sequence[Query], cache: VectorCache, most: int) -> list[Query]:
    """Return the kept goals that are nearest to any new one, at most so many, the nearest first."""
    if not kept or not new:
        return []
    rows, to = (cache.vectors([shape(goal.goal) for goal in goals]) for goals in (kept, new))
    return [kept[n] for n in np.argsort(-(rows @ to.T).max(axis=1), kind="stable")[:most]]


def liking(encoder: Encoder, given: Sequence[Case], cache: VectorCache) -> float:
    """Return the mean share that what is right has of all candidates, by a softmax of their scores; 0 of nothing."""
    shares = []
    for case in given:
        score = SHARP * scores(case, encoder, cache)
        share = np.exp(score - score.max())
        shares.append(float(share[case.worth >= 1].sum() / share.sum()))
    return float(np.mean(shares)) if shares else 0.0


def _between(one: Encoder, other: Encoder, share: float) -> Encoder:
    """Return the encoder that lies so far from one towards another."""

    def mixed(a: tuple[tuple[float, ...], ...], b: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        rows = (1 - share) * np.array(a) + share * np.array(b)
        return tuple(tuple(row) for row in rows.tolist())

    return one if share == 0 else Encoder(down=mixed(one.down, other.down), up=mixed(one.up, other.up))


class Way(NamedTuple):
    """How a stream is learnt: by what function, how many goals it keeps (None: all), and whether solved goals count."""

    learn: Strategy
    keeps: int | None = KEPT
    solves: bool = True

    @property
    def trains(self) -> bool:
        """True where torch is needed."""
        return self.learn is not prototypes


NOTHING, DEFAULT = "nothing", "prototypes"
WAYS: Mapping[str, Way] = {
    NOTHING: Way(prototypes, solves=False),
    DEFAULT: Way(prototypes),
    "fine-tune": Way(fine_tune),
    "replay": Way(replay),
    "distillation": Way(distillation),
    "l2": Way(near_old),
    "ewc": Way(elastic),
    "interpolation": Way(interpolation),
    "backward": Way(backward),
    "topology": Way(topology),
    "experts": Way(experts),
    "all-again": Way(all_again, keeps=None),
}
