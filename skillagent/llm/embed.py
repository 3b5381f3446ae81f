"""Embed: texts to unit vectors, offline by default.

`MiniLM` embeds one text at a time on purpose: in a batch of eight it is 1.8 times as fast, but a text's last bits then
depend on its neighbours (by 6e-8), and equal texts must get equal vectors for runs to repeat and caches to be exact.

Caching is the store's work; fetching the files is `weights`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skillagent.errors import ConfigError, LLMUnavailable
from skillagent.llm.litellm import endpoint, imported, with_retries
from skillagent.llm.weights import sha256_of
from skillagent.ports import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MAX_TOKENS = 256
BATCH = 64


class MiniLM:
    """all-MiniLM-L6-v2 as int8 ONNX, on one thread: 384 dimensions; text beyond 256 tokens is not read.

    The files are loaded at the first text.

    Args:
        model_path: The `.onnx` file.
        tokenizer_path: Its `tokenizer.json`.
    """

    def __init__(self, model_path: Path, tokenizer_path: Path) -> None:
        self._model_path = model_path
        self._tokenizer_path = tokenizer_path

    @functools.cached_property
    def name(self) -> str:
        """The model with the hash of its file: other weights, other name.

        Raises:
            ConfigError: The file is not there.
        """
        if not self._model_path.is_file():
            raise ConfigError(f"no embedding model at {self._model_path}: run `skillagent models pull minilm-int8`")
        return f"minilm-int8/{sha256_of(self._model_path)[:8]}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, shape (len(texts), 384); each row depends on its own text alone.

        Raises:
            ConfigError: A file is not there or is no model.
        """
        session, tokenizer = self._loaded
        width = session.get_outputs()[0].shape[-1]
        rows = np.empty((len(texts), width), dtype=np.float32)
        for row, encoding in zip(rows, tokenizer.encode_batch_fast(list(texts)), strict=True):
            ids = np.array([encoding.ids], dtype=np.int64)
            inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            wanted = {i.name: inputs[i.name] for i in session.get_inputs()}
            row[:] = session.run(None, wanted)[0][0].mean(axis=0)
        return _units(rows)

    @functools.cached_property
    def _loaded(self) -> tuple[Any, Any]:
        import onnxruntime
        from tokenizers import Tokenizer

        for path in (self._model_path, self._tokenizer_path):
            if not path.is_file():
                raise ConfigError(f"no embedding model at {path}: run `skillagent models pull minilm-int8`")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                str(self._model_path), sess_options=options, providers=["CPUExecutionProvider"]
            )
            tokenizer = Tokenizer.from_file(str(self._tokenizer_path))
        except Exception as e:  # both libraries raise kinds of Exception of their own
            raise ConfigError(f"cannot load the embedding model at {self._model_path}: {e}") from e
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.no_padding()
        return session, tokenizer


class Encoder(Protocol):
    """What is used of a `sentence_transformers.SentenceTransformer`."""

    def encode(
        self, sentences: list[str], *, batch_size: int, show_progress_bar: bool, convert_to_numpy: bool
    ) -> NDArray[np.float32]:
        """Return one row per sentence."""
        ...


class SentenceTransformers:
    """Any model that sentence-transformers can load, by its name or folder. Slow to start: it brings torch.

    Args:
        model: A name on the hub or a folder.
        load: Loads it; default: the library.
    """

    def __init__(self, model: str, *, load: Callable[[str], Encoder] | None = None) -> None:
        self._model = model
        self._load = load or sentence_transformer

    @property
    def name(self) -> str:
        """The library and the model."""
        return f"sentence-transformers/{self._model.removeprefix('sentence-transformers/')}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, shape (len(texts), d). Rows of one text in different batches agree to about 1e-6.

        Raises:
            ConfigError: The library or the model is not there.
        """
        if not texts:  # an empty batch has no width of its own
            return self._encoder.encode([""], **_ENCODE)[:0].astype(np.float32)
        return _units(self._encoder.encode(list(texts), **_ENCODE))

    @functools.cached_property
    def _encoder(self) -> Encoder:
        return self._load(self._model)


_ENCODE: Any = {"batch_size": 32, "show_progress_bar": False, "convert_to_numpy": True}


class LiteLLMEmbedder:
    """Any embedding model that litellm knows, e.g. `openai/text-embedding-3-small`.

    Args:
        model: Its litellm name.
        base_url: Where the provider is, if not where it usually is.
        api_key: Overrides the provider's variable.
        timeout_s: Seconds for one try.
        retries: Further tries after a fault that may pass.
        pause: Waits that many seconds between tries.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        retries: int = 3,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._model = model
        self._endpoint = endpoint(model, base_url, api_key)
        self._timeout_s = timeout_s
        self._retries = retries
        self._pause = pause

    @property
    def name(self) -> str:
        """The litellm name."""
        return self._model

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, shape (len(texts), d).

        Raises:
            ConfigError: The key or the model's name is wrong.
            LLMUnavailable: No vectors after the retries, or not one per text.
        """
        wanted = list(texts) or [" "]  # an empty request has no width of its own
        parts = [self._batch(wanted[i : i + BATCH]) for i in range(0, len(wanted), BATCH)]
        return _units(np.concatenate(parts))[: len(texts)]

    def _batch(self, texts: list[str]) -> NDArray[np.float32]:
        ask = functools.partial(
            imported().embedding,
            model=self._model,
            input=[text or " " for text in texts],  # providers refuse empty strings
            timeout=self._timeout_s,
            max_retries=0,
            **self._endpoint,
        )
        response = with_retries(ask, self._model, self._retries, self._pause)
        entries = sorted(response.data, key=lambda entry: int(entry["index"]))
        if len(entries) != len(texts):
            raise LLMUnavailable(f"{self._model}: {len(texts)} texts, but {len(entries)} vectors came back")
        return np.array([entry["embedding"] for entry in entries], dtype=np.float32)


def sentence_transformer(model: str) -> SentenceTransformer:
    """Return a model of sentence-transformers, by its name or folder, on the processor.

    Raises:
        ConfigError: The library or the model is not there, or it cannot be loaded.
    """
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ImportError as e:
        raise ConfigError(
            f"the embedder {model} needs sentence-transformers: pip install 'skillagent[train]', or use minilm-int8"
        ) from e
    logging.disable_progress_bar()
    try:
        return SentenceTransformer(model, device="cpu")
    except Exception as e:  # three libraries read the folder, and raise kinds of Exception of their own
        raise ConfigError(f"sentence-transformers cannot load {model!r}: {e}") from e


def _units(rows: NDArray[np.float32]) -> Vectors:
    """Scale rows to length one; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return scaled
