"""What fine-tuning MiniLM itself, through sentence-transformers, adds to the router for skills that did not train.

    python -m evals.router_finetuned --out evals/results/router-finetuned.json
    python -m evals.router_finetuned --gate --pulls 1,10    # how the pull was chosen

It is the product's own fine-tuning (`routing/finetune.py`) of all-MiniLM-L6-v2 (`skillagent models pull minilm`), or of
`--base`, on gate goals of `evals/router_data` and their twenty best skills, over five folds of skills, none in training
and test; nor is a skill that tests among the wrong candidates that train, as it would not be there yet. Holdout goals
are routed among the twenty best by the router's score and a share of what the tuned cosine of goal and text is above
the served one: the product takes all of it, none is the untrained router. With `--gate`, gate goals of other skills
test in place of holdout goals: numbers are chosen by that.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence, Set
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from evals.router_trained import compared, texts
from skillagent.build import embedder
from skillagent.config import load as load_settings
from skillagent.llm.embed import sentence_transformer
from skillagent.ports import VectorCache
from skillagent.routing.finetune import PULL, RATE, STEPS, Finetune, finetune, finetuned, scores
from skillagent.routing.train import Case, folds
from skillagent.schema import Split
from skillagent.store.vectors import ChromaVectors
from skillagent.trained import base_of, rows_by

SHARES = (0.25, 0.5, 1.0)


def shared(
    train: Sequence[Case], test: Sequence[Case], cache: VectorCache, way: Finetune
) -> tuple[dict[float, list[float]], float]:
    """Return by share whether the first choice is right for each test case, its skill never in training; seconds."""
    hits, seconds = {share: [0.0] * len(test) for share in (0.0, *SHARES)}, list[float]()
    every = [*train, *test]
    for own, held in folds(every):
        new = {text for n in held for text, worth in zip(every[n].texts, every[n].worth, strict=True) if worth}
        begun = time.process_time()
        told = finetuned([without(train[n], new) for n in own if n < len(train)], cache, way)
        seconds.append(time.process_time() - begun)
        for n in (n - len(train) for n in held if n >= len(train)):
            added = scores(test[n], told, cache) - test[n].untrained
            for share, of in hits.items():
                of[n] = float(test[n].worth[int(np.argmax(test[n].untrained + share * added))])
        print(f"{len(seconds)} of 5, {seconds[-1]:.0f} processor seconds", flush=True)
    return hits, float(np.mean(seconds))


def without(case: Case, texts: Set[str]) -> Case:
    """Return a goal without candidates of these texts."""
    kept = np.array([n for n, text in enumerate(case.texts) if text not in texts])
    parts = {name: getattr(case, name)[kept] for name in ("features", "worth", "untrained", "spared")}
    return replace(case, texts=tuple(case.texts[n] for n in kept), **parts)


def main() -> int:
    """Tune by folds, compare, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="", help="a folder or a name")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/skillagent/router")
    parser.add_argument("--gate", action="store_true", help="test on gate goals")
    for name, default in (("pulls", PULL), ("steps", STEPS), ("rates", RATE)):
        parser.add_argument(f"--{name}", default=str(default), help="one or more, with commas")
    wanted = parser.parse_args()
    settings = load_settings()
    cache = ChromaVectors(embedder(settings), path=wanted.cache)
    base = base_of(settings, wanted.base)
    gate = texts(cache, Split.GATE)
    test = gate if wanted.gate else texts(cache, Split.HOLDOUT)
    report = dict[str, object]()
    for pull, steps, rate in product(*(getattr(wanted, name).split(",") for name in ("pulls", "steps", "rates"))):
        set_to = {"steps": int(steps), "rate": float(rate), "pull": float(pull)}
        print(set_to, flush=True)
        way = partial(finetune, load=lambda: sentence_transformer(base), rows_by=rows_by, **set_to)
        hits, seconds = shared(gate, test, cache, way)
        ways = {f"{share:.0%} of the tuned cosine" if share else "untrained": of for share, of in hits.items()}
        found = compared(test, ways, "untrained") | {"processor seconds to tune": round(seconds, 1)}
        report[f"pull {pull}, {steps} steps, rate {rate}"] = found
    cache.close()
    if wanted.out:
        wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
