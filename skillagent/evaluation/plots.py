"""Plots: figures of a run, as PNG files and as pictures for a page, in a light and a dark dress."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skillagent.errors import ConfigError
from skillagent.evaluation.rows import Row
from skillagent.evaluation.summary import Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw = Callable[["Axes"], None]

_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#888888")  # Paul Tol's, for all eyes
_DRESSES = {"light": ("#ffffff", "#222222"), "dark": ("#16181c", "#dddddd")}


def figures(rows: Sequence[Row], summary: Summary) -> dict[str, Draw]:
    """Return what there is to draw of a run, by title."""
    drawn: dict[str, Draw] = {
        "Success as the run went on": lambda axes: _curve(axes, rows),
        "Success against tokens": lambda axes: _against(axes, rows, summary, _tokens, "tokens an episode"),
        "Where the time went": lambda axes: _time(axes, rows),
    }
    if any(row.cost_usd for row in rows):
        drawn["Success against money"] = lambda axes: _against(
            axes, rows, summary, lambda row: row.cost_usd, "US dollars an episode"
        )
    return drawn


def matrix(success: Sequence[Sequence[float | None]], tasks: Sequence[str], stages: Sequence[str]) -> Draw:
    """Return a heat map of the success on each task (columns) after each stage of training (rows)."""

    def draw(axes: Axes) -> None:
        shades = [[float("nan") if one is None else one for one in row] for row in success]
        image = axes.imshow(shades, vmin=0, vmax=1, cmap="viridis", aspect="auto")
        axes.figure.colorbar(image, ax=axes, label="success")
        axes.set_xticks(range(len(tasks)), tasks, rotation=35, ha="right")
        axes.set_yticks(range(len(stages)), stages)

    return draw


def png(draw: Draw, file: Path) -> None:
    """Draw into a PNG file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_rendered(draw, "light", "png"))


def data_uri(draw: Draw, dress: str) -> str:
    """Return the drawing as an SVG that a page can hold, for a `light` or a `dark` page."""
    return "data:image/svg+xml;base64," + base64.b64encode(_rendered(draw, dress, "svg")).decode()


def _rendered(draw: Draw, dress: str, kind: str) -> bytes:
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("plots need matplotlib; run `pip install 'skillagent[report]'`") from None
    paper, ink = _DRESSES[dress]
    style: Any = {
        "text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": ink, "xtick.color": ink, "ytick.color": ink,
        "axes.facecolor": paper, "axes.spines.top": False, "axes.spines.right": False, "font.size": 10,
        "svg.hashsalt": "skillagent",
    }  # fmt: skip
    with rc_context(style):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained", facecolor=paper)
        draw(figure.subplots())
        out = io.BytesIO()
        figure.savefig(out, format=kind, dpi=144, metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _by_arm(rows: Sequence[Row]) -> dict[str, list[Row]]:
    arms: dict[str, list[Row]] = {}
    for row in rows:
        if row.success is not None:
            arms.setdefault(row.arm, []).append(row)
    return arms


def _curve(axes: Axes, rows: Sequence[Row]) -> None:
    for colour, (arm, own) in zip(_endless(), _by_arm(rows).items(), strict=False):
        solved, share = 0, []
        for number, row in enumerate(own, start=1):
            solved += bool(row.success)
            share.append(solved / number)
        axes.plot(range(1, len(share) + 1), share, color=colour, label=arm)
    axes.set(xlabel="episodes played", ylabel="solved so far", ylim=(-0.02, 1.02))
    _legend(axes)


def _against(axes: Axes, rows: Sequence[Row], summary: Summary, of: Callable[[Row], float], label: str) -> None:
    for colour, (arm, own) in zip(_endless(), _by_arm(rows).items(), strict=False):
        rate, (low, high) = summary.arms[arm].success, summary.arms[arm].interval
        cost = sum(map(of, own)) / len(own)
        axes.errorbar(cost, rate, [[rate - low], [high - rate]], marker="o", capsize=4, color=colour, label=arm)
    axes.set(xlabel=label, ylabel="success, with 95 % interval", ylim=(-0.02, 1.02))
    axes.set_xlim(left=0)
    _legend(axes)


def _time(axes: Axes, rows: Sequence[Row]) -> None:
    arms = _by_arm(rows)
    left = [0.0] * len(arms)
    kinds: Mapping[str, Callable[[Row], float]] = {
        "model": lambda row: row.seconds.model,
        "environment": lambda row: row.seconds.environment,
        "learning": lambda row: row.seconds.learning,
    }
    for colour, (kind, of) in zip(_endless(), kinds.items(), strict=False):
        width = [sum(map(of, own)) / len(own) for own in arms.values()]
        axes.barh(list(arms), width, left=left, color=colour, label=kind)
        left = [before + more for before, more in zip(left, width, strict=True)]
    axes.invert_yaxis()
    axes.set(xlabel="seconds an episode")
    _legend(axes)


def _tokens(row: Row) -> float:
    return row.tokens_in + row.tokens_out


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)


def _endless() -> list[str]:
    return [*_COLOURS] * 8
