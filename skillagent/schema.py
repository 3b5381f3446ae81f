"""Schema: every noun of the package, in the order in which they come to exist in an episode.

All values are frozen: a change is a new value (`value.model_copy(update=...)`). Mappings inside them are treated as
read-only. A score of None means *unscored*, which is never the same as zero.

This module knows nothing of files, models or environments.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Json = dict[str, JsonValue]


class Value(BaseModel):
    """A frozen value with a content digest."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    @property
    def digest(self) -> str:
        """Sixteen hex digits of the SHA-256 of the canonical JSON: equal contents, equal digest."""
        return digest_of(self.model_dump(mode="json"))


def digest_of(content: JsonValue) -> str:
    """Return sixteen hex digits of the SHA-256 of `content` as canonical JSON."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


# ── Tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Split(StrEnum):
    """What a seed may be used for. Learning sees practice and gate seeds; holdout seeds are for evaluation alone."""

    PRACTICE = "practice"
    GATE = "gate"
    HOLDOUT = "holdout"

    @property
    def first_seed(self) -> int:
        """The first seed of the split; each split owns the million seeds that follow, holdout all from there on."""
        return {Split.PRACTICE: 0, Split.GATE: 1_000_000, Split.HOLDOUT: 2_000_000}[self]

    @classmethod
    def of(cls, seed: int) -> Split:
        """Return the one split that `seed` belongs to: the ranges are disjoint because there is only this function."""
        return next(split for split in reversed(cls) if seed >= split.first_seed)


class Task(Value):
    """One thing to be done once: a named task of an environment, or a goal in words on a page.

    `goal` may be empty where the environment states it at reset (then `Observation.goal` has it). `expect` is a text
    that the last observation must show when the task is done: a check for worlds that have none of their own.
    """

    env: str
    name: str
    goal: str = ""
    seed: Annotated[int, Field(ge=0)] = 0
    url: str | None = None
    expect: str = ""
    max_steps: Annotated[int, Field(ge=1)] = 12
    timeout_s: Annotated[float, Field(gt=0)] = 300.0

    @property
    def id(self) -> str:
        """The task without its seed, e.g. `miniwob/login-user`."""
        return f"{self.env}/{self.name}"

    @property
    def split(self) -> Split:
        """The split that the seed belongs to."""
        return Split.of(self.seed)


# ── What the agent sees and does ─────────────────────────────────────────────────────────────────────────────────────


class Verb(Value):
    """One thing that can be done in an environment; prompts and reply schemas are made from it.

    `parameters` is a JSON schema of type object. A parameter with `"format": "ref"` names an element of the current
    observation; `"roles": [...]` beside it says which roles the verb works on (absent: any).
    """

    name: str
    doc: str
    parameters: Json

    @property
    def signature(self) -> str:
        """The verb as a reader would call it, e.g. `fill(ref, text)`; optional parameters end in `?`."""
        properties, required = self.parameters.get("properties"), self.parameters.get("required", [])
        assert isinstance(properties, dict)
        assert isinstance(required, list)
        return f"{self.name}({', '.join(p if p in required else p + '?' for p in properties)})"


class Action(Value):
    """One call of a verb."""

    verb: str
    arguments: Mapping[str, JsonValue] = Field(default_factory=dict)

    def __str__(self) -> str:
        """The canonical form: equal actions print alike."""
        return f"{self.verb}({', '.join(f'{k}={json.dumps(v)}' for k, v in sorted(self.arguments.items()))})"


class Element(Value):
    """Something on a page or in a scene that an action can name.

    `ref` holds only within one episode; role, name, value and states are what a person sees. `near` is the closest
    visible text of an element that has no name of its own; `within` names the group, row or dialog around it. `box` is
    x, y, width, height in pixels of the page's view.
    """

    ref: str
    role: str
    name: str = ""
    value: str | None = None
    states: tuple[str, ...] = ()
    near: str = ""
    within: str = ""
    box: tuple[float, float, float, float] | None = None


class Observation(Value):
    """What the policy gets to see. `text` is bounded; `cut` counts the characters left out of it."""

    goal: str
    text: str
    url: str = ""
    elements: tuple[Element, ...] = ()
    cut: int = 0

    def element(self, ref: JsonValue) -> Element | None:
        """Return the element with that ref, or None."""
        return next((e for e in self.elements if e.ref == ref), None)


class Outcome(Value):
    """What one action led to.

    `error` is the policy's own fault in words (the action did not happen); `reward` is in [0, 1] and None until the
    environment knows. `terminated`: the task itself ended; `truncated`: a cap on steps or time ended it.
    """

    observation: Observation
    error: str | None = None
    reward: Annotated[float, Field(ge=0, le=1)] | None = None
    terminated: bool = False
    truncated: bool = False


# ── Plans and routes ─────────────────────────────────────────────────────────────────────────────────────────────────


class Subgoal(Value):
    """One part of a plan; `wanted` describes a skill that the library lacks."""

    text: str
    done_when: str = ""
    wanted: str | None = None


class Plan(Value):
    """One to seven subgoals, in order. `covered` is true when one skill covers the goal and no model was asked."""

    goal: str
    subgoals: Annotated[tuple[Subgoal, ...], Field(min_length=1, max_length=7)]
    covered: bool = False


class Ranked(Value):
    """One candidate of a route, by id, with its score and the parts that the score was made of."""

    id: str
    score: float
    parts: Mapping[str, float] = Field(default_factory=dict)
    version: int | None = None


class Route(Value):
    """What the library offers for each subgoal, best first; ids only. Empty `skills` for a subgoal is an abstention.

    `skills`, `insights` and `demonstrations` hold one tuple per subgoal. `considered` holds the best candidates of
    each subgoal before the threshold was applied, so that "why not?" can be answered.
    """

    skills: tuple[tuple[Ranked, ...], ...]
    insights: tuple[tuple[Ranked, ...], ...]
    demonstrations: tuple[tuple[Ranked, ...], ...]
    considered: tuple[tuple[Ranked, ...], ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Everything that was chosen, each once: two routes with equal ids show the policy the same library."""
        chosen = [r.id for kind in (self.skills, self.insights, self.demonstrations) for part in kind for r in part]
        return tuple(dict.fromkeys(chosen))


# ── What happened ────────────────────────────────────────────────────────────────────────────────────────────────────


class Usage(Value):
    """What was spent on models. `tokens_cached` of `tokens_in` were read from a cache instead of computed."""

    calls: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Return the sum, field by field."""
        return Usage(**{k: v + getattr(other, k) for k, v in self.model_dump().items()})

    def __sub__(self, other: Usage) -> Usage:
        """Return the difference, field by field: what was spent since `other` was read."""
        return Usage(**{k: v - getattr(other, k) for k, v in self.model_dump().items()})


class Step(Value):
    """One turn: what was seen, what was done, what it led to. `by` says who chose the action."""

    observation: Observation
    action: Action
    thought: str = ""
    error: str | None = None
    reward: float | None = None
    by: Literal["model", "program", "person", "oracle"] = "model"

    @property
    def target(self) -> Element | None:
        """The element that the action named, as it was when the action was chosen."""
        return self.observation.element(self.action.arguments.get("ref"))


class Seconds(Value):
    """Where an episode's time went."""

    model: float = 0.0
    environment: float = 0.0
    total: float = 0.0


class Trajectory(Value):
    """One episode. `void` says in words why it must not be scored; then nothing else of it counts."""

    task: Task
    goal: str
    steps: tuple[Step, ...] = ()
    final: Observation | None = None
    reward: float | None = None
    terminated: bool = False
    truncated: bool = False
    void: str | None = None
    answer: str | None = None
    usage: Usage = Usage()
    seconds: Seconds = Seconds()

    @property
    def model_free_steps(self) -> int:
        """Steps that a program chose."""
        return sum(step.by == "program" for step in self.steps)


class Verdict(Value):
    """How well it went. `score` is in [0, 1], or None: unscored."""

    score: Annotated[float, Field(ge=0, le=1)] | None
    by: Literal["environment", "state", "model", "person", "nobody"]
    reason: str = ""

    @property
    def success(self) -> bool | None:
        """True at a full score; None when unscored."""
        return None if self.score is None else self.score >= 1.0


class Attempt(Value):
    """One task tried once with one library."""

    plan: Plan | None
    route: Route | None
    trajectory: Trajectory
    verdict: Verdict
    library: str

    @property
    def id(self) -> str:
        """A name for this attempt that events and evidence can cite."""
        return f"{self.trajectory.task.id}@{self.trajectory.task.seed}#{self.digest[:8]}"


class Score(Value):
    """What a replay measures: the one number that counts, and what it cost."""

    value: Annotated[float, Field(ge=0, le=1)]
    tokens: int = 0
    seconds: float = 0.0
    steps: int = 0

    @property
    def success(self) -> bool:
        """True at a full score."""
        return self.value >= 1.0


# ── What the library holds ───────────────────────────────────────────────────────────────────────────────────────────


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


class Condition(Value):
    """When an insight holds, and when it does not."""

    applies: str
    does_not_apply: str = ""


class Insight(Value):
    """A piece of knowledge with its condition. `taxonomy` is domain/level-1/level-2; `evidence` cites attempts."""

    id: str
    taxonomy: str
    kind: Literal["causal", "state-change", "subgoal", "construal", "pitfall"]
    condition: Condition
    explanation: str
    example: str = ""
    evidence: tuple[str, ...] = ()
    origin: str = ""


class KeyStep(Value):
    """One step of a demonstration: what was seen (shortened), what was done, and what it led to."""

    observation: str
    action: str
    plan: str = ""
    next: str = ""


class Demonstration(Value):
    """A trajectory cut to its key steps. `source` says who acted."""

    id: str
    domain: str
    goal: str
    steps: tuple[KeyStep, ...]
    source: Literal["self", "person", "oracle", "synthetic"] = "self"
    evidence: tuple[str, ...] = ()


# ── Learning ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Cause(StrEnum):
    """Why an attempt went as it did. Only the first two teach."""

    KNOWLEDGE = "missing knowledge"
    SKILL = "skill defect"
    LAPSE = "lapse"
    INFRASTRUCTURE = "infrastructure"
    JUDGE = "judge error"

    @property
    def teaches(self) -> bool:
        """True when something can be written that would have helped."""
        return self in (Cause.KNOWLEDGE, Cause.SKILL)


class Lesson(Value):
    """What one or more attempts at a task taught, and which attempts show it.

    `success` is an attempt that solved the task, `failures` those that did not; the exact parts of whatever is written
    come from them. `skill` names the skill to blame when the cause is a skill defect.
    """

    cause: Cause
    summary: str
    success: Attempt | None = None
    failures: tuple[Attempt, ...] = ()
    skill: str | None = None


class PutSkill(Value):
    """Create a skill (`base` None) or revise the version `base` of it."""

    kind: Literal["put-skill"] = "put-skill"
    skill: Skill
    base: int | None = None


class RetireSkill(Value):
    """Take a skill out of the library."""

    kind: Literal["retire-skill"] = "retire-skill"
    name: str
    base: int


class PutInsight(Value):
    """Add an insight, or replace the one whose digest is `base`."""

    kind: Literal["put-insight"] = "put-insight"
    insight: Insight
    base: str | None = None


class RetireInsight(Value):
    """Take an insight out of the library."""

    kind: Literal["retire-insight"] = "retire-insight"
    id: str


class PutDemonstration(Value):
    """Add a demonstration, or replace the one with its id."""

    kind: Literal["put-demonstration"] = "put-demonstration"
    demonstration: Demonstration


class RetireDemonstration(Value):
    """Take a demonstration out of the library."""

    kind: Literal["retire-demonstration"] = "retire-demonstration"
    id: str


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
    def identity(self) -> str:
        """The digest of what would change, whoever proposes it and why: refusals are remembered by it."""
        return digest_of([change.model_dump(mode="json") for change in self.changes])


class Pair(Value):
    """One task and seed with and without the edit. A side is None when it could not be scored."""

    task: Task
    before: Score | None
    after: Score | None

    @property
    def outcome(self) -> Literal["win", "loss", "tie", "dropped"]:
        """Compare the two sides; an unscored side drops the pair."""
        if self.before is None or self.after is None:
            return "dropped"
        if self.after.value == self.before.value:
            return "tie"
        return "win" if self.after.value > self.before.value else "loss"


class Decision(Value):
    """What the gate said to an edit, and the pairs that it said it for."""

    edit: Edit
    accepted: bool
    reason: str
    pairs: tuple[Pair, ...] = ()
    rehearsed: tuple[Pair, ...] = ()
    p_value: float | None = None
    usage: Usage = Usage()

    def count(self, outcome: str) -> int:
        """Return how many pairs, gate and rehearsal together, came out so: win, loss, tie or dropped."""
        return sum(pair.outcome == outcome for pair in (*self.pairs, *self.rehearsed))


# ── The ledger ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Decided(Value):
    """The gate decided; `replaced` holds what accepted changes replaced, so that any version can be restored."""

    kind: Literal["decided"] = "decided"
    decision: Decision
    replaced: tuple[Change, ...] = ()


class RolledBack(Value):
    """A person put an earlier state of one item back."""

    kind: Literal["rolled-back"] = "rolled-back"
    changes: tuple[Change, ...]
    replaced: tuple[Change, ...] = ()
    why: str = ""


class Attempted(Value):
    """An episode ended; what was shown and how it went."""

    kind: Literal["attempted"] = "attempted"
    attempt: str
    task: Task
    goal: str
    shown: tuple[str, ...] = ()
    score: float | None = None
    judged_by: str = "nobody"
    void: str | None = None
    steps: int = 0
    usage: Usage = Usage()


class Remarked(Value):
    """A person said how an attempt went, in their own words."""

    kind: Literal["remarked"] = "remarked"
    attempt: str
    good: bool
    words: str = ""


Entry = Annotated[Decided | RolledBack | Attempted | Remarked, Field(discriminator="kind")]


class Event(Value):
    """One line of the ledger. `library` is the digest after the event; `at` is UTC, ISO 8601."""

    v: Literal[1] = 1
    seq: Annotated[int, Field(ge=0)]
    at: str
    library: str
    entry: Entry


# ── Models ───────────────────────────────────────────────────────────────────────────────────────────────────────────


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


class Reply(Value):
    """A model's answer: `data` is the parsed object when a schema was asked for."""

    text: str
    data: Json | None = None
    usage: Usage = Usage(calls=1)


class Role(StrEnum):
    """Who asks the model: the meter and the budgets count by it."""

    ACTOR = "actor"
    PLANNER = "planner"
    JUDGE = "judge"
    REFLECTOR = "reflector"
