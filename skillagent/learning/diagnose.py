"""Diagnose: what the insights did in a failed attempt, found by doing the task again, never by asking for an opinion.

The task is replayed without insights, with each that was shown, alone, and with all together that may solve it. Where
none of them does, those that were not shown are tried: if one does, the library already knew, and nothing new needs to
be written. One lucky replay is not enough for that: what solves the task must solve another instance of it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from itertools import chain, combinations, islice

from skillagent.library import Library
from skillagent.schema import Attempt, Label, Labelled, Split, Task

Showing = Callable[[Task, Sequence[str]], Attempt]
Nearest = Callable[[str, Library], Sequence[str]]
Tried = Callable[[Iterable[str]], Attempt]

_MOST = 8  # combinations of insights that were not shown
_LIKELY = 4  # insights that they are made of
_LOOKS = 2  # seeds on which a second instance is looked for


def diagnose(failed: Attempt, library: Library, showing: Showing, nearest: Nearest) -> Labelled | None:
    """Return what the insights did; None where nothing can be said, or the world failed.

    Args:
        failed: A scored attempt that failed.
        library: Whose insights are asked about.
        showing: Tries a task with the named insights shown, and no others.
        nearest: All insights of a library, those nearest a goal first.
    """
    task, goal = failed.trajectory.task, failed.trajectory.goal
    shown = [key for key in shown_in(failed) if key in library.insights]
    others = [key for key in nearest(goal, library) if key not in shown][:_LIKELY]
    if not shown and not others:
        return None
    tried = _replays(failed, shown, showing)
    bare = tried(())
    if bare.verdict.score is None:
        return None
    labels = {key: label for key in shown if (label := _label(tried((key,)), bare)) is not None}
    if not bare.verdict.success:
        second = cache(partial(_second, task, showing))

        def lasts(keys: Sequence[str]) -> bool:
            again = second()
            return again is None or showing(again, keys).verdict.success is not False

        labels = _explained(labels, shown, others, tried, lasts)
    return Labelled(attempt=failed.id, task=task, goal=goal, labels=labels) if labels else None


def shown_in(attempt: Attempt) -> tuple[str, ...]:
    """Return the insights that were shown in an attempt, each once."""
    parts = attempt.route.insights if attempt.route is not None else ()
    return tuple(dict.fromkeys(ranked.id for part in parts for ranked in part))


def _explained(
    labels: dict[str, Label],
    shown: Sequence[str],
    others: Sequence[str],
    tried: Tried,
    lasts: Callable[[Sequence[str]], bool],
) -> dict[str, Label]:
    """Return the labels with what solves the task, and what keeps that from solving it; without luck."""
    if (solving := _solving(labels, shown, tried)) and lasts(solving):
        beside = [key for key in shown if key not in solving]
        spoil = [key for key in beside if tried((*solving, key)).verdict.success is False]
        alone = [key for key in beside if labels.get(key) is Label.POSITIVE and key not in spoil]
        lucky = [key for key in alone if not lasts((key,))]
        labels = {key: label for key, label in labels.items() if key not in lucky}
        return labels | dict.fromkeys(solving, Label.POSITIVE) | dict.fromkeys(spoil, Label.NEGATIVE)
    labels = {key: label for key, label in labels.items() if label is not Label.POSITIVE}
    choices = chain.from_iterable(combinations(others, size) for size in (1, 2))
    for some in islice(choices, _MOST):
        if tried(some).verdict.success and lasts(some):
            return labels | dict.fromkeys(some, Label.UNRETRIEVED)
    return labels


def _solving(labels: dict[str, Label], shown: Sequence[str], tried: Tried) -> tuple[str, ...]:
    """Return which of the insights that were shown solve the task: all that may, or one of those that do so alone."""
    alone = tuple(key for key in shown if labels.get(key) is Label.POSITIVE)
    together = alone or tuple(key for key in shown if labels.get(key) is not Label.NEGATIVE)
    if len(together) > 1 and tried(together).verdict.success:
        return together
    return alone[:1]


def _label(alone: Attempt, bare: Attempt) -> Label | None:
    """Return what an insight does by itself; None where that could not be scored."""
    if alone.verdict.score is None or bare.verdict.score is None:
        return None
    if alone.verdict.success and not bare.verdict.success:
        return Label.POSITIVE
    if alone.verdict.score < bare.verdict.score:
        return Label.NEGATIVE
    return Label.INVALID if _done(alone) == _done(bare) else Label.IRRELEVANT


def _done(attempt: Attempt) -> list[str]:
    return [str(step.action) for step in attempt.trajectory.steps if not step.recalled]


def _replays(failed: Attempt, shown: Sequence[str], showing: Showing) -> Tried:
    """Return what tries the task with some insights, each choice of them once; what failed is known already."""
    parts = [{ranked.id for ranked in part} for part in (failed.route.insights if failed.route is not None else ())]
    known = {frozenset(shown): failed} if all(part == set(shown) for part in parts) else {}

    def tried(keys: Iterable[str]) -> Attempt:
        some = tuple(keys)
        if (which := frozenset(some)) not in known:
            known[which] = showing(failed.trajectory.task, some)
        return known[which]

    return tried


def _second(task: Task, showing: Showing) -> Task | None:
    """Return another practice instance that is not solved without insights; None where there is none to be had.

    Only the first that can be scored is asked: where that one is solved, it says nothing for or against an insight.
    """
    for number in range(1, _LOOKS + 1):
        other = task.model_copy(update={"seed": task.seed + number})
        if other.split is not Split.PRACTICE:
            return None
        bare = showing(other, ()).verdict
        if bare.score is not None:
            return None if bare.success else other
    return None
