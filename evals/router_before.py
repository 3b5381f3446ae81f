"""Whether the router still shows in kept runs what it showed when they were played.

    python -m evals.router_before

Looks at every stored episode that was played with a library: what it was shown stands in its row, and the library lies
beside it. Episodes that were solved and are shown something else now are named.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from skillagent.build import embedder
from skillagent.config import load
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.route import route
from skillagent.schema import Plan
from skillagent.store.disk import DiskStore
from skillagent.store.vectors import MemoryVectors

_RUNS = ("miniwob-ax-demos", "miniwob-ax-self", "miniwob-15-programs")


def main() -> int:
    """Compare and print."""
    cache = MemoryVectors(embedder(load()))
    for run in _RUNS:
        folder = Path(__file__).with_name("results") / run
        library, catalogue = DiskStore(folder / "skills", folder / "memory_store").load(), Catalogue(cache)
        counts: Counter[tuple[str, str]] = Counter()
        for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["arm"] == "none" or row["success"] is None:
                continue
            plan = Plan(goal=row["goal"], domain=row["env"])
            now = [one.id for one in route(plan, library, catalogue=catalogue).skills[0]]
            was = [key for key in row["shown"] if key in library.skills]
            solved, said = "solved" if row["success"] else "failed", compared(was, now)
            counts[solved, said] += 1
            if solved == "solved" and said != "the same first":
                print(f"  {row['task']}: {was} before, {now} now: {row['goal'][:70]}")
        print(run, len(library.skills), {" ".join(key): count for key, count in counts.items()})
    return 0


def compared(was: list[str], now: list[str]) -> str:
    """Return in words how two choices differ."""
    if was[:1] == now[:1]:
        return "the same first"
    return "shown now" if not was else "no longer shown" if not now else "another"


if __name__ == "__main__":
    raise SystemExit(main())
