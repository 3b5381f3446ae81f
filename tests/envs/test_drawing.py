"""Drawing: EGL or OSMesa, whichever is there; without either the physics runs and a picture says what to install."""

import ctypes
import os
import subprocess
import sys

import pytest

from skillagent.config import draw_without_a_screen
from skillagent.envs.drawing import way

EGL, GL, OSMESA = "libEGL.so.1", "libOpenGL.so.0", "libOSMesa.so.8"


def loading(*here, devices=1):
    """Return what loads only the libraries that are named; EGL knows so many devices."""

    @ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int))
    def query(most, found, count):
        count[0] = devices
        return 1

    class Library:
        def __init__(self, name):
            if name not in here:
                raise OSError(f"{name}: cannot open shared object file")
            self.eglGetProcAddress = lambda name: ctypes.cast(query, ctypes.c_void_p).value

    return Library


@pytest.mark.parametrize(
    ("load", "found"),
    [
        pytest.param(loading(EGL, GL, OSMESA), "egl", id="both"),
        pytest.param(loading(EGL, "libGLESv2.so.2"), "egl", id="EGL with another GL"),
        pytest.param(loading(OSMESA), "osmesa", id="OSMesa alone"),
        pytest.param(loading("libOSMesa.so.6"), "osmesa", id="an older OSMesa"),
        pytest.param(loading(EGL, GL, OSMESA, devices=0), "osmesa", id="EGL without a driver"),
        pytest.param(loading(EGL, OSMESA), "osmesa", id="EGL without GL"),
        pytest.param(loading(EGL, GL, devices=0), "disabled", id="EGL without a driver alone"),
        pytest.param(loading(), "disabled", id="neither"),
    ],
)
def test_the_fastest_that_is_here_draws(load, found):
    assert way(load, system="linux") == found


def test_other_systems_draw_by_themselves():
    assert way(loading(), system="darwin") is None


@pytest.mark.parametrize(
    ("said", "found", "then"),
    [
        (None, "osmesa", "osmesa"),
        ("", "egl", "egl"),
        ("glfw", "egl", "glfw"),
        ("disabled", "egl", "disabled"),
        (None, None, ""),
    ],
)
def test_what_the_operator_says_stays(said, found, then):
    environ = {} if said is None else {"MUJOCO_GL": said}
    assert draw_without_a_screen(environ, lambda: found) == then
    assert environ.get("MUJOCO_GL", "") == then


# MuJoCo reads MUJOCO_GL when it is imported: each case is a process of its own, in which the libraries are not found.
WITHOUT = """
import ctypes

opened = ctypes.CDLL.__init__

def hiding(self, name, *rest, **more):
    if name and name.startswith(("libEGL", "libOSMesa")):
        raise OSError(f"{name}: cannot open shared object file")
    opened(self, name, *rest, **more)

ctypes.CDLL.__init__ = hiding
"""
PHYSICS = """
from skillagent.config import draw_without_a_screen
from skillagent.envs.registry import open_environment
from skillagent.errors import ConfigError
from skillagent.schema import Action, Task

print(draw_without_a_screen())
for env, name in (("tabletop", "stack"), ("metaworld", "reach")):
    world = open_environment(env)
    world.reset(Task(env=env, name=name, max_steps=5))
    print(world.step(Action(verb="wait", arguments={"seconds": 0.1})).error)
    try:
        world.screenshot()
    except ConfigError as error:
        print(error)
    world.close()
"""
BEGUN = """
from skillagent.config import draw_without_a_screen
from skillagent.envs.registry import open_environment
from skillagent.errors import ConfigError
from skillagent.schema import Task

draw_without_a_screen()
try:
    open_environment("{env}").reset(Task(env="{env}", name="{name}"))
except ConfigError as error:
    print(error)
"""


def run_without_libraries(script, said=""):
    environ = {key: value for key, value in os.environ.items() if key != "PYOPENGL_PLATFORM"} | {"MUJOCO_GL": said}
    command = [sys.executable, "-c", WITHOUT + script]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)


def test_without_a_library_the_physics_runs_and_a_picture_names_the_packages():
    ended = run_without_libraries(PHYSICS)
    assert (ended.returncode, ended.stderr) == (0, "")
    first, *rest = ended.stdout.splitlines()
    assert first == "disabled"
    for said, refused in (rest[:2], rest[2:]):
        assert said == "None"
        assert refused.startswith("no picture can be drawn: there is nothing to draw with")
        assert "libegl1 libegl-mesa0" in refused
        assert "libosmesa6" in refused


@pytest.mark.parametrize(
    ("said", "env", "name"),
    [("egl", "metaworld", "reach"), ("osmesa", "tabletop", "stack"), ("nonsense", "tabletop", "stack")],
)
def test_a_way_to_draw_that_is_not_here_is_one_line_with_the_remedy(said, env, name):
    ended = run_without_libraries(BEGUN.format(env=env, name=name), said)
    assert ended.stderr == ""
    (refused,) = ended.stdout.splitlines()
    assert "cannot be loaded" in refused
    assert "libosmesa6" in refused


def test_doctor_says_that_nothing_can_be_drawn_and_what_to_install():
    look = "from skillagent.cli.doctor import _drawing, _found; print(_found('drawing', _drawing))"
    ended = run_without_libraries(look)
    assert "status='note'" in ended.stdout
    assert "remedy='run `apt-get install libegl1" in ended.stdout
