"""Tune: an encoder for the order of candidates, from goals and the texts of what did them and of what did not.

The embedder is not touched: a matrix of low rank turns its vectors, of goals and texts alike, so that what serves is
numpy and a few numbers, and every vector that is kept stays good. List-wise and pulled towards turning nothing, with
the same negatives and the same families as `train`. What a reader would get wrong: only the text of a skill is looked
at, not the goals that it solved, so no goal meets itself.

Torch is needed, and imported when a matrix is fitted. Whether it is good enough to be used is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from skillagent.goals import shape
from skillagent.ports import VectorCache, Vectors
from skillagent.routing.rerank import Encoder
from skillagent.routing.train import SHARP, Case, Floats, Used, lists, listwise, mined

_RANK, _STEPS, _RATE = 16, 100, 1e-3
_AT_ONCE = 256  # goals a step
_PULL = 10.0  # towards turning nothing; gate goals lose the more, the less it is: `evals/LOG.md`

Rows = Callable[[Sequence[str]], Vectors]
Tune = Callable[[Sequence[Case], Used, Rows], Encoder]


def tune(given: Sequence[Case], used: Used, rows: Rows) -> Encoder:
    """Return the encoder that orders the used candidates of goals best.

    Args:
        given: Goals, with their texts and those of their candidates.
        used: Which candidates of each count, shape (k,) each; one that was never tried counts as worth nothing.
        rows: Returns unit rows of texts, shape (len(texts), d).

    Raises:
        ConfigError: Torch is not installed, or cannot be loaded.
    """
    base, worth = lists(given, used)
    import torch
    from torch.nn.functional import normalize

    texts = list(dict.fromkeys(text for case in given for text in case.texts))
    at = {text: n for n, text in enumerate(texts)}
    known = torch.from_numpy(np.array(rows(texts), dtype=np.float32))
    goals = torch.from_numpy(np.array(rows([shape(case.goal) for case in given]), dtype=np.float32))
    places = torch.zeros(base.shape, dtype=torch.long)
    for n, (case, use) in enumerate(zip(given, used, strict=True)):
        own = [at[case.texts[k]] for k in np.flatnonzero(use)]
        places[n, : len(own)] = torch.tensor(own)
    drawn, width = torch.Generator().manual_seed(0), goals.shape[1]
    down = (torch.randn(width, _RANK, generator=drawn) / width**0.5).requires_grad_()
    up = torch.zeros(_RANK, width, requires_grad=True)
    optimiser = torch.optim.AdamW([down, up], lr=_RATE)
    for _ in range(_STEPS):
        some = torch.randperm(len(goals), generator=drawn)[:_AT_ONCE]
        own, where = places[some].unique(return_inverse=True)  # a text stands beside many goals
        goal, near = goals[some], known[own]
        turned, to = (normalize(part + part @ down @ up, dim=1) for part in (goal, near))
        added = (turned @ to.T - goal @ near.T).gather(1, where)
        loss = listwise(SHARP * (base[some] + added), worth[some]).mean() + _PULL * ((down @ up) ** 2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return _encoder(down.detach().numpy(), up.detach().numpy())


def _encoder(down: Vectors, up: Vectors) -> Encoder:
    """Return an encoder of rounded numbers, as they stand in a line of JSON."""
    rounded = [tuple(tuple(round(x, 5) for x in row) for row in part.tolist()) for part in (down, up)]
    return Encoder(down=rounded[0], up=rounded[1])


def tuned(given: Sequence[Case], cache: VectorCache, tune: Tune = tune) -> Encoder:
    """Return the encoder that goals teach, with negatives looked for in rounds; the chance is not fitted yet.

    One that turns nothing comes back where no goal has candidates that did better and worse.
    """
    found = mined(
        given, lambda goals, used: tune(goals, used, cache.vectors), lambda case, one: scores(case, one, cache)
    )
    if found is not None:
        return found
    width = cache.vectors([""]).shape[1]
    return _encoder(np.zeros((width, 1), dtype=np.float32), np.zeros((1, width), dtype=np.float32))


def scores(case: Case, encoder: Encoder, cache: VectorCache) -> Floats:
    """Return the scores of a goal's candidates with what an encoder adds, shape (k,)."""
    goal = cache.vectors([shape(case.goal)])[0]
    return np.asarray(case.untrained + encoder.added(goal, cache.vectors(case.texts)), dtype=np.float64)
