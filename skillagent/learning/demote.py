"""Demote: programs that fail more than they help, and skills in words that hurt, read off the ledger.

A program is held against what happens without it at the same tasks, so that one for a hard task is not blamed for the
task. Of its own tries only those since the skill was last changed count. A program that goes leaves its skill's words,
which may go later, by their utility. What a person wrote is the person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, lgamma

from skillagent.learning.utility import Utility, utilities
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.schema import (
    Attempted,
    Change,
    Decision,
    Edit,
    Event,
    PutSkill,
    RetireDemonstration,
    RetireSkill,
    Skill,
    Split,
)

LEAST = 3  # failures, whatever the odds
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
        for key in event.changed:
            found.pop(key, None)
        match event.entry:
            case Attempted(
                void=None, score=float() as score, task=task, programs=programs, surprise=surprise, runs=runs
            ):
                helped = {
                    run.skill for run in runs if run.helped
                }  # another took over, or what was left was planned again
                last = programs[-1:] if score < 1 or surprise else ()  # those before it did their parts
                for name in dict.fromkeys(programs) if task.split is not Split.HOLDOUT else ():
                    record = found.setdefault(name, Record())
                    record.tasks.add(task.id)
                    record.solved += score >= 1 and name not in last and name not in helped
                    record.failed += score < 1 and name in last
    return found


def demoted(library: Library, events: Iterable[Event], worth: Mapping[str, Utility]) -> Iterator[Decision]:
    """Yield the end of every program that solves less than is solved without it, and of skills in words that hurt."""
    known = list(events)
    told = records(known)
    for name, skill in library.skills.items():
        if skill.foreign:
            continue
        if FILE in skill.files:
            if name in told and (decision := _without_program(skill, told[name], known)) is not None:
                yield decision
        elif name in worth and worth[name].hurts and (lift := utilities(_since(name, known)).get(name)) and lift.hurts:
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
    won, tried = _elsewise(skill.name, record.tasks, events)
    if (
        record.failed < max(LEAST, record.solved + 1)
        or _likelier(won, tried - won, record.solved, record.failed) < SURE
    ):
        return None
    why = f"{skill.name}: its program solved {record.solved} and failed {record.failed} of what it began"
    return Decision(
        edit=Edit(changes=(words_only(skill),), why=why),
        accepted=True,
        reason=f"accepted: without it {won} of {tried} such tries succeeded; its words stay",
    )


def _likelier(won: int, lost: int, solved: int, failed: int) -> float:
    """Return the probability that success is likelier where it was `won` and `lost` than where `solved` and `failed`.

    Of two rates with flat priors, in closed form: Miller 2015.
    """

    def log_beta(a: int, b: int) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    a, b, c = 1 + solved, 1 + failed, 1 + lost
    return sum(exp(log_beta(a + i, b + c) - log_beta(1 + i, c) - log_beta(a, b)) / (c + i) for i in range(1 + won))


def _since(name: str, events: Sequence[Event]) -> Iterator[Event]:
    """Yield what happened since a skill was last changed, and what happened without it before."""
    first = max((n for n, event in enumerate(events) if name in event.changed), default=-1) + 1
    for number, event in enumerate(events):
        if number >= first or not (isinstance(event.entry, Attempted) and name in event.entry.shown):
            yield event


def _elsewise(name: str, tasks: set[str], events: Iterable[Event]) -> tuple[int, int]:
    """Return how many tries at these tasks succeeded in which the program did not run, and how many there were."""
    scores = [
        entry.score
        for event in events
        if isinstance(entry := event.entry, Attempted)
        and entry.task.id in tasks
        and name not in entry.programs
        and entry.score is not None
        and entry.void is None
        and entry.task.split is not Split.HOLDOUT
    ]
    return sum(score >= 1 for score in scores), len(scores)
