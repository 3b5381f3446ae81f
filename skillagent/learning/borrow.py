"""Borrow: where nothing succeeded, the programs of near skills, by themselves, whatever goals they were made for.

A drawer's program may open a window. It is tried as it is, then with its elements known by their role and by what the
goal says of them. What it solves is a success like any other: a skill of its own is learnt from it, and the gate
decides. No model is asked. Of the nearest in words, those come first whose example began with things standing alike,
where both tell places. Sources: a new program from retrieved neighbours (ICAL); skills retrieved by language first,
geometry second (MT3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from skillagent.errors import InvalidSkill
from skillagent.learning.demote import example_of
from skillagent.learning.layout import alike, layout_of
from skillagent.library import Library
from skillagent.programs.template import filled_by, literal, slots_of, slots_of_pattern
from skillagent.programs.text import FILE, dump, program_of
from skillagent.schema import (
    Ask,
    Attempt,
    Check,
    Do,
    Each,
    Expect,
    Node,
    Program,
    Repeat,
    Skill,
    Target,
    Task,
    Trajectory,
    When,
)

Near = Callable[[str, Library, str], Sequence[Skill]]
LENT = "lent-"  # before the lender's name: what becomes of the loan does not count for it
_NEAREST = 10  # in words, which are ranked by how things stand
_INSTANCES = 2  # failed instances that the programs are tried on
_VALUE = re.compile(r"[\"“]([^\"“”]+)[\"”]")


def borrowed(
    tried: Sequence[Attempt], library: Library, alone: Callable[[Task, Library], Attempt], *, near: Near, most: int
) -> Iterator[Attempt]:
    """Yield at most one success for each failed instance, where no attempt succeeded.

    Args:
        tried: The attempts at one task.
        library: Whose programs are lent.
        alone: Tries a task with a library without ever asking the model.
        near: Returns the skills of use in an environment, the nearest to a goal first.
        most: How many skills lend their programs; 0: none.
    """
    if any(one.verdict.success for one in tried):
        return
    failed = {one.trajectory.task: one for one in tried if one.verdict.success is False}
    for task, one in islice(failed.items(), _INSTANCES):
        goal = one.trajectory.goal
        lenders = _by_layout(_lenders(goal, near(goal, library, task.env)), library, _start(one.trajectory))
        for lender in islice(lenders, most):
            played = (alone(task, Library(skills={lent.name: lent})) for lent in as_lent(lender, goal))
            if (success := next((one for one in played if one.verdict.success), None)) is not None:
                yield success
                break


def as_lent(skill: Skill, goal: str) -> Iterator[Skill]:
    """Yield the skill with its program made for a goal, as it is and without the fixed names of its elements."""
    program = program_of(skill)
    assert program is not None
    pattern = _pattern(program, goal)
    if pattern is None:
        return
    loose = tuple(_loose(node) for node in program.steps)
    for text in dict.fromkeys(dump(Program(goals=(pattern,), steps=steps)) for steps in (program.steps, loose)):
        yield skill.model_copy(update={"name": f"{LENT}{skill.name}", "goals": (goal,), "files": {FILE: text}})


def _lenders(goal: str, skills: Sequence[Skill]) -> Iterator[Skill]:
    """Yield those that run and are not for such goals: those that are had their turn."""
    for skill in skills:
        try:
            program = program_of(skill)
        except InvalidSkill:
            continue
        if program is not None and filled_by(program.goals, goal) is None:
            yield skill


def _by_layout(lenders: Iterator[Skill], library: Library, start: str) -> Iterator[Skill]:
    """Yield the nearest by how alike things stood in their examples, then the rest; without a layout, as they come."""
    if (here := layout_of(start)) is not None:

        def worth(skill: Skill) -> float:
            there = layout_of(_example(skill, library))
            return alike(here, there) if there else 0.0

        yield from sorted(islice(lenders, _NEAREST), key=worth, reverse=True)
    yield from lenders


def _start(trajectory: Trajectory) -> str:
    """Return the text of the first state."""
    return trajectory.steps[0].observation.text if trajectory.steps else ""


def _example(skill: Skill, library: Library) -> str:
    """Return the first state of a skill's example, or of one for its goals; empty where there is none."""
    shown = library.demonstrations.get(example_of(skill.name))
    others = (one for one in library.demonstrations.values() if one.goal in skill.goals and one.domain == skill.domain)
    found = shown or next(others, None)
    return found.steps[0].observation if found and found.steps else ""


def _pattern(program: Program, goal: str) -> str | None:
    """Return the goal as a pattern with the program's slots, in the order of what is quoted; None where others are."""
    slots = slots_of_pattern(program.goals[0]) if program.goals else {}
    quoted = list(_VALUE.finditer(goal))
    if any(slots.values()) or (slots and len(slots) != len(quoted)):
        return None
    pattern, at = "", 0
    for name, value in zip(slots, quoted if slots else (), strict=True):
        pattern += literal(goal[at : value.start(1)]) + f"{{{name}}}"
        at = value.end(1)
    return pattern + literal(goal[at:])


def _loose(node: Node) -> Node:
    """Return a step with its elements known by their role, or by what the goal says of them."""
    match node:
        case Do(targets=targets):
            return node.model_copy(update={"targets": {key: _by_role(one) for key, one in targets.items()}})
        case Ask(do=do):
            return node.model_copy(update={"do": _loose(do)})
        case Expect(check=check):
            return node.model_copy(update={"check": _loose_check(check)})
        case Each(do=inner):
            return node.model_copy(update={"do": tuple(_loose(one) for one in inner)})
        case Repeat(do=inner, until=check):
            return node.model_copy(update={"do": tuple(map(_loose, inner)), "until": _loose_check(check)})
        case When(do=inner, otherwise=others, check=check):
            inside = {"do": tuple(map(_loose, inner)), "otherwise": tuple(map(_loose, others))}
            return node.model_copy(update={**inside, "check": _loose_check(check)})


def _loose_check(check: Check) -> Check:
    return check.model_copy(update={"element": _by_role(check.element)}) if check.element else check


def _by_role(target: Target) -> Target:
    fixed = [
        key
        for key in ("name", "has", "near", "within", "state")
        if (text := getattr(target, key)) and not slots_of(text)
    ]
    return target.model_copy(update=dict.fromkeys(fixed)) if target.role else target
