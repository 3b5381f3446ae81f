"""Prove: programs by themselves on practice seeds, before any replay with the model is paid for.

The programs that solve most come first, and steps without which they solve as much are dropped: a success may hold a
detour. A program with a hole cannot be tried by itself; it keeps its place behind those that can. What is said here is
only where to begin: fresh seeds and the gate decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skillagent.schema import Program, Task

Solves = Callable[[Program, Task], bool]  # the program alone, without a model

MOST_STEPS = 12  # of a program whose steps are tried one by one


def proven(programs: Sequence[Program], tasks: Sequence[Task], solves: Solves) -> list[Program]:
    """Return the programs, those that solve most of the tasks first and rid of steps that they do not need.

    Args:
        programs: The most plausible first; equals keep this order.
        tasks: Practice instances.
        solves: Tries a program on one of them.
    """
    solved = [(program, [task for task in tasks if solves(program, task)]) for program in programs]
    solved.sort(key=lambda pair: -len(pair[1]))
    lean = [_without_detours(program, own, solves) if own else program for program, own in solved]
    return list({program.digest: program for program in lean}.values())


def _without_detours(program: Program, tasks: Sequence[Task], solves: Solves) -> Program:
    """Return the program without the steps that none of these tasks needs, from the last to the first."""
    if not 1 < len(program.steps) <= MOST_STEPS:
        return program
    for index in reversed(range(len(program.steps))):
        steps = (*program.steps[:index], *program.steps[index + 1 :])
        shorter = program.model_copy(update={"steps": steps})
        if steps and all(solves(shorter, task) for task in tasks):
            program = shorter
    return program
