"""Engine: llama.cpp in this process, from tokens to tokens.

The one thing to know: a reply must not depend on what was asked before. Keeping the evaluated prefix of earlier prompts
saves most of the work, but a float computed in another batch is another float. So prompts are evaluated in blocks of
`BLOCK` tokens at fixed positions, and only whole blocks are ever reused: every token is then always computed in the
same company, and the logits are equal bit for bit with and without reuse.

This knows nothing of messages, roles or JSON (`local` does). llama_cpp is imported when a model is loaded.
"""

from __future__ import annotations

import ctypes
import functools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skillagent.errors import ConfigError, LLMUnavailable

log = logging.getLogger("skillagent.llm")

BLOCK = 128
TOP = 64
MIN_P = 0.05

Logits = NDArray[np.float32]


class Written(NamedTuple):
    """What one generation gave. `complete` is false when `limit` ended it."""

    text: str
    tokens_out: int
    tokens_cached: int
    complete: bool


class _Saved(NamedTuple):
    """An evaluated prefix kept aside, outside of the context."""

    tokens: list[int]
    state: ctypes.Array[ctypes.c_uint8]


class Engine:
    """One loaded model with one context. Not for two threads at once.

    Args:
        path: A GGUF file.
        threads: Native threads; more than free cores makes it slower.
        context: Tokens of prompt and reply together.
    """

    def __init__(self, path: Path, *, threads: int, context: int) -> None:
        self._llama = _load(path, threads=threads, context=context)
        self._lib = _lib()
        self._memory = self._lib.llama_get_memory(self._llama.ctx)
        self._vocab = self._lib.llama_model_get_vocab(self._llama.model)
        self._n_vocab = self._llama.n_vocab()
        self._held: list[int] = []
        self._slot: str | None = None
        self._saved: dict[str, _Saved] = {}
        self.context = context

    @property
    def chat_template(self) -> str | None:
        """The Jinja template that the file carries."""
        template: str | None = self._llama.metadata.get("tokenizer.chat_template")
        return template

    def token_text(self, kind: str) -> str:
        """The text of the `bos` or `eos` token, empty where there is none."""
        token = {"bos": self._llama.token_bos, "eos": self._llama.token_eos}[kind]()
        return "" if token < 0 else self._lib.llama_vocab_get_text(self._vocab, token).decode("utf-8", "replace")

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Return the tokens of `text`. Only with `special` do names of control tokens in it become control tokens."""
        tokens: list[int] = self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=special)
        return tokens

    def write(
        self,
        prompt: Sequence[int],
        *,
        slot: str,
        grammar: str | None,
        temperature: float,
        seed: int,
        limit: int,
        finished: Callable[[str], bool] = lambda text: False,
    ) -> Written:
        """Continue `prompt` until the model or `finished` ends it, or `limit` tokens are written.

        Args:
            prompt: Together with `limit` it fits the context.
            slot: Who asks; each slot's last prompt is kept, so that slots that alternate do not evict each other.
            grammar: GBNF; only sentences of it are written.
            seed: Counts only where `temperature` is above zero.
        """
        assert len(prompt) + limit <= self.context, "the caller checks that the prompt fits"
        cached = self._read(list(prompt), slot)
        with _Chooser(self._lib, self._vocab, grammar, temperature, seed) as chooser:
            return self._continue(chooser, limit, finished, cached)

    def _continue(self, chooser: _Chooser, limit: int, finished: Callable[[str], bool], cached: int) -> Written:
        written, pieces = 0, bytearray()
        while True:
            token = chooser.choose(self._logits())
            written += 1
            if self._lib.llama_vocab_is_eog(self._vocab, token):
                return Written(pieces.decode("utf-8", "replace"), written, cached, complete=True)
            pieces += self._piece(token)
            text = pieces.decode("utf-8", "replace")
            if finished(text):
                return Written(text, written, cached, complete=True)
            if written >= limit:
                return Written(text, written, cached, complete=False)
            self._decode([token])

    def _piece(self, token: int) -> bytes:
        """Return the bytes of a token; a long run of spaces is one token, longer than llama_cpp's own buffer for it."""
        size = 32
        while True:
            buffer = ctypes.create_string_buffer(size)
            length: int = self._lib.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def _read(self, prompt: list[int], slot: str) -> int:
        """Evaluate `prompt`, reusing what is held of it, and return how many tokens were reused."""
        if slot != self._slot:
            self._park()
            self._slot = slot
        reusable = (len(prompt) - 1) // BLOCK * BLOCK  # the last token is always evaluated: its logits are wanted
        kept = min(_common(self._held, prompt), reusable)
        best = max(self._saved.values(), key=lambda saved: _common(saved.tokens, prompt), default=None)
        if best is not None and min(_common(best.tokens, prompt), reusable) > kept:
            self._restore(best)
            kept = min(_common(best.tokens, prompt), reusable)
        self._held = prompt[:kept]
        self._lib.llama_memory_seq_rm(self._memory, 0, kept, -1)
        for start in range(kept, len(prompt), BLOCK):
            block = prompt[start : start + BLOCK]
            self._decode(block)
            if len(block) == BLOCK:
                self._held = prompt[: start + BLOCK]
        return kept

    def _park(self) -> None:
        """Keep the held prefix for the slot that is about to lose it."""
        if self._slot is None or not self._held:
            return
        self._lib.llama_memory_seq_rm(self._memory, 0, len(self._held), -1)
        size = self._lib.llama_state_seq_get_size(self._llama.ctx, 0)
        state = (ctypes.c_uint8 * size)()
        if self._lib.llama_state_seq_get_data(self._llama.ctx, state, size, 0) == size:
            self._saved[self._slot] = _Saved(self._held, state)

    def _restore(self, saved: _Saved) -> None:
        self._lib.llama_memory_seq_rm(self._memory, 0, -1, -1)
        if not self._lib.llama_state_seq_set_data(self._llama.ctx, saved.state, len(saved.state), 0):
            raise LLMUnavailable("llama.cpp could not take back a saved context")

    def _decode(self, tokens: Sequence[int]) -> None:
        array = (ctypes.c_int32 * len(tokens))(*tokens)
        code = self._lib.llama_decode(self._llama.ctx, self._lib.llama_batch_get_one(array, len(tokens)))
        if code != 0:
            self._held = []
            self._lib.llama_memory_clear(self._memory, True)
            raise LLMUnavailable(f"llama.cpp could not evaluate {len(tokens)} tokens (code {code})")

    def _logits(self) -> Logits:
        pointer = self._lib.llama_get_logits_ith(self._llama.ctx, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._n_vocab,))

    def close(self) -> None:
        """Let go of the model; a second call does nothing."""
        self._saved.clear()
        self._llama.close()


class _Chooser:
    """Picks the next token. A grammar is asked about the likeliest tokens first, about all only if it refuses those."""

    def __init__(self, lib: Any, vocab: Any, grammar: str | None, temperature: float, seed: int) -> None:  # noqa: ANN401 - a C library
        self._lib, self._temperature = lib, temperature
        self._random = np.random.default_rng(seed)
        self._grammar = lib.llama_sampler_init_grammar(vocab, grammar.encode(), b"root") if grammar else None
        if grammar and not self._grammar:
            raise ConfigError(f"llama.cpp does not understand the grammar of this reply:\n{grammar}")

    def __enter__(self) -> _Chooser:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._grammar:
            self._lib.llama_sampler_free(self._grammar)

    def choose(self, logits: Logits) -> int:
        """Return the next token and tell the grammar."""
        token = int(np.argmax(logits)) if self._temperature <= 0 else self._sample(logits)
        if self._temperature <= 0 and self._grammar and not self._allowed(np.array([token]), logits).size:
            token = int(self._likeliest(logits)[0])
        if self._grammar:
            self._lib.llama_sampler_accept(self._grammar, token)
        return token

    def _sample(self, logits: Logits) -> int:
        tokens = self._likeliest(logits)
        shares = np.exp((logits[tokens] - logits[tokens[0]]).astype(np.float64))
        tokens, shares = tokens[shares >= MIN_P], shares[shares >= MIN_P] ** (1 / self._temperature)
        return int(self._random.choice(tokens, p=shares / shares.sum()))

    def _likeliest(self, logits: Logits) -> NDArray[np.intp]:
        """Return allowed tokens, likeliest first, at least one; ties by token number, so that runs repeat."""
        top = np.argpartition(-logits, TOP)[:TOP]
        allowed = self._allowed(top, logits)
        if not allowed.size:
            allowed = self._allowed(np.arange(len(logits)), logits)
        if not allowed.size:
            raise LLMUnavailable("the grammar of this reply allows no token at all here")
        return allowed[np.lexsort((allowed, -logits[allowed]))]

    def _allowed(self, tokens: NDArray[np.intp], logits: Logits) -> NDArray[np.intp]:
        if not self._grammar:
            return tokens
        entries = np.zeros(len(tokens), dtype=[("id", np.int32), ("logit", np.float32), ("p", np.float32)])
        entries["id"], entries["logit"] = tokens, logits[tokens]
        pointer = entries.ctypes.data_as(self._lib.llama_token_data_p)
        array = self._lib.llama_token_data_array(data=pointer, size=len(tokens), selected=-1, sorted=False)
        self._lib.llama_sampler_apply(self._grammar, ctypes.byref(array))
        kept: NDArray[np.intp] = tokens[np.isfinite(entries["logit"])]
        return kept


def _common(held: Sequence[int], prompt: Sequence[int]) -> int:
    """Return how many tokens of whole blocks the two have in common at their start."""
    same = next((i for i, (a, b) in enumerate(zip(held, prompt, strict=False)) if a != b), min(len(held), len(prompt)))
    return same // BLOCK * BLOCK


def _lib() -> Any:  # noqa: ANN401 - a C library has no types of its own
    try:
        import llama_cpp
    except ImportError as e:
        raise ConfigError(
            "local models need llama-cpp-python: pip install 'skillagent[local]' (it is built from source and wants a "
            "C++ compiler), or choose an API model"
        ) from e
    return llama_cpp


def _load(path: Path, *, threads: int, context: int) -> Any:  # noqa: ANN401
    lib = _lib()
    _quiet()
    _without_amx()
    if not path.is_file():
        raise ConfigError(f"no model file at {path}")
    try:
        return lib.Llama(
            str(path),
            n_ctx=context,
            n_batch=BLOCK,
            n_ubatch=BLOCK,
            n_threads=threads,
            n_threads_batch=threads,
            flash_attn=True,
            verbose=False,
        )
    except (ValueError, RuntimeError) as e:
        raise ConfigError(f"llama.cpp cannot load {path}: {e}") from e


@functools.cache
def _without_amx() -> None:
    """Keep llama.cpp from its AMX kernels: compilers drop how they set up the tiles, and they end the process.

    Without its other layouts of weights, too, so that a build without AMX is faster: `scripts/setup` makes such a one.
    Source: pull request 26954 of llama.cpp, where a build is told by what it says of itself.
    """
    low = _lib().llama_cpp
    if b"AMX_INT8 = 1" not in low.llama_print_system_info():
        return
    log.debug("llama.cpp was built with AMX, which is not used: a build with -mno-amx-tile is faster")
    default = low.llama_model_default_params

    def plain() -> Any:  # noqa: ANN401
        params = default()
        params.use_extra_bufts = False
        return params

    low.llama_model_default_params = plain


@functools.cache
def _quiet() -> object:
    """Send llama.cpp's messages to the log instead of stderr. The callback lives as long as the process must."""
    lib = _lib()

    @lib.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
    def callback(level: int, text: bytes, user: object) -> None:
        log.debug("llama.cpp: %s", text.decode("utf-8", "replace").rstrip())

    lib.llama_log_set(callback, ctypes.c_void_p(0))
    return callback
