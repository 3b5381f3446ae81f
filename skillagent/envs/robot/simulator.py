"""Simulator: one Meta-World task as hand, gripper and things with positions; 500 control steps an episode.

Positions are in metres, x to the right, y away from the robot, z up. A control step moves the hand by at most a
centimetre along each axis. Source: Meta-World 3, whose tasks and success predicates are used as they are.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field

from skillagent.envs.drawing import imported
from skillagent.envs.robot.pictures import png
from skillagent.errors import EnvironmentFailed
from skillagent.schema import Value

Vector = NDArray[np.float64]

STEPS = 500  # of an episode, as published results have it
OPEN, CLOSED = -1.0, 1.0
_HAND, _GAP, _FIRST, _SECOND, _GOAL = slice(0, 3), 3, slice(4, 7), slice(11, 14), slice(36, 39)  # of an observation
_WIDE = 0.8  # a gap above which the gripper is open
_NOTHING = 0.32  # a gap below which nothing is between the fingers: they meet at 0.30


class Described(Value):
    """What a task asks for in several wordings, and what its things are called."""

    say: tuple[str, ...] = Field(min_length=1)
    objects: tuple[str, ...] = Field(min_length=1, max_length=2)
    goal: str = ""


@cache
def descriptions() -> dict[str, Described]:
    """Return every task by its name, e.g. `drawer-open`."""
    told = yaml.safe_load(Path(__file__).with_name("tasks.yaml").read_text(encoding="utf-8"))
    return {name: Described.model_validate(one) for name, one in told.items()}


class Simulator:
    """A task that is being done.

    Args:
        name: Of the task.

    Raises:
        ConfigError: Meta-World is not installed or cannot be loaded.
    """

    second = 80.0
    gain = 15.0  # full speed from seven centimetres on

    def __init__(self, name: str) -> None:
        self.described = descriptions()[name]
        package = imported("metaworld.env_dict", "Meta-World", "robot")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._env: Any = package.ALL_V3_ENVIRONMENTS[f"{name}-v3"](render_mode="rgb_array", camera_name="corner2")
        self._env._set_task_called, self._env._freeze_rand_vec, self._env.seeded_rand_vec = True, False, True
        self._env._partially_observable = False
        self._env.__dict__.pop("sawyer_observation_space", None)  # it was made for a hidden goal
        bodies = [self._env.model.body(number).name for number in range(self._env.model.nbody)]
        self._fingers = tuple(
            frozenset(number for number, body in enumerate(bodies) if body in (f"{side}pad", f"{side}claw"))
            for side in ("left", "right")
        )
        self._seen: Vector = np.zeros(39)
        self.began: Mapping[str, Vector] = {}  # where the things were at the start, by name
        self.steps, self.success = 0, False
        self.watch: Callable[[], None] = lambda: None  # is called after every control step

    def reset(self, seed: int) -> None:
        """Bring the task to the start that its seed draws, and let things come to rest."""
        self._env.seed(seed)
        self._seen, _ = self._env.reset()
        self.steps, self.success = 0, False
        self.step(np.zeros(3), OPEN)
        self.began = {name: place.copy() for _, name, place in self.things}

    def step(self, motion: Vector, grip: float) -> bool:
        """Do one control step, and return whether the episode may go on.

        Args:
            motion: Of the hand, each axis in [-1, 1]: a centimetre each way.
            grip: In [-1, 1]; above 0 the gripper closes.

        Raises:
            EnvironmentFailed: The simulation diverged.
        """
        if self.over:
            return False
        action = np.array([min(max(one, -1.0), 1.0) for one in (*motion.tolist(), grip)], dtype=np.float32)
        seen, _, _, _, told = self._env.step(action)
        self.steps += 1
        if not math.isfinite(seen.sum()) or self._env._did_see_sim_exception:
            raise EnvironmentFailed("the simulation diverged")
        self._seen, self.success = seen, bool(told["success"])
        self.watch()
        return not self.over

    @property
    def over(self) -> bool:
        """True when the task is done, or no step is left."""
        return self.success or self.steps >= STEPS

    @property
    def raw(self) -> Vector:
        """The observation as Meta-World gives it, shape (39,)."""
        return self._seen

    @property
    def hand(self) -> Vector:
        """Where the gripper is, shape (3,)."""
        return self._seen[_HAND]

    @property
    def gap(self) -> float:
        """How far the gripper is open, in [0, 1]."""
        return float(self._seen[_GAP])

    @property
    def between(self) -> bool:
        """True when something is between the fingers."""
        return self.gap >= _NOTHING or self.touch == "holds"

    @property
    def touch(self) -> Literal["holds", "touches", ""]:
        """What the fingers do to a thing: both touch it, or one; empty where they touch none."""
        pairs = self._env.model.geom_bodyid[self._env.data.contact.geom].tolist()
        met = [{other for pair in pairs for one, other in (pair, pair[::-1]) if one in side} for side in self._fingers]
        left, right = (one.difference(*self._fingers) for one in met)
        return "holds" if left & right else "touches" if left | right else ""

    @property
    def free(self) -> bool:
        """True when the gripper is open, or as far as it can be without holding anything."""
        return self.gap > _WIDE or self.touch != "holds"

    @property
    def things(self) -> Sequence[tuple[str, str, Vector]]:
        """Role, name and position of all that the task is about: its objects, then its goal."""
        places = (self._seen[_FIRST], self._seen[_SECOND])
        found = [("object", name, place) for name, place in zip(self.described.objects, places, strict=False)]
        return [*found, ("goal", self.described.goal, self._seen[_GOAL])] if self.described.goal else found

    def picture(self) -> bytes:
        """Return the present view as PNG; raises ConfigError where there is nothing to draw with."""
        return png(self._env.render, upside_down=True)  # as this camera hangs

    def close(self) -> None:
        """Let go of the simulation."""
        self._env.close()


def oracle(name: str) -> Callable[[Vector], Vector]:
    """Return the scripted policy that comes with a task: from an observation, as `raw` is, to motion and grip."""
    from metaworld.policies import ENV_POLICY_MAP

    policy: Any = ENV_POLICY_MAP[f"{name}-v3"]
    act: Callable[[Vector], Vector] = policy().get_action
    return act
