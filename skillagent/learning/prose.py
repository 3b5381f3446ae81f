"""Prose: a program as numbered steps in words, so that the text of a skill and what it runs say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from skillagent.learning.trace import NAMED_WORDS, WORD, shorten
from skillagent.programs.template import slots_of, slots_of_pattern
from skillagent.schema import Ask, Check, Do, Each, Expect, Node, Program, Repeat, Target, When

_LONE = re.compile(r"\{([a-z][a-z0-9_]*)(?:\|[a-z]+)?\}")
_LONGEST = 80  # characters of a fixed text: of a path, nobody reads more


def prose(program: Program) -> list[str]:
    """Return one line a step, the steps of loops and conditions within their line."""
    contexts = _contexts(program.goals)
    return [_node(node, contexts) for node in program.steps]


def _contexts(goals: Sequence[str]) -> dict[str, str]:
    """Return for each slot the words that stand before it in the goal, without other values."""
    found: dict[str, str] = {}
    for pattern in goals:
        for name in slots_of_pattern(pattern):
            before = re.split(rf"\{{{name}(?:\.\.\.)?\}}", pattern)[0]
            words = re.findall(r"\w+|…", re.sub(r"[\"“']?\{[^}]*\}[\"”']?", "…", before))
            while words and words[-1] == "…":
                words.pop()
            found.setdefault(name, " ".join(words[-4:]))
    return found


def _node(node: Node, contexts: Mapping[str, str]) -> str:
    match node:
        case Do():
            return _do(node, contexts)
        case Ask():
            about = f" ({node.about})" if node.about else ""
            return f"{_do(node.do, contexts)}, as the goal asks{about}"
        case Expect():
            return f"Check that {_check(node.check, contexts)}"
        case Each():
            each = "one that the goal names" if node.of is None else _target(node.of, contexts)
            return f"{_all(node.do, contexts)}; repeat this for each {each}"
        case Repeat():
            return f"{_all(node.do, contexts)}; repeat this until {_check(node.until, contexts)}"
        case When():
            other = f"; else {_all(node.otherwise, contexts)}" if node.otherwise else ""
            return f"If {_check(node.check, contexts)}: {_all(node.do, contexts)}{other}"


def _all(nodes: Sequence[Node], contexts: Mapping[str, str]) -> str:
    return ", then ".join(_node(node, contexts) for node in nodes)


def _do(node: Do, contexts: Mapping[str, str]) -> str:
    parts = [f"`{node.verb}`"]
    for name, target in node.targets.items():
        parts.append(f"{'onto ' if name == 'to_ref' else ''}the {_target(target, contexts)}")
    for name, value in node.arguments.items():
        parts.append(_argument(name, value, contexts))
    return " ".join(parts)


def _argument(name: str, value: JsonValue, contexts: Mapping[str, str]) -> str:
    if isinstance(value, dict):
        return f"with what the page says behind {_value(str(value['behind']), contexts)}"
    if not isinstance(value, str):
        return f"{name} {value}"
    if slots_of(value):
        return f"with {_value(value, contexts)}"
    return f"with {name} {value if len(value) <= _LONGEST else f'{value[:_LONGEST]}…'!r}"


def _value(template: str, contexts: Mapping[str, str]) -> str:
    """Return a text that comes from the goal in words."""
    lone = _LONE.fullmatch(template)
    if lone is None:
        return f"{template!r}"
    how = {"upper": " in capitals", "lower": " in small letters", "title": " with a capital"}
    how |= {"time": " as hours and minutes like 21:37", "date": " as a date like 2016-12-31"}
    written = next((words for word, words in how.items() if template.endswith(f"|{word}}}")), "")
    before = contexts.get(lone[1])
    if before is None:
        return f"the value{written}"
    place = f' gives after "{before}"' if before else " begins with"
    return f"the value that the goal{place}{written}"


def _target(target: Target, contexts: Mapping[str, str]) -> str:
    parts = [target.role or "element"]
    if target.name is not None:
        parts.append("that the goal names" if _LONE.fullmatch(target.name) else f'"{_short(target.name, parts)}"')
    if target.has is not None:
        parts.append(f"that holds {_value(target.has, contexts)}")
    if target.like is not None:
        parts.append(f"that is called most like {_value(target.like, contexts)}")
    if target.state is not None:
        parts.append(f"that is {_value(target.state, contexts) if slots_of(target.state) else target.state}")
    for word, template in (("near", target.near), ("in", target.within), ("after", target.after)):
        if template is not None:
            parts.append(word)
            parts.append(
                "the text that the goal names" if _LONE.fullmatch(template) else f'"{_short(template, parts)}"'
            )
    match target.order:
        case None:
            pass
        case "next":
            parts.append("that comes next")
        case "last":
            parts.append("that comes last")
        case "least" | "greatest":
            parts.append(f"with the {target.order} number")
        case int(order):
            parts.append(f"number {order}")
        case _:
            parts.append("whose number the goal gives")
    return " ".join(parts)


def _check(check: Check, contexts: Mapping[str, str]) -> str:
    if check.element is not None:
        return f"there is {'no' if check.gone else 'the'} {_target(check.element, contexts)}"
    if check.given is not None:
        return f"the goal gives {_value(f'{{{check.given}}}', contexts)}"
    text = check.shows or ""
    shown = _value(text, contexts) if slots_of(text) else f'"{_short(text, [])}"'
    return f"{shown} is {'not ' if check.gone else ''}shown"


def _short(text: str, before: Sequence[str]) -> str:
    """Return the first words, few enough that with what stands before they are no sentence of a page."""
    plain = text.replace("{{", "{").replace("}}", "}")
    return shorten(plain, max(1, NAMED_WORDS - sum(len(WORD.findall(part)) for part in before)))
