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
from skillagent.store.ledger import changes, key_of, rollback


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
    reason = "accepted: a person's decision, not replayed"
    return Decided(decision=Decision(edit=edit, accepted=True, reason=reason, by="person"))


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
    back: dict[tuple[str, str], Change] = {}
    for key in sorted({key_of(change) for change in edit.changes}, key=lambda key: key[0] != "skill"):
        if key not in back:
            entry = rolled_back(library, history, key[1], None, why=why)
            back |= {key_of(change): change for change in entry.changes}
    return RolledBack(changes=tuple(back.values()), why=why)


def _in_force(library: Library, made: Sequence[Change]) -> bool:
    """Tell whether the library holds what the changes made to skills and insights."""
    for change in made:
        match change:
            case PutSkill(skill=skill):
                now = library.skills.get(skill.name)
                held = now is not None and _content(now) == _content(skill)
            case RetireSkill(name=name):
                held = name not in library.skills
            case PutInsight(insight=insight):
                held = library.insights.get(insight.id) == insight
            case RetireInsight(id=key):
                held = key not in library.insights
            case _:
                held = True
        if not held:
            return False
    return True


def _content(skill: Skill) -> Skill:
    """A skill without what a rollback changes: it gives a new version number to an old content."""
    return skill.model_copy(update={"version": 1, "foreign": False})


def _example_back(library: Library, history: Sequence[Event], key: str, skill: Skill | None) -> Change | None:
    """Return the change that brings an example to what it was when `skill` had this content; None: no change."""
    wanted = None
    for event in history:
        made = [change for _, change, _ in changes([event])]
        then = [_content(one.skill) for one in made if isinstance(one, PutSkill)]
        for one in made:
            if (
                skill is not None
                and _content(skill) in then
                and isinstance(one, PutDemonstration)
                and one.demonstration.id == key
            ):
                wanted = one.demonstration
    if wanted == library.demonstrations.get(key):
        return None
    return RetireDemonstration(id=key) if wanted is None else PutDemonstration(demonstration=wanted)
