"""Whether the router learns from what it sees which of several programs works, in worlds where the words cannot tell.

    python -m evals.router_learns evals/data/router-outcomes.jsonl --out evals/results/router-learns.json

No model. The library is the skills that `evals.router_outcomes` wrote: several for every task, which know the same
goals. Practice goes round by round, one practice instance of every task in each, by the programs alone; what is seen
goes into the ledger, and from there into the router. After some rounds the same holdout instances are tried, with what
was learnt and without. Instances are none on which the skills were made or their outcomes written.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from evals.program_reach import ALONE, Wordless
from skillagent import load, open_agent
from skillagent.cli.output import note
from skillagent.evaluation.suites import load_suite
from skillagent.library import Library
from skillagent.loop import Agent, attempt, record
from skillagent.schema import Skill, Split, Task
from skillagent.testing import MemoryStore

_FIRST = 300  # of a split's seeds


def tried(agent: Agent, tasks: list[Task], library: Library) -> list[float]:
    """Return for each task whether the programs do it by themselves."""
    return [float(attempt(agent, task, library, ALONE).verdict.success is True) for task in tasks]


def main(
    skills: Annotated[Path, typer.Argument(help="What `evals.router_outcomes` wrote.")],
    rounds: Annotated[str, typer.Option(help="After how many rounds of practice it is measured.")] = "1,2,4,8,16",
    seeds: Annotated[int, typer.Option(help="Holdout instances of each task.")] = 10,
    out: Path | None = None,
) -> None:
    """Practise, measure after some rounds, and write the table."""
    lines = [json.loads(line) for line in skills.read_text(encoding="utf-8").splitlines()]
    known = [Skill.model_validate(line["skill"]) for line in lines if "skill" in line]
    library = Library(skills={skill.name: skill for skill in known})
    tasks = [one for env in {s.domain for s in known} for one in load_suite(env).tasks(Split.PRACTICE, 1)]
    held = [
        task.model_copy(update={"seed": Split.HOLDOUT.first_seed + _FIRST + n}) for task in tasks for n in range(seeds)
    ]
    report: dict[str, object] = {"skills": len(known), "tasks": len(tasks), "instances": len(held)}
    with TemporaryDirectory() as folder:
        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=MemoryStore(library)) as agent:
            blind = replace(agent, route=partial(agent.route, outcomes=None))
            before = np.array(tried(blind, held, library))
            report["without"] = round(float(before.mean()), 3)
            note(f"without: {before.mean():.1%} of {len(held)}")
            done, stops = 0, [int(one) for one in rounds.split(",")]
            for stop in stops:
                for n in range(done, stop):
                    for task in tasks:
                        one = task.model_copy(update={"seed": Split.PRACTICE.first_seed + _FIRST + n})
                        record(agent, attempt(agent, one, library, ALONE))
                done = stop
                now = np.array(tried(agent, held, library))
                lift = (now - before).reshape(len(tasks), seeds).mean(axis=1)
                drawn = np.random.default_rng(0).choice(lift, (2000, len(lift))).mean(axis=1)
                ends = [round(float(end), 3) for end in np.quantile(drawn, [0.025, 0.975])]
                won, lost = int((now > before).sum()), int((now < before).sum())
                row = {"with": round(float(now.mean()), 3), "lift": ends, "won": won, "lost": lost}
                report[f"after {stop}"] = row
                note(f"after {stop} rounds: {now.mean():.1%}, {won} won, {lost} lost, {ends} over tasks")
                if out is not None:
                    out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
