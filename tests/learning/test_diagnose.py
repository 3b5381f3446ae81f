"""Diagnose: what insights did in a failure, by doing the task again."""

import pytest

from skillagent.learning.diagnose import diagnose
from skillagent.library import Library
from skillagent.schema import (
    Action,
    Attempt,
    Condition,
    Insight,
    Label,
    Observation,
    Ranked,
    Route,
    Step,
    Task,
    Trajectory,
    Verdict,
)

TASK = Task(env="x", name="a", seed=3)


def held(*keys):
    one = Insight(id="", taxonomy="x/y/z", kind="pitfall", condition=Condition(applies="a"), explanation="e")
    return Library(insights={key: one.model_copy(update={"id": key, "explanation": key}) for key in keys})


def tried(shown, score, did="click"):
    route = Route(skills=((),), insights=(tuple(Ranked(id=k, score=0) for k in shown),), demonstrations=((),))
    step = Step(observation=Observation(goal="g", text=""), action=Action(verb=did))
    trajectory = Trajectory(task=TASK, goal="g", steps=(step,))
    return Attempt(
        plan=None, route=route, trajectory=trajectory, verdict=Verdict(score=score, by="environment"), library=""
    )


class World:
    """Solves with the given sets of insights; what it does shows which of `heeded` were there."""

    def __init__(self, *solving, heeded=(), void=()):
        self.solving, self.heeded, self.void = [set(one) for one in solving], set(heeded), [set(one) for one in void]
        self.asked = []

    def __call__(self, task, shown):
        assert task == TASK
        self.asked.append(tuple(shown))
        score = None if set(shown) in self.void else float(set(shown) in self.solving)
        return tried(shown, score, did=f"click {sorted(self.heeded & set(shown))}")


def labels(shown, world, library, nearest=()):
    said = diagnose(tried(shown, 0.0, did="click []"), library, world, lambda goal, held: nearest)
    return dict(said.labels) if said is not None else None


def test_one_that_solves_alone_is_positive_and_one_without_which_it_is_solved_negative():
    assert labels(["a", "b"], World({"a"}), held("a", "b")) == {"a": Label.POSITIVE, "b": Label.IRRELEVANT}
    assert labels(["a", "b"], World((), {"b"}), held("a", "b")) == {"a": Label.NEGATIVE, "b": Label.IRRELEVANT}


def test_one_that_was_heeded_in_vain_is_invalid():
    assert labels(["a", "b"], World(heeded="a"), held("a", "b")) == {"a": Label.INVALID, "b": Label.IRRELEVANT}


def test_the_only_one_shown_is_not_tried_alone_again():
    world = World(())
    assert labels(["a"], world, held("a")) == {"a": Label.NEGATIVE}
    assert world.asked == [()]


def test_what_was_not_shown_is_tried_where_nothing_that_was_shown_helps():
    world = World({"c"})
    assert labels(["a"], world, held("a", "b", "c"), "abc") == {"a": Label.IRRELEVANT, "c": Label.UNRETRIEVED}
    assert world.asked == [(), ("b",), ("c",)]


def test_two_together_may_be_what_was_missing():
    assert labels([], World({"a", "c"}), held("a", "b", "c"), "abc") == {"a": Label.UNRETRIEVED, "c": Label.UNRETRIEVED}


def test_no_more_than_eight_combinations_are_tried():
    world = World()
    assert labels([], world, held(*"abcdef"), "abcdef") is None
    assert len(world.asked) == 8


def test_without_insights_and_where_the_world_fails_nothing_is_said():
    world = World()
    assert labels([], world, held()) is None
    assert world.asked == []
    assert labels(["a"], World(void=[()]), held("a")) is None
    assert labels(["gone"], World(), held()) is None


@pytest.mark.parametrize("shown", [["a", "b"]])
def test_a_replay_that_cannot_be_scored_labels_nothing(shown):
    assert labels(shown, World(void=["a"]), held("a", "b")) == {"b": Label.IRRELEVANT}
