"""Cassette: a real model's replies, recorded once and played back in tests.

Playing is strict: a question that was not recorded, or is asked more often than it was, is an error and never a guess.
One JSON line per reply, in the order in which they were asked. Keys and addresses are not part of a request, so none
can get into a recording; what the messages say can, so read a cassette before it is committed.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from skillagent.errors import ConfigError
from skillagent.llm.request import key_of, request_json
from skillagent.ports import LLM
from skillagent.schema import Json, Message, Reply, Role


class Recorder:
    """Asks `llm` and appends each request with its reply to `path`, which is made if it does not exist.

    It tells neither what the model can read nor how it counts: a player could not, and would be asked other things.
    """

    def __init__(self, llm: LLM, path: Path) -> None:
        self._llm = llm
        self._path = path

    @property
    def name(self) -> str:
        """The model's own name."""
        return self._llm.name

    def reply(
        self,
        messages: Sequence[Message],
        *,
        role: Role,
        schema: Json | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        max_tokens: int = 512,
    ) -> Reply:
        """Answer the last message by asking the model, and write both down.

        Raises:
            LLMUnavailable: As the model raises it; nothing was recorded.
        """
        reply = self._llm.reply(
            messages, role=role, schema=schema, temperature=temperature, seed=seed, max_tokens=max_tokens
        )
        request = request_json(self.name, messages, schema, temperature, seed, max_tokens)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"request": request, "reply": reply.model_dump(mode="json")}, ensure_ascii=False))
            out.write("\n")
        return reply


class Player:
    """Answers from a recording alone. `name` must be the recorded model's name."""

    def __init__(self, path: Path, *, name: str) -> None:
        self._path = path
        self._name = name
        self._replies: dict[str, deque[Reply]] | None = None

    @property
    def name(self) -> str:
        """The recorded model's name."""
        return self._name

    @property
    def left(self) -> int:
        """Recorded replies that were not played yet; a test may want none."""
        return sum(len(replies) for replies in self._load().values())

    def reply(
        self,
        messages: Sequence[Message],
        *,
        role: Role,
        schema: Json | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        max_tokens: int = 512,
    ) -> Reply:
        """Return the recorded reply to this request; equal requests get theirs in the order of recording.

        Raises:
            ConfigError: The cassette holds no (further) reply to it, or is not a cassette.
        """
        request = request_json(self._name, messages, schema, temperature, seed, max_tokens)
        replies = self._load().get(key_of(request))
        if not replies:
            last = messages[-1].content if messages else ""
            state = "was asked more often than it was recorded" if replies is not None else "was never recorded"
            raise ConfigError(
                f"{self._path}: this request to {self._name} {state}; it ends in {last[-120:]!r}. "
                "If the question was meant to change, record the cassette anew"
            )
        return replies.popleft()

    def _load(self) -> dict[str, deque[Reply]]:
        if self._replies is None:
            self._replies = defaultdict(deque)
            for number, line in enumerate(self._lines(), start=1):
                try:
                    entry = json.loads(line)
                    key, reply = key_of(entry["request"]), Reply.model_validate(entry["reply"])
                except (ValueError, KeyError, TypeError, ValidationError) as e:
                    raise ConfigError(f"{self._path}:{number}: not a line of a cassette: {e}") from e
                self._replies[key].append(reply)
            self._replies = dict(self._replies)
        return self._replies

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text(encoding="utf-8").rstrip("\n").split("\n")
        except OSError as e:
            raise ConfigError(f"cannot read the cassette {self._path}: {e}") from e
