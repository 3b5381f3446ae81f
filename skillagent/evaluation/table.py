"""Table: a summary of a run as text for a terminal. Figures only; the rows are in the run's folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from skillagent.evaluation.rows import Row
from skillagent.evaluation.statistics import Comparison
from skillagent.evaluation.streams import Life
from skillagent.evaluation.summary import Cost, Drafting, Payoff, Remembering, Summary
from skillagent.schema import Json


def counted(number: float, noun: str) -> str:
    """Return a rounded number with its noun: 1 row, 2 rows."""
    return f"{number:,.0f} {noun}" + ("" if round(number) == 1 else "s")


def per_task(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: of every task and arm, solved episodes, and mean tokens and seconds an episode."""
    arms = list(dict.fromkeys(row.arm for row in rows))
    lines = []
    for task in dict.fromkeys(row.task for row in rows):
        cells = [task]
        for arm in arms:
            own = [row for row in rows if row.task == task and row.arm == arm and row.success is not None]
            tokens = _mean([row.tokens_in + row.tokens_out for row in own])
            seconds = _mean([row.seconds.model + row.seconds.environment for row in own])
            cells += [f"{sum(bool(row.success) for row in own)}/{len(own)}", f"{tokens:,.0f}", f"{seconds:.1f}"]
        lines.append(cells)
    header = ["task"] + [text for arm in arms for text in (arm, "tokens", "s")]
    return header, lines


def headline(summary: Summary) -> list[str]:
    """Return one line an arm, what its student and its memory did, then one line a comparison."""
    lines = []
    for name, arm in summary.arms.items():
        low, high = arm.interval
        cost = "" if arm.tokens_per_success is None else f", {counted(arm.tokens_per_success, 'token')} a success"
        time = "" if arm.seconds_per_success is None else f", {arm.seconds_per_success:.1f} s a success"
        lines.append(
            f"{name}: {arm.success:.0%} of {arm.scored} (95 % interval {low:.0%} to {high:.0%})"
            f"{cost}{time}" + (f", {arm.void} void" if arm.void else "")
        )
    if any(arm.drafting for arm in summary.arms.values()):
        lines += [_costs(name, one, arm.drafting) for name, arm in summary.arms.items() if (one := arm.per_episode)]
    lines += [_remembered(name, arm.remembering) for name, arm in summary.arms.items() if arm.remembering]
    lines += [points(name, pair) for name, pair in summary.paired.items()]
    return lines + [line for name, one in summary.payoff.items() if (line := _paid(name, one))]


def _costs(name: str, one: Cost, drafting: Drafting | None) -> str:
    """Return what an episode of an arm costs, and how its student did; for a run in which one arm has a student."""
    dear = f" and {one.cost_usd:.4f} US dollars" if one.cost_usd else ""
    text = f"{name}: an episode costs {counted(one.tokens, 'token')}, {one.seconds:.1f} s{dear}"
    return f"{text}; {_drafted(drafting)}" if drafting else text


def _drafted(one: Drafting) -> str:
    text = f"the student's drafts were taken in {one.agreement:.0%} of {counted(one.turns, 'turn')}"
    return text if one.break_even is None else f"{text}; it saves from {one.break_even:.0%} on"


def _remembered(name: str, one: Remembering) -> str:
    right = "" if one.right is None else f", about the right thing in {one.right:.0%} of these"
    return (
        f"{name}: memory was asked {counted(one.questions, 'time')} in {counted(one.episodes, 'episode')}, and had an "
        f"answer in {one.answered:.0%}{right}; path efficiency {one.efficiency:.0%}"
    )


def _paid(name: str, payoff: Payoff) -> str:
    if payoff.tokens_per_point is None:
        return ""
    back = "" if payoff.break_even is None else f", paid back in tokens after {counted(payoff.break_even, 'episode')}"
    return f"{name}: {counted(payoff.tokens_per_point, 'token')} of learning a point{back}"


def points(name: str, pair: Comparison) -> str:
    """Return one line on a comparison, in percentage points."""
    middle, low, high = (f"{100 * value:+.1f}" for value in (pair.difference, pair.low, pair.high))
    return (
        f"{name}: {middle} points (95 % interval {low} to {high}, clustered by task), "
        f"{pair.wins} won, {pair.losses} lost, {pair.ties} tied, p = {pair.p:.2g}"
        + (f", {pair.dropped} not scored" if pair.dropped else "")
    )


def life_table(life: Life) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: the success on each task of a stream after each stage of it."""
    return ["", *life.tasks], [[stage, *map(figure, row)] for stage, row in zip(life.stages, life.success, strict=True)]


def life_lines(life: Life) -> list[str]:
    """Return one line a block, with what it changed in the library, then one with LIBERO's three figures."""
    lines = []
    for change in life.changes:
        named = [f"{kind} {', '.join(names)}" for kind in _KINDS if (names := getattr(change, kind))]
        lines.append(f"block {change.block + 1} ({', '.join(change.trained)}) changed: {'; '.join(named) or 'nothing'}")
    found = life.figures
    return [
        *lines,
        f"forward transfer {figure(found.forward_transfer)}, forgetting {figure(found.forgetting)}, "
        f"area under the curve {figure(found.area)}",
    ]


_KINDS = ("skills", "tools", "insights", "demonstrations")


def figure(value: float | None) -> str:
    """Return a figure for a table; a dash for one that there is not."""
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def as_csv(rows: Sequence[Row]) -> str:
    """Return the rows as CSV; nested fields have a dot in their names, and several names are joined by spaces."""
    text = io.StringIO()
    flat = [_flat(row.model_dump(mode="json")) for row in rows]
    out = csv.DictWriter(text, list(flat[0]) if flat else list(Row.model_fields))
    out.writeheader()
    out.writerows(flat)
    return text.getvalue()


def _flat(document: Json, prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = " ".join(map(str, value)) if isinstance(value, list) else value
    return flat


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
