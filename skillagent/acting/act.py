"""Act: run the programs of the routed skills, and ask the model for one typed action at a time where they do not reach.

What the policy does wrong (an action that cannot be done, a reply out of form) is a step with an error, which the model
reads next. A conversation too long for the model ends the episode with such a step: the task is then failed, not void.
What the world does wrong is raised and makes the episode void; this module catches nothing of that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from skillagent.acting.history import advice, conversation, opening
from skillagent.acting.program import Pilot
from skillagent.acting.reply import reply_schema
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.ports import LLM, Environment
from skillagent.programs.perform import Wanted
from skillagent.replies import as_action
from skillagent.schema import (
    Action,
    Message,
    Observation,
    Outcome,
    Plan,
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
        watch: Is shown each step as it ends.

    Raises:
        WorldFault: The environment or the model failed; the episode is void.
        BudgetSpent: Between two steps.
    """
    asks = llm if filling and not variation.alone else None
    pilot = Pilot(plan, route, library, environment.verbs, asks) if programs and not variation.temperature else None
    policy = _Policy(environment.verbs, plan, route, library, llm, variation, room, seed=task.seed)
    outcome, steps, deadline = Outcome(observation=first), list[Step](), time.monotonic() + task.timeout_s
    while len(steps) < task.max_steps and time.monotonic() < deadline:
        now = outcome.observation
        move = _again(variation.begin, steps, now) or (pilot.next(outcome) if pilot else None)
        if isinstance(move, Action):
            action, outcome = move, environment.step(move)
        elif variation.alone:
            break
        else:
            action, outcome = policy.without(pilot.unfit if pilot else ()).step(environment, steps, now, move)
        by = "program" if isinstance(move, Action) and pilot else "model"
        steps.append(Step(observation=now, action=action, error=outcome.error, reward=outcome.reward, by=by))
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
        self, environment: Environment, steps: Sequence[Step], now: Observation, wanted: Wanted | None
    ) -> tuple[Action, Outcome]:
        """Ask for an action, or for what a program left open, and do it."""
        verbs, shown, settled = (self.verbs, now, {}) if wanted is None else _open(wanted, self.verbs, now)
        useless = [*barred(steps, now), *barred(self.variation.avoid, now)]
        if self.variation.focus:
            useless += [step.action for step in steps]  # each thing that the goal names once
        schema = reply_schema(verbs, shown, useless, focus=self.variation.focus)
        if wanted is not None and not schema["anyOf"]:  # no model can answer where nothing may be said
            return NO_ACTION, _wasted(environment, f"nothing is left here to {wanted.verb} that was not tried")
        try:
            reply = self.llm.reply(
                self._conversation(steps, now, wanted),
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
        return action, environment.step(action)

    def _conversation(self, steps: Sequence[Step], now: Observation, wanted: Wanted | None) -> list[Message]:
        opened = opening(self.verbs, self.route, self.library, room=self.room)
        known = advice(self.route, self.library)
        messages = conversation(opened, self.plan, steps, now, room=self.room, advice=known)
        if wanted is None or not wanted.about:
            return messages
        last = messages[-1]
        return [*messages[:-1], last.model_copy(update={"content": f"{last.content}\nNow only: {wanted.about}"})]


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


def _wasted(environment: Environment, error: str) -> Outcome:
    """Return what a turn without an action led to: the environment refuses it, and it costs a step there too."""
    return environment.step(NO_ACTION).model_copy(update={"error": error})


def barred(steps: Sequence[Step], now: Observation) -> list[Action]:
    """Return the actions already taken from a state that looks like this one: they led nowhere but back to it."""
    return [step.action for step in steps if step.observation.text == now.text]
