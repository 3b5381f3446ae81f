"""Stitch: a goal of several parts, each of which some program is for, as a plan that no model was asked for.

`pick up the red key, then open the door` is two goals where one program knows the first and one the second. A goal
that a program knows as a whole stays whole, unless its parts say more: `go to {place}` would take the rest of a
sentence for a place. Source: trajectories stitched where their states meet (SkillMimic-V2), here by their words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from skillagent.goals import AFTER, BETWEEN, crossed_out

_MOST = 7  # parts

Form = Callable[[str], int]  # letters that a program's pattern fixes of a goal; 0 where none says enough


def stitched(goal: str, form: Form) -> tuple[str, ...]:
    """Return the goal as parts that programs know, in the order in which they are to be done.

    Empty unless every part is known, and together they fix more of the goal than one program does.

    Args:
        goal: In words.
        form: Tells how much of a goal a program knows.
    """
    fixed = cache(form)

    def letters(parts: Sequence[str]) -> int:
        return sum(map(fixed, parts))

    made = [parts for parts in _orders(goal, fixed) if 2 <= len(parts) <= _MOST]
    best = max(made, key=letters, default=())
    return best if letters(best) > fixed(goal) else ()


def _orders(goal: str, fixed: Form) -> Iterator[tuple[str, ...]]:
    """Yield the parts of a goal in the order of doing: as it is read, or what stands behind an `after` first."""
    yield _known(goal, fixed)
    for after in AFTER.finditer(crossed_out(goal)):
        first, second = _known(goal[after.end() :], fixed), _known(goal[: after.start()], fixed)
        if first and second:
            yield (*first, *second)


def _known(goal: str, fixed: Form) -> tuple[str, ...]:
    """Return the parts of a goal, read from left to right, that are all known and fix most; none: no such."""
    marks = list(BETWEEN.finditer(crossed_out(goal)))
    starts, ends = [0, *(mark.end() for mark in marks)], [*(mark.start() for mark in marks), len(goal)]
    best: dict[int, tuple[int, tuple[str, ...]]] = {len(starts): (0, ())}  # from the part with that number on
    for start in reversed(range(len(starts))):
        for end in range(start, len(starts)):
            part = goal[starts[start] : ends[end]].strip()
            if end + 1 in best and part and (letters := fixed(part)):
                rest = best[end + 1]
                best[start] = max(best.get(start, (0, ())), (letters + rest[0], (part, *rest[1])), key=_most)
    return best[0][1] if 0 in best else ()


def _most(one: tuple[int, tuple[str, ...]]) -> tuple[int, int]:
    """Order by letters, of equals the one with fewer parts."""
    return one[0], -len(one[1])
