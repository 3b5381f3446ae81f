"""What becomes of goals under each program that knows them: outcomes that no text tells.

    python -m evals.router_outcomes babyai,tabletop --out evals/data/router-outcomes.jsonl

No model. For each task of the suites up to three skills are learnt from scripted demonstrations on practice seeds: from
one, from another one, and from three together. They know the same goals and differ in how far they reach. Then goals
are asked, on practice and on holdout seeds, and each of at most `--most` programs that know the goal, drawn by chance
among the skills of all tasks of that world, is tried by itself. The skills are the first lines, then a line a goal.
Resumable: goals that are there are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
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
from skillagent.loop import Agent
from skillagent.programs.template import form_of
from skillagent.programs.text import FILE, program_of
from skillagent.schema import Skill, Split, Task
from skillagent.testing import MemoryStore

_SHOWN = {"one": slice(0, 1), "other": slice(1, 2), "three": slice(0, 3)}  # which demonstrations a skill is made of
_FIRST = 100  # of a split's seeds: the demonstrations come before


def skills_of(agent: Agent, task: Task) -> Iterator[Skill]:
    """Yield the skills that demonstrations of a task give, no two with the same program."""
    practice = [task.model_copy(update={"seed": seed}) for seed in range(4)]
    given = [one for one in (demonstrated(agent.open(each), each) for each in practice) if one is not None]
    seen = set()
    for way, part in _SHOWN.items():
        for skill in learnt(agent, given[part], Induction()).skills.values() if given[part] else ():
            if (text := skill.files[FILE]) not in seen:
                seen.add(text)
                name = f"{task.name}-{way}".lower()
                yield skill.model_copy(update={"name": name, "domain": task.env})


def knowing(goal: str, skills: Sequence[Skill], most: int) -> list[Skill]:
    """Return programs that know a goal, drawn by chance, by the goal's own words."""
    known = [one for one in skills if form_of(getattr(program_of(one), "goals", ()), goal)]
    return sorted(known, key=lambda one: hashlib.sha256(f"{goal} {one.name}".encode()).digest())[:most]


def main(
    suites: str,
    out: Annotated[Path, typer.Option(help="Where the skills and outcomes go.")],
    seeds: Annotated[int, typer.Option(help="Goals of each task and split.")] = 12,
    most: Annotated[int, typer.Option(help="Programs that are tried for a goal.")] = 6,
) -> None:
    """Learn the skills if they are not there, try them, and write each goal as it is done."""
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] if out.exists() else []
    skills = [Skill.model_validate(line["skill"]) for line in lines if "skill" in line]
    done = {(line["task"], line["seed"]) for line in lines if "task" in line}
    tasks = [task for suite in suites.split(",") for task in load_suite(suite).tasks(Split.PRACTICE, 1)]
    with TemporaryDirectory() as folder, out.open("a", encoding="utf-8") as file:

        def write(line: dict[str, object]) -> None:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()

        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=MemoryStore()) as agent:
            for task in tasks if not skills else ():
                skills += (made := list(skills_of(agent, task)))
                for one in made:
                    write({"skill": one.model_dump(mode="json", exclude_defaults=True)})
                note(f"{task.id}: {len(made)} skills")
            for n in range(seeds):
                for split in (Split.PRACTICE, Split.HOLDOUT):
                    for task in tasks:
                        one = task.model_copy(update={"seed": split.first_seed + _FIRST + n})
                        if (one.id, one.seed) in done:
                            continue
                        goal = agent.open(one).reset(one).goal
                        known = knowing(goal, [each for each in skills if each.domain == one.env], most)
                        found = {each.name: solved(agent, one, Library(skills={each.name: each})) for each in known}
                        write({"task": one.id, "seed": one.seed, "split": split, "goal": goal, "solved": found})
                note(f"{n + 1} of {seeds} goals a task and split")


if __name__ == "__main__":
    typer.run(main)
