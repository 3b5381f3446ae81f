"""What the library holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from skillagent.schema.value import Value, digest_of


class Skill(Value):
    """An Agent Skill: one folder with `SKILL.md` and text files beside it (paths relative to the folder).

    `metadata` holds foreign keys as they were read; our own facts are fields here and are written as
    `metadata.skillagent-*`. `foreign` is true for a skill that we did not write; its files are left alone unless it is
    edited.
    """

    name: str
    description: str
    body: str
    version: Annotated[int, Field(ge=1)] = 1
    domain: str = ""
    goals: tuple[str, ...] = ()
    license: str | None = None
    compatibility: str | None = None
    allowed_tools: str | None = None
    metadata: Mapping[str, str] = Field(default_factory=dict)
    files: Mapping[str, str] = Field(default_factory=dict)
    foreign: bool = False

    @property
    def says(self) -> str:
        """Sixteen hex digits of what it says and does, which other goals that it solved leave as they are."""
        return digest_of([self.description, self.body, dict(self.files)])


InsightKind = Literal["causal", "state-change", "subgoal", "construal", "pitfall"]


class Condition(Value):
    """When an insight holds, and when it does not."""

    applies: str
    does_not_apply: str = ""


class Insight(Value):
    """A piece of knowledge with its condition.

    `taxonomy` is domain/level-1/level-2; `example` is a goal that it comes from, and `worked` what solved that, action
    by action, where it is short; `evidence` cites attempts; `related` names insights that say something near and not
    the same. `defines` says what a label of the taxonomy means that came with this insight. What is `pinned` no
    upkeep changes or takes out.
    """

    id: str
    taxonomy: str
    kind: InsightKind
    condition: Condition
    explanation: str
    example: str = ""
    worked: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    origin: str = ""
    related: tuple[str, ...] = ()
    defines: Mapping[str, str] = Field(default_factory=dict)
    pinned: bool = False


class KeyStep(Value):
    """One step of a demonstration: what was seen (shortened), what was done, and what it led to."""

    observation: str
    action: str
    plan: str = ""
    next: str = ""


class Recalled(Value):
    """What memory answered to a question; `of` names the items that the answer is made of."""

    text: str = ""
    of: tuple[str, ...] = ()


class Moment(Value):
    """A step of a demonstration that is like the present one, and how like; `of` is the demonstration's id."""

    of: str
    goal: str
    step: KeyStep
    score: float


class Demonstration(Value):
    """A trajectory cut to its key steps. `source` says who acted.

    `notes` say what mattered, by kind: what causes what, how the state changes, what comes first, what to look at.
    """

    id: str
    domain: str
    goal: str
    steps: tuple[KeyStep, ...]
    source: Literal["self", "person", "oracle", "synthetic"] = "self"
    notes: Mapping[Literal["causal", "state-change", "subgoal", "construal"], str] = Field(default_factory=dict)
    evidence: tuple[str, ...] = ()
