"""Wander: where the agent does not find out how a task is done, try it by chance, without the model.

Chance leans towards what the goal names, and towards what solved another instance of the task. A world that starts
from its seed is a tree: what changed nothing there, led where another way leads too, or ended the task in failure is
not done again from the same state. A try costs a reset and a few steps, and no token, so that many can be made. What
succeeds may be luck: that is for induction and the gate to find out, as with any other success. Source: exploration
that is guided by what a page and a goal say, as in workflow-guided exploration (Liu et al. 2018).
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

import numpy as np
from pydantic import Field, JsonValue

from skillagent.goals import quoted, values
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
Kind = tuple[str, ...]  # an action in words that hold for any instance of the task

_NAMED, _HINTED, _PLAIN = 8.0, 3.0, 1.0
_DID, _DID_NEXT = 4.0, 20.0  # what solved another instance; the same after the same step
_RARER = 0.7  # the verbs that an environment names first are its commonest
_LAST = 0.25  # what ended the task in failure, again and again, may still be how it has to end
_LADDER = (4, 7, 12)  # steps of a try: short ways first
_MOST_WAYS = 400  # actions of one verb that are looked at in one state
_HINT = 4  # letters of a word that says something


class Wandering(Value):
    """How long to wander: so many `tries` and `seconds` for an instance, until `solved` instances are solved in all."""

    tries: int = Field(default=60, ge=0)
    seconds: float = Field(default=60.0, gt=0)
    solved: int = Field(default=2, ge=1)


def wandered(
    tried: Sequence[Attempt],
    play: Play,
    *,
    amount: Wandering,
    watch: Callable[[Value], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Attempt]:
    """Yield at most one success for each instance that failed, until enough are solved.

    Args:
        tried: The attempts at one task.
        play: Plays an instance from its start, with a player that is made for the verbs there are.
        amount: How long to wander.
        watch: Is told what came of it, instance by instance.
        clock: Tells the time in seconds.
    """
    solved = {one.trajectory.task for one in tried if one.verdict.success}
    failed = dict.fromkeys(one.trajectory.task for one in tried if one.verdict.success is False)
    habits = Habits()
    for one in tried:
        if one.verdict.success:
            habits.keep(one.trajectory)
    for task in (one for one in failed if one not in solved):
        if len(solved) >= amount.solved or not amount.tries:
            return
        start = clock()
        success, tries = _found(task, play, amount, habits, lambda: clock() - start)  # noqa: B023
        watch(Wandered(task=task, tries=tries, steps=_steps(success), seconds=clock() - start))
        if success is None:
            return  # here chance does not do it
        solved.add(task)
        habits.keep(success.trajectory)
        yield success


def _found(
    task: Task, play: Play, amount: Wandering, habits: Habits, spent: Callable[[], float]
) -> tuple[Attempt | None, int]:
    """Return a success without needless steps, if there was one in time, and how many tries were made."""
    paths, number = Paths(), 0
    while number < amount.tries and spent() < amount.seconds and not paths.exhausted:
        longest = min(task.max_steps, _LADDER[number * len(_LADDER) // amount.tries])
        random = np.random.default_rng([task.seed, number])
        one = play(task, lambda verbs: Walk(verbs, paths, habits, random, longest).player)  # noqa: B023
        number += 1
        if one.verdict.success:
            return _shortened(one, play), number
        if one.trajectory.void is not None:
            break
    return None, number


def _shortened(success: Attempt, play: Play) -> Attempt:
    """Return the success without the steps that it can do without, as far as doing it again without them tells."""
    for left_out in reversed(range(len(success.trajectory.steps))):
        steps = success.trajectory.steps
        kept = [*steps[:left_out], *steps[left_out + 1 :]]
        if kept and (again := play(success.trajectory.task, lambda _: _repeating(kept))).verdict.success:  # noqa: B023
            success = again
    return success


def _repeating(steps: Sequence[Step]) -> Player:
    """Return a player that does what was done in these steps, on what is called the same now."""

    def player(first: Observation) -> Generator[Action, Outcome, None]:
        now = first
        for step in steps:
            parts = zip(step.action.arguments, _parts(step.action.arguments, step.observation), strict=True)
            found = {
                key: next((one.ref for one in _alike(part, now)), None)
                for key, part in parts
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


def _steps(success: Attempt | None) -> int | None:
    return len(success.trajectory.steps) if success is not None else None


@dataclass
class Paths:
    """What is known of one instance: which actions lead nowhere from a state, and where the others led."""

    dead: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    led: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    times: Counter[tuple[str, str]] = field(default_factory=Counter)
    exhausted: bool = False

    def learn(self, before: str, action: Action, outcome: Outcome) -> bool:
        """Keep what an action led to, and tell whether it was of use."""
        key, after = str(action), outcome.observation.text
        self.times[before, key] += 1
        failed = outcome.terminated and outcome.reward != 1
        same = any(other != key and led == after for other, led in self.led[before].items())
        vain = outcome.error is not None or (not outcome.terminated and (after == before or same))
        if failed or vain:
            self.dead[before].add(key)
        elif not outcome.terminated:
            self.led[before][key] = after
        return not vain


@dataclass
class Habits:
    """What is known of a task over its instances: what its successes did, what ended in failure, which verbs do."""

    did: set[Kind] = field(default_factory=set)
    next: set[tuple[Kind, Kind]] = field(default_factory=set)
    ended: Counter[Kind] = field(default_factory=Counter)
    useful: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)

    def keep(self, success: Trajectory) -> None:
        """Take a success for an example."""
        kinds = [(), *(kind(step.action, step.observation) for step in success.steps)]
        self.did.update(kinds[1:])
        self.next.update(pairwise(kinds))


@dataclass
class Walk:
    """One try: a player that chooses by chance."""

    verbs: Sequence[Verb]
    paths: Paths
    habits: Habits
    random: np.random.Generator
    longest: int

    def player(self, first: Observation) -> Generator[Action, Outcome, None]:
        """Yield actions until the task ends, nothing is left to do, or the try is long enough."""
        now, seen = first, {first.text}
        before: Kind = ()
        for _ in range(self.longest):
            action = self._chosen(now, before, seen)
            if action is None:
                self.paths.exhausted = now is first
                return
            outcome = yield action
            useful = self.paths.learn(now.text, action, outcome)
            before = kind(action, now)
            if outcome.terminated and outcome.reward != 1:
                self.habits.ended[before] += 1
            else:
                self.habits.used[action.verb] += 1
                self.habits.useful[action.verb] += useful
            now = outcome.observation
            seen.add(now.text)

    def _chosen(self, now: Observation, before: Kind, seen: set[str]) -> Action | None:
        dead, led = self.paths.dead[now.text], self.paths.led[now.text]
        open_ = [
            [one for one in ways(verb, now) if str(one) not in dead and led.get(str(one)) not in seen]
            for verb in self.verbs
        ]
        weights = [[self._weight(one, now, before) for one in some] for some in open_]
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

    def _weight(self, action: Action, now: Observation, before: Kind) -> float:
        this = kind(action, now)
        bearing = [_bearing(now, value) for value in _parts(action.arguments, now)]
        weight = math.prod(bearing) ** (1 / max(1, len(bearing)))
        weight *= _DID_NEXT if (before, this) in self.habits.next else _DID if this in self.habits.did else 1.0
        often = self.paths.times[now.text, str(action)]
        return weight * max(_LAST, 1 / (1 + self.habits.ended[this])) / math.sqrt(1 + often)


def ways(verb: Verb, now: Observation) -> list[Action]:
    """Return what the verb can do here: each element that it works on, each text that the goal gives.

    Parameters that may be left out are left out; a verb that needs a number has no way unless its schema has examples.
    """
    properties, required = verb.parameters.get("properties", {}), verb.parameters.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    names = [name for name in required if isinstance(name, str)]
    choices = [_choices(properties[name], now) for name in names]
    made = (dict(zip(names, some, strict=True)) for some in product(*choices))
    return [
        Action(verb=verb.name, arguments=arguments)
        for arguments, _ in zip(made, range(_MOST_WAYS), strict=False)
        if not _idle(arguments, now)
    ]


def _idle(arguments: Mapping[str, JsonValue], now: Observation) -> bool:
    """Tell whether something is put onto itself, or written where it already stands."""
    parts = _parts(arguments, now)
    held = [part.value for part in parts if isinstance(part, Element)]
    return any(part in held or part in parts[:place] for place, part in enumerate(parts))


def _parts(arguments: Mapping[str, JsonValue], now: Observation) -> list[Element | JsonValue]:
    """Return the arguments with elements for refs. Only a name that ends in "ref" holds one: a typed 3 is not [3]."""
    return [(now.element(value) if name.endswith("ref") else None) or value for name, value in arguments.items()]


def _choices(parameter: JsonValue, now: Observation) -> Sequence[JsonValue]:
    assert isinstance(parameter, dict)
    if parameter.get("format") == "ref":
        roles = parameter.get("roles")
        return [one.ref for one in now.elements if not isinstance(roles, list) or one.role in roles]
    for known in ("enum", "examples"):
        if isinstance(some := parameter.get(known), list):
            return some
    return quoted(now.goal) or values(now.goal) if parameter.get("type") == "string" else ()


def kind(action: Action, now: Observation) -> Kind:
    """Return an action as it would be called on any instance: an element or a text of the goal by its place there."""
    given = [value.casefold() for value in values(now.goal)]

    def told(part: Element | JsonValue) -> str:
        text = part.name or part.near if isinstance(part, Element) else str(part)
        place = f"value {given.index(text.casefold())}" if text.casefold() in given else text
        return f"{part.role} {place}" if isinstance(part, Element) else place

    return (action.verb, *map(told, _parts(action.arguments, now)))


def _bearing(now: Observation, part: Element | JsonValue) -> float:
    """Return how much the goal has to do with an argument."""
    if not isinstance(part, Element):
        return _NAMED if str(part) in now.goal else _PLAIN
    name, goal = _words(part.name or part.near), _words(now.goal)
    if _stands(name, goal) or any(_stands(_words(value), name) for value in values(now.goal)):
        return _NAMED
    return _HINTED if any(len(word) >= _HINT and word in goal for word in [part.role, *name]) else _PLAIN


def _stands(part: Sequence[str], whole: Sequence[str]) -> bool:
    return bool(part) and f" {' '.join(part)} " in f" {' '.join(whole)} "


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
