"""Vet: what is wrong with a proposal, as far as that can be told before it is carried out.

A proposal is a plan whose parts each have the actions that carry them out. The plan is held against the actions, and
the actions against the verbs and what is in sight. A *fault* is certain; a *doubt* may be wrong, for an action may
bring about what was never seen. Nothing that a page says is repeated: the words are ours and the proposal's own.
Source: plan and code reflection (LongVIL), here by rules, so that it costs no call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from skillagent.programs.find import place_of
from skillagent.programs.fit import misused
from skillagent.programs.template import literal
from skillagent.replies import bounded, called
from skillagent.schema import Do, Element, Json, Observation, Target, Verb

_PARTS = 10
_DOES = 120  # characters of what a part does
_NAME = 80  # characters of what an element is called
_SHOWN = 60


@dataclass(frozen=True)
class Part:
    """What a part of a plan does, in words, and the actions that do it; their elements are told in words too."""

    does: str
    actions: tuple[Json, ...]


@dataclass(frozen=True)
class Proposal:
    """The parts of a plan in the order of doing; `loose` actions belong to none of them."""

    parts: tuple[Part, ...] = ()
    loose: tuple[Json, ...] = ()

    @property
    def actions(self) -> list[Json]:
        """All actions of all parts."""
        return [action for part in self.parts for action in part.actions]

    def __str__(self) -> str:
        """As the model wrote it, without white space."""
        plan: list[JsonValue] = [{"does": part.does, "actions": [*part.actions]} for part in self.parts]
        told: Json = {"plan": plan, **({"actions": [*self.loose]} if self.loose else {})}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def proposed(data: Json | None) -> Proposal:
    """Return what a reply proposes; nothing where it is out of form."""
    told = data or {}
    plan = told.get("plan")
    parts = [one for one in plan if isinstance(one, dict)] if isinstance(plan, list) else []
    return Proposal(
        parts=tuple(Part(does=str(one.get("does", "")), actions=_actions(one)) for one in parts),
        loose=_actions(told),
    )


def _actions(told: Json) -> tuple[Json, ...]:
    actions = told.get("actions")
    return tuple(one for one in actions if isinstance(one, dict)) if isinstance(actions, list) else ()


def schema(verbs: Sequence[Verb], most: int) -> Json:
    """Return the schema of a proposal with at most so many actions in a part."""
    choices: list[JsonValue] = []
    for verb in verbs:
        known: Json = {"verb": {"const": verb.name}}
        for name, parameter in _parameters(verb).items():
            words: Json = {"type": "string", "minLength": 1, "maxLength": _NAME}
            known[name] = words if _is_ref(parameter) else bounded(parameter)
        required = verb.parameters.get("required", [])
        assert isinstance(required, list)
        form: Json = {"type": "object", "properties": known, "required": ["verb", *required]}
        choices.append({**form, "additionalProperties": False})
    actions: Json = {"type": "array", "items": {"anyOf": choices}, "minItems": 1, "maxItems": most}
    part = _object({"does": {"type": "string", "minLength": 1, "maxLength": _DOES}, "actions": actions})
    return _object({"plan": {"type": "array", "items": part, "minItems": 1, "maxItems": _PARTS}})


def faults(proposal: Proposal, verbs: Sequence[Verb], first: Observation | None, most: int) -> list[str]:
    """Return what is certainly wrong.

    Args:
        proposal: Is looked at.
        verbs: What can be done.
        first: The state at the start, if it is known: the first action needs what is there.
        most: Actions that can be done.
    """
    found, actions = [*_unplanned(proposal)], proposal.actions
    if len(actions) > most:
        found.append(f"There are {len(actions)} actions; no more than {most} can be done.")
    for number, said in enumerate(actions, start=1):
        if (wrong := _misused(said, verbs)) is not None:
            found.append(f"Action {number}: {wrong}.")
        elif number == 1 and first is not None:
            missing = [name for name in _named(said, verbs).values() if called(name, first) is None]
            found += [f"Action 1: nothing is called {_short(name)} at the start." for name in missing]
    return found


def doubts(proposal: Proposal, verbs: Sequence[Verb], seen: Sequence[Observation]) -> list[str]:
    """Return what looks wrong by the states that were seen so far.

    That nothing is called so counts only where the same things were there in all of them: elsewhere more may come.
    """
    found, number = list[str](), 0
    fixed = len({frozenset((one.role, one.name) for one in now.elements) for now in seen}) == 1
    for place, part in enumerate(proposal.parts, start=1):
        on = list[Element]()
        for said in part.actions:
            number += 1
            for parameter, name in _named(said, verbs).items():
                there = [one for now in seen if (one := called(name, now)) is not None]
                on += there
                if fixed and not there:
                    found.append(f"Action {number}: nothing is called {_short(name)} in any state seen so far.")
                elif there and (fault := _not_for(said, verbs, parameter, there)):
                    found.append(f"Action {number}: {fault}.")
        if on and _beside(part, on, seen):
            found.append(f"Part {place}: none of its actions is on anything that it names.")
    return found


def _unplanned(proposal: Proposal) -> Iterator[str]:
    """Yield where plan and actions do not go together."""
    if proposal.loose:
        yield "Actions stand outside of the plan; each belongs to the part that it carries out."
    for number, part in enumerate(proposal.parts, start=1):
        if not part.does.strip():
            yield f"Part {number} does not say what it does."
        if not part.actions:
            yield f"Part {number} has no action that carries it out."


def _misused(said: Json, verbs: Sequence[Verb]) -> str | None:
    """Return how an action does not fit its verb; of several of one name, the first."""
    fitting = [verb for verb in verbs if verb.name == said.get("verb")]
    if not fitting:
        names = ", ".join(dict.fromkeys(verb.name for verb in verbs))
        return f"there is no verb {_short(said.get('verb'))}; the verbs are {names}"
    wrong = [_misfit(said, verb) for verb in fitting]
    return None if None in wrong else wrong[0]


def _misfit(said: Json, verb: Verb) -> str | None:
    known, targets, arguments = _parameters(verb), dict[str, Target](), dict[str, JsonValue]()
    for name, value in said.items():
        if name in known and _is_ref(known[name]) and value is not None:
            if not isinstance(value, str) or not value.strip():
                return f"{name} of {verb.signature}: an element by its role and name, not {_short(value)}"
            targets[name] = Target(name=literal(value))
        elif name != "verb":
            arguments[name] = literal(value) if isinstance(value, str) else value
    wrong = misused(Do(verb=verb.name, targets=targets, arguments=arguments), verb)
    return wrong[1] if wrong is not None else None


def _not_for(said: Json, verbs: Sequence[Verb], parameter: str, there: Sequence[Element]) -> str | None:
    """Return what a verb works on, where none of the elements is of that kind."""
    verb = next(one for one in verbs if one.name == said["verb"])
    roles = _parameters(verb)[parameter].get("roles")
    if not isinstance(roles, list) or any(one.role in roles for one in there):
        return None
    return f"{verb.signature} works on {' or '.join(map(str, roles))} alone"


def _beside(part: Part, on: Sequence[Element], seen: Sequence[Observation]) -> bool:
    """Tell whether the words of a part name things in sight, and its actions have to do with none of them."""
    names = {one.name for now in seen for one in now.elements if one.name and place_of(one.name, part.does)}
    texts = [value for said in part.actions for value in said.values() if isinstance(value, str)]
    return bool(names) and not any(one.name in names for one in on) and not any(map(set(texts).__contains__, names))


def _named(said: Json, verbs: Sequence[Verb]) -> dict[str, str]:
    """Return what an action calls its elements, by parameter; of a verb that there is."""
    verb = next((one for one in verbs if one.name == said.get("verb")), None)
    known = _parameters(verb) if verb else {}
    return {
        name: value for name, value in said.items() if isinstance(value, str) and name in known and _is_ref(known[name])
    }


def _parameters(verb: Verb) -> dict[str, Json]:
    properties = verb.parameters.get("properties", {})
    assert isinstance(properties, dict)
    return {name: parameter for name, parameter in properties.items() if isinstance(parameter, dict)}


def _is_ref(parameter: Json) -> bool:
    return parameter.get("format") == "ref"


def _short(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
