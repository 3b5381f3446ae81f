"""What programs of other Meta-World tasks do for a task that nobody showed: borrowed, by themselves, without a model.

    python -m evals.robot_demos --skills arm
    python -m evals.robot_transfer arm --out evals/results/metaworld-transfer.json

Each task is left out of the library in turn. The programs of the skills nearest to its goal in words are tried on
practice seeds, as they are and with objects known by their role alone; what solves one is learnt from, and tried by
itself on holdout seeds. Beside it: the task's own program from one demonstration, and an empty library, with which
nothing can be done that no model is asked for.
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

from evals.program_reach import ALONE, Wordless, solved
from skillagent import load, open_agent
from skillagent.cli.output import note
from skillagent.envs.robot.simulator import descriptions
from skillagent.learning.borrow import LENT
from skillagent.learning.write import Induction, write
from skillagent.library import Library
from skillagent.loop import Agent, attempt
from skillagent.schema import Attempt, Cause, Lesson, PutSkill, Split, Task
from skillagent.store.disk import DiskStore
from skillagent.testing import MemoryStore

_PRACTICE = 9  # instances, three of each wording


def lent(agent: Agent, task: Task, others: Library) -> tuple[list[str], Library]:
    """Return whose programs solved practice instances, and a library with the best program that this suggests."""
    alone = partial(attempt, agent, variation=ALONE)
    instances = [task.model_copy(update={"seed": seed}) for seed in range(_PRACTICE)]
    failed = [alone(one, Library()) for one in instances]
    failed = [one.model_copy(update={"verdict": one.verdict.model_copy(update={"score": 0.0})}) for one in failed]
    successes = [found for one in failed[:3] for found in agent.borrow([one], others, alone)]
    if not successes:
        return [], Library()
    lesson = Lesson(
        cause=Cause.KNOWLEDGE, summary=f"{task.id}: borrowed", success=successes[0], successes=tuple(successes)
    )
    edits = write(lesson, Library(), alone, llm=Wordless(), induction=Induction(instances=_PRACTICE))
    edit = next((one for one in edits if any(isinstance(change, PutSkill) for change in one.changes)), None)
    return _lenders(successes), Library().apply(edit) if edit else Library()


def _lenders(successes: Sequence[Attempt]) -> list[str]:
    return list(dict.fromkeys(name.removeprefix(LENT) for one in successes for name in one.trajectory.programs))


def main(
    skills: Annotated[Path, typer.Argument(help="A library of programs, each named like its task.")],
    tasks: Annotated[str, typer.Option(help="drawer-open,… ; all by default")] = "",
    seeds: Annotated[int, typer.Option(help="Holdout instances of each task.")] = 10,
    first: Annotated[int, typer.Option(help="The first of them, counted from the beginning of the holdout range.")] = 0,
    out: Path | None = None,
) -> None:
    """Leave every task out in turn, borrow, and write the table."""
    known = DiskStore(skills, skills / ".memory").load()
    table: dict[str, dict[str, object]] = {}
    if out is not None:
        with suppress(FileNotFoundError):
            table = json.loads(out.read_text(encoding="utf-8"))["tasks"]
    with TemporaryDirectory() as folder:
        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=MemoryStore()) as agent:
            for name in tasks.split(",") if tasks else descriptions():
                if name in table:
                    continue
                task = Task(env="metaworld", name=name, max_steps=50)
                others = Library(skills={key: one for key, one in known.skills.items() if key != name})
                own = Library(skills={key: one for key, one in known.skills.items() if key == name})
                lenders, library = lent(agent, task, others)
                held = [task.model_copy(update={"seed": Split.HOLDOUT.first_seed + first + n}) for n in range(seeds)]
                table[name] = {
                    "borrowed": sum(solved(agent, one, library) for one in held),
                    "own demonstration": sum(solved(agent, one, own) for one in held),
                    "from": lenders,
                }
                note(f"{name:28} " + "  ".join(f"{what}: {value}" for what, value in table[name].items()))
                if out is not None:
                    whole = {"seeds": seeds, "mean": _means(table, seeds), "tasks": table}
                    out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    for way, mean in _means(table, seeds).items():
        print(f"{way:20} {mean:.1%} of {seeds * len(table)}")


def _means(table: dict[str, dict[str, object]], seeds: int) -> dict[str, float]:
    ways = ("borrowed", "own demonstration")
    return {way: fmean(float(str(row[way])) / seeds for row in table.values()) for way in ways}


if __name__ == "__main__":
    typer.run(main)
