"""Fit: whether a step fits the verb that it uses, as far as that can be told before it is done.

A slot, and what is read off the page, become some text that nobody knows yet: they fit wherever one value is wanted.
Values are taken as environments take them, which make a text of a number and a number of a text. Of a JSON schema only
what verbs are made of is looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt

from pydantic import JsonValue

from skillagent.programs.template import fill, slots_of
from skillagent.schema import Do, Json, Verb

_ANY_TEXT = "{text}"
_KINDS = {"string": "a text", "number": "a number", "integer": "a whole number", "boolean": "true or false"}
_LARGE_KINDS = {"array": "a list", "object": "keys and values"}  # no text becomes one of them
_SHOWN = 60

_Limits = Mapping[str, tuple[Callable[[float, float], bool], str]]
_OF_NUMBERS: _Limits = {
    "minimum": (ge, "{} or more"),
    "maximum": (le, "{} or less"),
    "exclusiveMinimum": (gt, "more than {}"),
    "exclusiveMaximum": (lt, "less than {}"),
}
_OF_TEXTS: _Limits = {"minLength": (ge, "at least {} characters"), "maxLength": (le, "at most {} characters")}
_OF_LISTS: _Limits = {"minItems": (ge, "at least {} parts"), "maxItems": (le, "at most {} parts")}


def misused(do: Do, verb: Verb, *, hole: bool = False) -> tuple[str, str] | None:
    """Return the parameter that a step misuses, and in words how; None where the step fits the verb.

    Args:
        do: The step.
        verb: What it uses.
        hole: The model chooses what is not given.
    """
    known, required = verb.parameters.get("properties", {}), verb.parameters.get("required", [])
    assert isinstance(known, dict)
    assert isinstance(required, list)
    given = {**do.targets, **do.arguments}
    if extra := [name for name in given if name not in known]:
        return extra[0], f"{verb.signature} takes no {extra[0]!r}"
    if not hole and (missing := [str(name) for name in required if given.get(str(name)) is None]):
        return missing[0], f"{verb.signature} needs {missing[0]!r}"
    for name, value in do.arguments.items():
        schema, said = known[name], _ANY_TEXT if isinstance(value, dict) else value  # a dict: read off the page
        assert isinstance(schema, dict)
        optional = value is None and name not in required
        if not optional and (wanted := _wanted(said, schema)) is not None:
            return name, f"{name} of {verb.signature}: {wanted}, not {_shown(value)}"
    return None


def _wanted(value: JsonValue, schema: Json) -> str | None:
    """Return in words what should stand there instead of a value, or None where it fits."""
    kind = str(schema.get("type"))
    if isinstance(value, str) and slots_of(value):
        return _LARGE_KINDS.get(kind)
    taken = _taken(value, kind)
    if taken is None:
        return _KINDS.get(kind) or _LARGE_KINDS.get(kind)
    choices = schema.get("enum")
    if isinstance(choices, list) and taken not in choices:
        return f"one of {', '.join(map(str, choices))}"
    match taken:
        case str():
            return _beyond(len(taken), schema, _OF_TEXTS)
        case list():
            return _beyond(len(taken), schema, _OF_LISTS) or _wanted_within(taken, schema.get("items"))
        case int() | float():
            return _beyond(taken, schema, _OF_NUMBERS)
        case _:
            return None


def _taken(value: JsonValue, kind: str) -> JsonValue:
    """Return a value as an environment takes it for a parameter of a kind; None where it does not."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    match kind:
        case "string":
            return fill(value, {}) if isinstance(value, str) else None if number is None else str(number)
        case "number" | "integer":
            read = _number(value) if isinstance(value, str) else number
            return read if kind == "number" or read is None or read == int(read) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "array":
            return value if isinstance(value, list) else None
        case "object":
            return value if isinstance(value, dict) else None
        case _:
            return value


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _wanted_within(parts: list[JsonValue], schema: JsonValue) -> str | None:
    for n, part in enumerate(parts, start=1):
        if isinstance(schema, dict) and (wanted := _wanted(part, schema)) is not None:
            return f"{wanted} as part {n}"
    return None


def _beyond(size: float, schema: Json, limits: _Limits) -> str | None:
    """Return in words the limit that a number or a length is beyond."""
    for key, (keeps, words) in limits.items():
        limit = schema.get(key)
        if isinstance(limit, int | float) and not keeps(size, limit):
            return words.format(limit)
    return None


def _shown(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
