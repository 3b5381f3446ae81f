"""BabyAI: the levels of minigrid's BabyAI as an environment. The seed draws the rooms and the mission.

The agent knows what it has seen, and acts by verbs that walk as far as they must. A level has so many control steps,
turns and steps alike, however many verbs they make up. What happens to a thing out of sight is nothing: it stays.
"""

from __future__ import annotations

import difflib
import time

from skillagent.envs.babyai.actions import ACTIONS
from skillagent.envs.babyai.walker import Walker, levels
from skillagent.envs.verbs import Verbs
from skillagent.errors import AgentFault, ConfigError
from skillagent.schema import Action, Element, Observation, Outcome, Task, Verb


class BabyAI:
    """The levels of BabyAI as an environment."""

    def __init__(self) -> None:
        self._verbs = Verbs(ACTIONS)
        self._task: Task | None = None
        self._walkers: dict[str, Walker] = {}
        self._turns, self._ends = 0, 0.0

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What can be done."""
        return self._verbs.verbs

    @property
    def walker(self) -> Walker:
        """The agent in the present level, for those who record or show."""
        assert self._task is not None, "reset first"
        return self._walkers[self._task.name]

    def reset(self, task: Task) -> Observation:
        """Start a level as its seed draws it.

        Raises:
            ConfigError: There is no such level, or minigrid is not installed.
        """
        if task.name not in levels():
            close = difflib.get_close_matches(task.name, levels(), n=3) or sorted(levels())
            raise ConfigError(f"no level babyai/{task.name}; there is {', '.join(close)}")
        if task.name not in self._walkers:
            self.close()  # one at a time
            self._walkers[task.name] = Walker(task.name)
        self._task, self._turns, self._ends = task, 0, time.monotonic() + task.timeout_s
        self.walker.reset(task.seed)
        return self._seen()

    def step(self, action: Action) -> Outcome:
        """Do one thing to its end; what the policy did wrong comes back as an error."""
        if self._over:
            return self._outcome("the task is over")
        self._turns += 1
        try:
            self._verbs.perform(self.walker, action)
        except AgentFault as fault:
            return self._outcome(None if self.walker.over else str(fault))
        return self._outcome(None)

    def screenshot(self) -> bytes:
        """Return the whole level as PNG."""
        return self.walker.picture()

    def close(self) -> None:
        """Let go of the level."""
        for walker in self._walkers.values():
            walker.close()
        self._walkers.clear()

    @property
    def _over(self) -> bool:
        assert self._task is not None, "reset first"
        return self.walker.over or self._turns >= self._task.max_steps or time.monotonic() >= self._ends

    def _seen(self) -> Observation:
        walker = self.walker
        lines, elements = [f"You carry {f'the {walker.carried}' if walker.carried else 'nothing'}."], []
        for thing in walker.things():
            state = f" ({thing.state})" if thing.state else ""
            began = f"; at the start it was {thing.start}" if thing.start else ""
            lines.append(f'[{thing.ref}] thing "{thing.name}"{state}: {walker.bearing(thing.cell)}{began}')
            states = (thing.state,) if thing.state else ()
            elements.append(Element(ref=thing.ref, role="thing", name=thing.name, states=states, within=thing.start))
        if walker.way(lambda cell: bool(walker.unseen(cell))) is not None:
            lines.append("Not all that can be reached was seen yet.")
        lines.append(f"{walker.left} steps are left.")
        return Observation(goal=walker.mission, text="\n".join(lines), elements=tuple(elements))

    def _outcome(self, error: str | None) -> Outcome:
        over = self._over
        return Outcome(
            observation=self._seen(),
            error=error,
            reward=self.walker.reward if over else None,
            terminated=self.walker.ended,
            truncated=over and not self.walker.ended,
        )
