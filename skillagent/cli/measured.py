"""Measured: look at runs of `eval`: show, compare, report. Nothing is played."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.output import AsJson, emit, examples, note, say, table
from skillagent.cli.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from skillagent.evaluation.rows import Row
    from skillagent.evaluation.streams import Life
    from skillagent.evaluation.summary import Summary

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

Run = Annotated[Path, typer.Argument(help="A run's folder.")]
Part = Annotated[str | None, typer.Option("--suite", help="Only the tasks of this suite.")]


@app.command(
    epilog=examples(
        "skillagent eval show runs/miniwob-15-local-qwen2.5-coder-1.5b",
        "skillagent eval show runs/forms --csv > forms.csv",
        "skillagent eval show runs/miniwob-125-local-qwen2.5-coder-1.5b --suite miniwob-ax",
    )
)
def show(
    folder: Run,
    part: Part = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV instead, one an episode.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a run measured: all rows in its folder."""
    from skillagent.errors import ConfigError
    from skillagent.evaluation.streams import read_life
    from skillagent.evaluation.summary import counted_anew

    if csv and as_json:
        raise ConfigError("--csv and --json: give one of them")
    rows, summary = counted_anew(folder, _tasks(part, folder))
    if csv:
        from skillagent.evaluation.table import as_csv

        typer.echo(as_csv(rows), nl=False)
        return
    if not as_json:
        say(f"{_told(folder, rows)}\n")
    show_run(rows, summary, folder, as_json=as_json)
    if not as_json and (life := read_life(folder)):
        say()
        show_life(life)


def show_life(life: Life) -> None:
    """Print a stream: the success on each task after each block, what each block changed, and LIBERO's figures."""
    from skillagent.evaluation.table import life_lines, life_table

    say(table(*life_table(life)))
    say()
    for line in life_lines(life):
        say(line)


@app.command(
    epilog=examples(
        "skillagent eval report runs/miniwob-15-local-qwen2.5-coder-1.5b",
        "skillagent eval report runs/forms --memory runs/forms/learning/memory_store",
    )
)
def report(
    ctx: typer.Context,
    folder: Run,
    memory: Annotated[
        Path | None,
        typer.Option(help="Whose ledger tells of the learning; default: the run's own, else the present one."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a run as one page, `report.html`, with its plots as PNG beside it."""
    from skillagent.errors import ConfigError
    from skillagent.evaluation.report import write_report
    from skillagent.evaluation.streams import read_life
    from skillagent.evaluation.summary import counted_anew
    from skillagent.schema import Decided

    parts = parts_of(ctx)
    own = (folder / "memory_store", folder / "learning" / "memory_store")
    near = memory or next((place for place in own if place.is_dir()), None)
    if near is not None and not near.is_dir():
        raise ConfigError(f"--memory {near}: there is no such folder")
    events = parts.store(parts.settings(memory=near)).events()
    decisions = [event.entry.decision for event in events if isinstance(event.entry, Decided)]
    rows, summary = counted_anew(folder)
    page = write_report(rows, summary, folder, decisions=decisions, life=read_life(folder))
    if as_json:
        emit({"report": str(page), "plots": [str(file) for file in sorted((folder / "plots").glob("*.png"))]})
    else:
        say(str(page))


@app.command(
    epilog=examples(
        "skillagent eval compare runs/before runs/after",
        "skillagent eval compare runs/a runs/b --arms none,frozen --json",
    )
)
def compare(
    before: Run,
    after: Annotated[Path, typer.Argument(help="Another run's folder.")],
    arms: Annotated[
        str | None, typer.Option(help="One arm of each, e.g. none,frozen; default: every arm that both have.")
    ] = None,
    part: Part = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs on the tasks and seeds that both have played."""
    from skillagent.errors import ConfigError
    from skillagent.evaluation.rows import read_rows
    from skillagent.evaluation.summary import across
    from skillagent.evaluation.table import points

    rows = [read_rows(folder / "rows.jsonl") for folder in (before, after)]
    for folder, known in zip((before, after), rows, strict=True):
        if not known:
            raise ConfigError(f"no run in {folder}: there is no rows.jsonl")
    if (tasks := _tasks(part, before)) is not None:
        rows = [[row for row in known if row.task in tasks] for known in rows]
    names = [{row.arm for row in known} for known in rows]
    pairs = [tuple(arms.split(","))] if arms else [(name, name) for name in sorted(names[0] & names[1])]
    if len(pairs) == 0 and len(names[0]) == len(names[1]) == 1:
        pairs = [(*names[0], *names[1])]
    if not pairs or any(len(p) != 2 or p[0] not in names[0] or p[1] not in names[1] for p in pairs):
        raise ConfigError(
            f"--arms: {before} has {', '.join(sorted(names[0]))}; {after} has {', '.join(sorted(names[1]))}"
        )
    found = {f"{b}-{a}" if a != b else a: across(rows[0], a, rows[1], b) for a, b in pairs}
    if not any(one.wins + one.losses + one.ties for one in found.values()):
        raise ConfigError(f"{before} and {after} have no task and seed in common that both scored")
    for folder, known in zip((before, after), rows, strict=True):
        note(f"{folder}: {_told(folder, known)}")
    for other in _otherwise(before, after):
        note(f"they differ in more than the arm: {other}")
    if as_json:
        emit({name: pair.model_dump(mode="json") for name, pair in found.items()})
        return
    for name, pair in found.items():
        say(points(name, pair))


def _tasks(suite: str | None, folder: Path) -> set[str] | None:
    """Return the ids of a suite's tasks; None where no suite was named."""
    from skillagent.errors import ConfigError
    from skillagent.evaluation.rows import read_rows
    from skillagent.evaluation.suites import load_suite

    if suite is None:
        return None
    ids = set(load_suite(suite).ids)
    if not any(row.task in ids for row in read_rows(folder / "rows.jsonl")):
        raise ConfigError(f"--suite {suite}: {folder} holds no episode of its tasks")
    return ids


def _told(folder: Path, rows: Sequence[Row]) -> str:
    """Return what was measured in a run, in a few words."""
    from skillagent.evaluation.table import counted

    conditions = _conditions(folder)
    codes = ", ".join(sorted({row.code for row in rows if row.code}))
    named = [f"{key.partition('.')[0]} {conditions[key]}" for key in ("suite.name", "model") if key in conditions]
    return "; ".join([*named, f"code {codes or 'unknown'}", counted(len(rows), "row")])


def _otherwise(before: Path, after: Path) -> list[str]:
    """Return under which conditions but tasks and seeds, which are paired, two runs were not alike."""
    one, two = _conditions(before), _conditions(after)
    passed = ("suite.name", "suite.about", "suite.ids", "suite.seeds", "suite.blocks", "stream")
    return [
        f"{key} {one[key]}, then {two[key]}"
        for key in one
        if key in two and one[key] != two[key] and not key.startswith(passed)
    ]


def _conditions(folder: Path) -> dict[str, JsonValue]:
    """Return what a run was begun with, flat; empty where it did not keep it."""
    from skillagent.errors import ConfigError
    from skillagent.evaluation.run import begun

    try:
        known = begun(folder)
    except ConfigError:
        return {}
    suite = known.pop("suite", None)
    return known | {f"suite.{key}": value for key, value in (suite if isinstance(suite, dict) else {}).items()}


def show_run(rows: list[Row], summary: Summary, folder: Path, *, as_json: bool) -> None:
    """Print a run as its tables and headline, or its summary as JSON."""
    from skillagent.evaluation.table import counted, headline, per_task

    if as_json:
        emit(summary.model_dump(mode="json"))
        return
    say(table(*per_task(rows)))
    say()
    for line in headline(summary):
        say(line)
    say(f"\n{counted(len(rows), 'row')} in {folder / 'rows.jsonl'}, summary in {folder / 'summary.json'}")
