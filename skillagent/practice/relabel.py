"""Relabel: a failed try may have reached another goal than the one that was set; under that goal it is a success.

A world that can tell is asked at the end of the try, done again without what was refused. Then that is done once more
from a start at which the other goal is set: only what the world itself calls a success there is kept. No model is
asked. It teaches its own goal, and says nothing about how often the agent does what it is asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from skillagent.practice.wander import Play, repeating
from skillagent.schema import Attempt, Task

Reached = Callable[[Task], str | None]


def relabelled(tried: Sequence[Attempt], play: Play, reached: Reached) -> Iterator[Attempt]:
    """Yield a success for each other goal that a failure reached, each goal of an instance once.

    Args:
        tried: The attempts at one task.
        play: Plays an instance from its start.
        reached: Tells, of the episode that has just ended, which other goal it reached.
    """
    known = {(one.trajectory.task, one.trajectory.goal) for one in tried}
    for trajectory in (one.trajectory for one in tried if one.verdict.success is False):
        task = trajectory.task
        steps = [step for step in trajectory.steps if step.error is None and not step.recalled]
        again = play(task, lambda _: repeating(steps))  # noqa: B023
        goal = reached(task) if again.verdict.success is False else None
        if goal is None or (task, goal) in known:
            continue
        known.add((task, goal))
        success = play(task.model_copy(update={"goal": goal}), lambda _: repeating(steps))  # noqa: B023
        if success.verdict.success and success.trajectory.goal == goal:
            done = tuple(
                step.model_copy(update={"by": old.by})
                for step, old in zip(success.trajectory.steps, steps, strict=False)
            )
            own = {"task": task, "steps": done, "asked": trajectory.goal}
            yield success.model_copy(update={"trajectory": success.trajectory.model_copy(update=own)})
