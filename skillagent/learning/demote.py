"""Demote: programs that fail more than they help, and skills in words that hurt, read off the ledger.

A program is held against what happens without it at the same tasks, so that one for a hard task is not blamed for the
task. Only what happened since the skill was last changed counts. A program that goes leaves its skill's words, which
may go later, by their utility.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from skillagent.learning.utility import Utility
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.schema import (
    Attempted,
    Change,
    Decided,
    Decision,
    Edit,
    Event,
    PutSkill,
    RetireDemonstration,
    RetireSkill,
    RolledBack,
    Skill,
    Split,
)

SURE = 0.95  # how likely it must be that a program solves less than is solved without it


@dataclass
class Record:
    """What came of a program since its skill was last changed, task by task.

    `solved` it did without a surprise, `failed` is what it began and nobody ended, `tasks` are those where it ran.
    """

    solved: int = 0
    failed: int = 0
    tasks: set[str] = field(default_factory=set)


def records(events: Iterable[Event]) -> dict[str, Record]:
    """Return the record of every program that ran; holdout seeds do not count."""
    found: dict[str, Record] = {}
    for event in events:
        match event.entry:
            case Decided(decision=Decision(accepted=True, edit=Edit(changes=changes))) | RolledBack(changes=changes):
                for change in changes:
                    found.pop(change.key, None)
            case Attempted(void=None, score=float() as score, task=task, programs=programs, surprise=surprise):
                for name in dict.fromkeys(programs) if task.split is not Split.HOLDOUT else ():
                    record = found.setdefault(name, Record())
                    record.tasks.add(task.id)
                    record.solved += score >= 1 and not surprise
                    record.failed += score < 1
    return found


def demoted(library: Library, events: Iterable[Event], worth: Mapping[str, Utility]) -> Iterator[Decision]:
    """Yield the end of every program that solves less than is solved without it, and of skills in words that hurt."""
    known = list(events)
    told = records(known)
    for name, skill in library.skills.items():
        if FILE in skill.files:
            if name in told and (decision := _without_program(skill, told[name], known)) is not None:
                yield decision
        elif name in worth and worth[name].hurts:
            lift = worth[name]
            why = f"{name}: success is {lift.lift:+.0%} with it ({lift.low:+.0%} to {lift.high:+.0%})"
            edit = Edit(changes=retired(skill, library), why=why)
            yield Decision(edit=edit, accepted=True, reason=f"accepted: it hurts, over {lift.shown:.0f} uses")


def words_only(skill: Skill) -> PutSkill:
    """Return the change that takes a skill's program away."""
    files = {path: text for path, text in skill.files.items() if path != FILE}
    told = skill.model_copy(update={"files": files, "version": skill.version + 1})
    return PutSkill(skill=told, base=skill.version)


def retired(skill: Skill, library: Library) -> tuple[Change, ...]:
    """Return the changes that take a skill out, with the example that came with it."""
    changes: list[Change] = [RetireSkill(name=skill.name, base=skill.version)]
    if (example := example_of(skill.name)) in library.demonstrations:
        changes.append(RetireDemonstration(id=example))
    return tuple(changes)


def example_of(skill: str) -> str:
    """Return the id of the demonstration that comes with a skill."""
    return f"{skill}-example"


def _without_program(skill: Skill, record: Record, events: Iterable[Event]) -> Decision | None:
    from scipy.special import betainc

    won, tried = _elsewise(skill.name, record.tasks, events)
    usual = (1 + won) / (2 + tried)
    if record.failed <= record.solved or betainc(1 + record.solved, 1 + record.failed, usual) < SURE:
        return None
    why = f"{skill.name}: its program solved {record.solved} and failed {record.failed} of what it began"
    return Decision(
        edit=Edit(changes=(words_only(skill),), why=why),
        accepted=True,
        reason=f"accepted: without it {won} of {tried} such tries succeeded; its words stay",
    )


def _elsewise(name: str, tasks: set[str], events: Iterable[Event]) -> tuple[int, int]:
    """Return how many tries at these tasks succeeded in which the program did not run, and how many there were."""
    scores = [
        entry.score
        for event in events
        if isinstance(entry := event.entry, Attempted)
        and entry.task.id in tasks
        and name not in entry.programs
        and entry.score is not None
        and entry.task.split is not Split.HOLDOUT
    ]
    return sum(score >= 1 for score in scores), len(scores)
