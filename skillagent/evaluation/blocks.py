"""Blocks: a lifelong run as blocks of training and testing, and the folders in which such runs are kept.

    ll_logs/<scenario>/<worker>/<block>-<train|test>/data-log.tsv     one row an experience
    ste_logs/<run>/<worker>/<block>-train/data-log.tsv                the same of an expert: one task, learnt alone

The layout is that of the domain-agnostic lifelong-learning metrics (New et al. 2022, arXiv 2201.08278), so that their
tools read our logs and ours read theirs.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from skillagent.errors import ConfigError
from skillagent.schema import Value

Kind = Literal["train", "test"]

_KINDS: Mapping[str, Kind] = {"train": "train", "test": "test"}
COLUMNS = (
    "block_num", "exp_num", "worker_id", "block_type", "task_name", "task_params", "exp_status", "timestamp",
)  # fmt: skip


class Block(Value):
    """What one task yielded in one block: a number an experience, in the order in which they were had."""

    number: int = Field(ge=0)
    kind: Kind
    task: str
    performance: tuple[float, ...] = Field(min_length=1)


class Scenario(Value):
    """A lifelong run, and curves of experts, each of which learnt one task alone."""

    name: str
    blocks: tuple[Block, ...] = Field(min_length=1)
    experts: Mapping[str, tuple[tuple[float, ...], ...]] = Field(default_factory=dict)
    about: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks in the order in which they were first trained, then those that were only tested."""
        trained = [block.task for block in self.blocks if block.kind == "train"]
        return tuple(dict.fromkeys([*trained, *(block.task for block in self.blocks)]))


def read_scenario(folder: Path, *, experts: Path | None = None, measure: str = "performance") -> Scenario:
    """Read the logs of one lifelong run.

    Args:
        folder: The scenario's folder, or one that holds `ll_logs/` with a single scenario in it.
        experts: The folder with the experts' runs; default: `ste_logs` in the folder, beside it, or beside `ll_logs`.
        measure: The column that holds the performance.

    Raises:
        ConfigError: There are no such logs, or a row is not as it should be; the message names file and line.
    """
    if not folder.is_dir():
        raise ConfigError(f"no folder {folder}")
    scenario = _scenario_folder(folder)
    places = (
        [experts] if experts else [place / "ste_logs" for place in (folder, scenario.parent, scenario.parent.parent)]
    )
    found = next((place for place in places if place.is_dir()), None)
    if experts and not found:
        raise ConfigError(f"no folder {experts} with experts' runs")
    return Scenario(
        name=scenario.name,
        blocks=tuple(_blocks(scenario, measure)),
        experts=_experts(found, measure) if found else {},
        about=_about(scenario),
    )


def _scenario_folder(folder: Path) -> Path:
    inside = folder if folder.name == "ll_logs" else folder / "ll_logs"
    if not inside.is_dir():
        return folder
    known = sorted(path for path in inside.iterdir() if path.is_dir())
    if len(known) == 1:
        return known[0]
    raise ConfigError(f"{inside} holds {len(known)} scenarios: name the folder of one" + (
        f", e.g. {known[0]}" if known else ""
    ))  # fmt: skip


def _about(folder: Path) -> dict[str, Any]:
    file = folder / "scenario_info.json"
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
    return known if isinstance(known, dict) else {}


def _experts(folder: Path, measure: str) -> dict[str, tuple[tuple[float, ...], ...]]:
    """Return every expert's whole curve of training, by task."""
    curves: dict[str, list[tuple[float, ...]]] = {}
    for run in sorted(path for path in folder.iterdir() if path.is_dir()):
        trained = [block for block in _blocks(run, measure) if block.kind == "train"]
        for task in dict.fromkeys(block.task for block in trained):
            curve = tuple(value for block in trained if block.task == task for value in block.performance)
            curves.setdefault(task, []).append(curve)
    return {task: tuple(known) for task, known in curves.items()}


def _blocks(folder: Path, measure: str) -> list[Block]:
    """Return the blocks under a folder by their numbers; a block in which several tasks are tested is one a task."""
    rows: list[tuple[int, int, Kind, str, float]] = []
    for file in sorted(folder.glob("*/*/data-log.tsv")):
        if not (found := _rows(file, measure)):
            raise ConfigError(f"{file}: there is no complete experience in it")
        rows += found
    if not rows:
        raise ConfigError(f"no logs in {folder}: expected <worker>/<block>-<train|test>/data-log.tsv")
    rows.sort(key=lambda row: (row[0], row[1]))
    blocks = []
    for (number, kind), own in groupby(rows, key=lambda row: (row[0], row[2])):
        block = list(own)
        for task in dict.fromkeys(row[3] for row in block):
            values = tuple(row[4] for row in block if row[3] == task)
            blocks.append(Block(number=number, kind=kind, task=task, performance=values))
    return blocks


def _rows(file: Path, measure: str) -> list[tuple[int, int, Kind, str, float]]:
    rows: list[tuple[int, int, Kind, str, float]] = []
    with file.open(encoding="utf-8", newline="") as stream:
        for line, row in enumerate(csv.DictReader(stream, delimiter="\t"), start=2):
            try:
                if row.get("exp_status", "complete") != "complete":
                    continue
                kind = _KINDS[row["block_type"]]
                value = float(row[measure])
                if not math.isfinite(value):
                    raise ValueError(f"{measure} is {value}")
                rows.append((int(row["block_num"]), int(row["exp_num"]), kind, row["task_name"], value))
            except KeyError as error:
                raise ConfigError(f"{file}, line {line}: there is no {error}") from None
            except (TypeError, ValueError) as error:
                raise ConfigError(f"{file}, line {line}: {error}") from None
    return rows


def write_blocks(blocks: Sequence[Block], folder: Path, *, about: Mapping[str, Any] | None = None) -> None:
    """Write blocks as logs under `folder/0/`, where 0 is the only worker; `about` becomes `scenario_info.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    info = {"metrics_columns": ["performance"], "log_format_version": "1.0"}
    (folder / "logger_info.json").write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    (folder / "scenario_info.json").write_text(json.dumps(dict(about or {}), indent=2) + "\n", encoding="utf-8")
    experience = 0
    for (number, kind), own in groupby(blocks, key=lambda block: (block.number, block.kind)):
        text = io.StringIO()
        out = csv.writer(text, delimiter="\t", lineterminator="\n")
        out.writerow([*COLUMNS, "performance"])
        for block in own:
            for value in block.performance:
                out.writerow([number, experience, 0, kind, block.task, "{}", "complete", "", repr(value)])
                experience += 1
        file = folder / "0" / f"{number}-{kind}" / "data-log.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.getvalue(), encoding="utf-8")
