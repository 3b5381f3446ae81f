"""Ledger: the append-only history of the library, one event a line, and the folds that read something out of it.

The newline is the acknowledgement: a last line without one, or one that is not JSON, is what a crash left of an
event that nobody was told of; readers pass over it and the next append cuts it off. Damage anywhere else is never
mended silently. What a reader would get wrong: a version number of a skill is not unique (a person may edit a file by
hand and leave the number), so the folds take the last contents that were seen under it.

The folds are pure functions over events; nothing here knows of skill folders or locks.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from skillagent.errors import LibraryError, NotFound
from skillagent.library import Library
from skillagent.schema import (
    Attempted,
    Change,
    Decided,
    Event,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
    RolledBack,
    Skill,
    Split,
    Task,
)
from skillagent.store.folders import sync_folder

_log = logging.getLogger("skillagent.store")


class Ledger:
    """The file of events. Reading remembers what it has read, so that only new lines are parsed again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: list[Event] = []
        self._offset = 0
        self._inode = 0

    def events(self) -> list[Event]:
        """Return every acknowledged event, oldest first.

        Raises:
            LibraryError: A line is damaged, or a newer version of this package wrote it.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            self._forget()
            return []
        with file:
            status = os.fstat(file.fileno())
            if status.st_ino != self._inode or status.st_size < self._offset:
                self._forget()
                self._inode = status.st_ino
            file.seek(self._offset)
            content = file.read()
        lines = content.split(b"\n")
        torn = lines.pop()
        for i, line in enumerate(lines):
            try:
                self._read.append(Event.model_validate_json(line))
            except ValidationError as error:
                if i == len(lines) - 1 and not torn and not _is_json(line):
                    torn = line
                    break
                raise self._damaged(line, error) from error
            self._offset += len(line) + 1
        if torn:
            _log.info("%s: the last line is torn and not counted", self.path)
        return list(self._read)

    def append(self, event: Event) -> None:
        """The event is the last line, on the disk; a torn line before it is cut off. The caller holds the lock."""
        self.events()
        fresh = not self.path.exists()
        with self.path.open("ab") as file:
            if (surplus := file.tell() - self._offset) > 0:
                _log.warning("%s: dropped %d bytes of a line that a crash left unfinished", self.path, surplus)
                file.truncate(self._offset)
            file.write(event.model_dump_json().encode("utf-8") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync_folder(self.path.parent)

    def _forget(self) -> None:
        self._read, self._offset, self._inode = [], 0, 0

    def _damaged(self, line: bytes, error: ValidationError) -> LibraryError:
        number = len(self._read) + 1
        if _is_json(line):
            why = f"an event of another version of skillagent ({error.error_count()} fields differ); upgrade it"
        else:
            why = f"not an event ({line[:40]!r}…); restore the file from a backup or take the line out"
        return LibraryError(f"{self.path}: line {number}: {why}")


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


# ── Folds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Version(NamedTuple):
    """One change of a skill: what it was and what it became; None where there was no such skill."""

    version: int
    event: Event
    before: Skill | None
    after: Skill | None


class Tally(NamedTuple):
    """How often an item was shown in an attempt that was scored, and how often that attempt succeeded."""

    uses: int
    successes: int


def changes(events: Iterable[Event]) -> Iterator[tuple[Event, Change, Change | None]]:
    """Yield every change that entered the library, with the change that undoes it where the ledger has it."""
    for event in events:
        match event.entry:
            case Decided(decision=decision, replaced=replaced) if decision.accepted:
                made = decision.edit.changes
            case RolledBack(changes=made, replaced=replaced):
                pass
            case _:
                continue
        for i, change in enumerate(made):
            yield event, change, replaced[i] if i < len(replaced) else None


def key_of(change: Change) -> tuple[str, str]:
    """Return the kind of item that a change touches (skill, insight or demonstration) and its name or id."""
    match change:
        case PutSkill(skill=skill):
            return "skill", skill.name
        case RetireSkill(name=name):
            return "skill", name
        case PutInsight(insight=insight):
            return "insight", insight.id
        case RetireInsight(id=key):
            return "insight", key
        case PutDemonstration(demonstration=demonstration):
            return "demonstration", demonstration.id
        case RetireDemonstration(id=key):
            return "demonstration", key


def versions(events: Iterable[Event], name: str) -> list[Version]:
    """Return every change of the skill, oldest first; a retired skill's entry has its last version and no `after`."""
    found: list[Version] = []
    for event, change, undo in changes(events):
        if key_of(change) != ("skill", name):
            continue
        after = change.skill if isinstance(change, PutSkill) else None
        if undo is not None:
            before = undo.skill if isinstance(undo, PutSkill) else None
        else:
            before = found[-1].after if found else None
        number = after.version if after else before.version if before else 1
        found.append(Version(number, event, before, after))
    return found


def refused(events: Iterable[Event]) -> dict[str, Decided]:
    """Return the last refusal of each edit by its identity, without those that were accepted later."""
    found: dict[str, Decided] = {}
    for event in events:
        if isinstance(entry := event.entry, Decided):
            identity = entry.decision.edit.identity
            if entry.decision.accepted:
                found.pop(identity, None)
            else:
                found[identity] = entry
    return found


def solved(events: Iterable[Event]) -> dict[str, tuple[Task, ...]]:
    """Return, for each item, the tasks that were solved with it shown, each once, in the order of the first time.

    Tasks on holdout seeds are left out: learning and its rehearsals must not see them.
    """
    found: dict[str, dict[Task, None]] = {}
    for entry in _scored(events):
        if entry.score == 1.0 and entry.task.split is not Split.HOLDOUT:
            for item in entry.shown:
                found.setdefault(item, {})[entry.task] = None
    return {item: tuple(tasks) for item, tasks in found.items()}


def goals(events: Iterable[Event]) -> dict[str, tuple[str, ...]]:
    """Return, for each item, the goals that were reached with it shown, as `solved` does for tasks."""
    found: dict[str, dict[str, None]] = {}
    for entry in _scored(events):
        if entry.score == 1.0 and entry.goal and entry.task.split is not Split.HOLDOUT:
            for item in entry.shown:
                found.setdefault(item, {})[entry.goal] = None
    return {item: tuple(texts) for item, texts in found.items()}


def outcomes(events: Iterable[Event]) -> dict[str, Tally]:
    """Count uses and successes of each item; void and unscored attempts count as neither."""
    found: dict[str, Tally] = {}
    for entry in _scored(events):
        for item in entry.shown:
            uses, successes = found.get(item, (0, 0))
            found[item] = Tally(uses + 1, successes + (entry.score == 1.0))
    return found


def _scored(events: Iterable[Event]) -> Iterator[Attempted]:
    for event in events:
        if isinstance(entry := event.entry, Attempted) and entry.void is None and entry.score is not None:
            yield entry


# ── Undo ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rollback(
    library: Library, events: Iterable[Event], name: str, version: int | None = None, *, why: str = ""
) -> RolledBack:
    """Return the entry that puts an earlier state of a skill, an insight or a demonstration back.

    A skill's earlier contents come back as a new version, one above the highest that there ever was. The state before
    the first is "not there": undoing a creation retires the item.

    Args:
        events: The whole ledger; the contents come from it alone.
        name: A skill's name, or else an insight's or a demonstration's id.
        version: Which version of a skill; None is the state before the last change. Other items have no versions.

    Raises:
        NotFound: The ledger knows no such item or version, or nothing has changed since it was first seen.
    """
    history = list(events)
    touched = [(change, undo) for _, change, undo in changes(history) if key_of(change)[1] == name]
    if any(key_of(change)[0] == "skill" for change, _ in touched) or name in library.skills:
        return RolledBack(changes=(_skill_back(library, versions(history, name), name, version),), why=why)
    if version is not None:
        raise NotFound(f"{name}: only skills have versions, and there is no skill of that name; leave the version out")
    if not touched or touched[-1][1] is None:
        raise NotFound(f"no earlier state of {name!r} in the ledger; see the names with `skillagent skills log`")
    return RolledBack(changes=(rebased(library, history, touched[-1][1]),), why=why)


def rebased(library: Library, events: Iterable[Event], undo: Change) -> Change:
    """Aim the undo of a change at the library as it is now; an old content of a skill comes as a new version."""
    match undo:
        case PutSkill(skill=skill):
            return _as_new(library, versions(events, skill.name), skill)
        case RetireSkill(name=name):
            return RetireSkill(name=name, base=library.skills[name].version)
        case PutInsight(insight=insight):
            held = library.insights.get(insight.id)
            return PutInsight(insight=insight, base=held.digest if held else None)
        case _:
            return undo


def _skill_back(library: Library, history: list[Version], name: str, version: int | None) -> Change:
    if not history:
        raise NotFound(f"{name}: the ledger holds no change of this skill, so there is nothing to go back to")
    contents = {skill.version: skill for skill in _contents(history)}
    if version is None:
        target = history[-1].before
    elif version not in contents:
        known = ", ".join(str(number) for number in sorted(contents))
        raise NotFound(f"{name}: no version {version} in the ledger; it has {known}")
    else:
        target = contents[version]
    if target is None:
        if name not in library.skills:
            raise NotFound(f"{name}: not in the library, and it was not there before the last change either")
        return RetireSkill(name=name, base=library.skills[name].version)
    return _as_new(library, history, target)


def _as_new(library: Library, history: Iterable[Version], skill: Skill) -> PutSkill:
    base = library.skills[skill.name].version if skill.name in library.skills else None
    highest = max([*(one.version for one in _contents(history)), base or 0])
    return PutSkill(skill=skill.model_copy(update={"version": highest + 1, "foreign": False}), base=base)


def _contents(history: Iterable[Version]) -> Iterator[Skill]:
    return (skill for entry in history for skill in (entry.before, entry.after) if skill)
