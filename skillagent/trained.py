"""Trained: what the router was trained to, opened for use, and what a fine-tuned model of it begins as.

Nothing is loaded before a text is embedded. What is opened is only what was kept: a folder that holds anything else
leaves the router untrained, and the log says so.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from skillagent.config import Settings
from skillagent.errors import ConfigError
from skillagent.llm import weights
from skillagent.llm.embed import SentenceTransformers, sentence_transformer
from skillagent.routing.finetune import Finetune, finetune
from skillagent.routing.rerank import Rows, Trained, Tuned, in_use
from skillagent.store.trainings import Trainings
from skillagent.store.vectors import MemoryVectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BASE = "minilm"  # of the catalogue of weights


def trained_router(settings: Settings, embedder: str) -> Trained | None:
    """Return the trained version that routes in the settings' memory folder, or None: untrained."""
    kept = Trainings(settings.memory)

    def opened(one: Tuned) -> Rows:
        folder = kept.folder(one.folder, one.sha256)
        if importlib.util.find_spec("sentence_transformers") is None:
            raise ConfigError("a fine-tuned model needs sentence-transformers: pip install 'skillagent[train]'")
        return MemoryVectors(SentenceTransformers(str(folder))).vectors

    return in_use(kept.lines, embedder, opened)


def base_of(settings: Settings, named: str = "") -> str:
    """Return the folder or name of the model that a fine-tuned one begins as.

    Args:
        settings: A sentence-transformers embedder goes before MiniLM.
        named: Goes before both.

    Raises:
        ConfigError: MiniLM is not here yet.
    """
    kind, _, served = settings.embedder.partition("/")
    if named or kind == "sentence-transformers":
        return named or served
    file = weights.path(_BASE, settings.models_dir)
    if file is None:
        raise ConfigError(
            f"what is to be fine-tuned is not here: run `skillagent models pull {_BASE}`, or name a --base"
        )
    return str(file.parent)


def finetuner(base: Callable[[], str], watch: Callable[[str], None]) -> Finetune:
    """Return what fine-tunes the model of a folder or name, which is asked for when there is enough to learn from."""
    return partial(finetune, load=lambda: sentence_transformer(base()), rows_by=rows_by, watch=watch)


def rows_by(model: SentenceTransformer) -> Rows:
    """Return what embeds by a loaded model, each text once."""
    return MemoryVectors(SentenceTransformers("in memory", load=lambda _: model)).vectors
