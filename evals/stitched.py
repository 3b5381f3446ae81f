"""Goals that nobody showed, of several parts or in another place: programs of shown ones, found by the goal's words.

    python -m evals.stitched babyai/GoTo,babyai/PickupDist,babyai/PutNextLocal babyai/GoToSeq --first 600
    python -m evals.stitched libero/object-1 libero/object_swap-1 --demos 1 --no-whole --skills shown --out swap.json

No model is asked. Programs are learnt from a few scripted demonstrations of each of the first tasks; the library of all
of them is tried by itself on holdout instances of the second ones, with goals divided where programs know the parts,
and with goals left whole. Beside it an empty library: where no model is asked nothing acts without a program, so what
it solves is what needs no doing. What is in the file is not tried again, nor what is in the folder learnt again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from evals.oracle_demos import demonstrated
from evals.program_reach import ALONE, Wordless, keep, learnt
from skillagent import load, open_agent
from skillagent.cli.output import note
from skillagent.evaluation.statistics import Key, compare, rate
from skillagent.evaluation.suites import load_suite
from skillagent.learning.write import Induction
from skillagent.library import Library
from skillagent.loop import Agent, attempt, unplanned
from skillagent.schema import Split
from skillagent.store.disk import DiskStore
from skillagent.testing import MemoryStore

NOTHING, PARTS, WHOLE = "no library", "in parts", "as a whole"
Table = dict[str, dict[str, list[int]]]  # by task and way: 1 for each instance that was solved, else 0


def known(agent: Agent, suite: str, demos: int, skills: Path, how: Induction) -> Library:
    """Return a library with a program for each task of a suite, each named like its task, and keep it in a folder."""
    tasks = load_suite(suite).tasks(Split.PRACTICE, 1)
    for task in tasks:
        if task.name.lower() in _stored(skills).skills:
            continue
        practice = [task.model_copy(update={"seed": seed}) for seed in range(demos)]
        given = [one for one in (demonstrated(agent.open(each), each) for each in practice) if one is not None]
        library = learnt(agent, given, how) if given else Library()
        note(f"{task.id}: {len(given)} of {demos} shown, {'a program' if library.skills else 'no program'}")
        keep(skills, task, library, len(given))
    names = {task.name.lower() for task in tasks}
    return Library(skills={name: one for name, one in _stored(skills).skills.items() if name in names})


def _stored(skills: Path) -> Library:
    return DiskStore(skills / "skills", skills / "memory_store").load()


def summed(table: Mapping[str, Mapping[str, Sequence[int]]]) -> dict[str, object]:
    """Return each way's rate, and each one's difference to an empty library over tasks, with 95 % intervals."""
    scores: dict[str, dict[Key, float | None]] = {}
    for task, row in table.items():
        for way, done in row.items():
            scores.setdefault(way, {}).update({(task, n): float(one) for n, one in enumerate(done)})
    told: dict[str, object] = {}
    for way, each in scores.items():
        told[way] = rate(sum(one == 1.0 for one in each.values()), len(each)).model_dump()
        if way != NOTHING:
            told[f"{way} beside {NOTHING}"] = compare(scores[NOTHING], each).model_dump()
    return told


def main(
    learn: Annotated[str, typer.Argument(help="Tasks that are shown, e.g. babyai/GoTo,babyai/PickupDist")],
    then: Annotated[str, typer.Argument(help="Tasks that are not.")],
    demos: Annotated[int, typer.Option(help="Demonstrations of each task.")] = 4,
    seeds: Annotated[int, typer.Option(help="Holdout instances of each task.")] = 20,
    first: Annotated[int, typer.Option(help="The first of them, counted from the beginning of the holdout range.")] = 0,
    whole: Annotated[bool, typer.Option(help="Try them with goals left whole, too.")] = True,
    instances: Annotated[int, typer.Option(help="Practice instances that a program is tried on as it is learnt.")] = 5,
    looks: Annotated[int, typer.Option(help="Practice instances that are only looked at meanwhile.")] = 10,
    skills: Annotated[Path | None, typer.Option(help="Keep the programs here, and go on from it.")] = None,
    out: Annotated[Path | None, typer.Option(help="Keep what comes out here, and go on from it.")] = None,
) -> None:
    """Learn the first tasks, try the second ones, and write the table."""
    said: dict[str, object] = {"shown": learn.split(","), "demonstrations": demos, "seeds": seeds, "first": first}
    table, how = _begun(out, said), Induction(instances=instances, looks=looks)
    with TemporaryDirectory() as folder:
        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=MemoryStore()) as agent:
            library = known(agent, learn, demos, skills or Path(folder) / "shown", how)
            note(f"programs of {', '.join(library.skills)}")
            for task in load_suite(then).tasks(Split.HOLDOUT, 1):
                if task.id in table:
                    continue
                held = [task.model_copy(update={"seed": Split.HOLDOUT.first_seed + first + n}) for n in range(seeds)]
                table[task.id] = {
                    way: [int(attempt(one, each, given, ALONE).verdict.success is True) for each in held]
                    for way, (one, given) in ways(agent, library, whole=whole).items()
                }
                counts = (f"{way}: {sum(done)}/{seeds}" for way, done in table[task.id].items())
                note(f"{task.id:30} {'  '.join(counts)}")
                if out is not None:
                    whole_table = {**said, "programs": [*library.skills], "summary": summed(table), "tasks": table}
                    out.write_text(json.dumps(whole_table, indent=1) + "\n", encoding="utf-8")
    for way, value in summed(table).items():
        print(f"{way}: {value}")


def ways(agent: Agent, library: Library, *, whole: bool) -> dict[str, tuple[Agent, Library]]:
    """Return who tries each way, with which library; `whole`: also with goals left whole."""
    found = {NOTHING: (agent, Library()), PARTS: (agent, library)}
    return found | {WHOLE: (replace(agent, stitch=unplanned), library)} if whole else found


def _begun(out: Path | None, said: Mapping[str, object]) -> Table:
    """Return what a run of the same settings has written so far.

    Raises:
        typer.BadParameter: What is there is of other settings.
    """
    if out is None:
        return {}
    with suppress(FileNotFoundError):
        before = json.loads(out.read_text(encoding="utf-8"))
        if any(before[key] != value for key, value in said.items()):
            raise typer.BadParameter(f"{out} is of other tasks, demonstrations or instances: name another file")
        table: Table = before["tasks"]
        return table
    return {}


if __name__ == "__main__":
    typer.run(main)
