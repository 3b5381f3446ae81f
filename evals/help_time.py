"""How long `skillagent --help` takes, against a bare typer application with two commands, in pairs in the same run.

    python -m evals.help_time [PAIRS]

Prints one JSON document: medians in seconds, and the median of the pairwise ratios.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = """
import typer
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
@app.command()
def one(name: str) -> None: "Do one thing."
@app.command()
def two(name: str) -> None: "Do another."
app()
"""
OURS = "import sys; from skillagent.cli import main; sys.exit(main(['--help']))"


def seconds(command: list[str]) -> float:
    """Return how long the command takes."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def measure(pairs: int) -> dict[str, float]:
    """Return medians over pairs of runs; the first pair warms the disk and is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        runs = [
            (seconds([sys.executable, str(bare), "--help"]), seconds([sys.executable, "-c", OURS]))
            for _ in range(pairs + 1)
        ][1:]
    return {
        "pairs": pairs,
        "bare_typer_s": round(statistics.median(bare for bare, _ in runs), 4),
        "skillagent_help_s": round(statistics.median(ours for _, ours in runs), 4),
        "ratio": round(statistics.median(ours / bare for bare, ours in runs), 3),
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20)))
