"""Insights: what was learnt as insights: listing, search, history, upkeep, undo.

`search` ranks by the same vectors and words as the router does, but shows everything, near or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.output import AsJson, emit, examples, note, say, shorten, table
from skillagent.cli.parts import parts_of
from skillagent.cli.run import Model
from skillagent.cli.upkeep import DryRun, look_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic import JsonValue

    from skillagent.learning.utility import Utility
    from skillagent.library import Library
    from skillagent.ports import Store
    from skillagent.schema import Attempted, Event, Insight, Json, Label

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="An insight's id, as `skillagent insights list` shows it.")]


@app.callback(epilog=examples("skillagent insights list", 'skillagent insights search "date fields"'))
def _insights() -> None:
    """See, search, look after and undo what was learnt as insights."""


@app.command("list", epilog=examples("skillagent insights list"))
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the insights with how often they helped.

    A use is a scored try in which the insight was shown to the model. Its lift is how much likelier success is with it
    than without it on the same tasks, between bounds that hold in 95 of 100 cases.
    """
    from skillagent.learning.utility import utilities
    from skillagent.store.ledger import outcomes

    _, library, events = _opened(ctx)
    tallies, worth = outcomes(events), utilities(events)
    insights = [library.insights[key] for key in sorted(library.insights)]
    if as_json:
        emit(
            [
                {
                    **insight.model_dump(mode="json"),
                    "uses": tallies[insight.id].uses if insight.id in tallies else 0,
                    "successes": tallies[insight.id].successes if insight.id in tallies else 0,
                    "utility": worth[insight.id].model_dump(mode="json") if insight.id in worth else None,
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
        lift = _lift(worth[insight.id]) if insight.id in worth else "-"
        pin = "pinned" if insight.pinned else ""
        rows.append([insight.id, insight.kind, used, lift, pin, shorten(_sentence(insight), 100)])
    say(table(["id", "kind", "solved/used", "lift", "", "when: what"], rows))


@app.command(epilog=examples("skillagent insights labels"))
def labels(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the labels under which insights stand, with what each means and how many stand there."""
    from skillagent.learning.taxonomy import labels as labels_of

    _, library, _ = _opened(ctx)
    insights = list(library.insights.values())
    known = labels_of(insights)
    counts = {label: sum(f"{one.taxonomy}/".startswith(f"{label}/") for one in insights) for label in known}
    if as_json:
        emit([{"label": label, "means": means, "insights": counts[label]} for label, means in known.items()])
    elif not known:
        say("no insights yet; `skillagent learn SUITE` makes some")
    else:
        say(
            table(
                ["label", "insights", "means"], [[label, str(counts[label]), means] for label, means in known.items()]
            )
        )


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
        "worked": f"\n{'':<13}".join(insight.worked),
        "evidence": ", ".join(insight.evidence),
        "origin": insight.origin,
        "related": ", ".join(insight.related),
        "pinned": "yes: no upkeep changes it or takes it out" if insight.pinned else "",
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
    from skillagent.routing.catalogue import Catalogue
    from skillagent.routing.route import Thresholds, route
    from skillagent.schema import Plan, Ranked

    parts = parts_of(ctx)
    settings = parts.settings()
    library = parts.store(settings).load()
    everything = Thresholds(insight=-1.0, insights=top)
    only = library.model_copy(update={"skills": {}, "demonstrations": {}})
    found: tuple[Ranked, ...] = ()
    if only.insights:
        catalogue = Catalogue(parts.vectors(settings))
        found = route(Plan(goal=query), only, catalogue=catalogue, thresholds=everything).insights[0]
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


@app.command(
    epilog=examples("skillagent insights pin form-date-1a2b3c", "skillagent insights pin form-date-1a2b3c --off")
)
def pin(
    ctx: typer.Context,
    key: Id,
    off: Annotated[bool, typer.Option("--off", help="Let go of it again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep an insight as it is: no upkeep changes it or takes it out."""
    from skillagent.schema import Decided, Decision, Edit, PutInsight

    store, library, _ = _opened(ctx)
    insight = _known(library, key)
    if insight.pinned is off:
        change = PutInsight(insight=insight.model_copy(update={"pinned": not off}), base=insight.digest)
        edit = Edit(changes=(change,), why=f"{key}: {'let go of' if off else 'pinned'} by a person")
        reason = "accepted: a person's decision, not replayed"
        store.commit(Decided(decision=Decision(edit=edit, accepted=True, reason=reason, by="person")))
    if as_json:
        emit({"id": key, "pinned": not off})
    else:
        say(f"{'let go of' if off else 'pinned'}: {key}")


_CARE = ("harmful", "same", "conditions", "budget", "related")


@app.command(epilog=examples("skillagent insights evolve --dry-run", "skillagent insights evolve"))
def evolve(ctx: typer.Context, dry_run: DryRun = False, model: Model = None, as_json: AsJson = False) -> None:
    """Look after the insights by what is known of them.

    Those that hurt go; those that say the same become one, where it still solves what either was learnt from;
    conditions that replays of failed tasks showed to be too wide or too narrow are worded anew, and kept where they
    retrieve better; what is beyond the budget goes; what is near and not the same is linked.
    """
    _upkeep(ctx, _CARE, {}, dry_run, model, as_json)


@app.command(
    epilog=examples("skillagent insights prune --budget 50", "skillagent insights prune --budget 50 --dry-run")
)
def prune(
    ctx: typer.Context,
    budget: Annotated[int, typer.Option(min=0, help="How many insights may stay.")] = 100,
    student: Annotated[
        str | None, typer.Option(help="A weaker model: what each item adds to its success tells what that is worth.")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take out insights that hurt, then the most redundant ones, until no more than the budget are left.

    Insights are gathered by what they say; from the largest group goes the one that is most like the others and has
    been worth least. One that stands alone goes last, a pinned one never. With --student, a weaker model tries tasks
    like those that each insight was learnt from, with and without it, and so for each example: one that belongs to no
    skill and adds nothing goes too.
    """
    changes: dict[str, JsonValue] = {"upkeep.budget": budget}
    if student is not None:
        changes["upkeep.taught"] = dict(_taught(ctx, student))
    _upkeep(ctx, ("harmful", "budget"), changes, dry_run, None, as_json)


def _taught(ctx: typer.Context, student: str) -> Iterator[tuple[str, float]]:
    from functools import partial

    from skillagent.learning.teaching import taught
    from skillagent.loop import Told, showing

    parts = parts_of(ctx)
    settings = parts.settings(model=student).model_copy(update={"student": None})
    with parts.agent(settings, read_only=True) as agent:
        library = agent.store.load()
        kinds: dict[Told, Iterable[str]] = {"insights": library.insights, "demonstrations": library.demonstrations}
        for key, kind in [(key, kind) for kind, keys in kinds.items() for key in keys]:
            gain = taught(key, library, partial(showing, agent, library, of=kind))
            note(f"{key}: {'no exam that tells' if gain is None else f'{gain:+.2f}'} for {student}")
            if gain is not None:
                yield key, gain


def _upkeep(
    ctx: typer.Context,
    kinds: Sequence[str],
    changes: dict[str, JsonValue],
    dry: bool,
    model: str | None,
    as_json: bool,
) -> None:
    from skillagent.build import Options

    left = look_after(ctx, kinds, changes=changes, dry=dry, model=model, as_json=as_json).insights
    over = len(left) - Options().changed(changes).upkeep.budget
    if over > 0 and not as_json:
        note(f"{over} more than the budget stay: they are pinned, or a person brought them back")


@app.command(epilog=examples("skillagent insights why 'miniwob/login-user@3#1a2b3c4d'"))
def why(
    ctx: typer.Context,
    episode: Annotated[str, typer.Argument(metavar="EPISODE", help="An attempt's id, as --json and evidence name it.")],
    as_json: AsJson = False,
) -> None:
    """Say what an episode was shown of the library, what it did, what came of it, and what was learnt from it.

    What it did is there for episodes from this version on, with questions to memory and what they were answered.
    """
    from skillagent.cli import words
    from skillagent.errors import NotFound, near
    from skillagent.schema import Attempted, Decided, Labelled

    _, library, events = _opened(ctx)
    tried = {entry.attempt: entry for event in events if isinstance(entry := event.entry, Attempted)}
    taught = [e.decision for event in events if isinstance(e := event.entry, Decided)]
    taught = [decision for decision in taught if episode in decision.edit.evidence]
    if episode not in tried:
        if taught:
            what = words.of_changes(taught[0].edit.changes)
            raise NotFound(f"episode {episode!r} was shown, or found by chance, and is not recorded; it taught {what}")
        raise NotFound(f"no episode {episode!r} in the ledger{near(episode, tried)}")
    entry = tried[episode]
    said = [e for event in events if isinstance(e := event.entry, Labelled) and e.attempt == episode]
    labels = {key: label for one in said for key, label in one.labels.items()}
    if as_json:
        decisions: list[JsonValue] = [words.decision_json(decision) for decision in taught]
        emit({**entry.model_dump(mode="json"), "labels": dict(labels), "decisions": decisions})
        return
    for line in _story(entry, labels, library):
        say(line)
    for decision in taught:
        say(f"taught   {words.of_changes(decision.edit.changes)}: {words.of_decision(decision)}")


def _story(entry: Attempted, labels: Mapping[str, Label], library: Library) -> Iterator[str]:
    """Yield what an episode was for, was shown, did and came to, a line each."""
    yield f"goal     {entry.goal}"
    for key in entry.shown:
        did = "its program ran" if key in entry.programs else f"{labels[key].value}" if key in labels else "shown"
        yield f"shown    {key} ({did}) {shorten(_what(key, library), 100)}".rstrip()
    if not entry.shown:
        yield "shown    nothing of the library"
    for key in (key for key in labels if key not in entry.shown):
        yield f"missed   {key}: it was not shown, and solves the task"
    yield from (f"did      {line}" for line in entry.actions)
    if entry.surprise:
        yield f"surprise {entry.surprise}"
    score = "unscored" if entry.score is None else f"score {entry.score:g} ({entry.judged_by})"
    void = f"; void: {entry.void}" if entry.void else ""
    yield f"outcome  {score}, {entry.steps} steps, {entry.model_free_steps} without the model{void}"


@app.command(epilog=examples("skillagent insights rollback form-date-1a2b3c"))
def rollback(ctx: typer.Context, key: Id, as_json: AsJson = False) -> None:
    """Undo the last change of an insight, or of an example.

    The state before the first change is "not there".
    """
    from skillagent.cli.undo import rolled_back
    from skillagent.cli.words import of_undone

    store, library, events = _opened(ctx)
    entry = rolled_back(library, events, key, None, why="asked for by a person")
    store.commit(entry)
    told = of_undone(entry.changes, library)
    if as_json:
        emit({"id": key, "changes": told})
    else:
        say(f"rolled back: {told}")


def _opened(ctx: typer.Context) -> tuple[Store, Library, list[Event]]:
    parts = parts_of(ctx)
    store = parts.store(parts.settings())
    return store, store.load(), list(store.events())


def _known(library: Library, key: str) -> Insight:
    from skillagent.errors import NotFound, near

    if key not in library.insights:
        raise NotFound(f"no insight {key!r} in the library{near(key, library.insights)}")
    return library.insights[key]


def _lift(worth: Utility) -> str:
    return f"{worth.lift:+.2f} ({worth.low:+.2f} to {worth.high:+.2f})"


def _sentence(insight: Insight) -> str:
    return f"{insight.condition.applies}: {insight.explanation}"


def _what(key: str, library: Library) -> str:
    """Return what an item says or is for; nothing of one that is not in the library, or no longer."""
    if key in library.insights:
        return _sentence(library.insights[key])
    if key in library.skills:
        return library.skills[key].description
    return f"an example: {library.demonstrations[key].goal}" if key in library.demonstrations else ""


def _hit(insight: Insight, nearness: float) -> Json:
    return {**insight.model_dump(mode="json"), "near": nearness}
