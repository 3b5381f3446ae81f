"""Induce: from successes at tasks of one kind to the programs that would have done the same.

Goals are anti-unified into a pattern with slots (`patterns`), the steps of all successes are aligned (`align`), and
each is given the cheapest description that leads to the right element in every one of them (`explain`, `describe`). A
run over the values of a list becomes `each`, a run that looks for something becomes `repeat`, a step that only some
needed becomes `when`, and what nothing explains is left to the model as `ask`. Nothing is tried here: several programs
are proposed, replays choose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from skillagent.learning.across import by_surroundings, first_of, in_other_words, looks_at_parts, pieces_of
from skillagent.learning.compiled import Induced, Shown, made_of, patterns_of, styles_for
from skillagent.learning.patterns import ALIKE, VERY_ALIKE, kinds
from skillagent.learning.trace import useful_steps
from skillagent.programs.perform import perform
from skillagent.programs.template import filled_by
from skillagent.schema import Action, Program, Trajectory

_PIECES = 12  # parts of goals that are looked at


def induce(successes: Sequence[Trajectory], others: Sequence[Trajectory] = (), *, most: int = 3) -> list[Induced]:
    """Return the programs that explain most successes and would begin on most other pages, the simplest first.

    Where the goals are of several kinds, or may be, or have several patterns in common, the best of each come first.

    Args:
        successes: Of one task; none of them need be without detours.
        others: Failures at the same tasks, or only looks at them: their goals and pages tell what varies.
        most: So many at most.
    """
    shown = [Shown(one.goal, useful_steps(one), one.final) for one in successes]
    shown = [one for one in shown if one.steps]
    ranked = _proposed(shown, others)
    pieces = [piece for one in shown for piece in pieces_of(one) or [one]]
    if len(pieces) > len(shown):
        parted = _proposed(pieces[:_PIECES], [look for one in others for look in looks_at_parts(one)][:_PIECES])
        ranked.insert(1, [one for own in parted for one in own[:1]])
    by_turns = [one for place in zip_longest(*ranked) for one in place if one is not None]
    return list({one.program.digest: one for one in by_turns}.values())[:most]


def _proposed(shown: Sequence[Shown], others: Sequence[Trajectory]) -> list[list[Induced]]:
    """Return programs for some of these successes or all, the best list first, and the best of each list first."""
    proposed = []
    for own, near in _kinds(shown, others):
        styles = styles_for(own, near)
        proposed += [
            made_of([pattern] * len(own), own, styles) for pattern in patterns_of(own, [one.goal for one in near])
        ]
    ranked = [_ranked(made, others) for made in (*proposed, *in_other_words(shown, others)) if made]
    ranked.sort(key=lambda own: own[0].rank)
    ranked.insert(1, _ranked(by_surroundings(shown, others), others))
    return ranked


def _ranked(made: Sequence[Induced], others: Sequence[Trajectory]) -> list[Induced]:
    """Return programs with the number of other pages on which they would begin, the best first."""
    begun = [one.model_copy(update={"begins": sum(_begins(one.program, other) for other in others)}) for one in made]
    return sorted(begun, key=lambda one: one.rank)


def _kinds(shown: Sequence[Shown], others: Sequence[Trajectory]) -> Iterator[tuple[list[Shown], list[Trajectory]]]:
    """Yield the successes of each kind with the other episodes of that kind; kinds in the narrower sense first."""
    seen = list[tuple[list[Shown], list[Trajectory]]]()
    for alike in (VERY_ALIKE, ALIKE):
        for group in kinds([one.goal for one in shown], alike):
            own = [shown[number] for number in group]
            near = [one for one in others if kinds([own[0].goal, one.goal], alike) == [[0, 1]]]
            if (own, near) not in seen:
                seen.append((own, near))
                yield own, near


def _begins(program: Program, other: Trajectory) -> bool:
    """Tell whether a program finds what it begins with where another episode began; asking the model is none."""
    filled, first = filled_by(program.goals, other.goal), first_of(other)
    if filled is None or first is None:
        return False
    try:
        return isinstance(next(perform(program, filled, first)), Action)
    except StopIteration:
        return False
