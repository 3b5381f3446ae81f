"""Compiled: the program that does what some successes did, for goals of given patterns.

The steps are aligned and described elsewhere (`align`, `draft`); which successes belong together, and which of the
programs is worth a try, is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from skillagent.learning.align import Part, joined, parts_of, used
from skillagent.learning.describe import Style, by_amount, by_first, by_fixed_label, by_part, either, never_seen
from skillagent.learning.draft import drafted
from skillagent.learning.patterns import common, fits_all, guessed, without_articles
from skillagent.programs.find import plain
from skillagent.programs.template import literal, matched, slots_of_pattern
from skillagent.schema import Filled, Observation, Program, Step, Trajectory, Value

_UNUSED = 0.5  # a slot that no step reads
_STEADY = 1.0  # a slot that holds the same in every goal


class Induced(Value):
    """A program, how many successes it explains, on how many failures it could begin, and what it costs to say."""

    program: Program
    explains: int
    begins: int
    cost: float

    @property
    def rank(self) -> tuple[int, int, float]:
        """What they are sorted by, the best first."""
        return -self.explains, -self.begins, self.cost


@dataclass(frozen=True)
class Shown:
    """A success: what was asked, the steps that mattered, and the last state."""

    goal: str
    steps: Sequence[Step]
    final: Observation | None


def patterns_of(shown: Sequence[Shown], more: Sequence[str]) -> list[str]:
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
    proposed.reverse()
    once = {without_articles(one): one for one in sorted(proposed, key=len)}  # of articles the longest tells most
    usable = [pattern for pattern in dict.fromkeys(reversed(proposed)) if pattern in once.values() and sound(pattern)]
    return [pattern for pattern in usable if fits_all(pattern, goals)]


def sound(pattern: str) -> bool:
    """Tell whether a pattern can be used: no slot stands twice, and something is between any two."""
    try:
        slots_of_pattern(pattern)
    except ValueError:
        return False
    return True


def compiled(patterns: Sequence[str], shown: Sequence[Shown], style: Style, *, every: bool = False) -> Induced | None:
    """Return the program for goals of these patterns; None when no two of the successes have it in common.

    Args:
        patterns: That of each success; slots of one name hold the same.
        shown: The successes.
        style: What to prefer.
        every: Read a run over all elements of a role as a loop; None where there is none.
    """
    goals, fills = list[list[str]](), list[Filled]()
    slots = {name: many for pattern in patterns for name, many in slots_of_pattern(pattern).items()}
    everywhere = set(slots).intersection(*map(slots_of_pattern, patterns))  # no step can be explained by any other
    for pattern, one in zip(patterns, shown, strict=True):
        filled = {name: value for name, value in (matched(pattern, one.goal) or {}).items() if name in everywhere}
        goals.append([pattern])
        for slot in _idle(filled, one.steps):  # "nothing": such a goal has its own pattern, and an empty list
            own = pattern.replace(f"{{{slot}...}}", literal(", ".join(filled[slot])))
            goals[-1].append(own if matched(own, one.goal) is not None else literal(one.goal))
            filled[slot] = ()
        fills.append(filled)
    rows = _rows(shown, fills, every=every)
    if every and not any(part.of for row in rows for part in row):
        return None
    draft = drafted(joined(rows, [one.final for one in shown]), style) or drafted(rows, style)
    if draft is None or not draft.nodes:
        return None
    explained = [
        *dict.fromkeys(goals[n][0] for n in draft.members),
        *(one for n in draft.members for one in goals[n][1:]),
    ]
    program = Program(goals=tuple(dict.fromkeys(explained)), steps=tuple(draft.nodes))
    said = program.model_dump_json(include={"steps"})
    idle = [name for name, many in slots.items() if not re.search(f'"{name}"' if many else rf"\{{{name}[}}|]", said)]
    same = _never_varies(patterns, [one.goal for one in shown]) if len({one.goal for one in shown}) > 1 else []
    cost = draft.cost + _UNUSED * len(idle) + _STEADY * len(same)
    return Induced(program=program, explains=len(draft.members), begins=0, cost=cost)


def _rows(shown: Sequence[Shown], fills: Sequence[Filled], *, every: bool) -> list[list[Part]]:
    """Return the parts of each success; those with several values in a list tell what a single one takes."""
    pairs = [*zip(shown, fills, strict=True)]
    rows = [parts_of(one.steps, filled, every=every) for one, filled in pairs]
    bodies = {part.slot: part.body for row in rows for part in row if len(part.body) > 1 and part.slot}
    return [parts_of(one.steps, filled, bodies, every=every) for one, filled in pairs] if bodies else rows


def _never_varies(patterns: Sequence[str], goals: Sequence[str]) -> list[str]:
    """Return the slots that hold the same in all goals."""
    held = [matched(pattern, goal) or {} for pattern, goal in zip(patterns, goals, strict=True)]
    return [name for name in held[0] if all(one.get(name) == held[0][name] for one in held)]


def _idle(filled: Filled, steps: Sequence[Step]) -> list[str]:
    """Return the lists of which no value is used in any step."""
    named = {plain(text) for text in used(steps)}
    return [
        name
        for name, value in filled.items()
        if not isinstance(value, str) and not any(plain(one) in named for one in value)
    ]


def styles_for(shown: Sequence[Shown], near: Sequence[Trajectory]) -> list[Style]:
    """Return what may be preferred, for successes and the other episodes of their kind."""
    doubts = never_seen(near, [one.steps[0].observation for one in shown])
    styles = [Style(doubts), Style(), Style(doubts, in_turn=True), Style(doubts, left_open=True)]
    if len(shown) == 1:  # several successes show which labels vary
        unsure = either(doubts, by_fixed_label)
        styles += [Style(unsure), Style(unsure, left_open=True)]
    styles.append(Style(doubts, from_goal=True))  # what two goals have in common may be so by chance
    return [*styles, Style(doubts, prefers=by_part), Style(doubts, prefers=by_amount), Style(doubts, prefers=by_first)]


def made_of(patterns: Sequence[str], shown: Sequence[Shown], styles: Sequence[Style]) -> list[Induced]:
    """Return the programs for goals of these patterns, one of each style and one with loops over all there are."""
    made = [*(compiled(patterns, shown, style) for style in styles), compiled(patterns, shown, styles[0], every=True)]
    return [one for one in made if one is not None]
