"""Router: why a skill is shown for a goal, or none. Nothing is tried, and no model is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.output import AsJson, emit, examples, say, table
from skillagent.cli.parts import parts_of

if TYPE_CHECKING:
    from skillagent.schema import Ranked

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)

_PARTS = ("words", "text", "solved", "whole", "chance")


@app.callback(epilog=examples('skillagent router explain "Enter 05/20/2010 as the date and hit submit."'))
def _router() -> None:
    """Ask why the router shows a skill for a goal, or none."""


@app.command(
    epilog=examples(
        'skillagent router explain "Enter 05/20/2010 as the date and hit submit."',
        'skillagent router explain "/date-entry Enter 05/20/2010" --env miniwob --json',
    )
)
def explain(
    ctx: typer.Context,
    goal: Annotated[str, typer.Argument(help="What is to be done, in words.")],
    env: Annotated[str, typer.Option(help="The environment that it is to be done in; not given: any.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say which skill would be shown for a goal and why, with scores, runners-up, and what would change it.

    words: how much of the goal the skill's text and solved goals account for; text, solved: cosine to its text and to
    the nearest goal that it solved; whole: cosine to both together. Score: whole and a part of words. Chance: that the
    best one fits at all, from its score and its lead. Of several programs that know a goal of this form, first comes
    what did such goals by itself, and what fixes more of the goal. Only skills of that environment, or of none, are
    candidates.
    """
    from skillagent.routing.catalogue import Catalogue
    from skillagent.routing.explain import explain as explained
    from skillagent.routing.outcomes import Outcomes

    parts = parts_of(ctx)
    settings = parts.settings()
    store, vectors = parts.store(settings), parts.vectors(settings)
    known = Outcomes(vectors, store.events)
    found = explained(goal, store.load(), catalogue=Catalogue(vectors), domain=env, outcomes=known)
    if as_json:
        emit(found.model_dump(mode="json"))
        return
    for line in (*found.why, *found.otherwise):
        say(line)
    if found.considered:
        say()
        say(table(["candidate", "score", *_PARTS], [_row(one) for one in found.considered]))


def _row(one: Ranked) -> list[str]:
    parts = [f"{one.parts[name]:.2f}" if one.parts.get(name, -1.0) > -1 else "-" for name in _PARTS]
    return [one.id, f"{one.score:.2f}", *parts]
