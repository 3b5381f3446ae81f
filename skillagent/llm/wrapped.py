"""Wrapped: what a wrapper of a model (cache, meter) has to know of the model inside, beyond the `LLM` port.

Both are optional, so that a model of one's own needs neither: without an `identity` a model is told by its name, and
without `close` it holds nothing that could be let go of.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from skillagent.ports import LLM


@runtime_checkable
class Identified(Protocol):
    """A model whose name does not say everything that its replies depend on."""

    @property
    def identity(self) -> str:
        """The name, with whatever tells apart models of one name: where it is asked, what its file holds."""
        ...


@runtime_checkable
class Closable(Protocol):
    """A model that holds memory or connections."""

    def close(self) -> None:
        """Let go of them; a second call does nothing."""
        ...


def identity_of(llm: LLM) -> str:
    """Return what a model's replies are kept under."""
    return llm.identity if isinstance(llm, Identified) else llm.name


def close(llm: LLM) -> None:
    """The model holds nothing any more."""
    if isinstance(llm, Closable):
        llm.close()
