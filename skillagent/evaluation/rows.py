"""Rows: one line an episode, as it lies in `rows.jsonl`. Nothing here runs anything."""

from __future__ import annotations

from pathlib import Path

from skillagent.schema import Attempt, Value


class Seconds(Value):
    """Where an episode's time went, in seconds."""

    model: float = 0.0
    environment: float = 0.0
    learning: float = 0.0


class Row(Value):
    """One episode, as it lies in `rows.jsonl`.

    `success` and `reward` are None where nobody scored it; `void` says why the world could not play it. `code` is the
    commit that played it, with a + where files had been changed.
    """

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
    code: str = ""
    shown: tuple[str, ...] = ()
    errors: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """The task and seed: what pairs two arms."""
        return self.task, self.seed


def as_row(tried: Attempt, arm: str, *, learning: float = 0.0) -> Row:
    """Return the row of one attempt; `learning` is what was spent on practice for it, in seconds."""
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
        seconds=Seconds(model=trajectory.seconds.model, environment=trajectory.seconds.environment, learning=learning),
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
        rows = [Row.model_validate_json(line) for line in whole.split("\n")[:-1]]
    else:
        rows = []
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    return rows
