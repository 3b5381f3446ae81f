"""Turns: rotations, whose package is loaded where one is made. A vector is an axis times radians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skillagent.envs.robot.simulator import Vector

if TYPE_CHECKING:
    from scipy.spatial.transform import Rotation


def rotation(vector: Vector | Sequence[float]) -> Rotation:
    """Return the rotation by a vector, shape (3,)."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(vector)


def rotation_of(axes: Vector) -> Rotation:
    """Return the rotation whose matrix has these columns, shape (3, 3)."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(axes)
