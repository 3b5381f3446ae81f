"""The command line: `skillagent …`. A command's module is loaded when that command runs, and not for `--help`.

What a reader would get wrong: the commands below are placeholders with a name and one line of help; the real ones are
in the modules named beside them, each with an `app` of its own. Errors that a user can mend, and those of files, end
here as one line on stderr and an exit code (`exits`); `--debug` shows where they came from.

Nothing is decided here: commands call the loop, the store and the weights, and show what came back.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from skillagent import __version__
from skillagent.cli.exits import Exit, exit_of
from skillagent.cli.output import hush
from skillagent.errors import SkillAgentError

if TYPE_CHECKING:
    from skillagent.cli.parts import Parts

PROGRAM = "skillagent"

# Name: the module that holds it, and its line in the help. A test holds the line equal to the command's own.
COMMANDS = {
    "run": ("skillagent.cli.run", "Do one task, and learn from it where that is safe."),
    "learn": ("skillagent.cli.learn", "Practise a suite of tasks and let the library grow."),
    "chat": ("skillagent.cli.chat", "Give goals in words, watch, and say what was good or bad."),
    "eval": ("skillagent.cli.evaluate", "Measure a suite with and without the library."),
    "replay": ("skillagent.cli.replay", "Do again what a kept episode did, or step through it."),
    "demos": ("skillagent.cli.record", "Write demonstrations: a world's own, or an arm's recordings."),
    "skills": ("skillagent.cli.skills", "See, compare, check and undo what was learnt as skills."),
    "insights": ("skillagent.cli.insights", "See, search, look after and undo what was learnt as insights."),
    "router": ("skillagent.cli.router", "See why the router shows a skill, what came of it, and train it."),
    "models": ("skillagent.cli.models", "Fetch the weights of embedded models."),
    "doctor": ("skillagent.cli.doctor", "Check every part that is needed, and say how to mend it."),
}


class Commands(TyperGroup):
    """The commands by name, each loaded when it is called."""

    def resolve_command(  # type: ignore[override]  # the context is always typer's own
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """Find the command that the first argument names; unknown names are answered with near ones."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, loaded(name) if name else None, rest

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # as above
        """Run the command; what a user can mend ends as one line on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except (SkillAgentError, OSError) as error:
            if isinstance(error, BrokenPipeError):  # nobody reads any more: click ends quietly
                raise
            if ctx.params.get("debug"):
                import traceback

                traceback.print_exc()
            typer.echo(f"error: {_told(error)}", err=True)
            raise typer.Exit(exit_of(error)) from None
        except KeyboardInterrupt:
            hush()
            typer.echo("stopped; what was committed stands", err=True)
            raise typer.Exit(Exit.INTERRUPTED) from None


def loaded(name: str) -> TyperCommand | TyperGroup:
    """Return the command, or the group of commands, of that name."""
    module, summary = COMMANDS[name]
    command = get_command(import_module(module).app)
    command.name, command.short_help = name, summary
    assert isinstance(command, TyperCommand | TyperGroup)
    return command


def _told(error: Exception) -> str:
    """Return an error in one line, with the file that the system's own ones are about."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    return str(error) or type(error).__name__


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


app = typer.Typer(cls=Commands, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback(epilog="\b\n" + "\n".join(["Exit codes:", *(f"  {code.value:<4} {code.meaning}" for code in Exit)]))
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and what the parts log.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """An agent that gets better at your web apps and robots, and can show why.

    `skillagent COMMAND --help` shows examples. Settings come from environment variables or a `.env` file.
    """
    if debug:
        import logging

        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")


def root() -> Commands:
    """Return the whole command line, with a placeholder for every command."""
    command = get_command(app)
    assert isinstance(command, Commands)
    for name, (_, summary) in COMMANDS.items():
        command.add_command(TyperCommand(name, help=summary))
    return command


def main(argv: Sequence[str] | None = None, *, parts: Parts | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: The arguments; default: those of the process.
        parts: What the commands are put together from; default: the real ones.
    """
    try:
        root().main(args=None if argv is None else list(argv), prog_name=PROGRAM, obj=parts)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else Exit.OK if stop.code is None else Exit.USAGE
    return Exit.OK
