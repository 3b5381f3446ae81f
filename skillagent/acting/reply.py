"""Reply: what the model may answer, as a JSON schema made from the verbs and from what is on the page now.

A ref can only be one that the current observation shows, of a role that the verb works on: whole classes of a small
model's mistakes cannot be written down. An action that is known to lead nowhere from here is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from pydantic import JsonValue

from skillagent.replies import bounded, written
from skillagent.schema import Action, Json, Observation, Verb


def reply_schema(
    verbs: Sequence[Verb], observation: Observation, barred: Collection[Action] = (), *, focus: bool = False
) -> Json:
    """Return the schema of one action: `verb` first, then that verb's arguments.

    Verbs that have nothing to work on here are left out, and so are barred ones that take nothing. Of `barred`, a verb
    that needs only a ref does not offer that ref again; one that needs more (another text may do) stops offering it
    when the very same action came twice. With `focus`, refs are those of elements that the goal names, where the goal
    names any that can still be acted on.
    """
    if focus:
        observation = _narrowed(observation, barred)
    choices: list[JsonValue] = []
    for verb in verbs:
        properties, required = verb.parameters.get("properties", {}), verb.parameters.get("required", [])
        assert isinstance(properties, dict)
        assert isinstance(required, list)
        if not properties and any(action.verb == verb.name for action in barred):
            continue
        bound: dict[str, JsonValue] = {"verb": {"const": verb.name}}
        for name, parameter in properties.items():
            assert isinstance(parameter, dict)
            if parameter.get("format") != "ref":
                bound[name] = bounded(parameter)
            elif refs := _refs(parameter, observation, _barred(verb, name, required, barred)):
                bound[name] = {"type": "string", "enum": refs}
        if all(name in bound for name in required):
            choices.append(
                {
                    "type": "object",
                    "properties": bound,
                    "required": ["verb", *required],
                    "additionalProperties": False,
                }
            )
    return {"anyOf": choices}


def _narrowed(observation: Observation, barred: Collection[Action]) -> Observation:
    """Keep only the untried elements whose name or nearby text stands in the goal; all where there are none."""
    goal, tried = f" {_words(observation.goal)} ", [action.arguments.get("ref") for action in barred]
    named = [
        element
        for element in observation.elements
        if element.ref not in tried and (name := _words(element.name or element.near)) and f" {name} " in goal
    ]
    return observation.model_copy(update={"elements": tuple(named)}) if named else observation


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _refs(parameter: Json, observation: Observation, barred: Collection[JsonValue]) -> list[JsonValue]:
    roles, only = parameter.get("roles"), parameter.get("only")
    fits = [e for e in observation.elements if not isinstance(roles, list) or e.role in roles]
    fits = [e for e in fits if not isinstance(only, list) or e.ref in only]
    return [written(element) for element in fits if element.ref not in barred]


def _barred(verb: Verb, name: str, required: list[JsonValue], barred: Collection[Action]) -> list[JsonValue]:
    tries = Counter(str(action) for action in barred)
    least = 1 if required == [name] else 2
    return [a.arguments.get(name) for a in barred if a.verb == verb.name and tries[str(a)] >= least]
