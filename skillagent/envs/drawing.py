"""Drawing: what MuJoCo can draw with on this machine where there is no screen, and MuJoCo imported so that it says so.

MuJoCo reads MUJOCO_GL once, when it is imported, and breaks there if the library that it names is missing; so the
libraries are asked before. What a reader would get wrong: libEGL by itself draws nothing. It must know a device, which
comes with a driver (Mesa's draws in software). Nothing is drawn here.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from types import ModuleType
from typing import Any, Literal

from skillagent.errors import ConfigError

Way = Literal["egl", "osmesa", "disabled"]
Load = Callable[[str], Any]

NEEDED = (
    "run `apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri libgles2` (EGL) or `apt-get install libosmesa6` "
    "(OSMesa), and leave MUJOCO_GL unset"
)
_EGL, _GL = ("libEGL.so.1", "libEGL.so"), ("libOpenGL.so.0", "libGL.so.1", "libGLESv2.so.2")
_OSMESA = ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so")


def way(load: Load = ctypes.CDLL, *, system: str = sys.platform) -> Way | None:
    """Return what MUJOCO_GL should say here: the fastest that is found; None where the system draws by itself.

    Args:
        load: Opens a shared library, or raises OSError.
        system: As `sys.platform` has it; only Linux is asked.
    """
    if system != "linux":
        return None
    if _devices(load) and _first(load, _GL) is not None:
        return "egl"
    return "osmesa" if _first(load, _OSMESA) is not None else "disabled"


def imported(module: str, product: str, extra: str) -> ModuleType:
    """Return a module that works with MuJoCo.

    Args:
        module: Its name.
        product: What is installed, as a person says it.
        extra: Of this package, that brings it.

    Raises:
        ConfigError: It is not installed, or cannot be loaded: most often for want of what MUJOCO_GL names.
    """
    try:
        import_module("mujoco")
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{product} is not installed ({error}); pip install 'skillagent[{extra}]'") from error
    except Exception as error:  # PyOpenGL says in many ways that a library is missing
        raise ConfigError(f"{product} cannot be loaded ({error}); where that is about drawing: {NEEDED}") from error


def _first(load: Load, names: Iterable[str]) -> Any:  # noqa: ANN401 - ctypes' libraries have no type of their own
    for name in names:
        try:
            return load(name)
        except OSError:
            continue
    return None


def _devices(load: Load) -> int:
    """Return how many devices EGL can draw on without a screen; 0 where there is no EGL."""
    library = _first(load, _EGL)
    if library is None:
        return 0
    library.eglGetProcAddress.restype = ctypes.c_void_p
    library.eglGetProcAddress.argtypes = [ctypes.c_char_p]
    address = library.eglGetProcAddress(b"eglQueryDevicesEXT")
    if not address:
        return 0
    ask = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int))(address)
    found = ctypes.c_int(0)
    return found.value if ask(0, None, ctypes.byref(found)) else 0
