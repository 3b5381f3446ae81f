"""Lint: refuse an edit before any replay is paid for.

Skills are text that later runs obey, and pages are text that an attacker controls: what is written must not carry
addresses, credentials or sentences copied from a page. Lint also keeps out what was refused before and what the library
already says. It does not judge whether an edit helps; that is the gate's work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from skillagent.errors import InvalidSkill, LibraryError
from skillagent.goals import quoted
from skillagent.learning.trace import WORD, runs
from skillagent.library import Library
from skillagent.programs.text import program_of
from skillagent.schema import (
    Decided,
    Decision,
    Demonstration,
    Edit,
    Entry,
    Event,
    Insight,
    Lesson,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
    RolledBack,
    Skill,
    Step,
)

_ADDRESS = re.compile(
    r"\b(?:https?|ftp|file|javascript|data):\S|\bwww\.\w|\b[a-z][\w-]*(?:\.[\w-]+)*\.[a-z]{2,}/\w", re.IGNORECASE
)
_SECRET = re.compile(
    r"\b(?:sk|pk|ghp|xox[abp])[-_]\w{12,}|-----BEGIN|\b(?:api[_ -]?key|secret|token)\s*[:=]\s*\S{6,}", re.IGNORECASE
)
_BY_A_PERSON = "accepted: a person's decision, not replayed"  # how ledgers said it before they said who decided
_SAYS = 3  # letters of the shortest explanation: a model out of its depth writes a comma
_CIRCLE = re.compile(r"\b(\w+(?: \w+){3,}?) \1\b")  # four words or more that stand right behind themselves
NEAR_COPY = 0.8  # share of their words that two insights have in common
_GIVEN_WORDS = 4  # so many words in the order in which an answer has them repeat it
_FRAME = re.compile(
    r"^the [a-z ]+? (?:is|are) ", re.IGNORECASE
)  # "the best objective is 12": what it says of the answer
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_BROKEN = re.compile(
    r"\b(?:tool|browser|environment|page|website)s?\b[^.]{0,40}\b(?:does not work|do not work|is broken|are broken|"
    r"is unavailable|crash)",
    re.IGNORECASE,
)


def lint(edit: Edit, lesson: Lesson, library: Library, events: Iterable[Event]) -> str | None:
    """Return why the edit must not even be tried, or None."""
    history = list(events)
    if problem := _known(edit, history):
        return problem
    try:
        library.apply(edit)
    except LibraryError as error:
        return f"lint: {error}"
    for change in edit.proper:
        problems: Iterator[str] = iter(())
        match change:
            case PutSkill(skill=skill):
                problems = _skill_problems(skill, lesson, library)
            case PutInsight(insight=insight, base=base):
                new = () if base is not None else chain(_copied(insight, library, history), _circles(insight))
                problems = chain(new, _insight_problems(insight, lesson))
            case PutDemonstration(demonstration=demo):
                problems = _demonstration_problems(demo, lesson)
        if problem := next(problems, None):
            return f"lint: {problem}"
    return None


def _known(edit: Edit, events: Iterable[Event]) -> str | None:
    """Return what became of this very edit before: refused by the gate for good, or taken back by a person."""
    accepted: dict[str, frozenset[str]] = {}
    problem = None
    for event in events:
        match event.entry:
            case Decided(decision=Decision(accepted=True, edit=made)):
                accepted[made.identity] = frozenset(change.key for change in made.proper)
            case Decided(decision=Decision(accepted=False, final=True) as old) if old.edit.identity == edit.identity:
                problem = f"refused before ({event.at}): {old.reason}"
        if accepted.get(edit.identity, frozenset()) & _taken_back(event.entry):
            problem = f"a person took this back ({event.at})"
    return problem


def _taken_back(entry: Entry) -> frozenset[str]:
    """Return the keys of what a person rolled back or retired; what the gate retires rests on pairs."""
    match entry:
        case RolledBack(proper=changes):
            return frozenset(change.key for change in changes)
        case Decided(decision=Decision(accepted=True, by=by, edit=edit) as decision) if (
            by == "person" or decision.reason == _BY_A_PERSON
        ):
            retired = (RetireSkill, RetireInsight, RetireDemonstration)
            return frozenset(change.key for change in edit.changes if isinstance(change, retired))
        case _:
            return frozenset()


def _skill_problems(skill: Skill, lesson: Lesson, library: Library) -> Iterator[str]:
    if not skill.description.strip() or len(skill.description) > 1024:
        yield f"the description has {len(skill.description)} characters; 1 to 1024 are allowed"
    if any(mark in skill.description for mark in ("<", ">", "---")):
        yield "the description contains '<', '>' or '---'"
    if skill.body.count("\n") >= 500:
        yield "the body has 500 lines or more"
    old = library.skills.get(skill.name)
    if any(other.body == skill.body for other in library.skills.values() if other is not old):
        yield "the library has another skill with this very body"
    if old is not None and (old.body, old.files) == (skill.body, skill.files):
        yield "the skill says and runs this already"
    try:
        program_of(skill)
    except InvalidSkill as fault:
        yield str(fault)
    yield from _leaks("\n".join([skill.description, skill.body, *skill.files.values()]))
    yield from _secrets("\n".join(skill.goals))
    yield from _copies("\n".join([skill.name.replace("-", " "), skill.description, skill.body]), lesson)


def _insight_problems(insight: Insight, lesson: Lesson) -> Iterator[str]:
    if len(insight.taxonomy.split("/")) != 3:
        yield f"taxonomy {insight.taxonomy!r} is not domain/level-1/level-2"
    if not insight.condition.applies.strip() or sum(map(str.isalpha, insight.explanation)) < _SAYS:
        yield "an insight needs a condition and an explanation"
    if given := _given_away(insight, lesson):
        yield f"it gives away the answer of one task ({given})"
    if _BROKEN.search(insight.explanation):
        yield "it blames the environment: a broken installation teaches nothing"
    words = _said(insight)
    yield from _leaks(words)
    yield from _secrets("\n".join([insight.example, *insight.worked]))
    yield from _copies("\n".join([words, *insight.worked]), lesson)


def _copied(insight: Insight, library: Library, events: Sequence[Event]) -> Iterator[str]:
    if near := next((other for other in library.insights.values() if _alike(insight, other)), None):
        yield f"the library says nearly that already ({near.id})"
    if near := next((other for other in _refused(events) if _alike(insight, other)), None):
        yield f"it is nearly what was refused before ({near.id})"


def _circles(insight: Insight) -> Iterator[str]:
    """Find words that a model went on to repeat; alike ones with others between them, as of a list, are none."""
    if again := _CIRCLE.search(" ".join(WORD.findall(insight.explanation.lower()))):
        yield f"it says the same again and again ({again[1]!r})"


def _alike(one: Insight, other: Insight) -> bool:
    """Tell whether two insights of one world are nearly the same words, whatever their order."""
    if one.taxonomy.partition("/")[0] != other.taxonomy.partition("/")[0]:
        return False
    first, second = (
        set(WORD.findall(f"{insight.condition.applies} {insight.explanation}".lower())) for insight in (one, other)
    )
    return len(first & second) >= NEAR_COPY * len(first | second)


def _refused(events: Sequence[Event]) -> Iterator[Insight]:
    """Yield the insights that the gate refused for good."""
    for event in events:
        match event.entry:
            case Decided(decision=Decision(accepted=False, final=True, edit=edit)):
                yield from (change.insight for change in edit.proper if isinstance(change, PutInsight))


def _given_away(insight: Insight, lesson: Lesson) -> str | None:
    """Return what the insight repeats of the known answer and the goal does not give.

    A number, a quoted value, or words in the order in which the answer has them.
    """
    said = _said(insight)
    for goal, truth in ((one.trajectory.goal, one.trajectory.truth) for one in lesson.failures):
        answer = _FRAME.sub("", truth)
        numbers = (_numbers(answer) - _numbers(goal)) & _numbers(said)
        values = [text for text in quoted(answer) if _names(said, text) and not _names(goal, text)]
        spoken, given = set(runs(said, _GIVEN_WORDS)), set(runs(goal, _GIVEN_WORDS))
        words = [run for run in runs(answer, _GIVEN_WORDS) if run in spoken and run not in given]
        if found := [*(f"{number:.10g}" for number in sorted(numbers)), *values, *words]:
            return found[0]
    return None


def _names(text: str, value: str) -> bool:
    """Tell whether a value of more than a letter stands in a text, whatever its case."""
    whole = rf"(?<!\w){re.escape(value)}(?!\w)"
    return len(value) > 1 and re.search(whole, text, re.IGNORECASE) is not None


def _numbers(text: str) -> set[float]:
    """Return the numbers of a text, however they are written: 1510, 1,510 and 1510.0 are one."""
    return {float(number.replace(",", "")) for number in _NUMBER.findall(text)}


def _said(insight: Insight) -> str:
    """Return all that an insight says, apart from the goal that it comes from."""
    condition = insight.condition
    words = [condition.applies, condition.does_not_apply, insight.explanation, *insight.defines.values()]
    return "\n".join([*words, insight.taxonomy.replace("/", " ").replace("-", " ")])


def _demonstration_problems(demo: Demonstration, lesson: Lesson) -> Iterator[str]:
    """A demonstration shows a page as it was, fenced as data; only what must never be kept is looked for.

    Its notes are advice, and held to what advice is held to.
    """
    notes = "\n".join(demo.notes.values())
    yield from _leaks(notes)
    yield from _copies(notes, lesson)
    yield from _secrets(
        "\n".join([demo.goal, *(f"{s.observation}\n{s.action}\n{s.plan}\n{s.next}" for s in demo.steps)])
    )


def _leaks(text: str) -> Iterator[str]:
    if found := _ADDRESS.search(text):
        yield f"it contains an address ({found.group()!r})"
    yield from _secrets(text)


def _secrets(text: str) -> Iterator[str]:
    if _SECRET.search(text):
        yield "it contains what looks like a credential"


def _copies(text: str, lesson: Lesson) -> Iterator[str]:
    """Find words that stand in this order both in the text and on a page of the lesson, but not in its goal."""
    attempts = [one for one in (lesson.success, *lesson.successes, *lesson.failures, *lesson.others) if one]
    goals = {run for one in attempts for run in runs(one.trajectory.goal)}
    pages = {run for one in attempts for step in one.trajectory.steps for page in _read(step) for run in runs(page)}
    for run in runs(text):
        if run in pages and run not in goals:
            yield f"it repeats a sentence of a page: {run!r}"


def _read(step: Step) -> Iterator[str]:
    """Yield all that the page could have put before the policy in this step."""
    yield step.observation.text
    yield step.error or ""
    for element in step.observation.elements:
        yield f"{element.name} {element.near}"
