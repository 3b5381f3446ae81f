"""Insights: what was learnt as insights: listing, search, history, undo.

`search` ranks by the same vectors and words as the router does, but shows everything, near or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.output import AsJson, emit, examples, note, say, shorten, table
from skillagent.cli.parts import parts_of

if TYPE_CHECKING:
    from skillagent.library import Library
    from skillagent.ports import Store
    from skillagent.schema import Event, Insight, Json

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="An insight's id, as `skillagent insights list` shows it.")]


@app.callback(epilog=examples("skillagent insights list", 'skillagent insights search "date fields"'))
def _insights() -> None:
    """See, search and undo what was learnt as insights."""


@app.command("list", epilog=examples("skillagent insights list"))
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the insights with how often they helped.

    A use is a scored try in which the insight was shown to the model.
    """
    from skillagent.store.ledger import outcomes

    _, library, events = _opened(ctx)
    tallies = outcomes(events)
    insights = [library.insights[key] for key in sorted(library.insights)]
    if as_json:
        emit(
            [
                {
                    **insight.model_dump(mode="json"),
                    "uses": tallies[insight.id].uses if insight.id in tallies else 0,
                    "successes": tallies[insight.id].successes if insight.id in tallies else 0,
                }
                for insight in insights
            ]
        )
        return
    if not insights:
        say("no insights yet; `skillagent learn SUITE` makes some")
        return
    rows = []
    for insight in insights:
        tally = tallies.get(insight.id)
        used = f"{tally.successes}/{tally.uses}" if tally else "-"
        rows.append([insight.id, insight.kind, used, shorten(_sentence(insight), 100)])
    say(table(["id", "kind", "solved/used", "when: what"], rows))


@app.command(epilog=examples("skillagent insights show form-date-1a2b3c"))
def show(ctx: typer.Context, key: Id, as_json: AsJson = False) -> None:
    """Show an insight with its evidence and its history."""
    from skillagent.cli.history import accepted_of, as_lines

    _, library, events = _opened(ctx)
    insight = _known(library, key)
    entries = accepted_of(events, key, "insight")
    if as_json:
        emit({**insight.model_dump(mode="json"), "history": [entry.json for entry in entries]})
        return
    rows = {
        "id": insight.id,
        "taxonomy": insight.taxonomy,
        "kind": insight.kind,
        "applies": insight.condition.applies,
        "not": insight.condition.does_not_apply,
        "explanation": insight.explanation,
        "example": insight.example,
        "evidence": ", ".join(insight.evidence),
        "origin": insight.origin,
    }
    for name, text in rows.items():
        if text:
            say(f"{name:<13}{text}")
    for line in as_lines(entries):
        say(line)


@app.command(epilog=examples('skillagent insights search "date fields"'))
def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="What it is about, in words.")],
    top: Annotated[int, typer.Option(min=1, help="How many to show.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Find the insights nearest a question in words."""
    from skillagent.routing.route import Thresholds, route
    from skillagent.schema import Plan, Subgoal

    parts = parts_of(ctx)
    settings = parts.settings()
    library = parts.store(settings).load()
    everything = Thresholds(insight=-1.0, insights=top)
    plan = Plan(goal=query, subgoals=(Subgoal(text=query),))
    only = library.model_copy(update={"skills": {}, "demonstrations": {}})
    found = route(plan, only, cache=parts.vectors(settings), thresholds=everything).insights[0] if len(only) else ()
    if as_json:
        emit([_hit(library.insights[one.id], one.parts["text"]) for one in found])
        return
    if not found:
        say("no insights yet; `skillagent learn SUITE` makes some")
        return
    rows = [[f"{one.parts['text']:.2f}", one.id, shorten(_sentence(library.insights[one.id]), 110)] for one in found]
    say(table(["near", "id", "when: what"], rows))


@app.command(epilog=examples("skillagent insights retire form-date-1a2b3c"))
def retire(ctx: typer.Context, key: Id, as_json: AsJson = False) -> None:
    """Take an insight out of the library.

    `skillagent insights rollback` brings it back.
    """
    from skillagent.cli.undo import retired

    store, library, events = _opened(ctx)
    _known(library, key)
    store.commit(retired(library, events, key, why="asked for by a person"))
    if as_json:
        emit({"id": key, "retired": True})
    else:
        say(f"retired: {key}")
        note(f"undo with `skillagent insights rollback {key}`")


@app.command(epilog=examples("skillagent insights rollback form-date-1a2b3c"))
def rollback(ctx: typer.Context, key: Id, as_json: AsJson = False) -> None:
    """Undo the last change of an insight, or of an example.

    The state before the first change is "not there".
    """
    from skillagent.cli.words import of_changes
    from skillagent.store.ledger import rollback as entry_for

    store, library, events = _opened(ctx)
    entry = entry_for(library, events, key, why="asked for by a person")
    store.commit(entry)
    if as_json:
        emit({"id": key, "changes": of_changes(entry.changes)})
    else:
        say(f"rolled back: {of_changes(entry.changes)}")


def _opened(ctx: typer.Context) -> tuple[Store, Library, list[Event]]:
    parts = parts_of(ctx)
    store = parts.store(parts.settings())
    return store, store.load(), list(store.events())


def _known(library: Library, key: str) -> Insight:
    from skillagent.cli.texts import near
    from skillagent.errors import NotFound

    if key not in library.insights:
        raise NotFound(f"no insight {key!r} in the library{near(key, library.insights)}")
    return library.insights[key]


def _sentence(insight: Insight) -> str:
    return f"{insight.condition.applies}: {insight.explanation}"


def _hit(insight: Insight, nearness: float) -> Json:
    return {**insight.model_dump(mode="json"), "near": nearness}
