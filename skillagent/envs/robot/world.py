"""MetaWorld: fifty things that an arm can do, as an environment. It says where things are and moves by primitives.

The seed draws where things stand and in which of three wordings the task is told. An episode has 500 control steps,
however many primitives they make up.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterable

from skillagent.envs.film import Take
from skillagent.envs.robot.primitives import EXAMPLES, PRIMITIVES, Arm
from skillagent.envs.robot.simulator import STEPS, Simulator, descriptions
from skillagent.envs.verbs import Verbs
from skillagent.errors import AgentFault, ConfigError
from skillagent.schema import Action, Element, Observation, Outcome, Task, Verb

_CLOSED, _OPEN = 0.32, 0.8  # gaps of the gripper
_BETWEEN = 5  # control steps from one picture of a film to the next


class MetaWorld:
    """The fifty tasks of Meta-World as an environment."""

    fps = Simulator.second / _BETWEEN

    def __init__(self) -> None:
        self._verbs = Verbs(PRIMITIVES, EXAMPLES)
        self._task: Task | None = None
        self._simulators: dict[str, Simulator] = {}
        self._turns, self._ends = 0, 0.0
        self._take: Take | None = None

    def film(self, take: Take | None) -> None:
        """Call `take` with what draws a picture while the arm moves; None: no more."""
        self._take = take

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What the arm can do."""
        return self._verbs.verbs

    @property
    def simulator(self) -> Simulator:
        """The present task's simulation, for those who record or show."""
        assert self._task is not None, "reset first"
        return self._simulators[self._task.name]

    def reset(self, task: Task) -> Observation:
        """Start a task as its seed draws it.

        Raises:
            ConfigError: There is no such task, or Meta-World is not installed.
            EnvironmentFailed: The simulation diverged.
        """
        if task.name not in descriptions():
            close = difflib.get_close_matches(task.name, descriptions(), n=3) or sorted(descriptions())
            raise ConfigError(f"no task metaworld/{task.name}; there is {', '.join(close)}")
        if task.name not in self._simulators:
            self.close()  # one at a time
            self._simulators[task.name] = Simulator(task.name)
        self._task, self._turns, self._ends = task, 0, time.monotonic() + task.timeout_s
        self.simulator.watch = self._shoot
        self.simulator.reset(task.seed)
        self._arm = Arm(self.simulator)
        return self._seen()

    def step(self, action: Action) -> Outcome:
        """Do one primitive to its end; what stopped it, and what the policy did wrong, come back as an error.

        Raises:
            EnvironmentFailed: The simulation diverged.
        """
        if self._over:
            return self._outcome("the task is over")
        self._turns += 1
        try:
            self._verbs.perform(self._arm, action)
        except AgentFault as fault:
            return self._outcome(None if self.simulator.success else str(fault))
        return self._outcome(None)

    def screenshot(self) -> bytes:
        """Return the present view as PNG; raises ConfigError where nothing can draw it."""
        return self.simulator.picture()

    def close(self) -> None:
        """Let go of the simulation."""
        for simulator in self._simulators.values():
            simulator.close()
        self._simulators.clear()

    def _shoot(self) -> None:
        if self._take is not None and self.simulator.steps % _BETWEEN == 0:
            self._take(self.simulator.picture)

    @property
    def _over(self) -> bool:
        assert self._task is not None, "reset first"
        return self.simulator.over or self._turns >= self._task.max_steps or time.monotonic() >= self._ends

    def _seen(self) -> Observation:
        assert self._task is not None
        sim = self.simulator
        gripper = "open" if sim.gap > _OPEN else "closed" if sim.gap < _CLOSED else "half closed"
        lines, elements = [f"hand at {at(sim.hand)}, gripper {gripper}"], []
        for number, (role, name, place) in enumerate(sim.things, start=1):
            lines.append(f'[{number}] {role} "{name}" at {at(place)}, that is {at(place - sim.hand)} from the hand')
            elements.append(Element(ref=str(number), role=role, name=name))
        lines.append(f"Numbers are metres: right, away from you, up. {STEPS - sim.steps} of {STEPS} steps are left.")
        goal = sim.described.say[self._task.seed % len(sim.described.say)]
        return Observation(goal=goal, text="\n".join(lines), elements=tuple(elements))

    def _outcome(self, error: str | None) -> Outcome:
        done, over = self.simulator.success, self._over
        return Outcome(
            observation=self._seen(),
            error=error,
            reward=1.0 if done else 0.0 if over else None,
            terminated=done,
            truncated=over and not done,
        )


def at(place: Iterable[float]) -> str:
    """Say where something is, in metres."""
    return f"({', '.join(f'{round(float(one), 3) + 0.0:.3f}' for one in place)})"
