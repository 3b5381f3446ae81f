"""Relabel: what a failed try did reach is a success only where the world says so under that goal."""

import pytest

from skillagent.acting.play import played, reciting
from skillagent.learning.attribute import attribute
from skillagent.learning.judge import judge
from skillagent.learning.reflect import reflect
from skillagent.library import Library
from skillagent.practice.relabel import relabelled
from skillagent.schema import Action, Attempt, Cause, Element, Observation, Outcome, Task, Verb

TASK = Task(env="e", name="t", seed=1)
GO = Verb(name="go", doc="Go.", parameters={"type": "object", "properties": {}})


class Rooms:
    """Go to a place; `wishes` is what it says was reached, whether that is so or not."""

    verbs, anew = (GO,), True

    def __init__(self, *, deaf=False, boasts=""):
        self.deaf, self.boasts, self.resets = deaf, boasts, 0

    def reset(self, task):
        self.resets += 1
        self.at, self.goal = "hall", "go to the barn" if self.deaf or not task.goal else task.goal
        return self.seen()

    def seen(self):
        places = tuple(Element(ref=str(n), role="place", name=name) for n, name in enumerate(("shed", "yard", "barn")))
        return Observation(goal=self.goal, text=f"in the {self.at}", elements=places)

    def step(self, action):
        if action.verb != "go":
            return Outcome(observation=self.seen(), error="no such thing", reward=0.0)
        self.at = self.seen().element(action.arguments["ref"]).name
        done = self.goal == f"go to the {self.at}"
        return Outcome(observation=self.seen(), reward=float(done), terminated=done)

    def reached(self, _):
        return self.boasts or (f"go to the {self.at}" if self.at != "hall" else None)


def attempt(world, task, player, by="chance"):
    trajectory = played(world, task, player, by=by)
    return Attempt(plan=None, route=None, trajectory=trajectory, verdict=judge(trajectory), library="")


def tried(*refs, seed=1):
    """Return what comes of going to these places; `x` is no verb."""
    actions = [Action(verb="x") if ref == "x" else Action(verb="go", arguments={"ref": ref}) for ref in refs]
    one = attempt(Rooms(), TASK.model_copy(update={"seed": seed}), reciting(actions))
    steps = tuple(step.model_copy(update={"by": "model"}) for step in one.trajectory.steps)
    return one.model_copy(update={"trajectory": one.trajectory.model_copy(update={"steps": steps})})


def relabel(attempts, world=None):
    world = world or Rooms()
    return list(relabelled(attempts, lambda task, made: attempt(world, task, made(world.verbs)), world.reached))


def test_what_was_reached_is_a_success_under_its_own_goal():
    failed = tried("x", "1", "0")
    (one,) = relabel([failed])
    assert one.verdict.success
    assert (one.trajectory.goal, one.trajectory.asked) == ("go to the shed", "go to the barn")
    assert one.trajectory.task == TASK, "a gate that replays the task sets its own goal"
    assert [(step.action.arguments["ref"], step.by) for step in one.trajectory.steps] == [
        ("1", "model"),
        ("0", "model"),
    ]
    assert {step.observation.goal for step in one.trajectory.steps} == {"go to the shed"}


@pytest.mark.parametrize(
    ("attempts", "world"),
    [
        pytest.param([tried("2")], Rooms(), id="a success needs no other goal"),
        pytest.param([tried("x")], Rooms(), id="nothing was reached"),
        pytest.param([tried("0")], Rooms(deaf=True), id="no other goal can be set"),
        pytest.param([tried("0")], Rooms(boasts="go to the yard"), id="the world's check says otherwise"),
        pytest.param([tried("0")], Rooms(boasts="go to the barn"), id="it is the goal that was set"),
        pytest.param([tried("0")], Rooms(boasts="fly"), id="a goal that nothing fulfils"),
    ],
)
def test_what_the_world_does_not_confirm_is_not_kept(attempts, world):
    assert relabel(attempts, world) == []


def test_each_goal_of_an_instance_is_kept_once():
    found = relabel([tried("0"), tried("1", "0"), tried("1"), tried("0", seed=2)])
    kept = [(one.trajectory.task.seed, one.trajectory.goal) for one in found]
    assert kept == [(1, "go to the shed"), (1, "go to the yard"), (2, "go to the shed")]


def test_it_teaches_but_says_nothing_about_how_often_the_agent_does_what_is_asked():
    failed = [tried("0"), tried("1")]
    found = relabel(failed)
    assert attribute([failed[0], *found, *found, *found]) is Cause.KNOWLEDGE
    (lesson,) = reflect([*failed, *found], Library())
    assert lesson.success in found
    assert lesson.summary == "e/t: 0 of 2 scored attempts succeeded, and 2 reached another goal"
    solved = tried("0", "1", "2", seed=3)
    (lesson,) = reflect([*failed, *found, solved], Library())
    assert lesson.success == solved, "what was asked shows more"
