"""MetaWorld: fifty things that an arm can do, as an environment. It says where things are and moves by primitives.

The seed draws where things stand and in which of three wordings the task is told. An episode has 500 control steps,
however many primitives they make up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from skillagent.envs.noted import at
from skillagent.envs.robot.claims import claimed, state_of
from skillagent.envs.robot.phases import Recorded, recorded, ways
from skillagent.envs.robot.primitives import EXAMPLES, PRIMITIVES, Arm
from skillagent.envs.robot.simulator import STEPS, Simulator, descriptions
from skillagent.envs.said import told
from skillagent.envs.simulated import Filmed
from skillagent.envs.verbs import Verbs
from skillagent.schema import Action, Element, Observation, Task


class MetaWorld(Filmed[Simulator]):
    """The fifty tasks of Meta-World as an environment."""

    world = "metaworld"
    between = 5
    fps = Simulator.second / between

    def __init__(self) -> None:
        super().__init__(Verbs(PRIMITIVES, EXAMPLES))

    def _names(self) -> Collection[str]:
        return descriptions()

    def _made(self, task: Task) -> Simulator:
        return Simulator(task.name)

    def _begin(self, task: Task) -> None:
        self.simulation.reset(task.seed)
        self._arm = Arm(self.simulation)

    def _hand(self) -> Arm:
        return self._arm

    def _states(self) -> Mapping[str, str]:
        return {"gripper": self._gripper}

    @property
    def _gripper(self) -> str:
        touch = self.simulation.touch
        return f"{state_of(self.simulation.gap)}, it {f'{touch} something' if touch else 'touches nothing'}"

    def _seen(self) -> Observation:
        sim = self.simulation
        lines, elements = [f"hand at {at(sim.hand)}, gripper {self._gripper}"], []
        for number, (role, name, place) in enumerate(sim.things, start=1):
            lines.append(f'[{number}] {role} "{name}" at {at(place)}, that is {at(place - sim.hand)} from the hand')
            elements.append(Element(ref=str(number), role=role, name=name))
        lines.append(f"Numbers are metres: right, away from you, up. {STEPS - sim.steps} of {STEPS} steps are left.")
        goal = sim.described.say[self.task.seed % len(sim.described.say)]
        return Observation(goal=goal, text="\n".join(lines), elements=tuple(elements))

    def holds(self, said: str) -> bool | None:
        """Tell whether what a sentence says of the scene is so; None where it cannot be told."""
        return told(said, lambda claim: claimed(claim, self.simulation))

    def shows(self, task: Task) -> list[Action] | None:
        """Return what the task's scripted policy does, said in verbs that do it again; None where it fails."""
        self.reset(task)
        demo = recorded(self.simulation, task.name, task.seed)
        return None if demo is None else self.retold(task, demo)

    def retold(self, task: Task, demo: Recorded) -> list[Action] | None:
        """Return the first way to say a demonstration in verbs that does a task, tried in turn; None: none does."""
        self.reset(task)
        for actions in ways(self.simulation, demo):
            self.reset(task)
            if any(self.step(action).reward == 1.0 for action in actions):
                return actions
        return None

    @property
    def _done(self) -> bool:
        return self.simulation.success

    def _reward(self) -> float:
        return float(self._done)
