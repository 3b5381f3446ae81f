"""Invent: examples that the model makes up for itself where the library has none.

Source: self-contemplation prompting (SEC). They are shown once, marked as made up, and never stored: nobody has checked
them.
"""

from __future__ import annotations

from collections.abc import Sequence

from skillagent.errors import PromptTooLong
from skillagent.ports import LLM
from skillagent.prompts import fence, render
from skillagent.schema import Message, Role, Verb

SELF_MADE = "self-made"  # stands among what was shown, so that its lift can be told
_LONGEST = 2_000  # characters


def invented(goal: str, verbs: Sequence[Verb], llm: LLM, *, count: int) -> str:
    """Return tasks like the goal, each with an action that the model thinks right; empty where it has no room to."""
    documented = "\n".join(f"- {verb.signature}: {verb.doc}" for verb in verbs)
    prompt = render("invent", count=str(count), verbs=documented, goal=fence("goal", goal))
    try:
        reply = llm.reply([Message.user(prompt)], role=Role.ACTOR, max_tokens=400)
    except PromptTooLong:
        return ""
    text = reply.text.strip()[:_LONGEST]
    return f"Tasks of this kind that you made up; nobody has checked them:\n{fence('made-up', text)}" if text else ""
