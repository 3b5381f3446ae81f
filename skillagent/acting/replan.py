"""Replan: where a part of a plan failed, the model plans what is left, from the present state on.

It is told what was carried out and whether that is still so, what failed and why. A reply out of form, or a prompt too
long to ask with, is no plan: the model then goes on by itself. How often it is asked is the caller's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from skillagent.acting.plan import STATE, asked
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.prompts import fence
from skillagent.schema import Observation, Plan, Replanned, Route, Skill, Subgoal


@dataclass(frozen=True)
class Failed:
    """A part of a plan that failed, and why; `before` are those carried out earlier, and whether they are so now.

    None: nobody can tell.
    """

    plan: Plan
    part: Subgoal
    why: str
    before: Sequence[tuple[Subgoal, bool | None]] = ()


def replan(
    failed: Failed,
    now: Observation,
    library: Library,
    *,
    llm: LLM,
    near: Callable[[str, Library, str], Sequence[Skill]],
    route: Callable[[Plan, Library], Route],
) -> Replanned | None:
    """Return a plan for what is left, with the skills of its parts; None where the model gives none.

    Args:
        failed: What the plan came to.
        now: The present state.
        library: Its skills nearest to the goal are named to the model.
        llm: Is asked once.
        near: Returns the skills of use in a domain, the nearest to a goal first.
        route: Says which skills are for the parts.
    """
    plan = failed.plan
    parts = asked(
        "replan",
        plan.goal,
        near(plan.goal, library, plan.domain),
        now,
        llm,
        own="any",
        done=fence("worked", "\n".join(_told(part, so) for part, so in failed.before) or "nothing"),
        failed=fence("failed", f"{failed.part.text}: {failed.why}"),
        state=fence("state", now.text[:STATE]),
    )
    if not parts:
        return None
    plan = plan.model_copy(update={"subgoals": parts, "covered": False})
    nothing = tuple(() for _ in parts)  # of examples and insights those that the conversation began with stay
    skills = route(plan, library).model_copy(update={"insights": nothing, "demonstrations": nothing})
    return Replanned(why=failed.why, plan=plan, route=skills)


def _told(part: Subgoal, so: bool | None) -> str:
    if so is None:
        return f"- {part.text}"
    return f"- {part.text} ({'it is so' if so else 'it is no longer so'} that {part.done_when})"
