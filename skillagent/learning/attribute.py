"""Attribute: why attempts at one task went as they did, before anything is learnt from them.

Missing knowledge and a skill's defect teach, and so does needless effort: a task that is solved by asking the model at
every step may be done by a program, and a program that often hands over may be mended. A void episode is
infrastructure, an unscored one is the judge's, and a slip in a task that is otherwise solved is a lapse: lessons from
those are how a memory fills with junk.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from skillagent.schema import Attempt, Cause, Trajectory

LAPSE_FROM = 0.75
OFTEN = 0.25  # of the scored attempts: a program hands over so often that mending it is worth a try


def attribute(attempts: Sequence[Attempt], skill: str | None = None) -> Cause:
    """Return the one cause that explains the attempts at one task, made with one library.

    Attempts that nobody scored are left aside when others were scored, and so is what someone else showed, chance
    found, was mended, or reached another goal than was set. `skill` is the one that was shown to the agent and is
    meant for such tasks, if any.
    """
    own = [one for one in attempts if not _of_others(one.trajectory)]
    scored = [one for one in own if one.verdict.success is not None]
    if not scored:
        voids = any(one.trajectory.void is not None for one in own)
        return Cause.INFRASTRUCTURE if voids or not own else Cause.JUDGE
    if sum(bool(one.verdict.success) for one in scored) >= LAPSE_FROM * len(scored):
        asked = [one.trajectory for one in scored if one.verdict.success and one.trajectory.usage.calls]
        handed_over = sum(surprised_in(one) is not None for one in asked)
        needless = all(one.trajectory.usage.calls for one in scored if one.verdict.success)
        return Cause.EFFORT if needless or handed_over >= OFTEN * len(scored) else Cause.LAPSE
    return Cause.SKILL if skill else Cause.KNOWLEDGE


def _of_others(one: Trajectory) -> bool:
    return one.shown or one.lucky or one.mended or bool(one.asked)


def blame(tried: Attempt) -> str:
    """Return what one failure is put down to, as far as it can tell by itself; empty for a success.

    That is the program that ran, or the slots where the model had filled them; the router, where every skill that it
    chose was for another page; the words of a skill; missing knowledge; or the world.
    """
    if tried.verdict.success:
        return ""
    trajectory, cause = tried.trajectory, attribute([tried], blamed([tried]))
    if cause is Cause.SKILL and trajectory.programs:
        return "slots" if trajectory.programs[-1] in trajectory.guessed else "program"
    if cause is Cause.KNOWLEDGE and trajectory.unfit:
        return "router"
    return cause.value


def blamed(attempts: Sequence[Attempt]) -> str | None:
    """Return the skill that was shown first in a failed attempt, if any was; one that is not for such pages was not."""
    for one in attempts:
        if one.verdict.success is False and one.route is not None:
            for ranked in chain.from_iterable(one.route.skills):
                if ranked.id not in one.trajectory.unfit:
                    return ranked.id
    return None


def shown_in(attempts: Sequence[Attempt]) -> list[str]:
    """Return the skills that were shown in the attempts and are for such pages, each once."""
    routed = [
        ranked.id
        for one in attempts
        if one.route is not None
        for ranked in chain.from_iterable(one.route.skills)
        if ranked.id not in one.trajectory.unfit
    ]
    return list(dict.fromkeys(routed))


def surprised(attempts: Sequence[Attempt]) -> str | None:
    """Return the skill whose program began, met what it did not expect, and left the rest to the model."""
    return next((name for one in attempts if (name := surprised_in(one.trajectory)) is not None), None)


def surprised_in(trajectory: Trajectory) -> str | None:
    """Return the skill whose program handed over, or had to be helped, in one attempt: the first of a chain."""
    helped = [run.skill for run in trajectory.runs if run.helped]
    return next(iter([*helped, *(trajectory.programs[-1:] if trajectory.surprise else ())]), None)
