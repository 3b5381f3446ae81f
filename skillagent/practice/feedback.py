"""Feedback: what a person says about an attempt, as something to record and something to learn from.

A person's verdict replaces the world's for learning, and their words become its reason, which the reflector reads. The
ledger keeps both: the attempt as the world judged it, and the remark.
"""

from __future__ import annotations

from skillagent.schema import Attempt, Remarked, Verdict


def remark(attempt: Attempt, *, good: bool, words: str = "") -> Remarked:
    """Return the remark for the ledger."""
    return Remarked(attempt=attempt.id, good=good, words=words)


def judged(attempt: Attempt, said: Remarked) -> Attempt:
    """Return the attempt with the person's verdict.

    A void episode stays unscored: nothing in it was the agent's doing.
    """
    if attempt.trajectory.void is not None:
        return attempt
    reason = said.words or ("a person said it was good" if said.good else "a person said it was bad")
    return attempt.model_copy(update={"verdict": Verdict(score=float(said.good), by="person", reason=reason)})
