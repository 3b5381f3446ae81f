"""Folders: files and skill folders are replaced whole, so that a reader finds the old one or the new one.

A file is written under a temporary name, fsynced and renamed. A skill's folder is built beside the old one as
`.new-NAME` and swapped in by two renames; between them a reader finds no folder, never half a one. Every function can
be called again after a crash at any point and then finishes the work. What a reader would get wrong: files that are
not part of a skill (pictures, hidden files, links) are carried over into the new folder, and stay when it is retired.
A file that is written anew keeps the mode of the one it replaces: a script stays executable.

Nothing here takes the lock: one writer at a time is the caller's work.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from skillagent.errors import InvalidSkill


def write_file(path: Path, content: bytes) -> None:
    """The file holds `content` and is on the disk; its folder must exist."""
    temporary = path.with_name(f".{path.name}.tmp")
    _write(temporary, content)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The folder's list of names is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """The folder and those above it exist and are on the disk."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def check_room(folder: Path, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Raise InvalidSkill where a new file would hide one in the folder that is not part of the skill.

    Args:
        old: The skill's present files, paths relative to the folder.
        new: The files it is to have.
    """
    for path in new:
        for taken in (folder / path, *(folder / parent for parent in Path(path).parents if parent.name)):
            known = str(taken.relative_to(folder))
            is_parent = taken != folder / path
            if taken.is_symlink() or (
                taken.exists() and known not in old and (not taken.is_dir() if is_parent else True)
            ):
                raise InvalidSkill(f"{taken} is in the way of the skill's file {path!r}; move it or rename the file")


def place(folder: Path, files: Mapping[str, str] | None, *, known: Mapping[str, str]) -> None:
    """The folder holds `files` (None: nothing of ours) and, besides, what was in it and is not in `known`.

    Args:
        files: Text by path relative to the folder.
        known: The files that are part of the skill and that are replaced or removed.
    """
    parent = folder.parent
    make_folder(parent)
    new, old = parent / f".new-{folder.name}", parent / f".old-{folder.name}"
    recover(folder)
    new.mkdir()
    for path, text in (files or {}).items():
        target = new / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, text.encode("utf-8"))
        if (folder / path).is_file():
            shutil.copymode(folder / path, target)
    kept = _carry_over(folder, new, set(known) | set(files or {}))
    for inner, _, _ in os.walk(new):
        sync_folder(Path(inner))
    if folder.exists():
        folder.rename(old)
    if files is not None or kept:
        new.rename(folder)
    sync_folder(parent)
    _drop(old)
    _remove(new)


def recover(folder: Path) -> None:
    """No half-made swap of the folder is left: it is as it was before, or as it was to be."""
    new, old = folder.with_name(f".new-{folder.name}"), folder.with_name(f".old-{folder.name}")
    if old.exists() and not folder.exists():
        old.rename(folder)
        sync_folder(folder.parent)
    _drop(old)
    _remove(new)


def _drop(old: Path) -> None:
    """The folder is gone; while it is half removed it has another name, so that `recover` cannot put it back."""
    gone = old.with_name(old.name.replace(".old-", ".gone-", 1))
    _remove(gone)
    if old.exists() or old.is_symlink():
        old.rename(gone)
        _remove(gone)


def _carry_over(folder: Path, new: Path, without: set[str]) -> int:
    """Link (or copy) into `new` what is in `folder` and not in `without`; return how many entries that were."""
    kept = 0
    for inner, names, files in os.walk(folder):
        below = Path(inner).relative_to(folder)
        links = [name for name in names if (Path(inner) / name).is_symlink()]
        entries = [below / name for name in (*files, *links) if str(below / name) not in without]
        for path in entries:
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            _link(folder / path, new / path)
        if not names and not files and below.name:
            (new / below).mkdir(parents=True, exist_ok=True)
            entries.append(below)
        kept += len(entries)
    return kept


def _link(source: Path, target: Path) -> None:
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    try:
        os.link(source, target)
    except OSError:  # another device, or a file system without hard links
        shutil.copy2(source, target)


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
