"""Forms: what programs know how to do, as sentences with slots, of which a planner makes the parts of a plan.

A planner that writes its parts freely words them as no program knows them. One that fills a known sentence names the
skill with it, and while it decodes the model is bound to such sentences, and their slots to things of the right kind
that are in sight. Source: plans as calls of known functions (ProgPrompt), grounded in what can be done here (SayCan).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from skillagent.errors import InvalidSkill
from skillagent.programs.find import place_of
from skillagent.programs.template import filled_by, slots_of_pattern, written
from skillagent.programs.text import program_of
from skillagent.schema import (
    Ask,
    Do,
    Each,
    Filled,
    Json,
    Node,
    Observation,
    Program,
    Repeat,
    Skill,
    Subgoal,
    Target,
    Value,
    When,
)

Own = Literal["any", "missing", "none"]  # parts in words of the model's own

MOST = 7  # parts of a plan
_NAMED = 30  # skills that the model is told of
_VALUE = 60  # letters
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)")
_TEXT: Json = {"type": "string", "maxLength": 200}
_SAID: Json = {"type": "string", "maxLength": 120}


class Form(Value):
    """A sentence with slots that a program knows, what can fill some of them here, and a goal of that form."""

    text: str
    values: Mapping[str, tuple[str, ...]] = {}
    solved: str = ""


def forms_of(skills: Sequence[Skill], goal: str, seen: Observation | None) -> list[Form]:
    """Return the sentences that programs of the first thirty skills know and that can be filled here, each once.

    Of sentences with the same slots, which say the same in other words, the first. A slot that names a thing takes the
    names of such things in sight, of those that the goal names where it names any, and one that was a number in every
    goal that the skill has solved takes the numbers of this goal. A sentence that names another thing is left out.

    Args:
        skills: Whose programs.
        goal: That is planned.
        seen: The present state; None: any value will do.
    """
    known = [form for skill in skills[:_NAMED] for form in _forms(skill, goal, seen)]
    return list({form.text: form for form in reversed(known)}.values())[::-1]


def _forms(skill: Skill, goal: str, seen: Observation | None) -> Iterator[Form]:
    try:
        program = program_of(skill)
    except InvalidSkill:  # its words alone are used
        return
    texts = {frozenset(slots_of_pattern(text)): text for text in reversed(program.goals if program else ())}
    for text in reversed(texts.values()):
        solved = [(one, filled) for one in skill.goals if (filled := filled_by((text,), one)) is not None]
        values = _values(text, program, goal, [filled for _, filled in solved], seen) if program and seen else {}
        if all(values.values()) and not (seen and _stray(text, goal, seen)):
            yield Form(text=text, values=values, solved=next((one for one, _ in solved if one != text), ""))


def _values(
    text: str, program: Program, goal: str, solved: Sequence[Filled], seen: Observation
) -> dict[str, tuple[str, ...]]:
    """Return what can fill some of the slots of a sentence here."""
    known = _named(slots_of_pattern(text), program, seen)
    asked = {slot: tuple(name for name in names if place_of(name, goal)) for slot, names in known.items()}
    return {**_numbers(goal, solved), **{slot: asked[slot] or names for slot, names in known.items()}}


def _stray(text: str, goal: str, seen: Observation) -> bool:
    """Tell whether a sentence itself, its slots aside, names a thing in sight that the goal does not name."""
    return any(one.name and place_of(one.name, text) and not place_of(one.name, goal) for one in seen.elements)


def described(forms: Sequence[Form], skills: Sequence[Skill]) -> str:
    """Return what is known as the planner is told of it: sentences, and skills without a program in words."""
    lines = [f"- {form.text}" + (f" For example: {form.solved}" if form.solved else "") for form in forms]
    return "\n".join([*lines, *(f"- {one.name}: {one.description[:160]}" for one in skills[:_NAMED])])


def schema(forms: Sequence[Form], *, own: Own) -> Json:
    """Return what a plan may look like: one to seven parts, each a known sentence and what fills its slots.

    Args:
        forms: The known sentences.
        own: Which parts may be in words of the model's own: `any`, and it may ask for a skill that is missing; those
            for which a skill is `missing`, and it says which; or `none`.
    """
    kinds = [_object({"do": {"const": form.text}, "with": _slots(form), "done_when": _SAID}) for form in forms]
    if own != "none":
        wanted: Json = {**_SAID, "minLength": 1} if own == "missing" else _SAID
        kinds.append(_object({"text": _TEXT, "done_when": _SAID, "wanted": wanted}))
    parts: Json = {"type": "array", "items": {"anyOf": [*kinds]}, "minItems": 1, "maxItems": MOST}
    return _object({"subgoals": parts})


def subgoals(data: Json) -> tuple[Subgoal, ...]:
    """Return the parts that a planner's reply names, seven at most; none where it is out of form."""
    parts = data.get("subgoals")
    made = [_subgoal(part) for part in (parts if isinstance(parts, list) else []) if isinstance(part, dict)]
    return tuple(one for one in made if one is not None)[:MOST]


def _subgoal(part: Json) -> Subgoal | None:
    form, given = part.get("do"), part.get("with")
    filled = written(str(form), given) if isinstance(given, dict) else ""
    text = str(part.get("text", "")) if form is None else filled
    if not text.strip():
        return None
    return Subgoal(text=text, done_when=str(part.get("done_when", "")), wanted=str(part.get("wanted") or "") or None)


def _numbers(goal: str, filled: Sequence[Filled]) -> dict[str, tuple[str, ...]]:
    """Return the numbers of a goal for each slot that was a number in every goal that was solved."""
    if not filled:
        return {}
    told = [{name for name, value in one.items() if _NUMBER.fullmatch(str(value))} for one in filled]
    found = tuple(dict.fromkeys(_NUMBER.findall(goal)))
    return dict.fromkeys(sorted(set.intersection(*told)), found)


def _named(slots: Iterable[str], program: Program, seen: Observation) -> dict[str, tuple[str, ...]]:
    """Return for each slot that names an element the names of such elements in sight."""
    found = dict[str, tuple[str, ...]]()
    for target, within in _targets(program.steps, {}):
        for slot in slots:
            if target.name in (f"{{{slot}}}", f"{{{within.get(slot, '')}}}"):
                names = [one.name for one in seen.elements if target.role in ("", one.role) and one.name]
                found[slot] = tuple(name for name in dict.fromkeys(names) if slot not in found or name in found[slot])
    return found


def _targets(steps: Sequence[Node], items: Mapping[str, str]) -> Iterator[tuple[Target, Mapping[str, str]]]:
    """Yield all targets of all steps, and the names of the values of lists there, by the list's slot."""
    for step in steps:
        match step:
            case Do():
                yield from ((target, items) for target in step.targets.values())
            case Ask():
                yield from ((target, items) for target in step.do.targets.values())
            case Each():
                yield from _targets(step.do, {**items, step.slot: step.item})
            case Repeat():
                yield from _targets(step.do, items)
            case When():
                yield from _targets((*step.do, *step.otherwise), items)
            case _:
                pass


def _slots(form: Form) -> Json:
    slots: Json = {}
    for name, many in slots_of_pattern(form.text).items():
        value: Json = {"type": "string", "minLength": 1, "maxLength": _VALUE}
        value = {"enum": [*form.values[name]]} if name in form.values else value
        slots[name] = {"type": "array", "items": value, "minItems": 1, "maxItems": 9} if many else value
    return _object(slots)


def _object(properties: Json) -> Json:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}
