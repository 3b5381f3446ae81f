"""Libero: household tasks told in words, as an environment. It says where things are and moves by verbs.

A task is `SUITE-NUMBER`, such as `libero/object-1` or `libero/goal_swap-3`. Each has fifty starts, in a few suites ten,
of which practice, gate and holdout own a third each; what is learnt on goes round, what is measured on does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from skillagent.envs.libero.actions import ACTIONS, EXAMPLES
from skillagent.envs.libero.claims import claimed
from skillagent.envs.libero.hand import Hand
from skillagent.envs.libero.scene import STEPS, Scene, tasks
from skillagent.envs.noted import at
from skillagent.envs.said import told
from skillagent.envs.simulated import Filmed
from skillagent.envs.verbs import Verbs
from skillagent.errors import EnvironmentFailed
from skillagent.schema import Element, Observation, Split, Task

_CLOSED, _OPEN = 0.004, 0.07  # metres between the fingers


class Libero(Filmed[Scene]):
    """LIBERO's and LIBERO-PRO's tasks as an environment."""

    world = "libero"
    between = 2
    fps = Scene.second / between

    def __init__(self) -> None:
        super().__init__(Verbs(ACTIONS, EXAMPLES))

    def _names(self) -> Collection[str]:
        return tasks()

    def _made(self, task: Task) -> Scene:
        return Scene(task.name)

    def _begin(self, task: Task) -> None:
        self.simulation.reset(start_of(task, len(self.simulation.starts)))
        self._arm = Hand(self.simulation)

    def _hand(self) -> Hand:
        return self._arm

    @property
    def _gripper(self) -> str:
        gap = self.simulation.gap
        return "open" if gap > _OPEN else "closed" if gap < _CLOSED else "half closed"

    def _states(self) -> Mapping[str, str]:
        scene, held = self.simulation, self.simulation.held
        parts = {self._arm.called(one.key): one.part.told for one in scene.all if one.part}
        return {"gripper": self._gripper, "holding": self._arm.called(held) if held else "nothing", **parts}

    def _seen(self) -> Observation:
        scene, held = self.simulation, self.simulation.held
        holding = f"it holds {self._arm.called(held)}" if held else "it holds nothing"
        lines, elements = [f"hand at {at(scene.hand)}, gripper {self._gripper}, {holding}"], list[Element]()
        for number, thing in enumerate(scene.all, start=1):
            state = f", {thing.part.told}" if thing.part else ""
            place = f"at {at(thing.place)}, its top at {thing.high[2]:.3f}"
            lines.append(f'[{number}] {thing.role} "{thing.name}"{state}{"," if state else ""} {place}')
            elements.append(Element(ref=str(number), role=thing.role, name=thing.name))
        lines.append(f"Numbers are metres: right, away from you, up. {STEPS - scene.steps} of {STEPS} steps are left.")
        return Observation(goal=scene.language, text="\n".join(lines), elements=tuple(elements))

    def holds(self, said: str) -> bool | None:
        """Tell whether what a sentence says of the scene is so; None where it cannot be told."""
        return told(said, lambda claim: claimed(claim, self.simulation))

    @property
    def _done(self) -> bool:
        return self.simulation.success

    def _reward(self) -> float:
        return float(self._done)


def start_of(task: Task, count: int) -> int:
    """Return which of so many starts a task's seed means: every third one belongs to its split.

    Raises:
        EnvironmentFailed: There is no further one to measure on.
    """
    own = range(list(Split).index(task.split), count, len(Split))
    number = task.seed - task.split.first_seed
    if own and task.split is not Split.HOLDOUT:
        number %= len(own)
    if not 0 <= number < len(own):
        raise EnvironmentFailed(f"{task.id} has {len(own)} {task.split} starts; there is no number {number}")
    return own[number]
