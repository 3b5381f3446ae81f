"""What fine-tuning MiniLM itself, through sentence-transformers, adds to the router for skills that did not train.

    python -m evals.router_finetuned FOLDER --out evals/results/router-finetuned.json

FOLDER is all-MiniLM-L6-v2 as sentence-transformers keeps it, or its name. Its last two layers are tuned, once through,
on gate goals of `evals/router_data` beside the texts of their skills, where other skills of a batch are wrong; five
folds of skills, none in training and test. Holdout goals are routed among the twenty best by the router's score and a
share of what the tuned cosine of goal and text is above the served one: all of it is the tuned model's word for that
part, none the untrained router. `skillagent router train --encoder` turns the served vectors instead; why:
`docs/router.md`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from evals.router_trained import compared, texts
from skillagent.build import embedder
from skillagent.config import load as load_settings
from skillagent.goals import shape
from skillagent.ports import Vectors
from skillagent.routing.train import Case, Floats, folds
from skillagent.schema import Split
from skillagent.store.vectors import ChromaVectors, MemoryVectors

_LAYERS, _BATCH, _RATE = 2, 16, 5e-5
_READ = 64  # tokens of a text that train
SHARES = (0.25, 0.5, 1.0)


class Tuned:
    """A fine-tuned model as an embedder."""

    name = "tuned"

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows."""
        rows: Vectors = self._model.encode(list(texts), normalize_embeddings=True, batch_size=8)
        return rows


def tuned(given: Sequence[Case], folder: str) -> MemoryVectors:
    """Return the vectors of a model that was tuned on goals and the texts of their skills."""
    torch.manual_seed(0)
    model = SentenceTransformer(folder, device="cpu")
    most, model.max_seq_length = model.max_seq_length, _READ
    model.requires_grad_(False)
    for layer in model[0].auto_model.encoder.layer[-_LAYERS:]:
        layer.requires_grad_(True)
    loss = MultipleNegativesRankingLoss(model)
    optimiser = torch.optim.AdamW([part for part in model.parameters() if part.requires_grad], lr=_RATE)
    model.train()
    for batch in batches(given):
        goals = model.preprocess([shape(case.goal) for case in batch])
        told = loss([goals, model.preprocess([right(case) for case in batch])], None)
        optimiser.zero_grad()
        told.backward()
        optimiser.step()
    model.eval()
    model.max_seq_length = most
    return MemoryVectors(Tuned(model))


def right(case: Case) -> str:
    """Return the text of a goal's skill."""
    return case.texts[int(np.argmax(case.worth))]


def batches(given: Sequence[Case]) -> list[list[Case]]:
    """Return goals by chance in batches, in none of which a skill stands twice; what is left over is left out."""
    order = np.random.default_rng(0).permutation(len(given)).tolist()
    left, found = [given[n] for n in order if given[n].worth.any()], []
    while len({case.family for case in left}) >= _BATCH // 2:
        batch: dict[str, Case] = {}
        for case in left:
            if len(batch) < _BATCH:
                batch.setdefault(case.family, case)
        found.append(list(batch.values()))
        left = [case for case in left if batch.get(case.family) is not case]
    return found


def nearer(case: Case, one: Callable[[Sequence[str]], Vectors], other: Callable[[Sequence[str]], Vectors]) -> Floats:
    """Return how much nearer to a goal its candidates' texts are by one embedder than by another, shape (k,)."""
    near = [of(case.texts) @ of([shape(case.goal)])[0] for of in (one, other)]
    return np.asarray(near[0] - near[1], dtype=np.float64)


def main() -> int:
    """Tune by folds, compare, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/skillagent/router")
    wanted = parser.parse_args()
    cache = ChromaVectors(embedder(load_settings()), path=wanted.cache)
    gate, holdout = texts(cache, Split.GATE), texts(cache, Split.HOLDOUT)
    hits, seconds = {share: [0.0] * len(holdout) for share in (0.0, *SHARES)}, list[float]()
    for own, held in folds([*gate, *holdout]):
        begun = time.process_time()
        told = tuned([gate[n] for n in own if n < len(gate)], wanted.folder)
        seconds.append(time.process_time() - begun)
        for n in (n - len(gate) for n in held if n >= len(gate)):
            case, added = holdout[n], nearer(holdout[n], told.vectors, cache.vectors)
            for share, of in hits.items():
                of[n] = float(case.worth[int(np.argmax(case.untrained + share * added))])
        print(f"{len(seconds)} of 5, {seconds[-1]:.0f} processor seconds", flush=True)
    cache.close()
    ways = {f"{share:.0%} of the tuned cosine" if share else "untrained": of for share, of in hits.items()}
    report: dict[str, object] = compared(holdout, ways, "untrained")
    report["processor seconds to tune"] = round(float(np.mean(seconds)), 1)
    if wanted.out:
        wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
