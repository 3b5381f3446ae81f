"""Meter: what was spent on models, by who asked, and budgets that stop before the next call.

A budget is looked at *before* a call, so the call that crosses it is still paid for and its reply is not lost. What a
call will cost is not guessed. Replies from a disk cache count their tokens but no calls and no money (`cache`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from skillagent.errors import BudgetSpent, LLMUnavailable
from skillagent.llm.wrapped import close
from skillagent.ports import LLM, tokens, window
from skillagent.schema import Json, Message, Reply, Role, Usage, Value


class Budget(Value):
    """Limits on a meter's total; None is no limit. Tokens are those read and written, cached ones included."""

    tokens: Annotated[int, Field(ge=0)] | None = None
    cost_usd: Annotated[float, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(ge=0)] | None = None

    def check(self, spent: Usage) -> None:
        """Return if there is something left of every limit.

        Raises:
            BudgetSpent: A limit is reached; the message says which.
        """
        tokens = spent.tokens_in + spent.tokens_out
        for what, used, limit in (
            ("tokens", tokens, self.tokens),
            ("US dollars", spent.cost_usd, self.cost_usd),
            ("seconds of model time", spent.seconds, self.seconds),
        ):
            if limit is not None and used >= limit:
                raise BudgetSpent(f"{used:,.6g} of {limit:,.6g} {what} are spent")


class Meter:
    """Adds up usage by role. `total` is a value: keep it, and subtract it later to know what was spent in between."""

    def __init__(self) -> None:
        self._by_role: dict[Role, Usage] = {}

    @property
    def by_role(self) -> Mapping[Role, Usage]:
        """What each role has spent so far; roles that never asked are absent."""
        return MappingProxyType(dict(self._by_role))

    @property
    def total(self) -> Usage:
        """What all roles have spent so far."""
        return sum(self._by_role.values(), Usage())

    def add(self, role: Role, usage: Usage) -> None:
        """Count what one call of `role` used."""
        self._by_role[role] = self._by_role.get(role, Usage()) + usage


class Metered:
    """A model whose calls are counted on `meter` and refused once `budget` is spent.

    Several metered models may share one meter. A call that fails is counted with the time it took; what a provider
    charges for it is not known. `context` are the tokens that it is asked to read at most.
    """

    def __init__(
        self,
        llm: LLM,
        meter: Meter,
        budget: Budget = Budget(),  # noqa: B008 - a frozen value
        *,
        context: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._llm = llm
        self._context = context
        self._meter = meter
        self._budget = budget
        self._clock = clock

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
        """Answer the last message, and count it.

        Raises:
            BudgetSpent: The budget was spent before the call; the model was not asked.
            LLMUnavailable: As the model raises it.
        """
        self._budget.check(self._meter.total)
        started = self._clock()
        try:
            reply = self._llm.reply(
                messages, role=role, schema=schema, temperature=temperature, seed=seed, max_tokens=max_tokens
            )
        except LLMUnavailable:
            self._meter.add(role, Usage(calls=1, seconds=self._clock() - started))
            raise
        self._meter.add(role, reply.usage)
        return reply

    def tokens(self, text: str) -> int:
        """Count as the model does."""
        return tokens(self._llm, text)

    def window(self) -> int | None:
        """Return the model's own, or what was set where that is less or the model's is not known."""
        return min((one for one in (window(self._llm), self._context) if one is not None), default=None)

    def close(self) -> None:
        """Let go of what the model holds; it is loaded again when asked."""
        close(self._llm)
