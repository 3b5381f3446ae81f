"""Output: results on stdout, remarks on stderr, one JSON document where `--json` asks for it.

Texts of pages and models are shown, so everything printed goes through `clean`: nothing in them can move the cursor or
recolour the terminal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import JsonValue

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]


def examples(*lines: str) -> str:
    """Return the examples that end a command's help, each line as it is typed."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def clean(text: str) -> str:
    """Return the text without anything that a terminal would obey; line ends and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def shorten(text: str, width: int) -> str:
    """Return the text on one line of at most `width` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def say(text: str = "") -> None:
    """Print a result on stdout."""
    typer.echo(clean(text))


def note(text: str) -> None:
    """Print a remark on stderr."""
    typer.echo(clean(text), err=True)


def emit(document: JsonValue) -> None:
    """Print one JSON document on stdout, readable."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def emit_line(document: JsonValue) -> None:
    """Print one JSON document on stdout, on one line, at once."""
    typer.echo(json.dumps(document, ensure_ascii=False))


def hush() -> None:
    """After Ctrl-C, leave out what the browser's driver, which got it as well, still says through asyncio."""
    import logging

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned table; the last column is not padded."""
    cells = [[clean(cell).replace("\n", " ") for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)
