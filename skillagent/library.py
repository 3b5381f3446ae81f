"""Library: skills, insights and demonstrations as one immutable value.

`apply` is pure: a candidate library is an expression, and a refused edit leaves nothing to undo. Nothing here reads or
writes files (`store`), and nothing here counts uses (they are folds over the ledger).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Self, TypeVar

from pydantic import Field, model_validator

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

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Library(Value):
    """Everything that the agent has learnt, each item under its own name or id."""

    skills: Mapping[str, Skill] = Field(default_factory=dict)
    insights: Mapping[str, Insight] = Field(default_factory=dict)
    demonstrations: Mapping[str, Demonstration] = Field(default_factory=dict)

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
                return self._with("skills", {**self.skills, skill.name: skill})
            case RetireSkill(name=name, base=base):
                self._require_version(name, base)
                return self._with("skills", _without(self.skills, name, "skill"))
            case PutInsight(insight=insight, base=base):
                current = self.insights.get(insight.id)
                if (current.digest if current else None) != base:
                    raise StaleEdit(f"insight {insight.id}: the edit was made against another text of it")
                return self._with("insights", {**self.insights, insight.id: insight})
            case RetireInsight(id=key):
                return self._with("insights", _without(self.insights, key, "insight"))
            case PutDemonstration(demonstration=demo):
                return self._with("demonstrations", {**self.demonstrations, demo.id: demo})
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
        return Library.model_validate(parts | {kind: items})


def check_name(name: str) -> None:
    """Raise InvalidSkill unless `name` is 1-64 characters of ASCII kebab case."""
    if len(name) > 64 or not _NAME.fullmatch(name):
        raise InvalidSkill(f"skill name {name!r}: use 1-64 lower-case ASCII letters and digits, words joined by '-'")


def _without(items: Mapping[str, T], key: str, kind: str) -> dict[str, T]:
    if key not in items:
        raise NotFound(f"no {kind} {key!r} in the library")
    return {k: v for k, v in items.items() if k != key}


def _version(version: int | None) -> str:
    return "no such skill" if version is None else f"version {version}"
