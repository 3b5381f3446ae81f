"""Tabletop: long tasks of picking and placing at a table, as an environment of its own on MuJoCo.

The seed draws what stands where, what is asked, and in which of three wordings. An episode has 2000 control steps,
however many verbs they make up. The reward comes at the end: the share of what was wanted that holds.
"""

from __future__ import annotations

import difflib
import time

from skillagent.envs.film import Take
from skillagent.envs.robot.world import at
from skillagent.envs.tabletop.actions import ACTIONS, EXAMPLES, Gripper
from skillagent.envs.tabletop.predicates import under, where
from skillagent.envs.tabletop.scene import Thing
from skillagent.envs.tabletop.table import STEPS, Table
from skillagent.envs.tabletop.tasks import Asked, draw, wordings
from skillagent.envs.verbs import Verbs
from skillagent.errors import AgentFault, ConfigError
from skillagent.schema import Action, Element, Observation, Outcome, Task, Verb

_CLOSED, _OPEN = 0.004, 0.06  # metres between the fingers
_BETWEEN = 3  # control steps from one picture of a film to the next


class Tabletop:
    """Tasks at a table as an environment."""

    fps = Table.second / _BETWEEN

    def __init__(self) -> None:
        self._verbs = Verbs(ACTIONS, EXAMPLES)
        self._task: Task | None = None
        self._turns, self._ends = 0, 0.0
        self._take: Take | None = None

    def film(self, take: Take | None) -> None:
        """Call `take` with what draws a picture while the gripper moves; None: no more."""
        self._take = take

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What the gripper can do."""
        return self._verbs.verbs

    @property
    def asked(self) -> Asked:
        """What the present task's seed drew."""
        assert self._task is not None, "reset first"
        return self._asked

    @property
    def table(self) -> Table:
        """The present task's simulation, for those who record or show."""
        assert self._task is not None, "reset first"
        return self._table

    def reset(self, task: Task) -> Observation:
        """Start a task as its seed draws it.

        Raises:
            ConfigError: There is no such task, or MuJoCo is not installed.
            EnvironmentFailed: The simulation diverged.
        """
        if task.name not in wordings():
            close = difflib.get_close_matches(task.name, wordings(), n=3) or sorted(wordings())
            raise ConfigError(f"no task tabletop/{task.name}; there is {', '.join(close)}")
        self._asked = draw(task.name, task.seed)
        self._table = Table(self._asked.things, self._asked.wanted)
        self._table.watch = self._shoot
        self._arm = Gripper(self._table)
        self._task, self._turns, self._ends = task, 0, time.monotonic() + task.timeout_s
        return self._seen()

    def step(self, action: Action) -> Outcome:
        """Do one thing to its end; what stopped it, and what the policy did wrong, come back as an error.

        Raises:
            EnvironmentFailed: The simulation diverged.
        """
        if self._over:
            return self._outcome("the task is over")
        self._turns += 1
        try:
            self._verbs.perform(self._arm, action)
        except AgentFault as fault:
            return self._outcome(None if self.table.success else str(fault))
        return self._outcome(None)

    def screenshot(self) -> bytes:
        """Return the present view as PNG; raises ConfigError where nothing can draw it."""
        return self.table.picture()

    def close(self) -> None:
        """Let go of the simulation."""
        self._task = None

    def _shoot(self) -> None:
        if self._take is not None and self.table.steps % _BETWEEN == 0:
            self._take(self.table.picture)

    @property
    def _over(self) -> bool:
        assert self._task is not None, "reset first"
        return self.table.over or self._turns >= self._task.max_steps or time.monotonic() >= self._ends

    def _seen(self) -> Observation:
        table, held = self.table, self.table.held
        state = "open" if table.gap > _OPEN else "closed" if table.gap < _CLOSED else "half closed"
        holding = f"it holds {self._arm.called(held)}" if held else "it holds nothing"
        lines = [f"hand at {at(table.hand)}, turned by {round(table.yaw) + 0} degrees, gripper {state}, {holding}"]
        elements = list[Element]()
        for number, thing in enumerate(table.now.values(), start=1):
            lines.append(f'[{number}] {thing.role} "{thing.name}"{self._told(thing)}')
            elements.append(self._element(str(number), thing))
        lines.append(f"Numbers are metres: right, away from you, up. {STEPS - table.steps} of {STEPS} steps are left.")
        return Observation(goal=self._asked.goal, text="\n".join(lines), elements=tuple(elements))

    def _told(self, thing: Thing) -> str:
        """Say what is seen of a thing, after its name."""
        if thing.role == "drawer":
            return f", {thing.percent} % open, its handle at {at(thing.place)}"
        if thing.role != "cube":
            return f" at {at(thing.place)}"
        below = under(self.table.now, thing)
        there = where(self.table.now, thing) if below is None else f"{_how(below)} {self._arm.called(below.name)}"
        there = "in the hand" if thing.name == self.table.held else there
        return f" ({thing.word}, {2 * thing.size[0]:.2f} wide) at {at(thing.place)}, {there}"

    def _element(self, ref: str, thing: Thing) -> Element:
        below = under(self.table.now, thing) if thing.role == "cube" and thing.name != self.table.held else None
        return Element(
            ref=ref,
            role=thing.role,
            name=thing.name,
            value=f"{thing.percent} %" if thing.role == "drawer" else None,
            states=(thing.word,) if thing.word else (),
            within=below.name if below else "",
        )

    def _share(self) -> float:
        """Return how much of what was wanted holds; all of it that is in the hand, or moves, is not done."""
        wanted = self.asked.wanted
        return min(sum(one.holds(self.table.now) for one in wanted), len(wanted) - 1) / len(wanted)

    def _outcome(self, error: str | None) -> Outcome:
        done, over = self.table.success, self._over
        return Outcome(
            observation=self._seen(),
            error=error,
            reward=1.0 if done else self._share() if over else None,
            terminated=done,
            truncated=over and not done,
        )


def _how(below: Thing) -> str:
    return "in" if below.role in ("bowl", "drawer") else "on"
