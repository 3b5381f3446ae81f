"""Rebatch: goals with their candidates among the skills of now, whenever the goals were new.

What is kept of earlier domains are goals and what was right for them. Their candidates are looked up anew each time, so
that a skill which came later, and draws an old goal away, is among them. Nothing is learnt here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from skillagent.library import Library
from skillagent.ports import VectorCache
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.measured import Query
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.rerank import Encoder
from skillagent.routing.retune import Fit, fit
from skillagent.routing.train import Case, cases, owners_of


@dataclass(frozen=True)
class Rebatch:
    """Routes goals among the skills of a library, as the router would have had it not yet solved these goals."""

    library: Library
    catalogue: Catalogue
    _known: dict[tuple[tuple[str, int], str], Case | None] = field(default_factory=dict)

    @property
    def cache(self) -> VectorCache:
        """The vectors."""
        return self.catalogue.skills.cache

    @cached_property
    def _owners(self) -> Mapping[str, Sequence[str]]:
        return owners_of(self.library)

    def one(self, goal: Query) -> Case | None:
        """Return a goal with its candidates; None where what is right for it is not among them."""
        key = (goal.at, goal.goal)
        if key not in self._known:
            nothing = Outcomes(self.cache, tuple)
            found = cases([goal], self.library, self.catalogue, nothing, owners=self._owners)
            self._known[key] = found[0] if found else None
        return self._known[key]

    def __call__(self, goals: Sequence[Query]) -> list[Case]:
        """Return the goals with their candidates, but those for which nothing right is among them."""
        return [case for case in map(self.one, goals) if case is not None]


class Strategy(Protocol):
    """A way to learn."""

    def __call__(
        self, encoder: Encoder, new: Sequence[Query], kept: Sequence[Query], now: Rebatch, *, fit: Fit = fit
    ) -> Encoder:
        """Return the encoder after some new goals."""
        ...
