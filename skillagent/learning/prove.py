"""Prove: programs by themselves on practice seeds, before any replay with the model is paid for.

The programs that solve most come first, and steps without which they solve as much are dropped: a success may hold a
detour. A program that acts on fresh instances and solves none of them is worth no replay. One with a hole, or whose
slots only a model can fill, cannot be tried by itself; it keeps its place behind those that can. What is said here is
only where to begin: fresh seeds and the gate decide.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from skillagent.programs.template import filled_by, literal, slots_of_pattern
from skillagent.schema import Ask, Each, Node, Program, Repeat, Score, Task, Trajectory, When

Tries = Callable[[Program, Task], Score | None]  # the program alone, without a model

MOST_STEPS = 12  # of a program whose steps are tried one by one
ENOUGH = 2  # fresh instances on which a program acted in vain: it is given up


def proven(
    programs: Iterable[Program], tasks: Sequence[Task], tries: Tries, *, seen: Collection[Task], most: int = 100
) -> list[Program]:
    """Return the programs that are worth a replay, those that solve most first and rid of steps that they do not need.

    One that spoils others, where it had better not begun, counts for less: two spoiled are as bad as one that is not
    solved. Of equals, the ones that spoil fewer come first.

    Args:
        programs: The most plausible first; equals keep this order.
        tasks: Practice instances.
        tries: Tries a program on one of them.
        seen: Those of the tasks that the programs were induced from; to solve these proves little.
        most: So many at most.
    """
    solved: list[tuple[Program, list[Task], int]] = []
    for program in programs:
        scores = [(task, tries(program, task)) for task in tasks]
        own = [task for task, score in scores if score is not None and score.success]
        vain = [task for task, score in scores if score is not None and score.steps and not score.success]
        fresh_vain = [task for task in vain if task not in seen]
        if set(own) <= set(seen) and len(fresh_vain) >= ENOUGH and not has_hole(program.steps):
            continue
        solved.append((program, own, len(vain)))
    solved.sort(key=lambda one: (one[2] / 2 - len(one[1]), one[2]))
    lean = dict[str, Program]()
    for program, own, _ in solved:
        if len(lean) == most:
            break
        short = _without_detours(program, own, tries) if own else program
        lean.setdefault(short.digest, short)
    return list(lean.values())


def widened(program: Program, others: Sequence[Trajectory]) -> Program | None:
    """Return the program for the goals of other instances too; None where it cannot be for them.

    One without slots may be: it does the same whatever the words, and they may say the same.
    """
    if any(slots_of_pattern(goal) for goal in program.goals):
        return None
    more = [one.goal for one in others if filled_by(program.goals, one.goal) is None]
    return program.model_copy(update={"goals": (*program.goals, *map(literal, dict.fromkeys(more)))}) if more else None


def narrowed(
    program: Program, base: Program, others: Sequence[Trajectory], tries: Tries, *, sources: Iterable[Task]
) -> Program:
    """Return a widened program for those goals alone that it was made for, or is seen to reach half as often.

    What does not always succeed where it was made for, say an arm that slips, need not do so for other words.

    Args:
        program: With the goals of all.
        base: With those that it was made for.
        others: Instances of either.
        tries: Tries a program on one of them.
        sources: The instances whose successes it was made of.
    """

    def solved(goals: Collection[str]) -> tuple[int, int]:
        tasks = dict.fromkeys(one.task for one in others if filled_by(goals, one.goal) is not None)
        scores = [tries(program, task) for task in tasks]
        return sum(score is not None and score.success for score in scores), len(scores)

    own, tried = solved(base.goals)
    made_of = len(set(sources))
    usual = (made_of + own) / (made_of + tried)
    kept = list(base.goals)
    for goal in program.goals[len(base.goals) :]:
        reached, of = solved([goal])
        if 2 * reached >= usual * of:
            kept.append(goal)
    return program.model_copy(update={"goals": tuple(kept)})


def has_hole(steps: Iterable[Node]) -> bool:
    """Return whether the model is asked somewhere in the steps."""
    for step in steps:
        match step:
            case Ask():
                return True
            case Each(do=inner) | Repeat(do=inner):
                within = inner
            case When(do=inner, otherwise=others):
                within = (*inner, *others)
            case _:
                within = ()
        if has_hole(within):
            return True
    return False


def _without_detours(program: Program, tasks: Sequence[Task], tries: Tries) -> Program:
    """Return the program without the steps that none of these tasks needs, one by one from the last to the first.

    Then two neighbours at a time: what opens and what closes again go together.
    """
    if not 1 < len(program.steps) <= MOST_STEPS:
        return program
    for size in (1, 2):
        for index in reversed(range(len(program.steps))):
            steps = (*program.steps[:index], *program.steps[index + size :])
            shorter = program.model_copy(update={"steps": steps})
            if len(steps) < len(program.steps) - size + 1 and steps and _solves_all(shorter, tasks, tries):
                program = shorter
    return program


def _solves_all(program: Program, tasks: Sequence[Task], tries: Tries) -> bool:
    return all((score := tries(program, task)) is not None and score.success for task in tasks)
