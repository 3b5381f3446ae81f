"""Teaching: an insight or a demonstration is worth what a weaker student gains from it on tasks like its own.

Source: learning by teaching. A strong model may solve a task whatever it is told; a weak one shows what the words add.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skillagent.learning.curate import sources
from skillagent.library import Library
from skillagent.schema import Attempt, Split, Task

Showing = Callable[[Task, Sequence[str]], Attempt]


def taught(key: str, library: Library, showing: Showing, *, exams: int = 2) -> float | None:
    """Return the student's mean gain in score with an item, on fresh practice instances of its source tasks.

    Args:
        key: The insight, or the demonstration.
        library: Which holds it.
        showing: The student's try at a task with the named items shown, and no others of their kind.
        exams: Instances of each source task.

    Returns:
        Between -1 and 1; None where it names no source task, no exam could be scored on both sides, or the student
        solves all of them with it and without it.
    """
    gains, room = [], False
    for task in exam_tasks(library, key, exams):
        without, with_it = (showing(task, shown).verdict.score for shown in ((), (key,)))
        if without is not None and with_it is not None:
            gains.append(with_it - without)
            room = room or min(with_it, without) < 1.0
    return sum(gains) / len(gains) if room else None


def exam_tasks(library: Library, key: str, exams: int) -> list[Task]:
    """Return, for each source task of an item, the practice instances that follow the last one it was learnt on."""
    last: dict[str, Task] = {}
    for task in sources(library.insights.get(key) or library.demonstrations[key]):
        if task.id not in last or task.seed > last[task.id].seed:
            last[task.id] = task
    following = [one.model_copy(update={"seed": one.seed + n}) for one in last.values() for n in range(1, exams + 1)]
    return [one for one in following if one.split is Split.PRACTICE]
