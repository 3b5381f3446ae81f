"""Plan: one subgoal where one skill covers the goal or the goal is short; else its parts.

Where programs know all parts word for word, nobody is asked (`stitch`); else the model splits a long goal.

A plan costs a model call and a small model splits badly, so it is only asked for where a goal is long enough to be
several and no skill claims the whole of it. A plan out of form, or a prompt too long to ask for one, is no plan: the
goal is then its own only subgoal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skillagent.acting.stitch import stitched
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.prompts import fence, render
from skillagent.schema import Json, Message, Plan, Role, Skill, Subgoal

LONG_GOAL_WORDS = 40
_NAMED = 30  # skills that the model is told of

_SUBGOAL: Json = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 200},
        "done_when": {"type": "string", "maxLength": 120},
        "wanted": {"type": "string", "maxLength": 120},
    },
    "required": ["text", "done_when", "wanted"],
    "additionalProperties": False,
}
SCHEMA: Json = {
    "type": "object",
    "properties": {"subgoals": {"type": "array", "items": _SUBGOAL, "minItems": 1, "maxItems": 7}},
    "required": ["subgoals"],
    "additionalProperties": False,
}


def plan(
    whole: Plan,
    library: Library,
    *,
    llm: LLM | None,
    covers: Callable[[str, Library, str], bool],
    form: Callable[[str, Library, str], int],
    near: Callable[[str, Library, str], Sequence[Skill]],
) -> Plan:
    """Return the plan with its goal divided into subgoals, or as it is.

    Args:
        whole: Its goal in words, and the domain that it is for.
        library: Its skills nearest to the goal are named to the model.
        llm: Asked only when no skill covers a goal of more than `LONG_GOAL_WORDS` words; None: never.
        covers: Tells whether one skill covers a goal in a domain.
        form: Tells how many letters of a goal a program fixes in a domain; 0 where none says enough.
        near: Returns the skills of use in a domain, the nearest to a goal first.
    """
    goal, domain = whole.goal, whole.domain
    if parts := stitched(goal, lambda text: form(text, library, domain)):
        return whole.model_copy(update={"subgoals": tuple(Subgoal(text=part) for part in parts)})
    if covers(goal, library, domain):
        return whole.model_copy(update={"covered": True})
    if llm is None or len(goal.split()) <= LONG_GOAL_WORDS or not (known := near(goal, library, domain)):
        return whole
    prompt = render("plan", skills=fence("skills", described(known)), goal=fence("goal", goal))
    try:
        reply = llm.reply([Message.user(prompt)], role=Role.PLANNER, schema=SCHEMA, max_tokens=700)
    except PromptTooLong:
        return whole
    return whole.model_copy(update={"subgoals": subgoals(reply.data or {}) or whole.subgoals})


def described(skills: Sequence[Skill]) -> str:
    """Return skills as the planner is told of them, the first thirty."""
    return "\n".join(f"- {skill.name}: {skill.description[:160]}" for skill in skills[:_NAMED])


def subgoals(data: Json) -> tuple[Subgoal, ...]:
    """Return the parts that a planner's reply names, seven at most; none where it is out of form."""
    parts = data.get("subgoals")
    return tuple(
        Subgoal(
            text=str(part["text"]),
            done_when=str(part.get("done_when", "")),
            wanted=str(part.get("wanted") or "") or None,
        )
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict) and str(part.get("text", "")).strip()
    )[:7]
