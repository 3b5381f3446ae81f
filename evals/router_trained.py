"""What training adds to the router, on labels of text and on outcomes, for families of goals never trained on.

    python -m evals.router_trained --out evals/results/router-trained.json

Two questions, each with a list-wise loss (UDR) in torch, over five folds of families, none in training and test.
*Which skill is it for?* Gate goals of `evals/router_data` train, holdout goals test: weights of the parts of the score
among the twenty best, or an encoder of goals and texts. *Which of several programs works?* Practice outcomes of
`evals/router_outcomes` train, holdout outcomes test: weights of what the parts and the practice outcomes of each
program say; a goal's own outcome is left out while it trains. Beside it: the product's own estimate
(`routing/outcomes.py`), which has no weights. Needs the extra `train`. The outcomes are those of the first choice
alone; an agent tries the next program where one does not fit the page (`evals.router_learns` measures that). Last, what
`skillagent router train` says to the practice outcomes, with weights, with an encoder, and with MiniLM fine-tuned
(`skillagent models pull minilm`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evals.router_data import FOLDER, load
from skillagent.build import embedder
from skillagent.config import Settings
from skillagent.config import load as load_settings
from skillagent.evaluation.ranking import train
from skillagent.library import Library
from skillagent.ports import VectorCache
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue, Index, text_of
from skillagent.routing.fuse import fuse
from skillagent.routing.outcomes import UNKNOWN, Outcomes
from skillagent.routing.train import Case, Floats, folds, scores, weighed
from skillagent.routing.tune import scores as encoded
from skillagent.routing.tune import tune, tuned
from skillagent.schema import Attempted, Event, Ran, Skill, Split, Task, digest_of
from skillagent.store.vectors import ChromaVectors
from skillagent.trained import base_of, finetuner

_FOLDS = 5
_CANDIDATES = 20
T = TypeVar("T")


def case(
    family: str,
    features: NDArray[np.float32],
    worth: NDArray[np.float32],
    untrained: NDArray[np.float64],
    goal: str = "",
    texts: tuple[str, ...] = (),
) -> Case:
    """Return a goal of which every candidate was tried."""
    near = np.zeros(len(worth), bool)
    return Case(family, features.astype(np.float64), worth.astype(np.float64), untrained, near, goal, texts)


def folded(
    train: Sequence[Case],
    test: Sequence[Case],
    learn: Callable[[Sequence[Case]], T] = weighed,
    by: Callable[[Case, T], Floats] = scores,
) -> tuple[list[float], float]:
    """Return for each test case whether the first choice is right, its family never in training, and mean seconds."""
    hits, seconds = [0.0] * len(test), []
    for own, held in folds([*train, *test], _FOLDS):
        begun = time.process_time()
        learnt = learn([train[n] for n in own if n < len(train)])
        seconds.append(time.process_time() - begun)
        for n in (n - len(train) for n in held if n >= len(train)):
            hits[n] = float(test[n].worth[int(np.argmax(by(test[n], learnt)))])
    return hits, float(np.mean(seconds))


def by_family(cases: Sequence[Case], hits: Sequence[float]) -> NDArray[np.float64]:
    """Return the mean of each family."""
    found: dict[str, list[float]] = {}
    for case, hit in zip(cases, hits, strict=True):
        found.setdefault(case.family, []).append(hit)
    return np.array([np.mean(values) for values in found.values()])


def compared(cases: Sequence[Case], ways: Mapping[str, Sequence[float]], beside: str) -> dict[str, object]:
    """Return the mean over families of each way, and how far it is above one of them, with its interval."""
    base, report = by_family(cases, ways[beside]), dict[str, object]()
    for name, hits in ways.items():
        each = by_family(cases, hits)
        drawn = np.random.default_rng(0).choice(each - base, (2000, len(base))).mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        report[name] = {
            "mean": round(float(each.mean()), 3),
            "above": [round(float(value), 3) for value in ((each - base).mean(), low, high)],
        }
        print(f"{name:48} {report[name]}", flush=True)
    return report


# ── Which skill is it for? ───────────────────────────────────────────────────────────────────────────────────────────


def texts(cache: VectorCache, split: Split) -> list[Case]:
    """Return the goals of a split with the twenty best skills and the parts of their scores."""
    skills, goals = load()
    index, found = Catalogue(cache).skills, []
    index.hold({skill.name: skill for skill in skills})
    for goal in (goal for goal in goals if goal.split == split):
        like = index.likeness(goal.text)
        score = fuse(like)
        best = np.argsort(-score)[:_CANDIDATES]
        near = np.array(index.near(goal.text, like.numbers[best].tolist()))
        same = [index[int(like.numbers[n])][1].domain == goal.domain for n in best]
        parts = np.column_stack([like.words[best], like.whole[best], near, same]).astype(np.float32)
        right = np.array([index[int(like.numbers[n])][0] == goal.skill for n in best], dtype=np.float32)
        said = tuple(text_of(index[int(like.numbers[n])][1]) for n in best)
        found.append(case(goal.skill, parts, right, score[best], goal.text, said))
    return found


# ── Which of several programs works? ─────────────────────────────────────────────────────────────────────────────────


def outcomes(cache: VectorCache, lines: Sequence[dict[str, object]], split: Split) -> tuple[list[Case], list[Case]]:
    """Return the goals of a split with the programs that were tried, twice.

    First as the router orders them without outcomes, then as the product does with those of practice goals.
    """
    skills = [Skill.model_validate(line["skill"]) for line in lines if "skill" in line]
    index = Catalogue(cache).skills
    index.hold({skill.name: skill for skill in skills})
    at = {index[number][0]: number for number in range(len(skills))}
    rows = [line for line in lines if "task" in line and line["solved"]]
    blind, seeing = [], []
    for row in (row for row in rows if row["split"] == split):
        goal, names = str(row["goal"]), list(row["solved"])
        told = Outcomes(cache, lambda own=row: _ledger(rows, own, index)).expected(goal, [index.find(n) for n in names])
        known = [UNKNOWN if share is None else share for share in told]
        like, letters = index.likeness(goal), index.fitting(goal)
        score = dict(zip(like.numbers.tolist(), fuse(like), strict=True))
        fixed = np.array([letters[at[name]] / len(goal) for name in names])
        likeness = np.array([score[at[name]] for name in names])
        rates = [_rate(rows, row, name) for name in names]
        parts = np.column_stack([known, rates, fixed, likeness]).astype(np.float32)
        worth = np.array([float(row["solved"][name]) for name in names], dtype=np.float32)
        blind.append(case(str(row["task"]), parts, worth, fixed + 1e-3 * likeness))
        seeing.append(case(str(row["task"]), parts, worth, np.array(known) + 0.5 * fixed + 1e-3 * likeness))
    return blind, seeing


def _practised(rows: Sequence[dict[str, object]], own: dict[str, object]) -> list[dict[str, object]]:
    return [row for row in rows if row["split"] == Split.PRACTICE and row is not own]


def _ledger(rows: Sequence[dict[str, object]], own: dict[str, object], index: Index[Skill]) -> list[Event]:
    """Return the practice outcomes, but for one goal's own, as events."""
    found = []
    for row in _practised(rows, own):
        env, name = str(row["task"]).split("/")
        for program, done in row["solved"].items():
            task, goal = Task(env=env, name=name, seed=row["seed"]), str(row["goal"])
            run = Ran(skill=program, program=digest_of(index.find(program).files[FILE]), goal=goal)
            tried = Attempted(attempt="-", task=task, goal=goal, score=float(done), runs=(run,))
            found.append(Event(seq=len(found), at="", library="", entry=tried))
    return found


def _rate(rows: Sequence[dict[str, object]], own: dict[str, object], name: str) -> float:
    """Return the share of a program's practice outcomes that are good, whatever the goals."""
    known = [row["solved"][name] for row in _practised(rows, own) if name in row["solved"]]
    return (sum(known) + 2 * UNKNOWN) / (len(known) + 2)


def commanded(settings: Settings, cache: VectorCache, lines: Sequence[dict[str, object]]) -> dict[str, object]:
    """Return what the command comes to on the practice outcomes alone, by each of its ways: the verdicts."""
    skills = {skill.name: skill for skill in (Skill.model_validate(line["skill"]) for line in lines if "skill" in line)}
    index = Catalogue(cache).skills
    index.hold(skills)
    events = _ledger([line for line in lines if "task" in line and line["solved"]], {}, index)
    report: dict[str, object] = {}
    begun = partial(train, Library(skills=skills), events, cache, version=1, at="", watch=print)
    ways = {
        "skillagent router train": begun,
        "skillagent router train --encoder": partial(begun, tune=tune),
        "skillagent router train --fine-tune": partial(begun, finetune=finetuner(lambda: base_of(settings), print)),
    }
    for name, way in ways.items():
        began = time.process_time()
        compared = way().compared
        print(f"{name}, {time.process_time() - began:.0f} processor seconds: {compared}", flush=True)
        report[name] = {kind: one.model_dump() | {"accepted": one.accepted} for kind, one in compared.items()}
    return report


def first(cases: Sequence[Case]) -> list[float]:
    """Return for each goal whether the untrained first choice is right."""
    return [float(case.worth[int(np.argmax(case.untrained))]) for case in cases]


def main() -> int:
    """Train, compare, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/skillagent/router")
    wanted = parser.parse_args()
    settings = load_settings()
    cache = ChromaVectors(embedder(settings), path=wanted.cache)
    gate, holdout = texts(cache, Split.GATE), texts(cache, Split.HOLDOUT)
    print(f"which skill: {len(gate)} goals train, {len(holdout)} test")
    hits, seconds = folded(gate, holdout)
    by_encoder, turning = folded(gate, holdout, partial(tuned, cache=cache), partial(encoded, cache=cache))
    ways = {"untrained": first(holdout), "trained": hits, "an encoder": by_encoder}
    report = {"which skill": compared(holdout, ways, "untrained")}
    print(f"processor seconds to train {seconds:.1f}, an encoder {turning:.1f}", flush=True)
    lines = [json.loads(one) for one in (FOLDER / "router-outcomes.jsonl").read_text(encoding="utf-8").splitlines()]
    (known, taught), (test, seeing) = (outcomes(cache, lines, split) for split in (Split.PRACTICE, Split.HOLDOUT))
    (hits, took), (further, _) = folded(known, test), folded(taught, seeing)
    print(f"which program: {len(known)} goals train, {len(test)} test; processor seconds to train {took:.1f}")
    ways = {
        "words alone": first(test),
        "the share that each program solved": [float(one.worth[int(np.argmax(one.features[:, 1]))]) for one in test],
        "outcomes of goals alike (the product)": first(seeing),
        "trained on outcomes, from words on": hits,
        "trained on outcomes, from the product's estimate on": further,
        "any choice by chance": [float(one.worth.mean()) for one in test],
        "the best choice": [float(one.worth.max()) for one in test],
    }
    report["which program"] = compared(test, ways, "words alone")
    report |= commanded(settings, cache, lines)
    cache.close()
    if wanted.out:
        wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
