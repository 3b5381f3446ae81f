"""Evaluate: measure a suite under several arms on the same holdout seeds, and look at what was measured.

The same command goes on where it stopped: one row an episode is appended, and episodes that have a row are not played
again. Nothing is learnt here, but by an arm that learns, in a library of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, emit, examples, note, say, table
from skillagent.cli.parts import parts_of
from skillagent.cli.run import CostLimit, Model, TimeLimit, TokenLimit

if TYPE_CHECKING:
    from skillagent.evaluation.rows import Row
    from skillagent.evaluation.suites import Suite
    from skillagent.evaluation.summary import Summary
    from skillagent.schema import Attempt, Task


class Evaluations(TyperGroup):
    """The commands below; what is none of their names is a suite, and `run` is meant."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # always typer's
        """Put in the `run` that was left out."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Evaluations,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)

Run = Annotated[Path, typer.Argument(help="A run's folder.")]


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
        "skillagent eval run miniwob-15 --arms none --seeds 2",
        "skillagent eval miniwob-15 --arms frozen,insights=off,model=openai/gpt-5-mini",
        "skillagent eval forms.yaml --arms none,frozen,shuffled,A/A --workers 4 --out runs/forms --json",
    )
)
def run(
    ctx: typer.Context,
    suite: Annotated[str, typer.Argument(help="A suite's name or file, or task,task,…")],
    arms: Annotated[
        str,
        typer.Option(
            help="Comma-separated: none (no library), frozen (the library as it is), shuffled (its texts under the "
            "wrong names), learning (practises each task first), A/A (frozen twice), key=value (frozen, one setting "
            "changed; insights=off+plan=… for several), ARM:key=value."
        ),
    ] = "none,frozen",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Holdout instances of each task; default: the suite's.")
    ] = None,
    only: Annotated[str | None, typer.Option("--filter", help="Only tasks whose id holds this text.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Episodes played at once, each by a process of its own.")] = 1,
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
    stopped.
    """
    from skillagent.errors import BudgetSpent, ConfigError
    from skillagent.evaluation import run as runs
    from skillagent.evaluation.arms import OpenArm, parse_arms
    from skillagent.evaluation.overlap import with_sources
    from skillagent.evaluation.summary import provenance, spent_on, summarise, write_summary
    from skillagent.llm.meter import Budget

    if engine not in ("process", "ray"):
        raise ConfigError(f"no engine {engine!r}; there is process, ray")
    parts = parts_of(ctx)
    settings = parts.settings(model=model, token_limit=token_limit, cost_limit=cost_limit, time_limit_s=time_limit)
    chosen, tasks = _holdout(suite, seeds, only)
    store = parts.store(settings)
    compared = parse_arms(arms, store.load())
    folder = out or Path("runs") / f"{chosen.name}-{settings.model.replace('/', '-')}"
    runs.begin(
        folder, {"suite": chosen.model_dump(mode="json"), "model": settings.model, "embedder": settings.embedder}
    )
    error, code = None, Exit.OK
    try:
        runs.evaluate(
            OpenArm(settings, folder, workers, open=parts.agent),
            tasks,
            compared,
            folder,
            engine="ray" if engine == "ray" else "process",
            workers=workers,
            budget=Budget(tokens=settings.token_limit, cost_usd=settings.cost_limit, seconds=settings.time_limit_s),
            keeping=keep,
            watch=_progress(),
        )
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except BudgetSpent as spent:
        error = spent
    rows = runs.wanted_rows(folder, tasks, compared)
    libraries = {arm.name: arm.library for arm in compared}
    command = ["skillagent", *sys.argv[1:]]
    summary = summarise(
        rows,
        suite=chosen.name,
        command=command,
        provenance=provenance(settings.model, libraries),
        learning=spent_on(store.events()),
    )
    write_summary(summary, folder)
    for arm in compared:
        if shared := with_sources(rows, arm.library):
            told = ", ".join(f"{task} {count}" for task, count in shared.items())
            note(f"arm {arm.name}: its library was learnt on goals that are measured here, word for word: {told} seeds")
    _show(rows, summary, folder, as_json=as_json)
    if code is Exit.INTERRUPTED:
        note("stopped; the same command goes on from here")
    if error:
        raise error
    if code is Exit.OK and rows and all(row.void for row in rows):
        code = Exit.WORLD
    raise typer.Exit(code)


@app.command(
    epilog=examples(
        "skillagent eval stream miniwob-stream",
        "skillagent eval stream miniwob-stream --seeds 1 --out runs/life --json",
    )
)
def stream(
    ctx: typer.Context,
    suite: Annotated[str, typer.Argument(help="A suite's name or file; its `blocks` say what is trained together.")],
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Holdout instances of each task in a test; default: the suite's.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; default: runs/SUITE-MODEL.")] = None,
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Train a suite block by block, and test all of it in between.

    Learning happens on practice seeds in a copy of the library in the run's folder, testing on holdout seeds. Writes
    the logs that `skillagent eval lifelong` reads. The same command goes on where it stopped.
    """
    from skillagent.evaluation import lifelong as metrics
    from skillagent.evaluation import run as runs
    from skillagent.evaluation.arms import OpenArm
    from skillagent.evaluation.streams import live
    from skillagent.evaluation.suites import load_suite

    parts = parts_of(ctx)
    settings, chosen = parts.settings(model=model), load_suite(suite)
    folder = out or Path("runs") / f"{chosen.name}-{settings.model.replace('/', '-')}"
    runs.begin(folder, {"suite": chosen.model_dump(mode="json"), "model": settings.model, "stream": seeds or 0})
    opener = OpenArm(settings, folder, open=parts.agent)
    life = live(opener, chosen, folder, seeds=seeds, watch=_progress(), trained=_trained)
    found = metrics.stream(life.by_block)
    if as_json:
        emit({"life": life.model_dump(mode="json"), "stream": found.model_dump(mode="json")})
        return
    stages = ["untrained", *(f"after block {number + 1}" for number in range(len(life.changes)))]
    say(table(["", *life.tasks], [[s, *map(_figure, row)] for s, row in zip(stages, life.success, strict=True)]))
    say()
    for change in life.changes:
        new = ", ".join([*change.skills, *change.insights]) or "nothing"
        say(f"block {change.block + 1} ({', '.join(change.trained)}) changed: {new}")
    say(f"\nforward transfer {_figure(found.forward_transfer)}, forgetting {_figure(found.forgetting)}, "
        f"area under the curve {_figure(found.area)}")  # fmt: skip
    say(f"more: skillagent eval lifelong {folder}")


def _trained(tried: Attempt) -> None:
    how = tried.verdict.score if tried.verdict.score is not None else "unscored"
    note(f"      training {tried.trajectory.task.id} seed {tried.trajectory.task.seed}: score {how}")


@app.command(
    epilog=examples(
        "skillagent eval show runs/miniwob-15-local-qwen2.5-coder-1.5b",
        "skillagent eval show runs/forms --csv > forms.csv",
    )
)
def show(
    folder: Run,
    csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV instead, one an episode.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a run measured."""
    from skillagent.evaluation.rows import read_rows
    from skillagent.evaluation.summary import read_summary

    summary = read_summary(folder)
    rows = read_rows(folder / "rows.jsonl")
    if csv:
        from skillagent.evaluation.table import as_csv

        typer.echo(as_csv(rows), nl=False)
        return
    _show(rows, summary, folder, as_json=as_json)


@app.command(epilog=examples("skillagent eval check miniwob-15", "skillagent eval check forms.yaml --seeds 20 --json"))
def check(
    ctx: typer.Context,
    suite: Annotated[str, typer.Argument(help="A suite's name or file, or task,task,…")],
    seeds: Annotated[int, typer.Option(min=1, help="Instances of each task that are looked at in each split.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Look for instances of a suite that learning may have seen.

    Opens every task on practice, gate and holdout seeds. The exit code is 1 when a holdout instance has the same goal
    and the same page as one on another split: what is measured there may be remembered rather than learnt.
    """
    from skillagent.evaluation.overlap import between_splits, look
    from skillagent.evaluation.suites import load_suite
    from skillagent.schema import Split

    parts, chosen = parts_of(ctx), load_suite(suite)
    tasks = [task for split in Split for task in chosen.tasks(split, seeds)]
    done = 0

    def tell(_: object) -> None:
        nonlocal done
        done += 1
        if done % 25 == 0:
            note(f"{done} of {len(tasks)} instances seen")

    with parts.agent(parts.settings(), read_only=True) as agent:
        found = between_splits(look(agent.open, tasks, tell))
    if as_json:
        emit([one.model_dump(mode="json") for one in found])
    else:
        told = [[one.task, f"{one.same}/{one.total}", f"{one.goal_only}/{one.total}"] for one in found
                if one.same or one.goal_only]  # fmt: skip
        say(table(["task", "same instance", "same goal, other page"], told) if told else "no overlap")
    raise typer.Exit(Exit.FAILED if any(one.same for one in found) else Exit.OK)


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
        Path | None, typer.Option(help="Whose ledger says what was learnt; default: the present library's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a run as one page, `report.html`, with its plots as PNG beside it."""
    from skillagent.evaluation.report import write_report
    from skillagent.evaluation.rows import read_rows
    from skillagent.evaluation.summary import read_summary
    from skillagent.schema import Decided

    parts = parts_of(ctx)
    events = parts.store(parts.settings(memory=memory)).events()
    decisions = [event.entry.decision for event in events if isinstance(event.entry, Decided)]
    summary = read_summary(folder)
    rows = [row for row in read_rows(folder / "rows.jsonl") if row.arm in summary.arms]
    page = write_report(rows, summary, folder, decisions=decisions)
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
    names = [{row.arm for row in known} for known in rows]
    pairs = [tuple(arms.split(","))] if arms else [(name, name) for name in sorted(names[0] & names[1])]
    if len(pairs) == 0 and len(names[0]) == len(names[1]) == 1:
        pairs = [(*names[0], *names[1])]
    if not pairs or any(len(p) != 2 or p[0] not in names[0] or p[1] not in names[1] for p in pairs):
        raise ConfigError(
            f"--arms: {before} has {', '.join(sorted(names[0]))}; {after} has {', '.join(sorted(names[1]))}"
        )
    found = {f"{b}-{a}" if a != b else a: across(rows[0], a, rows[1], b) for a, b in pairs}
    if as_json:
        emit({name: pair.model_dump(mode="json") for name, pair in found.items()})
        return
    for name, pair in found.items():
        say(points(name, pair))


@app.command(
    epilog=examples(
        "skillagent eval lifelong runs/stream",
        "skillagent eval lifelong logs/ll_logs/scenario --experts logs/ste_logs --settings settings.json --json",
    )
)
def lifelong(
    folder: Annotated[Path, typer.Argument(help="A scenario's logs, or a folder with ll_logs/ and ste_logs/ in it.")],
    settings: Annotated[
        Path | None, typer.Option(help="JSON: how to smooth, scale and compare; default: the reference's own.")
    ] = None,
    experts: Annotated[
        Path | None, typer.Option(help="Logs of experts that learnt one task alone; default: ste_logs beside it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what learning one task after another did to all of them."""
    from skillagent.evaluation import lifelong as metrics
    from skillagent.evaluation.blocks import read_scenario

    how = metrics.read_settings(settings) if settings else metrics.Settings()
    found = metrics.lifelong(read_scenario(folder, experts=experts, measure=how.perf_measure), how)
    if as_json:
        emit(found.model_dump(mode="json"))
        return
    say(table(["", found.run_id, ""], [[name, _figure(getattr(found, name)), about] for name, about in _LIFELONG]))
    per_task = [
        [task, *(_figure(getattr(own, name)) for name, _ in _LIFELONG if name in type(own).model_fields
                 and not isinstance(getattr(own, name), dict))]
        for task, own in found.task_metrics.items()
    ]  # fmt: skip
    header = [name for name, _ in _LIFELONG if "transfer" not in name]
    say()
    say(table(["task", *header], per_task))


_LIFELONG = (
    ("avg_train_perf", "performance while training, scaled to 1 to 101 over the task's life"),
    ("avg_eval_perf", "performance in tests"),
    ("perf_maintenance_mrlep", "above 0: tests got better while other tasks were trained"),
    ("perf_recovery", "above 0: a task that is trained again comes back sooner each time"),
    ("forward_transfer_ratio", "above 1: training a task helped others before they were trained"),
    ("backward_transfer_ratio", "above 1: training a task helped others after they were trained"),
    ("forward_transfer_contrast", "the same as (after - before) / (after + before), above 0"),
    ("backward_transfer_contrast", "the same as (after - before) / (after + before), above 0"),
    ("ste_rel_perf", "above 1: better than experts that learnt one task alone"),
    ("sample_efficiency", "above 1: saturated sooner or higher than such experts"),
    ("num_lx", "experiences of training"),
    ("num_ex", "experiences of testing"),
)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _holdout(suite: str, seeds: int | None, only: str | None) -> tuple[Suite, list[Task]]:
    from skillagent.errors import ConfigError
    from skillagent.evaluation.suites import load_suite
    from skillagent.schema import Split

    chosen = load_suite(suite)
    tasks = [task for task in chosen.tasks(Split.HOLDOUT, seeds) if only is None or only in task.id]
    if not tasks:
        raise ConfigError(f"--filter {only!r}: no task of {chosen.name} has this in its id")
    return chosen, tasks


def _progress() -> Callable[[Row, int, int], None]:
    """Return what tells of each episode, the score of each arm so far, and about how long the rest will take."""
    import time
    from collections import defaultdict

    start, played = time.monotonic(), 0
    scores: dict[str, list[bool]] = defaultdict(list)

    def tell(row: Row, done: int, total: int) -> None:
        nonlocal played
        played += 1
        if row.success is not None:
            scores[row.arm].append(row.success)
        how = f"void: {row.void}" if row.void else f"score {row.reward:g}" if row.reward is not None else "unscored"
        so_far = ", ".join(f"{arm} {sum(own)}/{len(own)}" for arm, own in scores.items())
        left = (time.monotonic() - start) / played * (total - done) / 60
        seconds = row.seconds.model + row.seconds.environment
        note(f"{done:>4}/{total}  {row.arm:<8} {row.task} seed {row.seed}: {how}, {row.steps} steps, {seconds:.1f} s"
             f"  [{so_far}; about {left:.0f} min left]")  # fmt: skip

    return tell


def _show(rows: list[Row], summary: Summary, folder: Path, *, as_json: bool) -> None:
    from skillagent.evaluation.table import headline, per_task

    if as_json:
        emit(summary.model_dump(mode="json"))
        return
    say(table(*per_task(rows)))
    say()
    for line in headline(summary):
        say(line)
    say(f"\n{len(rows)} rows in {folder / 'rows.jsonl'}, summary in {folder / 'summary.json'}")
