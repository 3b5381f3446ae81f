"""Correct: one point of a program's way moved, what is near it moved along, the rest untouched.

The way is the chain of points to which a program's steps lead: a move to an offset is one of them, a path has many.
The weight of a correction falls with the distance along the way, as a bell of a few centimetres. Source: local
modulation of trajectories by via-points (KMP).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skillagent.envs.robot.primitives import path_of, rows_of
from skillagent.envs.robot.simulator import Vector
from skillagent.envs.robot.wording import Correction
from skillagent.errors import ConfigError
from skillagent.schema import Do, Node, Program

_BELL = 0.03  # metres along the way in which the weight falls to 0.61
_NOTHING = 0.01  # a weight below which nothing is moved


@dataclass(frozen=True)
class _Part:
    """A step that leads somewhere: its place in the program, and how far along the way its points lie, in metres."""

    index: int
    do: Do
    rows: Vector
    along: Vector


def corrected(program: Program, change: Correction) -> Program:
    """Return the program with one point of its way moved.

    Raises:
        ConfigError: No step leads anywhere, there is no such step, or it would lead out of reach; the message says
            what there is.
    """
    parts = _parts(program.steps)
    if not parts:
        raise ConfigError(f"no step has an offset or a path to be moved: its steps are {_listed(program.steps)}")
    centre, steps = _centre(parts, change, program.steps), list(program.steps)
    start = 0.0  # the weight of where the hand is
    for part in parts:
        weights = np.exp(-(((part.along - centre) / _BELL) ** 2) / 2)
        weights[weights < _NOTHING] = 0.0
        steps[part.index] = _moved(part, change.way, weights, start)
        start = float(weights[-1])
    return program.model_copy(update={"steps": tuple(steps)})


def _moved(part: _Part, way: Vector, weights: Vector, start: float) -> Do:
    """Return a step with its points moved; a path is told from where it starts, which may have moved already."""
    arguments = dict(part.do.arguments)
    if weights[-1]:
        there = np.array(arguments.get("offset") or (0.0, 0.0, 0.0)) + weights[-1] * way
        if np.abs(there).max() > 1:
            raise ConfigError(f"step {part.index + 1} would lead more than a metre from its thing")
        arguments["offset"] = [round(float(one), 3) for one in there]
    if len(part.rows) and (weights.any() or start):
        rows = part.rows.copy()
        rows[:, :3] += (weights - start)[:, None] * way
        arguments["path"] = path_of(rows)
    return part.do.model_copy(update={"arguments": arguments})


def _parts(nodes: Sequence[Node]) -> list[_Part]:
    """Return the steps that lead somewhere, with how far along the way their points lie."""
    found, gone, last = list[_Part](), 0.0, None
    for index, node in enumerate(nodes):
        if not isinstance(node, Do) or "ref" not in node.targets:
            continue
        path, offset = node.arguments.get("path"), node.arguments.get("offset")
        if not isinstance(path, str) and node.verb != "move_to":
            continue
        rows = rows_of(path) if isinstance(path, str) else np.zeros((0, 7))
        there = np.array(offset or (0.0, 0.0, 0.0), dtype=float)
        if len(rows):
            steps = np.linalg.norm(np.diff(rows[:, :3], axis=0, prepend=np.zeros((1, 3))), axis=1)
            along = gone + np.cumsum(steps)
        else:  # how far it is from another thing, only the world knows: far
            near = last is not None and last[0] == node.targets["ref"]
            along = np.array([gone + (float(np.linalg.norm(there - last[1])) if near and last else 10.0)])
        found.append(_Part(index, node, rows, along))
        gone, last = float(along[-1]), (node.targets["ref"], there)
    return found


def _centre(parts: Sequence[_Part], change: Correction, nodes: Sequence[Node]) -> float:
    """Return how far along the way the point lies that is to be moved."""
    chosen = parts
    if change.step is not None:
        chosen = [part for part in parts if part.index + 1 == change.step]
        if not chosen:
            raise ConfigError(f"step {change.step} has no offset or path to be moved: its steps are {_listed(nodes)}")
    points = np.concatenate([part.along for part in chosen])
    match change.at:
        case "start":
            return float(points[0])
        case "end":
            return float(points[-1])
        case "middle":
            return float(points[np.abs(points - (points[0] + points[-1]) / 2).argmin()])


def _listed(nodes: Sequence[Node]) -> str:
    return ", ".join(
        f"{n}. {node.verb if isinstance(node, Do) else node.kind}" for n, node in enumerate(nodes, start=1)
    )
