"""Act: run the programs of the routed skills, and ask the model for one typed action at a time where they do not reach.

What the policy does wrong (an action that cannot be done, a reply out of form) is a step with an error, which the model
reads next. A conversation too long for the model ends the episode with such a step: the task is then failed, not void.
What the world does wrong is raised and makes the episode void; this module catches nothing of that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from skillagent.acting.policy import NEXT, Aids, Policy, done
from skillagent.acting.program import Pilot
from skillagent.acting.replan import Failed
from skillagent.library import Library
from skillagent.ports import LLM, Environment, begins_anew, holds
from skillagent.schema import (
    Action,
    Observation,
    Outcome,
    Plan,
    Replanned,
    Route,
    Step,
    Task,
    Trajectory,
    Value,
    Variation,
)

_REPLANS = 2  # times in an episode that a program takes over from another, and that what is left is planned again

Replan = Callable[[Failed, Observation, Library], Replanned | None]


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
    replanning: bool = True,
    replan: Replan | None = None,
    aids: Aids | None = None,
    watch: Callable[[Value], None] = lambda _: None,
) -> Trajectory:
    """Carry out the plan from the first observation on, and return what happened.

    Args:
        environment: Reset to `first`.
        llm: Chooses the actions that no program chooses.
        variation: At temperature 0 a try repeats; above, the task's seed and the turn decide the sample, and no program
            runs: a warmer try is there to find what the agent does not know.
        room: Characters of conversation, fewer where the model can read no more.
        programs: Run the programs of the routed skills.
        filling: Ask the model for a program's values where the goal matches none of its patterns.
        replanning: Where nothing lasts, another program that knows a subgoal takes over from one that does not do it;
            where there is none, what is left is planned again.
        replan: Plans what is left; None: nobody does.
        aids: What helps the model beside the route.
        watch: Is shown each step as it ends.

    Raises:
        WorldFault: The environment or the model failed; the episode is void.
        BudgetSpent: Between two steps.
    """
    pilot = None
    if programs and not variation.temperature:
        again = (lambda failed, now: replan(failed, now, library)) if replan and not variation.alone else None
        asks = llm if filling and not variation.alone else None
        pilot = _pilot(environment, plan, route, library, asks, variation, replanning=replanning, again=again)
    policy = Policy.begun(
        environment,
        plan,
        route,
        library,
        llm=llm,
        variation=variation,
        room=room,
        seed=task.seed,
        aids=aids or Aids(),
        chains=pilot is not None and pilot.chains,
    )
    outcome, steps, deadline = Outcome(observation=first), list[Step](), time.monotonic() + task.timeout_s
    turns = task.max_turns or task.max_steps
    while len(steps) < task.max_steps and time.monotonic() < deadline:
        now = outcome.observation
        move = _again(variation.begin, steps, now) or (pilot.next(outcome) if pilot else None)
        if pilot and pilot.plan is not policy.plan:
            policy = policy.following(pilot.replanned[-1], chains=pilot.chains)
            watch(pilot.replanned[-1])
        if isinstance(move, Action):
            outcome = done(environment, move)
            steps.append(policy.noted(steps, now, move, outcome, by="program" if pilot else "model"))
        elif variation.alone or not turns:
            break
        else:
            if not any(step.by == "model" for step in steps):
                policy = policy.prepared(now)
            chosen = policy.without(pilot.unfit if pilot else (), part=pilot.waiting if pilot else None)
            step, outcome = chosen.turn(environment, steps, now, move)
            steps.append(step)
            if pilot and step.action.verb == NEXT.name and step.error is None:
                pilot.go_on()
        turns -= steps[-1].by != "program"
        watch(steps[-1])
        if outcome.terminated or outcome.truncated:
            break
    return _happened(task, first.goal, steps, outcome, pilot)


def _pilot(
    environment: Environment,
    plan: Plan,
    route: Route,
    library: Library,
    asks: LLM | None,
    variation: Variation,
    *,
    replanning: bool,
    again: Callable[[Failed, Observation], Replanned | None] | None,
) -> Pilot:
    """Return what runs the programs of the routed skills."""
    lasts = not begins_anew(environment)  # there what was done once may not be done twice
    return Pilot(
        plan,
        route,
        library,
        environment.verbs,
        asks,
        replans=_REPLANS if replanning and not lasts else 0,
        helped=not variation.alone,
        holds=partial(holds, environment),
        again=again,
    )


def _happened(task: Task, goal: str, steps: Sequence[Step], outcome: Outcome, pilot: Pilot | None) -> Trajectory:
    """Return what was done, how it ended, and what programs did of it."""
    answers = [step.action.arguments.get("text") for step in steps if step.action.verb == "answer"]
    return Trajectory(
        task=task,
        goal=goal,
        steps=tuple(steps),
        final=outcome.observation,
        reward=outcome.reward,
        terminated=outcome.terminated,
        truncated=not outcome.terminated,
        answer=str(answers[-1]) if answers else None,
        truth=outcome.truth,
        programs=pilot.ran if pilot else (),
        runs=tuple(pilot.runs) if pilot else (),
        guessed=tuple(pilot.guessed) if pilot else (),
        unfit=pilot.unfit if pilot else (),
        surprise=pilot.surprise if pilot else "",
        replanned=tuple(pilot.replanned) if pilot else (),
    )


def _again(begin: Sequence[Step], steps: Sequence[Step], now: Observation) -> Action | None:
    """Return what an earlier try did next, where all before it was done again and looks the same."""
    at = len(steps)
    same = at < len(begin) and all(one.action == two.action for one, two in zip(begin, steps, strict=False))
    return begin[at].action if same and begin[at].observation.text == now.text else None
