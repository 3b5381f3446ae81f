"""Scene: one LIBERO task as hand, gripper and things with positions; 600 control steps an episode.

Positions are in metres as the robot sees them: right, away from it, up. A control step moves the hand by about a
centimetre along each axis. Source: LIBERO and LIBERO-PRO, whose scenes, starts and predicates are used as they are.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skillagent.envs.drawing import imported
from skillagent.envs.libero.parts import Part, Pieces, ours, part_of, pieces
from skillagent.envs.libero.thrift import once
from skillagent.envs.libero.turns import rotation, rotation_of
from skillagent.envs.robot.pictures import png
from skillagent.envs.robot.simulator import OPEN, Vector
from skillagent.errors import ConfigError, EnvironmentFailed

if TYPE_CHECKING:
    from types import ModuleType

STEPS = 600  # of an episode
_PREFIX = "libero_"
_OTHER_NAMES = frozenset({"libero_100", "libero_mine"})  # of tasks that have a name already
_ROBOT = ("robot0", "gripper0", "mount0")  # how the names of its bodies begin
_SETTLE = 8  # control steps in which things come to rest
_NOTHING = 0.003  # metres between fingers that hold nothing
_GIVE = 0.02  # metres above and below
_ASTRAY = 0.03  # metres beyond the edge of what it should be on
_TURN = 0.5  # radians that the controller turns the hand by, at most, in a control step
_DOWN = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])  # the hand's axes, pointing down, in LIBERO's
_GROUND = ("main_table", "floor", "kitchen_table", "living_room_table", "coffee_table", "study_table", "countertop")


@dataclass(frozen=True)
class Thing:
    """Something in the scene: where its middle is, its lowest and highest corner, shape (3,) each, and what moves."""

    role: str
    name: str
    key: str
    place: Vector
    low: Vector
    high: Vector
    part: Part | None = None


@cache
def tasks() -> Mapping[str, tuple[str, int]]:
    """Return suite and number of every task by its name, e.g. `object-1`."""
    known = _package("libero.libero.benchmark.libero_suite_task_map").libero_task_map
    scenes, starts = (_folder(_package("libero.libero"), what) for what in ("bddl_files", "init_states"))
    return {
        f"{suite.removeprefix(_PREFIX)}-{number + 1}": (suite, number)
        for suite, names in known.items()
        if suite not in _OTHER_NAMES
        for number, name in enumerate(names)
        if (scenes / suite / f"{name}.bddl").is_file() and any((starts / suite).glob(f"{name}.*init*"))
    }


class Scene:
    """A task that is being done.

    Args:
        name: Of the task, as `tasks` has it.

    Raises:
        ConfigError: LIBERO is not installed or cannot be loaded.
        EnvironmentFailed: The scene could not be built.
    """

    second = 20.0
    gain = 20.0  # a step of the controller is at most five centimetres

    def __init__(self, name: str) -> None:
        suite, number = tasks()[name]
        self._mujoco: Any = _package("mujoco")
        benchmark, wrapper = _package("libero.libero.benchmark"), _package("libero.libero.envs.env_wrapper")
        with _silent():
            tasks_of: Any = benchmark.get_benchmark(suite)()
            try:
                self._env: Any = wrapper.ControlEnv(
                    bddl_file_name=tasks_of.get_task_bddl_file_path(number),
                    use_camera_obs=False,
                    has_offscreen_renderer=False,
                    ignore_done=True,
                    hard_reset=False,  # a start says where everything is
                )
                self._told: Any = self._env.reset()
                self.starts: Any = tasks_of.get_task_init_states(number)
            except (AssertionError, KeyError, ValueError, OSError) as error:
                raise EnvironmentFailed(f"libero/{name} could not be built: {error}") from error
        self.language: str = self._env.language_instruction  # the scene's own: a task's is made of its file's name
        self.steps, self.success = 0, False
        self._owned: dict[str, NDArray[np.bool_]] = {}
        self.turned: Vector | None = None  # the hand, from pointing down: axis times radians; None: as it was
        self.watch: Callable[[], None] = lambda: None  # is called after every control step

    def reset(self, start: int) -> None:
        """Bring the scene to one of its starts, and let things come to rest."""
        with _silent():
            self._env.reset()
            self._told = self._env.set_init_state(self.starts[start])
        self.steps, self.success, self.turned = 0, False, None
        for _ in range(_SETTLE):
            self.step(np.zeros(3), OPEN)
        self.steps = 0

    def step(self, motion: Vector, grip: float) -> bool:
        """Do one control step, and return whether the episode may go on.

        Args:
            motion: Of the hand: right, away, up, each in [-1, 1].
            grip: In [-1, 1]; above 0 the gripper closes.

        Raises:
            EnvironmentFailed: The simulation diverged.
        """
        if self.over:
            return False
        right, away, up = np.clip(motion, -1, 1)
        turn = np.clip(self._turn() / _TURN, -1, 1)
        with once(self._env.env.sim, self._mujoco):
            self._told, *_ = self._env.step(np.array([away, -right, up, *turn, np.clip(grip, -1, 1)]))
        self.steps += 1
        if not np.isfinite(self.hand).all():
            raise EnvironmentFailed("the simulation diverged")
        self.success = bool(self._env.check_success())
        self.watch()
        return not self.over

    @property
    def over(self) -> bool:
        """True when the task is done, or no step is left."""
        return self.success or self.steps >= STEPS

    @property
    def hand(self) -> Vector:
        """Where the middle between the finger tips is, shape (3,)."""
        return ours(self._told["robot0_eef_pos"])

    @property
    def gap(self) -> float:
        """Metres between the fingers."""
        left, right = self._told["robot0_gripper_qpos"]
        return float(left - right)

    @property
    def between(self) -> bool:
        """True when something is between the fingers."""
        return self.gap > _NOTHING

    @property
    def free(self) -> bool:
        """True when the fingers hold nothing."""
        return self.held is None

    @property
    def held(self) -> str | None:
        """The key of the thing that both fingers touch, if any."""
        env = self._env.env
        geoms = env.robots[0].gripper.important_geoms
        fingers = [geoms["left_finger"], geoms["right_finger"]]
        return next((key for key, one in env.objects_dict.items() if env._check_grasp(fingers, one)), None)

    @property
    def base(self) -> Vector:
        """Where the robot stands, shape (3,)."""
        return ours(self._physics[1].body("robot0_base").xpos)

    def pieces(self, key: str) -> Pieces:
        """Return what a thing that can be moved is made of."""
        return pieces(*self._physics)[self._own(self._env.env.objects_dict[key].root_body)]

    def others(self, key: str) -> Pieces:
        """Return all that the hand could run into but one thing."""
        model, data = self._physics
        robot = np.array([model.body(one).name.startswith(_ROBOT) for one in range(model.nbody)])[model.geom_bodyid]
        own = self._own(self._env.env.objects_dict[key].root_body)
        return pieces(model, data)[(model.geom_contype > 0) & (model.geom_type > 0) & ~robot & ~own]

    def lies(self, key: str, onto: str) -> bool:
        """Tell whether a thing lies on or in another, as LIBERO's predicates have it; over it, where that is fixed."""
        env, states = self._env.env, self._env.env.object_states_dict
        if onto in env.object_sites_dict:
            return bool(states[onto].check_contain(states[key]) or states[onto].check_ontop(states[key]))
        if onto in env.fixtures_dict:
            thing, below = (next(one for one in self.all if one.key == name) for name in (key, onto))
            return over(thing, below)
        places = [one for one, site in env.object_sites_dict.items() if getattr(site, "parent_name", None) == onto]
        return any(self.lies(key, one) for one in places) or bool(states[onto].check_ontop(states[key]))

    def lands(self, key: str) -> bool:
        """Tell whether a thing touches something other than the hand."""
        model, data = self._physics
        own = self._own(self._env.env.objects_dict[key].root_body)
        pairs = [(one.geom1, one.geom2) for one in data.contact[: data.ncon]]
        touched = [two if own[one] else one for one, two in pairs if own[one] != own[two]]
        return any(not model.body(model.geom_bodyid[one]).name.startswith(_ROBOT) for one in touched)

    @property
    def wanted(self) -> Sequence[Sequence[str]]:
        """What must hold in the end, e.g. `("on", "bowl_1", "plate_1")`, for those who show how it is done."""
        wanted: Sequence[Sequence[str]] = self._env.env.parsed_problem["goal_state"]
        return wanted

    @property
    def all(self) -> Sequence[Thing]:
        """All things: what can be moved, what stands fixed, and the places in or on them."""
        env, found, there = self._env.env, list[Thing](), pieces(*self._physics)
        for role, ones in (("object", env.objects_dict), ("fixture", env.fixtures_dict)):
            for key, one in ones.items():
                if key not in _GROUND:
                    low, high = self._corners(one.root_body, there)
                    found.append(Thing(role, _named(key, ones), key, (low + high) / 2, low, high, part_of(env, key)))
        for key, site in env.object_sites_dict.items():
            if not key.startswith(_GROUND):
                place, axes = ours(env.sim.data.get_site_xpos(key)), np.abs(env.sim.data.get_site_xmat(key))
                half, part = np.abs(ours(axes @ np.array(site.size))), part_of(env, key)
                role = part.kind if part else "place"
                found.append(Thing(role, key.replace("_", " "), key, place, place - half, place + half, part))
        return found

    @property
    def things(self) -> Sequence[tuple[str, str, Vector]]:
        """Role, name and position of all things."""
        return [(one.role, one.name, one.place) for one in self.all]

    def picture(self) -> bytes:
        """Return the present view as PNG; raises ConfigError where there is nothing to draw with."""
        return png(self._drawn)

    def close(self) -> None:
        """Let go of the simulation."""
        self._env.close()

    def _drawn(self) -> Any:  # noqa: ANN401 - mujoco's arrays
        mujoco, (model, data) = self._mujoco, self._physics
        looks, renderer = mujoco.MjvOption(), mujoco.Renderer(model, 480, 640)
        looks.geomgroup[0] = 0  # what things collide by
        try:
            renderer.update_scene(data, camera="agentview", scene_option=looks)
            return renderer.render()
        finally:
            renderer.close()

    @property
    def astray(self) -> float:
        """Radians by which the hand is not turned as it should be."""
        return float(np.linalg.norm(self._turn()))

    def _turn(self) -> Vector:
        """Return by what the hand is to turn, in LIBERO's axes: axis times radians, shape (3,)."""
        if self.turned is None:
            return np.zeros(3)
        right, away, up = self.turned
        wanted = rotation([away, -right, up]) * rotation_of(_DOWN)
        now = rotation_of(self._env.env.robots[0].controller.ee_ori_mat)
        left: Vector = (wanted * now.inv()).as_rotvec()
        return left

    def _corners(self, body: str, there: Pieces) -> tuple[Vector, Vector]:
        """Return the lowest and highest corner of what a body and those on it look like, shape (3,) each."""
        own = there[self._own(body)]
        if not len(own.middle):
            place = ours(self._physics[1].body(body).xpos)
            return place, place
        return own.low.min(axis=0), own.high.max(axis=0)

    def _own(self, body: str) -> NDArray[np.bool_]:
        """Tell which pieces can be touched and belong to a body or to one on it."""
        model, _ = self._physics
        if body not in self._owned:
            root = model.body(body).id
            below = np.array([_below(model, one, root) for one in range(model.nbody)])
            self._owned[body] = below[model.geom_bodyid] & (model.geom_contype > 0)
        return self._owned[body]

    @property
    def _physics(self) -> tuple[Any, Any]:
        """MuJoCo's model and state."""
        sim = self._env.env.sim
        return sim.model._model, sim.data._data


def over(thing: Thing, onto: Thing) -> bool:
    """Tell whether a thing is over another, and its bottom or its middle no higher than its top."""
    beside = (thing.place[:2] < onto.low[:2] - _ASTRAY) | (thing.place[:2] > onto.high[:2] + _ASTRAY)
    heights = (float(thing.low[2]), float(thing.place[2]))
    return not beside.any() and any(onto.low[2] - _GIVE < one < onto.high[2] + _GIVE for one in heights)


def _below(model: Any, body: int, root: int) -> bool:  # noqa: ANN401 - mujoco's model
    while body > 0 and body != root:
        body = int(model.body_parentid[body])
    return body == root


def _named(key: str, among: Mapping[str, object]) -> str:
    """Return what a person would call a thing; its number stays where there are several of its kind."""
    kind, _, number = key.rpartition("_")
    alone = sum(one.rpartition("_")[0] == kind for one in among) == 1
    return (kind if alone and number.isdigit() else key).replace("_", " ")


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Let LIBERO print nothing: its standard output would be ours."""
    logging.getLogger("robosuite_logs").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _folder(libero: Any, what: str) -> Path:  # noqa: ANN401 - LIBERO's module
    """Return where LIBERO keeps something; raises ConfigError where its packages of scenes are missing."""
    try:
        return Path(libero.get_libero_path(what))
    except ImportError as error:  # it looks for all its packages here, not when it is imported
        raise ConfigError(f"LIBERO is not whole ({error}); pip install 'skillagent[libero]'") from error


def _package(name: str) -> ModuleType:
    with _silent():
        return imported(name, "LIBERO", "libero")
