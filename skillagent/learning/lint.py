"""Lint: refuse an edit before any replay is paid for.

Skills are text that later runs obey, and pages are text that an attacker controls: what is written must not carry
addresses, credentials or sentences copied from a page. Lint also keeps out what was refused before and what the library
already says. It does not judge whether an edit helps; that is the gate's work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from skillagent.errors import LibraryError
from skillagent.library import Library
from skillagent.schema import Decided, Decision, Edit, Event, Insight, Lesson, PutInsight, PutSkill, Skill

_ADDRESS = re.compile(r"\b(?:https?|ftp|file|javascript|data):\S|\bwww\.\w", re.IGNORECASE)
_SECRET = re.compile(
    r"\b(?:sk|pk|ghp|xox[abp])[-_]\w{12,}|-----BEGIN|\b(?:api[_ -]?key|secret|token)\s*[:=]\s*\S{6,}", re.IGNORECASE
)
_BROKEN = re.compile(
    r"\b(?:tool|browser|environment|page|website)s?\b[^.]{0,40}\b(?:does not work|do not work|is broken|are broken|"
    r"is unavailable|crash)",
    re.IGNORECASE,
)
_COPIED_WORDS = 8


def lint(edit: Edit, lesson: Lesson, library: Library, events: Iterable[Event]) -> str | None:
    """Return why the edit must not even be tried, or None."""
    for event in events:
        match event.entry:
            case Decided(decision=Decision(accepted=False) as old) if old.edit.identity == edit.identity:
                return f"refused before ({event.at}): {old.reason}"
    try:
        library.apply(edit)
    except LibraryError as error:
        return f"lint: {error}"
    for change in edit.changes:
        problems: Iterator[str] = iter(())
        match change:
            case PutSkill(skill=skill):
                problems = _skill_problems(skill, lesson, library)
            case PutInsight(insight=insight):
                problems = _insight_problems(insight, lesson, library)
        if problem := next(problems, None):
            return f"lint: {problem}"
    return None


def _skill_problems(skill: Skill, lesson: Lesson, library: Library) -> Iterator[str]:
    if not skill.description.strip() or len(skill.description) > 1024:
        yield f"the description has {len(skill.description)} characters; 1 to 1024 are allowed"
    if any(mark in skill.description for mark in ("<", ">", "---")):
        yield "the description contains '<', '>' or '---'"
    if skill.body.count("\n") >= 500:
        yield "the body has 500 lines or more"
    if any(other.body == skill.body for other in library.skills.values()):
        yield "the library has a skill with this very body"
    yield from _text_problems(f"{skill.description}\n{skill.body}", lesson)


def _insight_problems(insight: Insight, lesson: Lesson, library: Library) -> Iterator[str]:
    if len(insight.taxonomy.split("/")) != 3:
        yield f"taxonomy {insight.taxonomy!r} is not domain/level-1/level-2"
    if not insight.condition.applies.strip() or not insight.explanation.strip():
        yield "an insight needs a condition and an explanation"
    if any(other.explanation == insight.explanation for other in library.insights.values()):
        yield "the library has an insight with this very explanation"
    if _BROKEN.search(insight.explanation):
        yield "it blames the environment: a broken installation teaches nothing"
    yield from _text_problems(f"{insight.condition.applies}\n{insight.explanation}", lesson)


def _text_problems(text: str, lesson: Lesson) -> Iterator[str]:
    if found := _ADDRESS.search(text):
        yield f"it contains an address ({found.group()!r})"
    if _SECRET.search(text):
        yield "it contains what looks like a credential"
    if copied := _copied(text, lesson):
        yield f"it repeats a sentence of a page: {copied!r}"


def _copied(text: str, lesson: Lesson) -> str | None:
    """Return words that stand in this order both in the text and on a page of the lesson, but not in its goal."""
    attempts = [one for one in (lesson.success, *lesson.failures) if one is not None]
    goals = {run for one in attempts for run in _runs(one.trajectory.goal)}
    pages = {run for one in attempts for step in one.trajectory.steps for run in _runs(step.observation.text)}
    return next((run for run in _runs(text) if run in pages and run not in goals), None)


def _runs(text: str) -> Iterator[str]:
    for line in text.splitlines():
        words = re.findall(r"\w+", line.lower())
        for start in range(len(words) - _COPIED_WORDS + 1):
            yield " ".join(words[start : start + _COPIED_WORDS])
