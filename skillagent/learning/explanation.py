"""Explanation: why attempts failed, in the agent's own words, as an insight with a condition.

The model compares what failed with what worked, with what really followed when different things were done in one state,
and with what would have been right where that is known. Whether its explanation is of any use the gate finds out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import get_args

from skillagent.learning.alternatives import alternatives
from skillagent.learning.refine import like_goals
from skillagent.learning.taxonomy import GENERAL, folded, in_use, labels
from skillagent.learning.trace import instruct, instructions, runs, useful_steps
from skillagent.learning.wording import kebab, single, texts, whole_sentences
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.prompts import fence, render
from skillagent.replies import as_reply
from skillagent.schema import Attempt, Condition, Insight, InsightKind, Json, Lesson, Message, Role, digest_of

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
_EXAMPLE: Json = {  # of a task that no page asks for: to lay a lamp into a drawer
    "explanation": "First `pull` the drawer open by its handle, then `release` the thing above it. "
    "Let go above a shut drawer it falls beside it.",
    "applies": "When a drawer or a box is shut and something belongs inside.",
    "does_not_apply": "When it stands open already, or the thing is to lie on top of it.",
    "level_1": "containers",
    "means_1": "what things are kept in",
    "level_2": "opening",
    "means": "what must be open before it is used",
    "kind": "subgoal",
}
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
    data = {key: text if key == "kind" else _own(text, _LENGTHS.get(key)) for key, text in said.items()}
    if not data.get("explanation"):
        return None
    levels = [kebab(data.get(level, "")) or GENERAL for level in ("level_1", "level_2")]
    named = "/".join([env, *levels])
    taxonomy = folded(named, library.insights.values())
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
    """Return the whole sentences that a model wrote itself, each once; nothing where it repeats the example."""
    known = {run for said in _EXAMPLE.values() for run in runs(str(said))}
    if text in _EXAMPLE.values() or not known.isdisjoint(runs(text)):
        return ""
    return single(whole_sentences(text, limit) if limit else text)


def _defined(taxonomy: str, data: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return what the labels mean that have no meaning yet, as far as it was said."""
    said = zip((taxonomy.rpartition("/")[0], taxonomy), ("means_1", "means"), strict=True)
    told = {label: data.get(key, "") for label, key in said if not known.get(label)}
    return {label: means for label, means in told.items() if means}


def _worked(success: Attempt | None) -> tuple[str, ...]:
    """Return what a success did, as a model would write it, without the refs of its page; nothing where it is long."""
    steps = useful_steps(success.trajectory) if success else ()
    said = tuple(_REF.sub(r'\1"', as_reply(step.action, step.observation)) for step in steps)
    return said if sum(map(len, said)) <= _WORKED else ()


def _difference(lesson: Lesson) -> list[str]:
    """Return the instructions that only a success carried out, and those that only failures did."""
    right = _instructions(lesson.success) if lesson.success else []
    wrong = [line for one in lesson.failures[:2] for line in _instructions(one)]
    only = [f"worked: {line}" for line in right if line not in wrong]
    return [*only, *(f"failed: {line}" for line in wrong if line not in right)] if right else []


def _instructions(one: Attempt) -> list[str]:
    return list(dict.fromkeys(_plain(instruct(step, one.trajectory.goal)) for step in one.trajectory.steps))


def _plain(line: str) -> str:
    """Return an instruction without the marks that would end the model's own text."""
    return line.replace('"', "'")


def _told(one: Attempt) -> str:
    trajectory = one.trajectory
    lines = instructions(trajectory.steps, trajectory.goal)
    errors = [f"error: {step.error.splitlines()[0][:120]}" for step in trajectory.steps if step.error]
    result = _SAID_BY.sub("", one.verdict.reason)
    return "\n".join([*map(_plain, lines[:8]), *errors[:2], f"result: {result}, score {one.verdict.score}"])
