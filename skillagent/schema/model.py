"""What a language model is asked and answers, and what that cost."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import JsonValue, field_validator

from skillagent.schema.value import Json, Value, mended


class Message(Value):
    """One turn of a conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str

    @classmethod
    def user(cls, content: str) -> Self:
        """Return a user's turn."""
        return cls(role="user", content=content)

    @classmethod
    def system(cls, content: str) -> Self:
        """Return the instructions that come first."""
        return cls(role="system", content=content)


class Usage(Value):
    """What was spent on models. `tokens_cached` of `tokens_in` were read from a cache instead of computed.

    Where a cheaper model drafts actions, `drafted` are the turns that it drafted, `agreed` those in which its drafts
    were taken; `draft_*` is what of the whole was spent on drafts, and `deferred_*` what the better model took in the
    other drafted turns.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    drafted: int = 0
    agreed: int = 0
    draft_seconds: float = 0.0
    draft_usd: float = 0.0
    deferred_seconds: float = 0.0
    deferred_usd: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Return the sum, field by field."""
        return Usage(**{k: v + getattr(other, k) for k, v in self.model_dump().items()})

    def __sub__(self, other: Usage) -> Usage:
        """Return the difference, field by field: what was spent since `other` was read."""
        return Usage(**{k: v - getattr(other, k) for k, v in self.model_dump().items()})


class Reply(Value):
    """A model's answer. `data` is the object that a schema asked for; None without one, or for another form.

    What cannot be written as UTF-8 is mended here, so that nothing made from a model's words has to look for it.
    """

    text: str
    data: Json | None = None
    usage: Usage = Usage(calls=1)

    @field_validator("text", "data", mode="before")
    @classmethod
    def _writable(cls, content: JsonValue) -> JsonValue:
        return mended(content)


class Role(StrEnum):
    """Who asks the model: the meter and the budgets count by it."""

    ACTOR = "actor"
    PLANNER = "planner"
    JUDGE = "judge"
    REFLECTOR = "reflector"
