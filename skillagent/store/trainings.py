"""Trainings: what came of each training of the router, and which version was chosen, one line of JSON each.

The file is `router.jsonl` in the memory folder. It may be deleted: then the router is untrained, and training it anew
takes minutes. What the lines mean is the router's business; nothing here decides which one is in force.
"""

from __future__ import annotations

import json
from pathlib import Path

from skillagent.errors import LibraryError
from skillagent.schema import Json
from skillagent.store import folders
from skillagent.store.lock import locked


class Trainings:
    """The file of trainings in a memory folder; nothing is made before the first line."""

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
        return [self._line(number, line) for number, line in enumerate(content.splitlines(), start=1)]

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
