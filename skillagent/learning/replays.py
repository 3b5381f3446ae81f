"""Replays: which tasks an edit is tried on.

Sources are the practice tasks that the lesson's attempts failed. Fresh tasks come from gate seeds that depend on the
lesson: no seed is worn out by many edits, and the few of one lesson are compared with the same attempts without them,
which are made once. Rehearsals are tasks that were solved before and would be shown
something else after the edit: the others cannot change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from skillagent.goals import named
from skillagent.library import Library
from skillagent.schema import (
    Attempted,
    Decided,
    Decision,
    Edit,
    Event,
    Lesson,
    Plan,
    Route,
    Score,
    Split,
    Task,
    digest_of,
)

Router = Callable[[Plan, Library], Route]
_LOOKS = 20
_GATE_SEEDS = Split.HOLDOUT.first_seed - Split.GATE.first_seed


def fresh(lesson: Lesson) -> Iterator[Task]:
    """Yield the lesson's tasks in turn on gate seeds, without end."""
    attempts = [one for one in (lesson.success, *lesson.failures) if one is not None]
    tasks = list({one.trajectory.task.id: one.trajectory.task for one in attempts}.values())
    offset, turn = int(digest_of(list(lesson.evidence)), 16), 0
    while True:
        seed = Split.GATE.first_seed + (offset + turn) % _GATE_SEEDS
        yield tasks[turn % len(tasks)].model_copy(update={"seed": seed})
        turn += 1


def touched(
    tasks: Iterable[Task], edit: Edit, library: Library, route: Router, goal_of: Callable[[Task], str | None]
) -> Iterator[Task]:
    """Yield those tasks that would be shown something else with the edit: on the others it can neither win nor lose.

    Ends after `_LOOKS` in a row that would not.

    Args:
        goal_of: Opens a task and returns its goal; None where that cannot be told, which counts as touched.
    """
    candidate, keys, missed = library.apply(edit), {change.key for change in edit.proper}, 0
    for task in tasks:
        goal = goal_of(task)
        if goal is None or _differs(goal, task.env, library, candidate, keys, route):
            missed = 0
            yield task
        elif (missed := missed + 1) == _LOOKS:
            return


def _differs(goal: str, domain: str, before: Library, after: Library, keys: set[str], route: Router) -> bool:
    """Tell whether a goal is shown another choice, or an item of the choice that is rewritten."""
    asked, words = named(goal, before.skills)
    plan = Plan(goal=words, domain=domain, named=asked)
    was = route(plan, before).ids
    return was != route(plan, after).ids or not keys.isdisjoint(was)


def sources(lesson: Lesson, *, most: int = 2) -> list[tuple[Task, Score]]:
    """Return failed tasks of the lesson with their scores: the seed that a success is known for first."""
    known = lesson.success.trajectory.task.seed if lesson.success else None
    failed = {one.trajectory.task: one.verdict.score for one in reversed(lesson.failures)}
    scored = [(task, Score(value=score)) for task, score in failed.items() if score is not None]
    return sorted(scored, key=lambda pair: (pair[0].seed != known, pair[0].seed))[:most]


def rehearsals(
    edit: Edit,
    lesson: Lesson,
    library: Library,
    events: Iterable[Event],
    route: Router,
    *,
    goal_of: Callable[[Task], str | None],
    most: int = 4,
) -> tuple[Task, ...]:
    """Return tasks that were solved and would be shown something else with the edit, latest first, each task once.

    Something else is another choice, or an item of the choice that the edit rewrites. Solved were tasks in attempts,
    and those in the replays that let an earlier edit in: they may have been tried nowhere else since.

    The lesson's own task is left out: its fresh replays say more.

    Args:
        goal_of: Opens a task and returns its goal; None where that cannot be told, which counts as something else.
    """
    own = {one.trajectory.task.id for one in (lesson.success, *lesson.failures) if one is not None}
    candidate, found = library.apply(edit), dict[str, Task]()
    keys = {change.key for change in edit.proper}
    for event in reversed(list(events)):
        for task, said in _solved(event):
            if task.id in own or task.id in found or task.split is Split.HOLDOUT:
                continue
            goal = goal_of(task) if said is None else said
            if goal is None or _differs(goal, task.env, library, candidate, keys, route):
                found[task.id] = task
            if len(found) == most:
                return tuple(found.values())
    return tuple(found.values())


def _solved(event: Event) -> list[tuple[Task, str | None]]:
    """Return the tasks that were solved in what an event tells of, one of a kind, with their goals if it has them."""
    match event.entry:
        case Attempted(score=1.0, task=task, goal=goal):
            return [(task, goal)]
        case Decided(decision=Decision(accepted=True) as decision):
            won = [one.task for one in (*decision.verified, *decision.pairs) if one.after and one.after.success]
            return [(task, None) for task in {task.id: task for task in won}.values()]
        case _:
            return []
