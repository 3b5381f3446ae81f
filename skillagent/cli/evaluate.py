"""Evaluate: a suite with and without a library, on the same holdout seeds, as one paired table.

The same command goes on where it stopped: one row an episode is appended, and episodes that have a row are not run
again. Nothing is learnt here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, emit, examples, note, say, table
from skillagent.cli.parts import parts_of
from skillagent.cli.run import CostLimit, Model, TimeLimit, TokenLimit

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

ARMS = ("none", "frozen")


@app.command(
    name="eval",
    epilog=examples(
        "skillagent eval miniwob-15",
        "skillagent eval miniwob-15 --arms none --seeds 2",
        "skillagent eval forms.yaml --out runs/forms --json",
    ),
)
def evaluate(
    ctx: typer.Context,
    suite: Annotated[str, typer.Argument(help="A suite's name or file, or task,task,…")],
    arms: Annotated[str, typer.Option(help="Comma-separated: none (no library), frozen (the library as it is).")] = (
        "none,frozen"
    ),
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Holdout instances of each task; default: the suite's.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; default: runs/SUITE-MODEL.")] = None,
    model: Model = None,
    token_limit: TokenLimit = None,
    cost_limit: CostLimit = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
) -> None:
    """Measure a suite with and without the library.

    Both on the same holdout seeds. Writes `rows.jsonl` (one row an episode) and `summary.json` into the run's folder.
    The same command goes on where it stopped.
    """
    from skillagent.errors import BudgetSpent, ConfigError
    from skillagent.evaluation import run as runs
    from skillagent.evaluation.suites import load_suite
    from skillagent.evaluation.table import headline, per_task
    from skillagent.library import Library
    from skillagent.loop import unwatched
    from skillagent.schema import Split

    names = [name.strip() for name in arms.split(",") if name.strip()]
    if not names or (unknown := [name for name in names if name not in ARMS]):
        raise ConfigError(f"no arm {', '.join(unknown) if names else arms!r}; there is {', '.join(ARMS)}")
    chosen = load_suite(suite)
    parts = parts_of(ctx)
    settings = parts.settings(model=model, token_limit=token_limit, cost_limit=cost_limit, time_limit_s=time_limit)
    folder = out or Path("runs") / f"{chosen.name}-{settings.model.replace('/', '-')}"
    tasks = chosen.tasks(Split.HOLDOUT, seeds)
    kept = parts.store(settings).load()
    libraries = {name: Library() if name == "none" else kept for name in names}
    runs.begin(
        folder, {"suite": chosen.model_dump(mode="json"), "model": settings.model, "embedder": settings.embedder}
    )
    error, code = None, Exit.OK

    def progress(row: runs.Row, done: int, total: int) -> None:
        how = f"void: {row.void}" if row.void else f"score {row.reward:g}" if row.reward is not None else "unscored"
        note(f"{done:>4}/{total}  {row.arm:<8} {row.task} seed {row.seed}: {how}, {row.steps} steps, "
             f"{row.seconds.model + row.seconds.environment:.1f} s")  # fmt: skip

    with parts.agent(settings, watch=unwatched) as agent:
        try:
            runs.evaluate(agent, tasks, libraries, folder, watch=progress)
        except KeyboardInterrupt:
            code = Exit.INTERRUPTED
        except BudgetSpent as spent:
            error = spent
    rows = runs.wanted_rows(folder, tasks, libraries)
    summary = runs.summarise(
        rows,
        suite=chosen.name,
        command=["skillagent", *sys.argv[1:]],
        provenance=runs.provenance(settings.model, libraries),
    )
    path = runs.write_summary(summary, folder)
    if as_json:
        emit(summary.model_dump(mode="json"))
    else:
        say(table(*per_task(rows)))
        say()
        for line in headline(summary):
            say(line)
        say(f"\n{len(rows)} rows in {folder / 'rows.jsonl'}, summary in {path}")
    if code is Exit.INTERRUPTED:
        note("stopped; the same command goes on from here")
    if error:
        raise error
    raise typer.Exit(code)
