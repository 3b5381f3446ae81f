"""Show: what the agent does, as it does it: a line for every plan, route, step, verdict, replay and decision.

It is handed to the loop as `watch`. On a terminal a moving line says what is under way between two of them; elsewhere
there are only the lines. For `--json` the same values go out as one JSON object a line (`Lines`).
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from skillagent.cli import words
from skillagent.cli.output import clean, emit_line, shorten
from skillagent.schema import (
    Decision,
    Edit,
    Labelled,
    Lesson,
    Mended,
    Observation,
    Pair,
    Plan,
    Replanned,
    Route,
    Split,
    Step,
    Task,
    Value,
    Verdict,
    Wandered,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

_WIDTH = 200


class Watching(Protocol):
    """Is shown every value, and remembers the decisions."""

    decisions: list[Decision]

    def __call__(self, value: Value) -> None:
        """Show a value that has just come to exist."""
        ...

    def say(self, text: str) -> None:
        """Show a line of the command's own."""
        ...

    def __enter__(self) -> Self:
        """Start showing."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop showing."""
        ...


class Lines:
    """Values as JSON, one object a line on stdout."""

    def __init__(self, write: Callable[[dict[str, object]], None] = emit_line) -> None:  # type: ignore[assignment]
        self._write = write
        self.decisions: list[Decision] = []

    def __call__(self, value: Value) -> None:
        """Write a value that has just come to exist."""
        if isinstance(value, Decision):
            self.decisions.append(value)
        if (event := words.event_of(value)) is not None:
            self._write(dict(event))

    def say(self, text: str) -> None:
        """Write a remark of the command's own."""
        self._write({"event": "note", "text": text})

    def __enter__(self) -> Self:
        """Nothing to start."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing to stop."""


class Show:
    """Values as lines.

    Args:
        console: Where to.
        steps: False leaves out plans, routes and single steps, for long practice.
        most: The pairs that the gate tries at most, for the progress.
    """

    def __init__(self, console: Console, *, steps: bool = True, most: int | None = None) -> None:
        self._console, self._steps, self._most = console, steps, most
        self._status: Status | None = None
        self._number = 0
        self._goal, self._tries = "", 0
        self._pairs: dict[Task, Pair] = {}
        self.decisions: list[Decision] = []

    def __enter__(self) -> Self:
        """Show the moving line, where there is a terminal."""
        if self._console.is_terminal:
            self._status = self._console.status("starting", spinner="line", refresh_per_second=4)
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the moving line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def __call__(self, value: Value) -> None:
        """Show a value that has just come to exist."""
        match value:
            case Observation():
                self._number = 0
                self._tries = self._tries + 1 if value.goal == self._goal else 1
                self._goal = value.goal
                self._line("goal", f"{value.goal}  (try {self._tries})" if self._tries > 1 else value.goal)
                self._doing("acting")
            case Plan() if self._steps and (value.covered or len(value.subgoals) > 1):
                self._line("plan", words.of_plan(value))
            case Replanned() if self._steps:
                self._line("again", f"{value.why}: {words.of_plan(value.plan)}")
                self._line("route", words.of_route(value.route))
            case Route() if self._steps:
                self._line("route", words.of_route(value))
            case Step():
                self._number += 1
                if self._steps:
                    self._line(f"{self._number:>5}", words.of_step(value), style="red" if value.error else None)
                self._doing(f"acting, {self._number} steps so far")
            case Verdict():
                style = {True: "green", False: "red", None: "yellow"}[value.success]
                self._line("verdict", words.of_verdict(value), style=style)
                self._doing("thinking about it")
            case Labelled():
                self._line("known", words.of_labels(value.labels))
            case Wandered():
                self._line("chance", words.of_wandered(value))
            case Mended():
                self._line("mended", words.of_mended(value))
            case Lesson():
                self._line("lesson", f"{value.cause.value}: {value.summary}")
                self._doing("writing down what was learnt")
            case Edit():
                self._pairs = {}
                self._line("try", words.of_changes(value.changes))
                self._doing(f"gate: replaying pair 1{self._of_most()}")
            case Pair():
                self._compared(value)
            case Decision():
                self.decisions.append(value)
                style = "bold green" if value.accepted else "yellow"
                self._line("gate", words.of_decision(value), style=style)
                self._doing("going on")
            case _:
                pass

    def _compared(self, pair: Pair) -> None:
        """Show a replay. The gate decides on fresh seeds: what it tries on seeds of practice is not in its tally.

        Before its pairs those are the tasks that the edit was learnt from, after them tasks that were solved before.
        """
        if pair.task.split is Split.PRACTICE:
            self._line("", f"{'rehearsal' if self._pairs else 'source'}  {words.of_pair(pair)}")
            return
        self._pairs[pair.task] = pair  # one that was in vain may be made up for
        told, number = words.tally([*self._pairs.values()]), list(self._pairs).index(pair.task) + 1
        self._line("", f"pair {number}  {words.of_pair(pair)}   ({told})")
        self._doing(f"gate: replaying pair {len(self._pairs) + 1}{self._of_most()}, {told}")

    def say(self, text: str) -> None:
        """Show a line of the command's own."""
        self._console.print(clean(text), markup=False, highlight=False, soft_wrap=True)

    def _line(self, head: str, text: str, *, style: str | None = None) -> None:
        line = f"{head:<8}{shorten(text, _WIDTH)}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True, style=style)

    def _doing(self, text: str) -> None:
        if self._status is not None:
            self._status.update(text)

    def _of_most(self) -> str:
        return f" of at most {self._most}" if self._most else ""


def watching(as_json: bool, *, steps: bool = True, most: int | None = None) -> Watching:
    """Return what a command shows the agent's doings with: JSON lines, or lines on stdout."""
    if as_json:
        return Lines()
    from rich.console import Console

    return Show(Console(), steps=steps, most=most)
