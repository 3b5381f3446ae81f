"""Optimisation problems in words: the agent writes a linear or integer model, HiGHS solves it, the objective decides.

A model that cannot be read, or has no optimum, is the agent's fault: it reads why and may write another. The first
model with an optimum ends the task; the reward is 1 where its objective is the known one, else 0. The agent is never
told the known objective; who learns from the episode is, on practice seeds.
"""

from __future__ import annotations

import io
import math
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from skillagent.envs.optimize.model import Model, solve
from skillagent.envs.optimize.near import near
from skillagent.envs.optimize.problems import Problem, problem_of
from skillagent.errors import AgentFault, ConfigError
from skillagent.schema import Action, Json, Observation, Outcome, Split, Task, Verb

TOLERANCE = 1e-4  # relative, as the answers of public sets are rounded

_NAMES: Json = {"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": 40}
_MODEL = Verb(
    name="model",
    doc=(
        "Hand in a linear model of the problem. variables: the numbers that somebody is free to choose, each as "
        "`name: what it counts`, and nothing that follows from them, such as a total or a cost. objective and "
        "constraints: with the numbers of the problem and these names, one constraint for each limit. integers: the "
        "variables that must be whole. free: those that may be negative. "
        '"A truck takes 40 crates for $5 and a cart 15 for $2. 300 crates must go, and at least 30% of the trips are '
        'by cart. What does it cost at least?" is the example.'
    ),
    example={
        "variables": ["trucks: trips by truck", "carts: trips by cart"],
        "sense": "minimize",
        "objective": "5*trucks + 2*carts",
        "constraints": ["40*trucks + 15*carts >= 300", "carts >= 0.3*(trucks + carts)"],
        "integers": ["trucks", "carts"],
    },
    parameters={
        "type": "object",
        "properties": {
            "variables": {"type": "array", "items": {"type": "string", "maxLength": 80}, "maxItems": 40},
            "sense": {"type": "string", "enum": ["maximize", "minimize"]},
            "objective": {"type": "string", "maxLength": 300},
            "constraints": {"type": "array", "items": {"type": "string", "maxLength": 160}, "maxItems": 40},
            "integers": _NAMES,
            "free": _NAMES,
        },
        "required": ["variables", "sense", "objective", "constraints", "integers"],
        "additionalProperties": False,
    },
)


class Optimize:
    """Word problems as an environment.

    Args:
        folder: Holds files of further problems; each file is a task of its name.
    """

    anew = True
    verbs = (_MODEL,)

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._task: Task | None = None
        self._problem = Problem(text="", answer=0.0)
        self._told, self._turns, self._ends, self._over = "", 0, math.inf, True

    def reset(self, task: Task) -> Observation:
        """Draw or look up the problem of the task's seed.

        Raises:
            ConfigError: There is no problem of that name.
            EnvironmentFailed: The file has no further problem for the seed's split.
        """
        self._problem = problem_of(task, self._folder)
        self._task, self._turns, self._over = task, 0, False
        self._ends = time.monotonic() + task.timeout_s
        self._told = "No model yet."
        return self._seen()

    def step(self, action: Action) -> Outcome:
        """Solve the model that was handed in."""
        if self._task is None or self._over:
            return Outcome(observation=self._seen(), error="the task is over; reset", terminated=True)
        self._turns += 1
        try:
            if action.verb != _MODEL.name:
                raise AgentFault(f"there is no verb {action.verb!r}; there is {_MODEL.signature}")
            solution = solve(_model(action))
        except AgentFault as fault:
            self._told = f"The last model had no optimum: {fault}"
            self._over = self._turns >= self._task.max_steps or time.monotonic() >= self._ends
            return Outcome(
                observation=self._seen(), error=str(fault), reward=0.0, truncated=self._over, truth=self._truth()
            )
        self._over, self._told = True, f"Solved: {solution}"
        right = math.isclose(solution.objective, self._problem.answer, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        return Outcome(observation=self._seen(), reward=float(right), terminated=True, truth=self._truth())

    def _truth(self) -> str:
        known = self._over and self._task is not None and self._task.split is Split.PRACTICE
        return f"the best objective is {self._problem.answer:.10g}" if known else ""

    def _seen(self) -> Observation:
        return Observation(goal=self._problem.text, text=self._told)

    def near(self, goal: str, action: Action) -> Iterator[Action]:
        """Yield models a little otherwise than one that did not do it, the likeliest first."""
        try:
            first = _model(action)
        except AgentFault:
            return
        for one in near(goal, first):
            left_out = {
                name for name in ("variables", "free") if name not in action.arguments and not getattr(one, name)
            }
            yield Action(verb=_MODEL.name, arguments=one.model_dump(mode="json", exclude=left_out))

    def screenshot(self) -> bytes:
        """Return the problem and what was found, as a PNG of their words.

        Raises:
            ConfigError: Pillow is missing.
        """
        try:
            from PIL import Image, ImageDraw
        except ImportError:
            raise ConfigError("pictures need Pillow: pip install 'skillagent[report]'") from None
        lines = [*textwrap.wrap(self._problem.text, 90), "", *textwrap.wrap(self._told, 90)]
        picture = Image.new("RGB", (640, 24 + 16 * len(lines)), "white")
        ImageDraw.Draw(picture).multiline_text((12, 12), "\n".join(lines), fill="black")
        file = io.BytesIO()
        picture.save(file, format="PNG")
        return file.getvalue()

    def close(self) -> None:
        """Nothing to let go of; a second call does nothing."""


def _model(action: Action) -> Model:
    try:
        return Model.model_validate(dict(action.arguments))
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'model'}: {one['msg']}" for one in error.errors()[:3])
        raise AgentFault(f"not a model: {told}") from None
