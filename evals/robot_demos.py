"""A program for each Meta-World task from one demonstration: how often it works where things stand elsewhere.

    python -m evals.robot_demos --out evals/results/metaworld-demos.json
    python -m evals.robot_demos drawer-open,pick-place --seeds 20 --skills /tmp/arm
    python -m evals.robot_demos soccer,push-back --demos 3
    SKILLAGENT_SKILLS=/tmp/arm SKILLAGENT_MEMORY=/tmp/arm/.memory skillagent run metaworld/drawer-open --no-learn

No model is asked. The demonstration is the scripted policy's on the first practice seed that it solves. It is cut into
phases and said in primitives in several ways; the program that does best by itself on practice seeds is tried on
holdout seeds. Beside it: the demonstration's own motions again, the hand led along the places of the demonstration
wherever things stand now, and the scripted policy itself. With several demonstrations, those that do not fit the others
are refused, and the program follows the mean of the rest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from evals.program_reach import ALONE, Wordless, solved
from skillagent import load, open_agent
from skillagent.acting.play import played, reciting
from skillagent.cli.demos import as_shown, paths_of
from skillagent.cli.output import note
from skillagent.envs.robot.phases import Recorded, means, recorded, unfit, ways
from skillagent.envs.robot.primitives import Arm
from skillagent.envs.robot.simulator import Simulator, descriptions
from skillagent.envs.robot.world import MetaWorld
from skillagent.learning.judge import judge
from skillagent.learning.write import Induction, write
from skillagent.library import Library
from skillagent.loop import Agent, attempt
from skillagent.programs.text import program_of
from skillagent.schema import Action, Attempt, Cause, Decided, Decision, Do, Edit, Lesson, PutSkill, Skill, Split, Task
from skillagent.store.disk import DiskStore
from skillagent.testing import MemoryStore

_PRACTICE = 9  # instances, three of each wording
_TRIES = 10  # practice seeds on which the scripted policy may show the task
Shown = tuple[Task, Recorded]


def done(world: MetaWorld, task: Task, actions: Sequence[Action]) -> Attempt:
    """Return the episode in which these actions are done."""
    trajectory = played(world, task, reciting(actions))
    return Attempt(plan=None, route=None, trajectory=trajectory, verdict=judge(trajectory), library="")


def shown(world: MetaWorld, name: str, most: int = 1) -> tuple[list[Shown], list[str]]:
    """Return what the scripted policy does on the first practice instances that it solves, and what was refused.

    Of several, only such are kept as fit together: it goes on showing until there are so many.
    """
    found, kept, why = list[Shown](), list[Shown](), dict[int, str]()
    for seed in range(_TRIES):
        task = Task(env="metaworld", name=name, seed=seed, max_steps=50)
        world.reset(task)
        if (demo := recorded(world.simulation, name, seed)) is not None:
            found.append((task, demo))
            why = unfit(world.simulation, [one for _, one in found])
            kept = [one for number, one in enumerate(found) if number not in why]
        if len(kept) >= most:
            break
    if not kept:
        raise typer.BadParameter(f"the scripted policy of {name} solves none of {_TRIES} practice instances")
    return kept[:most], [*why.values()]


def learnt(agent: Agent, world: MetaWorld, given: Sequence[Shown]) -> tuple[Edit | None, str]:
    """Return the edit that adds the program that does best by itself on practice seeds, if there is one.

    With it how far several demonstrations vary, in words.
    """
    demos = [demo for _, demo in given]
    said = [(one.actions, one.note) for one in means(world.simulation, demos)] if len(given) > 1 else []
    tried = _solving(world, given, said) + _solving(
        world, given, [(one, "") for one in ways(world.simulation, demos[0])]
    )
    if not tried:
        return None, ""
    attempts = [one for one, _ in tried]
    lesson = Lesson(
        cause=Cause.EFFORT, summary=f"{given[0][0].id}: shown", success=attempts[0], successes=tuple(attempts)
    )
    alone = partial(attempt, agent, variation=ALONE)
    edits = write(lesson, Library(), alone, llm=Wordless(), induction=Induction(instances=_PRACTICE))
    edit = next((one for one in edits if any(isinstance(change, PutSkill) for change in one.changes)), None)
    if edit is None:
        return None, ""
    varies = {paths_of([step.action for step in one.trajectory.steps]): note for one, note in tried}
    return edit, varies.get(paths_of(_steps(edit)), "")


def _steps(edit: Edit) -> list[Do]:
    """Return the steps of the program that an edit adds."""
    programs = [program_of(one.skill) for one in edit.changes if isinstance(one, PutSkill)]
    return [step for program in programs if program for step in program.steps if isinstance(step, Do)]


def _solving(
    world: MetaWorld, given: Sequence[Shown], said: Sequence[tuple[list[Action], str]]
) -> list[tuple[Attempt, str]]:
    """Return a success of each way that does the task where it was shown; first those that do it most often."""
    found = []
    for actions, varies in said:
        tried = [one for one in (done(world, task, actions) for task, _ in given) if one.verdict.success]
        found += [(len(tried), tried[0], varies)] if tried else []
    return [(one, varies) for _, one, varies in sorted(found, key=lambda each: -each[0])]


def named(edit: Edit, task: str, varies: str = "") -> Edit:
    """Return the edit with its skill called like the task, as no model named it, and with what varied."""

    def told(skill: Skill) -> Skill:
        body = as_shown(skill.body, varies) if varies else skill.body
        return skill.model_copy(update={"name": task, "body": body})

    changes = [
        one.model_copy(update={"skill": told(one.skill)}) if isinstance(one, PutSkill) else one for one in edit.changes
    ]
    return edit.model_copy(update={"changes": tuple(changes)})


def again(simulator: Simulator, seed: int, demo: Recorded) -> bool:
    """Tell whether the demonstration's own motions do it."""
    simulator.reset(seed)
    for row in (*demo.driven, *[demo.driven[-1]] * 30):
        if not simulator.step(row[:3], float(row[3])):
            break
    return simulator.success


def unaligned(simulator: Simulator, seed: int, demo: Recorded) -> bool:
    """Tell whether following the demonstration's places, wherever things stand, does it."""
    simulator.reset(seed)
    arm = Arm(simulator)
    for place, row in zip(demo.hand[1:], demo.driven[:-1], strict=True):
        arm.grip = float(row[3])
        for _ in range(6):
            if not simulator.step(row[:3] + 10 * (place - arm.hand), arm.grip):
                return simulator.success
            if np.linalg.norm(place - arm.hand) < 0.03:
                break
    return simulator.success


def main(
    tasks: Annotated[str, typer.Argument(help="drawer-open,… ; all by default")] = "",
    seeds: Annotated[int, typer.Option(help="Holdout instances of each task.")] = 10,
    first: Annotated[int, typer.Option(help="The first of them, counted from the beginning of the holdout range.")] = 0,
    demos: Annotated[int, typer.Option(help="Demonstrations of each task that fit together.")] = 1,
    out: Path | None = None,
    skills: Annotated[Path | None, typer.Option(help="A folder to keep the programs in, as a library.")] = None,
) -> None:
    """Learn every task from its demonstrations, try it, and write the table."""
    table: dict[str, dict[str, float]] = {}
    if out is not None:
        with suppress(FileNotFoundError):
            table = json.loads(out.read_text(encoding="utf-8"))["tasks"]
    names = [name for name in (tasks.split(",") if tasks else descriptions()) if name not in table]
    with TemporaryDirectory() as folder:
        settings = load(skills=Path(folder) / "skills", memory=Path(folder) / "memory")
        with open_agent(settings, llm=Wordless(), store=MemoryStore()) as agent:
            for name in names:
                world = MetaWorld()
                began = time.monotonic()
                given, why = shown(world, name, demos)
                for one in why:
                    note(f"{name}: refused: {one}")
                (task, demo), *_ = given
                edit, varies = learnt(replace(agent, open=lambda _, world=world: world), world, given)
                library = Library().apply(edit) if edit else Library()
                if skills and edit:
                    reason = f"learnt from demonstrations, not replayed: {len(given)}"
                    decision = Decision(edit=named(edit, name, varies), accepted=True, reason=reason, by="person")
                    DiskStore(skills, skills / ".memory").commit(Decided(decision=decision))
                took = time.monotonic() - began
                held = [task.model_copy(update={"seed": Split.HOLDOUT.first_seed + first + n}) for n in range(seeds)]
                own = replace(agent, open=lambda _, world=world: world)
                table[name] = {
                    "program": sum(solved(own, one, library) for one in held),
                    "motions again": sum(again(world.simulation, one.seed, demo) for one in held),
                    "not aligned": sum(unaligned(world.simulation, one.seed, demo) for one in held),
                    "oracle": sum(recorded(world.simulation, name, one.seed) is not None for one in held),
                    "seconds to learn": round(took, 1),
                    "demonstrations": len(given),
                    "refused": len(why),
                }
                world.close()
                note(f"{name:28} " + "  ".join(f"{what}: {value}" for what, value in table[name].items()))
                if out is not None:
                    means = {way: fmean(row[way] / seeds for row in table.values()) for way in _WAYS}
                    whole = {"seeds": seeds, "mean": means, "tasks": table}
                    out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    for way in _WAYS:
        print(f"{way:16} {fmean(row[way] / seeds for row in table.values()):.1%} of {seeds * len(table)}")
    print(f"{'time to learn':16} {sum(row['seconds to learn'] for row in table.values()) / 60:.1f} minutes in all")


_WAYS = ("program", "motions again", "not aligned", "oracle")

if __name__ == "__main__":
    typer.run(main)
