"""Pictures: what a simulated camera sees, as PNG; nothing is drawn unless it is asked for."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from skillagent.envs.drawing import NEEDED
from skillagent.errors import ConfigError


def png(render: Callable[[], NDArray[np.uint8]], *, upside_down: bool = False) -> bytes:
    """Return what `render` draws, shape (height, width, 3), as PNG.

    Raises:
        ConfigError: There is nothing to draw with.
    """
    from PIL import Image

    if not hasattr(import_module("mujoco"), "GLContext"):  # asked first: what it half makes complains when it goes
        raise ConfigError(f"no picture can be drawn: there is nothing to draw with (MUJOCO_GL is disabled); {NEEDED}")
    try:
        frame = render()
    except Exception as error:  # whatever the drawing library says
        raise ConfigError(f"no picture can be drawn ({error}); {NEEDED}") from error
    out = io.BytesIO()
    Image.fromarray(np.flipud(frame) if upside_down else frame).save(out, "PNG")
    return out.getvalue()
