"""A library learnt without a model: each task of a suite is shown by its scripted solution, and the gate decides.

    python -m evals.shown tabletop --out tablib --demos 3
    skillagent eval tabletop-long --arms none,frozen --library tablib

It is `skillagent learn SUITE --demos DIR` with a model that says nothing: skills get plain names, and where no program
goes on, an episode is given up. So the gate compares what programs do with nothing.
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
    tasks: Annotated[str | None, typer.Option(help="Only these of the suite.")] = None,
) -> None:
    """Show the tasks of a suite, and learn them."""
    with TemporaryDirectory() as shown:
        show(suite, Path(shown), demos)
        settings = partial(load, skills=out / "skills", memory=out / "memory_store")
        asked = ["learn", suite, "--demos", shown, "--seeds", "1", "--retries", "0", "--model", "none"]
        asked += ["--tasks", tasks] if tasks else []
        raise typer.Exit(skillagent(asked, parts=replace(Parts(), settings=settings, agent=silent)))


if __name__ == "__main__":
    typer.run(main)
