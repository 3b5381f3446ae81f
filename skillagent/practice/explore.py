"""Explore: try a task until there is something to learn from, or until it is clear that there is nothing.

First a few practice seeds as the agent is; where too many fail, the failed ones again until one of them is solved, and
two in all: a success where the agent used to fail shows more than one where it did not, and two successes show what
they have in common. Each new try is warmer and does not end the way that an earlier one on the same seed did. By
turns it acts once on each thing that the goal names, does an earlier try again up to where that went wrong and takes
another way there, or begins as no earlier try began. Nothing is tried on gate or holdout seeds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from pydantic import Field

from skillagent.errors import ConfigError
from skillagent.schema import Attempt, Split, Step, Task, Trajectory, Value, Variation


class Practice(Value):
    """How much to try: `seeds` plain attempts; unless `enough` of them succeed, up to `retries` warmer ones.

    Those end when one of them succeeds, and with the plain ones `solved` different seeds are solved. Where nothing
    succeeds, the programs of `borrow` near skills are tried by themselves. An instance on which all failed is mended by
    the model in up to `mend` rounds; 0: not; the steps of `neighbours` near skills are shown to it. With `relabel`,
    failures are learnt from as what they did reach.
    """

    seeds: int = Field(default=3, ge=1)
    retries: int = Field(default=6, ge=0)
    solved: int = Field(default=2, ge=1)
    borrow: int = Field(default=5, ge=0)
    mend: int = Field(default=0, ge=0, le=5)
    neighbours: int = Field(default=2, ge=0, le=5)
    relabel: bool = False
    enough: float = Field(default=0.75, gt=0, le=1)
    temperatures: tuple[float, ...] = (0.3, 0.6, 0.9)


def practise(
    task: Task,
    attempt: Callable[[Task, Variation], Attempt],
    *,
    practice: Practice | None = None,
    again: Callable[[Task], Sequence[Task]] = lambda _: (),
) -> Iterator[Attempt]:
    """Yield attempts at the task on the practice seeds from its own on, and on those that went wrong elsewhere.

    Args:
        task: On the first of the seeds.
        attempt: Makes one.
        practice: How much to try.
        again: Returns practice instances of the task that surprised a program, in a run.

    Raises:
        ConfigError: Not all of these seeds are practice seeds; nothing was tried.
    """
    amount = practice or Practice()
    instances = _instances(task, amount.seeds, again)
    failed: list[Attempt] = []
    solved = 0
    for instance in instances:
        one = attempt(instance, Variation())
        yield one
        solved += one.verdict.success is True
        if one.verdict.success is False:
            failed.append(one)
    if len(instances) - len(failed) >= amount.enough * len(instances):
        return
    ends: list[list[Step]] = [[] for _ in failed]
    starts: list[list[Step]] = [[] for _ in failed]
    waiting, turns = deque(range(len(failed))), [0] * len(failed)
    for _ in range(amount.retries):
        which = waiting.popleft()
        turn, turns[which] = turns[which], turns[which] + 1
        earlier, steps = failed[which], failed[which].trajectory.steps
        wrong = _wrong(earlier.trajectory)
        ends[which] += [*steps[wrong : wrong + 1], *steps[wrong + 1 :][-1:]]
        starts[which] += steps[:1]
        heat = amount.temperatures[min(turn, len(amount.temperatures) - 1)]
        way = _WAYS[turn % len(_WAYS)]
        variation = Variation(
            temperature=heat,
            begin=steps[:wrong] if way == "branch" else (),
            avoid=tuple(ends[which] if way != "start" else [*ends[which], *starts[which]]),
            focus=way == "focus",
        )
        one = attempt(earlier.trajectory.task, variation)
        yield one
        if one.verdict.success:
            solved += 1
            if solved >= amount.solved or not waiting:
                return
            continue
        waiting.append(which)
        if one.trajectory.void is None:
            failed[which] = one


def _instances(task: Task, seeds: int, again: Callable[[Task], Sequence[Task]]) -> list[Task]:
    own = [task.model_copy(update={"seed": task.seed + number}) for number in range(seeds)]
    if (split := own[-1].split) is not Split.PRACTICE:
        raise ConfigError(f"seed {own[-1].seed} is a {split} seed; learning uses practice seeds only")
    return [*own, *(one for one in again(task) if one not in own)]


_WAYS = ("focus", "branch", "start")


def _wrong(trajectory: Trajectory) -> int:
    """Return at which step a failed try went wrong, as far as one can see.

    The last one, where that ended the task; else the first that was refused or left a state to which the try came back.
    """
    steps = trajectory.steps
    if not trajectory.terminated:
        for number, step in enumerate(steps):
            if step.recalled:
                continue  # a question does nothing
            if step.error or any(later.observation.text == step.observation.text for later in steps[number + 1 :]):
                return number
    return max(0, len(steps) - 1)
