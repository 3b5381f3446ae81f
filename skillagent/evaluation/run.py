"""Run: every task of a suite once per arm, interleaved, one appended row an episode.

An arm is a library that the agent may use but not change. A run that is started again in the same folder goes on with
the episodes that have no row yet, so a kill costs at most the episode in flight. Nothing here learns.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import Field

from skillagent.errors import ConfigError
from skillagent.evaluation.statistics import Comparison, Rate, compare, rate
from skillagent.library import Library
from skillagent.loop import Agent, attempt
from skillagent.schema import Attempt, Json, Task, Value

VOID_RETRIES = 1


class Seconds(Value):
    """Where an episode's time went, in seconds."""

    model: float = 0.0
    environment: float = 0.0
    learning: float = 0.0


class Row(Value):
    """One episode, as it lies in `rows.jsonl`. `success` and `reward` are None where nobody scored it."""

    v: int = 1
    task: str
    env: str
    seed: int
    split: str
    arm: str
    success: bool | None
    reward: float | None
    steps: int
    model_calls: int
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_usd: float
    seconds: Seconds
    model_free_steps: int
    void: str | None
    library_digest: str
    shown: tuple[str, ...] = ()
    errors: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """The task and seed: what pairs two arms."""
        return self.task, self.seed


class ArmSummary(Value):
    """One arm over all of its episodes; `scored` of them say something, and all means are over those."""

    episodes: int
    scored: int
    void: int
    success: float
    interval: tuple[float, float]
    tokens: int
    tokens_per_success: float | None
    seconds: float
    seconds_per_success: float | None
    model_free_share: float
    cost_usd: float


class Summary(Value):
    """A run's `summary.json`."""

    v: int = 1
    suite: str
    command: str
    provenance: Json
    arms: Mapping[str, ArmSummary]
    paired: Mapping[str, Comparison] = Field(default_factory=dict)


def evaluate(
    agent: Agent,
    tasks: Sequence[Task],
    arms: Mapping[str, Library],
    folder: Path,
    *,
    watch: Callable[[Row, int, int], None] = lambda row, done, total: None,
) -> list[Row]:
    """Return one row per task, seed and arm; those already in the folder are not run again.

    Args:
        agent: Its library is not used; each arm brings its own.
        tasks: In this order; the arms of one task follow each other.
        arms: Name to library.
        folder: Is made; `rows.jsonl` in it grows by one line an episode.
        watch: Called with each new row, how many rows there are and how many there will be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "rows.jsonl"
    rows = {(row.arm, *row.key): row for row in read_rows(file)}
    wanted = [(name, task) for task in tasks for name in arms]
    for name, task in wanted:
        known = rows.get((name, task.id, task.seed))
        if known is not None and known.library_digest != arms[name].digest:
            raise ConfigError(
                f"{folder}: arm {name!r} was begun with library {known.library_digest}, this one is "
                f"{arms[name].digest}; give another --out folder"
            )
    with file.open("a", encoding="utf-8") as stream:
        for name, task in wanted:
            if (name, task.id, task.seed) in rows:
                continue
            row = as_row(_unvoided(agent, task, arms[name]), name)
            rows[(name, *row.key)] = row
            stream.write(row.model_dump_json() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
            watch(row, sum(key in rows for key in _keys(wanted)), len(wanted))
    return [rows[key] for key in _keys(wanted)]


def begin(folder: Path, conditions: Json) -> None:
    """Keep under which conditions a run was begun, or hold it to them: rows of two models are never mixed.

    Raises:
        ConfigError: The folder holds a run that was begun otherwise; the message says in what.
    """
    file = folder / "run.json"
    if file.is_file():
        begun = json.loads(file.read_text(encoding="utf-8"))
        if other := [f"{key} {begun.get(key)!r}" for key, value in conditions.items() if begun.get(key) != value]:
            raise ConfigError(f"{folder} was begun with {', '.join(other)}; give another folder, or remove this one")
        return
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(conditions, indent=1) + "\n", encoding="utf-8")


def wanted_rows(folder: Path, tasks: Sequence[Task], arms: Mapping[str, Library]) -> list[Row]:
    """Return the rows that there are of these tasks and arms, arm by arm."""
    rows = {(row.arm, *row.key): row for row in read_rows(folder / "rows.jsonl")}
    keys = [(name, task.id, task.seed) for name in arms for task in tasks]
    return [rows[key] for key in keys if key in rows]


def _keys(wanted: Sequence[tuple[str, Task]]) -> Iterator[tuple[str, str, int]]:
    return ((name, task.id, task.seed) for name, task in wanted)


def _unvoided(agent: Agent, task: Task, library: Library) -> Attempt:
    tried = attempt(agent, task, library)
    for _ in range(VOID_RETRIES):
        if tried.trajectory.void is None:
            break
        tried = attempt(agent, task, library)
    return tried


def as_row(tried: Attempt, arm: str) -> Row:
    """Return the row of one attempt."""
    trajectory, usage = tried.trajectory, tried.trajectory.usage
    return Row(
        task=trajectory.task.id,
        env=trajectory.task.env,
        seed=trajectory.task.seed,
        split=trajectory.task.split,
        arm=arm,
        success=tried.verdict.success,
        reward=tried.verdict.score,
        steps=len(trajectory.steps),
        model_calls=usage.calls,
        tokens_in=usage.tokens_in,
        tokens_cached=usage.tokens_cached,
        tokens_out=usage.tokens_out,
        cost_usd=usage.cost_usd,
        seconds=Seconds(model=trajectory.seconds.model, environment=trajectory.seconds.environment),
        model_free_steps=trajectory.model_free_steps,
        void=trajectory.void,
        library_digest=tried.library,
        shown=tried.route.ids if tried.route else (),
        errors=sum(step.error is not None for step in trajectory.steps),
    )


def read_rows(file: Path) -> list[Row]:
    """Read the rows of a run; a line that a crash cut off at the end is dropped from the file."""
    if not file.is_file():
        return []
    text = file.read_text(encoding="utf-8")
    if whole := text[: text.rfind("\n") + 1]:
        rows = [Row.model_validate_json(line) for line in whole.splitlines()]
    else:
        rows = []
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    return rows


def summarise(rows: Sequence[Row], *, suite: str, command: Sequence[str], provenance: Json) -> Summary:
    """Return each arm's figures, and every later arm paired against the first ones."""
    names = list(dict.fromkeys(row.arm for row in rows))
    by_arm = {name: [row for row in rows if row.arm == name] for name in names}
    scores = {name: {row.key: _as_score(row.success) for row in by_arm[name]} for name in names}
    paired = {
        f"{late}-{early}": compare(scores[early], scores[late])
        for i, early in enumerate(names)
        for late in names[i + 1 :]
    }
    return Summary(
        suite=suite,
        command=shlex.join(command),
        provenance=provenance,
        arms={name: _arm(by_arm[name]) for name in names},
        paired=paired,
    )


def _as_score(success: bool | None) -> float | None:
    return None if success is None else float(success)


def _arm(rows: Sequence[Row]) -> ArmSummary:
    scored = [row for row in rows if row.success is not None]
    solved: Rate = rate(sum(bool(row.success) for row in scored), len(scored))
    successes = sum(bool(row.success) for row in scored)
    tokens = sum(row.tokens_in + row.tokens_out for row in scored)
    seconds = sum(row.seconds.model + row.seconds.environment for row in scored)
    return ArmSummary(
        episodes=len(rows),
        scored=len(scored),
        void=sum(row.void is not None for row in rows),
        success=solved.value,
        interval=(solved.low, solved.high),
        tokens=tokens,
        tokens_per_success=tokens / successes if successes else None,
        seconds=seconds,
        seconds_per_success=seconds / successes if successes else None,
        model_free_share=sum(0 < row.steps == row.model_free_steps for row in scored) / max(1, len(scored)),
        cost_usd=sum(row.cost_usd for row in rows),
    )


def write_summary(summary: Summary, folder: Path) -> Path:
    """Write `summary.json` into the run's folder and return its path."""
    path = folder / "summary.json"
    path.write_text(summary.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return path


def provenance(model: str, libraries: Mapping[str, Library]) -> Json:
    """Return what is needed to repeat a run: code, packages, model, libraries and machine."""
    packages: Json = {}
    for name in ("skillagent", "llama-cpp-python", "litellm", "playwright", "miniwob", "chromadb", "onnxruntime"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = None
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": len((_git("status", "--porcelain") or "").splitlines()),
        "packages": packages,
        "model": model,
        "libraries": {name: library.digest for name, library in libraries.items()},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=10)  # noqa: S603, S607
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def as_json(summary: Summary) -> str:
    """Return the summary as one line of JSON."""
    return json.dumps(summary.model_dump(mode="json"))
