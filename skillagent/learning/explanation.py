"""Explanation: why attempts failed, in the agent's own words, as an insight with a condition.

The model compares what failed with what worked, with what really followed when different things were done in one state,
and with what would have been right where that is known. Whether its explanation is of any use the gate finds out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import get_args

from skillagent.learning.alternatives import alternatives
from skillagent.learning.refine import like_goals
from skillagent.learning.taxonomy import GENERAL, folded, in_use, labels
from skillagent.learning.trace import WORD, instruct, instructions, runs, useful_steps
from skillagent.learning.wording import kebab, sentences, single, texts, whole_sentences
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.prompts import fence, render
from skillagent.replies import as_reply
from skillagent.schema import Attempt, Condition, Insight, InsightKind, Json, Lesson, Message, Role, Step, digest_of

_WORKED = 900  # characters: what is longer is a demonstration's to show
_REF = re.compile(r'(ref":"[^"]*) \[\w+\]"')  # of one page load
_KINDS: tuple[InsightKind, ...] = get_args(InsightKind)
_SAID_BY = re.compile(  # who judged or acted is no part of what happened
    r"\b(?:an? |the )?(?:person|human|expert|oracle|teacher|user) (?:said|says|showed|shows|did)(?: that)?\b\s*",
    re.IGNORECASE,
)
_LENGTHS = {"explanation": 300, "applies": 160, "does_not_apply": 160}
_TOPICS = {"level_1": 30, "means_1": 80, "level_2": 30, "means": 120}
_SCHEMA = texts({**_LENGTHS, **_TOPICS}, choices={"kind": _KINDS})
_EXAMPLE: Json = {  # of a task that no environment asks for, with verbs that none has
    "explanation": "First `unchain` the bicycle from its post, then `pedal`. "
    "With the chain still on, its wheel does not turn.",
    "applies": "When a bicycle is to be ridden and something ties it down.",
    "does_not_apply": "When it stands loose already, or is only to be looked at.",
    "level_1": "bicycles",
    "means_1": "what is ridden",
    "level_2": "chains",
    "means": "what ties a thing down",
    "kind": "subgoal",
}
_LEVELS = ("level_1", "level_2")
_LINES = 8  # of instructions
_LABELS = 20  # of the domain that are told


def explained(lesson: Lesson, library: Library, *, llm: LLM) -> Insight | None:
    """Return what the lesson's failures teach; None where the model gives no explanation.

    Args:
        lesson: With at least one failure.
        library: Whose labels are used again where the new ones are nearly the same.
        llm: Explains.
    """
    goal, env = lesson.failures[0].trajectory.goal, lesson.failures[0].trajectory.task.env
    told = alternatives([one for one in (*lesson.failures, *lesson.successes) if not one.trajectory.asked])
    truth = next((one.trajectory.truth for one in lesson.failures if one.trajectory.truth), "")
    prompt = render(
        "explain",
        example=json.dumps(_EXAMPLE),
        goal=fence("goal", goal),
        failed=fence("failed", "\n".join(_told(one) for one in lesson.failures[:2])),
        worked=fence("worked", _told(lesson.success) if lesson.success else "(nothing yet)"),
        difference=fence("difference", "\n".join(_difference(lesson)) or "(nothing)"),
        alternatives=fence("alternatives", "\n".join(told) or "(none)"),
        truth=fence("answer", truth or "(not known)"),
        labels=fence("labels", "\n".join(in_use(env, library.insights.values(), _LABELS)) or "(none yet)"),
    )
    reply = llm.reply([Message.user(prompt)], role=Role.REFLECTOR, schema=_SCHEMA, max_tokens=450)
    said = {key: str(text) for key, text in (reply.data or {}).items()}
    data = {
        key: single(text) if key in ("kind", *_LEVELS) else _own(text, _LENGTHS.get(key)) for key, text in said.items()
    }
    if not data.get("explanation"):
        return None
    named = "/".join([env, *(kebab(data.get(level, "")) or GENERAL for level in _LEVELS)])
    taxonomy = folded(_without_examples(named, library), library.insights.values())
    origin = "contrast" if lesson.success else "answer" if truth else "failure"
    worked = _worked(lesson.success)
    return Insight(
        id=f"{'-'.join(taxonomy.split('/')[1:])}-{digest_of([*data.values()])[:6]}",
        taxonomy=taxonomy,
        kind=next((kind for kind in _KINDS if kind == data.get("kind")), "pitfall"),
        condition=Condition(
            applies=data.get("applies") or like_goals([goal]),
            does_not_apply=data.get("does_not_apply", ""),
        ),
        explanation=data["explanation"],
        example=lesson.success.trajectory.goal if lesson.success and worked else goal,
        worked=worked,
        evidence=lesson.evidence,
        origin=origin if taxonomy == named else f"{origin}; came as {named}",
        defines=_defined(taxonomy, data, labels(library.insights.values())),
    )


def _own(text: str, limit: int | None) -> str:
    """Return the whole sentences that a model wrote itself, each once: none that repeats the example."""
    whole = whole_sentences(text, limit) if limit else text
    known = {run for shown in _EXAMPLE.values() for run in _parts(str(shown))}
    return single(" ".join(one for one in sentences(whole) if known.isdisjoint(_parts(one))))


def _parts(text: str) -> set[str]:
    """Return what shows that a text was copied: its sentences as bare words, and its runs of words."""
    return {*(" ".join(WORD.findall(one.casefold())) for one in sentences(text)), *runs(text)}


def _without_examples(taxonomy: str, library: Library) -> str:
    """Return the taxonomy without the labels of the example, apart from those that the library uses in that domain."""
    domain, *levels = taxonomy.split("/")
    used = {
        kebab(part)
        for label in labels(library.insights.values())
        for part in label.split("/")[1:]
        if label.startswith(f"{domain}/")
    }
    shown = {kebab(str(_EXAMPLE[level])) for level in _LEVELS} - used
    return "/".join([domain, *(GENERAL if level in shown else level for level in levels)])


def _defined(taxonomy: str, data: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return what the labels mean that have no meaning yet, as far as it was said; general means nothing."""
    said = zip((taxonomy.rpartition("/")[0], taxonomy), ("means_1", "means"), strict=True)
    told = {label: data.get(key, "") for label, key in said if not known.get(label)}
    return {label: means for label, means in told.items() if means and not label.endswith(f"/{GENERAL}")}


def _worked(success: Attempt | None) -> tuple[str, ...]:
    """Return what a success did, as a model would write it, without the refs of its page; nothing where it is long."""
    steps = useful_steps(success.trajectory) if success else ()
    said = tuple(_REF.sub(r'\1"', as_reply(step.action, step.observation)) for step in steps)
    return said if sum(map(len, said)) <= _WORKED else ()


def _difference(lesson: Lesson) -> list[str]:
    """Return instructions that were of use in the success alone, and those that only failures carried out."""
    if lesson.success is None:
        return []
    goal, steps = lesson.success.trajectory.goal, lesson.success.trajectory.steps
    wrong = [line for one in lesson.failures[:2] for line in _instructions(one.trajectory.steps, one.trajectory.goal)]
    useful, right = _instructions(useful_steps(lesson.success.trajectory), goal), _instructions(steps, goal)
    only = [f"worked: {line}" for line in useful if line not in wrong][:_LINES]
    return [*only, *[f"failed: {line}" for line in dict.fromkeys(wrong) if line not in right][:_LINES]]


def _instructions(steps: Sequence[Step], goal: str) -> list[str]:
    """Return the instructions of what was done, each once; to ask memory, or to do nothing, is none."""
    made = [step for step in steps if not step.recalled and step.action.verb != "none"]
    return list(dict.fromkeys(_plain(instruct(step, goal)) for step in made))


def _plain(line: str) -> str:
    """Return an instruction without the marks that would end the model's own text."""
    return line.replace('"', "'")


def _told(one: Attempt) -> str:
    trajectory = one.trajectory
    lines = instructions(trajectory.steps, trajectory.goal)
    errors = [f"error: {step.error.splitlines()[0][:120]}" for step in trajectory.steps if step.error]
    result = _SAID_BY.sub("", one.verdict.reason)
    return "\n".join([*map(_plain, lines[:_LINES]), *errors[:2], f"result: {result}, score {one.verdict.score}"])
