"""Play: an episode in which somebody else decides every action: a script, or one who did it before."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Literal

from skillagent.errors import WorldFault
from skillagent.ports import Environment
from skillagent.schema import Action, Attempt, Observation, Outcome, Step, Task, Trajectory, Verb, Verdict

By = Literal["oracle", "chance"]
Player = Callable[[Observation], Generator[Action, Outcome, None]]


def played(environment: Environment, task: Task, player: Player, *, by: By = "oracle") -> Trajectory:
    """Return what the player does from a reset until the task ends or the player does.

    Raises:
        WorldFault: The environment failed.
    """
    first = environment.reset(task)
    outcome, steps, player_moves = Outcome(observation=first), list[Step](), player(first)
    action = next(player_moves, None)
    while action is not None and not (outcome.terminated or outcome.truncated):
        seen, outcome = outcome.observation, environment.step(action)
        error, reward, note = outcome.error, outcome.reward, outcome.note
        steps.append(Step(observation=seen, action=action, error=error, reward=reward, note=note, by=by))
        try:
            action = player_moves.send(outcome)
        except StopIteration:
            break
    return Trajectory(
        task=task,
        goal=first.goal,
        steps=tuple(steps),
        final=outcome.observation,
        reward=outcome.reward,
        terminated=outcome.terminated,
    )


def decided(
    task: Task,
    made: Callable[[Sequence[Verb]], Player],
    *,
    open: Callable[[Task], Environment],  # noqa: A002 - the agent's word for it
    drop: Callable[[Task], None],
    judge: Callable[[Trajectory], Verdict],
    library: str,
    by: By = "chance",
) -> Attempt:
    """Return an attempt in which a player decides, who is made for the verbs there are; a world's fault makes it void.

    Args:
        task: Played from its start.
        made: Makes the player.
        open: Returns the task's environment.
        drop: Discards it after a fault.
        judge: Judges.
        library: The digest of the library that is in force.
        by: Who decides.
    """
    try:
        environment = open(task)
        trajectory = played(environment, task, made(environment.verbs), by=by)
    except WorldFault as fault:
        drop(task)
        trajectory = Trajectory(task=task, goal=task.goal, void=str(fault))
    return Attempt(plan=None, route=None, trajectory=trajectory, verdict=judge(trajectory), library=library)


def reciting(actions: Sequence[Action]) -> Player:
    """Return a player that does these actions, whatever comes of them."""

    def player(_: Observation) -> Generator[Action, Outcome, None]:
        yield from (action for action in actions)  # a list cannot be sent what each led to

    return player
