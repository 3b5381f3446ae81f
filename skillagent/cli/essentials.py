"""Essentials: what of a skill's program matters, found by replays on practice seeds, in words and as an edit.

Replays are only done where a reset makes the world anew. What was found is written into the skill only where a person
asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from skillagent.envs.robot.essentials import told
from skillagent.errors import ConfigError
from skillagent.evaluation.perturbed import replayed, solved
from skillagent.evaluation.suites import load_suite
from skillagent.loop import Agent
from skillagent.ports import begins_anew
from skillagent.programs.text import program_of
from skillagent.schema import Change, Decided, Decision, Edit, Event, Program, PutSkill, Skill, Split, Task, Value

HEADING = "## What matters"
_TRIED = 3  # times as many instances are tried as are wanted: some the program does not do
_STEPS = 60  # of an episode, as `run` has it


class Found(Value):
    """What replays told of a program: in words, a line each step, and the share of instances done with each change."""

    task: str
    instances: tuple[int, ...]
    lines: tuple[str, ...]
    shares: Mapping[str, float]


def source(skill: Skill, events: Iterable[Event]) -> str:
    """Return the task that a skill was last learnt from, as the ledger has it.

    Raises:
        ConfigError: It names none.
    """
    for change, decision in reversed(_accepted(events)):
        if isinstance(change, PutSkill) and change.key == skill.name and decision.edit.evidence:
            return decision.edit.evidence[0].partition("@")[0]
    raise ConfigError(
        f"{skill.name}: the ledger names no task that it was learnt from: say --task, e.g. --task metaworld/pick-place"
    )


def _accepted(events: Iterable[Event]) -> list[tuple[Change, Decision]]:
    decisions = [one.entry.decision for one in events if isinstance(one.entry, Decided)]
    return [(change, one) for one in decisions if one.accepted for change in one.edit.changes]


def program_in(skill: Skill) -> Program:
    """Return the skill's program.

    Raises:
        ConfigError: It has none.
        InvalidSkill: It cannot be read.
    """
    if (program := program_of(skill)) is None:
        raise ConfigError(f"{skill.name} has no program, only words: there are no steps to leave out")
    return program


def practice(task: str, seeds: int, first: int) -> list[Task]:
    """Return the practice instances that are tried.

    Raises:
        ConfigError: They would be no practice seeds.
    """
    count = _TRIED * seeds
    if Split.of(first + count - 1) is not Split.PRACTICE:
        raise ConfigError(
            f"--first {first}: {count} instances from there are not all practice seeds, "
            f"which are below {Split.GATE.first_seed:,}"
        )
    tasks = load_suite(task).tasks(Split.PRACTICE, count, first=first)
    return [one.model_copy(update={"max_steps": _STEPS}) for one in tasks]


def essentials(agent: Agent, skill: Skill, tasks: Sequence[Task], seeds: int) -> Found:
    """Return what replays with one thing changed tell of a skill's program.

    Raises:
        ConfigError: It has no program, it solves none of the tasks by itself, or its world cannot be made anew.
        InvalidSkill: Its program cannot be read.
    """
    program = program_in(skill)
    if not begins_anew(agent.open(tasks[0])):
        raise ConfigError(
            f"{tasks[0].id}: what is done there may last, and this repeats it many times: only worlds "
            "that a reset makes anew are replayed"
        )
    held = solved(agent, skill, program, tasks, seeds)
    if not held:
        raise ConfigError(
            f"{skill.name}: its program does none of {len(tasks)} practice instances of {tasks[0].id} by itself, so "
            "nothing can be told: say another --task or --first"
        )
    found = replayed(agent, skill, program, held)
    return Found(
        task=tasks[0].id,
        instances=tuple(one.seed for one in held),
        lines=tuple(told(program, found)),
        shares={str(change): value for change, value in found.items()},
    )


def noted(skill: Skill, lines: Sequence[str]) -> Decided:
    """Return the entry that writes what matters into a skill, in the place of what was found before."""
    before, _, rest = f"\n{skill.body}".partition(f"\n{HEADING}\n")
    after = rest[rest.index("\n## ") :] if "\n## " in rest else ""
    body = before.removeprefix("\n") + f"\n{HEADING}\n\n" + "".join(f"- {line}\n" for line in lines) + after
    new = skill.model_copy(update={"version": skill.version + 1, "body": body})
    edit = Edit(changes=(PutSkill(skill=new, base=skill.version),), why="replays with one thing changed")
    reason = "accepted: words only, asked for by a person"
    return Decided(decision=Decision(edit=edit, accepted=True, reason=reason, by="person"))
