"""Perturbed: how often a skill's program still does it with one thing changed, by replays that nothing is learnt from.

Only on instances that the program as it is solves by itself, so that every failure is the change's. The model is never
asked. Source: counterfactual perturbation of demonstrations (GLiDE).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from skillagent.envs.robot.essentials import Change, dropped, shifts, swapped
from skillagent.library import Library
from skillagent.loop import Agent, attempt
from skillagent.programs.text import FILE, dump
from skillagent.schema import Edit, Program, PutSkill, Skill, Task, Variation

_ALONE = Variation(alone=True)


def changed(program: Program) -> dict[Change, Program]:
    """Return the program with each step left out, each two neighbours swapped, and each offset moved."""
    return {**dropped(program), **swapped(program), **shifts(program)}


def solved(agent: Agent, skill: Skill, program: Program, tasks: Sequence[Task], most: int) -> list[Task]:
    """Return the first `most` of the tasks that the program does by itself in the place of the skill's own."""
    return [*islice((one for one in tasks if share(agent, skill, program, [one])), most)]


def share(agent: Agent, skill: Skill, program: Program, tasks: Sequence[Task]) -> float:
    """Return the share of tasks that a program in the place of a skill's does by itself; there is one at least."""
    own = skill.model_copy(update={"version": 1, "files": {**skill.files, FILE: dump(program)}})
    library = Library().apply(Edit(changes=(PutSkill(skill=own, base=None),), why="perturbed"))
    return sum(attempt(agent, one, library, _ALONE).verdict.success is True for one in tasks) / len(tasks)


def replayed(agent: Agent, skill: Skill, program: Program, tasks: Sequence[Task]) -> Mapping[Change, float]:
    """Return the share of tasks that the program still does with each change."""
    return {what: share(agent, skill, one, tasks) for what, one in changed(program).items()}
