"""Route: which skills, insights and one demonstration to show for each subgoal, or none.

Candidates are ordered by one score of words and meaning (`fuse`), and one whose program knows a goal of this form comes
first. Whether the best of them is shown at all is decided by the chance that it fits, as gate goals have shown. A skill
that does not fit costs tokens and misleads a small model, so abstaining is the default. A skill of another environment
is no candidate. A goal that a program's pattern fits word for word needs no likeness: values of another length are
unlike, and the form is the same. What the user names is shown whatever the score. An insight's condition has two sides:
one whose exception is nearer the goal than what it says is left out. Returns ids; reads nothing but the library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from skillagent.goals import shape
from skillagent.library import Library
from skillagent.ports import VectorCache
from skillagent.programs.text import FILE
from skillagent.routing import rerank
from skillagent.routing.catalogue import Catalogue, Index, text_of
from skillagent.routing.fuse import RIVALS, Likeness, chance, fuse
from skillagent.routing.outcomes import Instance, Known, Outcomes
from skillagent.routing.rerank import Candidate, Kind, Learned, Trained
from skillagent.schema import Insight, Plan, Ranked, Route, Skill, Value

_CONSIDERED = 3
T = TypeVar("T", bound=Value)
Finite = Annotated[float, Field(allow_inf_nan=False)]


def _names(given: object) -> object:
    """Return `a,b` as names."""
    return tuple(name.strip() for name in given.split(",") if name.strip()) if isinstance(given, str) else given


class Thresholds(Value):
    """From where on an item is shown. Where the numbers come from: `evals/LOG.md`."""

    chance: Finite = Field(default=0.5, description="that a skill fits, from which it is shown")
    solved: Finite = Field(
        default=0.85,
        description="cosine to a solved goal from which a demonstration is shown, and a program of a loose form runs",
    )
    insight: Finite = Field(default=0.50, description="cosine to an insight's condition")
    covers: Finite = Field(
        default=0.90, description="cosine to a solved goal from which one skill covers the whole goal, and is shown"
    )
    form: int = Field(
        default=12, ge=0, description="letters that a program's pattern fixes of a goal, to be enough by itself"
    )
    share: Finite = Field(default=0.5, description="of a goal's letters that are as telling, however few they are")
    skills: int = Field(default=1, ge=1, description="skills in words that are shown")
    programs: int = Field(
        default=3, ge=1, description="skills that may run, each where the one before does not fit the page"
    )
    insights: int = Field(default=3, ge=0, description="that are shown")
    verbs: bool = Field(
        default=False, description="leave out skills that are known to do other kinds of things than the goal asks for"
    )
    pinned: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field(
        default=(), description="skills that are shown for every goal, after those that fit"
    )


def route(
    plan: Plan,
    library: Library,
    *,
    catalogue: Catalogue,
    thresholds: Thresholds | None = None,
    outcomes: Outcomes | None = None,
    trained: Trained | None = None,
) -> Route:
    """Return what the library offers for each subgoal of the plan, best first; ids only.

    Args:
        plan: Its domain says which skills are candidates, and its `named` which one the user asked for.
        library: What there is.
        catalogue: What was indexed at earlier calls, and the vectors.
        thresholds: From where on an item is shown.
        outcomes: Say which of several programs for such a goal comes first; None: the one that fixes most of it.
        trained: Moves candidates up and down by what it learnt; None: the order is the untrained one.
    """
    limits, catalogue = thresholds or Thresholds(), catalogue.of(library)
    parts = [_for_goal(subgoal.text, plan, catalogue, limits, outcomes, trained) for subgoal in plan.subgoals]
    skills, insights, demonstrations, considered = zip(*parts, strict=True)
    return Route(skills=skills, insights=insights, demonstrations=demonstrations, considered=considered)


def covers(
    goal: str,
    library: Library,
    domain: str = "",
    *,
    catalogue: Catalogue,
    thresholds: Thresholds | None = None,
) -> bool:
    """Tell whether one skill has solved a goal of this very shape, or nearly so, or its program is for such goals."""
    limits = thresholds or Thresholds()
    if form(goal, library, domain, catalogue=catalogue, thresholds=limits):
        return True
    skills = catalogue.of(library).skills
    like = skills.likeness(goal, domain, verbs=limits.verbs)
    best = _best(skills, fuse(like), like, 1 + RIVALS)
    return any(solved >= limits.covers for _, solved in skills.near(goal, like.numbers[best].tolist()))


def form(
    goal: str,
    library: Library,
    domain: str = "",
    *,
    catalogue: Catalogue,
    thresholds: Thresholds | None = None,
) -> int:
    """Return how many letters of a goal the pattern of some program fixes that would run for it; 0 where none would."""
    limits, skills = thresholds or Thresholds(), catalogue.of(library).skills
    known = skills.fitting(goal, domain)
    telling = [letters for letters in known.values() if _telling(letters, goal, limits)]
    if not telling and known:
        near = zip(known.values(), skills.near(goal, list(known)), strict=True)
        telling = [letters for letters, (_, solved) in near if solved >= limits.solved]
    return max(telling, default=0)


def nearest_skills(goal: str, library: Library, domain: str = "", *, catalogue: Catalogue) -> list[Skill]:
    """Return the skills that are of use in a domain, the nearest to a goal first."""
    skills = catalogue.of(library).skills
    like = skills.likeness(goal, domain)
    order = _best(skills, fuse(like), like, len(like.numbers))
    return [skills[int(like.numbers[n])][1] for n in order]


Chosen = tuple[Ranked, ...]


def _for_goal(
    goal: str,
    plan: Plan,
    catalogue: Catalogue,
    limits: Thresholds,
    outcomes: Outcomes | None,
    trained: Trained | None,
) -> tuple[Chosen, Chosen, Chosen, Chosen]:
    skills, considered = _skills(goal, plan, catalogue.skills, limits, outcomes, trained)
    insights = _insights(goal, catalogue.insights, limits)
    like = catalogue.demonstrations.likeness(goal, plan.domain)
    scores = fuse(like)
    best = _best(catalogue.demonstrations, scores, like, 1 + RIVALS)
    shown = [one for one in _ranked(goal, catalogue.demonstrations, scores, like, best) if _alike(one, limits)]
    return skills, insights, tuple(shown[:1]), tuple(considered)


def _alike(one: Ranked, limits: Thresholds) -> bool:
    return one.parts["solved"] >= limits.solved


def _skills(
    goal: str, plan: Plan, index: Index[Skill], limits: Thresholds, outcomes: Outcomes | None, trained: Trained | None
) -> tuple[Chosen, list[Ranked]]:
    """Return the skills to show, and the best that were considered.

    Whether any is shown is decided without training: it says which of those that there are.
    """
    found = candidates(goal, plan.domain, index, limits, outcomes)
    best = [one.one for one in found.words]
    if found.programs:
        order: dict[str, Ranked] = {}
        for one in rerank.ordered(found.programs, _learned("programs", goal, index, trained)):
            order.setdefault(index.find(one.id).files[FILE], one)  # of skills with the same program one is enough
        chosen = list(order.values())[: limits.programs]
    else:
        chosen = [one for one in best[: limits.skills] if _shown(one, limits)]
        if chosen and (learned := _learned("words", goal, index, trained)):
            better = rerank.ordered(found.words, learned)
            chosen = [_in_place_of(was, now) for was, now in zip(chosen, better, strict=False)]
    shown, behind = _with_named(chosen, plan, index, limits), best[:_CONSIDERED]
    return tuple(_as_said(shown, index)), _as_said(behind, index)


def _as_said(found: Sequence[Ranked], index: Index[Skill]) -> list[Ranked]:
    return [one.model_copy(update={"says": index.find(one.id).says}) for one in found]


def _learned(kind: Kind, goal: str, index: Index[Skill], trained: Trained | None) -> Learned | None:
    """Return what training tells of one order for a goal, if it was accepted."""
    if trained is None or kind not in trained.accepted:
        return None
    return trained.of(kind, shape(goal), lambda names: [text_of(index.find(n)) for n in names], index.cache.vectors)


def _in_place_of(was: Ranked, now: Ranked) -> Ranked:
    """Return what training puts where something else was: it is shown by the chance of that one."""
    return now.model_copy(update={"parts": {**now.parts, "chance": was.parts["chance"]}})


class Candidates(NamedTuple):
    """Who could be shown for a goal: programs that know it, in no order, and skills in words, the best first."""

    programs: list[Candidate]
    words: list[Candidate]


def candidates(
    goal: str,
    domain: str,
    index: Index[Skill],
    limits: Thresholds | None = None,
    outcomes: Outcomes | None = None,
    without: Instance | None = None,
) -> Candidates:
    """Return the candidates for a goal, with their untrained scores and features.

    Args:
        goal: One subgoal.
        domain: Its environment.
        index: Where they are looked for.
        limits: From where on a program knows the goal.
        outcomes: What came of programs.
        without: An instance whose tries at this goal are left out of what came of programs.
    """
    limits = limits or Thresholds()
    like = index.likeness(goal, domain, verbs=limits.verbs)
    scores = fuse(like)
    order = _best(index, scores, like, limits.skills + RIVALS)
    best = _ranked(goal, index, scores, like, order, limits.skills)
    runs = index.fitting(goal, domain)
    running = _ranked(goal, index, scores, like, np.searchsorted(like.numbers, sorted(runs)).tolist())
    letters = {index[number][0]: count for number, count in runs.items()}
    fit = [one for one in running if _telling(letters[one.id], goal, limits) or _alike(one, limits)]
    skills = [index.find(one.id) for one in fit]
    known: Sequence[Known | None] = outcomes.known(goal, skills, without) if outcomes else [None] * len(fit)
    return Candidates(
        programs=[
            rerank.program(one, skill, letters[one.id] / len(goal), told)
            for one, skill, told in zip(fit, skills, known, strict=True)
        ],
        words=[rerank.words(one, index.find(one.id)) for one in best],
    )


def _shown(one: Ranked, limits: Thresholds) -> bool:
    return one.parts["chance"] >= limits.chance or one.parts["solved"] >= limits.covers


def _with_named(chosen: list[Ranked], plan: Plan, index: Index[Skill], limits: Thresholds) -> list[Ranked]:
    """Return the skill that the user named, or those that were chosen; and those of use here that are always shown."""
    kept = [] if plan.named in index else chosen
    use = [name for name in limits.pinned if name in index and _of_use(index.find(name), plan.domain)]
    asked = dict.fromkeys((plan.named, *use) if plan.named in index else use)
    there = {one.id for one in kept}
    return [
        *kept,
        *(
            Ranked(id=name, score=0.0, pinned=name != plan.named, version=index.find(name).version)
            for name in asked
            if name not in there
        ),
    ]


def _of_use(skill: Skill, domain: str) -> bool:
    return not domain or skill.domain in ("", domain)


def _telling(letters: int, goal: str, limits: Thresholds) -> bool:
    """Tell whether a pattern that fixes so many letters of a goal says enough by itself."""
    return letters >= min(limits.form, limits.share * len(goal))


def _best(
    index: Index[T],
    scores: NDArray[np.float64],
    like: Likeness,
    count: int,
    among: NDArray[np.bool_] | None = None,
) -> list[int]:
    """Return the places of the best in a likeness, the best first; equals in the order of their ids."""
    places = np.arange(len(scores)) if among is None else np.flatnonzero(among)
    if len(places) > count:
        edge = np.partition(scores[places], len(places) - count)[len(places) - count]
        places = places[scores[places] >= edge]
    ordered = sorted(places.tolist(), key=lambda n: (-scores[n], index[int(like.numbers[n])][0]))
    return ordered[:count]


def _ranked(
    goal: str, index: Index[T], scores: NDArray[np.float64], like: Likeness, places: Sequence[int], chances: int = 0
) -> list[Ranked]:
    """Return candidates with what their scores are made of; so many of the first ones with the chance that they fit."""
    numbers, found = [int(like.numbers[n]) for n in places], []
    for turn, (n, number, (text, solved)) in enumerate(zip(places, numbers, index.near(goal, numbers), strict=True)):
        key, one = index[number]
        parts = {"words": float(like.words[n]), "text": text, "solved": solved, "whole": float(like.whole[n])}
        if turn < chances:
            rivals = scores[np.array(places[turn + 1 :], dtype=np.intp)]
            parts["chance"] = chance(float(scores[n]), rivals, proven=bool(like.proven[n]))
        found.append(
            Ranked(id=key, score=float(scores[n]), parts=parts, version=one.version if isinstance(one, Skill) else None)
        )
    return found


def _insights(goal: str, index: Index[Insight], limits: Thresholds) -> Chosen:
    like = index.likeness(goal)
    scores = fuse(like)
    near = _best(index, scores, like, len(index), among=like.whole >= limits.insight)  # of its text: it solves no goals
    known = _ranked(goal, index, scores, like, near)
    if limits.insight > -1:  # from there on, all are shown
        exceptions = _exceptions(goal, [index[int(like.numbers[n])][1] for n in near], index.cache)
        known = [one for one in known if one.parts["text"] >= exceptions.get(one.id, -1.0)]
    return tuple(known[: limits.insights])


def _exceptions(goal: str, insights: Sequence[Insight], cache: VectorCache) -> dict[str, float]:
    """Return how near the goal is to what insights say they are not for; those that say nothing of it are left out."""
    said = {one.id: text for one in insights if (text := one.condition.does_not_apply.strip())}
    if not said:
        return {}
    rows = cache.vectors([shape(goal), *said.values()])
    return dict(zip(said, (rows[1:] @ rows[0]).tolist(), strict=True))
