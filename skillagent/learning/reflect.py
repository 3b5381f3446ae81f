"""Reflect: from attempts at one task to what they teach, each lesson with the attempts that show it.

The exact parts come from the attempts themselves; no model is asked here.
"""

from __future__ import annotations

from collections.abc import Sequence

from skillagent.learning.attribute import attribute, blamed
from skillagent.learning.trace import useful_steps
from skillagent.library import Library
from skillagent.schema import Attempt, Lesson


def reflect(attempts: Sequence[Attempt], library: Library) -> tuple[Lesson, ...]:
    """Return at most one lesson a task; none where nothing can be learnt.

    The success kept is one on an instance that also failed, where there is one: it shows what made the difference. Of
    those, the one with the fewest useful steps: the others only cost more.
    """
    lessons = []
    for task in dict.fromkeys(one.trajectory.task.id for one in attempts):
        tried = [one for one in attempts if one.trajectory.task.id == task]
        cause = attribute(tried)
        successes = [one for one in tried if one.verdict.success]
        failures = [one for one in tried if one.verdict.success is False]
        hard = {one.trajectory.task.seed for one in failures}
        best = min(
            successes,
            key=lambda one: (one.trajectory.task.seed not in hard, len(useful_steps(one.trajectory))),
            default=None,
        )
        skill = blamed(tried) if cause.teaches else None
        lessons.append(
            Lesson(
                cause=cause,
                summary=f"{task}: {len(successes)} of {len(successes) + len(failures)} scored attempts succeeded",
                success=best,
                failures=tuple(failures),
                skill=skill if skill in library.skills else None,
            )
        )
    return tuple(lesson for lesson in lessons if lesson.cause.teaches)
