"""Diagnose: what the insights did in a failed attempt, found by doing the task again, never by asking for an opinion.

The task is replayed without insights, then with each that was shown, alone. Where none of them solves it, those that
were not shown are tried: if one does, the library already knew, and nothing new needs to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, combinations

from skillagent.library import Library
from skillagent.schema import Attempt, Label, Labelled, Task

Showing = Callable[[Task, Sequence[str]], Attempt]
Nearest = Callable[[str, Library], Sequence[str]]

_MOST = 8  # combinations of insights that were not shown
_LIKELY = 4  # insights that they are made of


def diagnose(failed: Attempt, library: Library, showing: Showing, nearest: Nearest) -> Labelled | None:
    """Return what the insights did; None where there were none to ask about, or the world failed.

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
    bare = showing(task, ()) if shown else failed
    if bare.verdict.score is None:
        return None
    labels: dict[str, Label] = {}
    for key in shown:
        alone = failed if len(shown) == 1 else showing(task, (key,))
        if alone.verdict.score is not None:
            labels[key] = _label(alone, bare)
    if not bare.verdict.success and Label.POSITIVE not in labels.values():
        pairs = chain.from_iterable(combinations(others, size) for size in (1, 2))
        for some in [*pairs][:_MOST]:
            if showing(task, some).verdict.success:
                labels |= dict.fromkeys(some, Label.UNRETRIEVED)
                break
    return Labelled(attempt=failed.id, task=task, goal=goal, labels=labels) if labels else None


def shown_in(attempt: Attempt) -> tuple[str, ...]:
    """Return the insights that were shown in an attempt, each once."""
    parts = attempt.route.insights if attempt.route is not None else ()
    return tuple(dict.fromkeys(ranked.id for part in parts for ranked in part))


def _label(alone: Attempt, bare: Attempt) -> Label:
    if alone.verdict.success and not bare.verdict.success:
        return Label.POSITIVE
    if bare.verdict.success and not alone.verdict.success:
        return Label.NEGATIVE
    return Label.IRRELEVANT if _done(alone) == _done(bare) else Label.INVALID


def _done(attempt: Attempt) -> list[str]:
    return [str(step.action) for step in attempt.trajectory.steps if not step.recalled]
