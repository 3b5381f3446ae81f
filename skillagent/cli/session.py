"""Session: one conversation of `chat` as lines of JSON: goals, attempts, remarks, undos. It can be taken up again.

The library's truth is in the ledger; this file only holds the conversation. A torn last line (the process was killed
while writing) is passed over.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from skillagent.errors import ConfigError
from skillagent.schema import Attempt, Json

log = logging.getLogger("skillagent.cli")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class Session:
    """The lines of one conversation.

    Args:
        folder: Where conversations are kept; made with the first line.
        name: Names the file; default: the time.

    Raises:
        ConfigError: The name cannot be a file's name.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        name = name or datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        if not _NAME.fullmatch(name):
            raise ConfigError(f"session {name!r}: use letters, digits, '.', '_' and '-' only")
        self.name = name
        self.path = folder / f"{name}.jsonl"
        self.attempts: list[Attempt] = []
        self.lines = 0
        self._read()

    def add(self, kind: str, **content: object) -> None:
        """The line is on the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "kind": kind, **content}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.lines += 1

    def add_attempt(self, attempt: Attempt) -> None:
        """The attempt is the latest one, and on the disk."""
        self.attempts.append(attempt)
        self.add("attempt", attempt=attempt.model_dump(mode="json"))

    def judge_last(self, attempt: Attempt, good: bool, words: str) -> None:
        """The latest attempt has a person's verdict, and the remark is on the disk."""
        self.attempts[-1] = attempt
        self.add("remark", good=good, words=words, attempt=attempt.model_dump(mode="json"))

    def _read(self) -> None:
        if not self.path.exists():
            return
        text = self.path.read_text(encoding="utf-8")
        if text and not text.endswith("\n"):
            text = text[: text.rfind("\n") + 1]
            self.path.write_text(text, encoding="utf-8")
        # Not `splitlines`: JSON leaves U+0085 and U+2028 as they are, and they would end a line there.
        for number, line in enumerate(text.split("\n")[:-1], start=1):
            try:
                self._take(json.loads(line))
            except (ValueError, ValidationError):
                log.warning("%s: line %d is not a line of a session; passed over", self.path, number)
            self.lines += 1

    def _take(self, line: Json) -> None:
        match line.get("kind"):
            case "attempt":
                self.attempts.append(Attempt.model_validate(line["attempt"]))
            case "remark" if self.attempts:
                self.attempts[-1] = Attempt.model_validate(line["attempt"])
