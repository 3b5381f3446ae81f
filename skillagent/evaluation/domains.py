"""Domains: skills and goals of one kind of work each, from a file of lines or from what was learnt, for a stream.

A line with `text` is a goal, any other a skill:

    {"name": "log-in", "description": "…", "body": "…", "domain": "web"}
    {"text": "log in as ann", "skill": "log-in", "split": "practice"}

A goal whose split is `holdout` tests, any other is learnt from. Other keys are left aside, so exported skills and goals
serve as they are. What a reader would get wrong: the goals that a skill's own line says it solved are not read; what it
has solved are the goals it learnt from, and not before its domain has come. Nothing is run here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ConfigDict, ValidationError

from skillagent.config import fault
from skillagent.errors import ConfigError
from skillagent.goals import shape
from skillagent.library import Library
from skillagent.routing.measured import Query, measured
from skillagent.schema import Event, Skill, Split, Value

_TESTS = 3  # of so many goals of a skill that was learnt, one tests


class Domain(Value):
    """What one domain brings: skills, goals that are learnt from, and goals that test."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    skills: tuple[Skill, ...]
    learn: tuple[Query, ...]
    test: tuple[Query, ...]


class _Goal(Value):
    """A goal as it stands in a line."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    skill: str
    split: Split


class _Skill(Value):
    """A skill as it stands in a line."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    description: str
    body: str = ""
    domain: str = ""


def read(files: Iterable[Path]) -> list[Domain]:
    """Return the domains that files of lines tell of, in the order of their skills.

    Raises:
        ConfigError: A file is not there, a line is neither, a skill is there twice, or a goal names one that is not.
    """
    skills, goals = dict[str, Skill](), list[tuple[str, Split, Query]]()
    for file in files:
        for number, line in _lines(file):
            where = f"{file}: line {number}"
            match _parsed(line, where):
                case _Goal(text=text, skill=name, split=split):
                    asked = Query((name, len(goals)), text, "", "words", {name: 1.0})
                    goals.append((where, split, asked))
                case _Skill(name=name) if name in skills:
                    raise ConfigError(f"{where}: the skill {name!r} is given twice")
                case _Skill() as one:
                    skills[one.name] = Skill(**one.model_dump())
    for where, _, goal in goals:
        if goal.family not in skills:
            raise ConfigError(f"{where}: there is no line for the skill {goal.family!r}")
    return _by_domain(list(skills.values()), [(split is Split.HOLDOUT, goal) for _, split, goal in goals])


def _lines(file: Path) -> list[tuple[int, str]]:
    """Return the lines that are not blank, with their numbers; U+2028 in a text ends none."""
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
        return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None


def _parsed(line: str, where: str) -> _Goal | _Skill:
    try:
        found = json.loads(line)
        kind = _Goal if isinstance(found, dict) and "text" in found else _Skill
        return kind.model_validate(found)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{where}: no JSON: {error}") from None
    except ValidationError as error:
        at, what = fault(error)
        raise ConfigError(f"{where}: {at}: {what}") from None


def of_library(library: Library, events: Sequence[Event]) -> list[Domain]:
    """Return the domains of what was learnt: skills by their domain, and the goals that they solved.

    Solved is what stands in the skill, and what the ledger tells that it did, but on holdout seeds. Of three goals of a
    skill, unlike in more than their values, the third tests, with all that are like it; so skills with fewer than three
    have none that does.
    """
    right: dict[str, dict[str, float]] = defaultdict(dict)
    for skill in library.skills.values():
        for goal in skill.goals:
            right[goal][skill.name] = 1.0
    for query in measured(library, events):
        for name, worth in query.worth.items():
            if worth >= 1 or query.goal in right:
                right[query.goal].setdefault(name, worth)
    counts, found = defaultdict[str, int](int), list[tuple[bool, Query]]()
    tests = dict[str, bool]()  # by shape: what was learnt with other values would be no test
    for goal, whose in right.items():
        name = next(name for name, worth in whose.items() if worth >= 1)
        form = shape(goal)
        if form not in tests:
            counts[name] += 1
            tests[form] = counts[name] % _TESTS == 0
        found.append((tests[form], Query((name, len(found)), goal, "", "words", whose)))
    return _by_domain(list(library.skills.values()), found)


def _by_domain(skills: Sequence[Skill], goals: Sequence[tuple[bool, Query]]) -> list[Domain]:
    """Return the domains; a goal that is learnt from somewhere tests nowhere."""
    of = {skill.name: skill.domain for skill in skills}
    learnt = {goal.goal for tests, goal in goals if not tests}
    by: Mapping[str, tuple[list[Skill], list[Query], list[Query]]] = defaultdict(lambda: ([], [], []))
    for skill in skills:
        by[skill.domain][0].append(skill.model_copy(update={"goals": ()}))
    for tests, goal in goals:
        if not tests or goal.goal not in learnt:
            _, learn, test = by[of[goal.family]]
            (test if tests else learn).append(goal)
    return [
        Domain(name=name or "any", skills=tuple(own), learn=tuple(learn), test=tuple(test))
        for name, (own, learn, test) in by.items()
    ]
