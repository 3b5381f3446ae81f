"""Demos: episodes of an arm that others have done, compared before they are learnt from.

Only episodes that follow paths can be compared (`retrace`); all others are passed on as they are. What fits together is
also done by its mean, in the world, and learnt from beside the rest if that succeeds; so is one that ends too early,
with the rest of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from skillagent.acting.play import played, reciting
from skillagent.envs.robot.several import Telling, idle, mean, refused, stitched, telling
from skillagent.errors import WorldFault
from skillagent.library import Library
from skillagent.loop import Agent, Alone
from skillagent.programs.text import program_of
from skillagent.schema import Action, Attempt, Do, Edit, Lesson, Node, PutSkill, Task

Paths = tuple[str, ...]  # what the steps of a program follow


def compared(shown: Sequence[Attempt], say: Callable[[str], None]) -> list[Attempt]:
    """Return the episodes without those that do not fit the others at their task; what was found is said."""
    out = list[str]()
    for task, told in _paths(shown).items():
        odd = refused([one for _, one in told])
        if len(told) > 2 and len(odd) == len(told) - 1:  # which of them is the odd one nobody can tell
            say(f"--demos: {task}: no two of {len(told)} fit together: {next(iter(odd.values()))}")
            continue
        for number, why in odd.items():
            say(f"--demos: {task}: refused: {why} ({_seed(told[number][0])})")
            out.append(told[number][0].id)
        kept = [pair for pair in told if pair[0].id not in out]
        for number, why in idle([one for _, one in kept]).items():
            say(f"--demos: {task}: {why} ({_seed(kept[number][0])})")
    return [one for one in shown if one.id not in out]


def with_means(
    agent: Agent, shown: Sequence[Attempt], say: Callable[[str], None]
) -> tuple[list[Attempt], dict[Paths, str]]:
    """Return the episodes behind those in which the mean of several did their task where the first of them did.

    With it how far the demonstrations vary, in words, by the paths of their mean and of each of them.
    """
    made, varies = list[Attempt](), dict[Paths, str]()
    for task, told in _paths(shown).items():
        demos = [one for _, one in told]
        both = mean(demos) if len(demos) > 1 and not refused(demos) else None
        if both is None:
            continue
        tried = _done(agent, told[0][0].trajectory.task, both.actions)
        say(f"--demos: {task}: {len(told)} demonstrations: {both.note}")
        for actions in (both.actions, *([step.action for step in one] for one in demos)):
            varies[paths_of(actions)] = both.note
        if tried is not None and tried.verdict.success:
            made.append(tried)
        else:
            say(f"--demos: {task}: their mean does not do it at {_seed(told[0][0])}; each is learnt from by itself")
    return [*made, *shown], varies


def noting(agent: Agent, varies: Mapping[Paths, str]) -> Agent:
    """Return the agent who writes into a skill that follows such paths how far its demonstrations vary."""

    def write(lesson: Lesson, library: Library, alone: Alone) -> Iterator[Edit]:
        for edit in agent.write(lesson, library, alone):
            changes = (_noted(one, varies) if isinstance(one, PutSkill) else one for one in edit.changes)
            yield edit.model_copy(update={"changes": tuple(changes)})

    return replace(agent, write=write) if varies else agent


def as_shown(body: str, varies: str) -> str:
    """Return a skill's text with how far its demonstrations vary."""
    return f"{body}\n## As shown\n\nOver several demonstrations: {varies}.\n"


def paths_of(steps: Sequence[Node | Action]) -> Paths:
    """Return the paths that steps follow, as text; that of a step that follows none is empty."""
    return tuple(str(one.arguments.get("path", "")) for one in steps if isinstance(one, Do | Action))


def _noted(change: PutSkill, varies: Mapping[Paths, str]) -> PutSkill:
    program = program_of(change.skill)
    told = varies.get(paths_of(program.steps)) if program else None
    if told is None:
        return change
    return change.model_copy(
        update={"skill": change.skill.model_copy(update={"body": as_shown(change.skill.body, told)})}
    )


def with_rests(agent: Agent, shown: Sequence[Attempt], say: Callable[[str], None]) -> list[Attempt]:
    """Return the episodes behind those in which an unfinished one goes on as another did, and then succeeds."""
    made, whole = list[Attempt](), _paths(shown)
    for one in shown:
        others = [each for each, _ in whole.get(one.trajectory.task.id, ())]
        if one.verdict.success or not (found := stitched(one.trajectory, [each.trajectory for each in others])):
            continue
        actions, number, at = found
        tried = _done(agent, one.trajectory.task, actions)
        if tried is not None and tried.verdict.success:
            made.append(tried)
            rest = f"{_seed(one)} ends as {_seed(others[number])} is before step {at + 1}"
            say(f"--demos: {one.trajectory.task.id}: {rest}: both together do it")
    return [*made, *shown]


def _paths(shown: Sequence[Attempt]) -> dict[str, list[tuple[Attempt, Telling]]]:
    """Return the episodes that follow paths, by their tasks."""
    found: dict[str, list[tuple[Attempt, Telling]]] = {}
    for one in shown:
        if one.verdict.success and (told := telling(one.trajectory)) is not None:
            found.setdefault(one.trajectory.task.id, []).append((one, told))
    return found


def _seed(one: Attempt) -> str:
    return f"seed {one.trajectory.task.seed}"


def _done(agent: Agent, task: Task, actions: Sequence[Action]) -> Attempt | None:
    """Return the episode in which these actions are done; None where the world fails."""
    try:
        trajectory = played(agent.open(task), task, reciting(actions))
    except WorldFault:
        agent.drop(task)
        return None
    return Attempt(plan=None, route=None, trajectory=trajectory, verdict=agent.judge(trajectory), library="")
