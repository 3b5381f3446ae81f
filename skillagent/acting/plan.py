"""Plan: one subgoal where one skill covers the goal or the goal is short; else its parts.

Where programs know all parts word for word, nobody is asked (`stitch`); else the model splits a long goal.

A plan costs a model call and a small model splits badly, so it is only asked for where a goal is long enough to be
several and no skill claims the whole of it. A plan out of form, or a prompt too long to ask for one, is no plan: the
goal is then its own only subgoal.
"""

from __future__ import annotations

from collections.abc import Callable

from skillagent.acting.stitch import stitched
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.prompts import fence, render
from skillagent.schema import Json, Message, Plan, Role, Subgoal

LONG_GOAL_WORDS = 40

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
_SCHEMA: Json = {
    "type": "object",
    "properties": {"subgoals": {"type": "array", "items": _SUBGOAL, "minItems": 1, "maxItems": 7}},
    "required": ["subgoals"],
    "additionalProperties": False,
}


def plan(
    goal: str,
    library: Library,
    *,
    llm: LLM | None,
    covers: Callable[[str, Library], bool],
    form: Callable[[str, Library], int] = lambda _, __: 0,
) -> Plan:
    """Return the goal's subgoals.

    Args:
        goal: In words.
        library: Its skills are named to the model.
        llm: Asked only when no skill covers a goal of more than `LONG_GOAL_WORDS` words; None: never.
        covers: Tells whether one skill covers the goal.
        form: Tells how many letters of a goal a program fixes; 0 where none says enough.
    """
    if (parts := stitched(goal, lambda text: form(text, library))) is not None:
        return parts
    if covers(goal, library):
        return Plan(goal=goal, subgoals=(Subgoal(text=goal),), covered=True)
    if llm is None or not library.skills or len(goal.split()) <= LONG_GOAL_WORDS:
        return Plan(goal=goal, subgoals=(Subgoal(text=goal),))
    skills = "\n".join(f"- {skill.name}: {skill.description[:160]}" for skill in library.skills.values())
    prompt = render("plan", skills=fence("skills", skills), goal=fence("goal", goal))
    try:
        reply = llm.reply([Message.user(prompt)], role=Role.PLANNER, schema=_SCHEMA, max_tokens=700)
    except PromptTooLong:
        return Plan(goal=goal, subgoals=(Subgoal(text=goal),))
    return Plan(goal=goal, subgoals=_subgoals(reply.data or {}) or (Subgoal(text=goal),))


def _subgoals(data: Json) -> tuple[Subgoal, ...]:
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
