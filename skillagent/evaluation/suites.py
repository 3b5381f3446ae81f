"""Suites: named sets of tasks, as YAML. A suite says which tasks; the split says which seeds.

name: forms
about: Small forms.
tasks: [miniwob/login-user, miniwob/enter-text]
seeds: {practice: 3, holdout: 5}
max_steps: 10
timeout_s: 120
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Self

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator

from skillagent.errors import ConfigError
from skillagent.schema import Split, Task, Value

# The first that is there: of the project that one works in, of an installed package, of this checkout.
FOLDERS = (Path("evals/suites"), Path(__file__).with_name("shipped"), Path(__file__).parents[2] / "evals" / "suites")


class Suite(Value):
    """Tasks by id (`env/name`), how many seeds of each split, and the caps of an episode.

    For a stream, `blocks` says how many tasks are trained before the next test of all; without it, one at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str
    about: str = ""
    ids: tuple[str, ...] = Field(alias="tasks", min_length=1)
    seeds: Mapping[Split, int] = Field(default_factory=lambda: {Split.PRACTICE: 3, Split.HOLDOUT: 5})
    blocks: tuple[int, ...] = ()
    max_steps: int = Field(default=10, ge=1)
    timeout_s: float = Field(default=180.0, gt=0)

    @model_validator(mode="after")
    def _all_in_blocks(self) -> Self:
        if self.blocks and (sum(self.blocks) != len(self.ids) or min(self.blocks) < 1):
            raise ValueError(f"blocks {list(self.blocks)} do not add up to the {len(self.ids)} tasks")
        return self

    @property
    def groups(self) -> list[tuple[str, ...]]:
        """The ids of the tasks, block by block."""
        ids = iter(self.ids)
        return [tuple(islice(ids, size)) for size in self.blocks or [1] * len(self.ids)]

    def tasks(self, split: Split, seeds: int | None = None) -> list[Task]:
        """Return every task of the suite on the first `seeds` seeds of a split (default: as many as the suite says).

        Seed by seed rather than task by task: a run that is cut short has still seen all tasks.
        """
        count = self.seeds.get(split, 1) if seeds is None else seeds
        return [self._task(one, split.first_seed + number) for number in range(count) for one in self.ids]

    def _task(self, task_id: str, seed: int) -> Task:
        env, _, name = task_id.partition("/")
        return Task(env=env, name=name, seed=seed, max_steps=self.max_steps, timeout_s=self.timeout_s)


def load_suite(name: str, *, folders: Sequence[Path] = FOLDERS) -> Suite:
    """Return the suite of that name, of that YAML file, or made of `env/task,env/task`.

    Raises:
        ConfigError: There is none, or the file is not a suite; the message says what is wrong and what there is.
    """
    if name.endswith((".yaml", ".yml")):
        if not Path(name).is_file():
            raise ConfigError(f"no suite file {name}")
        return read_suite(Path(name))
    known = {file.stem: file for folder in reversed(folders) for file in sorted(folder.glob("*.yaml"))}
    if name in known:
        return read_suite(known[name])
    if all(part.count("/") == 1 and part.strip("/") == part for part in name.split(",")):
        return Suite(name="given", ids=tuple(name.split(",")))
    near = difflib.get_close_matches(name, known, n=3) or sorted(known)
    hint = f"; there is {', '.join(near)}" if near else ""
    raise ConfigError(f"no suite {name!r}{hint}; a suite is a name, a .yaml file, or env/task,env/task")


def read_suite(path: Path) -> Suite:
    """Read one suite file; raises ConfigError with the file and what is wrong in it."""
    try:
        return Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        detail = error.errors()[0] if isinstance(error, ValidationError) else None
        what = f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" if detail else str(error)
        raise ConfigError(f"suite {path}: {what}") from None
