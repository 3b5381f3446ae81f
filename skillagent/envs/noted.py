"""Noted: what a verb did in one line: how long it took, what moved, what else changed, and why it stopped.

The world is looked at before a verb and after it, never between: a control step costs what it did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_MOVED = 0.01  # metres: a thing that goes less far has not moved
_WENT = 0.002  # metres, of the hand
_MOST = 3  # things that are told


@dataclass(frozen=True)
class Look:
    """A world at one moment, in the words of its observations.

    `steps` are the control steps so far. `places` are those of the things, shape (3,), in metres. `states` is how
    something is, e.g. that the gripper is open.
    """

    steps: int
    hand: NDArray[np.float64]
    places: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)


def noted(before: Look, after: Look, why: str) -> str:
    """Return what changed between two looks, and why it ended, in a line; empty where no control step was done.

    Of a thing whose state changed, as of a drawer, the state is told and not the place. Of many things that moved,
    those that went furthest.
    """
    steps = after.steps - before.steps
    if not steps:
        return ""
    changed = {name: state for name, state in after.states.items() if before.states.get(name, state) != state}
    told = [f"{name} {before.states[name]} -> {state}" for name, state in changed.items()]
    if _far(before.hand, after.hand) > _WENT:
        told.insert(0, f"hand {at(before.hand)} -> {at(after.hand)}")
    went = {name: _far(before.places[name], place) for name, place in after.places.items() if name in before.places}
    moved = [name for name in went if went[name] > _MOVED and name not in changed]
    moved.sort(key=lambda name: -went[name])
    told += [f"{name} {at(before.places[name])} -> {at(after.places[name])}" for name in moved[:_MOST]]
    told += [f"{len(moved) - _MOST} more moved"] if len(moved) > _MOST else []
    ended = f"; it stopped: {why}" if why else ""
    return f"{steps} {'step' if steps == 1 else 'steps'}: {', '.join(told) or 'nothing moved'}{ended}"


def at(place: Iterable[float]) -> str:
    """Say where something is, in metres."""
    return f"({', '.join(f'{round(float(one), 3) + 0.0:.3f}' for one in place)})"


def _far(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return math.dist(one.tolist(), other.tolist())
