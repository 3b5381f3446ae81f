"""Recording: what an arm did, as lines of JSON, one a control step; from any recorder, read and written.

The first line says which task it is; each other one where the hand and the things were, and what the gripper was told
to do then. What a reader would get wrong: nothing is replayed here, so a recording that can be read may still not do
its task. Distances are metres, x to the right, y away from the robot, z up.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import numpy as np
from pydantic import Field, ValidationError

from skillagent.envs.robot.phases import Recorded
from skillagent.envs.robot.simulator import STEPS, Described, Simulator, Vector, descriptions
from skillagent.errors import ConfigError
from skillagent.schema import Split, Task, Value

WORLD = "metaworld"
_FULL = 0.01  # metres that a control step at full speed goes
_LEAST = 5  # control steps
_HEAD = '{"task": "metaworld/drawer-open", "seed": 0, "hz": 80}'
_ROW = '{"hand": [0.0, 0.6, 0.2], "gripper": 1.0, "things": {"drawer handle": [0.1, 0.5, 0.1]}}'

_Metres = Annotated[float, Field(strict=True, ge=-3, le=3, allow_inf_nan=False)]
_Place = Annotated[tuple[_Metres, ...], Field(min_length=3, max_length=3)]
_V = TypeVar("_V", bound=Value)


class Head(Value):
    """The first line. Without a seed, the task's instance is not known; `things` are what stands where all the time."""

    task: str
    seed: Annotated[int, Field(strict=True, ge=0)] | None = None
    hz: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] = Simulator.second
    things: Mapping[str, _Place] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The task's name in its world."""
        return self.task.partition("/")[2]


class Row(Value):
    """A control step: where the hand is, what the gripper is told, 1 open and 0 closed, and where things are now.

    A thing that is left out is where it was in the line before.
    """

    hand: _Place
    gripper: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    things: Mapping[str, _Place] = Field(default_factory=dict)


@dataclass(frozen=True)
class Recording:
    """A recording: `hand` (n, 3), `gripper` (n,) and where each thing was (n, 3), by its name, in the task's order."""

    head: Head
    hand: Vector
    gripper: Vector
    things: Mapping[str, Vector]

    @property
    def task(self) -> Task:
        """The task, on its seed, or on the first practice seed where none is said."""
        return Task(env=WORLD, name=self.head.name, seed=self.head.seed or 0)

    @property
    def demo(self) -> Recorded:
        """The demonstration, at the simulator's rate; how the hand was driven is read off where it went."""
        hand, things, grip = self._timed()
        motion = np.clip(np.diff(hand, axis=0, append=hand[-1:]) / _FULL, -1, 1)
        driven = np.hstack([motion, 1 - 2 * grip[:, None]])
        described = descriptions()[self.head.name]
        first, second = (*(things[name] for name in described.objects), np.zeros_like(hand))[:2]
        goal = things[described.goal] if described.goal else np.zeros_like(hand)
        return Recorded(hand, first, second, goal, driven)

    def _timed(self) -> tuple[Vector, dict[str, Vector], Vector]:
        if self.head.hz == Simulator.second:
            return self.hand, dict(self.things), self.gripper
        then = np.arange(len(self.hand)) / self.head.hz
        now = np.arange(0, then[-1] + 1e-9, 1 / Simulator.second)

        def between(places: Vector) -> Vector:
            return np.stack([np.interp(now, then, places[:, axis]) for axis in range(3)], axis=1)

        told = np.searchsorted(then, now + 1e-9) - 1  # a command holds until the next one
        return between(self.hand), {name: between(one) for name, one in self.things.items()}, self.gripper[told]


def read_recording(text: str, origin: str) -> Recording:
    """Read a recording.

    Raises:
        ConfigError: It is none, or was made on a seed that learning must not see; the message names the line and says
            what to do.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise ConfigError(f"{origin}: it is empty; its first line is like {_HEAD}")
    (number, first), *rest = lines
    where = f"{origin}, line {number}"
    head = _checked(Head, first, where, _HEAD)
    _check_task(head, where)
    described = descriptions()[head.name]
    _check_names(head.things, described, where)
    rows, places, at = list[Row](), list[Mapping[str, Sequence[float]]](), dict[str, Sequence[float]](head.things)
    for number, line in rest:
        where = f"{origin}, line {number}"
        row = _checked(Row, line, where, _ROW)
        _check_names(row.things, described, where)
        at |= row.things
        if missing := [name for name in _names(described) if name not in at]:
            raise ConfigError(f"{where}: where is {missing[0]!r}? say so in things, or in line 1 if it never moves")
        rows.append(row)
        places.append(dict(at))
    if len(rows) < _LEAST:
        raise ConfigError(f"{origin}: {len(rows)} control steps; a demonstration has {_LEAST} at least, a line each")
    lasting = int((len(rows) - 1) * Simulator.second / head.hz) + 1
    if not _LEAST <= lasting <= STEPS:
        raise ConfigError(
            f"{origin}: {len(rows)} lines at {head.hz:g} Hz are {lasting} control steps of the simulator, at "
            f"{Simulator.second:g} Hz; an episode has {STEPS}, and a demonstration {_LEAST} at least: correct hz in "
            "line 1, or cut pauses"
        )
    return Recording(
        head=head,
        hand=np.array([row.hand for row in rows]),
        gripper=np.array([row.gripper for row in rows]),
        things={name: np.array([one[name] for one in places]) for name in _names(described)},
    )


def written(task: Task, demo: Recorded) -> str:
    """Return a demonstration as the text of a recording, which `read_recording` reads."""
    described = descriptions()[task.name]
    places = dict(zip(_names(described), (demo.thing, demo.other), strict=False))
    still = {}
    if described.goal:
        places[described.goal] = demo.goal
    for name, rows in list(places.items()):
        if (rows == rows[0]).all():
            still[name] = _numbers(places.pop(name)[0])
    head = Head(task=task.id, seed=task.seed, hz=Simulator.second, things=still)
    lines = [
        Row(
            hand=_numbers(demo.hand[n]),
            gripper=round(float(1 - demo.driven[n, 3]) / 2, 3),
            things={name: _numbers(one[n]) for name, one in places.items()},
        )
        for n in range(len(demo.hand))
    ]
    return "".join(one.model_dump_json() + "\n" for one in (head, *lines))


def _names(described: Described) -> list[str]:
    return [*described.objects, *([described.goal] if described.goal else [])]


def _check_task(head: Head, where: str) -> None:
    world, _, name = head.task.partition("/")
    if world != WORLD or name not in descriptions():
        near = difflib.get_close_matches(name or world, descriptions(), n=3) or ["drawer-open"]
        known = ", ".join(f"{WORLD}/{one}" for one in near)
        raise ConfigError(f"{where}: no arm's task {head.task!r}; there is {known}")
    if head.seed is not None and (split := Split.of(head.seed)) is not Split.PRACTICE:
        raise ConfigError(
            f"{where}: seed {head.seed} is a {split} seed; demonstrations are of practice seeds, below "
            f"{Split.GATE.first_seed}: leave the seed out where the recording is of no instance of the simulator"
        )


def _check_names(things: Mapping[str, object], described: Described, where: str) -> None:
    names = _names(described)
    if odd := [name for name in things if name not in names]:
        raise ConfigError(f"{where}: things: there is no {odd[0]!r} in this task; its things are {', '.join(names)}")


def _checked(kind: type[_V], line: str, where: str, like: str) -> _V:
    """Return a line as a value; what is wrong in it is told with where, and with a line as it should be."""
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        what = first["msg"][:1].lower() + first["msg"][1:]
        if first["type"] in ("greater_than_equal", "less_than_equal") and key.split(".")[0] in ("hand", "things"):
            what += f", got {first['input']}: places are metres, not millimetres"
        elif first["type"] not in ("json_invalid", "missing"):
            what += f", got {first['input']!r}"
        raise ConfigError(f"{where}: {f'{key}: ' if key else ''}{what}; a line is like {like}") from None


def _numbers(vector: Vector) -> tuple[float, ...]:
    return tuple(round(float(one), 4) for one in vector)
