"""How long it takes to train the router with 100, 1,000 and 10,000 skills.

    python -m evals.router_training --out evals/results/router-training.json
    python -m evals.router_training --encoder --out evals/results/router-training-encoder.json
    python -m evals.router_training --fine-tune --sizes 100,1000 --out evals/results/router-training-finetune.json

Everything is synthetic: families of goals in words drawn by chance, two skills for each that say the same, two goals
that were tried with both, and outcomes of which one is likelier by what the skill does. Two of three families have
programs, the third skills in words. Vectors are drawn from texts' digests, so that what is measured is the training and
not the embedder (`evals.router_speed` measures that: about 10 ms for a goal, 20 for a skill, once). It is the command's
own training, all of it: features of every goal, five folds, and the weights that are kept. A fine-tuned model reads the
texts itself, and that is measured. What comes of such data says nothing of real ones. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import torch

from evals.router_speed import Drawn
from skillagent.cli.output import note
from skillagent.config import load
from skillagent.evaluation.ranking import train
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.train import Case, fit
from skillagent.routing.tune import tune
from skillagent.schema import Attempted, Event, Ran, Skill, Task, digest_of
from skillagent.trained import base_of, finetuner

P, T = ParamSpec("P"), TypeVar("T")
_GOALS = 2  # of a family
_LIKELY = 0.8  # how often the better skill does it, and the other one does not
_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


class Named(Drawn):
    """Drawn vectors, with the name that a training keeps."""

    name = "drawn-384"


def goal_of(family: int, n: int) -> str:
    """Return a goal of a family: its own six words, and a value."""
    letters = np.random.default_rng(family).choice(_LETTERS, (6, 7))
    return f'{" ".join("".join(word) for word in letters)} "{n}"'


def pair_of(family: int) -> tuple[Skill, Skill]:
    """Return two skills for a family's goals that say the same; the second one looks before it acts."""
    words = goal_of(family, 0).partition(' "')[0]
    made = []
    for which, steps in (("plain", "[go]"), ("looking", "[go, expect: {shows: there}]")):
        program = f"goals: ['{words} \"{{value}}\"']\nsteps: {steps}\n"
        made.append(
            Skill(
                name=f"{which}-{family}",
                description=words,
                body="1. `go` the thing that the goal names\n",
                goals=(goal_of(family, 0),) if which == "plain" else (goal_of(family, 0), goal_of(family, 99)),
                files={} if family % 3 == 0 else {FILE: program},
            )
        )
    return made[0], made[1]


def tries(family: int, pair: tuple[Skill, Skill], rng: np.random.Generator) -> Iterator[Attempted]:
    """Yield each goal of a family tried with each of its skills."""
    for n in range(_GOALS):
        for skill, likely in zip(pair, (1 - _LIKELY, _LIKELY), strict=True):
            goal, task = goal_of(family, n), Task(env="drawn", name=f"t{family}", seed=n)
            runs, rest = (), {"shown": (skill.name,), "actions": ('{"verb":"go","ref":"thing [1]"}',)}
            if FILE in skill.files:
                runs, rest = (Ran(skill=skill.name, program=digest_of(skill.files[FILE]), goal=goal),), {}
            score = float(rng.random() < likely)
            yield Attempted(attempt="-", task=task, goal=goal, score=score, runs=runs, **rest)


def measured(count: int, *, encoder: bool, model: bool) -> dict[str, object]:
    """Return what training with so many skills takes, of weights, of an encoder or of a model."""
    rng, pairs = np.random.default_rng(0), [pair_of(family) for family in range(count // 2)]
    library = Library(skills={skill.name: skill for pair in pairs for skill in pair})
    entries = [one for family, pair in enumerate(pairs) for one in tries(family, pair, rng)]
    events = [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]
    fitting = 0.0

    def timed(fit: Callable[P, T]) -> Callable[P, T]:
        def fitted(*given: P.args, **rest: P.kwargs) -> T:
            nonlocal fitting
            began = time.process_time()
            found = fit(*given, **rest)
            fitting += time.process_time() - began
            return found

        return fitted

    began, spent = time.perf_counter(), time.process_time()
    ways = {"fit": timed(fit), "tune": timed(tune) if encoder else None}
    ways["finetune"] = timed(finetuner(lambda: base_of(load()), note)) if model else None
    found = train(library, events, Named(), version=1, at="", watch=note, **ways)
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    return {
        "goals": _GOALS * len(pairs),
        "tries": len(events),
        "seconds": round(seconds, 1),
        "processor_s": round(spent, 1),
        "of_which_fitting_s": round(fitting, 1),
        "most_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "accepted": list(found.accepted),
    }


def main() -> int:
    """Measure each size and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--encoder", action="store_true", help="train an encoder in place of weights")
    parser.add_argument("--fine-tune", action="store_true", help="fine-tune MiniLM in place of weights")
    wanted = parser.parse_args()
    fit([Case("-", np.eye(2), np.array([0.0, 1.0]), np.zeros(2), np.zeros(2, bool))], [np.ones(2, bool)])  # loads torch
    report: dict[str, object] = {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "synthetic": True}
    for size in (int(one) for one in wanted.sizes.split(",")):
        report[f"{size} skills"] = measured(size, encoder=wanted.encoder, model=wanted.fine_tune)
        print(size, json.dumps(report[f"{size} skills"]), flush=True)
    if wanted.out:
        wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
