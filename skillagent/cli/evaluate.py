"""Evaluate: measure a suite under several arms on the same holdout seeds, and look at what was measured.

The same command goes on where it stopped: one row an episode is appended, and episodes that have a row are not played
again. Nothing is learnt here, but by an arm that learns, in a library of its own.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from skillagent.cli import lives, measured
from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, examples, hush, note
from skillagent.cli.parts import parts_of
from skillagent.cli.progress import episodes
from skillagent.cli.run import CostLimit, Model, TimeLimit, TokenLimit

if TYPE_CHECKING:
    from skillagent.config import Settings
    from skillagent.evaluation.arms import Arm, OpenArm
    from skillagent.evaluation.rows import Row
    from skillagent.evaluation.suites import Suite
    from skillagent.evaluation.summary import Summary
    from skillagent.schema import Event, Json, Task


class Evaluations(TyperGroup):
    """The commands below; what is none of their names is a suite, and `run` is meant."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # always typer's
        """Put in the `run` that was left out."""
        if args and args[0] not in (*self.commands, "--help"):
            from skillagent.evaluation.suites import is_suite

            if (near := difflib.get_close_matches(args[0], self.commands, n=1)) and not is_suite(args[0]):
                ctx.fail(f"There is no suite or command {args[0]!r}; did you mean {near[0]!r}?")
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Evaluations,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)

app.add_typer(measured.app)
app.add_typer(lives.app)

Arms = Annotated[
    str,
    typer.Option(
        help="Comma-separated: none (no library), frozen (the library as it is), shuffled (its texts under the wrong "
        "names), learning (practises each task first), A/A (frozen twice), key=value (frozen, one setting changed; "
        "insights=off+planning=off for several), ARM:key=value."
    ),
]
Seeds = Annotated[int | None, typer.Option(min=1, help="Holdout instances of each task; default: the suite's.")]
First = Annotated[
    int, typer.Option(min=0, help="The first of them: with --first 20, instances that smaller runs never saw.")
]
Filter = Annotated[str | None, typer.Option("--filter", help="Only tasks whose id holds this text.")]
Workers = Annotated[int, typer.Option(min=1, help="Episodes played at once, each by a process of its own.")]


@app.callback(
    epilog=examples(
        "skillagent eval miniwob-15",
        "skillagent eval miniwob-15 --arms none,frozen,shuffled --workers 2",
        "skillagent eval show runs/miniwob-15-local-qwen2.5-coder-1.5b",
    )
)
def _eval() -> None:
    """Measure a suite with and without the library.

    `skillagent eval SUITE …` is short for `skillagent eval run SUITE …`.
    """


@app.command(
    epilog=examples(
        "skillagent eval miniwob-15",
        "skillagent eval run miniwob-15 --arms none --seeds 2 --first 20",
        "skillagent eval miniwob-15 --arms frozen,insights=off,model=openai/gpt-5-mini",
        "skillagent eval forms.yaml --arms none,frozen,shuffled,A/A --workers 4 --out runs/forms --json",
    )
)
def run(
    ctx: typer.Context,
    suite: Annotated[str, typer.Argument(help="A suite's name or file, or task,task,…")],
    arms: Arms = "none,frozen",
    seeds: Seeds = None,
    first: First = 0,
    only: Filter = None,
    workers: Workers = 1,
    library: Annotated[
        Path | None, typer.Option(help="A folder with skills/ and memory_store/ in it; default: the present library.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep whole episodes, with a picture of every state.")] = False,
    engine: Annotated[str, typer.Option(help="process, or ray for more than one machine.")] = "process",
    out: Annotated[Path | None, typer.Option(help="The run's folder; default: runs/SUITE-MODEL.")] = None,
    model: Model = None,
    token_limit: TokenLimit = None,
    cost_limit: CostLimit = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
) -> None:
    """Play a suite's holdout seeds once per arm.

    Writes `rows.jsonl` (one row an episode) and `summary.json` into the run's folder. The same command goes on where it
    stopped; one with other arms, tasks or seeds adds to what is there. The summary and the limits are of all rows in
    the folder. Where no limit is given, the suite's hold.
    """
    from skillagent.errors import BudgetSpent, ConfigError
    from skillagent.evaluation import run as runs
    from skillagent.evaluation.arms import OpenArm, parse_arms
    from skillagent.evaluation.suites import limited
    from skillagent.evaluation.summary import run_rows
    from skillagent.llm.meter import Budget

    if engine not in ("process", "ray"):
        raise ConfigError(f"no engine {engine!r}; there is process, ray")
    parts = parts_of(ctx)
    settings = parts.settings(
        model=model,
        token_limit=token_limit,
        cost_limit=cost_limit,
        time_limit_s=time_limit,
        **_folders(library),
    )
    chosen, tasks = _holdout(suite, seeds, first, only)
    settings = limited(settings, chosen)
    store = parts.store(settings)
    compared = parse_arms(arms, store.load(), settings)
    folder = out or Path("runs") / f"{chosen.name}-{settings.model.replace('/', '-')}"
    opener = OpenArm(settings, folder, workers, open=parts.agent)
    _begin(chosen, opener)
    error, code = None, Exit.OK
    try:
        runs.evaluate(
            opener,
            tasks,
            compared,
            folder,
            engine="ray" if engine == "ray" else "process",
            workers=workers,
            budget=Budget(tokens=settings.token_limit, cost_usd=settings.cost_limit, seconds=settings.time_limit_s),
            keeping=keep,
            watch=episodes(runs.wanted_rows(folder, tasks, compared)),
        )
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
        hush()
    except BudgetSpent as spent:
        error = spent
    rows = run_rows(folder, [arm.name for arm in compared])
    summary = _summarised(rows, compared, chosen, settings, store.events(), folder)
    _warn(rows, compared)
    measured.show_run(rows, summary, folder, as_json=as_json)
    if code is Exit.INTERRUPTED:
        note("stopped; the same command goes on from here")
    if error:
        raise error
    wanted = runs.wanted_rows(folder, tasks, compared)
    if code is Exit.OK and all(row.void for row in wanted):
        code = Exit.WORLD
    raise typer.Exit(code)


def _folders(library: Path | None) -> dict[str, Path]:
    from skillagent.errors import ConfigError

    if library is None:
        return {}
    if not (library / "skills").is_dir():
        raise ConfigError(f"--library {library}: there is no folder skills in it")
    return {"skills": library / "skills", "memory": library / "memory_store"}


def _holdout(suite: str, seeds: int | None, first: int, only: str | None) -> tuple[Suite, list[Task]]:
    from skillagent.errors import ConfigError
    from skillagent.evaluation.suites import load_suite
    from skillagent.schema import Split

    chosen = load_suite(suite)
    tasks = [task for task in chosen.tasks(Split.HOLDOUT, seeds, first=first) if only is None or only in task.id]
    if not tasks:
        raise ConfigError(f"--filter {only!r}: no task of {chosen.name} has this in its id")
    return chosen, tasks


def _problems(folder: Path | None) -> str | None:
    """Return a digest of the files of problems: other problems under the same names are another measurement."""
    from skillagent.schema import digest_of

    files = sorted(folder.glob("*.json")) if folder is not None else []
    return digest_of([[file.name, file.read_text("utf-8", "replace")] for file in files]) if files else None


def _begin(suite: Suite, opener: OpenArm) -> None:
    """Hold the run's folder to its conditions, and say where a resumed one has other threads."""
    from skillagent.evaluation import run as runs

    settings, threads = opener.settings, opener.threads
    conditions: Json = {
        "suite": suite.model_dump(mode="json"),
        "model": settings.model,
        "embedder": settings.embedder,
        "student": f"{settings.student} x{settings.drafts}" if settings.student else None,
        "problems": _problems(settings.problems),
    }
    before = runs.begin(opener.folder, conditions, threads=threads)
    if before not in (None, threads) and settings.model.startswith("local/"):
        note(
            f"this run was begun with {before} threads a model, and goes on with {threads}: an embedded model's last "
            f"digits depend on them. SKILLAGENT_THREADS={(before or 1) * opener.workers} would go on as it was begun"
        )


def _summarised(
    rows: Sequence[Row], arms: Sequence[Arm], suite: Suite, settings: Settings, events: Iterable[Event], folder: Path
) -> Summary:
    from skillagent.evaluation.summary import provenance, spent_on, summarise, write_summary

    summary = summarise(
        rows,
        suite=suite.name,
        command=["skillagent", *sys.argv[1:]],
        provenance=provenance(settings.model, {arm.name: arm.library for arm in arms}, rows),
        learning=spent_on(events),
    )
    write_summary(summary, folder)
    return summary


def _warn(rows: Sequence[Row], arms: Sequence[Arm]) -> None:
    """Say where a library was learnt on the very goals that were measured."""
    from skillagent.evaluation.overlap import with_sources
    from skillagent.evaluation.table import counted
    from skillagent.library import Library

    for arm in arms:
        if arm.name != "none" and not arm.learning and arm.library.digest == Library().digest:
            note(f"arm {arm.name}: the library is empty, so this is the same as none")
        if shared := with_sources(rows, arm.library):
            told = ", ".join(f"{task} on {counted(count, 'seed')}" for task, count in shared.items())
            note(f"arm {arm.name}: its library was learnt on goals that are measured here, word for word: {told}")
