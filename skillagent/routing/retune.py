"""Retune: an encoder that is trained further, from another one on, with terms that say what of that one is to stay.

The loss and the pull towards turning nothing are those of `tune`. A term says what is to be kept, on which goals, and
how much that counts beside what is new; with a weight of zero it is as if it were not there. What a reader would get
wrong: goals of terms are routed among the skills of now, never among those that there were when they were new.

Torch is needed, and imported when something is fitted. Which terms make a good way to learn: `continual`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np

from skillagent.errors import ConfigError
from skillagent.routing.rerank import Encoder, Rows
from skillagent.routing.train import SHARP, Case
from skillagent.routing.tune import AT_ONCE, PULL, RANK, RATE, STEPS, Batch, batch_of, encoder_of

if TYPE_CHECKING:
    from torch import Tensor

_NONE = -900.0  # scores below are those of no candidate

Keeps = Literal["right", "scores", "matrix", "what matters", "topology"]


class Term(NamedTuple):
    """What is kept of the encoder that training starts from, beside what is new.

    `keeps`: `right`: what is right for these goals is learnt as well; `scores`: their candidates' scores stay;
    `matrix`: it stays near, whatever the goals; `what matters`: so does, of its numbers, each as much as it matters for
    these goals (Fisher's information); `topology`: each goal and its candidates stay as like one another as they were.
    """

    keeps: Keeps
    weight: float
    goals: Sequence[Case] = ()


class Fit(Protocol):
    """Trains an encoder further."""

    def __call__(
        self, start: Encoder, given: Sequence[Case], rows: Rows, terms: Sequence[Term] = (), *, rounds: float = 1.0
    ) -> Encoder:
        """Return the encoder that orders goals best, from another one on; that one where nothing tells an order."""
        ...


def fresh(width: int, seed: int) -> Encoder:
    """Return an encoder that turns nothing, and can be trained.

    Args:
        width: Of a vector.
        seed: Encoders of one seed are the same.
    """
    drawn = np.random.default_rng(seed).standard_normal((width, RANK)) / width**0.5
    return encoder_of(drawn.astype(np.float32), np.zeros((RANK, width), dtype=np.float32))


def told(given: Sequence[Case]) -> list[Case]:
    """Return the goals that tell an order: one candidate that counts did better than another."""
    return [case for case in given if len(np.unique(np.nan_to_num(case.worth[~case.spared]))) > 1]


def fit(
    start: Encoder,
    given: Sequence[Case],
    rows: Rows,
    terms: Sequence[Term] = (),
    *,
    rounds: float = 1.0,
    pull: float = PULL,
) -> Encoder:
    """Return the encoder that orders goals best, from another one on; that one where nothing tells an order.

    A candidate that was never tried counts as worth nothing, unless it is very near one that works.

    Args:
        start: What is trained further, and what terms keep.
        given: Goals with their candidates.
        rows: Returns unit rows of texts.
        terms: What is to stay.
        rounds: How many times as many steps as the first training takes.
        pull: Towards turning nothing.

    Raises:
        ConfigError: Torch is not installed, or cannot be loaded.
    """
    if not (learnt := told(given)):
        return start
    batch = _batch(learnt, rows)
    import torch

    drawn = torch.Generator().manual_seed(0)
    old = torch.tensor(start.down), torch.tensor(start.up)
    down, up = (part.clone().requires_grad_() for part in old)
    kept = [(term.weight, _loss(term, batch_, old)) for term, batch_ in _used(terms, rows)]
    optimiser = torch.optim.AdamW([down, up], lr=RATE)
    for _ in range(round(STEPS * rounds)):
        some = torch.randperm(len(batch.goals), generator=drawn)[:AT_ONCE]
        loss = batch.losses(down, up, some).mean() + pull * ((down @ up) ** 2).sum()
        for weight, of in kept:
            loss = loss + weight * of(down, up)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return encoder_of(down.detach().numpy(), up.detach().numpy())


def ready() -> None:
    """Return where an encoder can be trained; raises ConfigError where torch is lacking, before anything is spent."""
    try:
        import torch  # noqa: F401
    except ImportError as fault:
        raise ConfigError(
            f"training needs torch: pip install 'skillagent[train]' ({fault}); "
            "the ways nothing and prototypes need none"
        ) from None


def _batch(given: Sequence[Case], rows: Rows) -> Batch:
    return batch_of(given, [~case.spared for case in given], rows)


def _used(terms: Sequence[Term], rows: Rows) -> list[tuple[Term, Batch | None]]:
    """Return the terms that say something, with their goals as tensors."""
    found: list[tuple[Term, Batch | None]] = []
    for term in terms:
        goals = told(term.goals) if term.keeps in ("right", "what matters") else list(term.goals)
        if term.keeps == "matrix":
            found.append((term, None))
        elif goals:
            found.append((term, _batch(goals, rows)))
    return found


Loss = Callable[["Tensor", "Tensor"], "Tensor"]


def _loss(term: Term, batch: Batch | None, old: tuple[Tensor, Tensor]) -> Loss:
    """Return what a term adds to the loss of an encoder of some parts."""
    import torch
    from torch.nn.functional import kl_div, log_softmax, softmax

    if batch is None:
        matrix = old[0] @ old[1]
        return lambda down, up: ((down @ up - matrix) ** 2).sum()
    every = torch.arange(len(batch.goals))
    match term.keeps:
        case "scores":
            said = softmax(SHARP * batch.scores(*old, every), dim=1)
            return lambda down, up: kl_div(
                log_softmax(SHARP * batch.scores(down, up, every), dim=1), said, reduction="batchmean"
            )
        case "what matters":
            fisher = _fisher(batch, old)
            return lambda down, up: sum(
                ((matters * (now - was) ** 2).sum() for matters, now, was in zip(fisher, (down, up), old, strict=True)),
                torch.zeros(()),
            )
        case "topology":
            there = batch.base > _NONE
            counts = torch.cat([torch.ones(len(there), 1, dtype=torch.bool), there], dim=1)
            both = counts[:, :, None] & counts[:, None, :]
            was = _alike(batch, *old)
            return lambda down, up: ((_alike(batch, down, up) - was)[both] ** 2).mean()
        case _:
            return lambda down, up: batch.losses(down, up, every).mean()


def _fisher(batch: Batch, old: tuple[Tensor, Tensor]) -> list[Tensor]:
    """Return for each number of an encoder the mean squared slope of the loss of goals: what matters for them."""
    import torch

    down, up = (part.clone().requires_grad_() for part in old)
    sums = [torch.zeros_like(part) for part in old]
    for loss in batch.losses(down, up, torch.arange(len(batch.goals))):
        for total, slope in zip(sums, torch.autograd.grad(loss, (down, up), retain_graph=True), strict=True):
            total += slope**2 / len(batch.goals)
    return sums


def _alike(batch: Batch, down: Tensor, up: Tensor) -> Tensor:
    """Return how like one another each goal and its candidates' texts are once turned, shape (n, 1 + k, 1 + k)."""
    import torch
    from torch.nn.functional import normalize

    rows = torch.cat([batch.goals[:, None, :], batch.known[batch.places]], dim=1)
    turned = normalize(rows + rows @ down @ up, dim=2)
    return turned @ turned.transpose(1, 2)
