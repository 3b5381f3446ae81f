"""Induce: from successes at tasks of one kind to the programs that would have done the same.

Goals are anti-unified into a pattern with slots (`patterns`), the steps of all successes are aligned (`align`), and
each is given the cheapest description that leads to the right element in every one of them (`explain`, `describe`). A
run over the values of a list becomes `each`, a run that looks for something becomes `repeat`, a step that only some
needed becomes `when`, and what nothing explains is left to the model as `ask`. Nothing is tried here: several programs
are proposed, replays choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from skillagent.learning.align import Column, Part, Use, appears, by_goal, columns, joined, parts_of, reference_of, used
from skillagent.learning.describe import (
    Style,
    by_amount,
    by_first,
    by_fixed_label,
    by_part,
    described,
    either,
    never_seen,
)
from skillagent.learning.patterns import ALIKE, VERY_ALIKE, common, fits_all, guessed, kinds, without_articles
from skillagent.learning.trace import useful_steps
from skillagent.programs.find import find, plain
from skillagent.programs.perform import perform
from skillagent.programs.template import filled_by, literal, matched, slots_of_pattern
from skillagent.schema import (
    Action,
    Check,
    Do,
    Each,
    Filled,
    Node,
    Observation,
    Program,
    Repeat,
    Step,
    Target,
    Trajectory,
    Value,
    When,
)

_UNUSED = 0.5  # a slot that no step reads
_DROPPED = 4.0  # a step of a success that is left out
_STEADY = 1.0  # a slot that holds the same in every goal


class Induced(Value):
    """A program, how many successes it explains, on how many failures it could begin, and what it costs to say."""

    program: Program
    explains: int
    begins: int
    cost: float


def induce(successes: Sequence[Trajectory], others: Sequence[Trajectory] = (), *, most: int = 3) -> list[Induced]:
    """Return the programs that explain most successes and would begin on most other pages, the simplest first.

    Where the goals are of several kinds, or may be, or have several patterns in common, the best of each come first.

    Args:
        successes: Of one task; none of them need be without detours.
        others: Failures at the same tasks, or only looks at them: their goals and pages tell what varies.
        most: So many at most.
    """
    shown = [_Shown(one.goal, useful_steps(one), one.final) for one in successes]
    shown = [one for one in shown if one.steps]
    ranked = []
    for own, near in _kinds(shown, others):
        doubts = never_seen(near, [one.steps[0].observation for one in own])
        styles = [Style(doubts), Style(), Style(doubts, in_turn=True), Style(doubts, left_open=True)]
        if len(own) == 1:  # several successes show which labels vary
            unsure = either(doubts, by_fixed_label)
            styles += [Style(unsure), Style(unsure, left_open=True)]
        styles.append(Style(doubts, from_goal=True))  # what two goals have in common may be so by chance
        styles += [Style(doubts, prefers=by_part), Style(doubts, prefers=by_amount), Style(doubts, prefers=by_first)]
        for pattern in _patterns(own, [one.goal for one in near]):
            made = [one for style in styles if (one := _fitted(pattern, own, style)) is not None]
            begun = [
                one.model_copy(update={"begins": sum(_begins(one.program, other) for other in others)}) for one in made
            ]
            ranked.append(sorted(begun, key=_rank))
    ranked.sort(key=lambda own: _rank(own[0]) if own else (0, 0, 0.0))
    by_turns = [one for place in zip_longest(*ranked) for one in place if one is not None]
    return list({one.program.digest: one for one in by_turns}.values())[:most]


def _rank(one: Induced) -> tuple[int, int, float]:
    return -one.explains, -one.begins, one.cost


def _kinds(shown: Sequence[_Shown], others: Sequence[Trajectory]) -> Iterator[tuple[list[_Shown], list[Trajectory]]]:
    """Yield the successes of each kind with the other episodes of that kind; kinds in the narrower sense first."""
    seen = list[tuple[list[_Shown], list[Trajectory]]]()
    for alike in (VERY_ALIKE, ALIKE):
        for group in kinds([one.goal for one in shown], alike):
            own = [shown[number] for number in group]
            near = [one for one in others if kinds([own[0].goal, one.goal], alike) == [[0, 1]]]
            if (own, near) not in seen:
                seen.append((own, near))
                yield own, near


def _begins(program: Program, other: Trajectory) -> bool:
    """Tell whether a program finds what it begins with where another episode began; asking the model is none."""
    filled = filled_by(program.goals, other.goal)
    first = other.steps[0].observation if other.steps else other.final
    if filled is None or first is None:
        return False
    try:
        return isinstance(next(perform(program, filled, first)), Action)
    except StopIteration:
        return False


@dataclass(frozen=True)
class _Shown:
    """A success: what was asked, the steps that mattered, and the last state."""

    goal: str
    steps: Sequence[Step]
    final: Observation | None


def _patterns(shown: Sequence[_Shown], more: Sequence[str]) -> list[str]:
    """Return patterns that fit all of the goals, each once."""
    goals = list(dict.fromkeys(one.goal for one in shown))
    known = [*goals, *(goal for goal in dict.fromkeys(more) if goal not in goals)]
    proposed = []
    if len(known) > 1:
        for listing in (True, False):
            proposed += [common([first, *known], listing=listing) for first in known]
        proposed.append(common(known, listing=False, parting=True))
        proposed += [common([first, *known], listing=False, amounts=True) for first in known]
    proposed += [guessed(one.goal, used(one.steps)) for one in shown]
    once = {without_articles(pattern): pattern for pattern in reversed(proposed)}
    sound = [pattern for pattern in dict.fromkeys(proposed) if pattern in once.values() and _sound(pattern)]
    return [pattern for pattern in sound if fits_all(pattern, goals)]


def _sound(pattern: str) -> bool:
    try:
        slots_of_pattern(pattern)
    except ValueError:
        return False
    return True


@dataclass
class _Draft:
    """A program while it is written."""

    style: Style
    explains: int
    nodes: list[Node] = field(default_factory=list)
    cost: float = 0.0
    guarded: frozenset[int] = frozenset()  # the successes that have what the last node, a `when`, guards


def _fitted(pattern: str, shown: Sequence[_Shown], style: Style) -> Induced | None:
    """Return the program for goals of a pattern; None when no two of the successes have it in common."""
    goals, fills = [pattern], list[Filled]()
    for one in shown:
        filled = dict(matched(pattern, one.goal) or {})
        for slot in _idle(filled, one.steps):  # "nothing": such a goal has its own pattern, and an empty list
            own = pattern.replace(f"{{{slot}...}}", literal(", ".join(filled[slot])))
            goals.append(own if matched(own, one.goal) is not None else literal(one.goal))
            filled[slot] = ()
        fills.append(filled)
    rows = _rows(shown, fills)
    draft = _drafted(joined(rows, [one.final for one in shown]), style) or _drafted(rows, style)
    if draft is None or not draft.nodes:
        return None
    program = Program(goals=tuple(dict.fromkeys(goals)), steps=tuple(draft.nodes))
    said = program.model_dump_json(include={"steps"})
    idle = [
        name
        for name, many in slots_of_pattern(pattern).items()
        if not re.search(f'"{name}"' if many else rf"\{{{name}[}}|]", said)
    ]
    same = _never_varies(pattern, [one.goal for one in shown]) if len({one.goal for one in shown}) > 1 else []
    cost = draft.cost + _UNUSED * len(idle) + _STEADY * len(same)
    return Induced(program=program, explains=draft.explains, begins=0, cost=cost)


def _drafted(rows: Sequence[list[Part]], style: Style) -> _Draft | None:
    """Return what most of the successes have in common; None where a run of one action has no end that can be seen."""
    reference, members = reference_of(rows)
    draft = _Draft(style, len(members))
    for column in columns(reference, members):
        if column.parts[0].after is None:
            _add(draft, column)
        elif not _add_run(draft, column.parts):
            return None
    return draft


def _rows(shown: Sequence[_Shown], fills: Sequence[Filled]) -> list[list[Part]]:
    """Return the parts of each success; those with several values in a list tell what a single one takes."""
    rows = [parts_of(one.steps, filled) for one, filled in zip(shown, fills, strict=True)]
    bodies = {part.slot: part.body for row in rows for part in row if len(part.body) > 1}
    return [parts_of(one.steps, filled, bodies) for one, filled in zip(shown, fills, strict=True)] if bodies else rows


def _never_varies(pattern: str, goals: Sequence[str]) -> list[str]:
    """Return the slots that hold the same in all goals."""
    held = [matched(pattern, goal) or {} for goal in goals]
    return [name for name in held[0] if all(one.get(name) == held[0][name] for one in held)]


def _idle(filled: Filled, steps: Sequence[Step]) -> list[str]:
    """Return the lists of which no value is used in any step."""
    named = {plain(text) for text in used(steps)}
    return [
        name
        for name, value in filled.items()
        if not isinstance(value, str) and not any(plain(one) in named for one in value)
    ]


def _add(draft: _Draft, column: Column) -> None:
    """Add the node that a column stands for, with the search before it."""
    if column.parts[0].slot:
        _add_each(draft, column.parts)
        return
    uses = [use for part in column.parts for use in part.uses]
    node, cost = described(uses, draft.style)
    searches = [use for part in column.parts for use in part.before]
    wanted = node.targets.get("ref") if isinstance(node, Do) else None
    if searches:
        _add_search(draft, column, searches, wanted)
    if not column.without:
        draft.nodes.append(node)
        draft.cost += cost
        draft.guarded = frozenset()  # this may be a `when` of its own
        return
    last = draft.nodes[-1] if draft.nodes else None
    if wanted is not None and not any(find(wanted, seen, filled) for seen, filled in column.without):
        draft.nodes.append(When(check=Check(element=wanted), do=(node,)))
        draft.cost += cost + 1
        draft.guarded = column.having
    elif isinstance(last, When) and draft.guarded == column.having:  # it belongs to what is only done then
        draft.nodes[-1] = last.model_copy(update={"do": (*last.do, node)})
        draft.cost += cost
    else:
        draft.cost += _DROPPED * len(column.parts)  # others did without it in a state that looked the same: not needed


def _add_search(draft: _Draft, column: Column, searches: Sequence[Use], wanted: Target | None) -> None:
    """Add the search before a column; where nobody can tell where it ends, the steps that the first success took."""
    until = _until(column, wanted)
    if until is None:
        for use in column.parts[0].before:
            step, cost = described([use], draft.style)
            draft.nodes.append(step)
            draft.cost += cost + _DROPPED
        return
    once = until.shows is not None and all(len(part.before) == 1 for part in column.parts)
    step, cost = described(searches, draft.style, following=not once)
    draft.nodes.append(step if once else Repeat(do=(step,), until=until))
    draft.cost += cost + (not once)


def _add_each(draft: _Draft, parts: Sequence[Part]) -> None:
    """Add the loop over a list that these parts stand for."""
    first, do = parts[0], list[Node]()
    for number in range(len(first.body)):
        uses = [use for part in parts for use in part.uses[number :: len(first.body)]]
        node, cost = described(uses, draft.style)
        do.append(node)
        draft.cost += cost
    draft.nodes.append(Each(slot=first.slot, item=first.item, do=tuple(do)))
    draft.cost += 1


def _add_run(draft: _Draft, parts: Sequence[Part]) -> bool:
    """Add the run of one action that these parts stand for, unless something is left for it; tell if it was added."""
    node, cost = described([use for part in parts for use in part.uses], draft.style)
    target = node.targets.get("ref") if isinstance(node, Do) else None
    if target is None or any(part.after and find(target, part.after, part.uses[0].filled) for part in parts):
        return False
    draft.nodes.append(Repeat(do=(node,), until=Check(element=target, gone=True)))
    draft.cost += cost + 1
    return True


def _until(column: Column, wanted: Target | None) -> Check | None:
    """Return what ends the search before a column: a text of the goal or the element; None if that was there before."""
    searched = [part for part in column.parts if part.before]
    for part in searched:
        if by_goal(part.uses[0].step, part.uses[0].filled) is None:
            slot = appears([use.step for use in part.before], part.uses[0].step.observation, part.uses[0].filled)
            if slot is not None:
                return Check(shows=f"{{{slot}}}")
    early = [use for part in searched for use in part.before]
    if wanted is None or any(find(wanted, use.step.observation, use.filled) for use in early):
        return None
    return Check(element=wanted)
