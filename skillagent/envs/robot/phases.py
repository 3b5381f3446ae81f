"""Phases: from one demonstration to primitives that hold for other places.

What happens before the hand touches something is told relative to the object, what happens after relative to the goal,
where the task has one: align, then move as was shown. Source: one demonstration a task by alignment and replayed
interaction (MT3). Where the hand begins to follow the path, and what the second part is relative to, no demonstration
says: several ways to tell it are returned, and trials decide.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skillagent.envs.robot.primitives import path_of
from skillagent.envs.robot.several import Mean, Said, mean, refused
from skillagent.envs.robot.simulator import Simulator, Vector, oracle
from skillagent.schema import Action

_MOVED = 0.003  # metres
_OVER = 3  # control steps
_REACHES = (0.1, 0.2)  # metres from the hand
_LEADS = (12, 1000, 30)  # control steps before the touch from which the path is followed
_ON = 0.15  # metres pushed on at the end


@dataclass(frozen=True)
class Recorded:
    """A demonstration, a row a control step: hand, object and second object or goal (n, 3), drive and grip (n, 4)."""

    hand: Vector
    thing: Vector
    other: Vector
    goal: Vector
    driven: Vector


def recorded(simulator: Simulator, name: str, seed: int) -> Recorded | None:
    """Return what the scripted policy of a task does, or None where it fails."""
    simulator.reset(seed)
    policy, rows, going = oracle(name), list[tuple[Vector, Vector]](), True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a policy that asks for more than full speed says so
        while going:
            action = np.clip(policy(simulator.raw), -1, 1)
            rows.append((simulator.raw.copy(), action))
            going = simulator.step(action[:3], float(action[3]))
    if not simulator.success:
        return None
    rows.append((simulator.raw.copy(), rows[-1][1]))
    seen, driven = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    return Recorded(seen[:, :3], seen[:, 4:7], seen[:, 11:14], seen[:, 36:39], driven)


def ways(simulator: Simulator, demo: Recorded) -> Iterator[list[Action]]:
    """Yield ways to say a demonstration of the simulator's task in primitives, the likeliest first."""
    aims = [(ref, places[0]) for ref, places in _seen(simulator, demo).items() if ref != "1"]
    yield from told(demo, "1", aims[::-1])  # the goal comes last


def means(simulator: Simulator, demos: Sequence[Recorded]) -> Iterator[Mean]:
    """Yield ways to say what demonstrations of the simulator's task have in common, the likeliest first.

    They differ in how far before the touch the path is followed; what the end is relative to, the demonstrations show.
    """
    found = list[Mean]()
    for lead in _LEADS:
        for reach in _REACHES:
            one = mean([said(demo, _seen(simulator, demo), lead, reach) for demo in demos])
            if one is not None and one not in found:
                found.append(one)
                yield one


def unfit(simulator: Simulator, demos: Sequence[Recorded]) -> dict[int, str]:
    """Return which demonstrations of the simulator's task do not fit the others, by their place, and why in words.

    How near the hand must be for an object to have been moved by it, is as refuses fewest.
    """
    tellings = ([said(demo, _seen(simulator, demo), reach=reach) for demo in demos] for reach in _REACHES)
    return min((refused(one) for one in tellings), key=len)


def said(demo: Recorded, seen: Mapping[str, Vector], lead: int = _LEADS[0], reach: float = _REACHES[0]) -> list[Said]:
    """Return a demonstration in primitives with where things were.

    Args:
        demo: A success.
        seen: Where things were, a row a control step, by their refs; the object first, a goal last.
        lead: Control steps before the touch from which the path is followed.
        reach: How near the hand must be to where an object is said to be, to have moved it.
    """
    touch, moved = touched(demo, reach)
    begin, (thing, *_), aim = max(0, touch - lead), seen, list(seen)[-1]
    last = _pressed(_retrace(demo, moved, len(demo.hand) - 1, aim, seen[aim][moved]))
    rows = [0, begin, moved] if moved > begin else [0, moved]
    actions = [*_approach(demo, begin, moved, thing), last]
    return [
        Said(one, {ref: places[row] for ref, places in seen.items()})
        for one, row in zip(actions, rows if moved else [0], strict=True)
    ]


def _seen(simulator: Simulator, demo: Recorded) -> dict[str, Vector]:
    """Return where the things that the simulator shows were in a demonstration, by their refs, shape (n, 3) each."""
    roles = [role for role, *_ in simulator.things]
    rows = [demo.goal if role == "goal" else (demo.thing, demo.other)[n] for n, role in enumerate(roles)]
    return {str(number): one for number, one in enumerate(rows, start=1)}


def touched(demo: Recorded, reach: float) -> tuple[int, int]:
    """Return the row at which the gripper closes or the object moves, and the row at which the object moves.

    Things that only come to rest do not count: the hand must be within `reach` of where the object is said to be, which
    for a door is not where it is touched. Both are 0 where nothing is touched, and alike where nothing moves.
    """
    closing = demo.driven[:, 3] > 0
    closes = np.flatnonzero(closing[1:] & ~closing[:-1]) + 1
    went = np.linalg.norm(demo.thing[_OVER:] - demo.thing[:-_OVER], axis=1) > _MOVED
    near = np.linalg.norm(demo.hand - demo.thing, axis=1)[_OVER:] < reach
    moves = np.flatnonzero(went & near) + _OVER
    first = [*closes[:1], *moves[:1]]
    return (int(min(first)), int(moves[0] if len(moves) else closes[0])) if first else (0, 0)


def told(demo: Recorded, thing: str, aims: Sequence[tuple[str, Vector]]) -> Iterator[list[Action]]:
    """Yield ways to say a demonstration in primitives, the likeliest first.

    Args:
        demo: A success.
        thing: The ref of the object that is acted on.
        aims: Refs of what the end may be relative to, and where it was, the likeliest first.
    """
    begins = [(moved, max(0, touch - lead)) for lead in _LEADS for touch, moved in (touched(demo, r) for r in _REACHES)]
    for moved, begin in dict.fromkeys(begins):
        for aim, place in (*aims, (thing, demo.thing[moved])) if moved or not aims else aims:
            last = _retrace(demo, moved, len(demo.hand) - 1, aim, place)
            yield [*_approach(demo, begin, moved, thing), _pressed(last)]


def _pressed(last: Action) -> Action:
    return last.model_copy(update={"arguments": {**last.arguments, "on": _ON}})


def _approach(demo: Recorded, begin: int, moved: int, thing: str) -> list[Action]:
    if not moved:
        return []
    align = {"ref": thing, "offset": _numbers(demo.hand[begin] - demo.thing[0])}
    follow = [_retrace(demo, begin, moved, thing, demo.thing[begin])] if moved > begin else []
    return [Action(verb="move_to", arguments=align), *follow]


def _retrace(demo: Recorded, begin: int, end: int, ref: str, origin: Vector) -> Action:
    rows = np.hstack([demo.hand[begin + 1 : end + 1] - demo.hand[begin], demo.driven[begin:end]])
    offset = _numbers(demo.hand[end] - origin)
    return Action(verb="retrace", arguments={"ref": ref, "offset": offset, "path": path_of(rows)})


def _numbers(vector: Vector) -> list[float]:
    return [round(float(one), 3) for one in vector]
