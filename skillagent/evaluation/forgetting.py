"""Forgetting: what the router learns and loses when domains of skills come one after another, by ways to learn.

A domain's skills join the library; its test goals are routed before any of its goals was solved, then the way learns
from those, and the test goals of all domains so far are routed among all skills so far. All ways see the same library
but one: under `nothing` no goal is ever solved. What a reader would get wrong: a goal whose skill is not among the
twenty candidates is a miss, and one that is learnt from is not yet solved while it trains.

Gain: recall@1 on a domain after its practice less before it, its skills being there both times. Forgetting: the best
that a domain's recall@1 was, less what it is at the end; as the best of several, it is above zero by chance. Backward
transfer: what it is at the end, less what it was after its practice. Intervals come from resampling skills with all
their goals, the same ones for all ways.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skillagent.errors import ConfigError
from skillagent.evaluation.domains import Domain
from skillagent.evaluation.lifelong import stream as libero
from skillagent.library import Library
from skillagent.ports import VectorCache
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.continual import DEFAULT, WAYS, diverse
from skillagent.routing.measured import Query
from skillagent.routing.rebatch import Rebatch
from skillagent.routing.rerank import Encoder
from skillagent.routing.retune import Fit, fit, fresh, ready
from skillagent.routing.tune import scores
from skillagent.schema import Skill, Value

Floats = NDArray[np.float64]
_DRAWN = 2000
_LEAST_DOMAINS = 2


@dataclass(frozen=True)
class Lived:
    """One way through one order: for each domain, in that order, what became of its test goals.

    `before` (goals,): their hits before the domain's practice. `hits` (domains, goals): after each domain's, nan before
    it came.
    """

    before: Sequence[Floats]
    hits: Sequence[Floats]


class Figure(Value):
    """A figure in points, with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Say it with its interval."""
        return f"{self.value:.1f} ({self.low:.1f} to {self.high:.1f})"


class Came(Value):
    """What a way came to, a mean over orders and domains. `above`: its recall at the end, less the default's.

    `libero_forgetting` and `libero_area` are those of `lifelong.stream`: forgetting against what a domain was after its
    own practice, a mean over all later times; and the mean success over the whole stream.
    """

    recall: Figure
    gain: Figure
    forgetting: Figure
    backward_transfer: Figure
    above: Figure
    libero_forgetting: float
    libero_area: float


class Streamed(Value):
    """A stream of domains in some orders, by way."""

    orders: tuple[tuple[str, ...], ...]
    skills: int
    learnt: int
    tests: int
    own: bool
    ways: Mapping[str, Came]
    tables: Mapping[str, tuple[tuple[tuple[float | None, ...], ...], ...]]


# ── Living through it ────────────────────────────────────────────────────────────────────────────────────────────────


class Libraries(NamedTuple):
    """What there is before a domain's practice and after it, without any solved goal first."""

    bare: Rebatch
    before: Rebatch
    after: Rebatch


def live(
    domains: Sequence[Domain],
    names: Sequence[str],
    cache: VectorCache,
    *,
    seed: int = 0,
    others: Sequence[Skill] = (),
    own: bool = False,
    fit: Fit = fit,
    watch: Callable[[str], None] = lambda _: None,
) -> dict[str, Lived]:
    """Return what came of each way when domains come in this order.

    Args:
        domains: What comes, in order.
        names: Of ways.
        cache: The vectors.
        seed: Of what encoders begin with.
        others: Skills that are there from the start, with no goals to learn from or to test.
        own: Only skills of a goal's own domain, and of none, are candidates.
        fit: Trains encoders.
        watch: Is told in words how it goes on.
    """
    width, count = cache.vectors([""]).shape[1], len(domains)
    encoders, kept = dict.fromkeys(names, fresh(width, seed)), dict[int | None, list[Query]]()
    learn = [_asked(domain, domain.learn, own) for domain in domains]
    test = [_asked(domain, domain.test, own) for domain in domains]
    found = {
        name: Lived([np.zeros(len(goals)) for goals in test], [np.full((count, len(goals)), np.nan) for goals in test])
        for name in names
    }
    catalogues = Catalogue(cache), Catalogue(cache)
    for turn, domain in enumerate(domains):
        watch(f"{domain.name}: {len(domain.skills)} skills, {len(learn[turn])} goals to learn from")
        there = _libraries([*others, *_skills(domains[: turn + 1])], learn[: turn + 1], *catalogues)
        for name in names:
            now = there.before if WAYS[name].solves else there.bare
            found[name].before[turn][:] = hits(encoders[name], test[turn], now)
        for name in names:
            way = WAYS[name]
            now = there.after if way.solves else there.bare
            encoders[name] = way.learn(encoders[name], learn[turn], kept.get(way.keeps, ()), now, fit=fit)
            for column in range(turn + 1):
                found[name].hits[column][turn] = hits(encoders[name], test[column], now)
        for most in {WAYS[name].keeps for name in names}:
            known = [*learn[turn], *kept.get(most, ())]
            kept[most] = known if most is None else diverse(known, most, cache)
    return found


def hits(encoder: Encoder, goals: Sequence[Query], now: Rebatch) -> Floats:
    """Return for each goal whether a skill that is right for it comes first, 1 or 0."""
    found = np.zeros(len(goals))
    for n, goal in enumerate(goals):
        if (case := now.one(goal)) is not None:
            order = scores(case, encoder, now.cache).round(6)  # as the router's; of equals the first
            found[n] = float(case.worth[int(np.argmax(order))] >= 1)
    return found


def _asked(domain: Domain, goals: Sequence[Query], own: bool) -> list[Query]:
    where = domain.skills[0].domain if own and domain.skills else ""
    return [replace(goal, domain=where) for goal in goals]


def _skills(domains: Sequence[Domain]) -> list[Skill]:
    return [skill for domain in domains for skill in domain.skills]


def _libraries(
    skills: Sequence[Skill], learn: Sequence[Sequence[Query]], bare: Catalogue, full: Catalogue
) -> Libraries:
    known = [goal for goals in learn for goal in goals]
    return Libraries(
        bare=Rebatch(_library(skills, []), bare),
        before=Rebatch(_library(skills, known[: len(known) - len(learn[-1])]), full),
        after=Rebatch(_library(skills, known), full),
    )


def _library(skills: Sequence[Skill], solved: Sequence[Query]) -> Library:
    by: dict[str, list[str]] = {skill.name: [] for skill in skills}
    for goal in solved:
        for name, worth in goal.worth.items():
            if worth >= 1 and name in by:
                by[name].append(goal.goal)
    return Library(skills={one.name: one.model_copy(update={"goals": tuple(by[one.name])}) for one in skills})


# ── Measuring it ─────────────────────────────────────────────────────────────────────────────────────────────────────


def streamed(
    domains: Sequence[Domain],
    cache: VectorCache,
    *,
    names: Sequence[str] = tuple(WAYS),
    orders: int = 1,
    own: bool = False,
    fit: Fit = fit,
    watch: Callable[[str], None] = lambda _: None,
) -> Streamed:
    """Return what ways come to over some orders of the domains; the default is always among them.

    Skills of a domain without goals to learn from and to test are candidates from the start, and measured by nothing.

    Raises:
        ConfigError: There are fewer than two domains with goals to learn from and to test, no such way, or no torch.
    """
    there, domains, names = domains, _enough(domains), _known(names)
    others = _skills([domain for domain in there if domain not in domains])
    if any(WAYS[name].trains for name in names):
        ready()
    told, runs = _orders(len(domains), orders), list[dict[str, Lived]]()
    for seed, order in enumerate(told):
        watch(f"order {seed + 1} of {len(told)}: {', then '.join(domains[n].name for n in order)}")
        turns = [domains[n] for n in order]
        runs.append(live(turns, names, cache, seed=seed, others=others, own=own, fit=fit, watch=watch))
    weights = drawn([[goal.family for goal in domain.test] for domain in domains])
    tables = {
        name: [table(run[name], [weights[n] for n in o]) for run, o in zip(runs, told, strict=True)] for name in names
    }
    ends = {name: np.mean([full[:, -1].mean(axis=-1) for full, _ in tables[name]], axis=0) for name in names}
    return Streamed(
        orders=tuple(tuple(domains[n].name for n in order) for order in told),
        skills=len(others) + len(_skills(domains)),
        learnt=sum(len(domain.learn) for domain in domains),
        tests=sum(len(domain.test) for domain in domains),
        own=own,
        ways={name: _came(tables[name], ends[name] - ends[DEFAULT]) for name in names},
        tables={name: tuple(_plain(full[0]) for full, _ in tables[name]) for name in names},
    )


def _orders(domains: int, most: int) -> list[list[int]]:
    """Return orders of domains, drawn by chance and each once, or all that there are; of one alone, as they come."""
    if most == 1:
        return [list(range(domains))]
    chance, found = np.random.default_rng(0), dict[tuple[int, ...], None]()
    while len(found) < min(most, math.factorial(domains)):
        found[tuple(chance.permutation(domains).tolist())] = None
    return [list(order) for order in found]


def _enough(domains: Sequence[Domain]) -> list[Domain]:
    found = [domain for domain in domains if domain.learn and domain.test]
    if len(found) < _LEAST_DOMAINS:
        there = ", ".join(f"{one.name} ({len(one.learn)} to learn, {len(one.test)} to test)" for one in domains)
        raise ConfigError(
            f"a stream takes {_LEAST_DOMAINS} domains with goals to learn from and goals to test; there is "
            f"{there or 'none'}. A skill gives a test once it has solved three goals, unlike in more than their "
            "values: practise more (`skillagent learn`), or give skills and goals with --data"
        )
    return found


def _known(names: Sequence[str]) -> list[str]:
    if lacking := [name for name in names if name not in WAYS]:
        raise ConfigError(f"no way {lacking[0]!r}; the ways are {', '.join(WAYS)}")
    return [name for name in WAYS if name in names or name == DEFAULT]


def drawn(families: Sequence[Sequence[str]]) -> list[Floats]:
    """Return how much each test goal of each domain counts, shape (1 + draws, goals): first alike, then resampled.

    Families are drawn with all their goals, in each domain by itself.
    """
    chance, found = np.random.default_rng(0), []
    for own in families:
        names = list(dict.fromkeys(own))
        times = chance.multinomial(len(names), np.full(len(names), 1 / len(names)), size=_DRAWN)
        at = [names.index(name) for name in own]
        found.append(np.vstack([np.ones(len(own)), times[:, at]]).astype(np.float64))
    return found


def table(lived: Lived, weights: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return recall@1 after each domain on each, shape (draws, domains, domains), and before each, (draws, domains)."""
    full = np.stack([weight @ own.T / weight.sum(axis=1, keepdims=True) for own, weight in _of(lived.hits, weights)], 2)
    before = np.stack([weight @ own / weight.sum(axis=1) for own, weight in _of(lived.before, weights)], 1)
    return full, before


def _of(parts: Sequence[Floats], weights: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
    return list(zip(parts, weights, strict=True))


def measures(full: Floats, before: Floats) -> dict[str, Floats]:
    """Return recall at the end, gain, forgetting and backward transfer, as shares.

    Args:
        full: Recall after each domain (row) on each (column), nan before it came; shape (..., domains, domains).
        before: Recall on each before its practice, shape (..., domains).
    """
    last, own = full[..., -1, :], np.diagonal(full, axis1=-2, axis2=-1)
    best = np.fmax.reduce(full, axis=-2)
    return {
        "recall": last.mean(axis=-1),
        "gain": (own - before).mean(axis=-1),
        "forgetting": (best - last)[..., :-1].mean(axis=-1),
        "backward_transfer": (last - own)[..., :-1].mean(axis=-1),
    }


def _came(tables: Sequence[tuple[Floats, Floats]], above: Floats) -> Came:
    each = [measures(full, before) for full, before in tables]
    figures = {key: _figure(np.mean([one[key] for one in each], axis=0)) for key in each[0]}
    told = [libero(_plain(full[0])) for full, _ in tables]
    return Came(
        **figures,
        above=_figure(above),
        libero_forgetting=_points(np.mean([one.forgetting or 0.0 for one in told])),
        libero_area=_points(np.mean([one.area or 0.0 for one in told])),
    )


def _figure(values: Floats) -> Figure:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Figure(value=_points(values[0]), low=_points(low), high=_points(high))


def _points(share: float | np.floating) -> float:
    return round(100 * float(share), 1) + 0.0  # no minus zero


def _plain(rows: Floats) -> tuple[tuple[float | None, ...], ...]:
    return tuple(tuple(None if np.isnan(x) else round(x, 4) for x in row) for row in rows.tolist())
