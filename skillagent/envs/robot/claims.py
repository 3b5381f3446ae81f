"""Claims: what a sentence says of an arm's scene, as distances between what an observation names.

Success is Meta-World's own and is not asked here: a thing can be at its goal, and the task not be done. Of a name that
is not there nothing can be told.
"""

from __future__ import annotations

import re

import numpy as np

from skillagent.envs.robot.simulator import Simulator, Vector

_GRIPPER = re.compile(r"(?:gripper|hand) is (?P<state>open|closed|half closed)")
_EMPTY = re.compile(r"(?:gripper|hand) is empty|(?:it|gripper|hand|robot|arm|you) holds? nothing")
_HELD = re.compile(r"(?:it|gripper|hand|robot|arm|you) (?:holds?|grasps?) (?P<thing>.+)")
_IN_HAND = re.compile(r"(?P<thing>.+) is (?:held|grasped|in (?:hand|gripper)|held by gripper)")
_LIFTED = re.compile(r"(?P<thing>.+) (?:is|was|has been) (?:lifted|raised)(?: (?:by )?(?:at least )?(?P<by>\d+) cm)?")
_AT = re.compile(r"(?P<thing>.+) is (?:at|within (?P<within>\d+) cm of) (?P<other>.+)")

_CLOSED, _OPEN = 0.32, 0.8  # gaps of the gripper
_NEAR = 0.05  # metres between what is at each other
_LIFT = 0.02
_GRASP = 0.1  # metres from the hand to the place of what it holds, at most


def claimed(claim: str, simulator: Simulator) -> bool | None:
    """Tell whether a claim is so, or None where it is none of those that can be told.

    Args:
        claim: In lower case, without articles.
        simulator: As it is now.
    """
    if said := _GRIPPER.fullmatch(claim):
        return said["state"] == state_of(simulator.gap)
    if _EMPTY.fullmatch(claim):
        return simulator.touch != "holds"
    now = {name: place for _, name, place in simulator.things} | {"hand": simulator.hand, "gripper": simulator.hand}
    if said := _HELD.fullmatch(claim) or _IN_HAND.fullmatch(claim):
        return _holds(said["thing"], simulator)
    if (said := _LIFTED.fullmatch(claim)) and said["thing"] in simulator.began:
        by = float(now[said["thing"]][2] - simulator.began[said["thing"]][2])
        return by >= (int(said["by"]) / 100 if said["by"] else _LIFT)
    if (said := _AT.fullmatch(claim)) and said["thing"] in now and said["other"] in now:
        within = int(said["within"]) / 100 if said["within"] else _NEAR
        return _far(now[said["thing"]], now[said["other"]]) <= within
    return None


def state_of(gap: float) -> str:
    """Say how a gripper is that is open so far."""
    return "open" if gap > _OPEN else "closed" if gap < _CLOSED else "half closed"


def _holds(name: str, simulator: Simulator) -> bool | None:
    """Tell whether what is between the fingers is that object: the one nearest to the hand; None: there is none."""
    far = {other: _far(place, simulator.hand) for role, other, place in simulator.things if role == "object"}
    if name not in far:
        return None
    return simulator.touch == "holds" and far[name] == min(far.values()) and far[name] < _GRASP


def _far(one: Vector, other: Vector) -> float:
    return float(np.linalg.norm(one - other))
