"""What the router learns and forgets when five worlds come one after another, by each way to learn.

    python -m evals.router_stream --out evals/results/router-stream.json

The worlds, skills and goals are those of `evals/router_data`, in several orders; what is measured, and how, is the
product's (`skillagent router stream`). Once, the default alone, with the candidates that the product looks at, those of
the goal's own world; and twice with all worlds' skills as candidates for every goal: with a hundredth of the product's
pull towards turning nothing, where most is learnt and there is most to forget, and with all of it. Needs the extra
`train`.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path

from evals.router_data import FOLDER
from skillagent.build import embedder
from skillagent.config import load as load_settings
from skillagent.evaluation.domains import read
from skillagent.evaluation.forgetting import Streamed, streamed
from skillagent.routing.continual import DEFAULT, NOTHING, WAYS
from skillagent.routing.retune import fit
from skillagent.routing.tune import PULL
from skillagent.store.vectors import ChromaVectors

DATA = [FOLDER / "router-skills.jsonl", FOLDER / "router-goals.jsonl"]


def main() -> int:
    """Run every way in several orders of the worlds, print the tables, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--orders", type=int, default=5)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/skillagent/router")
    wanted = parser.parse_args()
    cache, domains = ChromaVectors(embedder(load_settings()), path=wanted.cache), read(DATA)
    names, report = wanted.ways.split(","), dict[str, object]()
    for title, ways, pull, own in (
        ("the own world's skills", [NOTHING, DEFAULT], PULL, True),
        ("all worlds' skills, a hundredth of the pull", names, PULL / 100, False),
        ("all worlds' skills, the product's pull", names, PULL, False),
    ):
        begun = time.process_time()
        found = streamed(
            domains, cache, names=ways, orders=wanted.orders, own=own, fit=partial(fit, pull=pull), watch=_say
        )
        print(f"\n{title} ({time.process_time() - begun:.0f} processor seconds)\n{_table(found)}\n", flush=True)
        report[title] = found.model_dump(mode="json")
        if wanted.out:
            wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    cache.close()
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _table(found: Streamed) -> str:
    return "\n".join(
        f"{name:14} recall {one.recall} gain {one.gain} forgetting {one.forgetting} "
        f"backward {one.backward_transfer} above {one.above}"
        for name, one in found.ways.items()
    )


if __name__ == "__main__":
    raise SystemExit(main())
