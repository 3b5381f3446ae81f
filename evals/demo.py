"""Demo: watch the agent get better at a few pages, with the embedded model.

    python -m evals.demo            # measure, learn, measure again; a second run reuses what is there
    python -m evals.demo --fresh    # start over

Holdout seeds are measured before and after; learning happens on practice seeds and is gated on gate seeds in between.
Everything is kept under runs/demo: rows, summary, the library that was learnt and its ledger.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console

from skillagent.build import Options, open_agent
from skillagent.cli.output import table
from skillagent.cli.show import Show
from skillagent.config import Settings, load
from skillagent.errors import SkillAgentError
from skillagent.evaluation import run as runs
from skillagent.evaluation.arms import Arm
from skillagent.evaluation.overlap import with_sources
from skillagent.evaluation.rows import Row, forget
from skillagent.evaluation.suites import Suite, load_suite
from skillagent.evaluation.summary import provenance, summarise, write_summary
from skillagent.evaluation.table import headline, per_task
from skillagent.library import Library
from skillagent.loop import Agent, run
from skillagent.practice.explore import Practice
from skillagent.schema import Decided, Split, Task
from skillagent.store.disk import DiskStore
from skillagent.store.skillfile import dump

FOLDER = Path("runs/demo")


def main() -> int:
    """Measure, learn, measure again, and show what was learnt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="demo", help="a suite's name or file")
    parser.add_argument("--seeds", type=int, help="holdout seeds a task; default: the suite's")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where everything is kept")
    parser.add_argument("--model", help="default: the embedded model")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
    wanted = parser.parse_args()
    if wanted.fresh:
        shutil.rmtree(wanted.out, ignore_errors=True)
    console = Console(highlight=False)
    try:
        suite = load_suite(wanted.suite)
        settings = load(skills=wanted.out / "skills", memory=wanted.out / "memory_store", model=wanted.model)
        return demonstrate(suite, suite.tasks(Split.HOLDOUT, wanted.seeds), settings, wanted.out, console)
    except SkillAgentError as error:
        console.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on from here")
        return 130


def demonstrate(suite: Suite, holdout: list[Task], settings: Settings, folder: Path, console: Console) -> int:
    """Run the three parts and print the paired table."""
    start = time.monotonic()
    store = DiskStore(settings.skills, settings.memory)
    options = Options(practice=Practice(seeds=suite.seeds.get(Split.PRACTICE, 3)))

    def progress(row: Row, done: int, total: int) -> None:
        mark = "void" if row.void else "solved" if row.success else "failed"
        seconds = row.seconds.model + row.seconds.environment
        console.print(f"{_clock(start)}  {done:>3}/{total}  {mark}  {row.task} seed {row.seed}, {seconds:.1f} s")

    runs.begin(
        folder,
        {"suite": suite.model_dump(mode="json"), "model": settings.model, "embedder": settings.embedder},
        threads=settings.threads,
    )

    def opened(_: Arm) -> AbstractContextManager[Agent]:
        return open_agent(settings, options=options)

    before = Arm(name="before", library=Library())
    console.rule(f"1  before learning: {len(suite.ids)} tasks on holdout seeds, no library")
    runs.evaluate(opened, holdout, [before], folder, watch=progress)

    console.rule("2  learning on practice seeds, every change gated on fresh seeds")
    with Show(console, steps=False) as show, open_agent(settings, options=options, watch=show) as agent:
        practised = folder / "practised.txt"
        done = practised.read_text(encoding="utf-8").split() if practised.is_file() else []
        for task in suite.tasks(Split.PRACTICE, 1):
            if task.id in done:
                console.print(f"{_clock(start)}  {task.id}: practised in an earlier run")
                continue
            console.print(f"{_clock(start)}  {task.id}", style="bold")
            for _ in run(agent, [task]):
                pass
            with practised.open("a", encoding="utf-8") as stream:
                stream.write(f"{task.id}\n")

    library = store.load()
    after = Arm(name="after", library=library)
    if forget(folder / "rows.jsonl", lambda row: row.arm == "after" and row.library_digest != library.digest):
        console.print("the library has changed since it was measured: measuring it again")
    console.rule(f"3  after learning: the same holdout seeds, {len(library.skills)} skills")
    runs.evaluate(opened, holdout, [after], folder, watch=progress)

    rows = runs.wanted_rows(folder, holdout, [before, after])
    summary = summarise(
        rows,
        suite=suite.name,
        command=["python", "-m", "evals.demo", *sys.argv[1:]],
        provenance=provenance(settings.model, {"after": library}),
    )
    write_summary(summary, folder)
    console.rule("result")
    console.print(table(*per_task(rows)), markup=False, soft_wrap=True)
    console.print("\n".join(["", *headline(summary), ""]), markup=False, soft_wrap=True)
    for task, count in with_sources(rows, library).items():
        console.print(
            f"note: {task}: the library was learnt on the very goal of {count} of these instances", soft_wrap=True
        )
    _show_library(library, store, console)
    console.print(f"\n{_clock(start)} in all; everything is in {folder}: look with", markup=False, soft_wrap=True)
    where = f"SKILLAGENT_SKILLS={settings.skills} SKILLAGENT_MEMORY={settings.memory}"
    console.print(f"  {where} .venv/bin/skillagent skills log", markup=False, soft_wrap=True)
    console.print(f"  .venv/bin/skillagent eval report {folder}", markup=False, soft_wrap=True)
    return 0


def _show_library(library: Library, store: DiskStore, console: Console) -> None:
    decisions = [event.entry.decision for event in store.events() if isinstance(event.entry, Decided)]
    refused = sum(not decision.accepted for decision in decisions)
    names = ", ".join(library.skills) or "none"
    console.print(
        f"skills learnt: {names}; {len(library.insights)} insights; {refused} proposals refused",
        markup=False,
        soft_wrap=True,
    )
    if library.skills:
        skill = max(library.skills.values(), key=lambda skill: skill.body.count("`"))  # the one with the most steps
        console.rule(f"{skill.name}/SKILL.md")
        console.print(dump(skill), markup=False, soft_wrap=True)


def _clock(start: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - start), 60)
    return f"{minutes:02d}:{seconds:02d}"


if __name__ == "__main__":
    raise SystemExit(main())
