"""Plans, routes, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from skillagent.schema.model import Usage
from skillagent.schema.task import Task
from skillagent.schema.value import Value, digest_of
from skillagent.schema.world import Action, Element, Observation


class Subgoal(Value):
    """One part of a plan; `wanted` describes a skill that the library lacks."""

    text: str
    done_when: str = ""
    wanted: str | None = None


class Plan(Value):
    """One to seven subgoals, in order; not given, the goal itself. `covered`: one skill covers it, no model was asked.

    `domain` is the environment that the goal is for, empty: any; `named` the skill that the user asked for, if any.
    """

    goal: str
    subgoals: Annotated[tuple[Subgoal, ...], Field(min_length=1, max_length=7)] = Field(
        default_factory=lambda given: (Subgoal(text=given["goal"]),)
    )
    covered: bool = False
    domain: str = ""
    named: str = ""

    @property
    def divided(self) -> bool:
        """True when the goal was divided, or told otherwise."""
        return any(part.text != self.goal for part in self.subgoals)


class Ranked(Value):
    """One candidate of a route, by id, with its score and the parts that the score was made of.

    A `pinned` one is shown for its words, whatever the goal; its program does not run. `says` is that of a skill.
    """

    id: str
    score: float
    pinned: bool = False
    parts: Mapping[str, float] = Field(default_factory=dict)
    version: int | None = None
    says: str = ""


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


class Step(Value):
    """One turn: what was seen, what was done, what it led to. `by` says who chose the action.

    `examples` are the items of the library that were shown at this step alone, and `recalled` is what the agent was
    told when it asked its memory: such a step does nothing. `note` is what the world told of what was done.
    """

    observation: Observation
    action: Action
    thought: str = ""
    error: str | None = None
    reward: float | None = None
    by: Literal["model", "program", "person", "oracle", "chance", "mended"] = "model"
    examples: tuple[str, ...] = ()
    recalled: str = ""
    note: str = ""

    @property
    def target(self) -> Element | None:
        """The element that the action named, as it was when the action was chosen."""
        return self.observation.element(self.action.arguments.get("ref"))


class Variation(Value):
    """How a try departs from the agent's plain way, so that practice finds what it would not do by itself.

    `begin` holds steps of an earlier try at the same task, which are done again first, as long as the same is seen.
    `avoid` holds earlier steps that must not be taken again from the same state. With `focus`, an action may only name
    elements that the goal names, where there are any. `alone`: only programs act, and the episode ends where the model
    would be asked.
    """

    temperature: Annotated[float, Field(ge=0)] = 0.0
    begin: tuple[Step, ...] = ()
    avoid: tuple[Step, ...] = ()
    focus: bool = False
    alone: bool = False


class Seconds(Value):
    """Where an episode's time went."""

    model: float = 0.0
    environment: float = 0.0
    total: float = 0.0


class Ran(Value):
    """A program that was to run: whose it is, the digest of its file, what it was to do, and what came of it.

    Not `fit`: it did not find what it begins with. `helped`: the model had to take part.
    """

    skill: str
    program: str
    goal: str
    fit: bool = True
    helped: bool = False


class Replanned(Value):
    """A plan that was made again for what was left, with the skills for its parts, and why: what had failed."""

    why: str
    plan: Plan
    route: Route


class Trajectory(Value):
    """One episode. `void` says in words why it must not be scored; then nothing else of it counts.

    `programs` are the skills whose programs ran, `runs` what is known of each run, `guessed` those of them for which
    the model found the values, `unfit` those whose programs did not find what they begin with, and `surprise` is why
    the model went on after the last of them. `replanned` are the plans that were made again, in order. `truth` is what
    would have been right, where the environment says so. `asked` is the goal that was set, where `goal` is another that
    was reached.
    """

    task: Task
    goal: str
    steps: tuple[Step, ...] = ()
    final: Observation | None = None
    reward: float | None = None
    terminated: bool = False
    truncated: bool = False
    void: str | None = None
    answer: str | None = None
    programs: tuple[str, ...] = ()
    runs: tuple[Ran, ...] = ()
    guessed: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    surprise: str = ""
    replanned: tuple[Replanned, ...] = ()
    truth: str = ""
    asked: str = ""
    usage: Usage = Usage()
    seconds: Seconds = Seconds()

    @property
    def model_free_steps(self) -> int:
        """Steps that a program chose."""
        return sum(step.by == "program" for step in self.steps)

    @property
    def examples(self) -> tuple[str, ...]:
        """The items of the library that were shown at some step alone, each once."""
        return tuple(dict.fromkeys(key for step in self.steps for key in step.examples))

    @property
    def shown(self) -> bool:
        """True when someone else acted: a person, an oracle."""
        return self.shown_by is not None

    @property
    def shown_by(self) -> Literal["person", "oracle"] | None:
        """Who else acted, if anybody did; a person before an oracle."""
        acted = {step.by for step in self.steps}
        return "person" if "person" in acted else "oracle" if "oracle" in acted else None

    @property
    def lucky(self) -> bool:
        """True when chance acted."""
        return any(step.by == "chance" for step in self.steps)

    @property
    def mended(self) -> bool:
        """True when the model corrected what it had failed at, from the start."""
        return any(step.by == "mended" for step in self.steps)


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
        """A name that events and evidence can cite: what was tried, with which library, and what was done.

        Not how it was judged, and not how long it took: a person's verdict or a slower machine makes no other attempt.
        """
        done = digest_of([self.library, *(str(step.action) for step in self.trajectory.steps)])
        return f"{self.trajectory.task.id}@{self.trajectory.task.seed}#{done[:8]}"

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plan, and those that were made again."""
        return (*((self.plan,) if self.plan else ()), *(one.plan for one in self.trajectory.replanned))

    @property
    def routes(self) -> tuple[tuple[Plan, Route], ...]:
        """The plan and those that were made again, each with what was chosen for it."""
        first = ((self.plan, self.route),) if self.plan and self.route else ()
        return (*first, *((one.plan, one.route) for one in self.trajectory.replanned))

    @property
    def chosen(self) -> tuple[str, ...]:
        """What was chosen of the library for any of the plans, each once."""
        return tuple(dict.fromkeys(key for _, route in self.routes for key in route.ids))


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


class Wandered(Value):
    """What came of trying one instance by chance.

    `tries` counts how often it was played, also to leave out steps; `steps` are what is left of a success, if any.
    """

    task: Task
    tries: int
    steps: int | None
    seconds: float


class Mended(Value):
    """What came of correcting a failed try at one instance: `steps` are those of a success, after so many rounds.

    In `refused` of them what the model proposed was found to be wrong before it was done.
    """

    task: Task
    rounds: int
    steps: int | None
    refused: int = 0
