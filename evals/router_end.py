"""What each way to route is worth at the end: the program of the skill that it puts first, tried by itself.

    python -m evals.router_end SKILLS MEMORY --out evals/results/router-end.json

No model, in the browser. Every page of the suite on holdout seeds; each way to route (`evals.router_ladder`) orders the
library's skills for the goal, and what the first one's program comes to is looked at, each skill being tried once an
instance. `the product` is the whole route: patterns first, what came of programs so far, up to three of them, and none
where none fits; it is looked at without unrelated skills alone. With `--distractors` unrelated skills, which run
nothing, lie in the library of the other ways as well. Resumable.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from evals.program_reach import ALONE, Wordless, solved
from evals.router_data import Goal, distractors
from evals.router_ladder import Bench, ladder
from skillagent import load, open_agent
from skillagent.build import embedder
from skillagent.cli.output import note
from skillagent.evaluation.suites import load_suite
from skillagent.library import Library
from skillagent.loop import Agent, attempt
from skillagent.programs.text import FILE
from skillagent.schema import Skill, Split, Task
from skillagent.store.disk import DiskStore
from skillagent.store.vectors import ChromaVectors

CACHE = Path.home() / ".cache/skillagent/router"


def goals_of(agent: Agent, tasks: Sequence[Task]) -> list[Goal]:
    """Return what the instances ask; whose skill it is for nobody knows."""
    first = [agent.open(task).reset(task).goal for task in tasks]
    return [
        Goal(text=goal, skill="", domain=task.env, split=str(task.split), seed=task.seed, fold="test")
        for goal, task in zip(first, tasks, strict=True)
    ]


def main(
    skills: Path,
    memory: Path,
    suite: str = "miniwob-ax",
    seeds: Annotated[int, typer.Option(help="Holdout instances of each page.")] = 2,
    unrelated: Annotated[int, typer.Option("--distractors", help="Unrelated skills beside the library's.")] = 1000,
    cache: Annotated[Path, typer.Option(help="Where vectors are kept.")] = CACHE,
    out: Path | None = None,
) -> None:
    """Try what each way puts first, and write the table."""
    library = DiskStore(skills, memory).load()
    tasks = load_suite(suite).tasks(Split.HOLDOUT, seeds)
    known: dict[str, bool] = {}
    if out is not None:
        with suppress(FileNotFoundError):
            known = json.loads(out.read_text(encoding="utf-8"))["tried"]
    with TemporaryDirectory() as folder:
        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=DiskStore(skills, memory)) as agent:
            goals, vectors = goals_of(agent, tasks), ChromaVectors(embedder(settings), path=cache)

            def tried(task: Task, skill: Skill | None) -> bool:
                name = skill.name if skill else "the product"
                key = f"{task.id}@{task.seed} {name}"
                if key not in known:
                    if skill is None:
                        known[key] = attempt(agent, task, library, ALONE).verdict.success is True
                    else:
                        known[key] = FILE in skill.files and solved(agent, task, Library(skills={name: skill}))
                return known[key]

            report: dict[str, dict[str, float]] = {}
            for count in (0, unrelated):
                bench = Bench(goals, [*library.skills.values(), *distractors(count)], vectors)
                kept = np.ones((len(goals), len(bench.skills)), dtype=bool)
                ways = {name: way(kept).argmax(axis=1) for name, way in ladder(bench, parts=False).items()}
                for name, chosen in ways.items():
                    hits = [tried(task, bench.skills[n]) for task, n in zip(tasks, chosen.tolist(), strict=True)]
                    report.setdefault(name, {})[f"{count} unrelated"] = round(float(np.mean(hits)), 3)
                    note(f"{count:5} {name:50} {np.mean(hits):.1%} of {len(tasks)}")
                    _write(out, report, known, len(library.skills))
            hits = [tried(task, None) for task in tasks]
            report["the product"] = {"0 unrelated": round(float(np.mean(hits)), 3)}
            note(f"      the product, patterns first {np.mean(hits):.1%} of {len(tasks)}")
            _write(out, report, known, len(library.skills))
            vectors.close()


def _write(out: Path | None, report: object, known: object, skills: int) -> None:
    if out is not None:
        whole = {"skills": skills, "solved": report, "tried": known}
        out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
