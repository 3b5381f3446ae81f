"""Claims: what a sentence says of the rooms, as far as the agent has seen them.

Several things may have one name: what is said is so if it is so of one of them. It is not so only of what was seen.
"""

from __future__ import annotations

import re

from skillagent.envs.babyai.walker import Thing, Walker, neighbours

_CARRIED = re.compile(r"(?:you|agent|i) (?:carry|carries|holds?|ha(?:ve|s)) (?P<thing>.+)")
_HELD = re.compile(r"(?P<thing>.+) is (?:carried|held|picked up|in (?:your )?hand)")
_STATE = re.compile(r"(?P<thing>.+ door) is (?P<state>open|opened|closed|locked|unlocked)")
_BEFORE = re.compile(r"(?:you|agent|i) (?:are|is|am|stands?) (?:right )?(?:in front of|before|at|facing) (?P<thing>.+)")
_AHEAD = re.compile(r"(?P<thing>.+) is (?:1 ahead|right ahead|in front of (?:you|agent))")
_BESIDE = re.compile(r"(?P<thing>.+) is (?:next to|beside) (?P<other>.+)")
_STATES = {
    "open": ("open",),
    "opened": ("open",),
    "closed": ("closed", "locked"),
    "locked": ("locked",),
    "unlocked": ("open", "closed"),
}


def claimed(claim: str, walker: Walker) -> bool | None:
    """Tell whether a claim is so, or None where it is none of those that can be told, or of something not yet seen.

    Args:
        claim: In lower case, without articles.
        walker: Who has seen what there is.
    """
    if said := _CARRIED.fullmatch(claim) or _HELD.fullmatch(claim):
        if said["thing"] == "nothing":
            return not walker.carried
        return walker.carried == said["thing"] if len(said["thing"].split()) == 2 else None
    if said := _STATE.fullmatch(claim):
        doors = _called(said["thing"], walker)
        return any(one.state in _STATES[said["state"]] for one in doors) if doors else None
    if said := _BEFORE.fullmatch(claim) or _AHEAD.fullmatch(claim):
        things = _called(said["thing"], walker)
        return any(one.cell == walker.front for one in things) if things else None
    if said := _BESIDE.fullmatch(claim):
        things, others = _called(said["thing"], walker), _called(said["other"], walker)
        if things and others:
            return any(one.cell in neighbours(other.cell) for one in things for other in others)
    return None


def _called(name: str, walker: Walker) -> list[Thing]:
    return [one for one in walker.things() if one.name == name]
