"""Goals of several parts that nobody showed: programs of single goals, put together by the words of the goal.

    python -m evals.stitched babyai/GoTo,babyai/PickupDist,babyai/PutNextLocal babyai/GoToSeq --first 600

No model is asked. Programs are learnt from a few scripted demonstrations of each of the first tasks; the library of all
of them is tried by itself on holdout instances of the second ones, with goals divided where programs know the parts,
and with goals left whole.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from evals.oracle_demos import demonstrated
from evals.program_reach import Wordless, learnt, solved
from skillagent import load, open_agent
from skillagent.cli.output import note
from skillagent.evaluation.suites import load_suite
from skillagent.learning.write import Induction
from skillagent.library import Library
from skillagent.loop import Agent, unplanned
from skillagent.schema import Split
from skillagent.testing import MemoryStore


def known(agent: Agent, suite: str, demos: int) -> Library:
    """Return a library with a program for each task of a suite, each named like its task."""
    skills = {}
    for task in load_suite(suite).tasks(Split.PRACTICE, 1):
        practice = [task.model_copy(update={"seed": seed}) for seed in range(demos)]
        given = [one for one in (demonstrated(agent.open(each), each) for each in practice) if one is not None]
        for skill in learnt(agent, given, Induction()).skills.values() if given else ():
            skills[task.name.lower()] = skill.model_copy(update={"name": task.name.lower()})
    return Library(skills=skills)


def main(
    learn: Annotated[str, typer.Argument(help="Tasks that are shown, e.g. babyai/GoTo,babyai/PickupDist")],
    then: Annotated[str, typer.Argument(help="Tasks that are not.")],
    demos: Annotated[int, typer.Option(help="Demonstrations of each task.")] = 4,
    seeds: Annotated[int, typer.Option(help="Holdout instances of each task.")] = 20,
    first: Annotated[int, typer.Option(help="The first of them, counted from the beginning of the holdout range.")] = 0,
    out: Path | None = None,
) -> None:
    """Learn single goals, try goals of several parts, and write the table."""
    table: dict[str, dict[str, int]] = {}
    with TemporaryDirectory() as folder:
        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=MemoryStore()) as agent:
            library = known(agent, learn, demos)
            note(f"programs of {', '.join(library.skills)}")
            for task in load_suite(then).tasks(Split.HOLDOUT, 1):
                held = [task.model_copy(update={"seed": Split.HOLDOUT.first_seed + first + n}) for n in range(seeds)]
                ways = {"in parts": agent, "as a whole": replace(agent, stitch=unplanned)}
                table[task.id] = {way: sum(solved(one, each, library) for each in held) for way, one in ways.items()}
                note(f"{task.id:30} " + "  ".join(f"{way}: {n}/{seeds}" for way, n in table[task.id].items()))
    if out is not None:
        whole = {"shown": learn.split(","), "demonstrations": demos, "seeds": seeds, "first": first, "tasks": table}
        out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
