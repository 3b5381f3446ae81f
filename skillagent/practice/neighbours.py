"""Neighbours: how near skills do their tasks, told to one who proposes how another is done.

A program is told step by step as a proposal is written, with `{slots}` for the values of its goals; a skill without one
in its own words. They are examples: nothing here says that one of them fits. Source: a new program over the same
primitives from retrieved ones (ICAL).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from skillagent.errors import InvalidSkill
from skillagent.programs.text import program_of
from skillagent.schema import Ask, Check, Do, Each, Expect, Json, Node, Repeat, Skill, Target, When

_ABOUT = 160  # characters


def neighbours(skills: Sequence[Skill], room: int) -> str:
    """Return the steps of skills in at most so many characters in all, each cut at the end of a line."""
    each = room // max(1, len(skills))
    return "\n".join(filter(None, (_cut(_told(skill), each) for skill in skills)))


def _told(skill: Skill) -> list[str]:
    try:
        program = program_of(skill)
    except InvalidSkill:  # its words alone are used
        program = None
    if program is None:
        return [f"{skill.name}: {skill.description[:_ABOUT]}", *skill.body.splitlines()]
    goal = program.goals[0] if program.goals else skill.description[:_ABOUT]
    return [f"{skill.name}: {goal}", *_steps(program.steps, "  ")]


def _steps(nodes: Iterable[Node], indent: str) -> Iterator[str]:
    for node in nodes:
        match node:
            case Do():
                yield f"{indent}{_action(node)}"
            case Ask(do=do):
                yield f"{indent}{_action(do)} and what else is needed"
            case Each(item=item, do=inner):
                yield f"{indent}for each {{{item}}}:"
                yield from _steps(inner, f"{indent}  ")
            case Repeat(until=check, do=inner):
                yield f"{indent}again until {_check(check)}:"
                yield from _steps(inner, f"{indent}  ")
            case When(check=check, do=inner, otherwise=others):
                yield f"{indent}if {_check(check)}:"
                yield from _steps(inner, f"{indent}  ")
                if others:
                    yield f"{indent}else:"
                    yield from _steps(others, f"{indent}  ")
            case Expect():
                pass


def _action(do: Do) -> str:
    told: Json = {"verb": do.verb, **{key: _called(one) for key, one in do.targets.items()}, **do.arguments}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _called(target: Target) -> str:
    words = (target.name, target.has, target.like, target.near, target.within, target.state)
    return f"{target.role} {next(filter(None, words), '')}".strip()


def _check(check: Check) -> str:
    what = check.shows or check.given or (_called(check.element) if check.element else "")
    return f"{what} is {'gone' if check.gone else 'there'}"


def _cut(lines: Sequence[str], room: int) -> str:
    """Return the first lines that fit, or nothing where that is no step."""
    kept = list[str]()
    for line in lines:
        if sum(map(len, kept)) + len(kept) + len(line) >= room:
            break
        kept.append(line)
    return "\n".join(kept) if len(kept) > 1 else ""
