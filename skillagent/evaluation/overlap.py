"""Overlap: instances that a measurement shares with what was learnt from. What was seen before proves nothing.

Two instances are the same when goal and first page read the same; near, when only the goal does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from skillagent.errors import WorldFault
from skillagent.evaluation.rows import Row
from skillagent.library import Library
from skillagent.ports import Environment
from skillagent.schema import Split, Task, Value, digest_of


class Instance(Value):
    """One task and seed as it is first seen."""

    task: str
    seed: int
    split: Split
    goal: str
    page: str


class Overlap(Value):
    """How many of `total` holdout instances are the same as, or read like, one on a seed that learning may use."""

    task: str
    total: int
    same: int
    goal_only: int


def look(
    enter: Callable[[Task], Environment],
    tasks: Iterable[Task],
    watch: Callable[[Instance], None] = lambda instance: None,
) -> list[Instance]:
    """Return the first sight of every task; one that cannot be brought to its start is left out."""
    seen = []
    for task in tasks:
        try:
            first = enter(task).reset(task)
        except WorldFault:
            continue
        page = digest_of([first.text])
        seen.append(Instance(task=task.id, seed=task.seed, split=task.split, goal=first.goal, page=page))
        watch(seen[-1])
    return seen


def between_splits(instances: Sequence[Instance]) -> list[Overlap]:
    """Compare the holdout instances of each task with those on practice and gate seeds."""
    found = []
    for task in dict.fromkeys(one.task for one in instances):
        own = [one for one in instances if one.task == task]
        used = [one for one in own if one.split is not Split.HOLDOUT]
        held = [one for one in own if one.split is Split.HOLDOUT]
        goals, whole = {one.goal for one in used}, {(one.goal, one.page) for one in used}
        same = sum((one.goal, one.page) in whole for one in held)
        near = sum(one.goal in goals for one in held) - same
        found.append(Overlap(task=task, total=len(held), same=same, goal_only=near))
    return found


def with_sources(rows: Iterable[Row], library: Library) -> Mapping[str, int]:
    """Return of each task how many measured instances have a goal that the library was learnt on, word for word.

    Goals and nothing else, since a row holds no page: what is found may still be another page with the same goal
    (`between_splits` tells these apart). An insight keeps no goal, so what it was learnt on is not found. The seeds
    differ in any case.
    """
    sources = {goal for skill in library.skills.values() for goal in skill.goals}
    sources |= {demonstration.goal for demonstration in library.demonstrations.values()}
    shared: dict[str, set[int]] = {}
    for row in rows:
        if row.goal in sources:
            shared.setdefault(row.task, set()).add(row.seed)
    return {task: len(seeds) for task, seeds in shared.items()}
