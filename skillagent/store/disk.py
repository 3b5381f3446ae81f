"""Disk: the store of record. Skills are folders, the rest is lines of JSON, and the ledger remembers how it came to be.

How a commit survives a crash at any moment. Under the lock, (1) the whole event goes to `pending.json`, fsynced and
renamed into place; (2) the skills' folders and the two files of lines are brought to what the event says; (3) the event
is appended to the ledger: from here on it is acknowledged; (4) `pending.json` is removed. Whoever next takes the lock,
or reads and finds a `pending.json`, does (2) to (4) again: each step can be repeated. So a crash before (1) is done
changed nothing, and a crash after it changed everything. Events that change no files are appended alone.

What a reader would get wrong: `load` takes no lock. It compares marks before and after (no pending event, the ledger's
length, the folder's time) and reads again when a writer was at work between them. A version that a person edited by
hand is a version like any other: the ledger keeps it when a change replaces it.

One store belongs to one thread; processes share the files, not the object. The vector cache is not kept here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from skillagent.errors import ConfigError, LibraryError
from skillagent.library import Library
from skillagent.schema import (
    Change,
    Decided,
    Demonstration,
    Entry,
    Event,
    Insight,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
    RolledBack,
    Skill,
)
from skillagent.store import folders, skillfile
from skillagent.store.ledger import Ledger, key_of
from skillagent.store.lock import locked
from skillagent.store.shelf import Shelf

_log = logging.getLogger("skillagent.store")

_TRIES = 5
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
Mark = tuple[int, int, int]
Item = TypeVar("Item", Insight, Demonstration)


class DiskStore:
    """The library in two folders. Nothing is made on the disk before the first commit.

    Args:
        skills: Where each skill has its folder; people and other agents may keep theirs here too.
        memory: Where insights, demonstrations, the ledger and the lock are.
        wait_s: How long to wait for another writer before StoreBusy.
        now: The clock, for the ledger.
    """

    def __init__(
        self,
        skills: Path,
        memory: Path,
        *,
        wait_s: float = 10.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._skills = skills
        self._memory = memory
        self._wait_s = wait_s
        self._now = now
        self._shelf = Shelf(skills, memory)
        self._ledger = Ledger(memory / "ledger.jsonl")
        self._pending = memory / "pending.json"

    def load(self) -> Library:
        """Return the library as it is on disk now, with an interrupted commit completed first.

        Raises:
            ConfigError: Something that is no folder lies where one of the two should be.
            LibraryError: A file of insights, demonstrations or events is damaged; the message names the line.
            StoreBusy: An interrupted commit has to be completed, and another process holds the lock.
        """
        self._check_places()
        for _ in range(_TRIES):
            if (mark := self._mark()) is None:
                break
            try:
                library = self._shelf.read()
            except FileNotFoundError:  # a folder was swapped while we looked
                continue
            if self._mark() == mark:
                return library
        with self._locked():
            return self._shelf.read()

    def commit(self, entry: Entry) -> Library:
        """Apply an accepted decision or a rollback, append the event, and return the new library.

        The library is read anew under the lock, so nothing that another process wrote is lost. `replaced` is filled in
        with what undoes each change. Once this returns, the event survives a crash. After an OSError (a full disk) the
        event is either not written at all or completed when the store is next opened.

        Raises:
            StaleEdit: The library has moved on since the edit was made; nothing was written.
            NotFound: A change names something that is not there; nothing was written.
            InvalidSkill: A skill breaks the format; nothing was written.
            StoreBusy: Another process holds the lock; nothing was written.
            ConfigError: As for `load`; nothing was written.
        """
        self._check_places()
        entry = _encodable(entry)
        with self._locked():
            before = self._shelf.read()
            entry, made, after = _settled(entry, before)
            written = self._ledger.events()
            event = Event(
                seq=written[-1].seq + 1 if written else 0,
                at=self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                library=after.digest,
                entry=entry,
            )
            if not made:
                self._ledger.append(event)
                return after
            self._check(before, after, made)
            folders.write_file(self._pending, event.model_dump_json().encode("utf-8"))
            self._carry_out(event, made, before)
            return after

    def events(self) -> Iterator[Event]:
        """Yield the ledger, oldest first.

        Raises:
            ConfigError: As for `load`.
            LibraryError: A line of the ledger is damaged; the message names it.
        """
        self._check_places()
        if self._pending.exists():
            with self._locked():
                pass
        yield from self._ledger.events()

    def _check_places(self) -> None:
        """Raise ConfigError unless both folders are there or can be made."""
        for folder in (self._skills, self._memory):
            there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
            if there.exists() and not there.is_dir():
                raise ConfigError(f"{there} is not a folder, so {folder} cannot hold skills or memory: name another")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the writer's lock, with every interrupted commit completed."""
        with locked(self._memory, wait_s=self._wait_s):
            self._recover()
            yield

    def _mark(self) -> Mark | None:
        """Return what changes with every commit; None while one is under way or was interrupted."""
        if self._pending.exists():
            return None
        try:
            ledger = self._ledger.path.stat()
            size, changed_ns = ledger.st_size, ledger.st_mtime_ns
        except FileNotFoundError:
            size, changed_ns = 0, 0
        try:
            return size, changed_ns, self._memory.stat().st_mtime_ns
        except FileNotFoundError:
            return size, changed_ns, 0

    def _recover(self) -> None:
        try:
            content = self._pending.read_bytes()
        except FileNotFoundError:
            return
        try:
            event = Event.model_validate_json(content)
        except ValidationError as error:
            raise LibraryError(
                f"{self._pending}: not an event of this version of skillagent; upgrade it, or remove the file to give "
                "up the one commit that was interrupted"
            ) from error
        written = self._ledger.events()
        if written and written[-1].seq >= event.seq:
            self._pending.unlink()
            return
        _log.warning("%s: completing event %d, which was interrupted", self._memory, event.seq)
        made = _changes(event.entry)
        for name in _Final(made).skills:
            folders.recover(self._shelf.skills / name)
        self._carry_out(event, made, self._shelf.read())

    def _check(self, before: Library, after: Library, made: tuple[Change, ...]) -> None:
        """Raise InvalidSkill where a folder could not be written; after this only the disk can fail."""
        for kind, name in map(key_of, made):
            if kind == "skill" and (skill := after.skills.get(name)) is not None:
                skillfile.dump(skill)
                old = before.skills.get(name)
                known = {**old.files, "SKILL.md": "", "skill.md": ""} if old else {}
                wanted = {"SKILL.md": "", "skill.md": "", **skill.files}
                folders.check_room(self._shelf.folder(name), known, wanted)

    def _carry_out(self, event: Event, made: tuple[Change, ...], before: Library) -> None:
        """The files hold what the event says, the ledger holds the event, and nothing is pending."""
        target = _Final(made)
        for name, skill in target.skills.items():
            self._write_skill(name, skill, before.skills.get(name))
        if target.insights:
            _write_lines(self._shelf.insights, before.insights, target.insights)
        if target.demonstrations:
            _write_lines(self._shelf.demonstrations, before.demonstrations, target.demonstrations)
        self._ledger.append(event)
        self._pending.unlink()

    def _write_skill(self, name: str, skill: Skill | None, old: Skill | None) -> None:
        home = self._shelf.skills / name
        folder = self._shelf.folder(name)
        if folder != home and not home.exists():
            folder.rename(home)
        known = {**(old.files if old else {}), "SKILL.md": "", "skill.md": ""}
        files = None if skill is None else {"SKILL.md": skillfile.dump(skill), **skill.files}
        folders.place(home, files, known=known)


def _settled(entry: Entry, before: Library) -> tuple[Entry, tuple[Change, ...], Library]:
    """Return the entry as it goes into the ledger, the changes it makes, and the library after them."""
    made = tuple(_writable(change) for change in _changes(entry))
    after, replaced = before, []
    for change in made:
        library, after = after, after.with_change(change)
        replaced.append(library.inverse(change))
    match entry:
        case Decided(decision=decision) if made:
            edit = decision.edit.model_copy(update={"changes": made})
            decision = decision.model_copy(update={"edit": edit})
            entry = entry.model_copy(update={"decision": decision, "replaced": tuple(replaced)})
        case RolledBack():
            entry = entry.model_copy(update={"changes": made, "replaced": tuple(replaced)})
        case _:
            pass
    return entry, made, after


def _changes(entry: Entry) -> tuple[Change, ...]:
    match entry:
        case Decided(decision=decision):
            return decision.edit.changes if decision.accepted else ()
        case RolledBack(changes=changes):
            return changes
        case _:
            return ()


def _writable(change: Change) -> Change:
    """Return the change with its skill as it will be read back."""
    if isinstance(change, PutSkill):
        return change.model_copy(update={"skill": skillfile.cleaned(change.skill)})
    return change


class _Final:
    """What each touched item is to be; None: gone. The last change of an item counts."""

    def __init__(self, made: tuple[Change, ...]) -> None:
        self.skills: dict[str, Skill | None] = {}
        self.insights: dict[str, Insight | None] = {}
        self.demonstrations: dict[str, Demonstration | None] = {}
        for change in made:
            _, key = key_of(change)
            match change:
                case PutSkill(skill=skill):
                    self.skills[key] = skill
                case RetireSkill():
                    self.skills[key] = None
                case PutInsight(insight=insight):
                    self.insights[key] = insight
                case RetireInsight():
                    self.insights[key] = None
                case PutDemonstration(demonstration=demonstration):
                    self.demonstrations[key] = demonstration
                case RetireDemonstration():
                    self.demonstrations[key] = None


def _write_lines(path: Path, current: Mapping[str, Item], updates: Mapping[str, Item | None]) -> None:
    items = {**current, **updates}
    lines = [item.model_dump_json() + "\n" for item in items.values() if item is not None]
    folders.write_file(path, "".join(lines).encode("utf-8"))


def _encodable(entry: Entry) -> Entry:
    """Return the entry as UTF-8 can hold it: halves of surrogate pairs, as models write them, become U+FFFD."""
    try:
        entry.model_dump_json().encode("utf-8")
    except ValueError:  # pydantic's and Python's own refusals alike
        return _ENTRY.validate_python(_mended(entry.model_dump()))
    return entry


def _mended(content: object) -> object:
    match content:
        case str():
            return re.sub("[\ud800-\udfff]", "\ufffd", content)
        case dict():
            return {_mended(key): _mended(value) for key, value in content.items()}
        case list() | tuple():
            return [_mended(part) for part in content]
        case _:
            return content
