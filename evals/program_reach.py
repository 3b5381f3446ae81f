"""How far programs reach by themselves that were read off one demonstration of a task, or off several.

No model is asked. Beside it, what they would be without anti-unification.

    python -m evals.program_reach miniwob-ax --out evals/results/program-reach.json
    python -m evals.program_reach babyai --out evals/results/babyai-reach.json
    python -m evals.program_reach miniwob/click-checkboxes,miniwob/click-tab-2 --demos 3 --skills shown

The demonstrations are scripted solutions (`evals.oracle_demos`) on practice seeds. Of the programs that they suggest,
the one that does best by itself on practice seeds is tried, by itself, on holdout seeds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from evals.oracle_demos import ORACLES, demonstrated
from skillagent import load, open_agent
from skillagent.cli.output import note
from skillagent.evaluation.suites import load_suite
from skillagent.learning.write import Induction, write
from skillagent.library import Library
from skillagent.loop import Agent, attempt
from skillagent.programs.text import FILE
from skillagent.schema import (
    Attempt,
    Cause,
    Decided,
    Decision,
    Edit,
    Lesson,
    Message,
    PutSkill,
    Reply,
    Role,
    Split,
    Task,
    Usage,
    Variation,
)
from skillagent.store.disk import DiskStore
from skillagent.testing import MemoryStore

ALONE = Variation(alone=True)
WAYS = {"all": Induction(), "no anti-unification": Induction(anti_unify=False)}


class Wordless:
    """Says nothing: the skills get plain names, and a program that asks the model stops there."""

    name = "none"

    def reply(self, messages: Sequence[Message], *, role: Role, schema: object = None, **_: object) -> Reply:
        """Return no words."""
        return Reply(text="", data={}, usage=Usage())


def learnt(agent: Agent, demos: Sequence[Attempt], how: Induction) -> Library:
    """Return a library with the program that the demonstrations suggest first, or an empty one."""
    task = demos[0].trajectory.task.id
    lesson = Lesson(cause=Cause.EFFORT, summary=f"{task}: shown", success=demos[0], successes=tuple(demos))
    for edit in write(lesson, Library(), partial(attempt, agent, variation=ALONE), llm=Wordless(), induction=how):
        if any(isinstance(one, PutSkill) and FILE in one.skill.files for one in edit.changes):
            return Library().apply(edit)
    return Library()


def solved(agent: Agent, task: Task, library: Library) -> bool:
    """Tell whether the library's program solves the task by itself."""
    return bool(library.skills) and attempt(agent, task, library, ALONE).verdict.success is True


def keep(folder: Path, task: Task, library: Library, demos: int) -> None:
    """Put what was learnt of a task into a library on disk, under the task's name."""
    for skill in library.skills.values():
        named = skill.model_copy(update={"name": task.name.lower(), "domain": task.env})
        edit = Edit(changes=(PutSkill(skill=named),), why=f"{task.id}: shown {demos} times")
        decision = Decision(edit=edit, accepted=True, reason="learnt from demonstrations, not replayed", by="person")
        DiskStore(folder / "skills", folder / "memory_store").commit(Decided(decision=decision))


def main(
    suite: str,
    demos: Annotated[str, typer.Option(help="How many demonstrations: 1,3")] = "1,3",
    seeds: Annotated[int, typer.Option(help="Holdout instances of each task.")] = 5,
    first: Annotated[int, typer.Option(help="The first of them, counted from the beginning of the holdout range.")] = 0,
    skills: Annotated[
        Path | None, typer.Option(help="A folder to keep the programs of most demonstrations in.")
    ] = None,
    out: Path | None = None,
) -> None:
    """Learn every page of a suite that has a solution, try it, and write the table."""
    counts = [int(one) for one in demos.split(",")]
    table: dict[str, dict[str, int]] = {}
    if out is not None:
        with suppress(FileNotFoundError):
            table = json.loads(out.read_text(encoding="utf-8"))["pages"]
    tasks = [one for one in load_suite(suite).tasks(Split.PRACTICE, 1) if one.id not in table]
    tasks = [one for one in tasks if one.env != "miniwob" or one.name in ORACLES]
    with TemporaryDirectory() as folder:
        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=MemoryStore()) as agent:
            for task in tasks:
                practice = [task.model_copy(update={"seed": seed}) for seed in range(max(counts))]
                held = [task.model_copy(update={"seed": Split.HOLDOUT.first_seed + first + n}) for n in range(seeds)]
                given = [one for one in (demonstrated(agent.open(each), each) for each in practice) if one is not None]
                table[task.id] = {}
                for count in counts:
                    for way, how in WAYS.items():
                        if count > 1 or way == "all":  # a single one cannot be anti-unified
                            library = learnt(agent, given[:count], how) if given else Library()
                            table[task.id][f"{count}, {way}"] = sum(solved(agent, one, library) for one in held)
                            if skills and way == "all" and count == max(counts):
                                keep(skills, task, library, count)
                note(f"{task.id:36} " + "  ".join(f"{way}: {n}/{seeds}" for way, n in table[task.id].items()))
                if out is not None:
                    shares = {way: fmean(row[way] / seeds for row in table.values()) for way in table[task.id]}
                    whole = {"seeds": seeds, "mean": shares, "pages": table}
                    out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    for way in table[next(iter(table))]:
        print(f"{way:24} {fmean(row[way] / seeds for row in table.values()):.1%} of {seeds * len(table)}")


if __name__ == "__main__":
    typer.run(main)
