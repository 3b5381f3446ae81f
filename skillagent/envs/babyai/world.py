"""BabyAI: the levels of minigrid's BabyAI as an environment. The seed draws the rooms and the mission.

The agent knows what it has seen, and acts by verbs that walk as far as they must. A level has so many control steps,
turns and steps alike, however many verbs they make up. What happens to a thing out of sight is nothing: it stays.
"""

from __future__ import annotations

from collections.abc import Collection

from skillagent.envs.babyai.actions import ACTIONS
from skillagent.envs.babyai.claims import claimed
from skillagent.envs.babyai.walker import Walker, levels
from skillagent.envs.said import told
from skillagent.envs.simulated import Simulated
from skillagent.envs.verbs import Verbs
from skillagent.schema import Element, Observation, Task


class BabyAI(Simulated[Walker]):
    """The levels of BabyAI as an environment."""

    world = "babyai"

    def __init__(self) -> None:
        super().__init__(Verbs(ACTIONS))

    def reached(self, _: Task) -> str | None:
        """Return the mission of the level's kind that is fulfilled now, though another was set; None where none is."""
        return self.simulation.reached()

    def holds(self, said: str) -> bool | None:
        """Tell whether what a sentence says of the rooms is so, as far as they were seen; None where none can tell."""
        return told(said, lambda claim: claimed(claim, self.simulation))

    def _names(self) -> Collection[str]:
        return levels()

    def _made(self, task: Task) -> Walker:
        return Walker(task.name)

    def _begin(self, task: Task) -> None:
        self.simulation.reset(task.seed, task.goal)

    def _hand(self) -> Walker:
        return self.simulation

    def _seen(self) -> Observation:
        walker = self.simulation
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

    @property
    def _done(self) -> bool:
        return self.simulation.ended

    def _reward(self) -> float:
        return self.simulation.reward
