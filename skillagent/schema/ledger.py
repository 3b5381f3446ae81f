"""The lines of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field

from skillagent.schema.episode import Attempt, Plan, Ran, Ranked, Route
from skillagent.schema.learning import Change, Decision, Edit, PutInsight
from skillagent.schema.model import Usage
from skillagent.schema.task import Task
from skillagent.schema.value import Value


class Decided(Value):
    """The gate decided; `replaced` holds what accepted changes replaced, so that any version can be restored."""

    kind: Literal["decided"] = "decided"
    decision: Decision
    replaced: tuple[Change, ...] = ()


class RolledBack(Value):
    """A person put an earlier state of one item back, or undid the edit of the event `undoes`."""

    kind: Literal["rolled-back"] = "rolled-back"
    changes: tuple[Change, ...]
    replaced: tuple[Change, ...] = ()
    undoes: int | None = None
    why: str = ""

    @property
    def proper(self) -> tuple[Change, ...]:
        """The changes without those that only take a link between insights back."""
        links = {_unlinked(change) for change in self.replaced if isinstance(change, PutInsight)}
        return tuple(one for one in self.changes if not (isinstance(one, PutInsight) and _unlinked(one) in links))


def _unlinked(change: PutInsight) -> str:
    return change.insight.model_copy(update={"related": ()}).digest


class Routed(Value):
    """What the router chose for one goal or part of one: the skills that were shown, and the best that was not."""

    goal: str
    shown: tuple[Ranked, ...] = ()
    runner_up: Ranked | None = None

    @classmethod
    def of(cls, plan: Plan, route: Route) -> Iterator[Self]:
        """Yield what was chosen for each part of a plan."""
        for n, (part, shown) in enumerate(zip(plan.subgoals, route.skills, strict=False)):
            there = {one.id for one in shown}
            behind = (one for best in route.considered[n : n + 1] for one in best if one.id not in there)
            yield cls(goal=part.text, shown=tuple(map(_brief, shown)), runner_up=next(map(_brief, behind), None))


def _brief(one: Ranked) -> Ranked:
    parts = {name: round(value, 4) for name, value in one.parts.items()}
    return one.model_copy(update={"score": round(one.score, 4), "parts": parts})


class Attempted(Value):
    """An episode ended; what was shown and how it went, whose programs ran, and what surprised the last of them.

    `runs` says of each program that was to run which one it was, for what, and what came of it. `wanted` describes the
    skills that the plans asked for and the library lacks. `actions` tell in short what was done, and
    what memory answered. `routed` tells of each part of the plans which skills were chosen, by what numbers, and which
    one came next; lines from before that was kept have none.
    """

    kind: Literal["attempted"] = "attempted"
    attempt: str
    task: Task
    goal: str
    shown: tuple[str, ...] = ()
    score: float | None = None
    judged_by: str = "nobody"
    void: str | None = None
    steps: int = 0
    model_free_steps: int = 0
    programs: tuple[str, ...] = ()
    runs: tuple[Ran, ...] = ()
    surprise: str = ""
    wanted: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    usage: Usage = Usage()
    routed: tuple[Routed, ...] = ()

    @classmethod
    def of(cls, tried: Attempt, *, actions: Sequence[str] = ()) -> Self:
        """Return the line of an attempt; `actions` are what was done, as a reader is told it."""
        trajectory = tried.trajectory
        return cls(
            attempt=tried.id,
            task=trajectory.task,
            goal=trajectory.goal,
            shown=tuple(dict.fromkeys((*tried.chosen, *trajectory.examples))),
            score=tried.verdict.score,
            judged_by=tried.verdict.by,
            void=trajectory.void,
            steps=len(trajectory.steps),
            model_free_steps=trajectory.model_free_steps,
            programs=trajectory.programs,
            runs=trajectory.runs,
            surprise=trajectory.surprise,
            wanted=tuple(dict.fromkeys(part.wanted for plan in tried.plans for part in plan.subgoals if part.wanted)),
            actions=tuple(actions),
            usage=trajectory.usage,
            routed=tuple(one for plan, route in tried.routes for one in Routed.of(plan, route)),
        )


class Remarked(Value):
    """A person said how an attempt went, in their own words."""

    kind: Literal["remarked"] = "remarked"
    attempt: str
    good: bool
    words: str = ""


class Label(StrEnum):
    """What replays of a failed task say about an insight.

    Positive: alone, or with others that were shown, it solves the task, which is not solved without insights. Negative:
    less is scored with it than without it, or beside it those that solve the task do not. Invalid: alone it scores as
    much as nothing does and exactly the same is done, so that it was not followed; whether it is right is not known.
    Irrelevant: something else is done with it, and it does not help. Unretrieved: it was not shown, and alone or with
    one other it solves the task. What is called positive or unretrieved solves another instance too, where one is to
    be had that is not solved without insights.
    """

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INVALID = "invalid"
    IRRELEVANT = "irrelevant"
    UNRETRIEVED = "unretrieved"


class Labelled(Value):
    """A failed task was replayed with and without insights; what that says about each."""

    kind: Literal["labelled"] = "labelled"
    attempt: str
    task: Task
    goal: str
    labels: Mapping[str, Label]
    usage: Usage = Usage()


Entry = Annotated[Decided | RolledBack | Attempted | Remarked | Labelled, Field(discriminator="kind")]


class Event(Value):
    """One line of the ledger. `library` is the digest after the event; `at` is UTC, ISO 8601."""

    v: Literal[1] = 1
    seq: Annotated[int, Field(ge=0)]
    at: str
    library: str
    entry: Entry

    @property
    def changed(self) -> tuple[str, ...]:
        """The names and ids of what the event changed."""
        match self.entry:
            case Decided(decision=Decision(accepted=True, edit=Edit(changes=changes))) | RolledBack(changes=changes):
                return tuple(change.key for change in changes)
            case _:
                return ()
