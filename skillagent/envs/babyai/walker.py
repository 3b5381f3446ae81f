"""Walker: what has been seen of a BabyAI level, and ways through it.

The agent sees seven by seven cells before it; what it saw once it knows, as nothing else moves. A cell is (x, y), the
way it looks is "ahead". Nothing is known of cells that it did not see.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import BytesIO, StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skillagent.errors import ConfigError, InvalidAction

Cell = tuple[int, int]

_MISSION = re.compile(r"(go to|pick up) (?:a|the) (\w+) (ball|box|key|door)")
_THINGS = ("ball", "box", "key", "door")
_AROUND: tuple[Cell, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))  # by the direction that minigrid numbers 0 to 3
_LEFT, _RIGHT, _FORWARD = 0, 1, 2
PICK_UP, DROP, TOGGLE = 3, 4, 5


@dataclass(frozen=True)
class Thing:
    """Something that stands in a cell; `start` says where it was from where the agent began, in the same room."""

    ref: str
    kind: str
    color: str
    cell: Cell
    start: str = ""
    state: str = ""

    @property
    def name(self) -> str:
        """What a mission calls it, e.g. `red ball`."""
        return f"{self.color} {self.kind}"


@cache
def levels() -> dict[str, str]:
    """Return BabyAI's levels by name, e.g. `GoToObj`, with the ids they are registered under.

    Raises:
        ConfigError: minigrid is not installed.
    """
    try:
        import gymnasium
        import minigrid  # noqa: F401 - registers the levels
    except ImportError as error:
        raise ConfigError(f"BabyAI is not installed ({error}); pip install 'skillagent[robot]'") from error
    ids = sorted(one for one in gymnasium.registry if one.startswith("BabyAI-"))
    return {one.removeprefix("BabyAI-").rpartition("-v")[0]: one for one in ids}


class Walker:
    """An agent in a level.

    Args:
        level: One of `levels`.
    """

    def __init__(self, level: str) -> None:
        import gymnasium

        # Any: minigrid has no types
        made: Any = gymnasium.make(levels()[level], render_mode="rgb_array", disable_env_checker=True)
        self.env: Any = made.unwrapped

    def reset(self, seed: int, mission: str = "") -> None:
        """Bring the level to the start that its seed draws; a mission of its kind is set instead, where it can be."""
        with redirect_stdout(StringIO()):  # it prints what it drew and threw away
            seen, _ = self.env.reset(seed=seed)
        if mission:
            self._set(mission)
        self.reward, self.ended, self.over = 0.0, False, False
        self._known: list[Any] = []
        self._seen: set[Cell] = set()
        self._size = (int(self.env.width), int(self.env.height))
        self._began = (self.cell, int(self.env.agent_dir))
        self._look(seen["image"])

    def reached(self) -> str | None:
        """Return the mission that is fulfilled now instead of a level's only one, to go to a thing or pick one up."""
        from minigrid.envs.babyai.core.verifier import GoToInstr, PickupInstr

        match self.env.instrs:
            case GoToInstr():
                verb, thing = "go to", self._at(self.front)
            case PickupInstr():
                verb, thing = "pick up", self.env.carrying
            case _:
                return None
        if thing is None or thing.type not in _THINGS or any(thing is one for one in self.env.instrs.desc.obj_set):
            return None
        things = [one for one in (*self.env.grid.grid, self.env.carrying) if one is not None]
        alike = sum((one.type, one.color) == (thing.type, thing.color) for one in things)
        return f"{verb} {'a' if alike > 1 else 'the'} {thing.color} {thing.type}"

    def _set(self, mission: str) -> None:
        """Set another mission of the level's kind, under BabyAI's own check, if it can be done and is not done yet."""
        from minigrid.envs.babyai.core import verifier

        said, level = _MISSION.fullmatch(mission), self.env.instrs
        things = [(one.color, one.type) for one in self.env.grid.grid if one is not None]
        if said is None or (said[2], said[3]) not in things:
            return
        of: Any = verifier.ObjDesc  # Any: minigrid has no types
        asked: Any = None
        if isinstance(level, verifier.GoToInstr) and said[1] == "go to":
            asked = type(level)(of(said[3], said[2]))
        elif isinstance(level, verifier.PickupInstr) and said[1] == "pick up" and said[3] != "door":
            asked = type(level)(of(said[3], said[2]), strict=level.strict)
        if asked is None or asked.surface(self.env) != mission:
            return
        asked.reset_verifier(self.env)
        if asked.verify(None) == "continue":
            self.env.instrs, self.env.mission = asked, mission

    @property
    def mission(self) -> str:
        """What is asked, in BabyAI's words."""
        return str(self.env.mission)

    @property
    def cell(self) -> Cell:
        """Where the agent stands."""
        x, y = self.env.agent_pos
        return int(x), int(y)

    @property
    def carried(self) -> str:
        """What the agent carries, e.g. `red key`, or nothing."""
        held = self.env.carrying
        return f"{held.color} {held.type}" if held else ""

    @property
    def left(self) -> int:
        """Control steps that are left."""
        return int(self.env.max_steps - self.env.step_count)

    def things(self) -> list[Thing]:
        """Return what was seen and still stands somewhere, in the order in which it was seen."""
        known, width = {id(one) for one in self._known}, self._size[0]
        standing = {id(one): (at % width, at // width) for at, one in enumerate(self.env.grid.grid) if id(one) in known}
        cells = {one: cell for one, cell in standing.items() if cell in self._seen}
        return [
            Thing(str(number), one.type, one.color, cells[id(one)], self._start(cells[id(one)]), _state(one))
            for number, one in enumerate(self._known, start=1)
            if id(one) in cells
        ]

    def thing(self, ref: str) -> Thing:
        """Return the thing with that ref; raises InvalidAction where there is none."""
        things = self.things()
        found = next((one for one in things if one.ref == ref), None)
        if found is None:
            raise InvalidAction(f"no thing [{ref}] is in sight: {_listed(things) or 'there is none yet; explore'}")
        return found

    def bearing(self, cell: Cell) -> str:
        """Say where a cell is from here, e.g. `3 ahead, 1 left`."""
        ahead, right = _turned(cell, self.cell, int(self.env.agent_dir))
        told = (
            f"{abs(ahead)} {'ahead' if ahead > 0 else 'behind'}" if ahead else "",
            f"{abs(right)} {'right' if right > 0 else 'left'}" if right else "",
        )
        return ", ".join(one for one in told if one) or "here"

    def do(self, control: int) -> None:
        """Do one control step, unless the level is over."""
        if self.over:
            return
        seen, reward, terminated, truncated, _ = self.env.step(control)
        self.reward, self.ended, self.over = float(reward > 0), bool(terminated), bool(terminated or truncated)
        self._look(seen["image"])

    def turn(self, right: bool) -> None:
        """Look to the right or the left."""
        self.do(_RIGHT if right else _LEFT)

    def forward(self) -> None:
        """Take one step ahead; raises InvalidAction where something is in the way."""
        before = self.cell
        if not self._open(self.front):
            raise InvalidAction(f"{self._told(self.front)} is in the way")
        self.do(_FORWARD)
        assert self.over or self.cell != before

    @property
    def front(self) -> Cell:
        """The cell ahead."""
        return _beside(self.cell, int(self.env.agent_dir))

    def face(self, cell: Cell) -> None:
        """Turn until a neighbouring cell is ahead."""
        wanted = next(way for way in range(4) if _beside(self.cell, way) == cell)
        while not self.over and (turns := (wanted - int(self.env.agent_dir)) % 4):
            self.turn(right=turns != 3)

    def walk(self, path: list[Cell]) -> None:
        """Walk from cell to cell, each beside the one before."""
        for cell in path:
            if self.over:
                return
            self.face(cell)
            self.do(_FORWARD)

    def go_before(self, thing: Thing) -> None:
        """Walk until a thing is right ahead; raises InvalidAction where no way is known."""
        path = self.way(lambda cell: thing.cell in neighbours(cell))
        if path is None:
            raise InvalidAction(f"no way to {_named(thing)} is known: {self.standing_before(thing) or 'explore first'}")
        self.walk(path)
        if not self.over:
            self.face(thing.cell)

    def way(self, there: Callable[[Cell], bool], past: Callable[[Cell], bool] | None = None) -> list[Cell] | None:
        """Return the shortest way over known cells to one of which `there` holds, without the cell of now, or None."""
        came: dict[Cell, Cell | None] = {self.cell: None}
        queue = deque([self.cell])
        while queue:
            cell = queue.popleft()
            if there(cell):
                path = [cell]
                while (before := came[path[-1]]) is not None:
                    path.append(before)
                return path[-2::-1]
            for beside in neighbours(cell):
                if beside not in came and beside in self._seen and (past or self._open)(beside):
                    came[beside] = cell
                    queue.append(beside)
        return None

    def standing_before(self, thing: Thing) -> str:
        """Say what stands in the way to a thing, as far as it is known; nothing where the way is free."""
        standing = {one.cell: one for one in self.things()}
        path = self.way(lambda cell: thing.cell in neighbours(cell), lambda cell: self._open(cell) or cell in standing)
        blocking = next((standing[cell] for cell in path or () if not self._open(cell)), None)
        return f"{_named(blocking)} stands in the way" if blocking else ""

    def free(self, cell: Cell) -> bool:
        """Tell whether something can be put down in a cell."""
        return cell in self._seen and self._at(cell) is None and cell != self.cell

    def unseen(self, cell: Cell) -> list[Cell]:
        """Return the cells beside one that were not seen yet."""
        return [one for one in neighbours(cell) if one not in self._seen and self._inside(one)]

    def opens(self, thing: Thing) -> bool:
        """Tell whether a door can be opened as things are."""
        return thing.state != "locked" or self.carried == f"{thing.color} key"

    def picture(self) -> bytes:
        """Return the whole level as PNG."""
        from PIL import Image

        out = BytesIO()
        Image.fromarray(self.env.get_frame()).save(out, "PNG")
        return out.getvalue()

    def close(self) -> None:
        """Let go of the level."""
        self.env.close()

    def _at(self, cell: Cell) -> Any:  # noqa: ANN401 - minigrid has no types
        return self.env.grid.grid[cell[1] * self._size[0] + cell[0]]

    def _inside(self, cell: Cell) -> bool:
        return 0 <= cell[0] < self._size[0] and 0 <= cell[1] < self._size[1]

    def _open(self, cell: Cell) -> bool:
        there = self._at(cell)
        return there is None or bool(there.can_overlap())

    def _look(self, image: NDArray[np.uint8]) -> None:
        """Know what minigrid shows: from left to right, then from afar to near, with 0 for what is not in sight."""
        (x, y), (along, across), size = self.cell, _AROUND[int(self.env.agent_dir)], len(image)
        cells = list[Cell]()
        for column, row in np.argwhere(image[:, :, 0]).tolist():
            ahead, right = size - 1 - row, column - size // 2
            cell = x + ahead * along - right * across, y + ahead * across + right * along
            if self._inside(cell):
                cells.append(cell)
        self._seen.update(cells)
        for cell in sorted(cells):
            there = self._at(cell)
            if there is not None and there.type in _THINGS and not any(there is one for one in self._known):
                self._known.append(there)

    def _start(self, cell: Cell) -> str:
        """Say where a cell was from where the agent began, as missions do: only within its first room."""
        began, looking = self._began
        if not self.env.room_from_pos(*began).pos_inside(*cell):
            return ""
        ahead, right = _turned(cell, began, looking)
        told = (
            "in front of you" if ahead > 0 else "behind you" if ahead else "",
            "on your right" if right > 0 else "on your left" if right else "",
        )
        return ", ".join(one for one in told if one)

    def _told(self, cell: Cell) -> str:
        return next((_named(one) for one in self.things() if one.cell == cell), "a wall")


def _state(thing: Any) -> str:  # noqa: ANN401
    if thing.type != "door":
        return ""
    return "open" if thing.is_open else "locked" if thing.is_locked else "closed"


def _beside(cell: Cell, way: int) -> Cell:
    return cell[0] + _AROUND[way][0], cell[1] + _AROUND[way][1]


def neighbours(cell: Cell) -> list[Cell]:
    """Return the four cells beside a cell."""
    x, y = cell
    return [(x + 1, y), (x, y + 1), (x - 1, y), (x, y - 1)]  # in the order of `_AROUND`


def _turned(cell: Cell, origin: Cell, looking: int) -> Cell:
    """Return how far ahead and how far to the right a cell is of an origin that looks some way."""
    x, y = cell[0] - origin[0], cell[1] - origin[1]
    ahead = _AROUND[looking]
    return x * ahead[0] + y * ahead[1], y * ahead[0] - x * ahead[1]


def _named(thing: Thing) -> str:
    return f'[{thing.ref}] "{thing.name}"' + (f" ({thing.state})" if thing.state else "")


def _listed(things: list[Thing]) -> str:
    return ", ".join(f'[{one.ref}] "{one.name}"' for one in things)
