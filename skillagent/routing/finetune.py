"""Finetune: a copy of a sentence-transformers model for the order of candidates, from goals and skills' texts.

The last layers of the model learn by the list-wise loss of `train` what goals and texts teach, on top of the untrained
score, and are pulled towards what the model said before. What a reader would get wrong: nothing drops out while it
learns, so that it begins at the vectors of the model as it is and a training repeats. Of a goal's candidates a step
reads the best and those that come first without training, and negatives are looked for once, in the untrained order: a
fit takes a minute, not a second. Only the text of a skill is looked at, not the goals that it solved, so no goal meets
itself.

The model is loaded by the caller's function, as is what embeds by it. Whether what it learnt is good enough to be used
is not decided here, and nothing is written.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skillagent.errors import ConfigError
from skillagent.goals import shape
from skillagent.ports import VectorCache
from skillagent.routing.rerank import Order, Rows, gained
from skillagent.routing.train import SHARP, Case, Floats, Used, hard, listwise, varied
from skillagent.routing.tune import batch_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

LAYERS = 2  # that learn, the last ones
STEPS, RATE = 32, 1e-5  # gate goals lose the more, the longer the steps: `evals/LOG.md`
PULL = 10.0  # towards what the model said before
_GOALS, _LIST = 8, 5  # goals a step, and candidates of each
_READ = 8  # texts at once

Finetune = Callable[[Sequence[Case], Used, Rows], "Live"]


class Live(Order):
    """A fine-tuned model in memory: what embeds by it, and what writes it to a folder."""

    rows: Rows
    save: Callable[[Path], None]


def finetune(
    given: Sequence[Case],
    used: Used,
    served: Rows,
    *,
    load: Callable[[], SentenceTransformer],
    rows_by: Callable[[SentenceTransformer], Rows],
    watch: Callable[[str], None] = lambda _: None,
    steps: int = STEPS,
    rate: float = RATE,
    pull: float = PULL,
) -> Live:
    """Return a copy of a model that orders the used candidates of goals best.

    Args:
        given: Goals, with their texts and those of their candidates.
        used: Which candidates of each count, shape (k,) each; one that was never tried counts as worth nothing.
        served: Unit rows of texts by the embedder that routes.
        load: Loads the model that the copy begins as.
        rows_by: Returns what embeds by a model, each text once.
        watch: Is told in words how it goes on.
        steps: Of learning.
        rate: How far a step goes.
        pull: Towards what the model said before.

    Raises:
        ConfigError: Torch or the library is not installed, or the model cannot be loaded or tuned.
    """
    gc.collect()  # such a model refers to itself: those of earlier fits would stay, 91 MB each
    model, before = load(), rows_by(load())
    import torch

    optimiser = torch.optim.AdamW(_learning(model), lr=rate)
    for step, some in enumerate(_batches(given, used, steps), start=1):
        loss = _loss(model, some, served, before, pull)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 8 == 0:
            watch(f"step {step} of {steps}")
    return Live(rows=rows_by(model), save=lambda folder: model.save(str(folder), create_model_card=False))


def _learning(model: SentenceTransformer) -> list[Tensor]:
    """Return what of a model learns; the rest stands still, and nothing drops out."""
    from torch.nn import ModuleList

    stacks = [part for part in model.modules() if isinstance(part, ModuleList) and len(part) >= LAYERS]
    if not stacks:
        raise ConfigError(f"this model has no {LAYERS} layers in a row that could be fine-tuned: name another --base")
    model.eval()
    model.requires_grad_(False)
    layers = max(stacks, key=len)[-LAYERS:]
    layers.requires_grad_(True)
    return list(layers.parameters())


def _batches(given: Sequence[Case], used: Used, steps: int) -> Iterator[list[Case]]:
    """Yield the goals of each step, by chance and each as often as the others, with the candidates that are read."""
    drawn, left = np.random.default_rng(0), list[int]()
    for _ in range(steps):
        some = list[Case]()
        while len(some) < min(_GOALS, len(given)):
            left = left or drawn.permutation(len(given)).tolist()
            n = left.pop()
            some.append(_cut(given[n], np.flatnonzero(used[n])))
        yield some


def _cut(case: Case, places: NDArray[np.intp]) -> Case:
    """Return a goal with the best of its candidates at these places and the first of the others."""
    best = places[np.argmax(np.nan_to_num(case.worth[places]))]
    kept = np.array([best, *places[places != best][: _LIST - 1]])
    return replace(
        case,
        features=case.features[kept],
        worth=np.nan_to_num(case.worth[kept]),
        untrained=case.untrained[kept],
        spared=case.spared[kept],
        texts=tuple(case.texts[n] for n in kept),
    )


def _loss(model: SentenceTransformer, some: Sequence[Case], served: Rows, before: Rows, pull: float) -> Tensor:
    """Return the list-wise loss of some goals, and how far goals and texts went from where they were."""
    batch = batch_of(some, [case.tried for case in some], served)
    import torch

    goals = [shape(case.goal) for case in some]
    texts = list(dict.fromkeys(text for case in some for text in case.texts))  # in the order of the batch
    told = _told(model, [*goals, *texts])
    goal, near = told[: len(goals)], told[len(goals) :]
    added = (goal @ near.T - batch.goals @ batch.known.T).gather(1, batch.places)
    away = 1 - (told * torch.from_numpy(before([*goals, *texts]))).sum(1)
    return listwise(SHARP * (batch.base + added), batch.worth).mean() + pull * away.mean()


def _told(model: SentenceTransformer, texts: Sequence[str]) -> Tensor:
    """Return what a model says of texts, unit rows; texts of a length are read together, as each is filled up to it."""
    import torch
    from torch.nn.functional import normalize

    order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
    parts = [[texts[n] for n in order[first : first + _READ]] for first in range(0, len(order), _READ)]
    rows = torch.cat([model(model.preprocess(part))["sentence_embedding"] for part in parts])
    return normalize(rows[np.argsort(order)], dim=1)


def finetuned(given: Sequence[Case], cache: VectorCache, finetune: Finetune) -> Live:
    """Return the model that goals teach, beside the negatives of the untrained order; the chance is not fitted yet.

    One that adds nothing comes back where no goal has candidates that did better and worse.
    """
    used = [case.tried | hard(case, case.tried, case.untrained) for case in given]
    told = [n for n, case in enumerate(given) if varied(case, used[n])]
    if not told:
        return Live(rows=cache.vectors, save=lambda folder: folder.mkdir())
    return finetune([given[n] for n in told], [used[n] for n in told], cache.vectors)


def scores(case: Case, one: Live, cache: VectorCache) -> Floats:
    """Return the scores of a goal's candidates with what a model adds, shape (k,)."""
    return np.asarray(case.untrained + gained(shape(case.goal), case.texts, one.rows, cache.vectors), dtype=np.float64)
