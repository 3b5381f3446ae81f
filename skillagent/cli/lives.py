"""Lives: what becomes of tasks while others are learnt, and whether what is tested may have been seen."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.exits import Exit
from skillagent.cli.measured import show_life
from skillagent.cli.output import AsJson, emit, examples, hush, note, say, table
from skillagent.cli.parts import Parts, parts_of
from skillagent.cli.progress import episodes
from skillagent.cli.run import CostLimit, Model, TimeLimit, TokenLimit

if TYPE_CHECKING:
    from skillagent.config import Settings
    from skillagent.evaluation.suites import Suite
    from skillagent.schema import Attempt

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.command(
    epilog=examples(
        "skillagent eval stream miniwob-stream",
        "skillagent eval stream miniwob-stream --seeds 1 --no-experts --out runs/life --json",
        "skillagent eval stream metaworld-stream --demos recorded/ --no-experts",
    )
)
def stream(
    ctx: typer.Context,
    suite: Annotated[str, typer.Argument(help="A suite's name or file; its `blocks` say what is trained together.")],
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Holdout instances of each task in a test; default: the suite's.")
    ] = None,
    experts: Annotated[
        bool,
        typer.Option(
            "--experts/--no-experts",
            help="Then train each task alone, to set the stream against; --no-experts leaves it out.",
        ),
    ] = True,
    demos: Annotated[
        Path | None, typer.Option(help="A folder of episodes to learn from too, as `run --keep` writes them.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; default: runs/SUITE-MODEL.")] = None,
    model: Model = None,
    token_limit: TokenLimit = None,
    cost_limit: CostLimit = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
) -> None:
    """Train a suite block by block, and test all of it in between.

    Learning happens on practice seeds in a copy of the library in the run's folder, testing on holdout seeds. Writes
    the logs that `skillagent eval lifelong` reads. The same command goes on where it stopped. Limits are on tests,
    training and experts together.
    """
    from skillagent.build import budget
    from skillagent.cli.demos import compared
    from skillagent.cli.learn import read_shown
    from skillagent.errors import BudgetSpent
    from skillagent.evaluation import run as runs
    from skillagent.evaluation.arms import OpenArm
    from skillagent.evaluation.rows import read_rows
    from skillagent.evaluation.streams import begin, live, train_experts
    from skillagent.evaluation.suites import limited, load_suite
    from skillagent.schema import digest_of

    parts, chosen = parts_of(ctx), load_suite(suite)
    settings = parts.settings(model=model, token_limit=token_limit, cost_limit=cost_limit, time_limit_s=time_limit)
    settings = limited(settings, chosen)
    shown = compared([one for one in read_shown(demos) if one.trajectory.task.id in chosen.ids], note) if demos else []
    folder = out or Path("runs") / f"{chosen.name}-{settings.model.replace('/', '-')}"
    folder.mkdir(parents=True, exist_ok=True)
    with runs.alone(folder, "stream.lock"):
        runs.begin(
            folder,
            {
                "suite": chosen.model_dump(mode="json"),
                "model": settings.model,
                "stream": seeds or 0,
                "shown": digest_of([one.id for one in shown]) if shown else None,
            },
            threads=settings.threads,
        )
        start = begin(settings, folder, parts.agent)
        opener, limit, stopped = OpenArm(start, folder, open=parts.agent), budget(settings), None
        watch = episodes(read_rows(folder / "rows.jsonl"))
        try:
            training, expert = partial(_tried, "training"), partial(_tried, "expert")
            live(opener, chosen, folder, seeds=seeds, budget=limit, watch=watch, trained=training, shown=shown)
            if experts:
                train_experts(opener, chosen, folder, budget=limit, trained=expert, shown=shown)
        except (BudgetSpent, KeyboardInterrupt) as reason:
            stopped = reason
            hush()
    _summarise(chosen, folder, start, parts)
    _show(folder, as_json=as_json)
    if isinstance(stopped, KeyboardInterrupt):
        note("stopped; the same command goes on from here")
        raise typer.Exit(Exit.INTERRUPTED)
    if stopped:
        raise stopped


def _summarise(suite: Suite, folder: Path, start: Settings, parts: Parts) -> None:
    """Write the summary; what learning cost is set against what the whole stream gained, not against a part of it."""
    from skillagent.config import changed
    from skillagent.evaluation.rows import read_rows
    from skillagent.evaluation.streams import LEARNER, START, after, places
    from skillagent.evaluation.summary import provenance, spent_on, summarise, write_summary

    summary = summarise(
        read_rows(folder / "rows.jsonl"),
        suite=suite.name,
        command=["skillagent", *sys.argv[1:]],
        provenance=provenance(start.model, {START: parts.store(start).load()}),
        learning=spent_on(parts.store(changed(start, places(folder, LEARNER))).events()),
    )
    whole = f"{after(len(suite.groups))}-{after(0)}"
    payoff = {pair: one for pair, one in summary.payoff.items() if pair == whole}
    write_summary(summary.model_copy(update={"payoff": payoff}), folder)


def _show(folder: Path, *, as_json: bool) -> None:
    """Print a stream as far as it was lived."""
    from skillagent.evaluation.streams import read_life
    from skillagent.evaluation.training import read_record

    life, experts = read_life(folder), read_record(folder).experts
    if as_json:
        emit(
            {
                "life": life.model_dump(mode="json") if life else None,
                "stream": life.figures.model_dump(mode="json") if life else None,
                "experts": {task: [*one.scores] for task, one in experts.items()},
            }
        )
    elif life:
        show_life(life)
        say(f"more: skillagent eval lifelong {folder}, skillagent eval report {folder}")


def _tried(who: str, tried: Attempt) -> None:
    how = tried.verdict.score if tried.verdict.score is not None else "unscored"
    note(f"      {who} {tried.trajectory.task.id} seed {tried.trajectory.task.seed}: score {how}")


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
    from skillagent.evaluation.streams import read_life
    from skillagent.evaluation.table import figure, life_lines

    how = metrics.read_settings(settings) if settings else metrics.Settings()
    found = metrics.lifelong(read_scenario(folder, experts=experts, measure=how.perf_measure), how)
    life = read_life(folder)
    if as_json:
        emit(found.model_dump(mode="json") | ({"stream": life.figures.model_dump(mode="json")} if life else {}))
        return
    say(table(["", found.run_id, ""], [[name, figure(getattr(found, name)), about] for name, about in _LIFELONG]))
    per_task = [
        [task, *(figure(getattr(own, name)) for name, _ in _LIFELONG if name in type(own).model_fields
                 and not isinstance(getattr(own, name), dict))]
        for task, own in found.task_metrics.items()
    ]  # fmt: skip
    header = [name for name, _ in _LIFELONG if "transfer" not in name]
    say()
    say(table(["task", *header], per_task))
    if life:
        say(f"\n{life_lines(life)[-1]}  (LIBERO's, of the success after each block)")


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
