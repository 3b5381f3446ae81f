"""Report: a run as one page that stands alone, for a person who was not there.

Everything is in the file, so that it can be sent by mail and opened from a disk: what was done in every episode that
was kept, solved or not, and small pictures of its states. Pictures have only so much room, failures first; what does
not fit is a link into the run's folder, and the page says so. Texts of pages and models are escaped by the template.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from skillagent.evaluation import plots
from skillagent.evaluation.rows import Row, read_kept
from skillagent.evaluation.run import begun
from skillagent.evaluation.streams import Life
from skillagent.evaluation.summary import Summary
from skillagent.evaluation.table import counted, headline, life_lines, per_task
from skillagent.schema import Decision, Step, Usage

ROOM = 12_000_000  # bytes of pictures in the page: a few hundred episodes, and a mail still takes it
_WIDEST = 640


class State(NamedTuple):
    """A state of an episode: what led to it, its picture in the page, and the picture's file beside the page."""

    text: str
    picture: str
    link: str


def write_report(
    rows: Sequence[Row],
    summary: Summary,
    folder: Path,
    *,
    decisions: Iterable[Decision] = (),
    life: Life | None = None,
    room: int = ROOM,
) -> Path:
    """Write `report.html` and `plots/*.png` into the run's folder, and return the page.

    Args:
        rows: The episodes.
        summary: Their figures.
        folder: The run's.
        decisions: What the gate decided on the library that was measured.
        life: Where the run is a stream: it leads the page.
        room: Bytes of pictures that the page may hold.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    drawn = plots.figures(rows, summary)
    if life:
        heat = plots.matrix(life.success, life.tasks, life.stages)
        drawn = {"Success on each task after each block": heat, **drawn}
    for title, draw in drawn.items():
        plots.png(draw, folder / "plots" / f"{title.lower().replace(' ', '-')}.png")
    environment = Environment(
        loader=PackageLoader("skillagent.evaluation", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= {
        "percent": _percent,
        "points": _points,
        "figure": _figure,
        "p": lambda p: f"{p:.2g}",
        "counted": counted,
    }
    failures, solved = _failures(rows), _solved(rows)
    episodes = _episodes([row for own in (failures, solved) for group in own.values() for row in group], folder, room)
    text = environment.get_template("report.html.j2").render(
        summary=summary,
        lead=_lead(summary, life),
        about=_about(summary, folder),
        blocks=life_lines(life)[:-1] if life else [],
        spent=summary.learning if summary.learning and summary.learning.total != Usage() else None,
        rows=rows,
        size=f"{counted(len(rows), 'episode')} of {counted(len({row.task for row in rows}), 'task')}",
        plots={title: (plots.data_uri(draw, "light"), plots.data_uri(draw, "dark")) for title, draw in drawn.items()},
        per_task=per_task(rows),
        decisions=[_told(decision) for decision in decisions],
        failures=failures,
        solved=solved,
        episodes=episodes,
        pictured=_pictured(episodes),
        provenance=json.dumps(summary.provenance, indent=1),
    )
    page = folder / "report.html"
    page.write_text(text, encoding="utf-8")
    return page


def _lead(summary: Summary, life: Life | None) -> list[str]:
    """Return the lines that the page begins with: the comparisons; of a stream, how it began, ended and went."""
    lines = headline(summary)
    arms, more = lines[: len(summary.arms)], lines[len(summary.arms) :]
    if life is None:
        return more or arms
    whole = f"{list(summary.arms)[-1]}-{next(iter(summary.arms))}: "
    return [
        *dict.fromkeys((arms[0], arms[-1])),
        *(line for line in more if line.startswith(whole)),
        life_lines(life)[-1],
    ]


def _about(summary: Summary, folder: Path) -> str:
    """Return with what the run was made."""
    told = summary.provenance
    model = told.get("model") or (begun(folder).get("model") if (folder / "run.json").is_file() else None)
    codes = told.get("played_by")
    code = ", ".join(map(str, codes)) if isinstance(codes, list) else ""
    return f"Model {model or 'unknown'}, code {code or 'unknown'}."


def _failures(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the episodes that were not solved, by what they are put down to, the most frequent first."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if not row.success:
            groups.setdefault(row.blame or ("void" if row.void else "failed"), []).append(row)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def _solved(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the episodes that were solved, by arm."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.success:
            groups.setdefault(row.arm, []).append(row)
    return groups


def _episodes(rows: Sequence[Row], folder: Path, room: int) -> dict[str, list[State]]:
    """Return what was done in each episode whose file is there, with pictures in the page as far as there is room."""
    told = {}
    for row in [row for row in rows if row.episode and (folder / row.episode).is_file()]:
        kept = read_kept(folder / row.episode)
        texts = ["start", *(_step(number, step) for number, step in enumerate(kept.attempt.trajectory.steps, start=1))]
        files = [(folder / row.episode).with_name(name) for name in kept.pictures]
        links = [quote(file.relative_to(folder).as_posix()) if file.is_file() else "" for file in files]
        pictures = [_small(file) for file in files] if room > 0 else []
        room -= sum(map(len, pictures))
        if room < 0:
            pictures = []
        missing = [""] * len(texts)
        told[row.episode] = list(map(State, texts, [*pictures, *missing], [*links, *missing]))
    return told


def _step(number: int, step: Step) -> str:
    named = (step.target.name or step.target.near) if step.target else ""
    target = f" ({step.target.role}{f' {named!r}' if named else ''})" if step.target else ""
    by = "" if step.by == "model" else f" [{step.by}]"
    came = f" ✗ {step.error}" if step.error else f" → {step.note}" if step.note else ""
    return f"{number}. {step.action}{target}{by}{came}"


def _small(file: Path) -> str:
    """Return a picture that a page can hold, at most 640 pixels wide; empty where the file is none."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as picture:
            small = picture.convert("RGB")
    except (OSError, UnidentifiedImageError):
        return ""
    small.thumbnail((_WIDEST, 4 * _WIDEST))
    out = io.BytesIO()
    small.save(out, "WEBP", quality=60)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def _pictured(episodes: Mapping[str, Sequence[State]]) -> str:
    """Return where the pictures of the kept episodes are, as a sentence; empty where there are none."""
    inside = sum(any(state.picture for state in states) for states in episodes.values())
    beside = sum(any(state.link and not state.picture for state in states) for states in episodes.values())
    told = [f"{counted(inside, 'episode')} are in this page"] if inside else []
    if beside:
        told.append(f"{counted(beside, 'episode')} are links, which open while the page lies in the run's folder")
    return f"Pictures of {'; those of '.join(told)}." if told else ""


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
