"""Local: a language model in this process, no network, behind the `LLM` port.

Replies that are asked for by schema cannot come out in another shape: decoding is bound to a grammar made from it. Text
inside messages is never read as a control token, so a page cannot forge a turn of the conversation.

Fetching the file is `weights`; how tokens are computed and kept is `engine`.
"""

from __future__ import annotations

import functools
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skillagent.errors import ConfigError, PromptTooLong
from skillagent.llm import shape
from skillagent.llm.weights import checked_sha256
from skillagent.schema import Json, Message, Reply, Role, Usage

if TYPE_CHECKING:
    from skillagent.llm.engine import Engine

log = logging.getLogger("skillagent.llm")

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)
STRETCH = 2


class LlamaCpp:
    """A GGUF model run by llama.cpp, loaded when first asked.

    Put what does not change first in the messages: the start that a prompt shares with the last one of its role is not
    computed again (`Usage.tokens_cached`). At temperature 0 the reply depends on messages, schema and `max_tokens`
    alone, not on what was asked before.

    Args:
        path: The GGUF file.
        name: What `name` says, e.g. `local/qwen2.5-coder-1.5b`.
        threads: Native threads; not more than there are free cores.
        context: Tokens of prompt and reply together.
    """

    def __init__(self, path: Path, *, name: str, threads: int = 2, context: int = 4096) -> None:
        self._path = path
        self._name = name
        self._threads = threads
        self._context = context
        self._engine: Engine | None = None

    @property
    def name(self) -> str:
        """As it was given."""
        return self._name

    @functools.cached_property
    def identity(self) -> str:
        """The name, with the hash of the file: other weights are another model.

        Raises:
            ConfigError: There is no such file.
        """
        if not self._path.is_file():
            raise ConfigError(f"no model file at {self._path}")
        return f"{self._name} {checked_sha256(self._path)[:16]}"

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
        """Answer the last message.

        Without a schema the text is cut at `max_tokens`. With one, a reply that is not closed by then may take twice
        as many, which gives the same text as asking again with the higher limit.

        Raises:
            PromptTooLong: The prompt does not fit the context. This is not passed off as a fault of the world: it
                would happen again, and to drop such episodes would make long pages look easier than they are.
        """
        started = time.perf_counter()
        engine = self.load()
        prompt = self._layout(engine, messages)
        room = self._context - len(prompt)
        if room < max_tokens:
            raise PromptTooLong(
                f"{self._name}: a prompt of {len(prompt)} tokens and a reply of {max_tokens} do not fit a context of "
                f"{self._context}: raise the context, or shorten what is shown to the model"
            )
        written = engine.write(
            prompt,
            slot=role,
            grammar=None if schema is None else shape.grammar(schema),
            temperature=temperature,
            seed=seed,
            limit=max_tokens if schema is None else min(STRETCH * max_tokens, room),
            finished=(lambda text: False) if schema is None else _is_whole,
        )
        usage = Usage(
            calls=1,
            tokens_in=len(prompt),
            tokens_cached=written.tokens_cached,
            tokens_out=written.tokens_out,
            seconds=time.perf_counter() - started,
        )
        if schema is None:
            return Reply(text=written.text, usage=usage)
        return Reply(text=written.text, data=self._parse(written.text, schema), usage=usage)

    def tokens(self, text: str) -> int:
        """Return how many tokens a text takes; the model is loaded for that."""
        return len(self.load().tokenize(text, special=False))

    def window(self) -> int:
        """Return the context that it is opened with."""
        return self._context

    def load(self) -> Engine:
        """Load the model now instead of at the first question; a second call does nothing.

        Raises:
            ConfigError: There is no such file, it is not a model, or llama-cpp-python is not installed.
        """
        if self._engine is None:
            from skillagent.llm.engine import Engine

            self._engine = Engine(self._path, threads=self._threads, context=self._context)
        return self._engine

    def close(self) -> None:
        """Let go of the model's memory; it is loaded again when asked."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _parse(self, text: str, schema: Json) -> Json | None:
        try:
            data = json.loads(text)
        except ValueError:
            log.warning("%s: the reply was not closed within its tokens: …%r", self._name, text[-80:])
            return None
        if reason := shape.misfit(data, schema):
            log.warning("%s: %s", self._name, reason)
            return None
        assert isinstance(data, dict), "the grammar's root is an object"
        return data

    def _layout(self, engine: Engine, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of the conversation: control tokens from the template only, never from the messages."""
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        marks = [f"\ue000{index}\ue001" for index in range(len(messages))]
        text = environment.from_string(engine.chat_template or CHATML).render(
            messages=[{"role": m.role, "content": mark} for m, mark in zip(messages, marks, strict=True)],
            add_generation_prompt=True,
            bos_token=engine.token_text("bos"),
            eos_token=engine.token_text("eos"),
            raise_exception=_refuse,
            tools=None,
        )
        tokens: list[int] = []
        for mark, message in zip(marks, messages, strict=True):
            before, found, text = text.partition(mark)
            if not found:
                raise ConfigError(f"{self._name}: its chat template leaves out a {message.role} message")
            tokens += engine.tokenize(before, special=True) + engine.tokenize(message.content, special=False)
        return tokens + engine.tokenize(text, special=True)


def _refuse(message: str) -> None:
    raise ConfigError(f"the model's chat template refuses these messages: {message}")


def _is_whole(text: str) -> bool:
    """True when the object is closed: one token less than waiting for the model to say so."""
    if not text.endswith("}"):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
