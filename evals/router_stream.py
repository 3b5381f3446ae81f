"""What a trained router forgets when worlds come one after another, by each of nine ways to keep it from forgetting.

    python -m evals.router_stream --out evals/results/router-stream.json

Goals and skills are those of `evals/router_data`. The five worlds come one after another, in several orders; a world's
skills join the library, and an adapter of the goal's embedding (a low-rank matrix added to the identity, nothing at
first) is trained on its practice and gate goals: list-wise, by what is for the goal, among the twenty best candidates.
A goal that trains does not count among the goals that its skill has solved, or it would find itself. After each world
the holdout goals of all worlds so far are routed among all skills so far. Needs the extra `train`.

`untrained` is the router's score, with what was solved so far in the skills' prototypes; nothing else is learnt. All
worlds' skills so far are candidates for every goal, so that there is something to forget; the product looks at those of
the goal's own world alone.
Forgetting: the best that a world's recall@1 ever was, less what it is at the end. Backward transfer: what it is at the
end, less what it was when its world had just been trained.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax, normalize, softmax

from evals.router_data import Goal, load
from skillagent.build import embedder
from skillagent.config import load as load_settings
from skillagent.goals import shape
from skillagent.ports import VectorCache
from skillagent.routing.lexical import Words
from skillagent.routing.train import listwise
from skillagent.schema import Skill, Split
from skillagent.store.vectors import ChromaVectors

_WORDS = 0.3
_RANK, _STEPS, _RATE, _SHARP = 16, 100, 1e-3, 10.0
_CANDIDATES = 20
_NONE = -10.0  # the score of no candidate
_KEPT = 60  # goals of earlier worlds that a buffer holds
_PULL = 5.0  # how much what is to be kept counts beside what is new


@dataclass(frozen=True)
class Batch:
    """Goals as what training and routing need: unit rows, and for each goal the scores and vectors of its candidates.

    `goals` (n, d); `base` (n, k): the untrained scores; `skills` (n, k, d): the candidates' vectors; `right` (n, k).
    """

    goals: Tensor
    base: Tensor
    skills: Tensor
    right: Tensor

    def __len__(self) -> int:
        return len(self.goals)

    def of(self, rows: Sequence[int]) -> Batch:
        """Return some of the goals."""
        return Batch(*(part[list(rows)] for part in (self.goals, self.base, self.skills, self.right)))

    def and_(self, other: Batch | None) -> Batch:
        """Return these goals and others."""
        if other is None or not len(other):
            return self
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Batch(*(torch.cat([one, two]) for one, two in pairs))


@dataclass(frozen=True)
class Adapter:
    """What is added to the identity: `down` (d, r) times `up` (r, d)."""

    down: Tensor
    up: Tensor

    @classmethod
    def fresh(cls, width: int, seed: int) -> Adapter:
        """Return one that changes nothing yet."""
        drawn = torch.randn(width, _RANK, generator=torch.Generator().manual_seed(seed))
        return cls(drawn / width**0.5, torch.zeros(_RANK, width))

    def scores(self, batch: Batch) -> Tensor:
        """Return the scores of each goal's candidates."""
        moved = normalize(batch.goals + batch.goals @ self.down @ self.up, dim=1) - batch.goals
        return batch.base + (moved[:, None, :] * batch.skills).sum(-1)

    def hits(self, batch: Batch) -> NDArray[np.float64]:
        """Return for each goal whether its skill comes first."""
        first = self.scores(batch).argmax(1, keepdim=True)
        return batch.right.gather(1, first)[:, 0].numpy().astype(np.float64)

    @property
    def parts(self) -> tuple[Tensor, Tensor]:
        """Return what is trained."""
        return self.down, self.up


Penalty = Callable[[Adapter], Tensor]


def trained(start: Adapter, batch: Batch, penalty: Penalty | None = None) -> Adapter:
    """Return an adapter that was trained on a batch, from another one on."""
    now = Adapter(*(part.clone().requires_grad_() for part in start.parts))
    batch = batch.of(np.flatnonzero(batch.right.sum(1).numpy()).tolist())
    optimiser = torch.optim.AdamW(now.parts, lr=_RATE)
    for _ in range(_STEPS):
        loss = listwise(_SHARP * now.scores(batch), batch.right).mean()
        if penalty is not None:
            loss = loss + _PULL * penalty(now)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return Adapter(*(part.detach() for part in now.parts))


# ── Ways to keep ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Learner:
    """A way to learn one world after another. `learn` takes a world's goals in, `hits` answers goals."""

    width: int
    seed: int

    def __post_init__(self) -> None:
        self.adapter = Adapter.fresh(self.width, self.seed)
        self.kept: Batch | None = None

    def learn(self, new: Batch) -> None:
        """Take in a world's goals, then keep a few of them that are unlike one another."""
        self.adapter = self.updated(new)
        self.kept = diverse(new.and_(self.kept), _KEPT)

    def updated(self, new: Batch) -> Adapter:
        """Return the adapter after a world: trained on it alone."""
        return trained(self.adapter, new)

    def hits(self, batch: Batch) -> NDArray[np.float64]:
        """Return for each goal whether its skill comes first."""
        return self.adapter.hits(batch)


class Untrained(Learner):
    """Nothing is trained: prototypes of what was solved are all that is learnt (OnPro)."""

    def updated(self, new: Batch) -> Adapter:
        """Return what was there."""
        return self.adapter


class FineTune(Learner):
    """Nothing is done to keep anything."""


class Replay(Learner):
    """A bounded buffer of goals that are unlike one another is trained on as well (#48)."""

    def updated(self, new: Batch) -> Adapter:
        """Return the adapter trained on new and kept goals."""
        return trained(self.adapter, new.and_(self.kept))


class Joint(Learner):
    """All goals so far, every time: what could be had at best."""

    def learn(self, new: Batch) -> None:
        """Keep everything."""
        self.kept = new.and_(self.kept)
        self.adapter = trained(Adapter.fresh(self.width, self.seed), self.kept)


class Distil(Learner):
    """New goals get nearly the scores that the adapter before gave them (MulKI's teachers)."""

    def updated(self, new: Batch) -> Adapter:
        """Return the adapter with the one before as a teacher."""
        said = softmax(_SHARP * self.adapter.scores(new), dim=1)
        return trained(
            self.adapter,
            new,
            lambda now: kl_div(log_softmax(_SHARP * now.scores(new), dim=1), said, reduction="batchmean"),
        )


class NearOld(Learner):
    """The adapter stays near the one before (L2 to old)."""

    def updated(self, new: Batch) -> Adapter:
        """Return the adapter that is pulled back."""
        old = self.adapter.parts
        return trained(
            self.adapter, new, lambda now: sum(((a - b) ** 2).sum() for a, b in zip(now.parts, old, strict=True))
        )


class Ewc(Learner):
    """What mattered for earlier goals stays near what it was: elastic weight consolidation."""

    fisher: tuple[Tensor, ...] | None = None

    def updated(self, new: Batch) -> Adapter:
        """Return the adapter, and add up what matters for these goals."""
        old, matters = self.adapter.parts, self.fisher

        def pull(now: Adapter) -> Tensor:
            if matters is None:
                return torch.zeros(())
            return sum((w * (a - b) ** 2).sum() for w, a, b in zip(matters, now.parts, old, strict=True))

        made = trained(self.adapter, new, pull)
        free = Adapter(*(part.clone().requires_grad_() for part in made.parts))
        sums = [torch.zeros_like(part) for part in free.parts]
        for loss in listwise(_SHARP * free.scores(new), new.right):
            for total, gradient in zip(sums, torch.autograd.grad(loss, free.parts, retain_graph=True), strict=True):
                total += gradient**2 / len(new)
        self.fisher = tuple(a + b for a, b in zip(sums, matters, strict=True)) if matters else tuple(sums)
        return made


class Interpolate(Learner):
    """Between the adapter before and a fine-tuned one, as the kept and the new goals like it best (#37)."""

    def updated(self, new: Batch) -> Adapter:
        """Return the mixture."""
        tuned = trained(self.adapter, new)
        mixed = [
            Adapter(*((1 - share) * a + share * b for a, b in zip(self.adapter.parts, tuned.parts, strict=True)))
            for share in (0.0, 0.25, 0.5, 0.75, 1.0)
        ]
        return max(mixed, key=lambda one: one.hits(new).mean() + (one.hits(self.kept).mean() if self.kept else 0.0))


class Backward(Learner):
    """A fine-tuned adapter is taken only where no kept goal of before loses by it on the whole (CUBER)."""

    def updated(self, new: Batch) -> Adapter:
        """Return the new adapter, or the old one."""
        tuned = trained(self.adapter, new)
        lost = self.kept is not None and tuned.hits(self.kept).mean() < self.adapter.hits(self.kept).mean()
        return self.adapter if lost else tuned


class Topology(Learner):
    """How like one another the kept goals' candidates are to them stays as it was (CTP)."""

    def updated(self, new: Batch) -> Adapter:
        """Return the adapter that keeps the scores of kept goals."""
        if (kept := self.kept) is None:
            return trained(self.adapter, new)
        before = self.adapter.scores(kept)
        return trained(self.adapter, new, lambda now: 100 * ((now.scores(kept) - before) ** 2).mean())


class Experts(Learner):
    """A new adapter where the goals are unlike those of every adapter so far; the nearest one answers (TAME)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.experts: list[tuple[Tensor, Adapter]] = []

    def learn(self, new: Batch) -> None:
        """Train the expert for such goals, or a new one."""
        centre = normalize(new.goals.mean(0), dim=0)
        within = float((new.goals @ centre).mean())
        near = max(range(len(self.experts)), key=lambda n: float(self.experts[n][0] @ centre), default=None)
        if near is None or float((new.goals @ self.experts[near][0]).mean()) < within - 0.1:
            self.experts.append((centre, trained(Adapter.fresh(self.width, self.seed), new)))
        else:
            centre = normalize(centre + self.experts[near][0], dim=0)
            self.experts[near] = centre, trained(self.experts[near][1], new)

    def hits(self, batch: Batch) -> NDArray[np.float64]:
        """Return the hits of each goal's own expert."""
        own = (batch.goals @ torch.stack([centre for centre, _ in self.experts]).T).argmax(1)
        each = np.stack([adapter.hits(batch) for _, adapter in self.experts])
        found: NDArray[np.float64] = each[own.numpy(), np.arange(len(batch))]
        return found


WAYS: Mapping[str, type[Learner]] = {
    "untrained": Untrained,
    "fine-tune": FineTune,
    "replay": Replay,
    "distillation": Distil,
    "L2 to old": NearOld,
    "EWC": Ewc,
    "interpolation": Interpolate,
    "backward transfer": Backward,
    "topology": Topology,
    "experts": Experts,
    "all goals again": Joint,
}


def diverse(batch: Batch, most: int) -> Batch:
    """Return goals of which each is as far as can be from those before it."""
    chosen, near = [0], batch.goals @ batch.goals[0]
    while len(chosen) < min(most, len(batch)):
        chosen.append(int(near.argmin()))
        near = torch.maximum(near, batch.goals @ batch.goals[chosen[-1]])
    return batch.of(chosen)


# ── The stream ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class World:
    """Everything that goals are routed by, worked out once."""

    skills: Sequence[Skill]
    goals: Sequence[Goal]
    cache: VectorCache

    @cached_property
    def solved(self) -> dict[str, list[str]]:
        """The goals that train, by skill: what it has solved once its world was there."""
        found: dict[str, list[str]] = {skill.name: [] for skill in self.skills}
        for goal in self.goals:
            if goal.split != Split.HOLDOUT:
                found[goal.skill].append(goal.text)
        return found

    @cached_property
    def texts(self) -> NDArray[np.float32]:
        """The skills' own texts, unit rows."""
        return np.array(self.cache.vectors([_text(skill) for skill in self.skills]))

    def prototype(self, column: int, without: str = "") -> NDArray[np.float32]:
        """Return a skill's vector: of its text and its solved goals, but one."""
        rows = [shape(goal) for goal in self.solved[self.skills[column].name] if goal != without]
        mean = self.cache.vectors(rows).mean(axis=0) if rows else np.zeros_like(self.texts[0])
        return _unit(self.texts[column] + _unit(mean))

    def batch(self, goals: Sequence[Goal], known: Sequence[str]) -> Batch:
        """Return goals ready to be routed among the skills of some worlds."""
        columns = [n for n, skill in enumerate(self.skills) if skill.domain in known]
        at = {self.skills[column].name: place for place, column in enumerate(columns)}
        words, rows = Words(), np.stack([self.prototype(column) for column in columns])
        full = ["\n".join([_text(self.skills[c]), *self.solved[self.skills[c].name]]) for c in columns]
        for text in full:
            words.add(text)
        queries, found = self.cache.vectors([shape(goal.text) for goal in goals]), []
        for goal, query in zip(goals, queries, strict=True):
            own, mine = at[goal.skill], rows
            share = words.shares(goal.text)[: len(columns)]
            if goal.split != Split.HOLDOUT:  # its skill as it was before it had solved this one
                mine = rows.copy()
                mine[own] = self.prototype(columns[own], without=goal.text)
                less = words.add(full[own].replace(f"\n{goal.text}", "", 1))
                share[own] = words.shares(goal.text)[less]
                words.remove(less, full[own].replace(f"\n{goal.text}", "", 1))
            base = mine @ query + _WORDS * share
            best = np.argsort(-base)[:_CANDIDATES]
            lacking = _CANDIDATES - len(best)  # a library may hold fewer
            found.append(
                (
                    query,
                    np.pad(base[best], (0, lacking), constant_values=_NONE),
                    np.pad(mine[best], ((0, lacking), (0, 0))),
                    np.pad(best == own, (0, lacking)),
                )
            )
        parts = [np.stack([one[part] for one in found]).astype(np.float32) for part in range(4)]
        return Batch(*(torch.from_numpy(part) for part in parts))


def _text(skill: Skill) -> str:
    return "\n".join([skill.name.replace("-", " "), skill.description, skill.body])


def _unit(row: NDArray[np.float32]) -> NDArray[np.float32]:
    return row / max(float(np.linalg.norm(row)), 1e-9)


@dataclass(frozen=True)
class Run:
    """Recall@1, shape (worlds trained, worlds tested), nan before a world came; and the end of each goal."""

    table: NDArray[np.float64]
    last: dict[Goal, float]


def stream(world: World, order: Sequence[str], seed: int) -> dict[str, Run]:
    """Return what came of each way."""
    of = {d: [goal for goal in world.goals if goal.domain == d] for d in order}
    found = {name: Run(np.full((len(order), len(order)), np.nan), {}) for name in WAYS}
    width = world.texts.shape[1]
    learners = {name: way(width, seed) for name, way in WAYS.items()}
    for turn in range(len(order)):
        known = order[: turn + 1]
        new = world.batch([goal for goal in of[order[turn]] if goal.split != Split.HOLDOUT], known)
        tests = [[goal for goal in of[domain] if goal.split == Split.HOLDOUT] for domain in known]
        batches = [world.batch(goals, known) for goals in tests]
        for name, learner in learners.items():
            learner.learn(new)
            for column, batch in enumerate(batches):
                hits = learner.hits(batch)
                found[name].table[turn, column] = hits.mean()
                found[name].last.update(zip(tests[column], hits.tolist(), strict=True))
    return found


def measures(table: NDArray[np.float64], untrained: NDArray[np.float64]) -> dict[str, float]:
    """Return final recall, forgetting, backward transfer, and the gain on each world as it was new, in points."""
    last, own = table[-1], np.diag(table)
    before = table[:, :-1]
    return {
        "recall@1": 100 * float(last.mean()),
        "forgetting": 100 * float((np.nanmax(before, axis=0) - last[:-1]).mean()),
        "backward transfer": 100 * float((last[:-1] - own[:-1]).mean()),
        "gain when new": 100 * float((own - np.diag(untrained)).mean()),
    }


def lead(runs: Sequence[dict[str, Run]], name: str) -> list[float]:
    """Return by how many points the end of a way is above the untrained one, a mean over skills, with its interval."""
    by_skill: dict[str, list[float]] = {}
    for run in runs:
        for goal, hit in run[name].last.items():
            by_skill.setdefault(goal.skill, []).append(100 * (hit - run["untrained"].last[goal]))
    each = np.array([np.mean(values) for values in by_skill.values()])
    drawn = np.random.default_rng(0).choice(each, (2000, len(each))).mean(axis=1)
    return [round(float(value), 1) for value in (each.mean(), *np.quantile(drawn, [0.025, 0.975]))]


def main() -> int:
    """Run every way in several orders of the worlds, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--orders", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/skillagent/router")
    wanted = parser.parse_args()
    skills, goals = load()
    cache = ChromaVectors(embedder(load_settings()), path=wanted.cache)
    world, domains = World(skills, goals, cache), list(dict.fromkeys(goal.domain for goal in goals))
    rng, runs = np.random.default_rng(0), []
    for seed in range(wanted.orders):
        order = [str(one) for one in rng.permutation(domains)]
        runs.append(found := stream(world, order, seed))
        print(" → ".join(order), flush=True)
        for name, run in found.items():
            print(f"  {name:18} {np.round(100 * run.table[-1], 1)}", flush=True)
    cache.close()
    report: dict[str, dict[str, object]] = {}
    for name in WAYS:
        each = [measures(run[name].table, run["untrained"].table) for run in runs]
        report[name] = {key: round(float(np.mean([one[key] for one in each])), 1) for key in each[0]}
        report[name]["above untrained, by skill"] = lead(runs, name)
        print(f"{name:18} {report[name]}")
    if wanted.out:
        wanted.out.write_text(json.dumps({"orders": wanted.orders, "ways": report}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
