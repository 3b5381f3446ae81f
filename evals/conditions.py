"""Condition refinement on logged episodes: how well insights are retrieved before and after, on goals held back.

    python -m evals.conditions skills memory_store --out evals/results/conditions.json

The ledger holds labels: what replays of failed tasks said about insights (`skillagent learn` writes them). Every
insight begins with the condition that it was written with. Labelled episodes are dealt into folds, by task (of those
that are measured refinement knew nothing) or by instance (it knew other instances of the same tasks, as in a library
that is in use); each fold is measured with conditions that were refined by the labels of the others. Shown rightly: the
insight solves the task. Useless: it is shown, and misleads, is not followed, or changes in vain what is done. The store
is only read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from skillagent.build import Options, open_agent
from skillagent.cli.output import note
from skillagent.config import load
from skillagent.library import Library
from skillagent.loop import Agent
from skillagent.schema import Decided, Decision, Event, Label, Labelled, Plan, PutInsight, digest_of


class Fold(StrEnum):
    """What is held back together: all instances of a task, or one instance."""

    TASK = "task"
    INSTANCE = "instance"


_HELPS = (Label.POSITIVE, Label.UNRETRIEVED)
_USELESS = (Label.NEGATIVE, Label.IRRELEVANT, Label.INVALID)


@dataclass(frozen=True)
class Retrieval:
    """Of labelled insights: how many were shown and help, are useless though shown, and help but were not shown."""

    right: int = 0
    useless: int = 0
    missed: int = 0

    def __add__(self, other: Retrieval) -> Retrieval:
        return Retrieval(self.right + other.right, self.useless + other.useless, self.missed + other.missed)

    @property
    def rates(self) -> dict[str, float | int | None]:
        """Precision, recall and the share of useless injections, with what they are shares of."""
        shown, helping = self.right + self.useless, self.right + self.missed
        return {
            "precision": self.right / shown if shown else None,
            "recall": self.right / helping if helping else None,
            "useless": self.useless / shown if shown else None,
            "shown": shown,
            "helping": helping,
        }


def retrieved(agent: Agent, library: Library, labelled: Sequence[Labelled]) -> Retrieval:
    """Return how well a library's insights are retrieved for goals on which it is known what they do."""
    found = Retrieval()
    for one in labelled:
        routed = agent.route(Plan(goal=one.goal), library)
        shown = {ranked.id for ranked in routed.insights[0]}
        for key, label in one.labels.items():
            if key in library.insights:
                found += Retrieval(
                    right=label in _HELPS and key in shown,
                    useless=label in _USELESS and key in shown,
                    missed=label in _HELPS and key not in shown,
                )
    return found


def as_first_written(library: Library, events: Sequence[Event]) -> Library:
    """Return the library with every insight as it was when it was let in."""
    for event in reversed(events):
        match event.entry:
            case Decided(decision=Decision(accepted=True, edit=edit)):
                for change in edit.changes:
                    now = library.insights.get(change.key)
                    if isinstance(change, PutInsight) and now is not None:
                        library = library.with_change(PutInsight(insight=change.insight, base=now.digest))
    return library


def refined(agent: Agent, library: Library, events: Sequence[Event]) -> Library:
    """Return the library with the conditions that these labels lead to."""
    for decision in agent.upkeep["conditions"](library, events, lambda task, held, variation=None: None):
        if decision.accepted:
            library = library.apply(decision.edit)
    return library


def folds(events: Sequence[Event], count: int, by: Fold = Fold.TASK) -> Iterator[tuple[list[Event], list[Labelled]]]:
    """Yield, for each fold, the events without its labels and its labels; by task whatever the seed."""

    def fold_of(entry: Labelled) -> int:
        own = entry.task.id if by is Fold.TASK else f"{entry.task.id} {entry.task.seed}"
        return int(digest_of(own), 16) % count

    for fold in range(count):
        held = [entry for event in events if isinstance(entry := event.entry, Labelled) and fold_of(entry) == fold]
        rest = [e for e in events if not (isinstance(e.entry, Labelled) and fold_of(e.entry) == fold)]
        if held:
            yield rest, held


def main(
    skills: Path,
    memory: Path,
    count: Annotated[int, typer.Option("--folds")] = 4,
    by: Annotated[Fold, typer.Option(help="What is held back together.")] = Fold.TASK,
    wordings: Annotated[int, typer.Option(help="So many are asked of the model, beside two made of the goals.")] = 5,
    insight: Annotated[float | None, typer.Option(help="Cosine from which on an insight is shown.")] = None,
    model: Annotated[str | None, typer.Option(help="Words the conditions.")] = None,
    out: Path | None = None,
) -> None:
    """Refine on the labels of some tasks, measure on those of the others, and write the table."""
    settings = load(skills=skills, memory=memory, model=model)
    before = after = Retrieval()
    options = Options().changed({"upkeep.wordings": wordings})
    if insight is not None:
        options = options.changed({"thresholds.insight": insight})
    with open_agent(settings, options=options, read_only=True) as agent:
        events = list(agent.store.events())
        library = as_first_written(agent.store.load(), events)
        for number, (known, held) in enumerate(folds(events, count, by)):
            then, now = retrieved(agent, library, held), retrieved(agent, refined(agent, library, known), held)
            note(f"fold {number}: {len(held)} labelled episodes: {then} before, {now} after")
            before, after = before + then, after + now
    table = {
        "insights": len(library.insights),
        "held back by": by,
        "wordings": wordings,
        "before": before.rates,
        "after": after.rates,
    }
    for when, rates in (("before", before.rates), ("after", after.rates)):
        print(f"{when:8}" + "  ".join(f"{name} {_said(rate)}" for name, rate in rates.items()))
    if out is not None:
        out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _said(rate: float | int | None) -> str:
    return "-" if rate is None else str(rate) if isinstance(rate, int) else f"{rate:.0%}"


if __name__ == "__main__":
    typer.run(main)
