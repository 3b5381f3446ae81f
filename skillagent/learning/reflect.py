"""Reflect: from attempts at a task to what they teach, each lesson with the attempts that show it.

The exact parts come from the attempts themselves; no model is asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from skillagent.errors import InvalidSkill
from skillagent.goals import shape
from skillagent.learning.attribute import attribute, blame, blamed, shown_in, surprised
from skillagent.learning.patterns import VERY_ALIKE, kinds
from skillagent.learning.trace import useful_steps
from skillagent.library import Library
from skillagent.programs.template import filled_by
from skillagent.programs.text import program_of
from skillagent.schema import Attempt, Cause, Lesson, Skill


def reflect(attempts: Sequence[Attempt], library: Library) -> tuple[Lesson, ...]:
    """Return at most one lesson for each kind of goal of a task; none where nothing can be learnt.

    The success kept is one on an instance that also failed, where there is one: it shows what made the difference. Of
    those, the one with the fewest useful steps: the others only cost more.
    """
    lessons = (_lesson(tried, others, library) for tried, others in _of_one_kind(attempts))
    return tuple(lesson for lesson in lessons if lesson.cause.teaches)


def _of_one_kind(attempts: Sequence[Attempt]) -> Iterator[tuple[list[Attempt], list[Attempt]]]:
    """Yield the attempts at each task, apart where its goals ask for different things: what does one fails another.

    What reached another goal stays with the failures at the one that was set, for which it may be a way. Beside them
    are the successes at the task's other goals, which may ask for the same in other words.
    """
    for task in dict.fromkeys(one.trajectory.task.id for one in attempts):
        tried = [one for one in attempts if one.trajectory.task.id == task]
        for group in kinds([one.trajectory.asked or one.trajectory.goal for one in tried], VERY_ALIKE):
            own = [tried[number] for number in sorted(group)]
            yield own, [one for number, one in enumerate(tried) if number not in group and one.verdict.success]


def _lesson(tried: Sequence[Attempt], others: Sequence[Attempt], library: Library) -> Lesson:
    skill = _known_of((blamed(tried), surprised(tried)), tried, library)
    cause = attribute(tried, skill)
    if cause is Cause.EFFORT and skill is None:
        skill = _known_of(shown_in(tried), tried, library)
    successes = [one for one in tried if one.verdict.success]
    failures = [one for one in tried if one.verdict.success is False]
    hard = {one.trajectory.task.seed for one in failures}
    best = min(
        successes,
        key=lambda one: (
            bool(one.trajectory.asked),
            one.trajectory.task.seed not in hard,
            len(useful_steps(one.trajectory)),
        ),
        default=None,
    )
    return Lesson(
        cause=cause,
        summary=_summary(tried[0].trajectory.task.id, successes, failures),
        success=best,
        successes=tuple(successes),
        failures=tuple(failures),
        others=tuple(one for one in others if not one.trajectory.asked) if best else (),
        skill=skill if cause in (Cause.SKILL, Cause.EFFORT) else None,
    )


def _summary(task: str, successes: Sequence[Attempt], failures: Sequence[Attempt]) -> str:
    """Return how the attempts went and what the failures under a skill are put down to, for the ledger."""
    others = sum(bool(one.trajectory.asked) for one in successes)
    luck = sum(one.trajectory.lucky for one in successes)
    own = len(successes) - luck - others
    told = f"{task}: {own} of {own + len(failures)} scored attempts succeeded"
    told += f", {mended} of them mended" if (mended := sum(one.trajectory.mended for one in successes)) else ""
    told += f", and {luck} by chance" if luck else ""
    told += f", and {others} reached another goal" if others else ""
    faults = [f"{blame(one)} of {name}" for one in failures if (name := blamed([one])) is not None]
    faults += [blame(one) for one in failures if blamed([one]) is None and one.trajectory.unfit]
    return f"{told}; put down to {', '.join(dict.fromkeys(faults))}" if faults else told


def _known_of(names: Iterable[str | None], tried: Sequence[Attempt], library: Library) -> str | None:
    """Return the first skill that is for such goals; the others were only shown, and their steps stay as they are."""
    known = (name for name in names if name is not None and name in library.skills)
    return next((name for name in known if _knows(library.skills[name], tried)), None)


def _knows(skill: Skill, tried: Sequence[Attempt]) -> bool:
    """Tell whether the skill is for such goals: it has solved one of this shape, or its program says so."""
    shapes, patterns = {shape(goal) for goal in skill.goals}, _patterns(skill)
    goals = [one.trajectory.goal for one in tried]
    return any(shape(goal) in shapes or filled_by(patterns, goal) is not None for goal in goals)


def _patterns(skill: Skill) -> tuple[str, ...]:
    try:
        program = program_of(skill)
    except InvalidSkill:
        return ()  # its words are still of use
    return program.goals if program else ()
