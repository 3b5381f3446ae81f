"""Tabletop: long tasks of picking and placing at a table, as an environment of its own on MuJoCo.

The seed draws what stands where, what is asked, and in which of three wordings. An episode has 2000 control steps,
however many verbs they make up. The reward is the share of what is wanted that holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from skillagent.envs.noted import at
from skillagent.envs.said import told
from skillagent.envs.simulated import Filmed
from skillagent.envs.tabletop.actions import ACTIONS, EXAMPLES, Gripper
from skillagent.envs.tabletop.claims import claimed
from skillagent.envs.tabletop.predicates import lone, under
from skillagent.envs.tabletop.scene import Thing
from skillagent.envs.tabletop.table import STEPS, Table
from skillagent.envs.tabletop.tasks import Asked, draw, wordings
from skillagent.envs.verbs import Verbs
from skillagent.schema import Element, Observation, Task

_CLOSED, _OPEN = 0.004, 0.06  # metres between the fingers


class Tabletop(Filmed[Table]):
    """Tasks at a table as an environment."""

    world = "tabletop"
    lasting = False  # each seed has things of its own
    between = 3
    fps = Table.second / between

    def __init__(self) -> None:
        super().__init__(Verbs(ACTIONS, EXAMPLES))

    @property
    def asked(self) -> Asked:
        """What the present task's seed drew."""
        assert self._task is not None, "reset first"
        return self._asked

    def holds(self, said: str) -> bool | None:
        """Tell whether what a sentence says of the table is so now; None where it cannot be told."""
        table = self.simulation
        return told(said, lambda claim: claimed(claim, table.now, table.held))

    def _names(self) -> Collection[str]:
        return wordings()

    def _made(self, task: Task) -> Table:
        self._asked = draw(task.name, task.seed)
        return Table(self._asked.things, self._asked.wanted)

    def _begin(self, task: Task) -> None:
        self._arm = Gripper(self.simulation)

    def _hand(self) -> Gripper:
        return self._arm

    @property
    def _gripper(self) -> str:
        gap = self.simulation.gap
        return "open" if gap > _OPEN else "closed" if gap < _CLOSED else "half closed"

    def _states(self) -> Mapping[str, str]:
        table, held = self.simulation, self.simulation.held
        drawers = [one for one in table.now.values() if one.role == "drawer"]
        return {
            "turned by": f"{round(table.yaw) + 0} degrees",
            "gripper": self._gripper,
            "holding": self._arm.called(held) if held else "nothing",
            **{self._arm.called(one.name): f"{one.percent} % open" for one in drawers},
        }

    def _seen(self) -> Observation:
        table, held = self.simulation, self.simulation.held
        holding = f"it holds {self._arm.called(held)}" if held else "it holds nothing"
        lines = [
            f"hand at {at(table.hand)}, turned by {round(table.yaw) + 0} degrees, gripper {self._gripper}, {holding}"
        ]
        elements = list[Element]()
        for number, thing in enumerate(table.now.values(), start=1):
            below = under(table.now, thing) if thing.role == "cube" and thing.name != held else None
            there = "in the hand" if thing.name == held else self._there(thing, below)
            lines.append(f'[{number}] {thing.role} "{thing.name}"{_told(thing, there)}')
            elements.append(_element(str(number), thing, below))
        lines.append(f"Numbers are metres: right, away from you, up. {STEPS - table.steps} of {STEPS} steps are left.")
        return Observation(goal=self._asked.goal, text="\n".join(lines), elements=tuple(elements))

    def _there(self, thing: Thing, below: Thing | None) -> str:
        return lone(thing) if below is None else f"{_how(below)} {self._arm.called(below.name)}"

    @property
    def _done(self) -> bool:
        return self.simulation.success

    def _reward(self) -> float:
        """Return how much of what was wanted holds; all of it that is in the hand, or moves, is not done."""
        if self._done:
            return 1.0
        wanted = self.asked.wanted
        return min(sum(one.holds(self.simulation.now) for one in wanted), len(wanted) - 1) / len(wanted)


def _told(thing: Thing, there: str) -> str:
    """Say what is seen of a thing, after its name; of a cube, what it lies on or in."""
    if thing.role == "drawer":
        return f", {thing.percent} % open, its handle at {at(thing.place)}"
    if thing.role != "cube":
        return f" at {at(thing.place)}"
    told = f"{thing.word}, {2 * thing.size[0]:.2f} wide, turned by {round(thing.yaw) + 0} degrees"
    return f" ({told}) at {at(thing.place)}, {there}"


def _element(ref: str, thing: Thing, below: Thing | None) -> Element:
    return Element(
        ref=ref,
        role=thing.role,
        name=thing.name,
        value=f"{thing.percent} %" if thing.role == "drawer" else None,
        states=(thing.word,) if thing.word else (),
        within=below.name if below else "",
    )


def _how(below: Thing) -> str:
    return "in" if below.role in ("bowl", "drawer") else "on"
