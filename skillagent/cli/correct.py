"""Correct: a skill whose program takes another way, because a person's words say so. Nothing is written here."""

from __future__ import annotations

from skillagent.envs.robot.correct import corrected as moved
from skillagent.envs.robot.wording import corrections
from skillagent.errors import ConfigError
from skillagent.learning.prose import prose
from skillagent.programs.text import FILE, dump, program_of
from skillagent.schema import Decided, Decision, Edit, Program, PutSkill, Skill


def corrected(skill: Skill, words: str) -> Decided:
    """Return the entry that moves a point of a skill's program.

    Raises:
        ConfigError: The words are not understood, or the skill has nothing that they could move; the message says what
            is understood, or what it has.
        InvalidSkill: Its program cannot be read.
    """
    change, program = corrections(words), program_of(skill)
    if program is None:
        raise ConfigError(f"{skill.name} has no program, only words: edit its SKILL.md instead")
    try:
        after = moved(program, change)
    except ConfigError as error:
        raise ConfigError(f"{skill.name}: {error}") from None
    made = {"version": skill.version + 1, "body": _said(skill.body, program, after)}
    new = skill.model_copy(update={**made, "files": {**skill.files, FILE: dump(after)}})
    edit = Edit(changes=(PutSkill(skill=new, base=skill.version),), why=f"a person: {words}")
    reason = "accepted: a person's correction, not replayed"
    return Decided(decision=Decision(edit=edit, accepted=True, reason=reason, by="person"))


def _said(body: str, before: Program, after: Program) -> str:
    """Return a skill's text with the steps that changed as they are now, where it told them as they were."""
    for number, (old, new) in enumerate(zip(prose(before), prose(after), strict=True), start=1):
        body = body.replace(f"\n{number}. {old}\n", f"\n{number}. {new}\n")
    return body
