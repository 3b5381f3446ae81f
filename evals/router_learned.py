"""What learning adds to the ladder: the order of the router's candidates trained, with unrelated skills among them.

    python -m evals.router_learned --out evals/results/router-learned.json

Goals, skills and distractors are those of `evals/router_ladder`, and so are the figures. For each goal the router finds
its twenty candidates with their features, distractors in; gate goals train, over five folds of skills so that no skill
is trained on and tested, and holdout goals have their candidates ordered by the product's weights or its encoder.
Learnt is the order alone: the AUROC is that of the product's untrained chance, for goals whose skill is there and for
the same goals where it was taken out, and all rows share it. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evals.router_data import Goal, distractors, load
from evals.router_ladder import auroc
from skillagent.build import embedder
from skillagent.config import load as load_settings
from skillagent.ports import VectorCache
from skillagent.routing.catalogue import Catalogue, Index, text_of
from skillagent.routing.fuse import RIVALS, chance, fuse
from skillagent.routing.route import candidates
from skillagent.routing.train import Case, Floats, folds, scores, weighed
from skillagent.routing.tune import scores as encoded
from skillagent.routing.tune import tuned
from skillagent.schema import Skill, Split
from skillagent.store.vectors import ChromaVectors

T = TypeVar("T")


def cases(goals: Sequence[Goal], index: Index[Skill], own: bool) -> list[Case]:
    """Return goals with the router's candidates in words; what is for a goal is worth 1, every other skill nothing."""
    found = []
    for goal in goals:
        words = candidates(goal.text, goal.domain if own else "", index).words
        found.append(
            Case(
                family=goal.skill,
                features=np.array([one.features for one in words], dtype=np.float64),
                worth=np.array([float(one.one.id == goal.skill) for one in words]),
                untrained=np.array([one.score for one in words], dtype=np.float64),
                spared=np.zeros(len(words), dtype=bool),
                goal=goal.text,
                texts=tuple(text_of(index.find(one.one.id)) for one in words),
            )
        )
    return found


def divided(train: Sequence[Case], test: Sequence[Case]) -> Iterator[tuple[list[Case], list[int]]]:
    """Yield the cases that train and the places of those that are tested by it, no family among both."""
    for own, held in folds([*train, *test]):
        yield [train[n] for n in own if n < len(train)], [n - len(train) for n in held if n >= len(train)]


def reordered(
    train: Sequence[Case], test: Sequence[Case], learn: Callable[[Sequence[Case]], T], by: Callable[[Case, T], Floats]
) -> list[Floats]:
    """Return the scores of each test case's candidates by what was learnt without its family."""
    found = [case.untrained for case in test]
    for own, held in divided(train, test):
        learnt = learn(own)
        for n in held:
            found[n] = by(test[n], learnt)
    return found


@dataclass(frozen=True)
class Sure:
    """The untrained chance that the best fits, of goals whose skill is there, and where it was taken out."""

    there: NDArray[np.float64]
    absent: NDArray[np.float64]


def sure(goals: Sequence[Goal], index: Index[Skill], own: bool) -> Sure:
    """Return how sure the router is."""
    there, absent = list[float](), list[float]()
    for goal in goals:
        like = index.likeness(goal.text, goal.domain if own else "")
        score = fuse(like)
        right = next(n for n, number in enumerate(like.numbers) if index[int(number)][0] == goal.skill)
        there.append(_chance(score, like.proven))
        absent.append(_chance(np.delete(score, right), np.delete(like.proven, right)))
    return Sure(np.array(there), np.array(absent))


def _chance(score: NDArray[np.float64], proven: NDArray[np.bool_]) -> float:
    best = np.argsort(-score, kind="stable")[: 1 + RIVALS]
    return chance(float(score[best[0]]), score[best[1:]], proven=bool(proven[best[0]]))


def ranks(test: Sequence[Case], by: Sequence[Floats]) -> NDArray[np.intp]:
    """Return how many candidates come before what is right; a tie is lost, and so is what is no candidate."""
    found = []
    for case, score in zip(test, by, strict=True):
        right = case.worth > 0
        found.append(int((score[~right] >= score[right][0]).sum()) if right.any() else len(score))
    return np.array(found)


def by_skill(hits: NDArray[np.bool_], test: Sequence[Case]) -> NDArray[np.float64]:
    """Return the mean of each skill's goals."""
    names = np.array([case.family for case in test])
    return np.array([hits[names == name].mean() for name in dict.fromkeys(names)])


def interval(values: NDArray[np.float64]) -> list[float]:
    """Return the mean over skills and its 95 % interval from resampling them."""
    drawn = np.random.default_rng(0).choice(values, (2000, len(values))).mean(axis=1)
    return [round(float(value), 3) for value in (values.mean(), *np.quantile(drawn, [0.025, 0.975]))]


def rows(skills: Sequence[Skill], goals: Sequence[Goal], cache: VectorCache, own: bool) -> Mapping[str, object]:
    """Return the figures of the router, and of its candidates in the order of weights and of an encoder."""
    index = Catalogue(cache).skills
    index.hold({skill.name: skill for skill in skills})
    gate, holdout = ([goal for goal in goals if goal.split == split] for split in (Split.GATE, Split.HOLDOUT))
    train, test = cases(gate, index, own), cases(holdout, index, own)
    told, report = sure(holdout, index, own), dict[str, object]()
    orders = {
        "the router": [case.untrained for case in test],
        "weights": reordered(train, test, weighed, scores),
        "encoder": reordered(train, test, partial(tuned, cache=cache), partial(encoded, cache=cache)),
    }
    base = by_skill(ranks(test, orders["the router"]) < 1, test)
    for name, order in orders.items():
        rank = ranks(test, order)
        first = by_skill(rank < 1, test)
        report[name] = {
            "recall@1": interval(first)[0],
            "interval": interval(first)[1:],
            "recall@5": interval(by_skill(rank < 5, test))[0],
            "auroc": round(auroc(told.there, told.absent), 3),
            "recall@1 above the router": interval(first - base),
        }
    return report


def main() -> int:
    """Measure with and without distractors, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--distractors", default="0,1000,10000")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/skillagent/router")
    wanted = parser.parse_args()
    counts = [int(count) for count in wanted.distractors.split(",")]
    (skills, goals), unrelated = load(), distractors(max(counts))
    cache = ChromaVectors(embedder(load_settings()), path=wanted.cache)
    names = "\n".join(one.name for one in unrelated)
    report: dict[str, object] = {
        "trains": sum(goal.split == Split.GATE for goal in goals),
        "tests": sum(goal.split == Split.HOLDOUT for goal in goals),
        "distractors": {"digest": hashlib.sha256(names.encode()).hexdigest()[:16], "from": "botocore"},
    }
    for count in counts:
        begun, there = time.process_time(), [*skills, *unrelated[:count]]
        found = {title: rows(there, goals, cache, own) for title, own in (("all", False), ("own", True))}
        report[f"{count} distractors"] = found
        for title, own in found.items():
            for name, one in own.items():
                print(f"{count:6} {title} {name:12} {one}", flush=True)
        print(f"{count:6} {time.process_time() - begun:.0f} processor seconds", flush=True)
        if wanted.out:
            wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    cache.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
