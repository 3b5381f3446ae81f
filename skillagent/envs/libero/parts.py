"""Parts: what of a thing moves by itself, a drawer, a door or a knob, as LIBERO's joints and predicates tell it.

Positions and ways are as the robot sees them: right, away from it, up, in metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from skillagent.envs.robot.simulator import Vector

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
    joints = getattr(site if site is not None else thing, "joints", None) or ()
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


def boxes(model: Any, data: Any) -> tuple[Vector, Vector]:  # noqa: ANN401 - mujoco's arrays
    """Return the lowest and the highest corner of every piece of every body, shape (pieces, 3) each."""
    turn = data.geom_xmat.reshape(-1, 3, 3)
    middle = data.geom_xpos + np.einsum("nij,nj->ni", turn, model.geom_aabb[:, :3])
    half = np.einsum("nij,nj->ni", np.abs(turn), model.geom_aabb[:, 3:])
    middle, half = middle[:, [1, 0, 2]] * [-1, 1, 1], half[:, [1, 0, 2]]
    return middle - half, middle + half


def ours(place: Any) -> Vector:  # noqa: ANN401 - mujoco's arrays
    """Turn away, left, up into right, away, up."""
    return np.array([-place[1], place[0], place[2]], dtype=float)


def _grip(model: Any, data: Any, body: int, kind: str, axis: Vector, anchor: Vector) -> tuple[Vector, Vector]:  # noqa: ANN401
    """Return the corners of what is gripped: the foremost piece of a drawer, a door's outer one, a knob's highest."""
    low, high = boxes(model, data)
    own = np.flatnonzero((model.geom_bodyid == body) & (model.geom_contype > 0))
    pieces = [(low[one], high[one]) for one in own]

    def foremost(piece: tuple[Vector, Vector]) -> float:
        middle = (piece[0] + piece[1]) / 2
        match kind:
            case "drawer":
                return float(middle @ axis)
            case "knob":
                return float(piece[1][2])
            case _:
                return float(np.linalg.norm(np.cross(axis, middle - anchor)))

    return max(pieces, key=foremost)


def _unit(way: Vector) -> Vector:
    long = float(np.linalg.norm(way))
    return way / long if long else way
