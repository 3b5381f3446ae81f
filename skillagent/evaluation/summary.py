"""Summary: a run in figures, each arm by itself and every two of them paired.

It covers all rows of the run's folder, whichever command played them (`run_rows`). The file is as of the last command
that ended; whoever shows a run counts anew (`counted_anew`).
"""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import Field

from skillagent.errors import ConfigError
from skillagent.evaluation.rows import Row, read_rows
from skillagent.evaluation.statistics import Comparison, Rate, compare, rate
from skillagent.library import Library
from skillagent.llm.catalogue import CATALOGUE
from skillagent.llm.weights import sha256_of
from skillagent.schema import Attempted, Decided, Event, Json, Labelled, Split, Usage, Value


class Drafting(Value):
    """How a student did that drafts actions for a better model.

    `agreement` is the share of turns in which its drafts were taken. From `break_even` on, as a share, drafting costs
    less than asking the better model at every turn: in money where anything cost money, else in seconds; None where
    the better model was never asked.
    """

    turns: int
    agreement: float
    break_even: float | None


class Cost(Value):
    """What a scored episode costs in the mean; seconds are the model's and the world's."""

    tokens: float
    seconds: float
    cost_usd: float


class Remembering(Value):
    """How an arm did with a memory that it may ask.

    `answered` is the share of questions that memory had an answer to, `right` the share of answers that were about the
    right thing; None where there were none. `efficiency` is the mean, over all scored episodes, of the fewest steps
    with which any arm solved that very instance, over this episode's; questions are steps, and a failure counts 0.
    """

    questions: int
    episodes: int
    answered: float
    right: float | None
    efficiency: float


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
    per_episode: Cost | None = None
    drafting: Drafting | None = None
    remembering: Remembering | None = None


class Spent(Value):
    """Tokens and money that went into a library, by what they were for; judging by a world's own check costs none."""

    acting: Usage = Usage()
    judging: Usage = Usage()
    reflecting: Usage = Usage()
    gating: Usage = Usage()

    @property
    def total(self) -> Usage:
        """All of it."""
        return self.acting + self.judging + self.reflecting + self.gating


class Payoff(Value):
    """What an arm's lead over another cost to learn.

    `tokens_per_point` is the price of one percentage point of success. `break_even` is after how many episodes the
    tokens that successes save have paid for it; None where they save none.
    """

    tokens_per_point: float | None
    break_even: float | None


class Summary(Value):
    """A run's `summary.json`."""

    v: int = 1
    suite: str
    command: str
    provenance: Json
    arms: Mapping[str, ArmSummary]
    paired: Mapping[str, Comparison] = Field(default_factory=dict)
    learning: Spent | None = None
    payoff: Mapping[str, Payoff] = Field(default_factory=dict)


def summarise(
    rows: Sequence[Row], *, suite: str, command: Sequence[str], provenance: Json, learning: Spent | None = None
) -> Summary:
    """Return each arm's figures, and every later arm paired against the first ones.

    `learning` is what the library that the arms use has cost. What it pays back is told where an arm that knows more is
    clearly better.
    """
    names = list(dict.fromkeys(row.arm for row in rows))
    by_arm = {name: [row for row in rows if row.arm == name] for name in names}
    scores = {name: {row.key: _as_score(row.success) for row in by_arm[name]} for name in names}
    paired = {
        f"{late}-{early}": compare(scores[early], scores[late])
        for i, early in enumerate(names)
        for late in names[i + 1 :]
    }
    fewest = _fewest(rows)
    arms = {name: _arm(by_arm[name], fewest) for name in names}
    learnt = {name: _learnt(by_arm[name], learning) for name in names}
    return Summary(
        suite=suite,
        command=shlex.join(command),
        provenance={
            **provenance,
            "played_by": sorted({row.code for row in rows}),
            "seeds": sorted({row.seed for row in rows}),
        },
        arms=arms,
        paired=paired,
        learning=learning,
        payoff={
            f"{late}-{early}": _payoff(arms[early], arms[late], extra)
            for i, early in enumerate(names)
            for late in names[i + 1 :]
            if (extra := learnt[late] - learnt[early]) > 0 and paired[f"{late}-{early}"].low > 0
        },
    )


def spent_on(events: Iterable[Event]) -> Spent:
    """Add up what a ledger says that learning has cost: practice is acting."""
    parts = {"acting": Usage(), "reflecting": Usage(), "gating": Usage()}
    for event in events:
        if isinstance(event.entry, Attempted) and event.entry.task.split is Split.PRACTICE:
            parts["acting"] += event.entry.usage
        elif isinstance(event.entry, Labelled):
            parts["reflecting"] += event.entry.usage
        elif isinstance(event.entry, Decided):
            parts["reflecting"] += event.entry.decision.writing
            parts["gating"] += event.entry.decision.usage
    return Spent(**parts)


def _learnt(rows: Sequence[Row], learning: Spent | None) -> int:
    """Return the tokens that were spent on what an arm knows: on the library that it began with, and since."""
    knew = any(row.library_digest != Library().digest for row in rows)
    total = learning.total if learning and knew else Usage()
    return total.tokens_in + total.tokens_out + sum(row.learning_tokens for row in rows)


def _payoff(before: ArmSummary, after: ArmSummary, tokens: int) -> Payoff:
    points = 100 * (after.success - before.success)
    saved = (before.tokens_per_success or 0.0) - (after.tokens_per_success or 0.0)
    pays = saved > 0 and after.tokens_per_success is not None
    return Payoff(
        tokens_per_point=tokens / points if points > 0 else None,
        break_even=tokens / saved / after.success if pays else None,
    )


def across(before: Sequence[Row], a: str, after: Sequence[Row], b: str) -> Comparison:
    """Return arm `b` of one run against arm `a` of another, on the tasks and seeds that both played."""
    scores = [
        {row.key: _as_score(row.success) for row in rows if row.arm == arm} for rows, arm in ((before, a), (after, b))
    ]
    return compare(*scores)


def _as_score(success: bool | None) -> float | None:
    return None if success is None else float(success)


def _arm(rows: Sequence[Row], fewest: Mapping[tuple[str, int], int]) -> ArmSummary:
    scored = [row for row in rows if row.success is not None]
    solved: Rate = rate(sum(bool(row.success) for row in scored), len(scored))
    successes = sum(bool(row.success) for row in scored)
    tokens = sum(row.tokens_in + row.tokens_out for row in scored)
    seconds = sum(row.seconds.model + row.seconds.environment for row in scored)
    cost, count = sum(row.cost_usd for row in scored), max(1, len(scored))
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
        model_free_share=sum(0 < row.steps == row.model_free_steps for row in scored) / count,
        cost_usd=sum(row.cost_usd for row in rows),
        per_episode=Cost(tokens=tokens / count, seconds=seconds / count, cost_usd=cost / count) if scored else None,
        drafting=_drafting(rows),
        remembering=_remembering(rows, fewest),
    )


def _drafting(rows: Sequence[Row]) -> Drafting | None:
    turns, agreed = sum(row.drafted for row in rows), sum(row.agreed for row in rows)
    if not turns:
        return None
    paid = any(row.draft_usd or row.deferred_usd for row in rows)
    drafts = sum(row.draft_usd if paid else row.draft_seconds for row in rows)
    deferred = sum(row.deferred_usd if paid else row.deferred_seconds for row in rows)
    asked = deferred / (turns - agreed) if turns > agreed else 0.0
    return Drafting(turns=turns, agreement=agreed / turns, break_even=drafts / turns / asked if asked > 0 else None)


def _fewest(rows: Iterable[Row]) -> dict[tuple[str, int], int]:
    """Return the fewest steps with which each task and seed was solved, by whichever arm."""
    found: dict[tuple[str, int], int] = {}
    for row in rows:
        if row.success:
            found[row.key] = min(row.steps, found.get(row.key, row.steps))
    return found


def _remembering(rows: Sequence[Row], fewest: Mapping[tuple[str, int], int]) -> Remembering | None:
    questions, answers = sum(row.recalls for row in rows), sum(row.recalled for row in rows)
    if not questions:
        return None
    scored = [row for row in rows if row.success is not None]
    short = sum(max(1, fewest[row.key]) / max(1, row.steps) for row in scored if row.success)
    return Remembering(
        questions=questions,
        episodes=sum(row.recalls > 0 for row in rows),
        answered=answers / questions,
        right=sum(row.recalled_right for row in rows) / answers if answers else None,
        efficiency=short / max(1, len(scored)),
    )


def write_summary(summary: Summary, folder: Path) -> Path:
    """Write `summary.json` into the run's folder and return its path."""
    path, new = folder / "summary.json", folder / "summary.new"
    new.write_text(summary.model_dump_json(indent=1) + "\n", encoding="utf-8")
    new.replace(path)
    return path


def provenance(model: str, libraries: Mapping[str, Library], rows: Sequence[Row] = ()) -> Json:
    """Return what is needed to repeat a run: code, packages, model, libraries and machine.

    Of arms that are in the rows and not among the libraries, the library that they began with.
    """
    begun_with: Json = {row.arm: row.library_digest for row in reversed(rows)}
    packages: Json = {}
    for name in ("skillagent", "llama-cpp-python", "litellm", "playwright", "miniwob", "chromadb", "onnxruntime"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = None
    return {
        "commit": commit(),
        "packages": packages,
        "model": model,
        "model_sha256": model_hash(model),
        "libraries": {**begun_with, **{name: library.digest for name, library in libraries.items()}},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def model_hash(model: str) -> str | None:
    """Return the SHA-256 of an embedded model's weights; None for a model that others run."""
    kind, _, name = model.partition("/")
    if kind != "local":
        return None
    if name in CATALOGUE:
        return CATALOGUE[name].files[0].sha256  # held to it when it is loaded
    file = Path(name).expanduser()
    return sha256_of(file) if file.is_file() else None


def commit() -> str:
    """Return the commit of the code that runs, with a + where files have been changed; empty outside of a checkout."""
    found = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "skillagent")
    return "" if found is None else found + ("+" if changed else "")


def _git(*words: str) -> str | None:
    try:
        here = Path(__file__).parent
        done = subprocess.run(["git", "-C", here, *words], capture_output=True, text=True, check=True, timeout=10)  # noqa: S603, S607
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def read_summary(folder: Path) -> Summary:
    """Read a run's `summary.json`; raises ConfigError where there is none."""
    path = folder / "summary.json"
    try:
        return Summary.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if (rows := read_rows(folder / "rows.jsonl")) and (folder / "run.json").is_file():  # killed before its end
            return summarise(rows, suite=folder.name, command=[], provenance={})
        raise ConfigError(f"no run in {folder}: there is no summary.json") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def run_rows(folder: Path, arms: Iterable[str] = ()) -> list[Row]:
    """Return all rows of a run, arm by arm: those of its last summary first, then `arms`, then any others."""
    rows = read_rows(folder / "rows.jsonl")
    try:
        known = list(read_summary(folder).arms)
    except ConfigError:
        known = []
    order = list(dict.fromkeys([*known, *arms, *(row.arm for row in rows)]))
    return sorted(rows, key=lambda row: order.index(row.arm))


def counted_anew(folder: Path, tasks: Collection[str] | None = None) -> tuple[list[Row], Summary]:
    """Return the rows of a run and its summary with the figures of exactly these rows; raises as `read_summary`.

    With `tasks` those of these tasks, by id; else all.
    """
    known, rows = read_summary(folder), run_rows(folder)
    if tasks is not None:
        rows = [row for row in rows if row.task in tasks]
    summary = summarise(
        rows,
        suite=known.suite,
        command=shlex.split(known.command),
        provenance=known.provenance,
        learning=known.learning,
    )
    if (folder / "stream.json").is_file():  # its learning is set against what the whole stream gained, and nothing less
        payoff = {pair: one for pair, one in summary.payoff.items() if pair in known.payoff}
        summary = summary.model_copy(update={"payoff": payoff})
    return rows, summary
