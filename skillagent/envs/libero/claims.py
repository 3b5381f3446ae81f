"""Claims: what a sentence says of the scene, as LIBERO's own predicates have it.

A thing in the hand lies nowhere yet. Names are those of the things, or words of one name alone: `the bowl` where there
is one bowl, `the middle drawer`. What is not there, or could be two things, says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from skillagent.envs.libero.scene import Scene, Thing

_IS = r"(?:is|lies|rests|stands|sits|has been (?:put|placed))"
_HELD = re.compile(r"(?:it|gripper|hand|robot|arm|you) (?:holds?|grasps?) (?P<thing>.+)")
_IN_HAND = re.compile(rf"(?P<thing>.+) {_IS} (?:held|grasped|in (?:hand|gripper)|held by gripper)")
_LIES = re.compile(rf"(?P<thing>.+) {_IS} (?:on top of|on|onto|inside|in|into) (?P<below>.+)")
_STATE = re.compile(
    r"(?P<thing>.+?) (?:is|has been) (?:turned )?(?P<state>open|opened|(?:fully )?(?:closed|shut)|on|off)"
)
_WORDS = {"opened": "open", "shut": "closed", "fully closed": "closed", "fully shut": "closed"}
_EMPTY = ("gripper is empty", "hand is empty", "it holds nothing", "gripper holds nothing", "you hold nothing")
_LOOSE = frozenset({"of", "in", "drawer", "layer", "region", "compartment", "box"})  # words that say little of a thing


def claimed(claim: str, scene: Scene) -> bool | None:
    """Tell whether a claim is so, or None where it is none of those that can be told.

    Args:
        claim: In lower case, without articles.
        scene: As it is now.
    """
    things, held = scene.all, scene.held
    if claim in _EMPTY:
        return held is None
    if said := _HELD.fullmatch(claim) or _IN_HAND.fullmatch(claim):
        thing = named(said["thing"], [one for one in things if one.role == "object"])
        return held == thing.key if thing else None
    if said := _STATE.fullmatch(claim):
        thing = named(said["thing"], [one for one in things if one.part])
        return _is(thing, _WORDS.get(said["state"], said["state"])) if thing else None
    if said := _LIES.fullmatch(claim):
        thing = named(said["thing"], [one for one in things if one.role == "object"])
        below = named(said["below"], [one for one in things if thing and one.key != thing.key])
        if thing and below:
            return held != thing.key and scene.lies(thing.key, below.key)
    return None


def named(words: str, things: Sequence[Thing]) -> Thing | None:
    """Return the one thing of that name, or the one whose name has all these words; things come before places."""
    for exact in (True, False):
        for places in (False, True):
            fits = [one for one in things if (one.role in ("place", "drawer")) is places and _fits(words, one, exact)]
            if fits:
                return fits[0] if len(fits) == 1 else None
    return None


def _fits(words: str, thing: Thing, exact: bool) -> bool:
    if exact:
        return words == thing.name.casefold()
    said, name = words.split(), thing.name.casefold().split()
    drawer = "drawer" not in said or thing.role == "drawer"
    return drawer and {one for one in said if one not in _LOOSE} <= set(name)


def _is(thing: Thing, state: str) -> bool | None:
    """Tell whether a part is in a state; None where it is a state of other things."""
    if thing.part is None or (state in ("on", "off")) is not (thing.part.kind == "knob"):
        return None
    return thing.part.state == state
