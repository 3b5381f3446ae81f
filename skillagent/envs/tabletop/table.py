"""Table: the simulation of a scene as hand, gripper and things; a control step is 20 steps of MuJoCo, 0.04 s.

Nothing is welded: what the gripper holds it holds by friction. A control step moves the hand by at most a centimetre
along each axis and turns it by at most eight degrees. It is over once all that is wanted has held for a fifth of a
second, with everything at rest and nothing in the hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from skillagent.envs.drawing import imported
from skillagent.envs.robot.pictures import png
from skillagent.envs.robot.simulator import OPEN, Vector
from skillagent.envs.tabletop.predicates import Now, Predicate
from skillagent.envs.tabletop.scene import TRAVEL, WIDEST, Thing, mjcf
from skillagent.errors import EnvironmentFailed

if TYPE_CHECKING:
    from types import ModuleType

STEPS = 2000  # of an episode
_PHYSICS = 20  # steps of MuJoCo in a control step
_REACH = 0.01  # of a control step
_LEASH = 0.015  # from the hand to where it is driven
_TURN = math.radians(8)
_LOW, _HIGH = (-0.5, -0.4, 0.012), (0.5, 0.4, 0.45)  # where the hand may go
_START = (0.0, -0.2, 0.3)
_SETTLE = 12  # control steps
_STILL = 0.02  # metres and radians/10 a second
_LASTING = 5  # control steps
_SAME = 1e-6  # metres and parts of a turn


class Table:
    """A scene that is being acted in.

    Args:
        things: What stands on the table at the start.
        wanted: What the task asks for.

    Raises:
        ConfigError: MuJoCo is not installed or cannot be loaded.
    """

    second = 25.0
    gain = 25.0  # full speed from four centimetres on

    def __init__(self, things: Sequence[Thing], wanted: Sequence[Predicate] = ()) -> None:
        self.wanted = tuple(wanted)
        self._mujoco = imported("mujoco", "MuJoCo", "robot")
        self._start = tuple(things)
        self.model: Any = self._mujoco.MjModel.from_xml_string(mjcf(things))
        self.data: Any = self._mujoco.MjData(self.model)
        self._warned = self.data.warning.number
        self._qpos, self._qvel, self._ctrl = self.data.qpos, self.data.qvel, self.data.ctrl  # seen once
        self._hand, self._bodies = self._qpos[:3], self.model.geom_bodyid
        cubes = [one.name for one in things if one.role == "cube"]
        joints = {name: self.model.body_jntadr[self.model.body(name).id] for name in cubes}
        self._places = {name: int(self.model.jnt_qposadr[joint]) for name, joint in joints.items()}
        speeds = [int(self.model.jnt_dofadr[joint]) + axis for joint in joints.values() for axis in range(3)]
        self._opening = next((self.model.joint("opening").qposadr[0] for one in things if one.role == "drawer"), None)
        if self._opening is not None:
            speeds.append(int(self.model.joint("opening").dofadr[0]))
        self._speeds = np.array(speeds, dtype=np.intp)
        where = [at + axis for at in self._places.values() for axis in range(7)]
        where += [] if self._opening is None else [int(self._opening)]
        self._where = np.array(where, dtype=np.intp)
        self._looked, self._so = [math.inf] * len(where), False  # where things were when it was asked last, and so
        self._fingers = tuple(self.model.body(name).id for name in ("left", "right"))
        self._cubes = {self.model.body(name).id: name for name in cubes}
        self._aim, self._yaw = list(_START), float(self._ctrl[3])  # where the hand is driven to, in metres and radians
        self._qpos[:3] = _START
        self.turned = 0.0  # degrees that the hand is asked to be turned by
        if self._opening is not None:
            self._qpos[self._opening] = TRAVEL * next(one.opening for one in things if one.role == "drawer")
        self._seen: Now | None = None
        self.steps, self.success, self._lasting = 0, False, 0
        self.watch: Callable[[], None] = lambda: None  # is called after every control step
        for _ in range(_SETTLE):
            self._move(np.zeros(3), OPEN)

    @property
    def over(self) -> bool:
        """True when the task is done, or no step is left."""
        return self.success or self.steps >= STEPS

    @property
    def hand(self) -> Vector:
        """Where the middle between the finger tips is, shape (3,)."""
        place: Vector = self._hand.copy()
        return place

    @property
    def yaw(self) -> float:
        """How far the hand is turned, in degrees, anticlockwise."""
        return math.degrees(self._qpos[3])

    @property
    def gap(self) -> float:
        """How far the gripper is open, in metres."""
        return float(self._qpos[4] + self._qpos[5])

    @property
    def opening(self) -> float:
        """How far the drawer is open, in [0, 1]; there must be one."""
        return float(self._qpos[self._opening]) / TRAVEL

    @property
    def between(self) -> bool:
        """True when something is between the fingers: both touch the same thing."""
        return bool(self._gripped())

    @property
    def held(self) -> str | None:
        """The name of the cube between the fingers."""
        return next((self._cubes[one] for one in self._gripped() if one in self._cubes), None)

    @property
    def free(self) -> bool:
        """True when no cube is between the fingers; both may touch the table."""
        return self.held is None

    def lands(self, name: str) -> bool:
        """Tell whether a cube touches something besides the fingers."""
        return bool(_touched(self.model.body(name).id, self._touching()).difference(self._fingers))

    @property
    def things(self) -> Sequence[tuple[str, str, Vector]]:
        """Role, name and position of all that is on the table."""
        return [(one.role, one.name, np.array(one.place)) for one in self.now.values()]

    @property
    def now(self) -> Now:
        """Everything on the table as it is now, by name."""
        if self._seen is None:
            self._seen = {one.name: self._thing(one) for one in self._start}
        return self._seen

    def step(self, motion: Vector, grip: float) -> bool:
        """Do one control step, and return whether the episode may go on.

        Args:
            motion: Of the hand, each axis in [-1, 1]: a centimetre each way.
            grip: In [-1, 1]: from wide open to closed.

        Raises:
            EnvironmentFailed: The simulation diverged.
        """
        if self.over:
            return False
        self._move(motion, grip)
        self.steps += 1
        self.watch()
        self._lasting = self._lasting + 1 if self.wanted and self.still and self._holds() else 0
        self.success = self._lasting >= _LASTING
        return not self.over

    @property
    def still(self) -> bool:
        """True when nothing but the hand moves."""
        return max(map(abs, self._qvel[self._speeds].tolist()), default=0.0) < _STILL

    def picture(self) -> bytes:
        """Return the present view as PNG; raises ConfigError where there is nothing to draw with."""
        return png(partial(_drawn, self._mujoco, self.model, self.data))

    def close(self) -> None:
        """Let go of nothing: MuJoCo frees what nobody holds."""

    def _holds(self) -> bool:
        """Tell whether all that is wanted holds and the hand is empty; asked anew where a thing has moved."""
        places = self._qpos[self._where].tolist()
        moved = not places or math.dist(places, self._looked) > _SAME
        if (moved or self._so) and self.held is not None:
            return False
        if moved:
            self._looked, self._so = places, all(one.holds(self.now) for one in self.wanted)
        return self._so

    def _move(self, motion: Vector, grip: float) -> None:
        # Plain numbers: each call of NumPy costs a percent of the physics.
        each = zip(self._aim, motion.tolist(), self._hand.tolist(), _LOW, _HIGH, strict=True)
        self._aim = [
            _within(_within(at + _REACH * _within(asked, -1.0, 1.0), here - _LEASH, here + _LEASH), low, high)
            for at, asked, here, low, high in each
        ]
        self._yaw += _within(math.radians(self.turned) - self._yaw, -_TURN, _TURN)
        width = WIDEST / 4 * (1 - _within(grip, -1.0, 1.0))
        self._ctrl[:5] = (*self._aim, self._yaw, width)
        self._mujoco.mj_step(self.model, self.data, nstep=_PHYSICS)
        self._seen = None
        if any(self._warned.tolist()) or not math.isfinite(sum(self._qpos.tolist())):
            raise EnvironmentFailed("the simulation diverged")

    def _touching(self) -> list[tuple[int, int]]:
        """Return which bodies touch each other."""
        pairs: list[tuple[int, int]] = self._bodies[self.data.contact.geom].tolist()
        return pairs

    def _gripped(self) -> set[int]:
        """Return the bodies that both fingers touch."""
        pairs = self._touching()
        left, right = (_touched(finger, pairs) for finger in self._fingers)
        return left & right

    def _thing(self, thing: Thing) -> Thing:
        if thing.role == "drawer":
            opening, (x, y, z) = self.opening, thing.place
            return replace(thing, opening=opening, place=(x, y + (thing.opening - opening) * TRAVEL, z))
        if thing.role != "cube":
            return thing
        at = self._places[thing.name]
        x, y, z, *quat = self._qpos[at : at + 7].tolist()
        # half of what `replace` takes, and this is done for every cube whenever one of them has moved
        return Thing(thing.role, thing.name, (x, y, z), thing.size, thing.colour, thing.word, _yaw(quat))


def _touched(body: int, pairs: Sequence[tuple[int, int]]) -> set[int]:
    return {other if one == body else one for one, other in pairs if body in (one, other)}


def _within(number: float, low: float, high: float) -> float:
    """Return the nearest number that is not below `low`, nor above `high`."""
    return low if number < low else high if number > high else number  # a third of what min and max take


def _yaw(quat: Sequence[float]) -> float:
    """Return how far a cube is turned, in degrees in [-45, 45): a quarter turn makes no difference to it."""
    w, x, y, z = quat
    axes = (
        (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
        (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
        (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
    )
    level = min(axes, key=lambda axis: abs(axis[2]))
    return (math.degrees(math.atan2(level[1], level[0])) + 45) % 90 - 45


def _drawn(mujoco: ModuleType, model: object, data: object) -> Any:  # noqa: ANN401 - mujoco's arrays
    renderer = mujoco.Renderer(model, 480, 640)
    try:
        renderer.update_scene(data, camera="view")
        return renderer.render()
    finally:
        renderer.close()
