"""Simulated: what environments around a simulation share: their turns, their time, their film, and who is at fault.

A world says what its tasks are called, how one begins, what is seen, and when it is done; an episode ends when it is
done, when the simulation says that it is over, or when the task's turns or seconds are spent.
"""

from __future__ import annotations

import difflib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from skillagent.envs.film import Take
from skillagent.envs.noted import Look, noted
from skillagent.envs.verbs import Verbs
from skillagent.errors import AgentFault, ConfigError
from skillagent.schema import Action, Observation, Outcome, Task, Verb


class Simulation(Protocol):
    """A task under way."""

    @property
    def over(self) -> bool:
        """True when nothing more can be done, say for want of control steps."""
        ...

    def picture(self) -> bytes:
        """Return the present view as PNG; raises ConfigError where nothing can draw it."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class _Moving(Simulation, Protocol):
    watch: Callable[[], None]
    steps: int

    @property
    def hand(self) -> NDArray[np.float64]: ...

    @property
    def things(self) -> Sequence[tuple[str, str, NDArray[np.float64]]]: ...


S = TypeVar("S", bound=Simulation)
M = TypeVar("M", bound=_Moving)


class Simulated(ABC, Generic[S]):
    """An environment around a simulation. One is held at a time; a `lasting` one is for all seeds of a task."""

    world: str
    lasting = True
    anew = True

    def __init__(self, verbs: Verbs) -> None:
        self._verbs = verbs
        self._task: Task | None = None
        self._held: tuple[str, S] | None = None
        self._turns, self._ends = 0, 0.0

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What can be done."""
        return self._verbs.verbs

    @property
    def simulation(self) -> S:
        """The present task's simulation, for those who record or show."""
        assert self._held is not None, "reset first"
        return self._held[1]

    @property
    def task(self) -> Task:
        """The present task."""
        assert self._task is not None, "reset first"
        return self._task

    def reset(self, task: Task) -> Observation:
        """Start a task as its seed draws it.

        Raises:
            ConfigError: There is no such task, or what it needs is not installed.
            EnvironmentFailed: The simulation diverged.
        """
        if task.name not in (known := self._names()):
            close = difflib.get_close_matches(task.name, known, n=3) or sorted(known)
            raise ConfigError(f"no task {self.world}/{task.name}; there is {', '.join(close)}")
        if self._held is None or self._held[0] != task.name or not self.lasting:
            self.close()
            self._held = task.name, self._made(task)
        self._begin(task)
        self._task, self._turns, self._ends = task, 0, time.monotonic() + task.timeout_s
        return self._seen()

    def step(self, action: Action) -> Outcome:
        """Do one thing to its end; what stopped it, and what the policy did wrong, come back as an error.

        What moved, and why it ended, is in the outcome's note, where the world can be looked at.

        Raises:
            EnvironmentFailed: The simulation diverged.
        """
        if self._over:
            return self._outcome("the task is over")
        self._turns += 1
        before, error, why = self._look(), None, ""
        try:
            why = self._verbs.perform(self._hand(), action) or "reached"
        except AgentFault as fault:
            error = None if self._done else str(fault)
        if self._done or self.simulation.over:
            why = "the task is done" if self._done else "no step is left"
        after = self._look()
        return self._outcome(error, noted(before, after, why) if before and after else "")

    def screenshot(self) -> bytes:
        """Return the present view as PNG; raises ConfigError where nothing can draw it."""
        return self.simulation.picture()

    def close(self) -> None:
        """Let go of the simulation."""
        if self._held is not None:
            self._held[1].close()
        self._held = self._task = None

    @property
    def _over(self) -> bool:
        spent = self._turns >= self.task.max_steps or time.monotonic() >= self._ends
        return spent or self._done or self.simulation.over

    def _outcome(self, error: str | None, note: str = "") -> Outcome:
        over, done = self._over, self._done
        return Outcome(
            observation=self._seen(),
            error=error,
            reward=self._reward(),  # also before the end: who stops for want of turns has not done it
            terminated=done,
            truncated=over and not done,
            note=note,
        )

    def _look(self) -> Look | None:
        """Return hand and things as they are now; None where nothing of a verb is to be noted."""
        return None

    @abstractmethod
    def _names(self) -> Collection[str]:
        """Return what the tasks are called."""

    @abstractmethod
    def _made(self, task: Task) -> S:
        """Return the simulation of a task."""

    @abstractmethod
    def _begin(self, task: Task) -> None:
        """Bring the simulation to a task's start."""

    @abstractmethod
    def _hand(self) -> object:
        """Return what the verbs act by."""

    @abstractmethod
    def _seen(self) -> Observation:
        """Return what is seen now."""

    @property
    @abstractmethod
    def _done(self) -> bool:
        """True when the task has ended of itself."""

    @abstractmethod
    def _reward(self) -> float:
        """Return what an episode that ends now is worth, or is given up."""


class Filmed(Simulated[M]):
    """A world that moves while it acts, and films itself: a picture every so many control steps."""

    fps: float
    between: int

    def __init__(self, verbs: Verbs) -> None:
        super().__init__(verbs)
        self._take: Take | None = None

    def film(self, take: Take | None) -> None:
        """Call `take` with what draws a picture while something moves; None: no more."""
        self._take = take

    def reset(self, task: Task) -> Observation:
        """Start a task as `Simulated` does, and watch it move."""
        first = super().reset(task)
        self.simulation.watch = self._shoot
        return first

    def _look(self) -> Look:
        sim = self.simulation
        places = {f'[{n}] "{name}"': np.array(place) for n, (_, name, place) in enumerate(sim.things, start=1)}
        return Look(sim.steps, np.array(sim.hand), places, dict(self._states()))

    @abstractmethod
    def _states(self) -> Mapping[str, str]:
        """Return how the gripper is, and whatever else has a state, in the words of an observation."""

    def _shoot(self) -> None:
        if self._take is not None and self.simulation.steps % self.between == 0:
            self._take(self.simulation.picture)
