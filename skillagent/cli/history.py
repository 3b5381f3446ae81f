"""History: the ledger's events about skills and insights, as entries to read.

Only reads events; which versions exist is `store.ledger`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from skillagent.cli import words
from skillagent.schema import Change, Decided, Decision, Event, Json, RolledBack
from skillagent.store.ledger import key_of, refused


@dataclass(frozen=True)
class Entry:
    """One change that was made, or one edit that was refused (`at` is unknown then)."""

    at: str
    changes: tuple[Change, ...]
    why: str
    decision: Decision | None

    @property
    def json(self) -> Json:
        """For a program."""
        return {
            "at": self.at,
            "changes": [words.of_change(change) for change in self.changes],
            "why": self.why,
            "decision": words.decision_json(self.decision) if self.decision else None,
        }


def accepted_of(events: Iterable[Event], name: str | None, kind: str = "skill") -> list[Entry]:
    """Return what entered the library and touches the item (None: any of the kind), oldest first."""
    found = []
    for event in events:
        match event.entry:
            case Decided(decision=Decision(accepted=True, edit=edit) as decision):
                entry = Entry(event.at, edit.changes, edit.why, decision)
            case RolledBack(changes=made, why=why):
                entry = Entry(event.at, made, why or "rolled back", None)
            case _:
                continue
        if _touches(entry.changes, name, kind):
            found.append(entry)
    return found


def refused_of(events: Iterable[Event], name: str | None, kind: str | None = None) -> list[Entry]:
    """Return the edits that were refused and not accepted later, oldest first."""
    history = list(events)
    last = {id(entry) for entry in refused(history).values()}
    found = []
    for event in history:
        if isinstance(event.entry, Decided) and id(event.entry) in last:
            edit = event.entry.decision.edit
            if name is None or _touches(edit.changes, name, kind):
                found.append(Entry(event.at, edit.changes, edit.why, event.entry.decision))
    return found


def as_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield entries for a person: when and what, then why, then each replay."""
    for entry in entries:
        yield f"{_moment(entry.at)}  {words.of_changes(entry.changes)}"
        if entry.why:
            yield f"    why   {entry.why}"
        if entry.decision is None:
            continue
        yield f"    gate  {words.of_decision(entry.decision)}"
        for pair in entry.decision.pairs:
            yield f"          {words.of_pair(pair)}"
        for pair in entry.decision.rehearsed:
            yield f"          {words.of_pair(pair)}  (rehearsal)"


def _touches(made: Iterable[Change], name: str | None, kind: str | None) -> bool:
    keys = [key_of(change) for change in made]
    return any((kind is None or one == kind) and (name is None or key == name) for one, key in keys)


def _moment(at: str) -> str:
    return at[:19].replace("T", " ")
