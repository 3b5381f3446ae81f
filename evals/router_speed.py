"""How long routing takes with 10 to 100,000 skills, beside plain Chroma and exact numpy in the same run.

    python -m evals.router_speed --out evals/results/router-speed.json

Texts are what botocore says of its operations, over and over with another word at the end beyond 10,000; every tenth
skill has a program with two forms of goals. Vectors are synthetic, drawn from a text's digest, so that building
measures the index and not the embedder; what that takes for a goal and for a skill is measured apart, on real texts.
All times are the processor's, on all threads, so that what else the machine does counts little.
Chroma holds the same vectors in memory, with its defaults, and is asked for ten; its recall is that of drawn vectors,
which have no neighbourhoods; that of real ones, descriptions and goals that are embedded, is measured apart. The router
looks at every skill here, as its vectors have no index; what one is worth to it: `evals.router_index`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from evals.router_data import distractors, load
from skillagent.build import embedder
from skillagent.config import load as load_settings
from skillagent.library import Library
from skillagent.ports import Vectors
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.route import route
from skillagent.schema import Plan, PutSkill, Skill

_WIDTH = 384


class Drawn:
    """Unit vectors that the digests of texts draw, in place of an embedder."""

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, shape (len(texts), 384)."""
        rows = np.empty((len(texts), _WIDTH), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            row[:] = np.random.default_rng(seed).standard_normal(_WIDTH, dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def skills(count: int, texts: Sequence[Skill]) -> dict[str, Skill]:
    """Return so many skills, every tenth with a program."""
    made = {}
    for n in range(count):
        text, turn = texts[n % len(texts)], n // len(texts)
        name = f"{text.name[:50]}-{n}"
        words = " ".join(text.description.split()[:6]).replace("{", "").replace("}", "")
        forms = f'goals: ["{words.replace(chr(34), "")} {{x}} for {{y}} w{n}", "do w{n} with {{z}}"]\nsteps: [done]'
        made[name] = Skill(
            name=name,
            description=text.description,
            body=f"{text.body} w{turn}" if turn else text.body,
            goals=(text.description,) if n % 2 else (),
            files={FILE: forms} if n % 10 == 0 else {},
        )
    return made


def spread(times: Sequence[float]) -> dict[str, float]:
    """Return p50 and p99 in milliseconds of processor time."""
    return {f"p{p}_ms": round(float(np.percentile(times, p)) * 1e3, 3) for p in (50, 99)}


def timed(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Return the processor seconds that each call took, on all threads."""
    times = []
    for call in calls:
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return times


def measured(count: int, texts: Sequence[Skill], goals: Sequence[str], chroma: bool) -> dict[str, object]:
    """Return what a library of so many skills takes."""
    cache, before = Drawn(), _megabytes()
    library = Library(skills=skills(count, texts))
    there = _megabytes()
    catalogue = Catalogue(cache)
    began = time.process_time()
    cache.vectors([skill.body for skill in library.skills.values()])
    drawing = time.process_time() - began
    began = time.process_time()
    catalogue.of(library)
    found: dict[str, object] = {
        "build_s": round(time.process_time() - began, 2),
        "of_which_drawing_vectors_s": round(drawing, 2),
        "library_mb": round(there - before),
        "index_mb": round(_megabytes() - there),
    }
    plans = [Plan(goal=goal) for goal in goals]
    parts = {
        "route": [lambda p=plan: route(p, library, catalogue=catalogue) for plan in plans],
        "words": [lambda g=goal: catalogue.skills._words.shares(g) for goal in goals],
        "forms": [lambda g=goal: catalogue.skills.fitting(g) for goal in goals],
    }
    for name, calls in parts.items():
        found[name] = spread(timed(calls))
    rows = cache.vectors([f"{n}" for n in range(count)])
    queries = cache.vectors(goals)
    exact = [lambda q=query: np.argpartition(-(rows @ q), 9)[:10] for query in queries]
    found["exact numpy, one matrix, top 10"] = spread(timed(exact))
    found["add one"] = added(library, catalogue, texts)
    if chroma:
        found["chroma"] = in_chroma(rows, queries)
    return found


def added(library: Library, catalogue: Catalogue, texts: Sequence[Skill], times: int = 20) -> dict[str, object]:
    """Return what one more skill takes: a new library value, and the catalogue brought up to date with it."""
    making, holding = [], []
    for n in range(times):
        one = PutSkill(skill=texts[n].model_copy(update={"name": f"new-{n}"}))
        began = time.process_time()
        library = library.with_change(one)
        made = time.process_time()
        catalogue.of(library)
        making.append(made - began)
        holding.append(time.process_time() - made)
    return {"library": spread(making), "catalogue": spread(holding)}


def in_chroma(rows: Vectors, queries: Vectors) -> dict[str, object]:
    """Return what plain Chroma takes to hold the rows and to find ten, and how many of these are of the nearest ten."""
    import chromadb

    client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
    held = client.create_collection(
        f"c{len(rows)}", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
    began = time.process_time()
    for at in range(0, len(rows), 1000):
        held.add(ids=[str(n) for n in range(at, min(at + 1000, len(rows)))], embeddings=rows[at : at + 1000])
    built = time.process_time() - began
    asked = [lambda q=query: held.query(query_embeddings=q[np.newaxis], n_results=10) for query in queries]
    found: dict[str, object] = {"build_s": round(built, 1), **spread(timed(asked))}
    near = [rows @ query for query in queries]
    told = [like[[int(key) for key in call()["ids"][0]]] for call, like in zip(asked, near, strict=True)]
    tenth = [np.partition(like, -10)[-10] - 1e-6 for like in near]  # equal texts are equally near
    found["recall@10"] = round(float(np.mean([(a >= b).mean() for a, b in zip(told, tenth, strict=True)])), 4)
    client.delete_collection(f"c{len(rows)}")
    return found


def _megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> int:
    """Measure each size and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", default="10,1000,10000,100000")
    parser.add_argument("--goals", type=int, default=200)
    parser.add_argument("--chroma-most", type=int, default=100_000)
    parser.add_argument("--texts", type=int, default=10_000, help="descriptions to embed for Chroma's recall")
    wanted = parser.parse_args()
    texts = distractors(10_000)
    goals = list(dict.fromkeys(goal.text for goal in load()[1]))[:: max(1, 1000 // wanted.goals)][: wanted.goals]
    real = embedder(load_settings())
    real.embed(["load"])
    report: dict[str, object] = {
        "embed a goal": spread(timed([lambda g=goal: real.embed([g]) for goal in goals])),
        "embed a skill": spread(timed([lambda s=skill: real.embed([s.body]) for skill in texts[:50]])),
    }
    print(report, flush=True)
    if wanted.texts:
        rows, queries = (real.embed(of) for of in ([skill.description for skill in texts[: wanted.texts]], goals))
        report[f"chroma, {len(rows)} real texts"] = in_chroma(rows, queries)
    for size in (int(one) for one in wanted.sizes.split(",")):
        report[f"{size} skills"] = measured(size, texts, goals, chroma=size <= wanted.chroma_most)
        print(size, json.dumps(report[f"{size} skills"]), flush=True)
    if wanted.out:
        wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
