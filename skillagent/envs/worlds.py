"""Worlds: one live environment of each name, made when first needed and made anew after a fault.

An environment costs more to start than an episode does. Episodes of one process follow each other: one is enough.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from skillagent.errors import WorldFault
from skillagent.ports import Environment
from skillagent.schema import Task


class Worlds:
    """Environments by name.

    Args:
        make: Makes the environment of a name.
    """

    def __init__(self, make: Callable[[str], Environment]) -> None:
        self._make = make
        self._live: dict[str, Environment] = {}

    def open(self, task: Task) -> Environment:
        """Return the live environment of the task, started if there is none."""
        if task.env not in self._live:
            self._live[task.env] = self._make(task.env)
        return self._live[task.env]

    def drop(self, task: Task) -> None:
        """Close the task's environment; the next `open` starts another."""
        if (environment := self._live.pop(task.env, None)) is not None:
            with contextlib.suppress(WorldFault):  # it is being dropped because it failed
                environment.close()

    def close(self) -> None:
        """Close all of them."""
        while self._live:
            _, environment = self._live.popitem()
            with contextlib.suppress(WorldFault):
                environment.close()
