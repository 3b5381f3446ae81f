"""Wrapped: what a wrapper of a model (cache, meter) has to know of the model inside, beyond the `LLM` port.

It is optional, so that a model of one's own does not need it: without an `identity` a model is told by its name.
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


def identity_of(llm: LLM) -> str:
    """Return what a model's replies are kept under."""
    return llm.identity if isinstance(llm, Identified) else llm.name
