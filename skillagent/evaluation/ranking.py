"""Ranking: the router is trained on what the ledger tells, and kept as it was unless that is better.

Better means: first choices on families of goals that did not train it do better than the untrained router's, beyond
chance, pair by pair. Each family is held out once; the weights that are kept are then trained on all of them. Only
candidates that were tried count, as nobody knows of the others. Learnt are weights of features, or an encoder, or a
fine-tuned model, which are judged alike. Nothing is written here but by the caller's function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from skillagent.errors import ConfigError
from skillagent.evaluation.statistics import compare
from skillagent.library import Library
from skillagent.ports import VectorCache
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.finetune import Finetune, finetuned
from skillagent.routing.finetune import scores as nearer
from skillagent.routing.measured import Query, measured
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.rerank import CODE, FEATURES, KINDS, Compared, Encoder, Kind, Order, Trained, Tuned, Weights
from skillagent.routing.solved import Solved
from skillagent.routing.train import (
    FOLDS,
    Case,
    Fit,
    Floats,
    Learnt,
    calibrated,
    cases,
    first,
    fit,
    folds,
    scores,
    weighed,
)
from skillagent.routing.tune import Tune, tuned
from skillagent.routing.tune import scores as encoded
from skillagent.schema import Event, Value

Keep = Callable[[str, Callable[[Path], None]], tuple[str, str]]  # as `Trainings.keep`

LEAST_GOALS, LEAST_FAMILIES = 20, 6  # with fewer families, all could be better by chance too often


class Material(Value):
    """What there is to train an order on: goals with at least two candidates that were tried, and their families.

    `varied` are the goals at which one did better than another: only these teach an order.
    """

    tried: int
    goals: int
    families: int
    varied: int
    varied_families: int

    @property
    def enough(self) -> bool:
        """True when training can be judged."""
        return self.varied >= LEAST_GOALS and self.varied_families >= LEAST_FAMILIES

    def __str__(self) -> str:
        """Say it in words."""
        return (
            f"{self.tried} goals were tried, {self.goals} in {self.families} families by two or more; "
            f"for {self.varied} in {self.varied_families} families one did better than another"
        )


def material(given: Sequence[Case]) -> Material:
    """Return how much there is to train on."""
    goals = [case for case in given if case.tried.sum() > 1]
    varied = [case for case in goals if len(np.unique(case.worth[case.tried])) > 1]
    return Material(
        tried=len(given),
        goals=len(goals),
        families=len({case.family for case in goals}),
        varied=len(varied),
        varied_families=len({case.family for case in varied}),
    )


class Choices(Value):
    """First choices of the untrained router, each without what came of that very goal, where two or more were tried.

    `first` is what they were worth on average, 0 to 1; `best` what the best of those tried was worth, `average` all of
    them: what a choice by chance comes to.
    """

    goals: int
    families: int
    first: float
    best: float
    average: float


def first_choices(library: Library, events: Sequence[Event], cache: Callable[[], VectorCache]) -> dict[Kind, Choices]:
    """Return what first choices come to in each order, where the ledger knows the worth of several candidates.

    Args:
        library: Whose skills are ordered.
        events: The ledger.
        cache: Opens the vectors; not asked where nothing can be compared.
    """
    queries = [query for query in measured(library, events) if len(query.worth) > 1]
    given, found = _cases(queries, library, events, cache()) if queries else {}, dict[Kind, Choices]()
    for kind, own in given.items():
        if told := [case for case in own if case.tried.sum() > 1]:
            worth = [case.worth[case.tried] for case in told]
            found[kind] = Choices(
                goals=len(told),
                families=len({case.family for case in told}),
                first=float(np.mean([first(case, case.untrained) for case in told])),
                best=float(np.mean([one.max() for one in worth])),
                average=float(np.mean([one.mean() for one in worth])),
            )
    return found


def _cases(
    queries: Sequence[Query], library: Library, events: Sequence[Event], cache: VectorCache
) -> dict[Kind, list[Case]]:
    outcomes, catalogue = Outcomes(cache, lambda: events), Catalogue(cache, Solved(cache, lambda: events))
    return {kind: cases([q for q in queries if q.kind == kind], library, catalogue, outcomes) for kind in KINDS}


def train(
    library: Library,
    events: Sequence[Event],
    cache: VectorCache,
    *,
    version: int,
    at: str,
    fit: Fit = fit,
    tune: Tune | None = None,
    finetune: Finetune | None = None,
    keep: Keep | None = None,
    watch: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Return a training of the router: how it compares, and what was learnt of the orders in which it is better.

    Args:
        library: Whose skills are ordered.
        events: The ledger.
        cache: The vectors.
        version: What it is to be called.
        at: When, UTC, ISO 8601.
        fit: How weights are found.
        tune: How an encoder is found, in place of weights; None: weights.
        finetune: How a model is fine-tuned, in place of both.
        keep: Writes a fine-tuned model that is better, under a name; None: it is not written.
        watch: Is told in words how it goes on.

    Raises:
        ConfigError: There is too little to train on, or torch is not installed.
    """
    given = _cases(measured(library, events), library, events, cache)
    known = {kind: material(own) for kind, own in given.items()}
    for kind in KINDS:
        watch(f"{kind}: {known[kind]}")
    if not any(one.enough for one in known.values()):
        raise ConfigError(_too_little(known))
    enough = {kind: own for kind, own in given.items() if known[kind].enough}
    weights, encoders, models = dict[Kind, Weights](), dict[Kind, Encoder](), dict[Kind, Tuned]()
    if finetune is not None:
        begun = partial(finetuned, cache=cache, finetune=finetune)
        compared, live = _judged(enough, begun, partial(nearer, cache=cache), watch)
        for kind, one in live.items():
            name = f"{version}-{kind}"
            folder, sha256 = keep(name, one.save) if keep else (f"router/{name}", "")
            models[kind] = Tuned(folder=folder, sha256=sha256, slope=one.slope, intercept=one.intercept)
    elif tune is not None:
        learn, by = partial(tuned, cache=cache, tune=tune), partial(encoded, cache=cache)
        compared, encoders = _judged(enough, learn, by, watch)
    else:
        compared, weights = _judged(enough, partial(weighed, fit=fit), scores, watch)
    return Trained(
        version=version,
        at=at,
        code=CODE,
        embedder=cache.name,
        features=FEATURES,
        events=len(events),
        compared=compared,
        weights=weights,
        encoders=encoders,
        models=models,
    )


def _too_little(known: dict[Kind, Material]) -> str:
    there = "; ".join(f"{kind}: {one}" for kind, one in known.items())
    return (
        f"too little to train on ({there}). It takes {LEAST_GOALS} goals in {LEAST_FAMILIES} families for which one "
        "skill did better than another. What helps: practice on more tasks (`skillagent learn`), where several "
        "programs are tried for a goal; where goals are given in words, also the same goal under another skill: begin "
        "it with /SKILL-NAME"
    )


def _judged(
    given: Mapping[Kind, Sequence[Case]],
    learn: Callable[[Sequence[Case]], Learnt],
    by: Callable[[Case, Learnt], Floats],
    watch: Callable[[str], None],
) -> tuple[dict[Kind, Compared], dict[Kind, Learnt]]:
    """Return how first choices on held-out families compare, and what all families teach where they are better."""
    found, kept = dict[Kind, Compared](), dict[Kind, Learnt]()
    for kind, own in given.items():
        told: list[Floats] = [case.untrained for case in own]
        for turn, (rest, held) in enumerate(folds(own), start=1):
            watch(f"{kind}: training without the families of part {turn} of {FOLDS}")
            order = learn([own[n] for n in rest])
            for n in held:
                told[n] = by(own[n], order)
        watch(f"{kind}: training on all families")
        whole = calibrated(learn(own), own, told)
        found[kind] = _compared(own, told, whole)
        if found[kind].accepted:
            kept[kind] = whole
    return found, kept


def _compared(given: Sequence[Case], by: Sequence[Floats], order: Order) -> Compared:
    choices = [n for n, case in enumerate(given) if case.tried.sum() > 1]
    without = {(given[n].family, n): first(given[n], given[n].untrained) for n in choices}
    with_it = {(given[n].family, n): first(given[n], by[n]) for n in choices}
    found = compare(without, with_it)
    worth = np.concatenate([case.worth[case.tried] for case in given])
    chance = [order.chance(s) for case, one in zip(given, by, strict=True) for s in one[case.tried].tolist()]
    return Compared(
        untrained=float(np.mean(list(without.values()))),
        trained=float(np.mean(list(with_it.values()))),
        difference=found.difference,
        low=found.low,
        high=found.high,
        better=found.wins,
        worse=found.losses,
        goals=len(choices),
        families=len({given[n].family for n in choices}),
        brier=float(np.mean((worth - np.array(chance)) ** 2)),
        brier_of_rate=float(worth.var()),
    )
