"""Progress: one line an episode on stderr, with the score so far and about how long the rest will take.

The score is that of the run, with what earlier commands played; the time that is left goes by this command's pace.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from skillagent.cli.output import note

if TYPE_CHECKING:
    from skillagent.evaluation.rows import Row


def episodes(known: Iterable[Row] = ()) -> Callable[[Row, int, int], None]:
    """Return what tells of each episode, the score of each arm so far, and about how long the rest will take.

    `known` are the rows that there are already, of what is to be played; void ones will be played again.
    """
    from skillagent.evaluation.table import counted

    start, played = time.monotonic(), 0
    scores: dict[str, list[bool]] = defaultdict(list)
    for row in known:
        if row.success is not None:
            scores[row.arm].append(row.success)

    def tell(row: Row, done: int, total: int) -> None:
        nonlocal played
        played += 1
        if row.success is not None:
            scores[row.arm].append(row.success)
        how = f"void: {row.void}" if row.void else f"score {row.reward:g}" if row.reward is not None else "unscored"
        so_far = ", ".join(f"{arm} {sum(own)}/{len(own)}" for arm, own in scores.items())
        left = (time.monotonic() - start) / played * (total - done) / 60
        seconds = row.seconds.model + row.seconds.environment
        note(f"{done:>4}/{total}  {row.arm:<8} {row.task} seed {row.seed}: {how}, {counted(row.steps, 'step')}, "
             f"{seconds:.1f} s  [{so_far}; about {left:.0f} min left]")  # fmt: skip

    return tell
