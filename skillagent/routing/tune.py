"""Tune: an encoder for the order of candidates, from goals and the texts of what did them and of what did not.

The embedder is not touched: a matrix of low rank turns its vectors, of goals and texts alike, so that what serves is
numpy and a few numbers, and every vector that is kept stays good. List-wise and pulled towards turning nothing, with
the same negatives and the same families as `train`. What a reader would get wrong: only the text of a skill is looked
at, not the goals that it solved, so no goal meets itself.

Torch is needed, and imported when a matrix is fitted. Whether it is good enough to be used is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skillagent.goals import shape
from skillagent.ports import VectorCache, Vectors
from skillagent.routing.rerank import Encoder, Rows
from skillagent.routing.train import SHARP, Case, Floats, Used, lists, listwise, mined

if TYPE_CHECKING:
    from torch import Tensor

RANK, STEPS, RATE = 16, 100, 1e-3
AT_ONCE = 256  # goals a step
PULL = 10.0  # towards turning nothing; gate goals lose the more, the less it is: `evals/LOG.md`

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
    batch = batch_of(given, used, rows)
    import torch

    drawn, width = torch.Generator().manual_seed(0), batch.goals.shape[1]
    down = (torch.randn(width, RANK, generator=drawn) / width**0.5).requires_grad_()
    up = torch.zeros(RANK, width, requires_grad=True)
    optimiser = torch.optim.AdamW([down, up], lr=RATE)
    for _ in range(STEPS):
        some = torch.randperm(len(batch.goals), generator=drawn)[:AT_ONCE]
        loss = batch.losses(down, up, some).mean() + PULL * ((down @ up) ** 2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return encoder_of(down.detach().numpy(), up.detach().numpy())


class Batch(NamedTuple):
    """Goals as tensors: unit rows (n, d), those of all texts (m, d); by goal which texts, scores and worth (n, k)."""

    goals: Tensor
    known: Tensor
    places: Tensor
    base: Tensor
    worth: Tensor

    def scores(self, down: Tensor, up: Tensor, some: Tensor) -> Tensor:
        """Return the scores of the candidates of some goals, with what an encoder of these parts adds."""
        from torch.nn.functional import normalize

        own, where = self.places[some].unique(return_inverse=True)  # a text stands beside many goals
        goal, near = self.goals[some], self.known[own]
        turned, to = (normalize(part + part @ down @ up, dim=1) for part in (goal, near))
        return self.base[some] + (turned @ to.T - goal @ near.T).gather(1, where)

    def losses(self, down: Tensor, up: Tensor, some: Tensor) -> Tensor:
        """Return the list-wise loss of some goals, shape (len(some),)."""
        return listwise(SHARP * self.scores(down, up, some), self.worth[some])


def batch_of(given: Sequence[Case], used: Used, rows: Rows) -> Batch:
    """Return goals and their used candidates as tensors.

    Raises:
        ConfigError: Torch is not installed, or cannot be loaded.
    """
    base, worth = lists(given, used)
    import torch

    texts = list(dict.fromkeys(text for case in given for text in case.texts))
    at = {text: n for n, text in enumerate(texts)}
    places = torch.zeros(base.shape, dtype=torch.long)
    for n, (case, use) in enumerate(zip(given, used, strict=True)):
        own = [at[case.texts[k]] for k in np.flatnonzero(use)]
        places[n, : len(own)] = torch.tensor(own)
    return Batch(
        goals=torch.from_numpy(np.array(rows([shape(case.goal) for case in given]), dtype=np.float32)),
        known=torch.from_numpy(np.array(rows(texts), dtype=np.float32)),
        places=places,
        base=base,
        worth=worth,
    )


def encoder_of(down: Vectors, up: Vectors) -> Encoder:
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
    return encoder_of(np.zeros((width, 1), dtype=np.float32), np.zeros((1, width), dtype=np.float32))


def scores(case: Case, encoder: Encoder, cache: VectorCache) -> Floats:
    """Return the scores of a goal's candidates with what an encoder adds, shape (k,)."""
    goal = cache.vectors([shape(case.goal)])[0]
    return np.asarray(case.untrained + encoder.added(goal, cache.vectors(case.texts)), dtype=np.float64)
