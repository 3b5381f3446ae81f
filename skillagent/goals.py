"""Goals: what a goal says apart from the values of one task.

Two goals of one shape ask for the same thing with other values. Nothing here knows any environment.
"""

from __future__ import annotations

import re
from collections.abc import Container

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)")
_NAMED = re.compile(  # words with a capital or a digit, unless they begin a sentence; @users, #tags and $prices
    r"(?<![.!?]\s)(?<!^)[@#$]?\b\w*[A-Z0-9]\w*(?:[-'.:/>]\w+)*|[@#$]\w+|\b\w*\d\w*(?:[.:/]\d+)*"
)
_ASKED = re.compile(r"\s*/([a-z0-9-]+)\s+(.*)", re.DOTALL)
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


def named(goal: str, names: Container[str]) -> tuple[str, str]:
    """Return the known name that a goal begins with, as in `/log-in Enter …`, or none, and the goal without it."""
    if (found := _ASKED.match(goal)) and found[1] in names and found[2]:
        return found[1], found[2]
    return "", goal
