"""Rows: one line an episode, as it lies in `rows.jsonl`, and the whole episode where it is kept. Nothing runs here."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TextIO

from skillagent.errors import ConfigError
from skillagent.evaluation.asked import asked
from skillagent.learning.attribute import blame
from skillagent.library import Library
from skillagent.schema import Attempt, Task, Usage, Value

_COSTS = (
    *("model_calls", "tokens_in", "tokens_cached", "tokens_out", "cost_usd", "learning_tokens", "learning_usd"),
    *("drafted", "agreed", "draft_seconds", "draft_usd", "deferred_seconds", "deferred_usd"),
)


class Seconds(Value):
    """Where an episode's time went, in seconds."""

    model: float = 0.0
    environment: float = 0.0
    learning: float = 0.0


class Row(Value):
    """One episode, as it lies in `rows.jsonl`.

    `success` and `reward` are None where nobody scored it; `void` says why the world could not play it. `code` is the
    commit that played it, with a + where files had been changed. `why` is the judge's reason, `blame` what a failure is
    put down to, and `episode` the file that the whole trajectory is kept in, if it is, relative to the run's folder.
    Calls, tokens, money and seconds are those of void tries before it as well; steps are those of the last try alone.
    `drafted` are turns that a student drafted, `agreed` those in which that was enough. `recalls` are questions to
    memory, `recalled` those with an answer, and `recalled_right` those whose answer was about the right thing.
    """

    v: Literal[1] = 1
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
    learning_tokens: int = 0
    learning_usd: float = 0.0
    drafted: int = 0
    agreed: int = 0
    draft_seconds: float = 0.0
    draft_usd: float = 0.0
    deferred_seconds: float = 0.0
    deferred_usd: float = 0.0
    recalls: int = 0
    recalled: int = 0
    recalled_right: int = 0
    code: str = ""
    shown: tuple[str, ...] = ()
    errors: int = 0
    goal: str = ""
    why: str = ""
    blame: str = ""
    episode: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """The task and seed: what pairs two arms."""
        return self.task, self.seed

    def after(self, void: Row) -> Row:
        """Return the row with what a try before it, which the world could not play, has cost as well."""
        costs: dict[str, object] = {name: getattr(self, name) + getattr(void, name) for name in _COSTS}
        names = Seconds.model_fields
        costs["seconds"] = Seconds(**{one: getattr(self.seconds, one) + getattr(void.seconds, one) for one in names})
        return self.model_copy(update=costs)


class Practised(Value):
    """What it cost to practise a task: a line of an arm's `practised.jsonl`, there once the practice is over."""

    task: str
    usage: Usage
    seconds: float


def as_row(
    tried: Attempt, arm: str, *, memory: Library | None = None, learnt: Practised | None = None, episode: str = ""
) -> Row:
    """Return the row of one attempt, with what the practice before it has cost; `memory` is what could be asked."""
    questions = asked(tried.trajectory, memory or Library())
    trajectory, usage = tried.trajectory, tried.trajectory.usage
    learning, took = (learnt.usage, learnt.seconds) if learnt else (Usage(), 0.0)
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
        seconds=Seconds(model=trajectory.seconds.model, environment=trajectory.seconds.environment, learning=took),
        model_free_steps=trajectory.model_free_steps,
        void=trajectory.void,
        library_digest=tried.library,
        learning_tokens=learning.tokens_in + learning.tokens_out,
        learning_usd=learning.cost_usd,
        drafted=usage.drafted,
        agreed=usage.agreed,
        draft_seconds=usage.draft_seconds,
        draft_usd=usage.draft_usd,
        deferred_seconds=usage.deferred_seconds,
        deferred_usd=usage.deferred_usd,
        recalls=questions.recalls,
        recalled=questions.recalled,
        recalled_right=questions.right,
        shown=tried.chosen,
        errors=sum(step.error is not None for step in trajectory.steps),
        goal=trajectory.goal,
        why=trajectory.void or tried.verdict.reason,
        blame=_blame(tried),
        episode=episode,
    )


def _blame(tried: Attempt) -> str:
    what = blame(tried)
    return f"{what}, cut off" if what and tried.trajectory.truncated else what


def read_rows(file: Path) -> list[Row]:
    """Read the rows of a run, the last one of each episode; a line that is still being written is left out.

    Raises:
        ConfigError: A line is no row; the message names it.
    """
    if not file.is_file():
        return []
    rows: dict[tuple[str, str, int], Row] = {}
    for number, line in enumerate(file.read_bytes().split(b"\n")[:-1], start=1):
        try:
            row = Row.model_validate_json(line)
        except ValueError as error:
            what = str(error).splitlines()[-2:][0].strip() if "\n" in str(error) else str(error)
            raise ConfigError(f"{file}, line {number}: no row: {what}") from None
        rows[row.arm, row.task, row.seed] = row
    return list(rows.values())


def drop_torn(file: Path) -> None:
    """Cut off a last line that a kill left half written. Only the one who writes may do this."""
    if file.is_file():
        whole = file.read_bytes().rfind(b"\n") + 1
        os.truncate(file, whole)


def forget(file: Path, stale: Callable[[Row], bool]) -> int:
    """Take rows out of a run that is to be measured anew, and return how many. Only the one who writes may do this."""
    rows = read_rows(file)
    kept = [row for row in rows if not stale(row)]
    if len(kept) < len(rows):
        new = file.with_suffix(".new")
        new.write_text("".join(row.model_dump_json() + "\n" for row in kept), encoding="utf-8")
        new.replace(file)
    return len(rows) - len(kept)


def read_practised(file: Path) -> dict[str, Practised]:
    """Return what an arm has practised to the end, by task."""
    lines = file.read_bytes().split(b"\n")[:-1] if file.is_file() else []
    return {one.task: one for one in map(Practised.model_validate_json, lines)}


def note_practised(one: Practised, file: Path) -> None:
    """The practice is on the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    drop_torn(file)
    with file.open("a", encoding="utf-8") as stream:
        append(one, stream)


def append(line: Value, stream: TextIO) -> None:
    """The line is on the disk."""
    stream.write(line.model_dump_json() + "\n")
    stream.flush()
    os.fsync(stream.fileno())


class Kept(Value):
    """A whole episode: what was tried, and the pictures of every state, as files beside this one."""

    v: int = 1
    attempt: Attempt
    pictures: tuple[str, ...] = ()


def kept_at(task: Task, arm: str, folder: Path) -> Path:
    """Return the file that an arm's episode at a task is kept in, below a run's folder."""
    return folder / "episodes" / arm / f"{task.id.replace('/', '--')}@{task.seed}.json"


def keep(tried: Attempt, arm: str, pictures: Sequence[bytes], folder: Path) -> str:
    """Write an episode below the run's folder, and return its file relative to that."""
    file = kept_at(tried.trajectory.task, arm, folder)
    file.parent.mkdir(parents=True, exist_ok=True)
    names = [f"{file.stem}-{number:02d}.png" for number in range(len(pictures))]
    for name, picture in zip(names, pictures, strict=True):
        (file.parent / name).write_bytes(picture)
    file.write_text(Kept(attempt=tried, pictures=tuple(names)).model_dump_json(indent=1) + "\n", encoding="utf-8")
    return file.relative_to(folder).as_posix()


def read_kept(file: Path) -> Kept:
    """Read an episode that was kept; raises ConfigError where the file holds none."""
    try:
        return Kept.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"no episode in {file}: {str(error).splitlines()[0]}") from None
