"""Report: a run as one page that stands alone, for a person who was not there.

Everything is in the file, pictures included, so that it can be sent by mail and opened from a disk. Texts of pages and
models are escaped by the template.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from skillagent.evaluation import plots
from skillagent.evaluation.rows import Row, read_kept
from skillagent.evaluation.summary import Summary
from skillagent.evaluation.table import headline, per_task
from skillagent.schema import Decision

PICTURED = 40  # episodes whose pictures are put into the page; the rest are told in words


def write_report(
    rows: Sequence[Row],
    summary: Summary,
    folder: Path,
    *,
    decisions: Iterable[Decision] = (),
    extra: Mapping[str, plots.Draw] | None = None,
) -> Path:
    """Write `report.html` and `plots/*.png` into the run's folder, and return the page.

    Args:
        rows: The episodes.
        summary: Their figures.
        folder: The run's.
        decisions: What the gate decided on the library that was measured.
        extra: More to draw, by title.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    drawn = {**plots.figures(rows, summary), **(extra or {})}
    for title, draw in drawn.items():
        plots.png(draw, folder / "plots" / f"{title.lower().replace(' ', '-')}.png")
    environment = Environment(
        loader=PackageLoader("skillagent.evaluation", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= {"percent": _percent, "points": _points, "figure": _figure, "p": lambda p: f"{p:.2g}"}
    failures = _failures(rows)
    text = environment.get_template("report.html.j2").render(
        summary=summary,
        lead=headline(summary)[len(summary.arms) :] or headline(summary),
        rows=rows,
        tasks=len({row.task for row in rows}),
        plots={title: (plots.data_uri(draw, "light"), plots.data_uri(draw, "dark")) for title, draw in drawn.items()},
        per_task=per_task(rows),
        decisions=[_told(decision) for decision in decisions],
        failures=failures,
        episodes=_episodes([row for own in failures.values() for row in own], folder),
        provenance=json.dumps(summary.provenance, indent=1),
    )
    page = folder / "report.html"
    page.write_text(text, encoding="utf-8")
    return page


def _failures(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the episodes that were not solved, by what they are put down to, the most frequent first."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if not row.success:
            groups.setdefault(row.blame or ("void" if row.void else "failed"), []).append(row)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def _episodes(rows: Sequence[Row], folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Return what was done in each kept episode, with a picture of the state that it led to."""
    told = {}
    for row in [row for row in rows if row.episode and (folder / row.episode).is_file()][:PICTURED]:
        kept = read_kept(folder / row.episode)
        steps = kept.attempt.trajectory.steps
        texts = ["start", *(f"{step.action}" + (f" ✗ {step.error}" if step.error else "") for step in steps)]
        files = [(folder / row.episode).with_name(name) for name in kept.pictures]
        pictures = [_png(file) for file in files] + [""] * len(texts)
        told[row.episode] = list(zip(texts, pictures, strict=False))
    return told


def _png(file: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode() if file.is_file() else ""


def _told(decision: Decision) -> dict[str, object]:
    what = ", ".join(
        f"{change.kind.replace('put-', '').replace('-', ' ')} {change.key}" for change in decision.edit.changes
    )
    return {"accepted": decision.accepted, "what": what, "why": decision.reason}


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _figure(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
