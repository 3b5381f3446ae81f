"""Play: an episode in which somebody else decides every action: a script, or one who did it before."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Literal

from skillagent.ports import Environment
from skillagent.schema import Action, Observation, Outcome, Step, Task, Trajectory

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
        steps.append(Step(observation=seen, action=action, error=outcome.error, reward=outcome.reward, by=by))
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


def reciting(actions: Sequence[Action]) -> Player:
    """Return a player that does these actions, whatever comes of them."""

    def player(_: Observation) -> Generator[Action, Outcome, None]:
        yield from (action for action in actions)  # a list cannot be sent what each led to

    return player
