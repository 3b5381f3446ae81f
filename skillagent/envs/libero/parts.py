"""Parts: what of a thing moves by itself, a drawer, a door or a knob, as LIBERO's joints and predicates tell it.

Positions and ways are as the robot sees them: right, away from it, up, in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skillagent.envs.robot.simulator import Vector

_OURS = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # right, away, up from LIBERO's axes
_SHUT = 0.03  # of an opening, within which nobody sees a gap


@dataclass(frozen=True)
class Part:
    """What moves along a rail or about a hinge.

    `opening` is from 0, where it is shut or off, to 1. `state` is `open`, `closed`, `on`, `off`, or empty between them.
    `way` is the direction in which its grip moves as it opens, and `low` and `high` are corners of that grip. `axis` is
    that of its hinge, through `anchor`, about which it opens anticlockwise; of a rail it is zero.
    """

    kind: Literal["drawer", "door", "knob"]
    opening: float
    state: str
    way: Vector
    low: Vector
    high: Vector
    axis: Vector
    anchor: Vector

    @property
    def told(self) -> str:
        """How it is, in words: `closed`, `40 % open`."""
        return self.state or f"{100 * self.opening:.0f} % {'on' if self.kind == 'knob' else 'open'}"

    @property
    def grip(self) -> Vector:
        """The middle of what is gripped, shape (3,)."""
        middle: Vector = (self.low + self.high) / 2
        return middle


def part_of(env: Any, key: str) -> Part | None:  # noqa: ANN401 - LIBERO's environment
    """Return what of a thing moves by one joint of its own, as it is now; None where nothing does."""
    site, state = env.object_sites_dict.get(key), env.object_states_dict[key]
    thing = env.get_object(site.parent_name if site is not None else key)
    joints: Sequence[str] = getattr(site if site is not None else thing, "joints", None) or ()
    model, data = env.sim.model._model, env.sim.data._data
    if len(joints) != 1 or thing is None or model.joint(joints[0]).type[0] not in (2, 3):
        return None
    joint, knob = model.joint(joints[0]), hasattr(thing, "turn_on")
    try:
        ended = thing.turn_on if knob else thing.is_open
        end = next((one for one in joint.range if ended(one)), None)
        begun, over = (state.turn_off(), state.turn_on()) if knob else (state.is_close(), state.is_open())
    except NotImplementedError:  # LIBERO does not say when such a thing is open
        return None
    if end is None:
        return None
    shut = float(np.clip(0.0, *joint.range))
    opening = float(np.clip((data.qpos[joint.qposadr[0]] - shut) / (end - shut), 0, 1))
    begun = not over and (begun or opening < _SHUT)
    names = ("off", "on") if knob else ("closed", "open")
    axis, anchor = ours(data.xaxis[joint.id]) * np.sign(end - shut), ours(data.xanchor[joint.id])
    kind: Literal["drawer", "door", "knob"] = "knob" if knob else "drawer" if joint.type[0] == 2 else "door"
    low, high = _grip(model, data, joint.bodyid[0], kind, axis, anchor)
    way = axis if kind == "drawer" else _unit(np.cross(axis, (low + high) / 2 - anchor))
    hinge = np.zeros(3) if kind == "drawer" else axis
    return Part(kind, opening, names[1] if over else names[0] if begun else "", way, low, high, hinge, anchor)


@dataclass(frozen=True)
class Pieces:
    """What bodies are made of, as boxes: their middles and half their sizes, shape (n, 3), along axes, (n, 3, 3)."""

    middle: Vector
    half: Vector
    axes: Vector

    def __getitem__(self, some: NDArray[np.bool_]) -> Pieces:
        return Pieces(self.middle[some], self.half[some], self.axes[some])

    @property
    def low(self) -> Vector:
        """Their lowest corners, shape (n, 3)."""
        return self.middle - self._reach

    @property
    def high(self) -> Vector:
        """Their highest corners, shape (n, 3)."""
        return self.middle + self._reach

    @property
    def _reach(self) -> Vector:
        reach: Vector = np.einsum("nij,nj->ni", np.abs(self.axes), self.half)
        return reach


def pieces(model: Any, data: Any) -> Pieces:  # noqa: ANN401 - mujoco's arrays
    """Return the pieces of all bodies, as they are now."""
    turn = data.geom_xmat.reshape(-1, 3, 3)
    middle = data.geom_xpos + np.einsum("nij,nj->ni", turn, model.geom_aabb[:, :3])
    return Pieces(middle @ _OURS.T, model.geom_aabb[:, 3:], np.einsum("ij,njk->nik", _OURS, turn))


def ours(place: Any) -> Vector:  # noqa: ANN401 - mujoco's arrays
    """Turn away, left, up into right, away, up."""
    turned: Vector = _OURS @ np.asarray(place, dtype=float)
    return turned


def _grip(model: Any, data: Any, body: int, kind: str, axis: Vector, anchor: Vector) -> tuple[Vector, Vector]:  # noqa: ANN401
    """Return the corners of what is gripped: the foremost piece of a drawer, a door's outer one, a knob's highest."""
    own = pieces(model, data)[(model.geom_bodyid == body) & (model.geom_contype > 0)]

    def foremost(piece: tuple[Vector, Vector]) -> float:
        middle = (piece[0] + piece[1]) / 2
        match kind:
            case "drawer":
                return float(middle @ axis)
            case "knob":
                return float(piece[1][2])
            case _:
                return float(np.linalg.norm(np.cross(axis, middle - anchor)))

    return max(zip(own.low, own.high, strict=True), key=foremost)


def _unit(way: Vector) -> Vector:
    long = float(np.linalg.norm(way))
    return way / long if long else way
