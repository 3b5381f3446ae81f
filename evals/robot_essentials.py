"""Which steps of an arm's program matter, and how exact their offsets must be: replays with one thing changed.

    python -m evals.robot_demos pick-place,drawer-open --skills /tmp/arm
    python -m evals.robot_essentials /tmp/arm pick-place,drawer-open --out evals/results/metaworld-essentials.json
    python -m evals.robot_essentials /tmp/arm pick-place --note

No model is asked. On practice seeds on which the program succeeds: each step left out, each two neighbours the other
way round, each offset moved by 1, 2 and 4 cm along each axis. A step without which four of five still succeed is free.
With --note, what was found is written into the skill. It is `skillagent skills essentials NAME` for several tasks and a
table. Source: counterfactual perturbation of demonstrations (GLiDE).
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from evals.program_reach import Wordless
from skillagent import load, open_agent
from skillagent.cli.essentials import noted
from skillagent.cli.output import note
from skillagent.envs.robot.essentials import told
from skillagent.evaluation.perturbed import replayed, solved
from skillagent.programs.text import program_of
from skillagent.schema import Task
from skillagent.store.disk import DiskStore
from skillagent.testing import MemoryStore


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
                held = solved(agent, skill, program, tried, seeds)
                if not held:
                    note(f"{name}: the program solves none of {len(tried)} practice instances")
                    continue
                found = replayed(agent, skill, program, held)
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
