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
        return _by_state(trajectory, expected)
    return Verdict(score=None, by="nobody", reason="the environment has no check, and the task expects no text")


def _by_state(trajectory: Trajectory, expected: str) -> Verdict:
    """Look for the text at the end; what stands in a field was only typed, and what was there before proves nothing."""
    first = trajectory.steps[0].observation if trajectory.steps else None
    if first is not None and first.shows(expected):
        return Verdict(score=None, by="nobody", reason=f"{expected!r} was shown from the start")
    if trajectory.final is not None and trajectory.final.shows(expected):
        return Verdict(score=1.0, by="state", reason=f"{expected!r} is shown at the end")
    if trajectory.final is None or trajectory.final.cut:
        return Verdict(
            score=None, by="nobody", reason=f"{expected!r} may stand in the part of the page that was cut off"
        )
    return Verdict(score=0.0, by="state", reason=f"{expected!r} is not shown at the end")


def _how_it_ended(trajectory: Trajectory) -> str:
    if trajectory.terminated:
        return "the task ended"
    return f"cut off after {len(trajectory.steps)} steps"
