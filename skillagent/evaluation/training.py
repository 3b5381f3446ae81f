"""Training: one task trained for a stream or by an expert, and the record of what was trained, which outlives a kill.

What a training did is read from the ledger of the library that it grows: the scores of its tries and the changes that
were accepted. So a training that was cut short before it changed the library is begun anew, on the same library; one
that was cut short after that counts as the ledger has it, and only what it might have taught besides is lost. What a
gate that was cut short had spent is in no ledger.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import Field

from skillagent.errors import ConfigError
from skillagent.evaluation.arms import Arm
from skillagent.evaluation.blocks import Block
from skillagent.evaluation.summary import spent_on
from skillagent.library import Library
from skillagent.loop import Agent, run
from skillagent.schema import Attempt, Attempted, Event, PutSkill, Task, Usage, Value
from skillagent.schema import Change as Edited
from skillagent.store.ledger import changes, key_of


class Change(Value):
    """What a block of training changed in the library, by names; `tools` are skills whose files changed."""

    block: int
    trained: tuple[str, ...]
    skills: tuple[str, ...] = ()
    insights: tuple[str, ...] = ()
    demonstrations: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


class Begun(Value):
    """A training that may have been cut short: which arm's, of which task, and the length of the ledger before it."""

    arm: str
    task: str
    events: int


class Expert(Value):
    """One task learnt alone: the scores of the tries, and all that learning it cost."""

    scores: tuple[float, ...]
    spent: Usage


class Record(Value):
    """What `stream.json` holds: all of a stream that its rows do not tell."""

    changes: tuple[Change, ...] = ()
    training: tuple[Block, ...] = ()
    experts: Mapping[str, Expert] = Field(default_factory=dict)
    begun: Begun | None = None

    def with_training(self, block: int, task: str, events: Sequence[Event]) -> Record:
        """Return the record with one more task of the stream trained."""
        scores = scores_in(events)
        curve = [Block(number=2 * block + 1, kind="train", task=task, performance=scores)] if scores else []
        joined = _joined(self.changes[block:], _changed(block, task, events))
        parts = {"changes": (*self.changes[:block], joined), "training": (*self.training, *curve), "begun": None}
        return self.model_copy(update=parts)

    def with_expert(self, task: str, expert: Expert) -> Record:
        """Return the record with one more expert trained."""
        return self.model_copy(update={"experts": {**self.experts, task: expert}, "begun": None})


def train(
    agent: Agent,
    arm: Arm,
    task: Task,
    folder: Path,
    record: Record,
    trained: Callable[[Attempt], None],
    shown: Sequence[Attempt] = (),
) -> list[Event]:
    """Train a task, and return what the ledger says of that; the record in the folder says that it was begun.

    Args:
        agent: The arm's.
        arm: It learns.
        task: On its first practice seed.
        folder: The stream's.
        record: As it is in the folder.
        trained: Called with each attempt.
        shown: What others did, learnt from beside the own attempts.
    """
    begun = record.begun
    known = list(agent.store.events())
    if begun is None or (begun.arm, begun.task) != (arm.name, task.id) or not any(changes(known[begun.events :])):
        begun = Begun(arm=arm.name, task=task.id, events=len(known))
        write_record(folder, record.model_copy(update={"begun": begun}))
        for tried in run(agent, [task], shown=shown):
            trained(tried)
    return list(agent.store.events())[begun.events :]


def spent_by(agent: Agent) -> Usage:
    """Return what the ledger says that all learning has cost."""
    return spent_on(agent.store.events()).total


def learning(name: str) -> Arm:
    """Return an arm that learns, in a library of that name below the run's folder."""
    return Arm(name=name, library=Library(), learning=True)


def scores_in(events: Iterable[Event]) -> tuple[float, ...]:
    """Return the scores of the tries that were scored."""
    tries = (event.entry for event in events if isinstance(event.entry, Attempted))
    return tuple(one.score for one in tries if one.score is not None)


def _changed(block: int, task: str, events: Iterable[Event]) -> Change:
    touched: dict[str, set[str]] = {"skill": set(), "insight": set(), "demonstration": set(), "tool": set()}
    for _, change, undo in changes(events):
        kind, name = key_of(change)
        touched[kind].add(name)
        if _files(change) != _files(undo):
            touched["tool"].add(name)
    return Change(block=block, trained=(task,), **{f"{kind}s": tuple(sorted(own)) for kind, own in touched.items()})


def _files(change: Edited | None) -> Mapping[str, str]:
    return change.skill.files if isinstance(change, PutSkill) else {}


def _joined(earlier: Sequence[Change], change: Change) -> Change:
    """Return one change of what a block has changed before and what it changed now."""
    if not earlier:
        return change
    parts = {
        name: tuple(dict.fromkeys([*getattr(earlier[0], name), *getattr(change, name)]))
        for name in ("trained", "skills", "insights", "demonstrations", "tools")
    }
    return change.model_copy(update=parts)


def read_record(folder: Path) -> Record:
    """Read the record of a stream; an empty one where there is none. Raises ConfigError where it is none of ours."""
    file = folder / "stream.json"
    if not file.is_file():
        return Record()
    try:
        return Record.model_validate_json(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{file}: no stream of this version: {str(error).splitlines()[0]}") from None


def write_record(folder: Path, record: Record) -> None:
    """The folder holds the record, the earlier one or this one at any moment."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / "stream.new"
    new.write_text(json.dumps(record.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")
    new.replace(folder / "stream.json")
