"""Recount: what was routed in an attempt and why, as its line in the ledger tells.

Nothing is worked out anew: the library may be another one by now, and so may what the router knows of it. What is asked
of today's library is one thing only: whether what was shown still says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from skillagent.library import Library
from skillagent.schema import Attempted, Event, Ranked, Routed, Skill, Value


class Part(Routed):
    """What was chosen for a goal or a part of one, with the reasons in words."""

    why: tuple[str, ...] = ()


class Recounted(Value):
    """What was routed in an attempt: for what, when, with which library, what was chosen for each part, and its score.

    `since`: what is otherwise by now. Without `parts` the line is from before they were kept; it has what was `shown`.
    """

    attempt: str
    goal: str
    at: str
    library: str
    score: float | None
    shown: tuple[str, ...]
    parts: tuple[Part, ...]
    since: tuple[str, ...]


def recount(event: Event, library: Library) -> Recounted | None:
    """Return what an event tells of a route; None where it is no attempt.

    Args:
        event: A line of the ledger.
        library: As it is now.
    """
    entry = event.entry
    if not isinstance(entry, Attempted):
        return None
    parts = [Part(**dict(one), why=(*_why(one, entry), *_behind(one))) for one in entry.routed]
    shown = {one.id: one for part in parts for one in part.shown}
    return Recounted(
        attempt=entry.attempt,
        goal=entry.goal,
        at=event.at,
        library=event.library,
        score=entry.score,
        shown=entry.shown,
        parts=tuple(parts),
        since=tuple(_since(shown.values(), library.skills)) if parts else (),
    )


def _why(part: Routed, entry: Attempted) -> Iterator[str]:
    for one in part.shown:
        version = f" (version {one.version})" if one.version else ""
        yield f"{one.id}{version} was shown because {_reason(one)}; {_came(one.id, part.goal, entry)}"
    if not part.shown:
        best = part.runner_up
        what = (
            f"{best.id} came nearest, {_number('score', best.score)}{_chance(best)}" if best else "no skill was there"
        )
        yield f"nothing was shown: {what}"


def _reason(one: Ranked) -> str:
    if one.pinned:
        return "it was pinned (thresholds.pinned)"
    if not one.parts:
        return "the goal began with its name"
    learned = one.parts.get("learned")
    trained = f", with {learned:+.2f} by training" if learned is not None else ""
    if "chance" not in one.parts:
        hope = one.parts.get("expected")
        tried = "it had never been tried" if hope is None else f"it was expected to do {hope:.0%} of such goals"
        return f"its program knew goals of this form, and {tried}{trained}"
    return f"it came first, {_number('score', one.score)}{_chance(one)}{_solved(one)}{trained}"


def _chance(one: Ranked) -> str:
    chance = one.parts.get("chance")
    return "" if chance is None else f", {_number('chance', chance)} that it fits"


def _solved(one: Ranked) -> str:
    near = one.parts.get("solved", -1.0)  # a cosine of -1 stands for none
    return f", {near:.2f} like a goal that it had solved" if near > -1 else ""


def _number(what: str, value: float) -> str:
    return f"{what} {value:.2f}"


def _came(name: str, goal: str, entry: Attempted) -> str:
    runs = [run for run in entry.runs if (run.skill, run.goal) == (name, goal)]
    if not runs:
        return "its program ran" if name in entry.programs else "no program of it ran"
    if not runs[-1].fit:
        return "its program did not find what it begins with"
    return "its program ran, and the model had to take part" if runs[-1].helped else "its program ran"


def _behind(part: Routed) -> Iterator[str]:
    if part.shown and (best := part.runner_up) is not None:
        yield f"the runner-up was {best.id}, {_number('score', best.score)}"


def _since(shown: Iterable[Ranked], skills: Mapping[str, Skill]) -> Iterator[str]:
    for one in shown:
        now = skills.get(one.id)
        if now is None:
            yield f"{one.id} is not in the library any more"
        elif one.says and one.says != now.says:
            yield f"{one.id} was changed since: it is version {now.version} now"
