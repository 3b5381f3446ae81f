"""Undo: what a rollback puts back, read from the ledger alone.

A skill and the example that came with it are one thing to a person: an example whose skill was rolled back would still
be shown. So each goes back with the other. Nothing is written here: these functions return the entry to commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skillagent.errors import NotFound
from skillagent.library import Library
from skillagent.schema import (
    Change,
    Decided,
    Decision,
    Edit,
    Event,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
    RolledBack,
    Skill,
)
from skillagent.store.ledger import changes, rollback


def rolled_back(library: Library, events: Iterable[Event], name: str, version: int | None, *, why: str) -> RolledBack:
    """Return the entry that puts an earlier state of a skill back, with the examples that belonged to it.

    Raises:
        NotFound: The ledger knows no such skill or version, or nothing to go back to.
    """
    history = list(events)
    entry = rollback(library, history, name, version, why=why)
    change = entry.changes[0]
    if not isinstance(change, PutSkill | RetireSkill):
        return entry
    target = change.skill if isinstance(change, PutSkill) else None
    extra = [one for key in companions(history, name) if (one := _example_back(library, history, key, target))]
    return entry.model_copy(update={"changes": (change, *extra)})


def retired(library: Library, events: Iterable[Event], name: str, *, why: str) -> Decided:
    """Return the entry that takes a skill, with its examples, or an insight out because a person wants it.

    Raises:
        NotFound: The library has no such skill or insight.
    """
    made: list[Change] = []
    if (skill := library.skills.get(name)) is not None:
        made.append(RetireSkill(name=name, base=skill.version))
        mine = [key for key in companions(events, name) if key in library.demonstrations]
        made += [RetireDemonstration(id=key) for key in mine]
    elif name in library.insights:
        made.append(RetireInsight(id=name))
    else:
        raise NotFound(f"no skill or insight {name!r} in the library")
    edit = Edit(changes=tuple(made), why=why)
    return Decided(decision=Decision(edit=edit, accepted=True, reason="accepted: a person's decision, not replayed"))


def last_undone(library: Library, events: Iterable[Event]) -> RolledBack:
    """Return the entry that undoes the last accepted edit that is still in force.

    Raises:
        NotFound: No accepted edit is in force.
    """
    history = list(events)
    for event in reversed(history):
        match event.entry:
            case Decided(decision=Decision(accepted=True, edit=edit)) if _in_force(library, edit.changes):
                return _undo(library, history, event, edit)
    raise NotFound("nothing to undo: no accepted change is in force")


def companions(events: Iterable[Event], name: str) -> list[str]:
    """Return the ids of the examples that came in the same edits as the skill."""
    found: dict[str, None] = {}
    for event in events:
        match event.entry:
            case Decided(decision=Decision(accepted=True, edit=edit)):
                if any(isinstance(one, PutSkill) and one.skill.name == name for one in edit.changes):
                    found |= {one.demonstration.id: None for one in edit.changes if isinstance(one, PutDemonstration)}
    return list(found)


def _undo(library: Library, history: list[Event], event: Event, edit: Edit) -> RolledBack:
    why = f"undoes event {event.seq}: {edit.why}"
    back: list[Change] = []
    for change in edit.changes:
        match change:
            case PutSkill(skill=skill):
                back += rolled_back(library, history, skill.name, None, why=why).changes
            case RetireSkill(name=name):
                back += rolled_back(library, history, name, None, why=why).changes
            case PutInsight(insight=insight):
                back += rollback(library, history, insight.id, why=why).changes
            case RetireInsight(id=key):
                back += rollback(library, history, key, why=why).changes
            case _:
                pass
    handled = {one.model_dump_json() for one in back}
    for change in edit.changes:
        if isinstance(change, PutDemonstration | RetireDemonstration):
            key = change.demonstration.id if isinstance(change, PutDemonstration) else change.id
            for one in rollback(library, history, key, why=why).changes:
                named = {_example(other) for other in back}
                if one.model_dump_json() not in handled and _example(one) not in named:
                    back.append(one)
    return RolledBack(changes=tuple(back), why=why)


def _example(change: Change) -> str | None:
    match change:
        case PutDemonstration(demonstration=demonstration):
            return demonstration.id
        case RetireDemonstration(id=key):
            return key
        case _:
            return None


def _in_force(library: Library, made: Sequence[Change]) -> bool:
    """Tell whether the library holds what the changes made; versions may differ, for a rollback gives new ones."""
    for change in made:
        match change:
            case PutSkill(skill=skill):
                now = library.skills.get(skill.name)
                if now is None or _content(now) != _content(skill):
                    return False
            case RetireSkill(name=name):
                if name in library.skills:
                    return False
            case PutInsight(insight=insight):
                if library.insights.get(insight.id) != insight:
                    return False
            case RetireInsight(id=key):
                if key in library.insights:
                    return False
            case _:
                pass
    return True


def _content(skill: Skill) -> Skill:
    return skill.model_copy(update={"version": 1, "foreign": False})


def _example_back(library: Library, history: Sequence[Event], key: str, skill: Skill | None) -> Change | None:
    """Return the change that brings an example to what it was when `skill` had this content; None: no change."""
    wanted = None
    if skill is not None:
        for event in history:
            for made in _made(event):
                if isinstance(made, PutDemonstration) and made.demonstration.id == key:
                    latest = made.demonstration
                    if any(isinstance(o, PutSkill) and _content(o.skill) == _content(skill) for o in _made(event)):
                        wanted = latest
    current = library.demonstrations.get(key)
    if wanted == current:
        return None
    return RetireDemonstration(id=key) if wanted is None else PutDemonstration(demonstration=wanted)


def _made(event: Event) -> list[Change]:
    return [change for _, change, _ in changes([event])]
