"""Said: a sentence about the present state, taken apart into claims that hold, do not, or cannot be told.

A world reads each claim by its own patterns and looks only at what the agent can see. What it does not understand, a
denial above all, it cannot tell: to guess would undo what was done well.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LEFT_OUT = re.compile(r"[\"`“”]|(?<!\w)'|'(?!\w)|\[\w+\]\s*|\b(?:the|an?|now|already)\b|[.!]\s*$")
_BETWEEN = re.compile(r"\s*;\s*|,?\s+and\s+")


def told(said: str, claim: Callable[[str], bool | None]) -> bool | None:
    """Tell whether all that a sentence claims is so: False where one claim is not, None where one cannot be told.

    Args:
        said: E.g. `The red cube is on the plate and the drawer is closed.`
        claim: Tells of one claim, in lower case, without articles and quotation marks.
    """
    words = " ".join(_LEFT_OUT.sub(" ", said.casefold()).split())
    claims = [claim(one) for one in _BETWEEN.split(words)]
    return False if False in claims else None if None in claims else True
