"""Registry: which environment a task's `env` names, and how to make it.

Ours are named here; others come from installed packages through the entry-point group `skillagent.environments`: a
name, and a callable that takes an `Options` and returns an `Environment`. Nothing is started or imported before it is
asked for. An entry point cannot replace one of ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from skillagent.envs.babyai.world import BabyAI
from skillagent.envs.libero.world import Libero
from skillagent.envs.optimize.environment import Optimize
from skillagent.envs.robot.world import MetaWorld
from skillagent.envs.tabletop.world import Tabletop
from skillagent.envs.web.environment import WebEnvironment
from skillagent.envs.web.miniwob import MiniWoB
from skillagent.errors import ConfigError
from skillagent.ports import Environment

GROUP = "skillagent.environments"


@dataclass(frozen=True)
class Options:
    """What an operator may say about environments; each takes what concerns it.

    `chromium` is the browser to start (None: look for one), `headed` shows its window, `hosts` may be reached besides
    the task's own, `folder` is where file URLs may point, `observation_chars` bounds an observation's text, and
    `problems` is a folder of optimisation problems.
    """

    chromium: Path | None = None
    headed: bool = False
    hosts: tuple[str, ...] = ()
    folder: Path | None = None
    observation_chars: int = 6000
    problems: Path | None = None


Factory = Callable[[Options], Environment]


def open_environment(
    name: str, options: Options | None = None, *, installed: Sequence[EntryPoint] | None = None
) -> Environment:
    """Return a new environment for tasks whose `env` is `name`; the caller closes it.

    Args:
        name: `web`, `miniwob`, `optimize`, `metaworld`, `tabletop`, `libero`, `babyai`, or a name that an installed
            package registers.
        options: What the operator said.
        installed: The entry points to look among; None: those of the packages that are installed.

    Raises:
        ConfigError: There is none of that name, or its package cannot be imported; the message lists those there are.
    """
    known = factories(installed)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"no environment {name!r}: there are {', '.join(sorted(known))}{meant}")
    return known[name](options or Options())


def factories(installed: Sequence[EntryPoint] | None = None) -> Mapping[str, Factory]:
    """Return every environment by name, ours and those of installed packages."""
    found = entry_points(group=GROUP) if installed is None else installed
    return {**{point.name: _loading(point) for point in found}, **OURS}


def _loading(point: EntryPoint) -> Factory:
    def make(options: Options) -> Environment:
        try:
            factory: Factory = point.load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"environment {point.name!r} ({point.value}) cannot be imported: {error}") from error
        return factory(options)

    return make


def _web(options: Options) -> Environment:
    return WebEnvironment(
        executable=options.chromium,
        headed=options.headed,
        hosts=options.hosts,
        folder=options.folder,
        limit=options.observation_chars,
    )


def _miniwob(options: Options) -> Environment:
    return MiniWoB(executable=options.chromium, headed=options.headed, limit=options.observation_chars)


def _optimize(options: Options) -> Environment:
    return Optimize(options.problems)


def _babyai(_: Options) -> Environment:
    return BabyAI()


def _metaworld(_: Options) -> Environment:
    return MetaWorld()


def _libero(_: Options) -> Environment:
    return Libero()


def _tabletop(_: Options) -> Environment:
    return Tabletop()


OURS: Mapping[str, Factory] = {
    "web": _web,
    "miniwob": _miniwob,
    "optimize": _optimize,
    "metaworld": _metaworld,
    "tabletop": _tabletop,
    "libero": _libero,
    "babyai": _babyai,
}

# Worlds whose tasks state their own goals: a goal in words would be read by nobody there.
STATES_GOALS = frozenset({"miniwob", "optimize", "metaworld", "tabletop", "libero", "babyai"})
