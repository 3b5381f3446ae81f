"""Replies: how an action is written by a model, and read back.

An element is written by what a person sees, and by its ref last: `{"verb":"click","ref":"button Login [3]"}`. A small
model copies a name from the goal more surely than it finds a number; the number then follows from the name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from pydantic import JsonValue

from skillagent.schema import Action, Element, Json, Observation, Step

LONGEST_TEXT = 300  # characters

_SHOWN = 48
_LONGEST = 1_500  # characters: more than a reply may have
_LINE = 160  # characters
_LINES = 20
_NAMED = re.compile(r"(.*?)\s*(?:\[([^\]]*)\])?", re.DOTALL)


def written(element: Element) -> str:
    """Return the element as a model names it; two elements of one observation never come out alike."""
    return f"{_words(f'{element.role} {_seen(element)}')} [{element.ref}]"


def called(text: str, observation: Observation) -> Element | None:
    """Return the element that a text names as `written` does, with or without its ref; None where none is called so.

    The role may be left out. Of several, the one that has the ref too is meant; a ref counts for nothing where another
    name stands before it, as elsewhere it may be another element's.
    """
    known = _NAMED.fullmatch(text.strip())
    words, ref = known.groups() if known else (text, None)
    said = _words(words).casefold()
    there = sorted(observation.elements, key=lambda one: one.ref != ref) if said else []
    fits = [one for one in there if _words(f"{one.role} {_seen(one)}").casefold() == said]
    fits = fits or [one for one in there if _words(_seen(one)).casefold() == said]
    return fits[0] if fits else observation.element(words or ref)


def bounded(parameter: Json) -> Json:
    """Return the parameter with a text no longer than a person would type at once: a small model that runs on stops."""
    if parameter.get("type") != "string" or "enum" in parameter:
        return parameter
    longest = parameter.get("maxLength", LONGEST_TEXT)
    return {**parameter, "maxLength": min(longest, LONGEST_TEXT) if isinstance(longest, int) else LONGEST_TEXT}


def _seen(element: Element) -> str:
    return element.name or element.near or element.value or ""


def _words(text: str) -> str:
    return " ".join(re.sub(r'["\\\[\]\s]+', " ", text).split())[:_SHOWN].strip()


def as_reply(action: Action, observation: Observation) -> str:
    """Return the compact JSON that a model would have written for the action in that state.

    A text that no model would write, a path say, is cut.
    """
    arguments = {
        key: written(element) if key.endswith("ref") and (element := observation.element(value)) else _cut(value)
        for key, value in action.arguments.items()
    }
    return json.dumps({"verb": action.verb, **arguments}, ensure_ascii=False, separators=(",", ":"))


def _cut(value: JsonValue) -> JsonValue:
    return f"{value[:_SHOWN]}…" if isinstance(value, str) and len(value) > _LONGEST else value


def as_action(data: Json, observation: Observation) -> Action:
    """Return the action that a reply stands for, its elements as refs again."""
    refs = {written(element): element.ref for element in observation.elements}
    arguments = {
        key: refs.get(value, value) if isinstance(value, str) else value for key, value in data.items() if key != "verb"
    }
    return Action(verb=str(data["verb"]), arguments=arguments)


def retold(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return what was done, in short: at most 20 lines of at most 160 characters.

    Each action as a model writes it, with who chose it where that was not the model, and what went wrong; below it what
    memory answered. The middle of a longer episode is left out.
    """
    lines = list[str]()
    for step in steps:
        by = "" if step.by == "model" else f" [{step.by}]"
        wrong = f" ✗ {step.error}" if step.error else ""
        lines.append(_short(f"{as_reply(step.action, step.observation)}{by}{wrong}"))
        if step.recalled:
            lines.append(_short(f"was told: {step.recalled}"))
    if len(lines) > _LINES:
        half = _LINES // 2
        lines = [*lines[:half], f"… {len(lines) - _LINES + 1} lines more", *lines[1 - half :]]
    return tuple(lines)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"
