"""Cache: replies on disk, one file each, so that the same question is paid for once.

A cached reply says so in its usage: no calls, no drafts, no money, only the time of reading; its tokens are those of
the first time, all of `tokens_in` marked as cached. So comparisons of tokens come out alike whether or not a cache was
warm.

Models are told apart by `wrapped.identity_of`, not by their names alone: two servers may call different models alike.

Deleting the folder costs money and time, nothing else. Errors are not kept.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from skillagent.llm.request import key_of, request_json
from skillagent.llm.wrapped import close, identity_of
from skillagent.ports import LLM, tokens, window
from skillagent.schema import Json, Message, Reply, Role, Usage

log = logging.getLogger("skillagent.llm")


class Cached:
    """A model that answers a question it has answered before from `folder`; processes may share the folder."""

    def __init__(self, llm: LLM, folder: Path) -> None:
        self._llm = llm
        self._folder = folder

    @property
    def name(self) -> str:
        """The model's own name."""
        return self._llm.name

    @property
    def identity(self) -> str:
        """As the model has it."""
        return identity_of(self._llm)

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
        """Answer the last message, from the folder where it can be.

        Raises:
            LLMUnavailable: As the model raises it; nothing was kept.
            BudgetSpent: As the model raises it. A kept reply needs no budget.
        """
        started = time.perf_counter()
        request = request_json(identity_of(self._llm), messages, schema, temperature, seed, max_tokens)
        file = self._file(request)
        kept = _read(file, request)
        if kept is not None:
            first = kept.usage
            seconds = time.perf_counter() - started
            tokens = {"tokens_in": first.tokens_in, "tokens_out": first.tokens_out, "tokens_cached": first.tokens_in}
            usage = Usage(**tokens, seconds=seconds)
            return kept.model_copy(update={"usage": usage})
        reply = self._llm.reply(
            messages, role=role, schema=schema, temperature=temperature, seed=seed, max_tokens=max_tokens
        )
        _write(file, request, reply)
        return reply

    def tokens(self, text: str) -> int:
        """Count as the model does."""
        return tokens(self._llm, text)

    def window(self) -> int | None:
        """Return the model's own."""
        return window(self._llm)

    def close(self) -> None:
        """Let go of what the model holds."""
        close(self._llm)

    def _file(self, request: Json) -> Path:
        key = key_of(request)
        return self._folder / key[:2] / f"{key}.json"


def _read(file: Path, request: Json) -> Reply | None:
    """Return the reply kept for exactly this request; a missing, torn or foreign file is a miss."""
    try:
        entry = json.loads(file.read_text(encoding="utf-8"))
        return Reply.model_validate(entry["reply"]) if entry["request"] == request else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as e:
        log.warning("reply cache: %s cannot be read and is ignored: %s", file, e)
        return None


def _write(file: Path, request: Json, reply: Reply) -> None:
    """Put the reply in place whole; where that cannot be done, the reply is still good."""
    text = json.dumps({"request": request, "reply": reply.model_dump(mode="json")}, ensure_ascii=False)
    temporary: Path | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        temporary.replace(file)
    except (OSError, UnicodeError) as e:
        log.warning("reply cache: cannot write %s: %s", file, e)
        if temporary is not None:
            temporary.unlink(missing_ok=True)
