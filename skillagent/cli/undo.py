"""Undo: what a rollback puts back, read from the ledger alone.

A skill and the example that came with it are one thing to a person: an example whose skill was rolled back would still
be shown. So each goes back with the other, and the links to an insight go with it. An edit is in force as long as
something of it was not rolled back and still stands in the library; that others were linked with it since makes no
difference, and what only linked it with one that went is nothing to undo. What a person deleted by hand is left out.
Nothing is written here: these functions return the entry to commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skillagent.errors import NotFound
from skillagent.library import Library
from skillagent.schema import (
    Change,
    Decided,
    Decision,
    Demonstration,
    Edit,
    Event,
    Insight,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
    RolledBack,
    Skill,
)
from skillagent.store.ledger import changes, key_of, rebased, rollback

Key = tuple[str, str]
Content = Skill | Insight | Demonstration | None  # None: not there


def rolled_back(library: Library, events: Iterable[Event], name: str, version: int | None, *, why: str) -> RolledBack:
    """Return the entry that puts an earlier state of an item back, with what belongs to it.

    With a skill come the examples that belonged to it then; with an insight that goes, the links to it go.

    Raises:
        NotFound: The ledger knows no such item or version, or nothing to go back to.
    """
    history = list(events)
    entry = rollback(library, history, name, version, why=why)
    change = entry.changes[0]
    if not isinstance(change, PutSkill | RetireSkill):
        return entry.model_copy(update={"changes": _with_links(library, entry.changes)})
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
    standing = _standing(history)
    for event in reversed(history):
        match event.entry:
            case Decided(decision=Decision(accepted=True, edit=edit)):
                left = dict[Key, Change]()
                for _, change, was in changes([event]):
                    key = key_of(change)
                    deleted = _content(change) is not None and _item(library, key) is None  # past the ledger
                    if was is not None and event.seq in standing[key] and not deleted:
                        left.setdefault(key, was)
                if any(key_of(one) in left and _held(library, one) for one in _telling(edit)):
                    own = {key_of(one) for one in edit.proper}
                    back = [rebased(library, history, was) for key, was in left.items() if key in own]
                    made = _with_links(library, back)
                    if any(_content(one) != _item(library, key_of(one)) for one in made):
                        why = f"undoes event {event.seq}: {edit.why}"
                        return RolledBack(changes=made, undoes=event.seq, why=why)
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


def _standing(history: Sequence[Event]) -> dict[Key, tuple[int, ...]]:
    """Return, for each item, the events whose changes of it were not rolled back, the oldest first."""
    past: dict[Key, list[tuple[Content, tuple[int, ...]]]] = {}
    for event, change, was in changes(history):
        been = past.setdefault(key_of(change), [(None, ())])
        if was is not None and _content(was) != been[-1][0]:  # it was changed past the ledger
            been.append((_content(was), been[-1][1]))
        made, now = _content(change), been[-1][1]
        match event.entry:
            case RolledBack(undoes=int() as undone):
                now = tuple(seq for seq in now if seq < undone)
            case RolledBack():
                alike = (then for content, then in reversed(been) if _linkless(content) == _linkless(made))
                now = next(alike, now)
            case _:
                now = (*now, event.seq)
        been.append((made, now))
    return {key: been[-1][1] for key, been in past.items()}


def _telling(edit: Edit) -> Sequence[Change]:
    """Return the changes that tell whether an edit is in force: an example goes with its skill."""
    others = [one for one in edit.proper if not isinstance(one, PutDemonstration | RetireDemonstration)]
    return others or edit.proper


def _held(library: Library, change: Change) -> bool:
    """Tell whether the library holds what a change made, whatever that is linked with."""
    return _linkless(_content(change)) == _linkless(_item(library, key_of(change)))


def _item(library: Library, key: Key) -> Content:
    """Return what the library holds under a key, as `_content` tells it."""
    match key:
        case "skill", name:
            return _plain(library.skills[name]) if name in library.skills else None
        case "insight", name:
            return library.insights.get(name)
        case _, name:
            return library.demonstrations.get(name)


def _linkless(content: Content) -> Content:
    return content.model_copy(update={"related": ()}) if isinstance(content, Insight) else content


def _with_links(library: Library, back: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes, and those with which no insight names one that goes or is not there."""
    put = {change.key: change.insight for change in back if isinstance(change, PutInsight)}
    gone = {change.key for change in back if isinstance(change, RetireInsight)}
    there = (library.insights.keys() | put) - gone
    made = list[Change]()
    for change in back:
        if isinstance(change, PutInsight):
            related = tuple(key for key in change.insight.related if key in there)
            change = change.model_copy(update={"insight": change.insight.model_copy(update={"related": related})})
        made.append(change)
    for key, one in library.insights.items():
        if key not in put.keys() | gone and gone & set(one.related):
            related = tuple(other for other in one.related if other not in gone)
            made.append(PutInsight(insight=one.model_copy(update={"related": related}), base=one.digest))
    return tuple(made)


def _content(change: Change) -> Content:
    """Return what an item is after a change."""
    match change:
        case PutSkill(skill=skill):
            return _plain(skill)
        case PutInsight(insight=insight):
            return insight
        case PutDemonstration(demonstration=demonstration):
            return demonstration
        case _:
            return None


def _plain(skill: Skill) -> Skill:
    """A skill without what a rollback changes: it gives a new version number to an old content."""
    return skill.model_copy(update={"version": 1, "foreign": False})


def _example_back(library: Library, history: Sequence[Event], key: str, skill: Skill | None) -> Change | None:
    """Return the change that brings an example to what it was when `skill` had this content; None: no change."""
    wanted = None
    for event in history:
        made = [change for _, change, _ in changes([event])]
        then = [_plain(one.skill) for one in made if isinstance(one, PutSkill)]
        for one in made:
            if (
                skill is not None
                and _plain(skill) in then
                and isinstance(one, PutDemonstration)
                and one.demonstration.id == key
            ):
                wanted = one.demonstration
    if wanted == library.demonstrations.get(key):
        return None
    return RetireDemonstration(id=key) if wanted is None else PutDemonstration(demonstration=wanted)
