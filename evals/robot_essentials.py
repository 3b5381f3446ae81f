"""Which steps of an arm's program matter, and how exact their offsets must be: replays with one thing changed.

    python -m evals.robot_demos pick-place,drawer-open --skills /tmp/arm
    python -m evals.robot_essentials /tmp/arm pick-place,drawer-open --out evals/results/metaworld-essentials.json
    python -m evals.robot_essentials /tmp/arm pick-place --note

No model is asked. On practice seeds on which the program succeeds: each step left out, each two neighbours the other
way round, each offset moved by 1, 2 and 4 cm along each axis. A step without which four of five still succeed is free.
With --note, what was found is written into the skill. Source: counterfactual perturbation of demonstrations (GLiDE).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from evals.program_reach import ALONE, Wordless
from skillagent import load, open_agent
from skillagent.cli.output import note
from skillagent.envs.robot.essentials import dropped, shifts, swapped, told
from skillagent.library import Library
from skillagent.loop import Agent, attempt
from skillagent.programs.text import FILE, dump, program_of
from skillagent.schema import Decided, Decision, Edit, Program, PutSkill, Skill, Task
from skillagent.store.disk import DiskStore
from skillagent.testing import MemoryStore

_HEADING = "## What matters"


def share(agent: Agent, skill: Skill, program: Program, tasks: Sequence[Task]) -> float:
    """Return the share of instances that a program in the place of a skill's solves by itself."""
    own = skill.model_copy(update={"version": 1, "files": {**skill.files, FILE: dump(program)}})
    library = Library().apply(Edit(changes=(PutSkill(skill=own, base=None),), why="perturbed"))
    return sum(attempt(agent, one, library, ALONE).verdict.success is True for one in tasks) / len(tasks)


def noted(skill: Skill, lines: Sequence[str]) -> Decided:
    """Return the entry that writes what matters into a skill, in the place of what was found before."""
    body = skill.body.split(f"\n{_HEADING}\n")[0] + f"\n{_HEADING}\n\n" + "".join(f"- {line}\n" for line in lines)
    new = skill.model_copy(update={"version": skill.version + 1, "body": body})
    edit = Edit(changes=(PutSkill(skill=new, base=skill.version),), why="replays with one thing changed")
    reason = "accepted: words only, asked for by a person"
    return Decided(decision=Decision(edit=edit, accepted=True, reason=reason, by="person"))


def main(
    skills: Annotated[Path, typer.Argument(help="A library of programs, each named like its task.")],
    tasks: Annotated[str, typer.Argument(help="drawer-open,…")],
    seeds: Annotated[int, typer.Option(help="Practice instances that the program solves, of each task.")] = 5,
    first: Annotated[int, typer.Option(help="The first practice seed that is tried.")] = 100,
    write: Annotated[bool, typer.Option("--note", help="Write what was found into the skills.")] = False,
    out: Path | None = None,
) -> None:
    """Change one thing at a time, replay, and say what mattered."""
    table: dict[str, dict[str, float]] = {}
    if out is not None:
        with suppress(FileNotFoundError):
            table = json.loads(out.read_text(encoding="utf-8"))["tasks"]
    store = DiskStore(skills, skills / ".memory")
    with TemporaryDirectory() as folder:
        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=MemoryStore()) as agent:
            for name in tasks.split(","):
                skill = store.load().skills[name]
                program = program_of(skill)
                assert program is not None
                tried = [Task(env="metaworld", name=name, seed=first + n, max_steps=50) for n in range(3 * seeds)]
                held = [one for one in tried if share(agent, skill, program, [one])][:seeds]
                if not held:
                    note(f"{name}: the program solves none of {len(tried)} practice instances")
                    continue
                changed = {**dropped(program), **swapped(program), **shifts(program)}
                found = {what: share(agent, skill, one, held) for what, one in changed.items()}
                table[name] = {"instances": len(held), **{str(what): value for what, value in found.items()}}
                lines = told(program, found)
                for line in lines:
                    print(f"{name}: {line}")
                if write:
                    store.commit(noted(skill, lines))
                if out is not None:
                    out.write_text(json.dumps({"tasks": table}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
