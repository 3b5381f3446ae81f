"""What Chroma's index is worth among very many skills, on disk: what it misses, what it saves, and what opening takes.

    python -m evals.router_index --out evals/results/router-index.json

The library: the skills of `evals/router_data`, the short ones of botocore's texts (`router_data.distractors`), and as
many copies of these as it takes, each with a word of its own and a vector of its own: the embedded text's, moved by
chance to a cosine of 0.96. So every vector has near neighbours, as in a library of many alike. Holdout goals are routed
with every skill looked at and with the index, in one process. All times are the processor's, one thread, but `opening`:
seconds on the clock, too, of a process that finds Chroma's folder, and the folder of skills, as the last one left them.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from evals.router_data import distractors, load
from evals.router_speed import Drawn, spread, timed
from skillagent.build import embedder
from skillagent.config import load as load_settings
from skillagent.library import Library
from skillagent.ports import VectorCache, Vectors
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.route import candidates, route
from skillagent.schema import Decided, Decision, Edit, Plan, PutSkill, Skill, Split
from skillagent.store.disk import DiskStore
from skillagent.store.skillfile import dump
from skillagent.store.vectors import ChromaVectors

_LONGEST = 900  # letters of a text that copies are made of: one vector each
_COPY = re.compile(r" copy\d+")
_MOVED = 0.3  # of a unit, in a direction of its own: a cosine of 0.96
T = TypeVar("T")


class Copies:
    """An embedder of texts and copies of them: a copy's vector is its text's, moved by chance."""

    name = "copies"

    def __init__(self, known: VectorCache) -> None:
        self._known, self._drawn = known, Drawn()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows."""
        rows = np.array(self._known.vectors([_COPY.sub("", text) for text in texts]))
        moved = [n for n, text in enumerate(texts) if _COPY.search(text)]
        if moved:
            rows[moved] += _MOVED * self._drawn.vectors([texts[n] for n in moved])
        found: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return found


def skills(count: int) -> list[Skill]:
    """Return so many skills: those that goals are for, unrelated ones, and copies of these."""
    known = load()[0]
    short = [one for one in distractors(10_000) if len(one.name + one.description + one.body) <= _LONGEST]
    found, turn = [*known, *short], 0
    while len(found) < count:
        turn += 1
        copies = (
            one.model_copy(update={"name": f"{one.name[:50].strip('-')}-copy{turn}", "body": f"{one.body} copy{turn}"})
            for one in short
        )
        found += [one.model_copy(update={"description": f"{one.description} copy{turn}"}) for one in copies]
    return list({one.name: one for one in found}.values())[:count]


def took(call: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """Return what a call returns, and its seconds."""
    processor, clock = time.process_time(), time.monotonic()
    found = call()
    seconds = {"processor_s": time.process_time() - processor, "clock_s": time.monotonic() - clock}
    return found, {name: round(one, 2) for name, one in seconds.items()}


def one_more(library: Library) -> Decided:
    """Return an accepted edit that adds a skill."""
    skill = next(iter(library.skills.values())).model_copy(update={"name": "one-more", "body": "One more, by itself."})
    return Decided(decision=Decision(edit=Edit(changes=(PutSkill(skill=skill),), why=""), accepted=True, reason=""))


def measured(count: int, known: VectorCache, folder: Path) -> dict[str, object]:
    """Return what a library of so many skills takes and what the index misses; the folder is written to."""
    library = Library(skills={one.name: one for one in skills(count)})
    goals = [goal for goal in load()[1] if goal.split == Split.HOLDOUT]
    plans = [Plan(goal=goal.text) for goal in goals]
    for skill in library.skills.values():
        (folder / "skills" / skill.name).mkdir(parents=True)
        (folder / "skills" / skill.name / "SKILL.md").write_text(dump(skill), encoding="utf-8")

    def opened(exact: int, cache: VectorCache) -> Catalogue:
        return Catalogue(cache, exact=exact).of(library)

    store = DiskStore(folder / "skills", folder / "memory")
    library, reading = took(store.load)
    first = ChromaVectors(Copies(known), path=folder / "vectors")
    _, filling = took(lambda: opened(count, first))
    first.close()
    cache = ChromaVectors(Copies(known), path=folder / "vectors")
    every, opening = took(lambda: opened(count, cache))
    few = opened(0, cache)
    _, owners = took(lambda: route(plans[0], library, catalogue=few))
    cache.vectors([goal.text for goal in goals])
    ways = {"every skill": every, "by the index": few}
    found: dict[str, object] = {
        "vectors": len(cache._table),
        "filling Chroma, first of all": filling,
        "opening: the skills' folder": reading,
        "opening: the catalogue": opening,
        "opening: whose texts the index knows": owners,
    }
    for name, catalogue in ways.items():
        calls = [lambda p=plan, c=catalogue: route(p, library, catalogue=c) for plan in plans]
        found[f"route, {name}"] = spread(timed(calls))
    told = {name: [candidates(goal.text, "", own.skills).words for goal in goals] for name, own in ways.items()}
    names = {name: [[one.one.id for one in words] for words in of] for name, of in told.items()}
    for name, of in names.items():
        right = [goal.skill == ranked[0] for goal, ranked in zip(goals, of, strict=True)]
        found[f"recall@1, {name}"] = round(float(np.mean(right)), 4)
    pairs = list(zip(*names.values(), strict=True))
    found["the same first"] = round(float(np.mean([a[0] == b[0] for a, b in pairs])), 4)
    found["of the first twenty"] = round(float(np.mean([len(set(a) & set(b)) / len(a) for a, b in pairs])), 4)
    found["looked at"] = round(float(np.mean([len(few.skills.likeness(goal.text).numbers) for goal in goals])))
    library, committed = took(lambda: store.commit(one_more(library)))
    found["one more skill: committed to the folder"] = committed
    found["one more skill: the catalogue"] = took(lambda: every.of(library))[1]
    near = [lambda q=query: cache.near(q, 200) for query in cache.vectors([goal.text for goal in goals])]
    found["of it Chroma, two hundred"] = spread(timed(near))
    cache.close()
    return found


def main() -> int:
    """Measure each size and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/skillagent/router")
    wanted = parser.parse_args()
    known = ChromaVectors(embedder(load_settings()), path=wanted.cache)
    report: dict[str, object] = {}
    for size in (int(one) for one in wanted.sizes.split(",")):
        with TemporaryDirectory() as folder:
            report[f"{size} skills"] = measured(size, known, Path(folder))
        print(size, json.dumps(report[f"{size} skills"]), flush=True)
        if wanted.out:
            wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    known.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
