"""Table: a summary of a run as text for a terminal. Figures only; the rows are in the run's folder."""

from __future__ import annotations

from collections.abc import Sequence

from skillagent.evaluation.run import Row, Summary


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
    """Return one line an arm, then one a comparison, each with its interval."""
    lines = []
    for name, arm in summary.arms.items():
        low, high = arm.interval
        cost = "" if arm.tokens_per_success is None else f", {arm.tokens_per_success:,.0f} tokens a success"
        time = "" if arm.seconds_per_success is None else f", {arm.seconds_per_success:.1f} s a success"
        lines.append(
            f"{name}: {arm.success:.0%} of {arm.scored} (95 % interval {low:.0%} to {high:.0%})"
            f"{cost}{time}" + (f", {arm.void} void" if arm.void else "")
        )
    for name, pair in summary.paired.items():
        points = [f"{100 * value:+.1f}" for value in (pair.difference, pair.low, pair.high)]
        lines.append(
            f"{name}: {points[0]} points (95 % interval {points[1]} to {points[2]}, clustered by task), "
            f"{pair.wins} won, {pair.losses} lost, {pair.ties} tied, p = {pair.p:.2g}"
        )
    return lines


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
