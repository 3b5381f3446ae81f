"""A control step of LIBERO that works each state out once: it ends where robosuite's own does, to the last bit."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from skillagent.envs.libero.thrift import once

FALLING = """<mujoco><worldbody><geom type="plane" size="1 1 0.1"/>
  <body pos="0 0 0.08"><freejoint/><geom type="box" size="0.05 0.04 0.03" euler="10 20 0"/></body>
  <body pos="0.07 0 0.05"><joint name="rail" type="slide" axis="1 0 0"/><geom type="sphere" size="0.03"/></body>
  </worldbody><actuator><motor joint="rail" gear="5"/></actuator></mujoco>"""


class Stepping:
    """What of robosuite's simulation a control step asks."""

    def __init__(self, mujoco, model, data):
        self.mujoco, self.given = mujoco, (model, data)
        self.model, self.data = SimpleNamespace(_model=model), SimpleNamespace(_data=data)

    def forward(self):
        self.mujoco.mj_forward(*self.given)

    def step(self):
        self.mujoco.mj_step(*self.given)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_states_are_worked_out_once_and_lead_where_they_did(times):
    mujoco = pytest.importorskip("mujoco")
    model = mujoco.MjModel.from_xml_string(FALLING)
    ends, calls = [], []
    for thrifty in (False, True):
        data = mujoco.MjData(model)
        counted = SimpleNamespace(
            mjtStage=mujoco.mjtStage,
            mj_forward=lambda *given: (calls.append("all"), mujoco.mj_forward(*given)),
            mj_forwardSkip=mujoco.mj_forwardSkip,
            mj_step=lambda *given: (calls.append("all"), mujoco.mj_step(*given)),
            mj_step2=mujoco.mj_step2,
        )
        sim = Stepping(mujoco, model, data)
        for _ in range(4):
            with once(sim, counted) if thrifty else nullcontext():
                for number in range(50):
                    for _ in range(times):
                        sim.forward()
                    data.ctrl[:] = 0.3 * np.sin(number)
                    sim.step()
        ends.append(np.concatenate([data.qpos, data.qvel, data.qacc_warmstart]))
    assert data.ncon > 0
    assert np.array_equal(*ends)
    assert calls == ["all"] * 200
    assert "forward" not in vars(sim)
