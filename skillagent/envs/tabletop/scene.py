"""Scene: what stands on the table, and the world that MuJoCo makes of it.

Positions are in metres, x to the right, y away from the robot, z up from the table's top. The place of a cube is its
centre, that of a drawer its handle, that of anything else the middle of its foot. Bowls and plates stand fast. Nothing
is simulated here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["cube", "bowl", "plate", "drawer", "zone"]
Place = tuple[float, float, float]

COLOURS: Mapping[str, str] = {
    "red": "0.80 0.08 0.08",
    "green": "0.10 0.55 0.15",
    "blue": "0.10 0.25 0.85",
    "yellow": "0.95 0.80 0.05",
    "purple": "0.50 0.12 0.65",
    "white": "0.95 0.95 0.95",
}
WIDTHS: Mapping[str, float] = {"small": 0.03, "medium": 0.04, "big": 0.05}
TABLE = (0.48, 0.36)  # half of its width and depth
WIDEST = 0.08  # between the fingers

BOWL = (0.08, 0.08, 0.036)  # radius of its floor, twice, and height of its rim
PLATE = (0.095, 0.095, 0.008)
TRAY = (0.09, 0.075, 0.04)  # half of its width and depth inside, height of its walls
TRAVEL = 0.13  # of the drawer
FLOOR = 0.006  # thickness of a drawer's
SPOTS: Mapping[Role, tuple[tuple[float, float], ...]] = {  # from the middle: where cubes have room beside each other
    "cube": ((0.0, 0.0),),
    "bowl": ((-0.04, 0.0), (0.04, 0.0), (0.0, -0.05), (0.0, 0.05)),
    "plate": ((-0.037, -0.037), (0.037, 0.037), (-0.037, 0.037), (0.037, -0.037), (0.0, 0.0)),
    "drawer": ((-0.045, 0.0), (0.045, 0.0), (0.0, 0.0)),
    "zone": ((0.0, 0.0), (-0.05, 0.0), (0.05, 0.0), (0.0, -0.05), (0.0, 0.05)),
}
_WALL = 0.005
_KNOB = 0.034  # from the drawer's front to the middle of its handle
_FRONT = TRAY[1] + 2 * _WALL + _KNOB  # from the middle of the tray to the handle
_SIDES = 14  # of a bowl
_LEAN = math.radians(18)
_PAINT = 0.0008  # thickness
_DARK = "0.35 0.35 0.38"  # cubes of any colour are seen on it


@dataclass(frozen=True)
class Thing:
    """Something on the table, as it is drawn or as it is now.

    `size` is half of its width, half of its depth, and half of its height (cubes) or its height. `yaw` is in degrees,
    anticlockwise; `opening` is in [0, 1], for drawers.
    """

    role: Role
    name: str
    place: Place = (0.0, 0.0, 0.0)
    size: Place = (0.0, 0.0, 0.0)
    colour: str = ""
    word: str = ""
    yaw: float = 0.0
    opening: float = 0.0

    @property
    def top(self) -> float:
        """The height of what can be put on it."""
        return self.place[2] + self.size[2] if self.role == "cube" else self.size[2] if self.role == "plate" else 0.0

    @property
    def bottom(self) -> float:
        """The height of its underside."""
        return self.place[2] - self.size[2] if self.role == "cube" else 0.0

    @property
    def highest(self) -> float:
        """The height below which something could run into it."""
        return CASING if self.role == "drawer" else self.place[2] + self.size[2]

    @property
    def percent(self) -> int:
        """How far a drawer is open."""
        return round(100 * self.opening)

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of the space in it or on it; for a drawer, of what is not under its top."""
        x, y, _ = self.place
        return (x, y + _KNOB + 2 * _WALL + self.opening * TRAVEL / 2) if self.role == "drawer" else (x, y)

    @property
    def tray(self) -> tuple[float, float]:
        """The middle of a drawer's tray, wherever it is."""
        return self.place[0], self.place[1] + _FRONT


CASING = 0.07  # height of the drawer's casing


def drawer(x: float, opening: float = 0.0) -> Thing:
    """Return a drawer at the far side of the table, so far open."""
    closed = TABLE[1] - TRAY[1] - 3 * _WALL - _FRONT
    return Thing("drawer", "drawer", (x, closed - opening * TRAVEL, 0.024), TRAY, opening=opening)


def mjcf(things: Sequence[Thing]) -> str:
    """Return the world as MuJoCo reads it: the table, the gripper and the things, each a body of its name."""
    bodies = "\n".join(part for thing in things for part in _body(thing))
    excluded = "".join('<exclude body1="drawer" body2="casing"/>' for thing in things if thing.role == "drawer")
    return f"""<mujoco model="tabletop">
{_WORLD}
<worldbody>
{_ROOM}
{_HAND}
{bodies}
</worldbody>
{_DRIVES}
<contact>{excluded}<exclude body1="left" body2="right"/></contact>
</mujoco>"""


def _body(thing: Thing) -> Iterator[str]:
    colour = COLOURS.get(thing.colour, "0.6 0.6 0.6")
    at = f'name="{thing.name}" pos="{_numbers(*thing.place)}"'
    match thing.role:
        case "cube":
            turn = math.radians(thing.yaw) / 2
            yield (
                f'<body {at} quat="{_numbers(math.cos(turn), 0, 0, math.sin(turn))}"><freejoint/>'
                f'<geom class="cube" size="{_numbers(*thing.size)}" rgba="{colour} 1"/></body>'
            )
        case "bowl":
            yield f"<body {at}>{''.join(_bowl(thing, colour))}</body>"
        case "plate":
            yield f"<body {at}>{''.join(_plate(thing, colour))}</body>"
        case "drawer":
            yield from _drawer(thing)
        case "zone":
            x, y, _ = thing.size
            yield (
                f'<body {at}><geom type="box" contype="0" conaffinity="0" size="{_numbers(x, y, 0.0006)}" '
                'rgba="0.25 0.65 0.65 1"/></body>'
            )


def _plate(thing: Thing, colour: str) -> Iterator[str]:
    radius, _, height = thing.size
    yield _disc(radius, height, colour)
    yield _disc(0.75 * radius, height + _PAINT, _DARK)
    half = radius / math.sqrt(2)
    for turn in (0, 45):  # a star of two squares is felt: boxes rock on a cylinder
        yield (
            f'<geom type="box" size="{_numbers(half, half, height / 2)}" pos="0 0 {height / 2}" euler="0 0 {turn}" '
            'rgba="0 0 0 0"/>'
        )


def _disc(radius: float, height: float, colour: str) -> str:
    return (
        f'<geom type="cylinder" contype="0" conaffinity="0" size="{_numbers(radius, height / 2)}" '
        f'pos="0 0 {_numbers(height / 2)}" rgba="{colour} 1"/>'
    )


def _bowl(thing: Thing, colour: str) -> Iterator[str]:
    radius, _, rim = thing.size
    yield _disc(radius, _PAINT, _DARK)  # what is in a bowl lies on the table: boxes rock on a cylinder
    tall = rim / math.cos(_LEAN) / 2
    away = radius + tall * math.sin(_LEAN) + _WALL / 2
    wide = (away + tall * math.sin(_LEAN)) * math.tan(math.pi / _SIDES)
    for side in range(_SIDES):
        turn = 2 * math.pi * side / _SIDES
        half = turn / 2
        quat = _product((math.cos(half), 0, 0, math.sin(half)), (math.cos(_LEAN / 2), 0, math.sin(_LEAN / 2), 0))
        yield (
            f'<geom type="box" size="{_numbers(_WALL / 2, wide, tall)}" quat="{_numbers(*quat)}" '
            f'pos="{_numbers(away * math.cos(turn), away * math.sin(turn), rim / 2)}" rgba="{colour} 1"/>'
        )


def _drawer(thing: Thing) -> Iterator[str]:
    x, y, height = TRAY
    (at_x, at_y), w = thing.tray, _WALL
    closed = at_y + thing.opening * TRAVEL
    front, over = 'rgba="0.85 0.70 0.50 1"', 'rgba="0.45 0.30 0.18 1"'
    tray = [
        (front, (x, y, FLOOR / 2), (0, 0, FLOOR / 2 + 0.002)),
        (front, (w, y, height / 2), (x + w, 0, height / 2 + 0.002)),
        (front, (w, y, height / 2), (-x - w, 0, height / 2 + 0.002)),
        (front, (x + 2 * w, w, height / 2), (0, y + w, height / 2 + 0.002)),
        (front, (x + 2 * w, w, 0.029), (0, -y - w, 0.031)),
        (front, (0.005, _KNOB / 2, 0.005), (0, -_FRONT + _KNOB / 2, 0.012)),
        ('rgba="0.1 0.1 0.1 1" friction="1.5 0.02 0.001"', (0.008, 0.006, 0.02), (0, -_FRONT, 0.024)),
    ]
    casing = [
        (over, (w, y + 1.5 * w, CASING / 2), (x + 3.5 * w, 0, CASING / 2)),
        (over, (w, y + 1.5 * w, CASING / 2), (-x - 3.5 * w, 0, CASING / 2)),
        (over, (x + 4.5 * w, w / 2, CASING / 2), (0, y + 2.5 * w, CASING / 2)),
        (over, (x + 4.5 * w, y + 2 * w, w / 2), (0, w, CASING - w / 2)),
    ]
    joint = (
        f'<joint name="opening" type="slide" axis="0 -1 0" range="0 {TRAVEL}" limited="true" damping="3" '
        'frictionloss="0.8"/>'
    )
    yield f'<body name="casing" pos="{_numbers(at_x, closed, 0)}">{_boxes(casing)}</body>'
    yield f'<body name="{thing.name}" pos="{_numbers(at_x, closed, 0)}">{joint}{_boxes(tray)}</body>'


def _boxes(boxes: Sequence[tuple[str, Place, Place]]) -> str:
    return "".join(
        f'<geom type="box" size="{_numbers(*size)}" pos="{_numbers(*place)}" {look}/>' for look, size, place in boxes
    )


def _numbers(*values: float) -> str:
    return " ".join(f"{value:.6g}" for value in values)


def _product(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the quaternion that turns by b, then by a."""
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    )


_WORLD = """<option timestep="0.002" integrator="implicitfast" cone="elliptic" impratio="10"/>
<size njmax="3000" nconmax="600"/>
<visual>
  <global offwidth="640" offheight="480"/><quality shadowsize="2048"/>
  <headlight ambient="0.35 0.35 0.35" diffuse="0.35 0.35 0.35" specular="0.05 0.05 0.05"/>
</visual>
<default>
  <geom condim="4" friction="0.8 0.01 0.001"/>
  <default class="cube"><geom type="box" density="500"/></default>
  <default class="finger">
    <geom type="box" friction="1.6 0.05 0.001" density="800" rgba="0.15 0.15 0.17 1"
      priority="1" solref="0.006 1" solimp="0.97 0.995 0.001"/>
  </default>
</default>
<asset>
  <texture type="skybox" builtin="gradient" rgb1="0.75 0.80 0.85" rgb2="0.95 0.95 0.97" width="64" height="64"/>
</asset>"""

_ROOM = f"""<light pos="0.3 -0.6 1.6" dir="-0.15 0.3 -1" diffuse="0.6 0.6 0.6" specular="0.1 0.1 0.1"/>
<camera name="view" pos="0 -0.82 0.78" xyaxes="1 0 0 0 0.69 0.72" fovy="45"/>
<geom name="table" type="box" size="{TABLE[0]} {TABLE[1]} 0.02" pos="0 0 -0.02" rgba="0.52 0.47 0.42 1"/>
<geom name="floor" type="plane" size="3 3 0.1" pos="0 0 -0.4" rgba="0.80 0.80 0.82 1"/>"""

# The hand's joints are where the middle between its finger tips is.
_HAND = f"""<body name="hand" gravcomp="1">
  <joint name="x" type="slide" axis="1 0 0" armature="0.2"/>
  <joint name="y" type="slide" axis="0 1 0" armature="0.2"/>
  <joint name="z" type="slide" axis="0 0 1" armature="0.2"/>
  <joint name="yaw" type="hinge" axis="0 0 1" armature="0.005"/>
  <geom type="box" size="0.060 0.018 0.012" pos="0 0 0.080" mass="0.5" rgba="0.35 0.37 0.40 0.6"/>
  <geom type="cylinder" size="0.014 0.05" pos="0 0 0.142" mass="0.1" rgba="0.35 0.37 0.40 0.6"
    contype="0" conaffinity="0"/>
  <body name="left" gravcomp="1">
    <joint name="left" type="slide" axis="-1 0 0" range="0 {WIDEST / 2}" limited="true" armature="0.05" damping="5"/>
    <geom class="finger" size="0.005 0.009 0.042" pos="-0.005 0 0.027"/>
  </body>
  <body name="right" gravcomp="1">
    <joint name="right" type="slide" axis="1 0 0" range="0 {WIDEST / 2}" limited="true" armature="0.05" damping="5"/>
    <geom class="finger" size="0.005 0.009 0.042" pos="0.005 0 0.027"/>
  </body>
</body>"""

_DRIVES = """<equality><joint joint1="left" joint2="right" polycoef="0 1 0 0 0" solref="0.005 1"/></equality>
<actuator>
  <position name="x" joint="x" kp="3000" dampratio="1" forcerange="-60 60"/>
  <position name="y" joint="y" kp="3000" dampratio="1" forcerange="-60 60"/>
  <position name="z" joint="z" kp="3000" dampratio="1" forcerange="-60 60"/>
  <position name="yaw" joint="yaw" kp="12" dampratio="1" forcerange="-3 3"/>
  <position name="grip" joint="left" kp="1500" dampratio="1" forcerange="-12 12"/>
</actuator>"""
