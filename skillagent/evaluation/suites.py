"""Suites: named sets of tasks, as YAML. A suite says which tasks; the split says which seeds.

name: forms
about: Small forms.
tasks: [miniwob/login-user, miniwob/enter-text]
seeds: {practice: 3, holdout: 5}
max_steps: 50
max_turns: 10
timeout_s: 120
cost_limit: 2.50
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from skillagent.config import Settings, changed, fault
from skillagent.errors import ConfigError
from skillagent.schema import Split, Task, Value

# The first that is there: of the project that one works in, of an installed package, of this checkout.
FOLDERS = (Path("evals/suites"), Path(__file__).with_name("shipped"), Path(__file__).parents[2] / "evals" / "suites")

_SUFFIXES = (".yaml", ".yml")
_TASK = re.compile(r"[^/\s]+/[^/\s]+")


class Suite(Value):
    """Tasks by id (`env/name`), how many seeds of each split, and the caps of an episode.

    `max_steps` are its actions, `max_turns` those of them that the model chooses.

    For a stream, `blocks` says how many tasks are trained before the next test of all; without it, one at a time.
    `cost_limit` (US dollars) and `token_limit` are of a whole run. They say nothing about what is measured and are left
    out of a dump, so that a run goes on under a higher one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = Field(pattern=r"^[^./\\][^/\\]*$")  # folders are called after it
    about: str = ""
    ids: tuple[str, ...] = Field(alias="tasks", min_length=1)
    seeds: Mapping[Split, Annotated[int, Field(strict=True, ge=1, le=Split.GATE.first_seed)]] = (
        Field(  # a split owns no more
            default_factory=lambda: {Split.PRACTICE: 3, Split.HOLDOUT: 5}
        )
    )
    blocks: tuple[int, ...] = ()
    max_steps: int = Field(default=10, strict=True, ge=1)
    max_turns: int | None = Field(default=None, strict=True, ge=1)
    timeout_s: float = Field(default=180.0, strict=True, gt=0, allow_inf_nan=False)
    cost_limit: float | None = Field(default=None, strict=True, gt=0, allow_inf_nan=False, exclude=True)
    token_limit: int | None = Field(default=None, strict=True, ge=1, exclude=True)

    @field_validator("ids")
    @classmethod
    def _each_once(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        if odd := [one for one in ids if not _TASK.fullmatch(one)]:
            raise ValueError(f"{odd[0]!r} is no task; write env/task")
        if twice := [one for one in ids if ids.count(one) > 1]:
            raise ValueError(f"{twice[0]} twice")
        return ids

    @model_validator(mode="after")
    def _all_in_blocks(self) -> Self:
        if self.blocks and (sum(self.blocks) != len(self.ids) or min(self.blocks) < 1):
            raise ValueError(f"blocks {list(self.blocks)} do not add up to the number of tasks, {len(self.ids)}")
        return self

    @property
    def groups(self) -> list[tuple[str, ...]]:
        """The ids of the tasks, block by block."""
        ids = iter(self.ids)
        return [tuple(islice(ids, size)) for size in self.blocks or [1] * len(self.ids)]

    def tasks(self, split: Split, seeds: int | None = None, *, first: int = 0) -> list[Task]:
        """Return every task of the suite on `seeds` seeds of a split (default: as many as the suite says).

        `first` is the first of them, counted from the beginning of the split.

        Seed by seed rather than task by task: a run that is cut short has still seen all tasks.
        """
        count = self.seeds.get(split, 1) if seeds is None else seeds
        return [self._task(one, split.first_seed + first + number) for number in range(count) for one in self.ids]

    def _task(self, task_id: str, seed: int) -> Task:
        env, _, name = task_id.partition("/")
        caps = self.model_dump(include={"max_steps", "max_turns", "timeout_s"})
        return Task(env=env, name=name, seed=seed, **caps)


def load_suite(name: str, *, folders: Sequence[Path] = FOLDERS) -> Suite:
    """Return the suite of that name, of that YAML file, or made of `env/task,env/task`.

    Raises:
        ConfigError: There is none, or the file is not a suite; the message says what is wrong and what there is.
    """
    if name.endswith(_SUFFIXES):
        if not Path(name).is_file():
            raise ConfigError(f"no suite file {name}")
        return read_suite(Path(name))
    known = _known(folders)
    if name in known:
        return read_suite(known[name])
    if all(_TASK.fullmatch(part) for part in name.split(",")):
        return _checked({"name": "given", "tasks": name.split(",")}, name)
    near = difflib.get_close_matches(name, known, n=3) or sorted(known)
    hint = f"; there is {', '.join(near)}" if near else ""
    raise ConfigError(f"no suite {name!r}{hint}; a suite is a name, a .yaml file, or env/task,env/task")


def is_suite(name: str, *, folders: Sequence[Path] = FOLDERS) -> bool:
    """Tell whether `load_suite` would take this for a suite, faulty or not."""
    named = name.endswith(_SUFFIXES) or name in _known(folders)
    return named or all(_TASK.fullmatch(part) for part in name.split(","))


def _known(folders: Sequence[Path]) -> dict[str, Path]:
    return {file.stem: file for folder in reversed(folders) for file in sorted(folder.glob("*.yaml"))}


def read_suite(path: Path) -> Suite:
    """Read one suite file; raises ConfigError with the file and what is wrong in it."""
    try:
        return _checked(yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader), str(path))  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"suite {path}: {error}") from None


class _Loader(yaml.SafeLoader):
    """Reads plain YAML, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} twice", problem_mark=key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        return super().construct_mapping(node, deep)


def _checked(content: object, origin: str) -> Suite:
    try:
        return Suite.model_validate(content)
    except ValidationError as error:
        where, what = fault(error, [field.alias or name for name, field in Suite.model_fields.items()])
        raise ConfigError(f"suite {origin}: {f'{where}: ' if where else ''}{what}") from None


def limited(settings: Settings, suite: Suite) -> Settings:
    """Return the settings with the suite's limits where they have none."""
    limits = {"token_limit": suite.token_limit, "cost_limit": suite.cost_limit}
    return changed(settings, {key: value for key, value in limits.items() if value and getattr(settings, key) is None})
