"""Insights and labelled episodes, for `evals.conditions` to measure how conditions are refined.

    python -m evals.labelled miniwob/click-tab,miniwob/click-option --out runs/labelled

First a teacher makes one insight of each page: from failures of the student on the first practice seeds and a scripted
solution of one of them. It is kept where the student then solves one of the failed instances with it (nothing more is
asked of it here: the gate would ask for fresh wins). Then the student plays each page's next practice instances with
all insights in the library, those that are near the goal shown or all of them (`--every`), and every episode is
diagnosed, also one that succeeded: the labels go into the ledger. Only practice seeds are played. The same command goes
on where it was stopped.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from evals.oracle_demos import demonstrated
from skillagent import loop
from skillagent.build import Options, language_model, open_agent
from skillagent.cli.learn import practice_tasks
from skillagent.cli.output import note
from skillagent.config import load
from skillagent.learning.curate import sources
from skillagent.learning.explanation import explained
from skillagent.learning.lint import lint
from skillagent.library import Library
from skillagent.llm.wrapped import close
from skillagent.ports import LLM
from skillagent.schema import Attempt, Attempted, Cause, Decided, Decision, Edit, Insight, Lesson, PutInsight, Task

_FIRST = 100  # the practice seed from which on episodes are labelled
_WORDS = Options(programs=False, planning=False)


def lesson_of(agent: loop.Agent, task: Task, seeds: int) -> Lesson | None:
    """Return what the student's failures at a page and a scripted solution teach; None where either is missing."""
    failures, shown = list[Attempt](), None
    for seed in range(seeds):
        instance = task.model_copy(update={"seed": seed})
        tried = loop.attempt(agent, instance, Library())
        if tried.verdict.success is False:
            failures.append(tried)
            shown = shown or demonstrated(agent.open(instance), instance)
    if not failures or shown is None:
        return None
    return Lesson(cause=Cause.KNOWLEDGE, summary=task.id, success=shown, successes=(shown,), failures=tuple(failures))


def verified(agent: loop.Agent, insight: Insight, lesson: Lesson) -> bool:
    """Tell whether the student solves an instance that it failed with it, the one that was shown first."""
    assert lesson.success is not None
    shown, library = lesson.success.trajectory.task, Library(insights={insight.id: insight})
    failed = sorted((one.trajectory.task for one in lesson.failures), key=lambda task: task != shown)
    return any(loop.showing(agent, library, task, [insight.id]).verdict.success for task in failed)


def taught(agent: loop.Agent, tasks: list[Task], teacher: LLM, seeds: int) -> None:
    """Put an insight for each page into the library, where there is one that the student makes use of."""
    done = {event.entry.task.name for event in agent.store.events() if isinstance(event.entry, Attempted)}
    done |= {source.name for insight in agent.store.load().insights.values() for source in sources(insight)}
    for task in tasks:
        if task.name in done or (lesson := lesson_of(agent, task, seeds)) is None:
            continue
        library = agent.store.load()
        insight = explained(lesson, library, llm=teacher)
        if insight is None or insight.id in library.insights:
            continue
        edit = Edit(changes=(PutInsight(insight=insight),), why=lesson.summary, evidence=lesson.evidence)
        problem = lint(edit, lesson, library, agent.store.events())
        kept = problem is None and verified(agent, insight, lesson)
        note(f"{task.id}: {insight.id}: {problem or ('kept' if kept else 'does not solve its source')}")
        if kept:
            reason = "accepted: it solves its source; not gated"
            decision = Decision(edit=edit, accepted=True, reason=reason, by="person")
            agent.store.commit(Decided(decision=decision))


def labelled(agent: loop.Agent, tasks: list[Task], instances: int) -> None:
    """Play the pages' instances with the whole library, and write down what the insights did."""
    known = {event.entry.task for event in agent.store.events() if isinstance(event.entry, Attempted)}
    for number in range(_FIRST, _FIRST + instances):
        for task in (one.model_copy(update={"seed": number}) for one in tasks):
            if task in known:
                continue
            library = agent.store.load()
            tried = loop.attempt(agent, task, library)
            said = agent.diagnose(tried, library, partial(loop.showing, agent, library))
            if said is not None:
                agent.store.commit(said)
            loop.record(agent, tried)
            labels = {} if said is None else {key: str(label) for key, label in said.labels.items()}
            note(f"{task.id} seed {number}: {'solved' if tried.verdict.success else 'failed'} {labels}")


def main(
    tasks: Annotated[str, typer.Argument(help="Pages, as task,task,…")],
    student: Annotated[str, typer.Option(help="Acts.")] = "local/qwen2.5-coder-0.5b",
    teacher: Annotated[str, typer.Option(help="Explains.")] = "local/qwen2.5-coder-1.5b",
    seeds: Annotated[int, typer.Option(help="Practice instances of each page that insights are made of.")] = 2,
    instances: Annotated[int, typer.Option(help="Instances of each page that are labelled.")] = 3,
    every: Annotated[
        bool, typer.Option("--every", help="Show every insight in labelled episodes: more labels.")
    ] = False,
    out: Path = Path("runs/labelled"),
) -> None:
    """Make insights and label what they do."""
    chosen = [one.model_copy(update={"max_steps": 8, "timeout_s": 60.0}) for one in practice_tasks(tasks)]
    settings = load(model=student, skills=out / "skills", memory=out / "memory_store")
    with open_agent(settings, options=_WORDS) as agent:
        explaining = language_model(settings.model_copy(update={"model": teacher}))
        try:
            taught(agent, chosen, explaining, seeds)
        finally:
            close(explaining)
    shown = _WORDS.changed({"thresholds.insight": -1.0, "thresholds.insights": 20}) if every else _WORDS
    with open_agent(settings, options=shown) as agent:
        labelled(agent, chosen, instances)
    note(f"now: python -m evals.conditions {out}/skills {out}/memory_store")


if __name__ == "__main__":
    typer.run(main)
