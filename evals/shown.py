"""A library learnt without a model: each task of a suite is shown by its scripted solution, and the gate decides.

    python -m evals.shown tabletop --out tablib --demos 3 --test 10 --first 40
    skillagent eval tabletop-long --arms none,frozen --library tablib

With `--test` the library is then measured in the same way on holdout instances (`tablib/test`): what programs do by
themselves. It is `skillagent learn SUITE --demos DIR` with a model that says nothing: skills get plain names, and where
no program goes on, an episode is given up. So the gate compares what programs do with nothing.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from evals.oracle_demos import main as show
from evals.shown_stream import silent
from skillagent import load
from skillagent.cli import main as skillagent
from skillagent.cli.parts import Parts


def main(
    suite: str,
    out: Annotated[Path, typer.Option(help="The folder of the library: skills/ and memory_store/.")],
    demos: Annotated[int, typer.Option(help="Practice instances of each task that are shown.")] = 3,
    test: Annotated[int, typer.Option(help="Holdout instances of each task on which it is then measured.")] = 0,
    first: Annotated[int, typer.Option(help="The first of them.")] = 0,
) -> None:
    """Show the tasks of a suite, learn them, and measure what was learnt; what is learnt already is only measured."""
    parts = replace(Parts(), settings=partial(load, skills=out / "skills", memory=out / "memory_store"), agent=silent)
    code = 0
    if not (out / "skills").exists():
        with TemporaryDirectory() as shown:
            show(suite, Path(shown), demos)
            learning = ["learn", suite, "--demos", shown, "--seeds", "1", "--retries", "0", "--model", "none"]
            code = skillagent(learning, parts=parts)
    if test and not code:
        measuring = ["eval", suite, "--arms", "frozen", "--seeds", str(test), "--first", str(first), "--model", "none"]
        code = skillagent([*measuring, "--out", str(out / "test")], parts=parts)
    raise typer.Exit(code)


if __name__ == "__main__":
    typer.run(main)
