"""Reference: `docs/cli.md`, written from the commands themselves.

    python -m skillagent.cli.reference > docs/cli.md

A test holds the file equal to this text, so help and documentation cannot drift apart.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from skillagent.cli import COMMANDS, PROGRAM, loaded, root
from skillagent.cli.exits import Exit

HEAD = """\
# The command line

Written by `python -m skillagent.cli.reference > docs/cli.md` from the commands themselves.

Results go to stdout, errors and remarks to stderr. With `--json`, every command prints one JSON document; `run`,
`learn` and `chat` print one JSON object a line while they work, and the last line of `run` and `learn` is the result.
Settings are read from environment variables `SKILLAGENT_…` and from `.env`; `.env.example` lists them all.
"""


def walk() -> Iterator[tuple[str, TyperCommand | TyperGroup, typer.Context]]:
    """Yield every command as it is typed, groups before their commands, with a context to read its help in."""
    above = typer.Context(root(), info_name=PROGRAM)
    for name in COMMANDS:
        command = loaded(name)
        context = typer.Context(command, info_name=name, parent=above)
        yield f"{PROGRAM} {name}", command, context
        for inner, one in getattr(command, "commands", {}).items():
            assert isinstance(one, TyperCommand | TyperGroup)
            yield f"{PROGRAM} {name} {inner}", one, typer.Context(one, info_name=inner, parent=context)


def reference() -> str:
    """Return the text of `docs/cli.md`."""
    codes = ["| code | meaning |", "|---|---|", *(f"| {code.value} | {code.meaning} |" for code in Exit)]
    parts = [HEAD, "## Exit codes\n\n" + "\n".join(codes) + "\n"]
    for typed, command, context in walk():
        depth = "##" if typed.count(" ") == 1 else "###"
        parts.append("\n".join([f"{depth} {typed}", "", *_body(command, context)]) + "\n")
    return "\n".join(parts)


def _body(command: TyperCommand | TyperGroup, context: typer.Context) -> Iterator[str]:
    yield inspect.cleandoc(command.help or "")
    yield ""
    if isinstance(command, TyperGroup):
        return
    own = [one for one in command.params if isinstance(one, TyperArgument | TyperOption)]
    words = [_argument(one) for one in own if isinstance(one, TyperArgument)]
    yield "```"
    yield " ".join([*context.command_path.split(), "[OPTIONS]", *words])
    yield "```"
    if own:
        yield ""
        yield "| | |"
        yield "|---|---|"
        yield from (_row(one) for one in own)
    yield ""
    yield "```sh"
    yield from (line.strip() for line in (command.epilog or "").splitlines() if line.strip().startswith(PROGRAM))
    yield "```"


def _argument(one: TyperArgument) -> str:
    name = (one.metavar or one.name or "").upper()
    return name if one.required else f"[{name}]"


def _row(one: TyperArgument | TyperOption) -> str:
    """One line of the table. The library's own rendering is not used: it changes from release to release."""
    name = _argument(one) if isinstance(one, TyperArgument) else ", ".join(one.opts)
    plain = one.default is None or one.default is False or one.default == ""
    default = "" if plain else f" Default: {one.default}."
    return f"| `{name}` | {one.help or ''}{default} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
