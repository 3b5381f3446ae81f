"""Problems: word problems with known answers, drawn from a seed or read from a file.

Our own have numbers and words that the seed draws, and a model that gives the answer. A file is a JSON list of objects
with a `description` and its `ground_truth`, as public sets have them; each is one fixed problem, and which split it
belongs to follows from its words, so that no problem is both learnt from and held out.
"""

from __future__ import annotations

import difflib
import json
import logging
import math
import random
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import yaml
from pydantic import FiniteFloat, TypeAdapter, ValidationError

from skillagent.envs.optimize.model import Model, solve
from skillagent.errors import ConfigError, EnvironmentFailed
from skillagent.schema import Split, Task, Value, digest_of

log = logging.getLogger("skillagent.optimize")


class Problem(Value):
    """A text, and the best objective that it asks for."""

    text: str
    answer: FiniteFloat


class Template(Value):
    """A family of problems: texts and a model with places for what a seed draws.

    `draw` names each place: three numbers are lowest, highest and step; texts are a choice.
    """

    name: str
    text: str
    draw: Mapping[str, tuple[float, float, float] | tuple[str, ...]]
    model: Model

    def drawn(self, seed: int) -> tuple[str, Model]:
        """Return the text and the model of one seed."""
        dice = random.Random(f"{self.name} {seed}")  # noqa: S311
        values = {key: _drawn(dice, choice) for key, choice in self.draw.items()}
        filled = {
            "objective": self.model.objective.format(**values),
            "constraints": tuple(one.format(**values) for one in self.model.constraints),
        }
        return self.text.format(**values), self.model.model_copy(update=filled)

    def problem(self, seed: int) -> Problem:
        """Return the problem of one seed; its answer is what HiGHS finds."""
        text, model = self.drawn(seed)
        return Problem(text=text, answer=solve(model).objective)


def _drawn(dice: random.Random, choice: Sequence[float | str]) -> str:
    if isinstance(choice[0], str):
        return str(dice.choice(choice))
    low, high, step = (float(number) for number in choice)
    return f"{low + step * dice.randint(0, round((high - low) / step)):g}"


@cache
def templates() -> Mapping[str, Template]:
    """Return our own problems by name."""
    text = resources.files(__package__).joinpath("problems.yaml").read_text(encoding="utf-8")
    return {one.name: one for one in TypeAdapter(list[Template]).validate_python(yaml.safe_load(text))}


def names(folder: Path | None) -> tuple[str, ...]:
    """Return the names of all tasks: our own, and the files of the folder."""
    files = sorted(file.stem for file in folder.glob("*.json")) if folder is not None else []
    return (*templates(), *files)


def problem_of(task: Task, folder: Path | None = None) -> Problem:
    """Return the problem that a task's name and seed stand for.

    What is learnt on goes round when a file's problems are used up; what is measured on does not.

    Raises:
        ConfigError: There is no problem of that name, or its file cannot be read.
        EnvironmentFailed: The file has no problem for that split, or no further one to measure on.
    """
    if task.name in templates():
        return templates()[task.name].problem(task.seed)
    file = folder / f"{task.name}.json" if folder is not None else None
    if file is None or not file.is_file():
        close = difflib.get_close_matches(task.name, names(folder), n=3, cutoff=0.4)
        where = f"among ours or in {folder}" if folder else "among ours; SKILLAGENT_PROBLEMS names a folder of others"
        raise ConfigError(f"no problem {task.name!r} {where}{'; near it: ' if close else ''}{', '.join(close)}")
    mine = of_split(read(file), task.split)
    number = task.seed - task.split.first_seed
    if mine and task.split is not Split.HOLDOUT:
        number %= len(mine)
    if number >= len(mine):
        raise EnvironmentFailed(f"{file.name} has {len(mine)} {task.split} problems; there is no number {number}")
    return mine[number]


def of_split(problems: Sequence[Problem], split: Split) -> tuple[Problem, ...]:
    """Return the problems that a split owns, about a third of them.

    A problem's own words decide alone: it is in the same split whatever stands beside it, and in whichever file.
    """
    marked = sorted((int(digest_of(" ".join(one.text.split())), 16), number) for number, one in enumerate(problems))
    mine = list(Split).index(split)
    return tuple(problems[number] for mark, number in marked if mark % len(Split) == mine)


@cache
def read(file: Path) -> tuple[Problem, ...]:
    """Read a JSON list of problems; those with the same words are read once.

    Public sets also hold problems without an optimum: where the ground truth is no number, the problem is left out, and
    the log says of how many that is so.

    Raises:
        ConfigError: It is not such a list, or no problem in it has an optimum; the message names the first entry that
            is amiss.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: cannot be read as JSON: {error}") from None
    if not isinstance(entries, list):
        raise ConfigError(f"{file}: a list of objects with a description and a ground_truth is wanted")
    found: dict[str, Problem] = {}
    unsolved = 0
    for number, entry in enumerate(entries):
        fields = entry if isinstance(entry, dict) else {}
        if "ground_truth" in fields and _no_number(fields["ground_truth"]):
            unsolved += 1
            continue
        try:
            one = Problem.model_validate({"text": fields.get("description"), "answer": fields.get("ground_truth")})
            whole = bool(one.text.strip()) and not isinstance(fields["ground_truth"], bool)
        except ValidationError:
            whole = False
        if not whole:
            raise ConfigError(f"{file}: entry {number} lacks a text `description` or a number `ground_truth`")
        found.setdefault(" ".join(one.text.split()), one)
    if unsolved:
        told = f"{file}: {unsolved} of {len(entries)} entries have no number as their `ground_truth`"
        if not found:
            raise ConfigError(f"{told}: there is no problem to solve")
        log.warning("%s and are left out", told)
    return tuple(found.values())


def _no_number(value: object) -> bool:
    try:
        return not isinstance(value, bool) and not math.isfinite(float(str(value)))
    except ValueError:
        return True
