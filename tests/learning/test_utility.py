"""Utility: what showing an item has been worth, read off the ledger."""

import pytest

from skillagent.learning.utility import utilities
from skillagent.schema import (
    Attempted,
    Condition,
    Decided,
    Decision,
    Edit,
    Event,
    Insight,
    Pair,
    PutInsight,
    Score,
    Task,
)

INSIGHT = Insight(id="i", taxonomy="x/y/z", kind="pitfall", condition=Condition(applies="a"), explanation="e")


def tried(shown, score, task="a", seed=0, **rest):
    return Attempted(attempt="x", task=Task(env="x", name=task, seed=seed), goal="g", shown=shown, score=score, **rest)


def told(*entries, **options):
    events = [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]
    return utilities(events, **options)


def test_lift_compares_the_same_tasks_with_and_without():
    worth = told(*[tried(("i",), 1.0)] * 10, *[tried((), 0.0)] * 10)["i"]
    assert worth.lift == pytest.approx(10 / 12, abs=0.02)
    assert worth.low > 0.4
    assert worth.high < 1.3
    assert not worth.hurts


def test_an_item_that_is_shown_on_hard_tasks_is_not_blamed_for_them():
    easy = [tried((), 1.0, task="easy")] * 20
    hard = [tried(("i",), 0.0, task="hard"), tried((), 0.0, task="hard")] * 10
    worth = told(*easy, *hard)["i"]
    assert worth.lift == pytest.approx(0.0, abs=0.01)
    assert worth.hidden == pytest.approx(10, abs=0.5)


def test_what_makes_things_worse_beyond_chance_hurts():
    assert told(*[tried(("i",), 0.0), tried((), 1.0)] * 8)["i"].hurts
    assert not told(tried(("i",), 0.0), tried((), 1.0))["i"].hurts


def test_old_attempts_fade():
    entries = [*[tried(("i",), 0.0)] * 20, *[tried(("i",), 1.0)] * 20, tried((), 0.0)]
    assert told(*entries, half_life=5)["i"].lift > told(*entries, half_life=10_000)["i"].lift + 0.1


def test_voids_unscored_attempts_and_holdout_seeds_do_not_count():
    entries = [
        tried(("i",), None),
        tried(("i",), 1.0, void="the browser crashed"),
        tried(("i",), 1.0, seed=2_000_000),
    ]
    assert told(*entries) == {}


def test_the_pairs_of_the_gate_count_for_the_insight_that_was_on_trial_alone():
    task, one, none = Task(env="x", name="a", seed=1_000_000), Score(value=1.0), Score(value=0.0)
    edit = Edit(changes=(PutInsight(insight=INSIGHT),), why="")
    pairs = (Pair(task=task, before=none, after=one),) * 4
    decision = Decision(edit=edit, accepted=True, reason="", pairs=pairs)
    worth = told(Decided(decision=decision), tried(("other",), 0.0))
    assert worth["i"].shown == pytest.approx(4, abs=0.1)
    assert worth["i"].lift > 0.5
    assert worth["other"].hidden == 0


def test_what_was_never_tried_without_says_nothing_of_an_item():
    hard = [tried(("i",), 0.0, task=f"hard-{n}") for n in range(3) for _ in range(9)]
    worth = told(*hard)["i"]
    assert (worth.lift, worth.low, worth.high, worth.hurts) == (0.0, -1.0, 1.0, False)
    assert worth.hidden == 0
    both = told(*hard, *[tried(("i",), 1.0), tried((), 0.0)] * 8)["i"]
    assert both.lift > 0.5, "only what can be compared counts"
