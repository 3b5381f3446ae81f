"""Exits: what the command's exit code tells a script.

One table; the help, the reference and the errors all read it.
"""

from __future__ import annotations

from enum import IntEnum

from skillagent.errors import BudgetSpent, SkillAgentError, WorldFault


class Exit(IntEnum):
    """The exit codes. `meaning` is what the reference says of each."""

    OK = 0
    FAILED = 1
    USAGE = 2
    WORLD = 3
    BUDGET = 4
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """One line for a person."""
        return _MEANINGS[self]


_MEANINGS = {
    Exit.OK: "done; a task succeeded, or nothing could say whether it did",
    Exit.FAILED: "the task failed, or a check found a problem",
    Exit.USAGE: "you have to change something; stderr says what and how",
    Exit.WORLD: "the world failed (browser, provider); nothing was learnt from it",
    Exit.BUDGET: "a budget is spent; what was done before stands",
    Exit.INTERRUPTED: "stopped with Ctrl-C; what was committed before stands",
}


def exit_of(error: SkillAgentError | OSError) -> Exit:
    """Return the code for an error that ends a command."""
    match error:
        case BudgetSpent():
            return Exit.BUDGET
        case WorldFault():
            return Exit.WORLD
        case _:
            return Exit.USAGE
