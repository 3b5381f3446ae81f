"""Act: run the programs of the routed skills, and ask the model for one typed action at a time where they do not reach.

What the policy does wrong (an action that cannot be done, a reply out of form) is a step with an error, which the model
reads next. A conversation too long for the model ends the episode with such a step: the task is then failed, not void.
What the world does wrong is raised and makes the episode void; this module catches nothing of that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from pydantic import Field, JsonValue

from skillagent.acting.history import advice, conversation, like_moments, opening
from skillagent.acting.invent import SELF_MADE, invented
from skillagent.acting.program import Pilot
from skillagent.acting.reply import reply_schema
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.ports import LLM, Environment
from skillagent.programs.perform import Wanted
from skillagent.replies import as_action, as_reply
from skillagent.schema import (
    Action,
    Message,
    Moment,
    Observation,
    Outcome,
    Plan,
    Recalled,
    Role,
    Route,
    Step,
    Task,
    Trajectory,
    Value,
    Variation,
    Verb,
)

NO_ACTION = Action(verb="none")
_REPLY_TOKENS = 400


class Memory(Value):
    """What the model may do itself to know more.

    With `recall` it may ask the library in the middle of an episode; where the route has no skill and no example, it
    makes up `invent` examples for itself.
    """

    recall: bool = False
    invent: int = Field(default=0, ge=0)


Likes = Callable[[str, str, str, Library], Sequence[Moment]]
Recall = Callable[[str, Library], Recalled]

RECALL = Verb(
    name="recall",
    doc="Ask your memory of earlier tasks; changes nothing on the page.",
    parameters={
        "type": "object",
        "properties": {"question": {"type": "string", "maxLength": 120}},
        "required": ["question"],
        "additionalProperties": False,
    },
)


def act(
    environment: Environment,
    task: Task,
    first: Observation,
    plan: Plan,
    route: Route,
    library: Library,
    *,
    llm: LLM,
    variation: Variation,
    room: int = 11_000,
    programs: bool = True,
    filling: bool = True,
    likes: Likes | None = None,
    recall: Recall | None = None,
    invent: int = 0,
    watch: Callable[[Value], None] = lambda _: None,
) -> Trajectory:
    """Carry out the plan from the first observation on, and return what happened.

    Args:
        environment: Reset to `first`.
        llm: Chooses the actions that no program chooses.
        variation: At temperature 0 a try repeats; above, the task's seed and the turn decide the sample, and no program
            runs: a warmer try is there to find what the agent does not know.
        room: Characters of conversation that the model can read.
        programs: Run the programs of the routed skills.
        filling: Ask the model for a program's values where the goal matches none of its patterns.
        likes: The moments of demonstrations that are like a goal, a state and the reply before it; shown at every turn.
        recall: Answers a question out of the library; with it, the model may ask, and each question is a turn.
        invent: So many examples the model makes up for itself where the route has no skill and no example for it.
        watch: Is shown each step as it ends.

    Raises:
        WorldFault: The environment or the model failed; the episode is void.
        BudgetSpent: Between two steps.
    """
    asks = llm if filling and not variation.alone else None
    pilot = Pilot(plan, route, library, environment.verbs, asks) if programs and not variation.temperature else None
    verbs = (*environment.verbs, RECALL) if recall and len(library) else environment.verbs
    policy = _Policy(verbs, plan, route, library, llm, variation, room, seed=task.seed, recall=recall)
    outcome, steps, deadline = Outcome(observation=first), list[Step](), time.monotonic() + task.timeout_s
    while len(steps) < task.max_steps and time.monotonic() < deadline:
        now = outcome.observation
        move = _again(variation.begin, steps, now) or (pilot.next(outcome) if pilot else None)
        moments: Sequence[Moment] = ()
        if isinstance(move, Action):
            action, outcome = move, _done(environment, move)
        elif variation.alone:
            break
        else:
            before = as_reply(steps[-1].action, steps[-1].observation) if steps else ""
            moments = likes(first.goal, now.text, before, library) if likes else ()
            begins = not any(step.by == "model" for step in steps)
            if invent and begins and not (moments or any(route.skills) or any(route.demonstrations)):
                policy = replace(policy, made=invented(first.goal, verbs, llm, count=invent))
            chosen = policy.without(pilot.unfit if pilot else ())
            action, outcome = chosen.step(environment, steps, now, move, moments)
        by, remembered = "program" if isinstance(move, Action) and pilot else "model", policy.recalled(action)
        steps.append(
            Step(
                observation=now,
                action=action,
                error=outcome.error,
                reward=outcome.reward,
                by=by,
                examples=(*(one.of for one in moments), *([SELF_MADE] if policy.made else []), *remembered.of),
                recalled=remembered.text,
            )
        )
        watch(steps[-1])
        if outcome.terminated or outcome.truncated:
            break
    answers = [step.action.arguments.get("text") for step in steps if step.action.verb == "answer"]
    return Trajectory(
        task=task,
        goal=first.goal,
        steps=tuple(steps),
        final=outcome.observation,
        reward=outcome.reward,
        terminated=outcome.terminated,
        truncated=not outcome.terminated,
        answer=str(answers[-1]) if answers else None,
        truth=outcome.truth,
        programs=tuple(pilot.ran) if pilot else (),
        guessed=tuple(pilot.guessed) if pilot else (),
        unfit=tuple(pilot.unfit) if pilot else (),
        surprise=pilot.surprise if pilot else "",
    )


def _again(begin: Sequence[Step], steps: Sequence[Step], now: Observation) -> Action | None:
    """Return what an earlier try did next, where all before it was done again and looks the same."""
    at = len(steps)
    same = at < len(begin) and all(one.action == two.action for one, two in zip(begin, steps, strict=False))
    return begin[at].action if same and begin[at].observation.text == now.text else None


@dataclass(frozen=True)
class _Policy:
    """The model as the one who chooses."""

    verbs: Sequence[Verb]
    plan: Plan
    route: Route
    library: Library
    llm: LLM
    variation: Variation
    room: int
    seed: int
    recall: Recall | None = None
    made: str = ""

    def recalled(self, action: Action) -> Recalled:
        """Return what the library answers to an action that asks it; nothing for any other."""
        if self.recall is None or action.verb != RECALL.name:
            return Recalled()
        found = self.recall(str(action.arguments.get("question", "")), self.library)
        return found if found.text else Recalled(text="nothing about that")

    def without(self, skills: Collection[str]) -> _Policy:
        """Return the same with the words of one skill a subgoal, the first that is not one of these.

        Where they were all, the example goes too: it is not for this page either.
        """
        left = tuple(tuple(one for one in part if one.id not in skills)[:1] for part in self.route.skills)
        examples = tuple(
            shown if own or not part else ()
            for shown, own, part in zip(self.route.demonstrations, left, self.route.skills, strict=True)
        )
        return replace(self, route=self.route.model_copy(update={"skills": left, "demonstrations": examples}))

    def step(
        self,
        environment: Environment,
        steps: Sequence[Step],
        now: Observation,
        wanted: Wanted | None,
        moments: Sequence[Moment] = (),
    ) -> tuple[Action, Outcome]:
        """Ask for an action, or for what a program left open, and do it."""
        asked = any(one.recalled and one.observation.text == now.text for one in steps)
        free = [verb for verb in self.verbs if not (asked and verb == RECALL)]  # once in each state is enough
        verbs, shown, settled = (free, now, {}) if wanted is None else _open(wanted, free, now)
        useless = [*barred(steps, now), *barred(self.variation.avoid, now)]
        if self.variation.focus:
            useless += [step.action for step in steps]  # each thing that the goal names once
        schema = reply_schema(verbs, shown, useless, focus=self.variation.focus)
        if wanted is not None and not schema["anyOf"]:  # no model can answer where nothing may be said
            return NO_ACTION, _wasted(environment, f"nothing is left here to {wanted.verb} that was not tried")
        try:
            reply = self.llm.reply(
                self._conversation(steps, now, wanted, moments),
                role=Role.ACTOR,
                schema=schema,
                temperature=self.variation.temperature,
                seed=self.seed + len(steps) + round(1000 * self.variation.temperature),
                max_tokens=_REPLY_TOKENS,
            )
        except PromptTooLong as fault:
            return NO_ACTION, _wasted(environment, str(fault)).model_copy(update={"truncated": True})
        if reply.data is None:
            return NO_ACTION, _wasted(environment, f"not an action: {reply.text[:80]!r}")
        action = as_action(reply.data, now)
        action = action.model_copy(update={"arguments": {**action.arguments, **settled}})
        return action, _done(environment, action)

    def _conversation(
        self, steps: Sequence[Step], now: Observation, wanted: Wanted | None, moments: Sequence[Moment]
    ) -> list[Message]:
        opened = opening(self.verbs, self.route, self.library, room=self.room)
        if self.made:
            opened = [opened[0].model_copy(update={"content": f"{opened[0].content}\n\n{self.made}"}), *opened[1:]]
        known = advice(self.route, self.library)
        beside, only = like_moments(moments), f"Now only: {wanted.about}" if wanted and wanted.about else ""
        messages = conversation(opened, self.plan, steps, now, room=self.room - len(beside), advice=known)
        last = "\n".join(filter(None, [beside, messages[-1].content, only]))
        return [*messages[:-1], messages[-1].model_copy(update={"content": last})]


def _open(
    wanted: Wanted, verbs: Sequence[Verb], now: Observation
) -> tuple[list[Verb], Observation, dict[str, JsonValue]]:
    """Return the one verb without what is settled, the elements that fit, and what is settled."""
    fits = {element.ref: element for some in wanted.elements.values() for element in some}
    lone = {name: some[0].ref for name, some in wanted.elements.items() if len(some) == 1}
    settled: dict[str, JsonValue] = {**wanted.arguments, **lone}
    left = []
    for verb in verbs:
        if verb.name == wanted.verb:
            known, required = verb.parameters.get("properties", {}), verb.parameters.get("required", [])
            assert isinstance(known, dict)
            assert isinstance(required, list)
            fitting = {name: {"only": [element.ref for element in some]} for name, some in wanted.elements.items()}
            open_ = {name: schema for name, schema in known.items() if name not in settled and isinstance(schema, dict)}
            parameters = {
                **verb.parameters,
                "properties": {name: {**schema, **fitting.get(name, {})} for name, schema in open_.items()},
                "required": [name for name in required if name not in settled],
            }
            left.append(verb.model_copy(update={"parameters": parameters}))
    return left, now.model_copy(update={"elements": tuple(fits.values())}) if fits else now, settled


def _done(environment: Environment, action: Action) -> Outcome:
    """Do one thing; to ask one's memory is a turn in which nothing is done."""
    if action.verb == RECALL.name:
        return environment.step(NO_ACTION).model_copy(update={"error": None})
    return environment.step(action)


def _wasted(environment: Environment, error: str) -> Outcome:
    """Return what a turn without an action led to: the environment refuses it, and it costs a step there too."""
    return environment.step(NO_ACTION).model_copy(update={"error": error})


def barred(steps: Sequence[Step], now: Observation) -> list[Action]:
    """Return the actions already taken from a state that looks like this one: they led nowhere but back to it."""
    return [step.action for step in steps if step.observation.text == now.text]
