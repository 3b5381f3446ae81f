"""Library: skills, insights and demonstrations as one immutable value.

`apply` is pure: a candidate library is an expression, and a refused edit leaves nothing to undo. Nothing here reads or
writes files (`store`), and nothing here counts uses (they are folds over the ledger).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Self, TypeVar

from pydantic import Field, field_validator, model_validator

from skillagent.errors import InvalidSkill, NotFound, StaleEdit
from skillagent.schema import (
    Change,
    Demonstration,
    Edit,
    Insight,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
    Skill,
    Value,
    digest_of,
)

T = TypeVar("T")

_TRAIL = 64  # changes that items remember
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Items(dict[str, T]):
    """A dict, never changed once made, that knows in which keys it differs from those that it was made from.

    So whoever holds one of these need not compare all items to hold another. It keeps none of them alive.
    """

    def __init__(self, items: Mapping[str, T] | None = None, trail: tuple[tuple[object, str], ...] = ()) -> None:
        super().__init__(items or {})
        self.mark = object()
        self.trail = trail  # the latest first: the mark of what there was before a change, and the key that changed

    @classmethod
    def after(cls, items: Mapping[str, T], key: str, one: T | None) -> Items[T]:
        """Return the items with one put under a key, or, for None, taken out."""
        made = cls(items, ((items.mark, key), *items.trail)[:_TRAIL] if isinstance(items, Items) else ())
        if one is None:
            del made[key]
        else:
            made[key] = one
        return made


def differing(one: Mapping[str, T], other: Mapping[str, T]) -> list[str] | None:
    """Return all keys in which items may differ where one comes of the other; None where it is not known to."""
    if isinstance(one, Items) and isinstance(other, Items):
        for later, earlier in ((one, other), (other, one)):
            for count, (mark, _) in enumerate(later.trail, start=1):
                if mark is earlier.mark:
                    return list(dict.fromkeys(key for _, key in reversed(later.trail[:count])))
    return None


class Library(Value):
    """Everything that the agent has learnt, each item under its own name or id."""

    skills: Mapping[str, Skill] = Field(default_factory=Items)
    insights: Mapping[str, Insight] = Field(default_factory=Items)
    demonstrations: Mapping[str, Demonstration] = Field(default_factory=Items)

    @field_validator("skills", "insights", "demonstrations")
    @classmethod
    def _known(cls, items: Mapping[str, T]) -> Items[T]:
        return Items(items)

    @model_validator(mode="after")
    def _keys_match(self) -> Self:
        assert all(name == skill.name for name, skill in self.skills.items())
        assert all(key == insight.id for key, insight in self.insights.items())
        assert all(key == demo.id for key, demo in self.demonstrations.items())
        return self

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits that change when, and only when, the contents do; order does not matter."""
        parts = {
            kind: {key: item.digest for key, item in items.items()}
            for kind, items in (
                ("skills", self.skills),
                ("insights", self.insights),
                ("demonstrations", self.demonstrations),
            )
        }
        return digest_of(parts)  # type: ignore[arg-type]  # a dict of dicts of strings is JSON

    def __len__(self) -> int:
        """The number of items of all kinds."""
        return len(self.skills) + len(self.insights) + len(self.demonstrations)

    def apply(self, edit: Edit) -> Library:
        """Return the library with all of the edit's changes made, in order; this one stays as it is.

        Raises:
            StaleEdit: A change was made against a version that is not the current one.
            NotFound: A change names something that is not here.
            InvalidSkill: A skill's name breaks the format.
        """
        library = self
        for change in edit.changes:
            library = library.with_change(change)
        return library

    def with_change(self, change: Change) -> Library:
        """Return the library with one change made; raises as `apply` does."""
        match change:
            case PutSkill(skill=skill, base=base):
                check_name(skill.name)
                self._require_version(skill.name, base)
                return self._with("skills", Items.after(self.skills, skill.name, skill))
            case RetireSkill(name=name, base=base):
                self._require_version(name, base)
                return self._with("skills", _without(self.skills, name, "skill"))
            case PutInsight(insight=insight, base=base):
                current = self.insights.get(insight.id)
                if (current.digest if current else None) != base:
                    raise StaleEdit(f"insight {insight.id}: the edit was made against another text of it")
                return self._with("insights", Items.after(self.insights, insight.id, insight))
            case RetireInsight(id=key):
                return self._with("insights", _without(self.insights, key, "insight"))
            case PutDemonstration(demonstration=demo):
                return self._with("demonstrations", Items.after(self.demonstrations, demo.id, demo))
            case RetireDemonstration(id=key):
                return self._with("demonstrations", _without(self.demonstrations, key, "demonstration"))

    def inverse(self, change: Change) -> Change:
        """Return the change that undoes `change` once it has been made to this library."""
        match change:
            case PutSkill(skill=skill):
                if (old := self.skills.get(skill.name)) is None:
                    return RetireSkill(name=skill.name, base=skill.version)
                return PutSkill(skill=old, base=skill.version)
            case RetireSkill(name=name):
                return PutSkill(skill=self.skills[name])
            case PutInsight(insight=insight):
                if (was := self.insights.get(insight.id)) is None:
                    return RetireInsight(id=insight.id)
                return PutInsight(insight=was, base=insight.digest)
            case RetireInsight(id=key):
                return PutInsight(insight=self.insights[key])
            case PutDemonstration(demonstration=demo):
                if (former := self.demonstrations.get(demo.id)) is None:
                    return RetireDemonstration(id=demo.id)
                return PutDemonstration(demonstration=former)
            case RetireDemonstration(id=key):
                return PutDemonstration(demonstration=self.demonstrations[key])

    def _require_version(self, name: str, base: int | None) -> None:
        current = self.skills.get(name)
        version = current.version if current else None
        if version != base:
            raise StaleEdit(
                f"{name}: the edit expects {_version(base)}, the library has {_version(version)}; "
                "look at the skill again and redo the edit"
            )

    def _with(self, kind: str, items: Mapping[str, Value]) -> Library:
        parts = {"skills": self.skills, "insights": self.insights, "demonstrations": self.demonstrations}
        # Not validated, as that looks at every item; each part is of its own kind.
        return Library.model_construct(**(parts | {kind: items}))  # type: ignore[arg-type]


def check_name(name: str) -> None:
    """Raise InvalidSkill unless `name` is 1-64 characters of ASCII kebab case."""
    if len(name) > 64 or not _NAME.fullmatch(name):
        raise InvalidSkill(f"skill name {name!r}: use 1-64 lower-case ASCII letters and digits, words joined by '-'")


def _without(items: Mapping[str, T], key: str, kind: str) -> Items[T]:
    if key not in items:
        raise NotFound(f"no {kind} {key!r} in the library")
    return Items.after(items, key, None)


def _version(version: int | None) -> str:
    return "no such skill" if version is None else f"version {version}"
