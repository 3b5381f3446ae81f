"""Goals: what a goal says apart from the values of one task.

Two goals of one shape ask for the same thing with other values. Nothing here knows any environment.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from itertools import groupby, pairwise

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)")
_NAMED = re.compile(  # words with a capital or a digit, unless they begin a sentence; @users, #tags and $prices
    r"(?<![.!?]\s)(?<!^)[@#$]?\b\w*[A-Z0-9]\w*(?:[-'.:/>]\w+)*|[@#$]\w+|\b\w*\d\w*(?:[.:/]\d+)*"
)
_ASKED = re.compile(r"\s*/([a-z0-9-]+)\s+(.*)", re.DOTALL)
_IN_MARKS = re.compile(r'"[^"]*"|“[^”]*”')
BETWEEN = re.compile(  # between the parts of a goal
    r"(?:[,;.]\s*|\s+)(?:and\s+)?(?:then\s+|after\s+(?:that|this)\s*,?\s*)|[;.]\s+|,?\s+and\s+|,\s+", re.IGNORECASE
)
AFTER = re.compile(r",?\s+after\s+(?:you\s+)?", re.IGNORECASE)  # what comes first stands behind it
_MARKS = ".,;:!?()\"'“”"
_RUN = re.compile(r"…(?:[\s,/>&]*(?:and |or )?…)+")


def shape(goal: str) -> str:
    """Return the goal with its values replaced by `…`: what is quoted, named or a number; a run of them becomes one."""
    return _RUN.sub("…", _NAMED.sub("…", _QUOTED.sub("…", goal)))


def quoted(goal: str) -> list[str]:
    """Return what is quoted in a goal, in its order and each once."""
    return list(dict.fromkeys(text for one in _QUOTED.finditer(goal) if (text := one[0][1:-1])))


def values(goal: str) -> list[str]:
    """Return what is quoted in a goal, named there or a number, in its order and each once."""
    spans = {one.span(): one[0][1:-1] for one in _QUOTED.finditer(goal)}
    outside = (one for one in _NAMED.finditer(goal) if not any(a <= one.start() < b for a, b in spans))
    found = {**spans, **{one.span(): one[0] for one in outside}}
    return list(dict.fromkeys(text for _, text in sorted(found.items()) if text))


def own(goal: str, others: Iterable[str]) -> list[str]:
    """Return the words of a goal that no other goal has which shares half of its words or more.

    Neighbours are together; they come in their order and each once.
    """
    mine = _plain_words(goal)
    alike = [words for words in map(_plain_words, others) if 2 * len(mine & words) >= len(mine)]
    known = set[str]().union(*alike)
    runs = groupby(goal.split(), key=lambda word: word.strip(_MARKS).casefold() in known)
    return list(dict.fromkeys(" ".join(run).strip(_MARKS) for same, run in runs if not same)) if known else []


def clauses(goal: str) -> Iterator[tuple[str, ...]]:
    """Yield the ways to read a goal as parts, in the order of doing: what stands behind an `after` first."""
    for after in AFTER.finditer(crossed_out(goal)):
        yield (*_parts(goal[after.end() :]), *_parts(goal[: after.start()]))
    yield tuple(_parts(goal))


def crossed_out(goal: str) -> str:
    """Return a goal with its quotations crossed out: what is quoted is not divided."""
    return _IN_MARKS.sub(lambda match: "x" * len(match[0]), goal)


def _parts(goal: str) -> list[str]:
    ends = [(0, 0), *(mark.span() for mark in BETWEEN.finditer(crossed_out(goal))), (len(goal), len(goal))]
    parts = (goal[before[1] : behind[0]].strip() for before, behind in pairwise(ends))
    return [part for part in parts if part]


def _plain_words(text: str) -> set[str]:
    return {word.strip(_MARKS).casefold() for word in text.split()}


def misnamed(goal: str, names: Container[str]) -> str:
    """Return the unknown name that a goal begins with, as in `/log-im Enter …`, or none."""
    found = _ASKED.match(goal)
    return found[1] if found and found[1] not in names else ""


def named(goal: str, names: Container[str]) -> tuple[str, str]:
    """Return the known name that a goal begins with, as in `/log-in Enter …`, or none, and the goal without it."""
    if (found := _ASKED.match(goal)) and found[1] in names and found[2]:
        return found[1], found[2]
    return "", goal
