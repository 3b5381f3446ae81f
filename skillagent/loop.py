"""The main loop: plan → route → act → judge, then diagnose → reflect → write → gate → commit.

The stages are functions from values to values; `Agent` holds the ones in use, and `build` chooses them. There is one
back edge: `trial`, which writes nothing and records nothing. The gate is handed it, and so is the writer, for programs
alone: it never asks the model there. Evaluation uses the same `trial`.

The loop names no model, no environment and no file.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, Protocol

from skillagent.acting.play import decided
from skillagent.errors import BudgetSpent, ConfigError, InvalidSkill, NotFound, PromptTooLong, StaleEdit, WorldFault
from skillagent.goals import named
from skillagent.library import Library
from skillagent.ports import Environment, Store, begins_anew, near, reached, tells
from skillagent.practice.wander import Near, Play
from skillagent.replies import retold
from skillagent.schema import (
    Attempt,
    Attempted,
    Cause,
    Decided,
    Decision,
    Edit,
    Event,
    Label,
    Labelled,
    Lesson,
    Observation,
    Plan,
    Ranked,
    Route,
    Score,
    Seconds,
    Split,
    Task,
    Trajectory,
    Usage,
    Value,
    Variation,
    Verb,
    Verdict,
)

log = logging.getLogger("skillagent.loop")

_LOST = (WorldFault, StaleEdit, InvalidSkill, NotFound, PromptTooLong)

PLAIN = Variation()


class Trial(Protocol):
    """Tells how a task goes with a library."""

    def __call__(self, task: Task, library: Library, variation: Variation = PLAIN) -> Score | None:
        """Return None where it cannot be scored; nothing is written."""
        ...


Watch = Callable[[Value], None]
Planner = Callable[[Plan, Library, Observation | None], Plan]  # with the first state where parts can be checked
Alone = Callable[[Task, Library], Attempt]  # an attempt in which the model is never asked
Told = Literal["insights", "demonstrations"]
Showing = Callable[[Task, Sequence[str]], Attempt]  # an attempt in which just these insights are shown
Practise = Callable[[Task, Callable[[Task, Variation], Attempt]], Iterator[Attempt]]  # which tries to make, to learn
Wander = Callable[[Sequence[Attempt], Play, Near], Iterable[Attempt]]  # successes by chance, where there are too few
Mend = Callable[[Sequence[Attempt], Play, Sequence[Verb], Library], Iterable[Attempt]]  # successes made of failures
Relabel = Callable[[Sequence[Attempt], Play, Callable[[Task], str | None]], Iterable[Attempt]]  # other goals reached
Gate = Callable[[Edit, Lesson, Library, Iterable[Event], Trial], Decision]
Upkeep = Callable[[Library, Sequence[Event], Trial], Iterable[Decision]]


def unwatched(_: Value) -> None:
    """Look at nothing."""


class Act(Protocol):
    """Carries out a plan in an environment that has just been reset."""

    def __call__(
        self,
        environment: Environment,
        task: Task,
        first: Observation,
        plan: Plan,
        route: Route,
        library: Library,
        *,
        variation: Variation,
        watch: Watch,
    ) -> Trajectory:
        """Return what happened; an agent's faults are steps in it, a world's fault is raised."""
        ...


def undiagnosed(_: Attempt, __: Library, ___: Showing) -> Labelled | None:
    """Ask nothing about a failure."""
    return None


def unplanned(whole: Plan, _: Library, __: Observation | None) -> Plan:
    """Do a goal as a whole."""
    return whole


def unborrowed(_: Sequence[Attempt], __: Library, ___: Alone) -> Iterable[Attempt]:
    """Try no program of another skill."""
    return ()


@dataclass(frozen=True)
class Agent:
    """The stages in use, and the ports that they act through.

    `plan` may ask the model, `stitch` plans where it must not be asked. `open` returns a live environment for a task,
    `drop` discards it after a fault. `spent` reads the meter. `watch` is shown every value as it comes to exist.
    `upkeep` is the care that is taken of the library, kind by kind.
    """

    open: Callable[[Task], Environment]
    drop: Callable[[Task], None]
    plan: Planner
    route: Callable[[Plan, Library], Route]
    act: Act
    judge: Callable[[Trajectory], Verdict]
    practise: Practise
    reflect: Callable[[Sequence[Attempt], Library], Sequence[Lesson]]
    write: Callable[[Lesson, Library, Alone], Iterable[Edit]]
    lint: Callable[[Edit, Lesson, Library, Iterable[Event]], str | None]
    gate: Gate
    store: Store
    spent: Callable[[], Usage]
    diagnose: Callable[[Attempt, Library, Showing], Labelled | None] = undiagnosed
    stitch: Planner = unplanned
    borrow: Callable[[Sequence[Attempt], Library, Alone], Iterable[Attempt]] = unborrowed
    mend: Mend | None = None
    relabel: Relabel | None = None
    wander: Wander | None = None
    upkeep: Mapping[str, Upkeep] = field(default_factory=dict)
    watch: Watch = unwatched


def run(
    agent: Agent, tasks: Iterable[Task], *, learning: bool = True, shown: Sequence[Attempt] = ()
) -> Iterator[Attempt]:
    """Try each task; with `learning`, practise it and let the library grow after it.

    Yields every attempt as it ends. Everything that was committed stands when the caller stops early.

    Args:
        agent: Who tries.
        tasks: In this order.
        learning: Let the library grow.
        shown: What others have done on practice seeds; learnt from beside the own attempts at the same task.
    """
    for task in tasks:
        library = agent.store.load()
        if not learning:
            yield record(agent, attempt(agent, task, library))
            continue
        tried = []
        for one in agent.practise(task, partial(_try, agent, library)):
            tried.append(record(agent, one))
            yield one
        for one in agent.borrow(tried, library, _alone(agent)):
            tried.append(record(agent, one))
            yield one
        tried += [one for one in shown if one.trajectory.task.id == task.id]
        tried += mended(agent, tried, library)
        for _ in learn(agent, [*tried, *_found(agent, tried, library)], library):
            pass


def attempt(agent: Agent, task: Task, library: Library, variation: Variation = PLAIN) -> Attempt:
    """Try a task once. A world's fault makes the attempt void; nothing is written."""
    plan, route, goal = None, None, task.goal
    before, start = agent.spent(), time.monotonic()
    try:
        environment = agent.open(task)
        first = environment.reset(task)
        asked, goal = named(first.goal, library.skills)
        first = first.model_copy(update={"goal": goal})
        agent.watch(first)
        plan = Plan(goal=goal, domain=task.env, named=asked)
        if not asked and len(environment.verbs) > 1:  # what one verb does is not done in parts
            seen = first if tells(environment) else None
            plan = (agent.stitch if variation.alone else agent.plan)(plan, library, seen)
        agent.watch(plan)
        route = agent.route(plan, library)
        agent.watch(route)
        trajectory = agent.act(environment, task, first, plan, route, library, variation=variation, watch=agent.watch)
    except WorldFault as fault:
        agent.drop(task)
        trajectory = Trajectory(task=task, goal=goal, void=str(fault))
    usage, total = agent.spent() - before, time.monotonic() - start
    seconds = Seconds(model=usage.seconds, environment=max(0.0, total - usage.seconds), total=total)
    trajectory = trajectory.model_copy(update={"usage": usage, "seconds": seconds})
    verdict = agent.judge(trajectory)
    agent.watch(verdict)
    return Attempt(plan=plan, route=route, trajectory=trajectory, verdict=verdict, library=library.digest)


def trial(agent: Agent, task: Task, library: Library, variation: Variation = PLAIN) -> Score | None:
    """Return how a task goes with a library, or None when it cannot be scored. Nothing is written or shown."""
    tried = attempt(replace(agent, watch=unwatched), task, library, variation)
    if tried.verdict.score is None:
        return None
    return Score(
        value=tried.verdict.score,
        tokens=tried.trajectory.usage.tokens_in + tried.trajectory.usage.tokens_out,
        seconds=tried.trajectory.seconds.total,
        steps=len(tried.trajectory.steps),
    )


def learn(agent: Agent, attempts: Sequence[Attempt], library: Library) -> Iterator[Decision]:
    """Turn attempts into edits, gate each, commit every decision, and yield it.

    The first edit of a lesson that is accepted ends that lesson. An edit that the store refuses, say because a folder
    of that name holds something else, loses that lesson alone. A spent budget is raised; what is committed stands.

    Raises:
        ConfigError: An attempt was not made on a practice seed; nothing was learnt from any of them.
    """
    for one in attempts:
        if (task := one.trajectory.task).split is not Split.PRACTICE:
            raise ConfigError(f"{task.id}: seed {task.seed} is a {task.split} seed; learning uses practice seeds only")
    known = _diagnosed(agent, attempts, library)
    for lesson in agent.reflect(attempts, library):
        tasks = dict.fromkeys(one.trajectory.task.id for one in lesson.failures)
        lesson = lesson.model_copy(update={"known": tuple(key for task in tasks for key in known[task])})
        agent.watch(lesson)
        try:
            for decision in _decide(agent, lesson, library):
                yield decision
                library = agent.store.load()
        except _LOST as fault:  # this lesson is lost; the next one need not be
            log.warning("nothing more is learnt from %s: %s", lesson.summary, fault)


def evolve(agent: Agent, kinds: Collection[str] | None = None, *, dry: bool = False) -> Iterator[Decision]:
    """Look after what the library holds: commit and yield each decision of the upkeep.

    What was refused or taken back is not done again, and what no longer fits the library waits for the next time.

    Args:
        agent: Whose library.
        kinds: Of the upkeep; None: all.
        dry: Commit nothing.
    """
    library = agent.store.load()
    for kind, care in agent.upkeep.items():
        if kinds is not None and kind not in kinds:
            continue
        before = agent.spent()
        try:
            for decision in care(library, list(agent.store.events()), partial(trial, agent)):
                edit, lesson = decision.edit, Lesson(cause=Cause.LAPSE, summary=decision.edit.why)
                if agent.lint(edit, lesson, library, agent.store.events()):
                    continue
                spent = {"by": "upkeep", "usage": agent.spent() - before}
                decision, before = decision.model_copy(update=spent), agent.spent()
                if not dry:
                    library = agent.store.commit(Decided(decision=decision))
                elif decision.accepted:
                    library = library.apply(edit)
                agent.watch(edit)
                agent.watch(decision)
                yield decision
        except _LOST as fault:  # this kind of care is lost; the next one need not be
            log.warning("no more of the upkeep %r: %s", kind, fault)


def _diagnosed(agent: Agent, attempts: Sequence[Attempt], library: Library) -> dict[str, tuple[str, ...]]:
    """Record what the insights did in the first failure at each task; return those that would have solved it."""
    found: dict[str, tuple[str, ...]] = {one.trajectory.task.id: () for one in attempts}
    failed = [one for one in attempts if one.verdict.success is False and not one.trajectory.shown]
    for one in {one.trajectory.task.id: one for one in reversed(failed)}.values():
        before = agent.spent()
        if (said := agent.diagnose(one, library, partial(showing, agent, library))) is not None:
            said = said.model_copy(update={"usage": agent.spent() - before})
            agent.store.commit(said)
            agent.watch(said)
            helps = (Label.POSITIVE, Label.UNRETRIEVED)
            found[said.task.id] = tuple(key for key, label in said.labels.items() if label in helps)
    return found


def showing(agent: Agent, library: Library, task: Task, shown: Sequence[str], *, of: Told = "insights") -> Attempt:
    """Try a task with just these of a kind, whatever the router thinks of them; the library holds no others of it.

    With demonstrations it holds no insights either: what worked with one is an example where no demonstration is shown.
    """
    parts = {"skills": library.skills, "insights": library.insights, "demonstrations": library.demonstrations}
    kept = parts if of == "insights" else {**parts, "insights": {}}
    library = Library.model_validate({**kept, of: {key: parts[of][key] for key in shown}})

    def routed(plan: Plan, held: Library) -> Route:
        only = tuple(Ranked(id=key, score=0.0) for key in shown)
        return agent.route(plan, held).model_copy(update={of: tuple(only for _ in plan.subgoals)})

    return attempt(replace(agent, route=routed, watch=unwatched), task, library)


def _decide(agent: Agent, lesson: Lesson, library: Library) -> Iterator[Decision]:
    before, alone = agent.spent(), _alone(agent)
    tried = _once(partial(trial, agent))
    for edit in agent.write(lesson, library, alone):
        agent.watch(edit)
        written = agent.spent()
        if problem := agent.lint(edit, lesson, library, agent.store.events()):
            decision = Decision(edit=edit, accepted=False, reason=problem, final=False)
        else:
            decision = agent.gate(edit, lesson, library, agent.store.events(), tried)
        spent = {"writing": written - before, "usage": agent.spent() - written}
        decision, before = decision.model_copy(update=spent), agent.spent()
        agent.store.commit(Decided(decision=decision))
        agent.watch(decision)
        yield decision
        if decision.accepted:
            return


def _alone(agent: Agent) -> Alone:
    return partial(attempt, replace(agent, watch=unwatched), variation=Variation(alone=True))


def _once(trial: Trial) -> Trial:
    """Return the trial with a memory: what all edits of a lesson are compared with is tried once."""
    known = dict[tuple[Task, str, str], Score]()

    def tried(task: Task, library: Library, variation: Variation = PLAIN) -> Score | None:
        key = (task, library.digest, variation.digest)
        if key not in known:
            if (score := trial(task, library, variation)) is None:
                return None  # next time the world may hold
            known[key] = score
        return known[key]

    return tried


def _try(agent: Agent, library: Library, task: Task, variation: Variation) -> Attempt:
    return attempt(agent, task, library, variation)


def mended(agent: Agent, tried: Sequence[Attempt], library: Library) -> list[Attempt]:
    """Return successes that the model made of failed tries, where nothing that is done lasts; nothing is recorded."""
    found = list[Attempt]()
    if agent.mend is not None and _anew(agent, tried):
        try:
            found += agent.mend(tried, _play(agent, library), agent.open(tried[0].trajectory.task).verbs, library)
        except (WorldFault, PromptTooLong) as fault:  # what was mended before stands
            log.warning("nothing more is mended of %s: %s", tried[0].trajectory.task.id, fault)
    return found


def _found(agent: Agent, tried: Sequence[Attempt], library: Library) -> list[Attempt]:
    """Return what chance solved, and failures as successes at what they did reach, where nothing that is done lasts.

    No model and no program had these; nothing is recorded.
    """
    found, play = list[Attempt](), _play(agent, library)
    if (agent.wander is None and agent.relabel is None) or not _anew(agent, tried):
        return found
    try:
        if agent.wander is not None:
            found += agent.wander(tried, play, lambda task, goal, action: near(agent.open(task), goal, action))
        if agent.relabel is not None:
            found += agent.relabel(tried, play, lambda task: reached(agent.open(task), task))
    except WorldFault as fault:  # what was found before stands
        agent.drop(tried[0].trajectory.task)
        log.warning("nothing more is found out about %s: %s", tried[0].trajectory.task.id, fault)
    return found


def _anew(agent: Agent, tried: Sequence[Attempt]) -> bool:
    return bool(tried) and begins_anew(agent.open(tried[0].trajectory.task))


def _play(agent: Agent, library: Library) -> Play:
    return partial(decided, open=agent.open, drop=agent.drop, judge=agent.judge, library=library.digest)


def record(agent: Agent, tried: Attempt) -> Attempt:
    """Write an attempt into the ledger, and return it."""
    agent.store.commit(Attempted.of(tried, actions=retold(tried.trajectory.steps)))
    return tried


__all__ = ["Agent", "BudgetSpent", "Trial", "Watch", "attempt", "evolve", "learn", "mended", "record", "run", "showing"]
__all__ += ["trial", "unwatched"]
