"""Judge: the environment's own check first, then the text that the task expects; else unscored, which is not zero.

A void episode is never scored, whatever it had reached.
"""

from __future__ import annotations

from skillagent.schema import Trajectory, Verdict


def judge(trajectory: Trajectory) -> Verdict:
    """Return how well the episode went, and who says so."""
    if trajectory.void is not None:
        return Verdict(score=None, by="nobody", reason=trajectory.void)
    if trajectory.reward is not None:
        return Verdict(score=trajectory.reward, by="environment", reason=_how_it_ended(trajectory))
    if expected := trajectory.task.expect:
        shown = trajectory.final.text if trajectory.final else ""
        found = expected.casefold() in shown.casefold()
        return Verdict(
            score=float(found), by="state", reason=f"{expected!r} is {'' if found else 'not '}shown at the end"
        )
    return Verdict(score=None, by="nobody", reason="the environment has no check, and the task expects no text")


def _how_it_ended(trajectory: Trajectory) -> str:
    if trajectory.terminated:
        return "the task ended"
    return f"cut off after {len(trajectory.steps)} steps"
