"""Induce: from successes at tasks of one kind to the programs that would have done the same.

Goals are anti-unified into a pattern with slots (`patterns`), the steps of all successes are aligned (`align`), and
each is given the cheapest description that leads to the right element in every one of them (`explain`, `describe`). A
run over the values of a list becomes `each`, a run that looks for something becomes `repeat`, a step that only some
needed becomes `when`, and what nothing explains is left to the model as `ask`. Nothing is tried here: several programs
are proposed, replays choose.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product, zip_longest

from skillagent.learning.align import Part, joined, parts_of, used
from skillagent.learning.describe import Style, by_amount, by_first, by_fixed_label, by_part, either, never_seen
from skillagent.learning.draft import drafted
from skillagent.learning.patterns import ALIKE, VERY_ALIKE, common, fits_all, guessed, kinds, named, without_articles
from skillagent.learning.trace import useful_steps
from skillagent.learning.wordings import Worded, in_one_language, named_on, wordings
from skillagent.programs.find import plain
from skillagent.programs.perform import perform
from skillagent.programs.template import filled_by, literal, matched, slots_of_pattern
from skillagent.schema import Action, Filled, Observation, Program, Step, Trajectory, Value

_UNUSED = 0.5  # a slot that no step reads
_STEADY = 1.0  # a slot that holds the same in every goal
_WAYS = 6  # to write the goals of one wording as a pattern
_COMBINED, _FOLLOWED = 48, 3  # combinations of those that are tried, and those that are worth more than one style


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
        styles = _styles(own, near)
        for pattern in _patterns(own, [one.goal for one in near]):
            ranked.append(_ranked(_made([pattern] * len(own), own, styles), others))
    ranked.append(_ranked(_in_other_words(shown, others), others))
    ranked.sort(key=lambda own: _rank(own[0]) if own else (0, 0, 0.0))
    by_turns = [one for place in zip_longest(*ranked) for one in place if one is not None]
    return list({one.program.digest: one for one in by_turns}.values())[:most]


def _styles(shown: Sequence[_Shown], near: Sequence[Trajectory]) -> list[Style]:
    """Return what may be preferred, for successes and the other episodes of their kind."""
    doubts = never_seen(near, [one.steps[0].observation for one in shown])
    styles = [Style(doubts), Style(), Style(doubts, in_turn=True), Style(doubts, left_open=True)]
    if len(shown) == 1:  # several successes show which labels vary
        unsure = either(doubts, by_fixed_label)
        styles += [Style(unsure), Style(unsure, left_open=True)]
    styles.append(Style(doubts, from_goal=True))  # what two goals have in common may be so by chance
    return [*styles, Style(doubts, prefers=by_part), Style(doubts, prefers=by_amount), Style(doubts, prefers=by_first)]


def _made(patterns: Sequence[str], shown: Sequence[_Shown], styles: Sequence[Style]) -> list[Induced]:
    """Return the programs for goals of these patterns, one of each style and one with loops over all there are."""
    made = [*(_fitted(patterns, shown, style) for style in styles), _fitted(patterns, shown, styles[0], every=True)]
    return [one for one in made if one is not None]


def _in_other_words(shown: Sequence[_Shown], others: Sequence[Trajectory]) -> list[Induced]:
    """Return the programs for successes of which some are asked for in other words; none where they all have the same.

    Of the ways to take a pattern for each wording, those are followed up that make the simplest programs.
    """
    pages = [*(one.steps[0].observation for one in shown), *(seen for one in others if (seen := _first(one)))]
    words = named_on([*pages, *(one.final for one in shown if one.final is not None)])
    goals = [*(one.goal for one in shown), *(one.goal for one in others)]
    groups = [group for group in wordings(goals, words) if group[0] < len(shown)]
    if len(groups) < 2:
        return []
    proposed = [
        _worded([shown[n] for n in group if n < len(shown)], [goals[n] for n in group], words) for group in groups
    ]
    turns = sorted(product(*map(range, map(len, proposed))), key=sum)[:_COMBINED]
    made = list[tuple[Induced, list[str]]]()
    for turn in turns:
        renamed = in_one_language([own[n] for own, n in zip(proposed, turn, strict=True)])
        of = {n: pattern for group, pattern in zip(groups, renamed, strict=True) for n in group}
        patterns = [of[n] for n in range(len(shown))]
        if all(map(_sound, patterns)) and (one := _fitted(patterns, shown, Style())) is not None:
            made.append((one, patterns))
    made.sort(key=lambda pair: _rank(pair[0]))
    styles = _styles(shown, others)
    return [one for _, patterns in made[:_FOLLOWED] for one in _made(patterns, shown, styles)]


def _worded(shown: Sequence[_Shown], goals: Sequence[str], words: Collection[str]) -> list[Worded]:
    """Return the ways to write the goals of one wording as a pattern.

    Args:
        shown: Its successes.
        goals: All that are known, those of the successes among them.
        words: That pages name things with.
    """
    told, own = [(one.goal, one.steps) for one in shown], dict.fromkeys(one.goal for one in shown)
    proposed = [named([one, *goals], words, listing=listing) for listing in (False, True) for one in own]
    proposed = [one for one in proposed if _sound(one) and fits_all(one, own)]
    ways = list(dict.fromkeys([*proposed, *_patterns(shown, goals)]))[:_WAYS]
    return [Worded(pattern, [goal for goal in goals if fits_all(pattern, [goal])], told) for pattern in ways]


def _first(other: Trajectory) -> Observation | None:
    return other.steps[0].observation if other.steps else other.final


def _ranked(made: Sequence[Induced], others: Sequence[Trajectory]) -> list[Induced]:
    """Return programs with the number of other pages on which they would begin, the best first."""
    begun = [one.model_copy(update={"begins": sum(_begins(one.program, other) for other in others)}) for one in made]
    return sorted(begun, key=_rank)


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
    filled, first = filled_by(program.goals, other.goal), _first(other)
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


def _fitted(patterns: Sequence[str], shown: Sequence[_Shown], style: Style, *, every: bool = False) -> Induced | None:
    """Return the program for goals of these patterns; None when no two of the successes have it in common.

    Args:
        patterns: That of each success; slots of one name hold the same.
        shown: The successes.
        style: What to prefer.
        every: Read a run over all elements of a role as a loop; None where there is none.
    """
    goals, fills = list(dict.fromkeys(patterns)), list[Filled]()
    slots = {name: many for pattern in patterns for name, many in slots_of_pattern(pattern).items()}
    everywhere = set(slots).intersection(*map(slots_of_pattern, patterns))  # no step can be explained by any other
    for pattern, one in zip(patterns, shown, strict=True):
        filled = {name: value for name, value in (matched(pattern, one.goal) or {}).items() if name in everywhere}
        for slot in _idle(filled, one.steps):  # "nothing": such a goal has its own pattern, and an empty list
            own = pattern.replace(f"{{{slot}...}}", literal(", ".join(filled[slot])))
            goals.append(own if matched(own, one.goal) is not None else literal(one.goal))
            filled[slot] = ()
        fills.append(filled)
    rows = _rows(shown, fills, every=every)
    if every and not any(part.of for row in rows for part in row):
        return None
    draft = drafted(joined(rows, [one.final for one in shown]), style) or drafted(rows, style)
    if draft is None or not draft.nodes:
        return None
    program = Program(goals=tuple(dict.fromkeys(goals)), steps=tuple(draft.nodes))
    said = program.model_dump_json(include={"steps"})
    idle = [name for name, many in slots.items() if not re.search(f'"{name}"' if many else rf"\{{{name}[}}|]", said)]
    same = _never_varies(patterns, [one.goal for one in shown]) if len({one.goal for one in shown}) > 1 else []
    cost = draft.cost + _UNUSED * len(idle) + _STEADY * len(same)
    return Induced(program=program, explains=draft.explains, begins=0, cost=cost)


def _rows(shown: Sequence[_Shown], fills: Sequence[Filled], *, every: bool) -> list[list[Part]]:
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
