"""What it is worth that another program takes over where one did not do it, in worlds where nothing lasts.

    python -m evals.replanning evals/data/router-outcomes.jsonl --out evals/results/replanning.json

No model. The library is the skills that `evals.router_outcomes` wrote: several for every task, which know the same
goals. Each holdout instance is tried by the programs alone, with `replanning` and without; the ledger is empty, so that
the router goes by words. Instances are none on which the skills were made or their outcomes written.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from evals.program_reach import Wordless, solved
from skillagent import load, open_agent
from skillagent.build import Options
from skillagent.cli.output import note
from skillagent.evaluation.statistics import compare
from skillagent.evaluation.suites import load_suite
from skillagent.library import Library
from skillagent.schema import Skill, Split
from skillagent.testing import MemoryStore

_FIRST = 600  # of the holdout seeds


def main(
    skills: Annotated[Path, typer.Argument(help="What `evals.router_outcomes` wrote.")],
    seeds: Annotated[int, typer.Option(help="Holdout instances of each task.")] = 20,
    out: Path | None = None,
) -> None:
    """Try every instance both ways, and compare."""
    lines = [json.loads(line) for line in skills.read_text(encoding="utf-8").splitlines()]
    known = [Skill.model_validate(line["skill"]) for line in lines if "skill" in line]
    library = Library(skills={skill.name: skill for skill in known})
    worlds = sorted({skill.domain for skill in known})
    held = [task for one in worlds for task in load_suite(one).tasks(Split.HOLDOUT, seeds, first=_FIRST)]
    scores: list[dict[tuple[str, int], float]] = []
    for on in (False, True):
        with TemporaryDirectory() as folder:
            settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
            options = Options(replanning=on)
            with open_agent(settings, options=options, llm=Wordless(), store=MemoryStore(library)) as agent:
                tried = {(task.name, task.seed): float(solved(agent, task, library)) for task in held}
        scores.append(tried)
        note(f"replanning={on}: {sum(tried.values()):.0f} of {len(held)}")
    found = compare(*scores)
    note(str(found))
    if out is not None:
        report = {"skills": len(known), "instances": len(held), **found.model_dump(mode="json")}
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
