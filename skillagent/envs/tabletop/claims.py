"""Claims: what a sentence says of the table, as the predicates that tasks are made of.

A cube in the hand lies nowhere yet, whatever it touches. Names are those of what stands on the table; one that is not
there, or that two things could have, says nothing.
"""

from __future__ import annotations

import math
import re

from skillagent.envs.tabletop.predicates import WAYS, Beside, Counted, Now, On, Opened, Predicate, Rests, where
from skillagent.envs.tabletop.tasks import GIVE, SHUT

_IS = r"(?:is|lies|rests|stands|sits|has been (?:put|placed))"
_HELD = re.compile(r"(?:it|gripper|hand|robot|arm|you) (?:holds?|grasps?) (?P<thing>.+)")
_IN_HAND = re.compile(rf"(?P<thing>.+) {_IS} (?:held|grasped|in (?:hand|gripper)|held by gripper)")
_EMPTY = re.compile(r"(?:gripper|hand) is empty")
_LIES = re.compile(rf"(?P<thing>.+) {_IS} (?:on top of|on|onto|inside|in|into) (?P<below>.+)")
_WAYS = {way.replace("to the ", ""): way for way in WAYS}
_BESIDE = re.compile(
    rf"(?P<thing>.+) {_IS} (?:to |on )?(?P<way>{'|'.join(_WAYS)}) (?P<other>.+?)"
    r"(?:,? (?:within|at most) (?P<within>\d+) cm(?: (?:away|of it|from it))?)?"
)
_COUNTED = re.compile(
    r"(?:there (?:is|are) )?(?:exactly )?(?P<number>\d+|zero|one|two|three|four) cubes?(?: (?:is|are|lie|lies))?"
    r" (?:on|in) (?P<below>.+)"
)
_OPENED = re.compile(r"(?P<thing>.+) is (?:open )?(?:to )?(?P<percent>\d+) ?(?:%|percent)(?: open)?")
_OPEN = re.compile(r"(?P<thing>.+) is (?P<how>open|opened|(?:fully )?(?:closed|shut))")
_NUMBERS = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4}


def claimed(claim: str, now: Now, held: str | None) -> bool | None:
    """Tell whether a claim is so, or None where it is none of those that can be told.

    Args:
        claim: In lower case, without articles.
        now: What is on the table.
        held: The name of the cube in the hand.
    """
    if _EMPTY.fullmatch(claim) or claim in ("it holds nothing", "gripper holds nothing"):
        return held is None
    if said := _HELD.fullmatch(claim) or _IN_HAND.fullmatch(claim):
        name = _named(said["thing"], now)
        return held == name if name else None
    if said := _LIES.fullmatch(claim):
        name, below = _named(said["thing"], now), said["below"]
        if name and below == "table":
            return name != held and where(now, now[name]) == "on the table"
    if (made := _predicate(claim, now)) is None:
        return None
    return made.holds(now) and (isinstance(made, Counted) or made.thing != held)


def _predicate(claim: str, now: Now) -> Predicate | None:
    if said := _OPENED.fullmatch(claim):
        return Opened(name, float(said["percent"]), GIVE) if (name := _drawer(said["thing"], now)) else None
    if said := _OPEN.fullmatch(claim):
        if (name := _drawer(said["thing"], now)) is None:
            return None
        return Opened(name, 100, 100 - SHUT) if said["how"].startswith("open") else Opened(name, 0, SHUT)
    if said := _COUNTED.fullmatch(claim):
        number = _NUMBERS[said["number"]] if said["number"] in _NUMBERS else int(said["number"])
        return Counted(below, (number,)) if (below := _named(said["below"], now)) else None
    if said := _BESIDE.fullmatch(claim):
        thing, other = _named(said["thing"], now), _named(said["other"], now)
        within = int(said["within"]) / 100 if said["within"] else math.inf
        return Beside(thing, _WAYS[said["way"]], other, within) if thing and other else None
    if said := _LIES.fullmatch(claim):
        thing, below = _named(said["thing"], now), _named(said["below"], now)
        if thing and below and thing != below and now[thing].role == "cube":
            return On(thing, below) if now[below].role == "cube" else Rests(thing, below)
    return None


def _drawer(words: str, now: Now) -> str | None:
    name = _named(words, now)
    return name if name and now[name].role == "drawer" else None


def _named(words: str, now: Now) -> str | None:
    """Return the name that the words are, with or without the thing's size before it."""
    fits = [one.name for one in now.values() if words in (one.name.casefold(), f"{one.word} {one.name}".casefold())]
    return fits[0] if len(fits) == 1 else None
