"""Router: why a skill is shown for a goal, or none, and what routing has come to. No model is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.output import AsJson, emit, examples, say, table
from skillagent.cli.parts import parts_of

if TYPE_CHECKING:
    from skillagent.routing.explain import Explanation
    from skillagent.schema import Ranked

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)

_PARTS = ("words", "text", "solved", "whole", "chance")


@app.callback(
    epilog=examples(
        'skillagent router explain "Enter 05/20/2010 as the date and hit submit."', "skillagent router eval"
    )
)
def _router() -> None:
    """Ask why the router shows a skill, or none, and what came of it."""


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
    candidates. A goal whose parts programs know, and together better than the whole, is explained part by part.
    """
    from functools import partial

    from skillagent.acting.stitch import stitched
    from skillagent.goals import named
    from skillagent.routing.catalogue import Catalogue
    from skillagent.routing.explain import explain as explained
    from skillagent.routing.outcomes import Outcomes
    from skillagent.routing.route import form

    parts = parts_of(ctx)
    settings = parts.settings()
    store, vectors = parts.store(settings), parts.vectors(settings)
    known, catalogue, library = Outcomes(vectors, store.events), Catalogue(vectors), store.load()
    told = partial(explained, library=library, catalogue=catalogue, domain=env, outcomes=known)
    asked, words = named(goal, library.skills)
    divided = () if asked else stitched(words, partial(form, library=library, domain=env, catalogue=catalogue))
    found = [told(part) for part in divided or (goal,)]
    if as_json:
        emit(told(goal).model_dump(mode="json") | {"parts": [one.model_dump(mode="json") for one in found if divided]})
        return
    for number, one in enumerate(found, start=1):
        if divided:
            say(f"part {number} of {len(found)}: {one.goal}")
        _say(one)


def _say(found: Explanation) -> None:
    for line in (*found.why, *found.otherwise):
        say(line)
    if found.considered:
        say()
        say(table(["candidate", "score", *_PARTS], [_row(one) for one in found.considered]))
        say()


def _row(one: Ranked) -> list[str]:
    parts = [f"{one.parts[name]:.2f}" if one.parts.get(name, -1.0) > -1 else "-" for name in _PARTS]
    return [one.id, f"{one.score:.2f}", *parts]


@app.command("eval", epilog=examples("skillagent router eval", "skillagent router eval --top 20 --json"))
def evaluate(
    ctx: typer.Context,
    top: Annotated[int, typer.Option(min=1, help="How many goals without a skill to name.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Say what routing has come to: which skills were of use, which misled, which never came, and what is lacking.

    Read off the ledger. Alone: its program did the task by itself. Helped: solved, and the model took part. Misled: not
    solved. Ignored: the model did something else than its words say, so it neither helped nor misled. Of those shown,
    its program ran, or its words were followed, in so many. Every attempt counts that was scored.
    """
    from skillagent.routing.credit import routing

    parts = parts_of(ctx)
    store = parts.store(parts.settings())
    found = routing(store.load(), store.events())
    if as_json:
        emit(found.model_dump(mode="json"))
        return
    if not found.attempts:
        say("nothing was tried yet; `skillagent learn SUITE` or `skillagent chat` does")
        return
    if found.credits:
        rows = [[str(cell) for cell in one.model_dump().values()] for one in found.credits]
        say(table(list(found.credits[0].model_dump()), rows))
        say()
    if found.unused:
        say(f"never shown: {', '.join(found.unused)}")
    failed = sum(one.failed for one in found.lacking)
    say(f"no skill was shown in {found.abstained} of {found.attempts} attempts, of which {failed} failed")
    for one in found.lacking[:top]:
        say(f"  {one.failed} of {one.tried} failed: {one.shape[:100]}")
    for words in found.wanted[:top]:
        say(f"  asked for by a plan: {words}")
