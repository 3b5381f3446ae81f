"""Wander: where the agent does not find out how a task is done, try it by chance, without the model.

First what is a little otherwise than what the agent did, where the world knows of such; then whatever can be done.
Chance leans towards what the goal names, and towards what solved another instance of the task. A world that starts
from its seed is a tree: what changed nothing there, led where another way leads too, or ended the task in failure is
not done again from the same state. A try costs a reset and a few steps, and no token, so that many can be made. What
succeeds may be luck: that is for induction and the gate to find out, as with any other success. Source: exploration
that is guided by what a page and a goal say, as in workflow-guided exploration (Liu et al. 2018).
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
from pydantic import Field

from skillagent.practice.ways import Kind, View, ways
from skillagent.schema import (
    Action,
    Attempt,
    Element,
    Observation,
    Outcome,
    Step,
    Task,
    Trajectory,
    Value,
    Verb,
    Wandered,
)

Player = Callable[[Observation], Generator[Action, Outcome, None]]
Play = Callable[[Task, Callable[[Sequence[Verb]], Player]], Attempt]
Near = Callable[[Task, str, Action], Iterator[Action]]

_AGAIN = 0.05  # to go back to what was written into in the same try, or to say the same while something is left to say
_DID, _DID_NEXT = 4.0, 20.0  # what solved another instance; the same after the same step
_RARER = 0.7  # the verbs that an environment names first are its commonest
_LIKE, _MORE = 4, 150  # successes near what failed that are looked for, and how much longer after each
_LADDER = (4, 7, 12)  # steps of a try: short ways first


class Wandering(Value):
    """How long to wander: so many `tries` and `seconds` for an instance, until `solved` instances are solved in all.

    `near` tries are for what is a little otherwise than what the agent did; each is one action, and quick.
    """

    tries: int = Field(default=60, ge=0)
    near: int = Field(default=3000, ge=0)
    seconds: float = Field(default=60.0, gt=0)
    solved: int = Field(default=2, ge=1)


def wandered(
    tried: Sequence[Attempt],
    play: Play,
    near: Near,
    *,
    amount: Wandering,
    watch: Callable[[Value], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Attempt]:
    """Yield successes for instances that failed, until enough are solved: one each, or a few that are near a failure.

    Args:
        tried: The attempts at one task.
        play: Plays an instance from its start, with a player that is made for the verbs there are.
        near: Yields, for an instance and its goal, actions that are near one.
        amount: How long to wander.
        watch: Is told what came of it, instance by instance.
        clock: Tells the time in seconds.
    """
    solved = {one.trajectory.task for one in tried if one.verdict.success}
    failed = dict.fromkeys(one.trajectory.task for one in tried if one.verdict.success is False)
    habits = Habits({one.trajectory.goal for one in tried})
    for one in tried:
        if one.verdict.success:
            habits.keep(one.trajectory)
    for find in (partial(_beside, tried, play, near, amount), partial(_found, play, amount, habits)):
        for task in (one for one in failed if one not in solved):
            if len(solved) >= amount.solved:
                return
            start = clock()
            found, tries = find(task, lambda: clock() - start < amount.seconds)  # noqa: B023
            if tries:
                watch(Wandered(task=task, tries=tries, steps=_steps(found), seconds=clock() - start))
            if found:
                solved.add(task)
                habits.keep(found[0].trajectory)
                yield from found
            elif find.func is _found:
                return  # here chance does not do it


def _beside(
    tried: Sequence[Attempt], play: Play, near: Near, amount: Wandering, task: Task, in_time: Callable[[], bool]
) -> tuple[list[Attempt], int]:
    """Return successes by one action that is near one of the agent's own, and how many times the task was played.

    What is near may succeed by luck, so a few more are looked for: what holds elsewhere is for induction to find out.
    """
    number, most, found = 0, amount.near, list[Attempt]()
    for begin, action in _varied(tried, near, task):
        if number == most or len(found) == _LIKE or not in_time():
            break
        one = play(task, lambda _: repeating([*begin, action]))  # noqa: B023
        number += 1
        if one.trajectory.void is not None:
            break
        if one.verdict.success:
            found.append(one)
            most = min(most, number + _MORE)
    return found, number


def _varied(tried: Sequence[Attempt], near: Near, task: Task) -> Iterator[tuple[Sequence[Step], Step]]:
    """Yield, by turns for each thing that the agent did on an instance, what was done before it and what is near it."""
    waiting = deque[tuple[list[Step], Step, Iterator[Action]]]()
    for trajectory in (one.trajectory for one in tried if one.trajectory.task == task):
        steps = [step for step in trajectory.steps if not step.recalled]  # the world knows nothing of memory
        for number, step in enumerate(steps):
            before = [one for one in steps[:number] if one.error is None]
            waiting.append((before, step, near(task, trajectory.goal, step.action)))
    done = set[str]()
    while waiting:
        before, step, actions = waiting.popleft()
        start = [str(one.action) for one in before]
        action = next((one for one in actions if f"{start} {one}" not in done), None)
        if action is not None:
            done.add(f"{start} {action}")
            yield before, step.model_copy(update={"action": action})
            waiting.append((before, step, actions))


def _found(
    play: Play, amount: Wandering, habits: Habits, task: Task, in_time: Callable[[], bool]
) -> tuple[list[Attempt], int]:
    """Return a success without needless steps, if there was one in time, and how many times the task was played."""
    paths, number = Paths(), 0
    while number < amount.tries and in_time() and not paths.exhausted:
        longest = min(task.max_steps, _LADDER[number * len(_LADDER) // amount.tries])
        random = np.random.default_rng([task.seed, number])
        one = play(task, lambda verbs: Walk(verbs, paths, habits, random, longest, in_time).player)  # noqa: B023
        if paths.exhausted and not one.trajectory.steps:
            break  # there is nothing that chance could do
        number += 1
        if one.verdict.success:
            short, replays = _shortened(one, play, in_time)
            return [short], number + replays
        if one.trajectory.void is not None:
            break
    return [], number


def _shortened(success: Attempt, play: Play, in_time: Callable[[], bool]) -> tuple[Attempt, int]:
    """Return the success without the steps that it can do without, and how often it was played again to find out."""
    replays = 0
    for left_out in reversed(range(len(success.trajectory.steps))):
        steps = success.trajectory.steps
        kept = [*steps[:left_out], *steps[left_out + 1 :]]
        if kept and in_time():
            replays += 1
            again = play(success.trajectory.task, lambda _: repeating(kept))  # noqa: B023
            success = again if again.verdict.success else success
    return success, replays


def repeating(steps: Sequence[Step]) -> Player:
    """Return a player that does what was done in these steps, on what is called the same now."""

    def player(first: Observation) -> Generator[Action, Outcome, None]:
        now = first
        for step in steps:
            parts = View(step.observation).parts(step.action.arguments)
            found = {
                name: next((one.ref for one in _alike(part, now)), None)
                for name, part in zip(step.action.arguments, parts, strict=True)
                if isinstance(part, Element)
            }
            if None in found.values():
                return
            outcome = yield step.action.model_copy(update={"arguments": {**step.action.arguments, **found}})
            now = outcome.observation

    return player


def _alike(element: Element, now: Observation) -> list[Element]:
    """Return what has the role and the words of an element, what has its ref too first."""
    same = [e for e in now.elements if (e.role, e.name, e.near) == (element.role, element.name, element.near)]
    return sorted(same, key=lambda one: one.ref != element.ref)


def _steps(found: Sequence[Attempt]) -> int | None:
    return len(found[0].trajectory.steps) if found else None


@dataclass
class Paths:
    """What is known of one instance: which actions lead nowhere from a state, and where the others led."""

    dead: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    led: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    exhausted: bool = False

    def learn(self, before: str, action: str, after: str, outcome: Outcome) -> bool:
        """Keep what an action led to, and tell whether it was of use."""
        failed = outcome.terminated and outcome.reward != 1
        same = any(other != action and led == after for other, led in self.led[before].items())
        vain = outcome.error is not None or (not outcome.terminated and (after == before or same))
        if failed or vain:
            self.dead[before].add(action)
        elif not outcome.terminated:
            self.led[before][action] = after
        return not vain


@dataclass
class Habits:
    """What is known of a task over its instances: what its successes did, what ended in failure, which verbs do."""

    goals: Collection[str] = ()
    did: set[Kind] = field(default_factory=set)
    next: set[tuple[Kind, Kind]] = field(default_factory=set)
    ended: Counter[Kind] = field(default_factory=Counter)
    useful: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)

    def keep(self, success: Trajectory) -> None:
        """Take a success for an example."""
        kinds = [(), *(self.view(step.observation).kind(step.action) for step in success.steps)]
        self.did.update(kinds[1:])
        self.next.update(pairwise(kinds))

    def view(self, now: Observation) -> View:
        """Return an observation, seen by one who knows what else the task may ask for."""
        return View(now, [goal for goal in self.goals if goal != now.goal])


@dataclass
class Walk:
    """One try: a player that chooses by chance."""

    verbs: Sequence[Verb]
    paths: Paths
    habits: Habits
    random: np.random.Generator
    longest: int
    in_time: Callable[[], bool]

    def player(self, first: Observation) -> Generator[Action, Outcome, None]:
        """Yield actions until the task ends, nothing is left to do, or the try is long enough."""
        now, before, written = self.habits.view(first), Kind(), dict[str, str]()
        state, came_by = first.text, ("", "")
        seen = {state}
        for _ in range(self.longest):
            if not self.in_time():
                return
            action = self._chosen(now, before, state, seen, written)
            if action is None:
                self._given_up(now, state, came_by)
                return
            outcome = yield action
            before = now.kind(action)
            if outcome.error is None:
                written |= now.written(action)  # a password's dots do not tell what was written
            after = "\n".join([outcome.observation.text, *(f"{key}={text}" for key, text in sorted(written.items()))])
            useful = self.paths.learn(state, str(action), after, outcome)
            if outcome.terminated and outcome.reward != 1:
                self.habits.ended[before] += 1
            else:
                self.habits.used[action.verb] += 1
                self.habits.useful[action.verb] += useful
            came_by = came_by if after == state else (state, str(action))
            now, state = self.habits.view(outcome.observation), after
            seen.add(state)

    def _given_up(self, now: View, state: str, came_by: tuple[str, str]) -> None:
        """Where nothing is left to try from a state, what led to it is a dead end too."""
        if all(str(one) in self.paths.dead[state] for verb in self.verbs for one in ways(verb, now)):
            before, action = came_by
            self.paths.dead[before].add(action)
            self.paths.exhausted |= not action

    def _chosen(self, now: View, before: Kind, state: str, seen: set[str], written: Mapping[str, str]) -> Action | None:
        dead, led = self.paths.dead[state], self.paths.led[state]
        tried, waiting = dead | led.keys(), set[str]()
        open_ = list[list[Action]]()
        for verb in self.verbs:
            some = [one for one in ways(verb, now) if str(one) not in dead and led.get(str(one)) not in seen]
            open_.append([one for one in some if _on(one) not in waiting])  # to click comes before to double-click
            waiting |= {_on(one) for one in some if str(one) not in tried}
        weights = [self._weights(some, now, before, written) for some in open_]
        by_verb = [
            max(some, default=0.0)
            * _RARER**place
            * (1 + self.habits.useful[verb.name])
            / (1 + self.habits.used[verb.name])
            for place, (verb, some) in enumerate(zip(self.verbs, weights, strict=True))
        ]
        if not any(by_verb):
            return None
        which = self._drawn(by_verb)
        return open_[which][self._drawn(weights[which])]

    def _drawn(self, weights: Sequence[float]) -> int:
        shares = np.asarray(weights)
        return int(self.random.choice(len(shares), p=shares / shares.sum()))

    def _weights(self, actions: Sequence[Action], now: View, before: Kind, written: Mapping[str, str]) -> list[float]:
        """Return the weight of each; many that the goal has equally much to do with count for less each."""
        bearing = [now.bears(one) for one in actions]
        many = Counter(bearing)
        shares = [each / math.sqrt(many[each]) for each in bearing]
        return [
            share * self._weight(one, now, before) * (_AGAIN if now.again(one, written) else 1.0)
            for one, share in zip(actions, shares, strict=True)
        ]

    def _weight(self, action: Action, now: View, before: Kind) -> float:
        this = now.kind(action)
        weight = _DID_NEXT if (before, this) in self.habits.next else _DID if this in self.habits.did else 1.0
        return weight / math.sqrt(1 + self.habits.ended[this])


def _on(action: Action) -> str:
    """Return what is acted on, whatever is done to it."""
    return str(dict(action.arguments))
