"""From which score on a skill is shown: calibrated on gate goals, looked at on holdout goals.

    python -m evals.router_gate --out evals/results/router-gate.json

Libraries of 1 to 1,164 skills are drawn from the router's data; all skills have solved goals, or half of them, or none.
Each gate goal is asked with its skill there and with its skill taken out, and a logistic regression tells from the best
score and its lead over the next ones whether the best is right. The numbers in `routing/fuse.py` are what it prints.
`before` are the thresholds that the chance replaced: a cosine of 0.85 to a solved goal, or of 0.60 to the text.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.router_data import Goal, distractors, load
from evals.router_ladder import Bench
from skillagent.build import embedder
from skillagent.config import load as load_settings
from skillagent.ports import VectorCache
from skillagent.routing.fuse import RIVALS, chance
from skillagent.routing.route import Thresholds
from skillagent.schema import Skill, Split
from skillagent.store.vectors import ChromaVectors

SIZES = (1, 3, 8, 20, 60, None)


@dataclass(frozen=True)
class Case:
    """One goal in one library: its skill is there or not, and what the best skill's score says."""

    there: bool
    right: bool
    best: float
    rivals: NDArray[np.float64]
    proven: bool
    solved: float
    before: bool
    weight: float


def cases(bench: Bench, size: int | None, own_domain: bool = False) -> list[Case]:
    """Return every goal with its skill and without, each in a library of its own that is drawn."""
    rng, found = np.random.default_rng(1), []
    scores, solved, text = bench.routed(), bench.solved("nearest"), bench.near(bench.today)
    domains = np.array([skill.domain for skill in bench.skills])
    names = [goal.skill for goal in bench.goals]
    for row, goal in enumerate(bench.goals):
        pool = np.arange(len(bench.skills))
        if own_domain:
            pool = pool[(domains == "") | (domains == goal.domain)]
        drawn = pool if size is None else rng.choice(pool, min(size, len(pool)), replace=False)
        others = drawn[drawn != bench.right[row]]
        for there in (True, False):
            held = np.append(others, bench.right[row]) if there else others
            if not len(held):
                continue
            order = held[np.argsort(-scores[row, held])]
            top = order[0]
            found.append(
                Case(
                    there=there,
                    right=bool(top == bench.right[row]),
                    best=float(scores[row, top]),
                    rivals=scores[row, order[1 : RIVALS + 1]],
                    proven=bool(bench.skills[top].goals),
                    solved=float(solved[row, top]),
                    before=bool(((solved[row, held] >= 0.85) | (text[row, held] >= 0.60)).any()),
                    weight=1 / names.count(goal.skill),
                )
            )
    return found


def fitted(cases: Sequence[Case], proven: bool) -> list[float]:
    """Return the weights of score, lead and neither, with which the chance that the best is right fits best."""
    these = [case for case in cases if case.proven is proven]
    lead = [case.best - (case.rivals.sum() + 0.1 * (RIVALS - len(case.rivals))) / RIVALS for case in these]
    rows = np.column_stack([[case.best for case in these], lead, np.ones(len(these))])
    right = np.array([case.there and case.right for case in these], dtype=float)
    weights, ridge, found = np.array([case.weight for case in these]), np.diag([0.01, 0.01, 0.0]), np.zeros(3)
    for _ in range(50):  # Newton's steps
        said = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (weights * (said - right)) + ridge @ found
        found = found - np.linalg.solve((rows.T * (weights * said * (1 - said))) @ rows + ridge, slope)
    return [round(float(one), 1) for one in found]


def looked_at(cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Return how often something is shown, and rightly, where the skill is there, and shown where it is not."""
    limits, found = Thresholds(), {}
    ways = {
        "before": [case.before for case in cases],
        "chance": [
            chance(case.best, case.rivals, proven=case.proven) >= limits.chance or case.solved >= limits.covers
            for case in cases
        ],
    }
    for name, shown in ways.items():
        pairs = list(zip(cases, shown, strict=True))
        found[name] = {
            "shown": _share([(case, yes) for case, yes in pairs if case.there]),
            "rightly": _share([(case, yes and case.right) for case, yes in pairs if case.there]),
            "shown in vain": _share([(case, yes) for case, yes in pairs if not case.there]),
        }
    return found


def _share(pairs: Sequence[tuple[Case, bool]]) -> float:
    whole = sum(case.weight for case, _ in pairs)
    return round(sum(case.weight for case, yes in pairs if yes) / whole, 3) if whole else 0.0


def benches(
    split: Split, goals: Sequence[Goal], skills: Sequence[Skill], cache: VectorCache, count: int
) -> list[Bench]:
    """Return benches in which all skills have solved goals, half of them, and none; with so many unrelated skills."""
    asked = [goal for goal in goals if goal.split == split]
    unrelated = distractors(1000)[:count]
    bare = [skill.model_copy(update={"goals": ()}) for skill in skills]
    half = [one if n % 2 else other for n, (one, other) in enumerate(zip(skills, bare, strict=True))]
    return [Bench(asked, [*held, *unrelated], cache) for held in (skills, half, bare)]


def main() -> int:
    """Fit on gate goals, look at holdout goals, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/skillagent/router")
    wanted = parser.parse_args()
    cache = ChromaVectors(embedder(load_settings()), path=wanted.cache)
    skills, goals = load()
    seen = []
    for bench in benches(Split.GATE, goals, skills, cache, 0):
        for size in SIZES:
            seen += cases(bench, size) + cases(bench, size, own_domain=True)
    for bench in benches(Split.GATE, goals, skills, cache, 1000):
        seen += cases(bench, None)
    report: dict[str, object] = {"proven": fitted(seen, proven=True), "untried": fitted(seen, proven=False)}
    print(report)
    for count, sizes in ((0, (1, 3, 8, 20, None)), (1000, (None,))):
        three = benches(Split.HOLDOUT, goals, skills, cache, count)
        for told, bench in zip(("all", "half", "none"), three, strict=True):
            for size, own in product(sizes, (False, True)):
                name = f"{size or len(bench.skills)} skills, {told} proven{', own domain' if own else ''}"
                report[name] = looked_at(cases(bench, size, own))
                print(name, report[name], flush=True)
    cache.close()
    if wanted.out:
        wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
