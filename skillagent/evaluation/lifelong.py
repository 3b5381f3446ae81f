"""Lifelong: what training one task after another did to all of them.

Two families of figures. From blocks of training and testing, the domain-agnostic metrics of New et al. 2022
(arXiv 2201.08278): how well a task is maintained while others are trained, what training one does for another before
(forward) and after (backward) that other was trained, how fast a task comes back, and how learning in sequence
compares with experts that learnt one task alone. From a matrix S[i][j], the success on task j after learning task i:
forward transfer, negative backward transfer and area under the curve of LIBERO (Liu et al. 2023, arXiv 2306.03310).

A figure that the logs say nothing about is None, never zero.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, ValidationError

from skillagent.config import fault
from skillagent.errors import ConfigError
from skillagent.evaluation.blocks import Block, Scenario
from skillagent.schema import Value

Curve = NDArray[np.float64]

SMOOTHED = 0.2  # of a block, as the window over which it is smoothed ...
WIDEST = 100  # ... but at most so many experiences
TERMINAL = 0.1  # of a training block, at its end, says how well it ended
SCALE = (1.0, 101.0)
SATURATED = 0.2  # of the expert's saturation is the least that counts as having learnt


class Settings(Value):
    """How the curves are prepared. Names and defaults follow the reference tools, whose settings files are read.

    `log_dir`, which they also write, says where their logs were and changes nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_dir: str = ""
    perf_measure: str = "performance"
    aggregation_method: Literal["mean", "median"] = "mean"
    maintenance_method: Literal["mrlep"] = "mrlep"
    transfer_method: Literal["ratio", "contrast", "both"] = "both"
    normalization_method: Literal["task", "run", "none"] = "task"
    smoothing_method: Literal["flat", "none"] = "flat"
    window_length: int | None = Field(default=None, ge=1)
    clamp_outliers: Literal[False] = False
    variant_mode: Literal["aware"] = "aware"
    ste_averaging_method: Literal["metrics"] = "metrics"


class TaskMetrics(Value):
    """The figures of one task, and the values that they are means of."""

    perf_recovery: float | None
    avg_train_perf: float | None
    avg_eval_perf: float | None
    perf_maintenance_mrlep: float | None
    forward_transfer_ratio: Mapping[str, tuple[float, ...]]
    backward_transfer_ratio: Mapping[str, tuple[float, ...]]
    forward_transfer_contrast: Mapping[str, tuple[float, ...]]
    backward_transfer_contrast: Mapping[str, tuple[float, ...]]
    ste_rel_perf: float | None
    sample_efficiency: float | None
    recovery_times: tuple[float, ...]
    maintenance_vals: tuple[float, ...]
    num_lx: int
    num_ex: int


class LifelongMetrics(Value):
    """The figures of a run. `num_lx` and `num_ex` count the experiences of training and of testing.

    Above 0 for maintenance and recovery, above 1 for the ratios and above 0 for the contrasts means that learning in
    sequence helped.
    """

    run_id: str
    perf_recovery: float | None
    avg_train_perf: float | None
    avg_eval_perf: float | None
    perf_maintenance_mrlep: float | None
    forward_transfer_ratio: float | None
    backward_transfer_ratio: float | None
    forward_transfer_contrast: float | None
    backward_transfer_contrast: float | None
    ste_rel_perf: float | None
    sample_efficiency: float | None
    num_lx: int
    num_ex: int
    task_metrics: Mapping[str, TaskMetrics]


def read_settings(file: Path) -> Settings:
    """Read a settings file; raises ConfigError where it asks for what is not there."""
    try:
        return Settings.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        where, what = fault(error, Settings.model_fields)
        raise ConfigError(f"settings {file}: {where}: {what}" if where else f"settings {file}: {what}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"settings {file}: {error}") from None


def lifelong(scenario: Scenario, settings: Settings | None = None) -> LifelongMetrics:
    """Return the metrics of a run of blocks."""
    settings = settings or Settings()
    mean = _aggregate(settings)
    blocks, experts = _prepared(scenario, settings)
    own = {task: _task(task, blocks, experts.get(task, ()), settings) for task in scenario.tasks}

    def over_tasks(of: Callable[[TaskMetrics], float | None]) -> float | None:
        return mean(value for task in own.values() if (value := of(task)) is not None)

    def firsts(of: Callable[[TaskMetrics], Mapping[str, tuple[float, ...]]]) -> float | None:
        return mean(values[0] for task in own.values() for values in of(task).values())

    return LifelongMetrics(
        run_id=scenario.name,
        perf_recovery=over_tasks(lambda t: t.perf_recovery),
        avg_train_perf=over_tasks(lambda t: t.avg_train_perf),
        avg_eval_perf=over_tasks(lambda t: t.avg_eval_perf),
        perf_maintenance_mrlep=over_tasks(lambda t: t.perf_maintenance_mrlep),
        forward_transfer_ratio=firsts(lambda t: t.forward_transfer_ratio),
        backward_transfer_ratio=firsts(lambda t: t.backward_transfer_ratio),
        forward_transfer_contrast=firsts(lambda t: t.forward_transfer_contrast),
        backward_transfer_contrast=firsts(lambda t: t.backward_transfer_contrast),
        ste_rel_perf=over_tasks(lambda t: t.ste_rel_perf),
        sample_efficiency=over_tasks(lambda t: t.sample_efficiency),
        num_lx=sum(t.num_lx for t in own.values()),
        num_ex=sum(t.num_ex for t in own.values()),
        task_metrics=own,
    )


class _Prepared(Value):
    """A block whose curve is smoothed and scaled, with how well it ended."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    number: int
    kind: str
    task: str
    curve: Curve
    terminal: float


def _prepared(scenario: Scenario, settings: Settings) -> tuple[list[_Prepared], dict[str, list[Curve]]]:
    curves = [_smoothed(block, settings) for block in scenario.blocks]
    experts = {
        task: [_smooth(np.array(curve), settings) for curve in known] for task, known in scenario.experts.items()
    }
    reach: dict[str, list[Curve]] = {task: [] for task in scenario.tasks}
    for block, curve in zip(scenario.blocks, curves, strict=True):
        reach[block.task].append(curve)
    for task in reach:
        reach[task] += experts.get(task, [])
    bounds = {task: (min(c.min() for c in known), max(c.max() for c in known)) for task, known in reach.items()}
    if settings.normalization_method == "run":
        lows, highs = zip(*bounds.values(), strict=True)
        bounds = dict.fromkeys(bounds, (min(lows), max(highs)))

    def scaled(task: str, curve: Curve) -> Curve:
        if settings.normalization_method == "none":
            return curve
        (low, high), (bottom, top) = bounds[task], SCALE
        onto: Curve = (curve - low) / ((high - low) or 1.0) * (top - bottom) + bottom
        return onto

    blocks = []
    for block, curve in zip(scenario.blocks, curves, strict=True):
        curve = scaled(block.task, curve)
        last = curve if block.kind == "test" else curve[int((1 - TERMINAL) * len(curve)) :]
        blocks.append(
            _Prepared(number=block.number, kind=block.kind, task=block.task, curve=curve, terminal=float(last.mean()))
        )
    return blocks, {task: [scaled(task, c) for c in known] for task, known in experts.items() if task in bounds}


def _smoothed(block: Block, settings: Settings) -> Curve:
    curve = np.array(block.performance, dtype=np.float64)
    return _smooth(curve, settings) if block.kind == "train" else curve


def _smooth(curve: Curve, settings: Settings) -> Curve:
    """Return the running mean, the curve mirrored at its ends; one that is shorter than the window stays as it is.

    An odd window is centred, where the reference's lies one back; an even one reaches one further back than ahead, as
    there.
    """
    from scipy.ndimage import uniform_filter1d

    window = settings.window_length or min(int(SMOOTHED * len(curve)), WIDEST)
    if settings.smoothing_method == "none" or not 3 <= window <= len(curve):
        return curve
    smooth: Curve = uniform_filter1d(curve, window, mode="mirror")
    return smooth


def _task(task: str, blocks: Sequence[_Prepared], experts: Sequence[Curve], settings: Settings) -> TaskMetrics:
    mean = _aggregate(settings)
    train = [block for block in blocks if block.task == task and block.kind == "train"]
    test = [block for block in blocks if block.task == task and block.kind == "test"]
    times, kept = _recovery_times(train), _maintenance(task, blocks)
    forward, backward = _transfer(task, blocks)
    learnt = np.concatenate([block.curve for block in train]) if train else np.array([])
    ratio, contrast = settings.transfer_method != "contrast", settings.transfer_method != "ratio"
    return TaskMetrics(
        perf_recovery=_recovery(times),
        avg_train_perf=mean(float(block.curve.mean()) for block in train),
        avg_eval_perf=mean(block.terminal for block in test),
        perf_maintenance_mrlep=mean(kept),
        forward_transfer_ratio=_each(_ratio, forward) if ratio else {},
        backward_transfer_ratio=_each(_ratio, backward) if ratio else {},
        forward_transfer_contrast=_each(_contrast, forward) if contrast else {},
        backward_transfer_contrast=_each(_contrast, backward) if contrast else {},
        ste_rel_perf=mean(_known(_relative(learnt, expert) for expert in experts)) if train else None,
        sample_efficiency=mean(_known(_efficiency(learnt, expert, settings) for expert in experts)) if train else None,
        recovery_times=tuple(times),
        maintenance_vals=tuple(kept),
        num_lx=sum(len(block.curve) for block in train),
        num_ex=sum(len(block.curve) for block in test),
    )


def _aggregate(settings: Settings) -> Callable[[Iterable[float]], float | None]:
    middle = np.mean if settings.aggregation_method == "mean" else np.median

    def mean(values: Iterable[float]) -> float | None:
        known = list(values)
        return float(middle(known)) if known else None

    return mean


def _known(values: Iterable[float | None]) -> Iterator[float]:
    return (value for value in values if value is not None)


def _maintenance(task: str, blocks: Sequence[_Prepared]) -> list[float]:
    """Return each later test minus the first one after the task was last trained."""
    values, reference, trained = [], None, False
    for block in blocks:
        if block.task != task:
            continue
        if block.kind == "train":
            trained, reference = True, None
        elif trained and reference is None:
            reference = block.terminal
        elif reference is not None:
            values.append(block.terminal - reference)
    return values


Change = tuple[float, float]  # how a test of another task ended before and after a training block


def _transfer(task: str, blocks: Sequence[_Prepared]) -> tuple[dict[str, list[Change]], dict[str, list[Change]]]:
    """Return what training `task` changed in the tests of others, before and after those were trained themselves."""
    forward: dict[str, list[Change]] = {}
    backward: dict[str, list[Change]] = {}
    others = dict.fromkeys(block.task for block in blocks if block.task != task)
    for other in others:
        trained = False
        for at, block in enumerate(blocks):
            if block.kind != "train":
                continue
            if block.task == other:
                trained = True
            elif block.task == task and (change := _around(at, other, blocks)) is not None:
                (backward if trained else forward).setdefault(other, []).append(change)
    return forward, backward


def _around(at: int, task: str, blocks: Sequence[_Prepared]) -> Change | None:
    """Return the task's nearest tests before and after a training block, with none of its own training in between."""

    def nearest(direction: Iterable[_Prepared]) -> float | None:
        for block in direction:
            if block.task == task:
                return block.terminal if block.kind == "test" else None
        return None

    before, after = nearest(reversed(blocks[:at])), nearest(blocks[at + 1 :])
    return None if before is None or after is None else (before, after)


def _each(of: Callable[[Change], float | None], changes: Mapping[str, list[Change]]) -> dict[str, tuple[float, ...]]:
    values = {other: tuple(v for change in own if (v := of(change)) is not None) for other, own in changes.items()}
    return {other: known for other, known in values.items() if known}


def _ratio(change: Change) -> float | None:
    return change[1] / change[0] if change[0] else None


def _contrast(change: Change) -> float | None:
    return (change[1] - change[0]) / (change[0] + change[1]) if change[0] + change[1] else None


def _recovery_times(train: Sequence[_Prepared]) -> list[float]:
    """Return of each block but the first, how many experiences it took to be as good as the block before had ended."""
    times = []
    for before, block in pairwise(train):
        good = np.flatnonzero(block.curve >= before.terminal)
        times.append(float(good[0]) if len(good) else float(len(block.curve) + 1))
    return times


def _recovery(times: Sequence[float]) -> float | None:
    """Return by how many experiences recovery gets shorter from one re-training to the next."""
    from scipy.stats import theilslopes

    return None if len(times) < 2 else -float(theilslopes(times).slope)


def _relative(learnt: Curve, expert: Curve) -> float | None:
    n = min(len(learnt), len(expert))
    return float(learnt[:n].sum() / expert[:n].sum()) if expert[:n].sum() else None


def _efficiency(learnt: Curve, expert: Curve, settings: Settings) -> float | None:
    """Return how much sooner and higher learning in sequence saturates than the expert did.

    None where either was at its best from the start: then there is nothing to compare.
    """
    from scipy.stats import linregress

    mine, theirs = _smooth(learnt, settings), _smooth(expert, settings)
    if len(learnt) < 2 or not theirs.max() or not theirs.argmax():
        return None
    if mine.max() < SATURATED * theirs.max() or linregress(np.arange(len(learnt)), learnt).slope < 0:
        return 0.0
    return float(mine.max() / theirs.max() * int(theirs.argmax()) / int(mine.argmax())) if mine.argmax() else None


class StreamMetrics(Value):
    """LIBERO's three figures; in [0, 1] where successes are rates. `forgetting` is its NBT: the lower the better."""

    forward_transfer: float | None
    forgetting: float | None
    area: float | None


def stream(success: Sequence[Sequence[float | None]], curves: Sequence[Sequence[float]] | None = None) -> StreamMetrics:
    """Return forward transfer, negative backward transfer and area under the curve of a stream of K tasks.

    Args:
        success: K rows; `success[i][j]` is the success on task j after task i was learnt, or None where nobody scored
            it. Only j <= i is read.
        curves: The successes on task k while k was learnt, whose mean is its forward transfer; without them, or where
            one is empty, it is `success[k][k]`.

    Raises:
        ValueError: There is no task, or a row is too short.
    """
    count = len(success)
    if not count or any(len(row) <= i for i, row in enumerate(success)):
        raise ValueError("a stream needs a row a task, and in row i the successes on tasks 0 to i")
    learnt = [_mean(curves[k]) if curves and curves[k] else success[k][k] for k in range(count)]
    later = [[success[i][k] for i in range(k + 1, count)] for k in range(count)]
    lost = [_mean(_lost(success[k][k], value) for value in later[k]) for k in range(count - 1)]
    return StreamMetrics(
        forward_transfer=_mean(learnt),
        forgetting=_mean(lost),
        area=_mean(_mean([learnt[k], *later[k]]) for k in range(count)),
    )


def _lost(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else before - after


def _mean(values: Iterable[float | None]) -> float | None:
    known = list(_known(values))
    return float(np.mean(known)) if known else None
