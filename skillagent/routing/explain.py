"""Explain: why the router shows what it shows for a goal, in words, and what would have to be otherwise.

Everything said here is read off the route itself; nothing is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain

from pydantic import Field

from skillagent.errors import near
from skillagent.goals import misnamed, named, shape
from skillagent.library import Library
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.fuse import lacking
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.rerank import Trained
from skillagent.routing.route import Thresholds, route
from skillagent.schema import Plan, Ranked, Value

_WORTH_SAYING = 0.01
_TOLD, _LETTERS = 3, 80


class Explanation(Value):
    """What is shown for a goal and what was considered, with the reasons in words.

    `solved` are the goals, by skill, that those solved since they were written and are found by, the nearest first.
    """

    goal: str
    shown: tuple[Ranked, ...]
    considered: tuple[Ranked, ...]
    why: tuple[str, ...]
    otherwise: tuple[str, ...]
    solved: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


def explain(
    goal: str,
    library: Library,
    *,
    catalogue: Catalogue,
    domain: str = "",
    thresholds: Thresholds | None = None,
    outcomes: Outcomes | None = None,
    trained: Trained | None = None,
) -> Explanation:
    """Return why the router would show what for a goal that is done as a whole, or for one part of a goal.

    Args:
        goal: As a user states it; it may begin with `/skill-name`.
        library: What there is.
        catalogue: What was indexed at earlier calls, and the vectors.
        domain: The environment that the goal is for; empty: any.
        thresholds: From where on an item is shown.
        outcomes: What came of programs so far.
        trained: What the router was trained to.
    """
    limits = thresholds or Thresholds()
    asked, words = named(goal, library.skills)
    plan = Plan(goal=words, domain=domain, named=asked)
    routed = partial(route, plan, library, catalogue=catalogue, thresholds=limits, outcomes=outcomes)
    found = routed(trained=trained)
    shown, considered = found.skills[0], found.considered[0]
    without = routed().skills[0] if trained and any("learned" in one.parts for one in shown) else shown
    held = catalogue.of(library)
    forms = {held.skills[n][0]: count for n, count in held.skills.fitting(words, domain).items()}
    solved = {one.id: since for one in (*shown, *considered) if (since := _since(one, words, held))}
    why = chain(
        _unknown(goal, limits, library),
        _why(shown, considered, forms, asked, limits) if shown or considered else _no_skill(domain, library),
        _learned(shown, without, trained),
        _found_by(solved),
    )
    return Explanation(
        goal=words,
        shown=shown,
        considered=considered,
        why=tuple(why),
        otherwise=tuple(_otherwise(shown, considered, limits)),
        solved=solved,
    )


def _since(one: Ranked, goal: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the goals that a skill solved since it was written, the nearest to a goal first."""
    goals = catalogue.since_written(catalogue.skills.find(one.id))
    if not goals:
        return ()
    rows = catalogue.skills.cache.vectors([shape(text) for text in (goal, *goals)])
    near = (rows[1:] @ rows[0]).round(6).tolist()
    return tuple(text for _, text in sorted(zip(near, goals, strict=True), key=lambda pair: -pair[0]))


def _found_by(solved: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name, goals in solved.items():
        more = f" and {len(goals) - _TOLD} more" if len(goals) > _TOLD else ""
        told = ", ".join(f'"{goal[:_LETTERS]}"' for goal in goals[:_TOLD])
        yield f"{name} is found by goals that it solved since it was written, too: {told}{more}"


def _unknown(goal: str, limits: Thresholds, library: Library) -> Iterator[str]:
    """Yield which names of skills nobody has."""
    for name in (misnamed(goal, library.skills), *limits.pinned):
        if name and name not in library.skills:
            taken = "" if name in limits.pinned else ", so it is taken as words of the goal"
            yield f"there is no skill {name}{taken}{near(name, library.skills)}"


def _no_skill(domain: str, library: Library) -> Iterator[str]:
    known = ", ".join(sorted({one.domain for one in library.skills.values() if one.domain}))
    there = f"no skill for {domain}, only for {known}" if known else "no skill"
    yield f"nothing is shown because the library has {there}"


def _why(
    shown: tuple[Ranked, ...], considered: tuple[Ranked, ...], forms: dict[str, int], asked: str, limits: Thresholds
) -> Iterator[str]:
    for one in shown:
        if one.id == asked:
            yield f"{one.id} is shown because the goal begins with its name: likeness is not asked"
        elif one.pinned:
            yield f"{one.id} is shown because it is pinned (thresholds.pinned)"
        elif "chance" not in one.parts:
            knows = f"its program knows goals of this form: its pattern fixes {forms[one.id]} letters"
            yield f"{one.id} is shown because {knows}; {_hoped(one)}"
        elif considered and one.parts.get("learned") is not None and one.id != considered[0].id:
            was = f"{considered[0].id}, which would be shown without it"
            yield f"{one.id} is shown because training puts it before {was}"
        elif one.parts.get("chance", 0.0) >= limits.chance:
            yield f"{one.id} is shown because the chance that it fits, {_chance(one)}, is at least {limits.chance:.2f}"
        else:
            near = f"{_part(one, 'solved')}, from {limits.covers:.2f} on"
            yield f"{one.id} is shown because it solved a goal like this one: {near}"
    if not shown:
        best = considered[0]
        least = f"{_chance(best)}, below {limits.chance:.2f}"
        yield f"nothing is shown: the chance that the best one, {best.id}, fits is {least}"


def _learned(shown: tuple[Ranked, ...], without: tuple[Ranked, ...], trained: Trained | None) -> Iterator[str]:
    """Yield what training adds to each that is shown, and what comes first without it."""
    for one in shown if trained else ():
        if trained and (added := one.parts.get("learned")) is not None:
            parts = {name.removeprefix("learned "): value for name, value in one.parts.items() if "learned " in name}
            most = ", ".join(f"{name} {value:+.2f}" for name, value in parts.items()) or "nothing"
            known = f"by training, the chance that it does it is {one.parts['works']:.0%}"
            yield f"version {trained.version} of the router adds {added:+.2f} to {one.id} ({most}); {known}"
    if without and shown and without[0].id != shown[0].id:
        yield f"untrained, {without[0].id} would come first"


def _otherwise(shown: tuple[Ranked, ...], considered: tuple[Ranked, ...], limits: Thresholds) -> Iterator[str]:
    if not considered:
        return
    best = considered[0]
    if not shown:
        more = max(lacking(best.parts["chance"], limits.chance, proven=best.parts["solved"] > -1), _WORTH_SAYING)
        yield f"{best.id} would be shown with a score {more:.2f} higher, say after solving a goal like it"
        yield f"or where the goal begins with /{best.id}"
        return
    behind = next((one for one in considered if one.id not in {chosen.id for chosen in shown}), None)
    if behind is None:
        yield "there is no runner-up"
    elif any(one.parts and "chance" not in one.parts for one in shown):
        yield f"{behind.id} would come first only if its program knew such goals, too, and fixed more or did better"
    elif shown[0].parts:
        lead = shown[0].score - behind.score
        if lead < 0:
            yield f"{behind.id} scores {-lead:.2f} more, without what training adds"
            return
        yield f"the runner-up {behind.id} is {lead:.2f} behind: it would have to score more than {shown[0].score:.2f}"
    else:
        yield f"without that, {best.id} would be the first candidate"


def _hoped(one: Ranked) -> str:
    hope = one.parts.get("expected")
    return (
        "the ledger tells of no try of it as it is now"
        if hope is None
        else f"it is expected to do {hope:.0%} of such goals"
    )


def _chance(one: Ranked) -> str:
    return _part(one, "chance")


def _part(one: Ranked, name: str) -> str:
    return f"{one.parts[name]:.2f}"
