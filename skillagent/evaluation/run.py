"""Run: every task of a suite once per arm, interleaved, one appended row an episode.

A run that is started again in the same folder goes on with the episodes that have no row yet, or only a void one, so a
kill costs at most the episodes in flight. Nothing is learnt here but by an arm that learns, in a library of its own in
the run's folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from skillagent.errors import ConfigError
from skillagent.evaluation.arms import Arm, base_of
from skillagent.evaluation.engine import Engine, Job, Opener, play
from skillagent.evaluation.rows import Row, append, drop_torn, read_rows
from skillagent.evaluation.summary import commit
from skillagent.llm.meter import Budget
from skillagent.schema import Json, Task, Usage

Key = tuple[str, str, int]  # arm, task id and seed


def evaluate(
    opener: Opener,
    tasks: Sequence[Task],
    arms: Sequence[Arm],
    folder: Path,
    *,
    engine: Engine = "process",
    workers: int = 1,
    budget: Budget | None = None,
    keeping: bool = False,
    watch: Callable[[Row, int, int], None] = lambda row, done, total: None,
) -> list[Row]:
    """Return one row per task, seed and arm; those already in the folder are not played again.

    Args:
        opener: Opens the agent of an arm; it must be picklable for more than one worker.
        tasks: In this order; the arms of one task follow each other.
        arms: Each with its library.
        folder: Is made; `rows.jsonl` in it grows by one line an episode.
        engine: Where the workers are.
        workers: How many episodes are played at once.
        budget: Of all rows in the folder together; looked at after each episode.
        keeping: Keep whole episodes below the folder, with a picture of every state.
        watch: Called with each new row, how many rows there are and how many there will be.

    Raises:
        BudgetSpent: The rows that there are have used it up.
        ConfigError: The folder's rows were made with another library.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "rows.jsonl"
    with alone(folder):
        drop_torn(file)
        rows = {_key(row): row for row in read_rows(file)}
        _hold_to(rows.values(), arms, folder)
        wanted = [(arm.name, task.id, task.seed) for task in tasks for arm in arms]
        jobs, spent, code = list(_jobs(tasks, arms, rows)), cost(rows.values()), commit()
        known, by_name = len(wanted) - len(jobs), {arm.name: arm for arm in arms}
        if budget and jobs:
            budget.check(spent)
        with file.open("a", encoding="utf-8") as stream:
            for row in play(jobs, opener, by_name, folder, engine=engine, workers=workers, keeping=keeping):
                known, spent = known + 1, spent + cost([row])
                row = row.model_copy(update={"code": code})
                if (void := rows.get(_key(row))) is not None:
                    row = row.after(void)
                rows[_key(row)] = row
                append(row, stream)
                watch(row, known, len(wanted))
                if budget and known < len(wanted):
                    budget.check(spent)
    return [rows[key] for key in wanted]


@contextmanager
def alone(folder: Path, lock: str = "run.lock") -> Iterator[None]:
    """Hold a lock in the folder, which must exist; raises ConfigError where another process holds it."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / lock, timeout=0):
            yield
    except Timeout:
        raise ConfigError(f"{folder}: another process plays this run; wait for it, or give another folder") from None


def wanted_rows(folder: Path, tasks: Sequence[Task], arms: Sequence[Arm]) -> list[Row]:
    """Return the rows that there are of these tasks and arms, arm by arm."""
    rows = {_key(row): row for row in read_rows(folder / "rows.jsonl")}
    keys = [(arm.name, task.id, task.seed) for arm in arms for task in tasks]
    return [rows[key] for key in keys if key in rows]


def begin(folder: Path, conditions: Json, *, threads: int | None = None) -> int | None:
    """Keep under which conditions a run was begun, or hold it to them: rows of two models are never mixed.

    A start that came to nothing, say for want of the model, holds it to nothing. What an earlier version did not write
    yet into a part, say of a suite, is passed over.

    Args:
        folder: The run's; is made.
        conditions: What it is held to.
        threads: Those of each embedded model, which are kept as well; it is not held to them.

    Returns:
        The threads that the run was begun with, where it kept them.

    Raises:
        ConfigError: The folder holds a run that was begun otherwise, the message says in what; or another process
            plays it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):  # another process may play its first episode
        file = folder / "run.json"
        if file.is_file() and _came_to_something(folder):
            known = begun(folder)
            if other := [text for key, value in conditions.items() for text in _otherwise(key, known.get(key), value)]:
                raise ConfigError(
                    f"{folder} was begun with {', '.join(other)}; give another folder, or remove this one"
                )
            before = known.get("threads")
            return before if isinstance(before, int) else None
        new = file.with_suffix(".new")
        new.write_text(json.dumps({**conditions, "threads": threads}, indent=1) + "\n", encoding="utf-8")
        new.replace(file)
    return threads


def _came_to_something(folder: Path) -> bool:
    """Return whether a run has a row, or a library of its own."""
    libraries = any(path.is_dir() and path.suffix != ".new" for path in folder.iterdir())
    return libraries or bool(read_rows(folder / "rows.jsonl"))


def _otherwise(name: str, known: JsonValue, value: JsonValue) -> list[str]:
    if isinstance(known, dict) and isinstance(value, dict):
        return [text for key, one in known.items() for text in _otherwise(f"{name}.{key}", one, value.get(key))]
    return [] if known == value else [f"{name} {known!r}"]


def begun(folder: Path) -> Json:
    """Return the conditions under which a run was begun; raises ConfigError where they cannot be read."""
    file = folder / "run.json"
    try:
        conditions: Json = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"no run in {folder}: {file.name}: {error}") from None
    if not isinstance(conditions, dict):
        raise ConfigError(f"{file}: it does not say how the run was begun")
    return conditions


def _key(row: Row) -> Key:
    return row.arm, row.task, row.seed


def _jobs(tasks: Sequence[Task], arms: Sequence[Arm], rows: dict[Key, Row]) -> Iterator[Job]:
    """Yield what is still to be played; an arm that learns practises a task before its first episode."""
    practised = {(arm, task) for arm, task, _ in rows}
    for task in tasks:
        for arm in arms:
            known = rows.get((arm.name, task.id, task.seed))
            if known is None or known.void is not None:  # a void one may go better today
                new = (arm.name, task.id) not in practised
                practised.add((arm.name, task.id))
                yield Job(arm=arm.name, task=task, practise=arm.learning and new)


def _hold_to(rows: Iterable[Row], arms: Sequence[Arm], folder: Path) -> None:
    for arm in arms:
        own = [row.library_digest for row in rows if row.arm == arm.name]
        begun_with = [base_of(folder, arm)] if arm.learning else own
        if other := [digest for digest in begun_with if digest not in (None, arm.library.digest)]:
            raise ConfigError(
                f"{folder}: arm {arm.name!r} was begun with library {other[0]}, this one is {arm.library.digest}; "
                "give another --out folder"
            )


def cost(rows: Iterable[Row]) -> Usage:
    """Return what rows have cost, with what was learnt before them."""
    spent = (
        Usage(
            tokens_in=row.tokens_in + row.learning_tokens,
            tokens_out=row.tokens_out,
            cost_usd=row.cost_usd + row.learning_usd,
            seconds=row.seconds.model,
        )
        for row in rows
    )
    return sum(spent, Usage())
