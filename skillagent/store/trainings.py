"""Trainings: what came of each training of the router, and which version was chosen, one line of JSON each.

The file is `router.jsonl` in the memory folder. It may be deleted: then the router is untrained, and training it anew
takes minutes. Below `router/` beside it is a folder of each fine-tuned model that was accepted, with a part of its
digest in its name. What the lines mean is the router's business; nothing here decides which one is in force.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from skillagent.errors import LibraryError
from skillagent.schema import Json
from skillagent.store import folders
from skillagent.store.lock import locked

MODELS = "router"


class Trainings:
    """The file of trainings in a memory folder; nothing is made before the first line or model."""

    def __init__(self, memory: Path) -> None:
        self.path = memory / "router.jsonl"

    def lines(self) -> list[Json]:
        """Return every line, oldest first; none where there is no file.

        Raises:
            LibraryError: A line is damaged.
        """
        try:
            content = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except UnicodeDecodeError as error:
            raise self._damaged(1) from error
        return [self._line(number, line) for number, line in enumerate(content.split("\n"), start=1) if line.strip()]

    def append(self, line: Json) -> None:
        """The line is the last one, on the disk; a crash leaves the file as it was or as it is to be.

        Raises:
            LibraryError: A line is damaged; nothing was written.
            StoreBusy: Another process is writing; nothing was written.
        """
        with locked(self.path.parent):
            lines = [*self.lines(), line]
            text = "".join(json.dumps(one, ensure_ascii=False, allow_nan=False) + "\n" for one in lines)
            folders.write_file(self.path, text.encode("utf-8"))

    def keep(self, name: str, write: Callable[[Path], None]) -> tuple[str, str]:
        """Return the folder, relative to the memory folder, of what `write` put into one, and the digest of it.

        It is there whole, and on the disk, or not at all.

        Raises:
            StoreBusy: Another process is writing; nothing was written.
        """
        memory = self.path.parent
        with locked(memory):
            folders.make_folder(memory / MODELS)
            for left in (memory / MODELS).glob(".new-*"):  # of a process that was killed
                shutil.rmtree(left)
            new = memory / MODELS / f".new-{name}"
            write(new)
            digest = _digest(new, sync=True)
            target = new.with_name(f"{name}-{digest[:8]}")
            shutil.rmtree(target, ignore_errors=True)  # what is there by this name is the same, or damaged
            new.rename(target)
            folders.sync_folder(target.parent)
        return str(target.relative_to(memory)), digest

    def folder(self, name: str, sha256: str) -> Path:
        """Return a folder that `keep` returned.

        Raises:
            LibraryError: It is not there, or holds something else.
        """
        folder = self.path.parent / name
        if not folder.is_dir():
            raise LibraryError(f"{folder} is not there: put it back, or train the router anew")
        if _digest(folder) != sha256:
            raise LibraryError(f"{folder} does not hold what was kept there: put that back, or train the router anew")
        return folder

    def _line(self, number: int, line: str) -> Json:
        try:
            found = json.loads(line)
        except ValueError as error:
            raise self._damaged(number) from error
        if not isinstance(found, dict):
            raise self._damaged(number)
        return found

    def _damaged(self, number: int) -> LibraryError:
        return LibraryError(f"{self.path}: line {number} is damaged; delete the file to begin untrained")


def _digest(folder: Path, *, sync: bool = False) -> str:
    """Return the SHA-256 of the names and contents of all files in a folder; with `sync`, they are on the disk."""
    found = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as stream:
            found.update(f"{file.relative_to(folder).as_posix()}\0".encode())
            found.update(hashlib.file_digest(stream, "sha256").digest())
            if sync:
                os.fsync(stream.fileno())
    return found.hexdigest()
