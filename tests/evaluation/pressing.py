"""An agent for tests of the evaluation: it presses the right button when it has a skill, and the first one when not."""

from collections import defaultdict
from contextlib import contextmanager

from skillagent.errors import EnvironmentFailed
from skillagent.evaluation.arms import Arm
from skillagent.learning.judge import judge
from skillagent.library import Library
from skillagent.loop import Agent
from skillagent.schema import (
    Action,
    Decision,
    Edit,
    Lesson,
    Plan,
    PutSkill,
    Route,
    Skill,
    Split,
    Step,
    Task,
    Trajectory,
    Usage,
    Variation,
)  # fmt: skip
from skillagent.testing import Corridor, MemoryStore

FIRST = Split.HOLDOUT.first_seed
TASKS = [Task(env="corridor", name=name, seed=FIRST + seed) for seed in range(4) for name in ("a", "b")]
SKILL = Skill(name="s", description="d", body="b")
NONE = Arm(name="none", library=Library())
FROZEN = Arm(name="frozen", library=Library(skills={"s": SKILL}))
ARMS = [NONE, FROZEN]


def knowing(environment, task, first, plan, route, library, *, variation, watch):
    """Press the right button with a library, and the first button without."""
    wanted = first.goal.split('"')[1] if library.skills else first.elements[0].name
    action = Action(verb="click", arguments={"ref": next(e.ref for e in first.elements if e.name == wanted)})
    outcome = environment.step(action)
    step = Step(observation=first, action=action, reward=outcome.reward)
    return Trajectory(
        task=task, goal=first.goal, steps=(step,), final=first, reward=outcome.reward, terminated=outcome.terminated
    )


def crashing(environment, task, first, *parts, **options):
    """Lose the world in every task called a."""
    if task.name == "a":
        raise EnvironmentFailed("gone")
    return knowing(environment, task, first, *parts, **options)


class Pressing:
    """Opens that agent; remembers what was opened and practised. Ten tokens an episode."""

    def __init__(self, act=knowing):
        self.act, self.store, self.learnt = act, MemoryStore(), defaultdict(MemoryStore)
        self.opened, self.practised = [], []

    @contextmanager
    def __call__(self, arm):
        world, spent = Corridor(), []

        def opening(task):
            self.opened.append(task)
            spent.append(Usage(tokens_in=10))
            return world

        def usage():
            return sum(spent, Usage())

        def practise(task, attempt):
            self.practised.append(task)
            yield attempt(task, Variation())

        def lessons(attempts, library):
            return [] if library.skills else [Lesson(cause="missing knowledge", summary="l")]

        yield Agent(
            open=opening,
            drop=lambda task: None,
            plan=lambda goal, library: Plan(goal=goal),
            route=lambda plan, library: Route(skills=((),), insights=((),), demonstrations=((),)),
            act=self.act,
            judge=judge,
            practise=practise,
            reflect=lessons if arm.learning else lambda attempts, library: (),
            write=lambda lesson, library, alone: [Edit(changes=(PutSkill(skill=SKILL),), why="test")],
            lint=lambda edit, lesson, library, events: None,
            gate=lambda edit, *parts: Decision(edit=edit, accepted=True, reason="test"),
            store=self.learnt[arm.name] if arm.learning else self.store,
            spent=usage,
        )
