"""Several: demonstrations of one task in primitives, compared and made into one by their mean.

Paths are matched where the gripper opens and closes: before the touch from the touch backwards, after it in time. The
mean of what does not fit together fits nothing, so those that depart from the others are refused first, in words.
Whether the mean does the task is not known here: it must be tried. Sources: via-points with spread (KMP), admission by
agreement and novelty (compatible demonstrations), chains where states meet (SkillMimic-V2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from skillagent.envs.robot.primitives import path_of, rows_of
from skillagent.envs.robot.simulator import Vector
from skillagent.envs.robot.wording import in_words
from skillagent.errors import InvalidAction
from skillagent.schema import Action, Trajectory

APART = 0.05  # metres between two paths that do not fit together
_CLOSE = 0.05  # metres from the touch in which paths to it are compared: further off the hand comes from anywhere
_SAME = 0.01  # metres: what is no further off adds nothing
_VARIES = 0.01  # metres: an offset that is spread wider may be relative to something else
_MEETS = 0.03  # metres between hand and things in two states that are as good as one
_HAND = re.compile(r"^hand at \((-?[\d.]+), (-?[\d.]+), (-?[\d.]+)\), .*gripper ([a-z ]+)", re.MULTILINE)
_PLACED = re.compile(r"^\[(\w+)\] .* at \((-?[\d.]+), (-?[\d.]+), (-?[\d.]+)\)", re.MULTILINE)


@dataclass(frozen=True)
class Said:
    """A step of a demonstration: what is done, and where things are when it begins, by their refs."""

    action: Action
    places: Mapping[str, Vector]

    @property
    def rows(self) -> Vector:
        """The path that it follows, shape (n, 7); n is 0 where there is none."""
        path = self.action.arguments.get("path")
        return rows_of(path) if isinstance(path, str) else np.zeros((0, 7))

    @property
    def end(self) -> Vector | None:
        """Where it leads, shape (3,), if it leads anywhere."""
        place, offset = self.places.get(str(self.action.arguments.get("ref"))), self.action.arguments.get("offset")
        return place + np.array(offset or (0.0, 0.0, 0.0)) if place is not None else None

    def relative(self, ref: str) -> Vector:
        """Return the offset of where it leads from a thing, shape (3,)."""
        assert self.end is not None
        away: Vector = self.end - self.places[ref]
        return away


Telling = Sequence[Said]  # a whole demonstration


@dataclass(frozen=True)
class Mean:
    """What several demonstrations have in common: actions, and how far they vary in each step, in metres.

    `offsets` is the spread of where a step leads, `paths` that of each of its via-points; empty where there are none.
    """

    actions: list[Action]
    offsets: list[float]
    paths: list[list[float]]

    @property
    def note(self) -> str:
        """The spread in a line."""
        lines = []
        for number, (offset, path) in enumerate(zip(self.offsets, self.paths, strict=True), start=1):
            widest = f", its path varies most, by {max(path):.3f} m, at point {np.argmax(path) + 1}" if path else ""
            lines.append(f"where step {number} leads varies by {offset:.3f} m{widest}")
        return "; ".join(lines)


def telling(trajectory: Trajectory) -> list[Said] | None:
    """Return an episode of primitives as a demonstration; None where it follows no path."""
    steps = [Said(step.action, places(step.observation.text)) for step in trajectory.steps if not step.error]
    try:
        return steps if any(len(step.rows) for step in steps) else None
    except InvalidAction:
        return None


def places(text: str) -> dict[str, Vector]:
    """Return where an observation says that things are, by their refs."""
    return {ref: np.array([float(one) for one in place]) for ref, *place in _PLACED.findall(text)}


def refused(demos: Sequence[Telling], apart: float = APART) -> dict[int, str]:
    """Return which demonstrations do not fit the others, by their place, and why in words.

    The others are those that fit the one that most fit; of two alike, the earlier.
    """
    clashes = {(i, j): clash(demos[i], demos[j], apart) for i in range(len(demos)) for j in range(len(demos)) if i != j}
    fitting = [sum(clashes[i, j] is None for j in range(len(demos)) if j != i) for i in range(len(demos))]
    middle = fitting.index(max(fitting, default=0)) if demos else 0
    words = ((j, clashes[middle, j]) for j in range(len(demos)) if j != middle)
    return {j: f"demonstration {j + 1} {why}" for j, why in words if why is not None}


def idle(demos: Sequence[Telling]) -> dict[int, str]:
    """Return which demonstrations add nothing to an earlier one: the same things in the same places, the same way."""
    found: dict[int, str] = {}
    for i, j in combinations(range(len(demos)), 2):
        first, other = demos[i][0].places, demos[j][0].places
        still = first.keys() == other.keys() and all(np.linalg.norm(first[r] - other[r]) < _SAME for r in first)
        if i not in found and j not in found and still and clash(demos[i], demos[j], _SAME) is None:
            found[j] = f"demonstration {j + 1} adds nothing to demonstration {i + 1}: the same places, the same way"
    return found


def stitched(unfinished: Trajectory, others: Sequence[Trajectory]) -> tuple[list[Action], int, int] | None:
    """Return an unfinished demonstration with the rest of another that was in such a state as it ends in.

    Beside the actions: which of the others, and from which of its steps on, both counted from 0. States meet where the
    hand is to the first thing as it was there, and the gripper is alike; the rest is relative to things anyway.
    """
    end = _state(unfinished.final.text) if unfinished.final is not None else None
    if end is None:
        return None
    meetings = list[tuple[float, int, int]]()
    for number, other in enumerate(others):
        for at, step in enumerate(other.steps[1:], start=1):
            state = _state(step.observation.text)
            if state is not None and state[1] == end[1] and (far := float(np.linalg.norm(state[0] - end[0]))) < _MEETS:
                meetings.append((far, number, at))
    if not meetings:
        return None
    _, number, at = min(meetings)
    steps = (*unfinished.steps, *others[number].steps[at:])
    return [step.action for step in steps if not step.error], number, at


def _state(text: str) -> tuple[Vector, str] | None:
    """Return how the hand is to the first thing, shape (3,), and how its gripper is, as an observation says it."""
    hand, things = _HAND.search(text), places(text)
    if hand is None or not things:
        return None
    return np.array([float(one) for one in hand.groups()[:3]]) - next(iter(things.values())), hand[4]


def clash(one: Telling, other: Telling, apart: float = APART) -> str | None:
    """Return in words where the other demonstration departs from the one; None where they fit together."""
    verbs, others = ([step.action.verb for step in demo] for demo in (one, other))
    if verbs != others:
        return f"did {', '.join(others)} where the others did {', '.join(verbs)}"
    for number, (mine, its) in enumerate(zip(one, other, strict=True), start=1):
        if (grips := _grips(mine.rows)) != (own := _grips(its.rows)):
            return f"has the gripper {_gripping(own)} in step {number}, the others {_gripping(grips)}"
    worst, words = apart, None
    for number, (mine, its) in enumerate(zip(one, other, strict=True)):
        for at, off, total in _off(mine, its, near=_approaching(one, number)):
            if (far := float(np.linalg.norm(off))) > worst:
                worst, where = far, f"{at + 1} of {total}" + (f" of step {number + 1}" if len(one) > 1 else "")
                words = f"departs from the others at point {where}: {in_words(off)} where they pass"
    return words


def mean(demos: Sequence[Telling]) -> Mean | None:
    """Return the mean of demonstrations that fit together; None where their steps differ.

    What a step leads to is told relative to what its demonstration says; where that varies, to the thing to which
    it varies least.
    """
    shapes = {tuple((step.action.verb, _grips(step.rows)) for step in demo) for demo in demos}
    if len(shapes) != 1:
        return None
    actions, offsets, paths = list[Action](), list[float](), list[list[float]]()
    for steps in zip(*_matched(demos), strict=True):
        arguments = dict(steps[0].action.arguments)
        offset = 0.0
        if all(step.end is not None for step in steps):
            frame = _frame(steps)
            if frame is None:
                return None
            ref, offset = frame
            arguments |= {"ref": ref, "offset": _numbers(np.mean([step.relative(ref) for step in steps], axis=0))}
        rows = _alike([step.rows for step in steps])
        whole: Vector = np.mean(rows, axis=0)
        if len(whole):
            arguments["path"] = path_of(whole)
        actions.append(steps[0].action.model_copy(update={"arguments": arguments}))
        offsets.append(offset)
        off = [_bent(one[:, :3], whole[:, :3]) - whole[:, :3] for one in rows] if len(whole) else []
        paths.append([round(float(one), 4) for one in _spread(np.array(off))] if off else [])
    return Mean(actions, offsets, paths)


def _frame(steps: Sequence[Said]) -> tuple[str, float] | None:
    """Return the thing that an end is told relative to, and how far it varies, in metres; None: no thing is in all."""
    said = [str(step.action.arguments["ref"]) for step in steps]
    usual = max(dict.fromkeys(said), key=said.count)
    common = [ref for ref in steps[0].places if all(ref in step.places for step in steps)]
    spread = {ref: float(_spread(np.array([[step.relative(ref)] for step in steps]))[0]) for ref in common}
    if not spread:
        return None
    best = usual if spread.get(usual, np.inf) <= _VARIES else min(spread, key=lambda ref: spread[ref])
    return best, spread[best]


def _spread(points: Vector) -> Vector:
    """Return the standard deviation of each of n points over demonstrations, shape (d, n, 3) to (n,)."""
    away: Vector = np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0))
    return away


def _matched(demos: Sequence[Telling]) -> list[list[Said]]:
    """Return the demonstrations with what comes before the touch cut to the shortest, from the touch backwards."""
    made = [list(demo) for demo in demos]
    for number in range(1, len(made[0])):
        steps = [demo[number] for demo in made]
        before = [demo[number - 1] for demo in made]
        if all(_approaching(demo, number) for demo in made):
            shortest = min(_pieces(step.rows)[0][1] for step in steps)
            for demo, step, align in zip(made, steps, before, strict=True):
                cut = _pieces(step.rows)[0][1] - shortest
                if cut:
                    demo[number - 1], demo[number] = _without_begin(align, step, cut)
    return made


def _approaching(demo: Telling, number: int) -> bool:
    """Tell whether a step follows a path up to the touch: it comes behind a move, and another step behind it."""
    return 0 < number < len(demo) - 1 and len(demo[number].rows) > 0 and demo[number - 1].action.verb == "move_to"


def _without_begin(align: Said, step: Said, cut: int) -> tuple[Said, Said]:
    """Return the step without so many rows of its path, and the one before it as one that leads to where it begins."""
    rows, gone = step.rows[cut:].copy(), step.rows[cut - 1, :3]
    rows[:, :3] -= gone
    offset = align.action.arguments.get("offset") or [0.0, 0.0, 0.0]
    assert isinstance(offset, list)
    there = {**align.action.arguments, "offset": _numbers(np.array(offset) + gone)}
    path = {**step.action.arguments, "path": path_of(rows)}
    return (
        Said(align.action.model_copy(update={"arguments": there}), align.places),
        Said(step.action.model_copy(update={"arguments": path}), step.places),
    )


def _off(one: Said, other: Said, *, near: bool) -> Iterator[tuple[int, Vector, int]]:
    """Yield each point of the other's path: its place in it, how far it is off the one's, and how many there are.

    Both begin and end alike, except `near` a thing: there they are compared as they lie around it.
    """
    mine, its = one.rows, other.rows
    if not len(mine) or not len(its):
        return
    first, second = mine[:, :3], _bent(its[:, :3], mine[:, :3])
    ref = str(one.action.arguments.get("ref"))
    if near and other.end is not None and ref in one.places and ref in other.places:
        first = mine[:, :3] - mine[-1, :3] + one.relative(ref)
        second = its[:, :3] - its[-1, :3] + other.relative(ref)
    for (begin, end), (start, stop) in zip(_pieces(mine), _pieces(its), strict=True):
        if near and begin == start == 0:
            begin, start = _coming(first[:end]), _coming(second[:stop])
        apart = second[start:stop, None] - first[None, begin:end]  # (of the other, of the one, 3)
        far = np.linalg.norm(apart, axis=2)
        for row in range(len(far)):
            yield start + row, apart[row, far[row].argmin()], len(its)
        for column in range(far.shape[1]):
            row = int(far[:, column].argmin())
            yield start + row, apart[row, column], len(its)


def _coming(path: Vector) -> int:
    """Return from which row on a path keeps close to its end."""
    far = np.flatnonzero(np.linalg.norm(path - path[-1], axis=1) > _CLOSE)
    return int(far[-1]) + 1 if len(far) else 0


def _pieces(rows: Vector) -> list[tuple[int, int]]:
    """Return the stretches in which the gripper does not change, as first row and the one behind the last."""
    closed = rows[:, 6] > 0
    edges = [0, *(np.flatnonzero(closed[1:] != closed[:-1]) + 1), len(rows)]
    return [(int(begin), int(end)) for begin, end in pairwise(edges)] if len(rows) else []


def _grips(rows: Vector) -> tuple[bool, ...]:
    """Return whether the gripper is closed, for each stretch of a path."""
    return tuple(bool(rows[begin, 6] > 0) for begin, _ in _pieces(rows))


def _gripping(grips: Sequence[bool]) -> str:
    """Say what becomes of the gripper."""
    changes = ["closed" if closed else "opened" for closed in grips[1:]]
    return ", then ".join(changes) or ("kept closed" if any(grips) else "kept open")


def _alike(paths: Sequence[Vector]) -> list[Vector]:
    """Return the paths with equally many rows in each stretch: as many as the median has."""
    pieces = [_pieces(rows) for rows in paths]
    made = []
    for rows, own in zip(paths, pieces, strict=True):
        parts = [np.zeros((0, 7))]
        for number, (begin, end) in enumerate(own):
            length = int(np.median([one[number][1] - one[number][0] for one in pieces]))
            at = np.linspace(begin, end - 1, length) if length > 1 else np.array([end - 1.0])
            parts.append(np.stack([np.interp(at, np.arange(len(rows)), rows[:, axis]) for axis in range(7)], axis=1))
        made.append(np.concatenate(parts))
    return made


def _bent(path: Vector, other: Vector) -> Vector:
    """Return a path bent, as `retrace` bends it, to end where another ends."""
    share = np.arange(1, len(path) + 1)[:, None] / len(path)
    bent: Vector = path + (other[-1] - path[-1]) * share
    return bent


def _numbers(vector: Vector) -> list[float]:
    return [round(float(one), 3) for one in vector]
