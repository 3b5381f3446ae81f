"""Act: ask the model for one typed action at a time until the task ends.

What the policy does wrong (an action that cannot be done, a reply out of form) is a step with an error, which the model
reads next. A conversation too long for the model ends the episode with such a step: the task is then failed, not void.
What the world does wrong is raised and makes the episode void; this module catches nothing of that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from skillagent.acting.history import advice, conversation, opening
from skillagent.acting.reply import reply_schema
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.ports import LLM, Environment
from skillagent.replies import as_action
from skillagent.schema import (
    Action,
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
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NO_ACTION = Action(verb="none")


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
    watch: Callable[[Value], None] = lambda _: None,
) -> Trajectory:
    """Carry out the plan from the first observation on, and return what happened.

    Args:
        environment: Reset to `first`.
        llm: Chooses the actions.
        variation: At temperature 0 a try repeats; above, the task's seed and the turn decide the sample.
        room: Characters of conversation that the model can read.
        watch: Is shown each step as it ends.

    Raises:
        WorldFault: The environment or the model failed; the episode is void.
        BudgetSpent: Between two steps.
    """
    opened = opening(environment.verbs, route, library, room=room)
    known = advice(route, library)
    outcome, steps, deadline = Outcome(observation=first), list[Step](), time.monotonic() + task.timeout_s
    while len(steps) < task.max_steps and time.monotonic() < deadline:
        now = outcome.observation
        useless = [*barred(steps, now), *barred(variation.avoid, now)]
        if variation.focus:
            useless += [step.action for step in steps]  # each thing that the goal names once
        try:
            reply = llm.reply(
                conversation(opened, plan, steps, now, room=room, advice=known),
                role=Role.ACTOR,
                schema=reply_schema(environment.verbs, now, useless, focus=variation.focus),
                temperature=variation.temperature,
                seed=task.seed + len(steps) + round(1000 * variation.temperature),
                max_tokens=200,
            )
        except PromptTooLong as fault:
            action, outcome = NO_ACTION, _wasted(environment, str(fault)).model_copy(update={"truncated": True})
        else:
            if reply.data is None:
                action, outcome = NO_ACTION, _wasted(environment, f"not an action: {reply.text[:80]!r}")
            else:
                action = as_action(reply.data, now)
                outcome = environment.step(action)
        steps.append(Step(observation=now, action=action, error=outcome.error, reward=outcome.reward))
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
    )


def _wasted(environment: Environment, error: str) -> Outcome:
    """Return what a turn without an action led to: the environment refuses it, and it costs a step there too."""
    return environment.step(NO_ACTION).model_copy(update={"error": error})


def barred(steps: Sequence[Step], now: Observation) -> list[Action]:
    """Return the actions already taken from a state that looks like this one: they led nowhere but back to it."""
    return [step.action for step in steps if step.observation.text == now.text]
