"""How often each way to route finds the skill of a held-out goal, and tells when there is none.

    python -m evals.router_ladder --out evals/results/router-ladder.json

Goals and skills are those of `evals/router_data`, distractors what botocore says of its operations. recall@1 and @5 are
means over skills (each skill counts once), with 95 % intervals from resampling skills; a tie is a miss. AUROC: how well
a score tells a goal whose skill is in the library from one whose skill was taken out of it. "own": skills of other
environments are no candidates; "verbs": nor those that are known to do other kinds of things (`thresholds.verbs`).
Texts are embedded once and kept in `--cache`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import bm25s
import numpy as np
from numpy.typing import NDArray

from evals.router_data import Goal, distractors, load
from skillagent.build import embedder
from skillagent.config import load as load_settings
from skillagent.goals import shape
from skillagent.ports import VectorCache
from skillagent.routing.catalogue import Catalogue, Index
from skillagent.routing.fuse import fuse
from skillagent.routing.lexical import Words
from skillagent.schema import Skill, Split
from skillagent.store.vectors import ChromaVectors

Scores = NDArray[np.float64]  # of goals by skills
Kept = NDArray[np.bool_]  # which skills are candidates for each goal
Way = Callable[[Kept], Scores]
_PART = 700  # characters of a body that make one vector


@dataclass(frozen=True)
class Bench:
    """Goals and a library, with what the ways to route are made of; each part is worked out once."""

    goals: Sequence[Goal]
    skills: Sequence[Skill]
    cache: VectorCache

    @cached_property
    def right(self) -> NDArray[np.intp]:
        """The column of each goal's skill."""
        at = {skill.name: n for n, skill in enumerate(self.skills)}
        return np.array([at[goal.skill] for goal in self.goals])

    @cached_property
    def queries(self) -> NDArray[np.float32]:
        """The goals' shapes."""
        return self.cache.vectors([shape(goal.text) for goal in self.goals])

    def bm25(self, texts: Sequence[str]) -> Scores:
        """BM25Plus, the goal as stated."""
        words = Words(texts)
        return np.array([words.scores(goal.text) for goal in self.goals])

    def lucene(self, texts: Sequence[str], method: str = "lucene") -> Scores:
        """BM25 of bm25s, as the router had it."""
        corpus = bm25s.tokenize(list(texts), stopwords="en", show_progress=False, return_ids=False)
        asked = [goal.text for goal in self.goals]
        queries = bm25s.tokenize(asked, stopwords="en", show_progress=False, return_ids=False)
        known = {word for document in corpus for word in document}
        index = bm25s.BM25(method=method)
        index.index(corpus, show_progress=False)
        rows = [[word for word in query if word in known] for query in queries]
        return np.array([index.get_scores(row) if row else np.zeros(len(texts)) for row in rows], dtype=np.float64)

    def near(self, texts: Sequence[str]) -> Scores:
        """Cosines to one text a skill."""
        return np.asarray(self.queries @ self.cache.vectors(texts).T, dtype=np.float64)

    @cached_property
    def described(self) -> list[str]:
        """Name and description."""
        return [f"{skill.name.replace('-', ' ')}\n{skill.description}" for skill in self.skills]

    @cached_property
    def whole(self) -> list[str]:
        """The text without the goals that were solved."""
        return [f"{text}\n{skill.body}" for text, skill in zip(self.described, self.skills, strict=True)]

    @cached_property
    def today(self) -> list[str]:
        """The text as the router had it: three of the solved goals in it."""
        return [
            "\n".join([skill.name.replace("-", " "), skill.description, *skill.goals[:3], skill.body])
            for skill in self.skills
        ]

    @cached_property
    def expanded(self) -> list[str]:
        """The text with all goals that were solved."""
        return ["\n".join([text, *skill.goals]) for text, skill in zip(self.whole, self.skills, strict=True)]

    def solved(self, pooled: str) -> Scores:
        """Cosines to solved goals: to the nearest one or to their running mean; -1 where nothing was solved."""
        found = np.full((len(self.goals), len(self.skills)), -1.0)
        for column, skill in enumerate(self.skills):
            if skill.goals:
                rows = self.cache.vectors([shape(goal) for goal in skill.goals])
                near = self.queries @ rows.T
                found[:, column] = near.max(axis=1) if pooled == "nearest" else self.queries @ _unit(rows.mean(axis=0))
        return found

    def centroid(self, weight: float = 0.5) -> Scores:
        """Cosines to one vector a skill: of its text and its solved goals together."""
        rows = np.array(self.cache.vectors(self.whole))
        for n, skill in enumerate(self.skills):
            if skill.goals:
                mean = _unit(self.cache.vectors([shape(goal) for goal in skill.goals]).mean(axis=0))
                rows[n] = _unit((1 - weight) * rows[n] + weight * mean)
        return np.asarray(self.queries @ rows.T, dtype=np.float64)

    @cached_property
    def index(self) -> Index[Skill]:
        """The product's index of the skills, whose numbers are their columns."""
        index = Catalogue(self.cache).skills
        index.hold({skill.name: skill for skill in self.skills})
        return index

    def routed(self) -> Scores:
        """The product's own score."""
        return np.array([fuse(self.index.likeness(goal.text)) for goal in self.goals])

    @cached_property
    def of_kind(self) -> Kept:
        """Which skills are not known to do other kinds of things than each goal asks for (`thresholds.verbs`)."""
        kept = np.zeros((len(self.goals), len(self.skills)), dtype=bool)
        for row, goal in enumerate(self.goals):
            kept[row, self.index.likeness(goal.text, verbs=True).numbers] = True
        return kept

    def parts(self) -> Scores:
        """Cosines to the nearest of a skill's own texts: what it says it does, and its body in parts."""
        texts, owner = list[str](), list[int]()
        for n, (told, skill) in enumerate(zip(self.described, self.skills, strict=True)):
            for text in (told, *(skill.body[at : at + _PART] for at in range(0, len(skill.body), _PART))):
                texts.append(text)
                owner.append(n)
        near = self.near(texts)
        starts = np.flatnonzero(np.diff(np.array([-1, *owner])))
        return np.maximum.reduceat(near, starts, axis=1)


def _unit(row: NDArray[np.float32]) -> NDArray[np.float32]:
    return row / max(float(np.linalg.norm(row)), 1e-9)


def z(scores: Scores, kept: Kept) -> Scores:
    """Return each goal's scores in standard deviations from their mean over what is kept."""
    counts = kept.sum(axis=1, keepdims=True)
    mean = np.where(kept, scores, 0.0).sum(axis=1, keepdims=True) / counts
    spread = np.sqrt(np.where(kept, (scores - mean) ** 2, 0.0).sum(axis=1, keepdims=True) / counts)
    return (scores - mean) / np.where(spread < 1e-9, 1.0, spread)


def among(count: int, kept: Kept, *weighted: tuple[float, Scores]) -> Scores:
    """Return sums of z-scores over only those that are among the best by any part: others cannot move them."""
    best = np.zeros_like(kept)
    for _, part in weighted:
        order = np.argpartition(-np.where(kept, part, -np.inf), min(count, part.shape[1] - 1), axis=1)
        np.put_along_axis(best, order[:, :count], True, axis=1)
    best &= kept
    return np.where(best, sum(weight * z(part, best) for weight, part in weighted), -np.inf)


def by_domain(bench: Bench, scores: Scores) -> Scores:
    """Return the scores in standard deviations of what each domain's skills score for all goals (UltraEdit)."""
    scores, domains = scores.copy(), np.array([skill.domain for skill in bench.skills])
    for domain in set(domains.tolist()):
        of = scores[:, domains == domain]
        scores[:, domains == domain] = (of - of.mean()) / max(float(of.std()), 1e-9)
    return scores


def ladder(bench: Bench, parts: bool) -> Mapping[str, Way]:
    """Return the ways to route, from the poorest on."""
    random = np.random.default_rng(0).random((len(bench.goals), len(bench.skills)))
    text, today = bench.near(bench.whole), bench.near(bench.today)
    nearest, centroid = bench.solved("nearest"), bench.centroid()
    lucene, expanded = bench.lucene(bench.today), bench.bm25(bench.expanded)
    alone = {
        "random": random,
        "BM25Plus over descriptions": bench.bm25(bench.described),
        "BM25 of bm25s (robertson) over the text": bench.lucene(bench.whole, "robertson"),
        "BM25 of bm25s (lucene) over the text": bench.lucene(bench.whole),
        "BM25Plus over the text": bench.bm25(bench.whole),
        "dense over descriptions": bench.near(bench.described),
        "dense over the text": text,
        "BM25Plus over text and solved goals": expanded,
        "nearest solved goal": nearest,
        "prototype of solved goals": bench.solved("mean"),
        "criterion before: cosines over their thresholds": np.maximum(nearest - 0.85, bench.near(bench.today) - 0.60),
        "the router": bench.routed(),
    }
    ways: dict[str, Way] = {name: partial(as_it_is, scores) for name, scores in alone.items()}
    ways |= {
        "fusion before: z(words) + z(text) + z(nearest)": lambda kept: (
            0.4 * z(lucene, kept) + z(today, kept) + z(nearest, kept)
        ),
        "bar: z(words) + z(centroid)": lambda kept: 0.5 * z(expanded, kept) + z(centroid, kept),
        "the same, z among the best 20": lambda kept: among(20, kept, (0.4, expanded), (1.0, centroid)),
        "the same, z of each domain's skills": lambda kept: by_domain(
            bench, 0.5 * z(expanded, kept) + z(centroid, kept)
        ),
    }
    if parts:
        near = bench.parts()
        ways["dense, nearest of description and parts"] = partial(as_it_is, near)
        ways["z(words) + z(parts) + z(nearest)"] = lambda kept: (
            0.4 * z(expanded, kept) + z(near, kept) + z(nearest, kept)
        )
    return ways


def as_it_is(scores: Scores, _: Kept) -> Scores:
    """Return scores that do not depend on what else is there."""
    return scores


@dataclass(frozen=True)
class Firsts:
    """How often each skill came first, and each goal's best score with its skill and without."""

    skills: NDArray[np.float64]
    there: NDArray[np.float64]
    absent: NDArray[np.float64]


def measured(bench: Bench, way: Way, filtered: bool = False, verbs: bool = False) -> tuple[dict[str, object], Firsts]:
    """Return recall and AUROC of one way to route, and what they are made of."""
    kept = np.ones((len(bench.goals), len(bench.skills)), dtype=bool)
    if filtered:
        domains, asked = np.array([skill.domain for skill in bench.skills]), [goal.domain for goal in bench.goals]
        kept = (domains == "") | (domains == np.array(asked)[:, None])
    if verbs:
        kept &= bench.of_kind
    rows = np.arange(len(bench.goals))
    there = np.where(kept, way(kept), -np.inf)
    own = there[rows, bench.right]
    there[rows, bench.right] = -np.inf
    rank = (there >= own[:, None]).sum(axis=1)  # a tie is lost
    without = kept.copy()
    without[rows, bench.right] = False
    absent = np.where(without, way(without), -np.inf).max(axis=1)
    names = np.array([goal.skill for goal in bench.goals])
    first, fifth = _by_skill(rank < 1, names), _by_skill(rank < 5, names)
    best = np.maximum(own, there.max(axis=1))
    return {
        "recall@1": round(float(first.mean()), 3),
        "interval": [round(float(end), 3) for end in _interval(first)],
        "recall@5": round(float(fifth.mean()), 3),
        "auroc": round(auroc(best, absent), 3),
    }, Firsts(first, best, absent)


def lead_in_abstention(names: NDArray[np.str_], one: Firsts, other: Firsts) -> list[float]:
    """Return by how much AUROC is greater, and its interval from resampling skills with all their goals."""
    rows = [np.flatnonzero(names == name) for name in dict.fromkeys(names)]
    rng, leads = np.random.default_rng(0), list[float]()
    for turn in range(401):
        drawn = range(len(rows)) if turn == 0 else rng.integers(0, len(rows), len(rows))
        taken = np.concatenate([rows[n] for n in drawn])
        leads.append(auroc(one.there[taken], one.absent[taken]) - auroc(other.there[taken], other.absent[taken]))
    return [round(float(value), 3) for value in (leads[0], *np.quantile(leads[1:], [0.025, 0.975]))]


def _by_skill(hits: NDArray[np.bool_], names: NDArray[np.str_]) -> NDArray[np.float64]:
    return np.array([hits[names == name].mean() for name in dict.fromkeys(names)])


def _interval(values: NDArray[np.float64]) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    return np.quantile(rng.choice(values, (2000, len(values))).mean(axis=1), [0.025, 0.975])


def auroc(there: NDArray[np.float64], absent: NDArray[np.float64]) -> float:
    """Return how often the score of a goal with its skill is above that of one without; ties count half."""
    order = np.sort(absent)
    below, upto = np.searchsorted(order, there, "left"), np.searchsorted(order, there, "right")
    return float((below + upto).mean() / 2 / len(absent))


def main() -> int:
    """Measure every way with and without distractors, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--split", default="holdout", choices=[str(split) for split in Split])
    parser.add_argument("--solved", type=int, help="so many solved goals a skill; all, if not given")
    parser.add_argument("--router", action="store_true", help="the router alone")
    parser.add_argument("--distractors", default="0,1000,10000")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/skillagent/router")
    wanted = parser.parse_args()
    counts = [int(count) for count in wanted.distractors.split(",")]
    skills, goals = load()
    skills = [skill.model_copy(update={"goals": skill.goals[: wanted.solved]}) for skill in skills]
    goals = [goal for goal in goals if goal.split == wanted.split]
    unrelated = distractors(max(counts))
    cache = ChromaVectors(embedder(load_settings()), path=wanted.cache)
    names = "\n".join(one.name for one in unrelated)
    report: dict[str, object] = {
        "split": wanted.split,
        "solved": wanted.solved,
        "goals": len(goals),
        "skills": len(skills),
        "distractors": {"digest": hashlib.sha256(names.encode()).hexdigest()[:16], "from": "botocore"},
    }
    for count in counts:
        bench, found, firsts = Bench(goals, [*skills, *unrelated[:count]], cache), {}, {}
        alone = {"the router": partial(as_it_is, bench.routed())} if wanted.router else None
        for name, way in (alone or ladder(bench, parts=count <= 1000)).items():
            (one, firsts[name]), (own, of) = measured(bench, way), measured(bench, way, filtered=True)
            kind, kinds = measured(bench, way, filtered=True, verbs=True)
            found[name] = {"all": one, "own": own, "verbs": kind}
            print(f"{count:6} {name:48} {one} own {own['recall@1']} {own['recall@5']} {own['auroc']}", flush=True)
            print(f"{'':6} of kind {kind['recall@1']} {kind['recall@5']} {kind['auroc']}", flush=True)
            if name == "the router":
                by_kind = kinds.skills - of.skills
                ends = [round(float(end), 3) for end in _interval(by_kind)]
                sure = lead_in_abstention(np.array([goal.skill for goal in goals]), kinds, of)
                found[name]["by kind"] = {"recall@1": [round(float(by_kind.mean()), 3), *ends], "auroc": sure}
                print(f"{'':6} leaving out other kinds: {by_kind.mean():.3f} {ends}, auroc {sure}", flush=True)
        asked = np.array([goal.skill for goal in goals])
        for name in (
            "fusion before: z(words) + z(text) + z(nearest)",
            "bar: z(words) + z(centroid)",
            "criterion before: cosines over their thresholds",
            "nearest solved goal",
        ):
            if name not in firsts:
                continue
            lead = firsts["the router"].skills - firsts[name].skills
            ends = [round(float(end), 3) for end in _interval(lead)]
            found["the router"][f"recall@1 above {name.split(':')[0]}"] = [round(float(lead.mean()), 3), *ends]
            sure = lead_in_abstention(asked, firsts["the router"], firsts[name])
            found["the router"][f"auroc above {name.split(':')[0]}"] = sure
            print(
                f"{count:6} the router above {name.split(':')[0]}: {lead.mean():.3f} {ends}, auroc {sure}", flush=True
            )
        report[f"{count} distractors"] = found
    cache.close()
    if wanted.out:
        wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
