"""Draft: a program, node by node, from what the aligned successes have in common.

A run over the values of a list becomes `each`, a run that looks for something becomes `repeat`, and a step that only
some needed becomes `when`. Which goals it is for is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from skillagent.learning.align import Column, Part, Use, appears, by_goal, columns, reference_of
from skillagent.learning.describe import Style, described
from skillagent.programs.find import find
from skillagent.programs.template import slots_of
from skillagent.schema import Check, Do, Each, Node, Repeat, Target, When

_USUAL, _MOST, _LONGER = 20, 100, 4  # steps of a search: so many, or so many times the longest that was seen
_ALL = 3.0  # that all there are were meant is a guess
_DROPPED = 4.0  # a step of a success that is left out


@dataclass
class Draft:
    """A program while it is written."""

    style: Style
    members: list[int]  # the successes that it explains
    nodes: list[Node] = field(default_factory=list)
    cost: float = 0.0
    guarded: frozenset[int] = frozenset()  # the successes that have what the last node, a `when`, guards


def drafted(rows: Sequence[list[Part]], style: Style) -> Draft | None:
    """Return what most of the successes have in common; None where a run of one action has no end that can be seen."""
    reference, members = reference_of(rows)
    draft = Draft(style, members)
    for column in columns(reference, [rows[n] for n in members]):
        if column.parts[0].after is None:
            _add(draft, column)
        elif not _add_run(draft, column.parts):
            return None
    return draft


def _add(draft: Draft, column: Column) -> None:
    """Add the node that a column stands for, with the search before it."""
    if column.parts[0].item:
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


def _add_search(draft: Draft, column: Column, searches: Sequence[Use], wanted: Target | None) -> None:
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
    longest = max(len(part.before) for part in column.parts)
    most = min(_MOST, max(_USUAL, _LONGER * longest))
    draft.nodes.append(step if once else Repeat(do=(step,), until=until, most=most))
    draft.cost += cost + (not once)


def _add_each(draft: Draft, parts: Sequence[Part]) -> None:
    """Add the loop over a list that these parts stand for."""
    first, do = parts[0], list[Node]()
    for number in range(len(first.body)):
        uses = [use for part in parts for use in part.uses[number :: len(first.body)]]
        node, cost = described(uses, draft.style)
        do.append(node)
        draft.cost += cost
    of = Target(role=first.of) if first.of else None
    draft.nodes.append(Each(slot=first.slot, of=of, item=first.item, do=tuple(do)))
    draft.cost += 1 + _ALL * bool(of)


def _add_run(draft: Draft, parts: Sequence[Part]) -> bool:
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
    early = [use for part in column.parts for use in part.before]
    new = wanted is not None and not any(find(wanted, use.step.observation, use.filled) for use in early)
    if wanted is not None and new and wanted.has and slots_of(wanted.has):
        return Check(element=wanted)  # the goal may say it in other words than the page
    searched = [part for part in column.parts if part.before]
    for part in searched:
        if by_goal(part.uses[0].step, part.uses[0].filled) is None:
            slot = appears([use.step for use in part.before], part.uses[0].step.observation, part.uses[0].filled)
            if slot is not None:
                return Check(shows=f"{{{slot}}}")
    return Check(element=wanted) if new else None
