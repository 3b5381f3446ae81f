"""Tasks, and what a seed may be used for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from skillagent.schema.value import Value


class Split(StrEnum):
    """What a seed may be used for. Learning sees practice and gate seeds; holdout seeds are for evaluation alone."""

    PRACTICE = "practice"
    GATE = "gate"
    HOLDOUT = "holdout"

    @property
    def first_seed(self) -> int:
        """The first seed of the split; each split owns the million seeds that follow, holdout all from there on."""
        return {Split.PRACTICE: 0, Split.GATE: 1_000_000, Split.HOLDOUT: 2_000_000}[self]

    @classmethod
    def of(cls, seed: int) -> Split:
        """Return the one split that `seed` belongs to: the ranges are disjoint because there is only this function."""
        return next(split for split in reversed(cls) if seed >= split.first_seed)


class Task(Value):
    """One thing to be done once: a named task of an environment, or a goal in words on a page.

    `goal` may be empty where the environment states it at reset (then `Observation.goal` has it). `expect` is a text
    that the last observation must show when the task is done: a check for worlds that have none of their own.
    `max_steps` are the actions of one try, whoever chooses them; of these the model may choose `max_turns`, or all.
    """

    env: str
    name: str
    goal: str = ""
    seed: Annotated[int, Field(ge=0)] = 0
    url: str | None = None
    expect: str = ""
    max_steps: Annotated[int, Field(ge=1)] = 12
    max_turns: Annotated[int, Field(ge=1)] | None = None
    timeout_s: Annotated[float, Field(gt=0)] = 300.0

    @property
    def id(self) -> str:
        """The task without its seed, e.g. `miniwob/login-user`."""
        return f"{self.env}/{self.name}"

    @property
    def split(self) -> Split:
        """The split that the seed belongs to."""
        return Split.of(self.seed)
