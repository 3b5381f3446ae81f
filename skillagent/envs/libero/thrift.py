"""Thrift: a control step of LIBERO without working the same out three times, to the last bit as it was.

robosuite has MuJoCo work everything out before its controller is asked, once more in the controller, and a third time
in `mj_step`, all of the same state. Here places, contacts and velocities are worked out once; `mj_step2` goes on from
there with what the actuators do. What a reader would get wrong: the forces are still solved for each time, as each
solution is where the next begins, and that shows in the last bits. It holds within a control step alone: nothing but
physics moves anything there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def once(sim: Any, mujoco: Any) -> Iterator[None]:  # noqa: ANN401 - robosuite's and mujoco's
    """Let robosuite's simulation work out each state once; at the end it is as it was.

    Args:
        sim: Its `forward` and `step` are replaced meanwhile.
        mujoco: The module, or what counts in its place.
    """
    model, data, known = sim.model._model, sim.data._data, False

    def forward() -> None:
        nonlocal known
        if known:
            mujoco.mj_forwardSkip(model, data, mujoco.mjtStage.mjSTAGE_VEL, 0)
        else:
            mujoco.mj_forward(model, data)
        known = True

    def step() -> None:
        nonlocal known
        (mujoco.mj_step2 if known else mujoco.mj_step)(model, data)
        known = False

    sim.forward, sim.step = forward, step
    try:
        yield
    finally:
        del sim.forward, sim.step
