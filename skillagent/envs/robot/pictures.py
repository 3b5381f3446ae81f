"""Pictures: what a simulated camera sees, as PNG; nothing is drawn unless it is asked for."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skillagent.errors import ConfigError


def png(render: Callable[[], NDArray[np.uint8]], *, upside_down: bool = False) -> bytes:
    """Return what `render` draws, shape (height, width, 3), as PNG.

    Raises:
        ConfigError: There is nothing to draw with.
    """
    from PIL import Image

    try:
        frame = render()
    except Exception as error:  # whatever the drawing library says
        raise ConfigError(
            f"no picture can be drawn ({error}); set MUJOCO_GL=egl after `apt-get install libegl1 libegl-mesa0 "
            "libgl1-mesa-dri libgles2`, or MUJOCO_GL=osmesa after `apt-get install libosmesa6`"
        ) from error
    out = io.BytesIO()
    Image.fromarray(np.flipud(frame) if upside_down else frame).save(out, "PNG")
    return out.getvalue()
