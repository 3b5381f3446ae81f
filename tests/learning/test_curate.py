"""Curate: what hurts goes, what says the same is one, what is near is linked, what is too much is thinned."""

from functools import partial

import numpy as np
import pytest

from skillagent.learning.curate import (
    Upkeep,
    brought_back,
    clusters,
    harmful,
    linked,
    merged,
    sources,
    thinned,
    useless,
)
from skillagent.learning.utility import Utility
from skillagent.library import Library
from skillagent.schema import (
    Attempted,
    Condition,
    Decided,
    Demonstration,
    Event,
    Insight,
    PutInsight,
    RetireDemonstration,
    RolledBack,
    Score,
    Skill,
    Task,
)
from skillagent.testing import HashEmbedder

LIMITS = Upkeep(same=0.95, related=0.6, cluster=0.5, budget=2)


def insight(key, applies, explanation="do it", **rest):
    given = {"taxonomy": "x/y/z", "kind": "pitfall", "condition": Condition(applies=applies)} | rest
    return Insight(id=key, explanation=explanation, **given)


def held(*insights):
    return Library(insights={one.id: one for one in insights})


def worth(lift, high=1.0):
    return Utility(lift=lift, low=-1.0, high=high, shown=9, hidden=9)


def shown(goal, library):
    """Every insight, for every goal."""
    return list(library.insights)


def happened(*entries):
    return [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]


def joined(library, trial, *, shown=shown, goals=("type the date",), said=()):
    tried = [Attempted(attempt="y", task=Task(env="x", name="a"), goal=goal) for goal in reversed(goals)]
    events = happened(*tried, *(Decided(decision=one) for one in said))
    return list(merged(library, HashEmbedder(), trial, LIMITS, shown=shown, events=events))


A = insight("a", "when a date is typed into a field of the form", evidence=("x/dates@3#0a", "x/dates@4#0b"))
B = insight("b", "when a date is typed into a field of the form", evidence=("x/days@1#0c",))
C = insight("c", "when a date is chosen from a field of the form")
D = insight("d", "whenever menus open sideways hover first", "wait")


def test_what_hurts_beyond_chance_goes_unless_it_is_pinned():
    pinned = A.model_copy(update={"id": "p", "pinned": True})
    told = {"a": worth(-0.5, high=-0.1), "c": worth(-0.5, high=0.1), "p": worth(-0.5, high=-0.1)}
    decisions = list(harmful(held(A, C, D, pinned), told))
    assert [one.edit.changes[0].key for one in decisions] == ["a"]
    assert "-50% with it" in decisions[0].edit.why


def test_the_source_tasks_are_read_off_the_evidence():
    assert sources(A) == [Task(env="x", name="dates", seed=3), Task(env="x", name="dates", seed=4)]
    assert sources(insight("q", "when", evidence=("by hand",))) == []


def test_two_that_say_the_same_become_one_that_solves_what_both_were_learnt_from():
    asked = []

    def trial(task, library):
        asked.append((task.name, task.seed, len(library.insights)))
        return Score(value=1.0)

    library = held(A, B, C, D)
    (decision,) = joined(library, trial)
    assert decision.accepted
    after = library.apply(decision.edit)
    assert set(after.insights) == {"a", "c", "d"}
    assert after.insights["a"].evidence == (*A.evidence, *B.evidence)
    assert asked == [(name, seed, n) for name, seed in (("dates", 3), ("dates", 4), ("days", 1)) for n in (4, 3)]


def test_a_merger_that_loses_a_source_task_is_refused_for_good_and_one_that_cannot_be_tried_for_now():
    lost = joined(held(A, B), lambda task, library: Score(value=float(len(library) > 1)))
    (decision,) = lost
    assert (decision.accepted, decision.final) == (False, True)
    assert decision.reason == "refused: x/dates seed 3 is lost with one for both"
    (unknown,) = joined(held(A, B), lambda task, library: None)
    assert (unknown.accepted, unknown.final) == (False, False)


def test_a_merger_that_moves_what_goals_are_shown_is_refused_for_now_and_nothing_is_tried():
    def crowded(goal, library):  # there is room for two: once one of them goes, another comes in
        return list(library.insights)[:2]

    def narrow(goal, library):  # only the one that goes is shown for the bill
        return [key for key in library.insights if key == ("b" if goal == "pay the bill" else "a")]

    def trial(task, library):
        raise AssertionError("nothing is tried")

    (decision,) = joined(held(A, B, D), trial, shown=crowded)
    assert (decision.accepted, decision.final) == (False, False)
    assert decision.reason == "refused: goals would be shown other insights (50% the same)"
    (decision,) = joined(held(A, B, D), trial, shown=narrow, goals=["pay the bill", "type the date"])
    assert decision.reason == "refused: goals would be shown other insights (50% the same)"
    (decision,) = joined(held(A, B, D), lambda task, library: Score(value=1.0), shown=crowded, goals=[])
    assert decision.accepted


def crowded(goal, library):
    """What there is room for, which is two: once one of them goes, another comes in."""
    return list(library.insights)[:2] if goal == "type the date" else list(library.insights)[:1]


@pytest.mark.parametrize(
    ("shown", "score"),
    [
        pytest.param(crowded, Score(value=1.0), id="what goals are shown would move"),
        pytest.param(shown, None, id="nothing could be tried"),
        pytest.param(shown, Score(value=0.0), id="neither way is it solved"),
    ],
)
def test_a_refusal_for_now_is_said_once_as_long_as_its_grounds_are_the_same(shown, score):
    refuse = partial(joined, trial=lambda task, library: score, shown=shown)
    library = held(A, B, D)
    (decision,) = refuse(library)
    assert (decision.accepted, decision.final) == (False, False)
    assert refuse(library, said=[decision]) == []
    other = decision.model_copy(update={"reason": "refused: something else"})
    assert refuse(library, said=[decision, other]) == [decision], "the last word was another"
    changed = A.model_copy(update={"evidence": ("x/other@1#0d",), "worked": ("wait",)})
    assert len(refuse(held(changed, B, D), said=[decision])) == 1, "it is another edit"


def test_a_refusal_for_what_goals_are_shown_is_said_once_however_many_would_be_moved():
    trial = lambda task, library: Score(value=1.0)  # noqa: E731
    (decision,) = joined(held(A, B, D), trial, shown=crowded, goals=["type the date"])
    assert decision.reason == "refused: goals would be shown other insights (50% the same)"
    assert joined(held(A, B, D), trial, shown=crowded, goals=["type the date", "pay"], said=[decision]) == []
    (done,) = joined(held(A, B, D), trial, shown=crowded, goals=["pay"], said=[decision])
    assert done.accepted


def test_a_refusal_for_now_is_said_again_where_its_grounds_are_others():
    moved = joined(held(A, B, D), lambda task, library: None, shown=crowded)
    (again,) = joined(held(A, B, D), lambda task, library: None, said=moved)
    assert again.reason == "refused: x/dates seed 3 could not be tried with one for both"


def test_a_merger_that_was_refused_for_good_is_not_tried_again_unless_it_is_another_or_was_accepted_since():
    tried = []

    def trial(task, library):
        tried.append(task)
        return Score(value=float(len(library) > 1))

    (decision,) = joined(held(A, B), trial)
    assert (decision.final, len(tried)) == (True, 2)
    assert joined(held(A, B), trial, said=[decision]) == []
    assert len(tried) == 2, "it is not paid for again"
    other = A.model_copy(update={"evidence": (*A.evidence, *A.evidence), "worked": ("wait",)})
    assert len(joined(held(other, B), trial, said=[decision])) == 1
    accepted = decision.model_copy(update={"accepted": True})
    (again,) = joined(held(A, B), lambda task, library: Score(value=1.0), said=[decision, accepted])
    assert again.accepted


def test_what_is_pinned_or_of_another_world_is_not_merged():
    trial = lambda task, library: Score(value=1.0)  # noqa: E731
    pinned = B.model_copy(update={"pinned": True})
    other = B.model_copy(update={"taxonomy": "w/y/z"})
    assert joined(held(A, pinned), trial) == []
    assert joined(held(A, other), trial) == []


def test_what_is_near_and_not_the_same_is_linked_both_ways_and_unlinked_when_it_is_gone():
    library = held(A, C, D)
    for decision in linked(library, HashEmbedder(), LIMITS):
        library = library.apply(decision.edit)
    assert (library.insights["a"].related, library.insights["c"].related) == (("c",), ("a",))
    assert library.insights["d"].related == ()
    assert list(linked(library, HashEmbedder(), LIMITS)) == []
    alone = held(library.insights["a"])
    (decision,) = linked(alone, HashEmbedder(), LIMITS)
    assert alone.apply(decision.edit).insights["a"].related == ()


def test_what_says_the_same_is_not_linked_unless_it_is_already():
    assert list(linked(held(A, B), HashEmbedder(), LIMITS)) == []
    named = [one.model_copy(update={"related": (other.id,)}) for one, other in ((A, B), (B, A))]
    assert list(linked(held(*named), HashEmbedder(), LIMITS)) == []


def test_what_is_near_is_named_the_nearest_first_whether_it_was_named_before_or_not():
    near = insight("n", "when a date is typed into a field of the page")
    far = C.model_copy(update={"related": ("a",)})
    library = held(A.model_copy(update={"related": ("c",)}), far, near)
    (decision,) = (one for one in linked(library, HashEmbedder(), LIMITS) if one.edit.changes[0].key == "a")
    assert decision.edit.changes[0].insight.related == ("n", "c")


def test_beyond_the_budget_the_most_redundant_of_the_largest_group_goes_and_the_rare_one_stays():
    decisions = list(thinned(held(A, B, C, D), HashEmbedder(), {"a": worth(0.02), "b": worth(0.01)}, LIMITS))
    assert [one.edit.changes[0].key for one in decisions][:1] == ["b"]
    assert "d" not in [one.edit.changes[0].key for one in decisions]
    assert len(decisions) == 2


def test_where_all_stand_alone_the_one_worth_least_goes_and_a_pinned_one_never():
    far = [insight(word, f"{word} {word}1 {word}2", word) for word in ("kiwi", "mango", "lemon")]
    told = {"kiwi": worth(0.3), "mango": worth(-0.2), "lemon": worth(0.1)}
    (decision,) = thinned(held(*far), HashEmbedder(), told, LIMITS)
    assert decision.edit.changes[0].key == "mango"
    pinned = [one.model_copy(update={"pinned": True}) for one in far]
    assert list(thinned(held(*pinned), HashEmbedder(), told, LIMITS)) == []


def test_within_the_budget_nothing_goes():
    assert list(thinned(held(A, B), HashEmbedder(), {}, LIMITS)) == []
    assert list(thinned(held(), HashEmbedder(), {}, LIMITS.model_copy(update={"budget": 0}))) == []


def test_clusters_are_cut_where_groups_are_unlike():
    alike = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.1], [0.1, 0.1, 1.0]])
    assert sorted(clusters(alike, 0.6)) == [[0, 1], [2]]
    assert clusters(np.ones((1, 1)), 0.6) == [[0]]


@pytest.mark.parametrize(
    ("gain", "skills", "kept", "goes"),
    [
        pytest.param(0.0, (), (), True, id="it teaches nothing"),
        pytest.param(-0.5, (), (), True, id="it misleads"),
        pytest.param(0.5, (), (), False, id="it teaches"),
        pytest.param(None, (), (), False, id="there was no exam"),
        pytest.param(0.0, ("press",), (), False, id="it belongs to a skill"),
        pytest.param(0.0, ("pull",), (), True, id="the skill that it belonged to is gone"),
        pytest.param(0.0, (), ("press-example",), False, id="a person brought it back"),
    ],
)
def test_a_demonstration_from_which_a_student_gains_nothing_goes(gain, skills, kept, goes):
    example = Demonstration(id="press-example", domain="x", goal="press it", steps=())
    held = {name: Skill(name=name, description="d", body="b") for name in skills}
    library = Library(skills=held, demonstrations={example.id: example})
    told = LIMITS.model_copy(update={"taught": {} if gain is None else {example.id: gain}})
    decisions = list(useless(library, told, kept=kept))
    assert [one.edit.changes for one in decisions] == [(RetireDemonstration(id=example.id),)] * goes
    assert all(one.accepted for one in decisions)


@pytest.mark.parametrize("budget", [0, 1, 3])
def test_the_budget_is_kept(budget):
    library = held(A, B, C, D)
    for decision in thinned(library, HashEmbedder(), {}, LIMITS.model_copy(update={"budget": budget})):
        library = library.apply(decision.edit)
    assert len(library.insights) == budget


def test_what_a_student_gained_goes_before_what_the_ledger_says():
    alike = [insight(key, "when a date is typed into a field", key) for key in "pqr"]
    told = {"p": worth(0.5), "q": worth(-0.5), "r": worth(0.5)}
    (first,) = thinned(held(*alike), HashEmbedder(), told, LIMITS)
    assert first.edit.changes[0].key == "q"
    taught = LIMITS.model_copy(update={"taught": {"p": -0.6}})
    (second,) = thinned(held(*alike), HashEmbedder(), told, taught)
    assert second.edit.changes[0].key == "p"


def test_what_a_person_brought_back_stays_and_others_go_instead():
    decisions = list(thinned(held(A, B, C, D), HashEmbedder(), {}, LIMITS, kept={"a", "b"}))
    assert {one.edit.changes[0].key for one in decisions} == {"c", "d"}
    back = RolledBack(changes=(PutInsight(insight=A),))
    assert brought_back([Event(seq=0, at="", library="", entry=back)]) == {"a"}


def test_two_of_which_neither_solves_its_source_task_are_not_made_one():
    (decision,) = joined(held(A, B), lambda task, library: Score(value=0.0))
    assert (decision.accepted, decision.final) == (False, False)
    assert decision.reason == "refused: x/dates seed 3 is not solved with one for both"


def test_two_of_which_neither_names_what_it_was_learnt_from_are_not_made_one():
    one, two = (found.model_copy(update={"evidence": ("by hand",)}) for found in (A, B))
    (decision,) = joined(held(one, two), lambda task, library: Score(value=1.0))
    assert (decision.accepted, decision.final, decision.verified) == (False, False, ())
    assert decision.reason.startswith("refused: neither names a task that it was learnt from")


def test_the_one_that_stays_keeps_the_meanings_of_both_and_is_not_related_to_itself():
    one = A.model_copy(update={"related": ("b", "c"), "defines": {"x/y": "why"}})
    two = B.model_copy(update={"related": ("a", "d"), "defines": {"x/y/z": "what"}})
    (decision,) = joined(held(one, two), lambda task, library: Score(value=1.0))
    after = held(one, two).apply(decision.edit).insights["a"]
    assert after.related == ("c", "d")
    assert after.defines == {"x/y": "why", "x/y/z": "what"}
