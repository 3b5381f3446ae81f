"""What attempts teach: lessons, edits, and what the gate says to them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from skillagent.schema.episode import Attempt, Score
from skillagent.schema.items import Demonstration, Insight, Skill
from skillagent.schema.model import Usage
from skillagent.schema.task import Task
from skillagent.schema.value import Value, digest_of


class Cause(StrEnum):
    """Why an attempt went as it did. Only the first three teach; `EFFORT`: it went well, but a model was asked."""

    KNOWLEDGE = "missing knowledge"
    SKILL = "skill defect"
    EFFORT = "needless effort"
    LAPSE = "lapse"
    INFRASTRUCTURE = "infrastructure"
    JUDGE = "judge error"

    @property
    def teaches(self) -> bool:
        """True when something can be written that would have helped."""
        return self in (Cause.KNOWLEDGE, Cause.SKILL, Cause.EFFORT)


class Lesson(Value):
    """What one or more attempts at a task taught, and which attempts show it.

    `success` is an attempt that solved the task, `successes` are all of them, `failures` those that did not; the exact
    parts of whatever is written come from them. `others` solved the same task where its goal asks in other words, or
    for something else. `skill` names the skill to blame when the cause is a skill defect. `known` are insights of the
    library that solve a failed task when they are shown: there is nothing new to explain.
    """

    cause: Cause
    summary: str
    success: Attempt | None = None
    successes: tuple[Attempt, ...] = ()
    failures: tuple[Attempt, ...] = ()
    others: tuple[Attempt, ...] = ()
    skill: str | None = None
    known: tuple[str, ...] = ()

    @property
    def evidence(self) -> tuple[str, ...]:
        """The ids of all attempts that show it, each once."""
        shown = (self.success, *self.successes, *self.failures, *self.others)
        return tuple(dict.fromkeys(one.id for one in shown if one is not None))


class PutSkill(Value):
    """Create a skill (`base` None) or revise the version `base` of it."""

    kind: Literal["put-skill"] = "put-skill"
    skill: Skill
    base: int | None = None

    @property
    def key(self) -> str:
        """The name or id of the item that changes."""
        return self.skill.name


class RetireSkill(Value):
    """Take a skill out of the library."""

    kind: Literal["retire-skill"] = "retire-skill"
    name: str
    base: int

    @property
    def key(self) -> str:
        """The name or id of the item that changes."""
        return self.name


class PutInsight(Value):
    """Add an insight, or replace the one whose digest is `base`."""

    kind: Literal["put-insight"] = "put-insight"
    insight: Insight
    base: str | None = None

    @property
    def key(self) -> str:
        """The name or id of the item that changes."""
        return self.insight.id


class RetireInsight(Value):
    """Take an insight out of the library."""

    kind: Literal["retire-insight"] = "retire-insight"
    id: str

    @property
    def key(self) -> str:
        """The name or id of the item that changes."""
        return self.id


class PutDemonstration(Value):
    """Add a demonstration, or replace the one with its id."""

    kind: Literal["put-demonstration"] = "put-demonstration"
    demonstration: Demonstration

    @property
    def key(self) -> str:
        """The name or id of the item that changes."""
        return self.demonstration.id


class RetireDemonstration(Value):
    """Take a demonstration out of the library."""

    kind: Literal["retire-demonstration"] = "retire-demonstration"
    id: str

    @property
    def key(self) -> str:
        """The name or id of the item that changes."""
        return self.id


Change = Annotated[
    PutSkill | RetireSkill | PutInsight | RetireInsight | PutDemonstration | RetireDemonstration,
    Field(discriminator="kind"),
]


class Edit(Value):
    """One proposal: changes that are tried, accepted or refused together. `digest` of `changes` is its identity."""

    changes: Annotated[tuple[Change, ...], Field(min_length=1)]
    why: str
    evidence: tuple[str, ...] = ()

    @property
    def proper(self) -> tuple[Change, ...]:
        """The changes without links: of a new insight and those that only come to name it, the new one by itself."""
        new = [one for one in self.changes if isinstance(one, PutInsight) and one.base is None]
        others = [one for one in self.changes if one not in new]
        if len(new) != 1 or not all(isinstance(o, PutInsight) and new[0].key in o.insight.related for o in others):
            return self.changes
        alone = new[0].insight.model_copy(update={"related": ()})
        return (new[0].model_copy(update={"insight": alone}),)

    @property
    def identity(self) -> str:
        """The digest of what would change: refusals, and what a person took back, are remembered by it.

        Who proposes it, on what evidence, against which version and linked with what makes no difference.
        """
        aside: dict[str, bool | set[str]] = {
            "base": True,
            "skill": {"version"},
            "insight": {"evidence", "origin"},
            "demonstration": {"evidence", "source"},
        }
        return digest_of([change.model_dump(mode="json", exclude=aside) for change in self.proper])


class Pair(Value):
    """One task and seed with and without the edit. A side is None when it could not be scored.

    `asked` is false where no model was asked to try it without the edit: the edit had scored nothing, so that it could
    not win, or it had solved the task for nothing, so that it could not lose.
    """

    task: Task
    before: Score | None
    after: Score | None
    asked: bool = True

    @property
    def outcome(self) -> Literal["win", "loss", "tie", "vain", "spared", "dropped"]:
        """Compare the two sides; an unscored side drops the pair, and one side alone is in vain or spared the model."""
        if self.after is not None and not self.asked:
            return "spared" if self.after.success else "vain"
        if self.before is None or self.after is None:
            return "dropped"
        if self.after.value == self.before.value:
            return "tie"
        return "win" if self.after.value > self.before.value else "loss"


class Decision(Value):
    """What the gate said to an edit, and what it said it for.

    `verified` are tasks that the lesson came from, tried again with the edit; `pairs` are fresh; `rehearsed` are tasks
    that were solved before. `final` is false for a refusal that says nothing against the edit itself: replays could not
    be scored, or it did not fit the library at that moment. Only final refusals are remembered. `writing` is what the
    edit cost to write, `usage` what it cost to decide. `by` says who decided: the gate, the upkeep of the library by
    what its ledger tells, or a person.
    """

    edit: Edit
    accepted: bool
    reason: str
    final: bool = True
    verified: tuple[Pair, ...] = ()
    pairs: tuple[Pair, ...] = ()
    rehearsed: tuple[Pair, ...] = ()
    p_value: float | None = None
    by: Literal["gate", "upkeep", "person"] = "gate"
    usage: Usage = Usage()
    writing: Usage = Usage()

    def count(self, outcome: str) -> int:
        """Return how many pairs, gate and rehearsal together, came out so: win, loss, tie, vain, spared, dropped."""
        return sum(pair.outcome == outcome for pair in (*self.pairs, *self.rehearsed))
