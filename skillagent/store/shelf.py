"""Shelf: reads the library from its files, and parses again only what has changed since it last looked.

A file is taken to be unchanged when its name, inode, size and times are; one that changed within the last moments is
never trusted, because a later change could carry the same times. What a reader would get wrong: a skill that cannot be
read is skipped with a warning and never stops the rest (one whose program cannot be read is kept for its words), but a
damaged line of insights or demonstrations does, because the next write would lose it.

Reading takes no lock and repairs nothing: whether what was read belongs together is for `disk` to say.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from skillagent.errors import InvalidSkill, LibraryError
from skillagent.library import Library
from skillagent.programs.text import program_of
from skillagent.schema import Demonstration, Insight, Skill
from skillagent.store import skillfile

_log = logging.getLogger("skillagent.store")

Item = TypeVar("Item", Insight, Demonstration)
Seen = TypeVar("Seen")
Signature = tuple[tuple[str, int, int, int, int], ...]
Stamps = tuple[Signature, int]

_RACY_NS = 100_000_000


class Shelf:
    """The library's files: `skills/*/`, `insights.jsonl` and `demonstrations.jsonl`.

    Args:
        now_ns: The clock that files' times are compared with, in nanoseconds.
    """

    def __init__(self, skills: Path, memory: Path, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.skills = skills
        self.insights = memory / "insights.jsonl"
        self.demonstrations = memory / "demonstrations.jsonl"
        self._folders: _Remembered[Skill | None] = _Remembered(now_ns)
        self._insights: _Remembered[dict[str, Insight]] = _Remembered(now_ns)
        self._demonstrations: _Remembered[dict[str, Demonstration]] = _Remembered(now_ns)
        self._homes: dict[str, Path] = {}
        self._library = Library()
        self._parts: list[object] = []

    def read(self) -> Library:
        """Return what the files hold now.

        Raises:
            LibraryError: A line of insights or demonstrations is damaged.
            OSError: A file went away while it was read.
        """
        skills = {skill.name: skill for _, skill in self._by_folder()}
        insights = self._insights.at(self.insights, _stamps([self.insights]), lambda: _lines(self.insights, Insight))
        demonstrations = self._demonstrations.at(
            self.demonstrations, _stamps([self.demonstrations]), lambda: _lines(self.demonstrations, Demonstration)
        )
        parts = [*skills.values(), insights, demonstrations]
        if len(parts) != len(self._parts) or any(a is not b for a, b in zip(parts, self._parts, strict=True)):
            self._library = Library(skills=skills, insights=insights, demonstrations=demonstrations)
            self._parts = parts
        return self._library

    def folder(self, name: str) -> Path:
        """Return the folder that the skill of that name lived in when all were last read, or would."""
        return self._homes.get(name, self.skills / name)

    def _by_folder(self) -> list[tuple[Path, Skill]]:
        """Return each skill with its folder; of two skills of one name, the one whose folder is called so."""
        folders = list(_folders(self.skills))
        self._folders.keep_only(folders)
        read = [(folder, self._skill(folder)) for folder in folders]
        found: dict[str, tuple[Path, Skill]] = {}
        for folder, skill in sorted(read, key=lambda pair: pair[1] is not None and pair[0].name != pair[1].name):
            if skill is not None and found.setdefault(skill.name, (folder, skill))[0] != folder:
                _log.warning("%s: skipped, there is another skill %s; rename or remove one", folder, skill.name)
        self._homes = {name: folder for name, (folder, _) in found.items()}
        return list(found.values())

    def _skill(self, folder: Path) -> Skill | None:
        try:
            return self._folders.at(folder, _stamps(_files(folder)), lambda: _skill(folder))
        except FileNotFoundError:
            raise
        except OSError as error:
            _log.warning("%s: skipped, it cannot be read (%s); mend its permissions or move it away", folder, error)
            return None


class _Remembered(Generic[Seen]):
    """What was made of a path, as long as its signature stays."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._seen: dict[Path, tuple[Signature, Seen]] = {}

    def at(self, path: Path, stamps: Stamps, make: Callable[[], Seen]) -> Seen:
        signature, newest_ns = stamps
        known = self._seen.get(path)
        if known is not None and known[0] == signature:
            return known[1]
        now_ns = self._now_ns()
        made = make()
        if newest_ns < now_ns - _RACY_NS:
            self._seen[path] = (signature, made)
        else:
            self._seen.pop(path, None)
        return made

    def keep_only(self, paths: list[Path]) -> None:
        for path in self._seen.keys() - set(paths):
            del self._seen[path]


def _folders(skills: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(skills), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        if not entry.name.startswith(".") and entry.is_dir():
            yield Path(entry.path)


def _files(folder: Path) -> list[Path]:
    main = skillfile.skill_md(folder)
    return [*([main] if main else []), *(folder / path for path in skillfile.paths(folder))]


def _stamps(paths: list[Path]) -> Stamps:
    found = [(path, path.stat()) for path in paths if path.exists()]
    signature = tuple((str(p), s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for p, s in found)
    return signature, max((max(s.st_mtime_ns, s.st_ctime_ns) for _, s in found), default=0)


def _skill(folder: Path) -> Skill | None:
    try:
        skill = skillfile.read(folder)
    except InvalidSkill as error:
        _log.warning("skill skipped: %s", error)
        return None
    try:
        program_of(skill)
    except InvalidSkill as error:
        _log.warning("%s: its program cannot be read, so its words alone are used: %s", folder, error)
    return skill


def _lines(path: Path, kind: type[Item]) -> dict[str, Item]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    found = {}
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            item = kind.model_validate_json(line)
        except ValidationError as error:
            raise LibraryError(
                f"{path}: line {number} is not {kind.__name__.lower()} JSON ({error.error_count()} faults); "
                "mend the line, or take it out"
            ) from error
        found[item.id] = item
    return found
