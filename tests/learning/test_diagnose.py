"""Diagnose: what insights did in a failure, by doing the task again."""

from itertools import chain

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


def tried(*parts, score=0.0, did="click []", task=TASK):
    """Return an attempt in which each part of the plan was shown some insights."""
    shown = tuple(tuple(Ranked(id=key, score=0) for key in part) for part in parts)
    route = Route(skills=((),) * len(parts), insights=shown, demonstrations=((),) * len(parts))
    step = Step(observation=Observation(goal="g", text=""), action=Action(verb=did))
    trajectory = Trajectory(task=task, goal="g", steps=(step,))
    return Attempt(
        plan=None, route=route, trajectory=trajectory, verdict=Verdict(score=score, by="environment"), library=""
    )


class World:
    """Gives a score to sets of insights, 0 to all others; what it does shows which of `heeded` were there.

    Sets are told as words, one letter an insight. `again` says what solves other seeds; by default what solves the
    first. `void` seeds cannot be scored.
    """

    def __init__(self, *solving, scores=(), heeded="", again=None, void=(), lost=()):
        self.scores = {frozenset(one): 1.0 for one in solving} | {frozenset(one): by for one, by in scores}
        self.again = self.scores if again is None else {frozenset(one): 1.0 for one in again}
        self.scores |= {frozenset(one): None for one in lost}
        self.heeded, self.void = set(heeded), void
        self.asked, self.checked = [], []

    def __call__(self, task, shown):
        first = task == TASK
        (self.asked if first else self.checked).append("".join(shown) if first else (task.seed, "".join(shown)))
        score = (self.scores if first else self.again).get(frozenset(shown), 0.0)
        if task.seed in self.void:
            score = None
        return tried(shown, score=score, did=f"click {sorted(self.heeded & set(shown))}", task=task)


def labels(shown, world, nearest="", failed=None):
    library = held(*dict.fromkeys(chain("abc", nearest)))
    said = diagnose(failed or tried(shown), library, world, lambda goal, held: nearest)
    return {key: label.value for key, label in said.labels.items()} if said is not None else None


def test_one_that_solves_alone_is_positive_and_one_without_which_it_is_solved_negative():
    assert labels("ab", World("a", "ab", heeded="b"), failed=tried("ab", "a")) == {"a": "positive", "b": "irrelevant"}
    assert labels("ab", World("", "b", heeded="b")) == {"a": "negative", "b": "irrelevant"}


def test_one_with_which_nothing_else_is_done_was_not_followed_and_one_that_was_followed_in_vain_is_irrelevant():
    assert labels("ab", World(heeded="a")) == {"a": "irrelevant", "b": "invalid"}


def test_one_with_which_less_is_scored_misleads():
    assert labels("ab", World(scores=[("", 0.5), ("a", 0.2), ("b", 0.5)])) == {"a": "negative", "b": "invalid"}


def test_what_was_tried_is_not_tried_again():
    world = World("")
    assert labels("a", world) == {"a": "negative"}
    assert world.asked == [""]
    world = World()
    assert labels("ab", world) == {"a": "invalid", "b": "invalid"}
    assert world.asked == ["", "a", "b"], "with both it has failed"
    assert labels("ab", world, failed=tried("a", "b")) == {"a": "invalid", "b": "invalid"}
    assert world.asked[3:] == ["", "a", "b", "ab"], "each was shown for another part: with both it was not tried"


def test_those_that_solve_only_together_are_positive_once_what_misleads_is_left_out():
    world = World("ab", scores=[("", 0.5), ("a", 0.5), ("b", 0.5), ("c", 0.0), ("abc", 0.0)])
    assert labels("abc", world) == {"a": "positive", "b": "positive", "c": "negative"}
    assert world.asked == ["", "a", "b", "c", "ab"]


def test_two_that_solve_it_alone_and_not_together_disturb_each_other():
    world = World("a", "b")
    assert labels("ab", world) == {"a": "positive", "b": "negative"}
    assert world.asked == ["", "a", "b"]


def test_one_of_three_that_solves_it_alone_by_luck_and_spoils_nothing_gets_no_label():
    assert labels("abc", World("a", "b", "c", "ab", again=["a"])) == {"a": "positive", "c": "negative"}
    assert labels("abc", World("a", "b", "c", "ab", again=["a", "b"])) == {
        **{"a": "positive", "b": "positive"},
        "c": "negative",
    }


def test_those_that_solve_it_alone_are_tried_together_once():
    world = World("a", "b", "ab")
    assert labels("abc", world) == {"a": "positive", "b": "positive", "c": "negative"}
    assert world.asked == ["", "a", "b", "c", "ab"], "with all three it has failed"


def test_one_beside_which_what_solves_it_does_not_is_negative_though_it_changes_nothing_by_itself():
    world = World("a", "ab")
    assert labels("abc", world) == {"a": "positive", "b": "invalid", "c": "negative"}
    assert world.asked == ["", "a", "b", "c", "ab", "ac"]


def test_what_was_not_shown_is_tried_where_nothing_that_was_shown_helps():
    world = World("c")
    assert labels("a", world, "abc") == {"a": "invalid", "c": "unretrieved"}
    assert world.asked == ["", "b", "c"]


def test_two_together_may_be_what_was_missing():
    assert labels("", World("ac"), "abc") == {"a": "unretrieved", "c": "unretrieved"}


def test_no_more_than_eight_combinations_are_tried():
    world = World()
    assert labels("", world, "abcdef") is None
    assert len(world.asked) == 8


def test_what_solves_the_task_must_solve_another_instance_that_is_not_solved_without_it():
    world = World("b", "c", again=["c"])
    assert labels("a", world, "abc") == {"a": "invalid", "c": "unretrieved"}
    assert world.checked == [(4, ""), (4, "b"), (4, "c")], "without insights it is tried once"


def test_one_that_was_lucky_is_not_called_positive_and_what_was_not_shown_is_tried():
    assert labels("ab", World("a", "c", again=["c"]), "abc") == {"b": "invalid", "c": "unretrieved"}
    assert labels("abc", World("ab", scores=[("c", 0.0), ("", 0.5), ("a", 0.5), ("b", 0.5)], again=[])) == {
        "a": "invalid",
        "b": "invalid",
        "c": "negative",
    }


def test_an_instance_that_is_solved_anyway_says_nothing_against_what_solved_the_task():
    world = World("b", again=[""])
    assert labels("a", world, "ab") == {"a": "invalid", "b": "unretrieved"}
    assert world.checked == [(4, "")]


def test_where_no_other_instance_can_be_scored_the_first_replay_counts():
    world = World("b", again=[], void=(4, 5))
    assert labels("a", world, "ab") == {"a": "invalid", "b": "unretrieved"}
    assert world.checked == [(4, ""), (5, "")]
    world = World("b", again=[], void=(4,))
    assert labels("a", world, "ab") == {"a": "invalid"}
    assert world.checked == [(4, ""), (5, ""), (5, "b")]


def test_no_other_instance_is_looked_for_beyond_the_practice_seeds():
    last = TASK.model_copy(update={"seed": 999_999})
    asked = []

    def showing(task, shown):
        asked.append(task.seed)
        return tried(shown, score=float(shown == ("b",)), task=task)

    said = diagnose(tried("a", task=last), held("a", "b"), showing, lambda goal, held: "b")
    assert said.labels["b"] is Label.UNRETRIEVED
    assert set(asked) == {999_999}


def test_without_insights_and_where_the_world_fails_nothing_is_said():
    world = World()
    assert diagnose(tried(""), Library(), world, lambda goal, held: "") is None
    assert world.asked == []
    assert labels("a", World(lost=[""])) is None
    assert diagnose(tried(["gone"]), held(), World(), lambda goal, held: "") is None


def test_a_replay_that_cannot_be_scored_labels_nothing():
    assert labels("ab", World(lost=["a"])) == {"b": "invalid"}
