"""A life in blocks without a model: each task is shown by its scripted solution, and learnt and done by programs.

    python -m evals.shown_stream tabletop-goal-stream --out evals/results/tabletop-goal-stream
    skillagent eval lifelong evals/results/tabletop-goal-stream

The stream is that of `skillagent eval stream SUITE --demos DIR`, experts and all, with a model that says nothing:
skills get plain names, and where no program goes on, the episode is given up. Chance does not act, and nothing is tried
warmer. So what one task gives another is what its programs do there, not what a model would make of its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from evals.oracle_demos import main as show
from skillagent import load, open_agent
from skillagent.build import Options
from skillagent.cli import main as skillagent
from skillagent.cli.parts import Parts
from skillagent.config import Settings
from skillagent.loop import Agent, Watch, unwatched
from skillagent.schema import Message, Reply, Role, Usage

_STILL = {"wandering.tries": 0, "wandering.near": 0, "practice.retries": 0}


class Silent:
    """Never says anything in any form."""

    name = "none"

    def reply(self, messages: Sequence[Message], *, role: Role, schema: object = None, **_: object) -> Reply:
        """Return no words."""
        return Reply(text="", data=None, usage=Usage())


def silent(
    settings: Settings, *, watch: Watch | None = None, options: Options | None = None, read_only: bool = False
) -> AbstractContextManager[Agent]:
    """Put an agent together that has no model and tries nothing by chance."""
    still = (options or Options()).changed(_STILL)
    return open_agent(settings, options=still, watch=watch or unwatched, llm=Silent(), read_only=read_only)


def main(
    suite: str,
    out: Annotated[Path, typer.Option(help="The stream's folder; the same command goes on where it stopped.")],
    demos: Annotated[int, typer.Option(help="Practice instances of each task that are shown.")] = 3,
    seeds: Annotated[int | None, typer.Option(help="Holdout instances of each task in a test.")] = None,
    experts: Annotated[bool, typer.Option(help="Then train each task alone.")] = True,
) -> None:
    """Show the tasks of a suite, and live the stream."""
    with TemporaryDirectory() as shown, TemporaryDirectory() as nothing:
        show(suite, Path(shown), demos)
        empty = partial(load, skills=Path(nothing) / "skills", memory=Path(nothing) / "memory")
        asked = ["eval", "stream", suite, "--demos", shown, "--out", str(out), "--model", "none"]
        asked += ["--seeds", str(seeds)] if seeds else []
        asked += [] if experts else ["--no-experts"]
        raise typer.Exit(skillagent(asked, parts=replace(Parts(), settings=empty, agent=silent)))


if __name__ == "__main__":
    typer.run(main)
