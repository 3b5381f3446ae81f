"""Parts: what the commands are put together from, so that a program or a test can put in its own.

Loading a part loads what it needs and nothing else: `skills list` never loads a model's library.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

if TYPE_CHECKING:
    from pydantic import JsonValue

    from skillagent.build import Options
    from skillagent.config import Settings
    from skillagent.loop import Agent, Watch
    from skillagent.ports import Store, VectorCache

Set = Annotated[
    list[str] | None, typer.Option("--set", help="An option of a stage, e.g. memory.recall=on; may be repeated.")
]


class LoadSettings(Protocol):
    """Returns the settings in force; overrides that are None are left out."""

    def __call__(self, **overrides: object) -> Settings:
        """Raise ConfigError for a value that a setting cannot have."""
        ...


class OpenAgent(Protocol):
    """Puts an agent together for as long as the context lasts."""

    def __call__(
        self, settings: Settings, *, watch: Watch = ..., options: Options | None = None, read_only: bool = False
    ) -> AbstractContextManager[Agent]:
        """Raise ConfigError when something is missing that the operator must install or set."""
        ...


class OpenStore(Protocol):
    """Opens the store of the settings' folders."""

    def __call__(self, settings: Settings) -> Store:
        """Make nothing on the disk."""
        ...


class OpenVectors(Protocol):
    """Opens the vectors that texts are searched by."""

    def __call__(self, settings: Settings) -> VectorCache:
        """Raise ConfigError when the embedder is not there."""
        ...


def _settings(**overrides: object) -> Settings:
    from skillagent.config import load

    return load(**overrides)


def _agent(
    settings: Settings, *, watch: Watch | None = None, options: Options | None = None, read_only: bool = False
) -> AbstractContextManager[Agent]:
    from skillagent.build import open_agent
    from skillagent.loop import unwatched

    return open_agent(settings, watch=watch or unwatched, options=options, read_only=read_only)


def _store(settings: Settings) -> Store:
    from skillagent.store.disk import DiskStore

    return DiskStore(settings.skills, settings.memory)


def _vectors(settings: Settings) -> VectorCache:
    from skillagent.build import vector_cache

    return vector_cache(settings, read_only=True)


def _lines(prompt: bool) -> Iterator[str]:
    while True:
        if prompt and sys.stdin.isatty():
            typer.echo("> ", nl=False)
        if not (line := sys.stdin.readline()):
            return
        yield line


@dataclass(frozen=True)
class Parts:
    """The real parts by default. `lines` yields what is typed; its argument says whether to prompt for it."""

    settings: LoadSettings = _settings
    agent: OpenAgent = _agent
    store: OpenStore = _store
    vectors: OpenVectors = _vectors
    lines: Callable[[bool], Iterable[str]] = _lines


def parts_of(ctx: typer.Context) -> Parts:
    """Return the parts that `main` was given, or the real ones."""
    return ctx.obj if isinstance(ctx.obj, Parts) else Parts()


def changes_of(given: Sequence[str] | None) -> dict[str, JsonValue]:
    """Return what `--set` gave, for `Options.changed`.

    Raises:
        ConfigError: One is not option=value.
    """
    from skillagent.errors import ConfigError

    changes: dict[str, JsonValue] = {}
    for one in given or ():
        key, equals, value = one.partition("=")
        if not equals:
            raise ConfigError(f"--set {one}: say option=value, e.g. programs=off")
        changes[key.strip()] = value.strip()
    return changes
