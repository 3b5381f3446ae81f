"""Asked: what came of the questions that an agent put to its memory. Names judge it, and no model does.

Source: a memory that is queried by an action, scored by whether its answers are right (LMEE). An answer is about the
right thing where one item that it is made of belongs to the task: an insight that was learnt on it, or a skill that is
for such goals. What is not seen: whether the words of that item helped.
"""

from __future__ import annotations

from typing import NamedTuple

from skillagent.acting.policy import NOTHING, RECALL
from skillagent.errors import InvalidSkill
from skillagent.goals import shape
from skillagent.learning.curate import sources
from skillagent.library import Library
from skillagent.programs.template import form_of
from skillagent.programs.text import program_of
from skillagent.schema import Skill, Trajectory


class Asked(NamedTuple):
    """How often memory was asked, how often it had an answer, and how often that was about the right thing."""

    recalls: int = 0
    recalled: int = 0
    right: int = 0


def asked(trajectory: Trajectory, library: Library) -> Asked:
    """Count the questions of an episode; `library` is what memory answered from."""
    questions = [step for step in trajectory.steps if step.action.verb == RECALL.name and step.recalled]
    answers = [step for step in questions if step.recalled != NOTHING]
    right = [step for step in answers if any(_belongs(key, trajectory, library) for key in step.examples)]
    return Asked(len(questions), len(answers), len(right))


def _belongs(key: str, trajectory: Trajectory, library: Library) -> bool:
    """Tell whether an item of memory belongs to the task; examples are shown beside, and are no answer."""
    if (insight := library.insights.get(key)) is not None:
        return any(task.id == trajectory.task.id for task in sources(insight))
    skill = library.skills.get(key)
    return skill is not None and skill.domain in ("", trajectory.task.env) and _is_for(skill, trajectory.goal)


def _is_for(skill: Skill, goal: str) -> bool:
    if shape(goal) in map(shape, skill.goals):
        return True
    try:
        program = program_of(skill)
    except InvalidSkill:  # it runs nowhere, so it is for nothing
        return False
    return program is not None and form_of(program.goals, goal) > 0
