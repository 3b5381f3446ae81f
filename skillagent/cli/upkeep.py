"""Upkeep: looking after the library from the command line, for the commands that do so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.output import emit_line
from skillagent.cli.parts import parts_of

if TYPE_CHECKING:
    from pydantic import JsonValue

    from skillagent.library import Library

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
_ASKING = ("same", "conditions")  # kinds of care that need a model


def look_after(
    ctx: typer.Context,
    kinds: Sequence[str],
    *,
    changes: dict[str, JsonValue],
    dry: bool,
    model: str | None,
    as_json: bool,
) -> Library:
    """Take these kinds of care, show what is done, and return the library as it is then, or would be."""
    from skillagent import loop
    from skillagent.build import Options
    from skillagent.cli.show import watching

    parts = parts_of(ctx)
    settings, options = parts.settings(model=model), Options().changed(changes)
    if not set(kinds) & set(_ASKING):
        settings = settings.model_copy(update={"model": "none/none", "student": None})
    with watching(as_json, steps=False) as watch, parts.agent(settings, watch=watch, options=options) as agent:
        done = list(loop.evolve(agent, kinds, dry=dry))
        accepted = [one for one in done if one.accepted]
        left = agent.store.load()
    for decision in accepted if dry else ():
        left = left.apply(decision.edit)
    refused = len(done) - len(accepted)
    if as_json:
        counts = {"accepted": len(accepted), "refused": refused}
        emit_line({"event": "result", **counts, "skills": len(left.skills), "insights": len(left.insights)})
    elif not done:
        watch.say("nothing to do")
    else:
        changed = "1 change" if len(accepted) == 1 else f"{len(accepted)} changes"
        watch.say(f"{changed}{' would be' if dry else ''} made, {refused} refused")
    return left
