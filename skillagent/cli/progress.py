"""Progress: one line an episode on stderr, with the score so far and about how long the rest will take."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from skillagent.cli.output import note

if TYPE_CHECKING:
    from skillagent.evaluation.rows import Row


def episodes() -> Callable[[Row, int, int], None]:
    """Return what tells of each episode, the score of each arm so far, and about how long the rest will take."""
    start, played = time.monotonic(), 0
    scores: dict[str, list[bool]] = defaultdict(list)

    def tell(row: Row, done: int, total: int) -> None:
        nonlocal played
        played += 1
        if row.success is not None:
            scores[row.arm].append(row.success)
        how = f"void: {row.void}" if row.void else f"score {row.reward:g}" if row.reward is not None else "unscored"
        so_far = ", ".join(f"{arm} {sum(own)}/{len(own)}" for arm, own in scores.items())
        left = (time.monotonic() - start) / played * (total - done) / 60
        seconds = row.seconds.model + row.seconds.environment
        note(f"{done:>4}/{total}  {row.arm:<8} {row.task} seed {row.seed}: {how}, {row.steps} steps, {seconds:.1f} s"
             f"  [{so_far}; about {left:.0f} min left]")  # fmt: skip

    return tell
