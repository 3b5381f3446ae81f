"""Train: no goal sees its own outcome, no family is on both sides, and what was never tried is judged with care."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillagent.library import Library
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.measured import measured
from skillagent.routing.outcomes import UNKNOWN, Outcomes
from skillagent.routing.rerank import FEATURES
from skillagent.routing.solved import Solved
from skillagent.routing.train import Case, calibrated, cases, first, fit, folds, hard, listwise, scores, weighed
from skillagent.schema import Ranked, Routed, Skill
from skillagent.testing import HashEmbedder

sys.path.insert(0, str(Path(__file__).parent))

from ledgers import by_chance, checked, ledger, looks_first, plain, ridge, tried, words_of, world

EXPECTED, SOLVED = FEATURES.index("expected"), FEATURES.index("solved")


def made(library, events):
    cache = HashEmbedder()
    return cases(measured(library, events), library, Catalogue(cache), Outcomes(cache, lambda: events))


def case(worth, untrained=None, family="f", features=None, spared=None):
    worth = np.array(worth, dtype=float)
    return Case(
        family=family,
        features=np.zeros((len(worth), 1)) if features is None else np.array(features, dtype=float),
        worth=worth,
        untrained=np.zeros(len(worth)) if untrained is None else np.array(untrained, dtype=float),
        spared=np.zeros(len(worth), dtype=bool) if spared is None else np.array(spared),
    )


# ── Leaks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_goal_s_own_outcome_is_not_among_its_features_and_others_are():
    one = plain(0)
    library = Library(skills={one.name: one})
    (alone,) = made(library, ledger(tried(one, 0, 1.0)))
    assert alone.features[0, EXPECTED] == UNKNOWN
    with_another = made(library, ledger(tried(one, 0, 1.0), tried(one, 0, 0.0, seed=1)))
    assert [found.features[0, EXPECTED] < UNKNOWN for found in with_another] == [True, False]


def test_what_a_goal_taught_its_skill_is_not_among_its_features():
    goal = "fold the paper crane"
    crane = Skill(name="crane", description="Folds paper.", body="1. `fold` the paper\n", goals=(goal,), domain="x")
    other = crane.model_copy(update={"name": "other", "goals": ("fold a paper hat",)})
    library = Library(skills={"crane": crane, "other": other})
    action = '{"verb":"fold","ref":"paper [1]"}'
    rest = {"goal": goal, "runs": (), "programs": (), "shown": ("crane",), "actions": (action,)}
    catalogue, cache = Catalogue(HashEmbedder()), HashEmbedder()
    events = ledger(tried(plain(0), 0, 1.0, **rest))
    (found,) = cases(measured(library, events), library, catalogue, Outcomes(cache, lambda: events))
    assert found.tried.sum() == 1
    assert found.features[found.tried, SOLVED] == 0.0
    assert catalogue.skills.find("crane").goals == (goal,)  # the catalogue is left as the library is


def test_what_the_other_parts_of_its_plan_taught_is_not_among_its_features():
    crane = Skill(name="crane", description="Folds paper.", body="1. `fold` the paper\n", domain="x")
    first_part, second = "fold the paper crane", "fold the paper crane once more"
    shown = (Ranked(id="crane", score=1.0, says=crane.says),)
    rest = {"runs": (), "programs": (), "shown": ("crane",), "actions": ('{"verb":"fold","ref":"paper [1]"}',)}
    parts = {"routed": tuple(Routed(goal=goal, shown=shown) for goal in (first_part, second))}
    events = ledger(tried(plain(0), 0, 1.0, goal="fold two", **rest, **parts))
    library, cache = Library(skills={"crane": crane}), HashEmbedder()
    solved = Solved(cache, lambda: events)
    found = cases(measured(library, events), library, Catalogue(cache, solved), Outcomes(cache, lambda: events))
    assert {one.goal: one.features[0, SOLVED] for one in found} == {first_part: 0.0, second: 0.0}
    assert set(solved.goals(crane)) == {first_part, second}, "which is known otherwise"


def test_holdout_goals_train_nothing():
    from skillagent.schema import Split

    assert made(*world(3, looks_first, Split.HOLDOUT)) == []
    assert len(made(*world(3, looks_first, Split.GATE))) == 3


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40))
def test_no_family_is_in_both_parts_and_each_goal_is_held_out_once(families):
    goals = [case([1.0, 0.0], family=family) for family in families]
    held = []
    for own, out in folds(goals):
        assert not {families[n] for n in own} & {families[n] for n in out}
        assert sorted([*own, *out]) == list(range(len(goals)))
        held += out
    assert sorted(held) == list(range(len(goals)))


# ── Negatives ────────────────────────────────────────────────────────────────────────────────────────────────────────

NAN = float("nan")


@pytest.mark.parametrize(
    ("goal", "found"),
    [
        pytest.param(case([NAN, 1.0, NAN], [0.9, 0.5, 0.1]), [0], id="what comes before what works"),
        pytest.param(case([NAN, 1.0], [0.9, 0.5], spared=[True, False]), [], id="but not what is very near it"),
        pytest.param(case([NAN, 0.5], [0.9, 0.5]), [], id="nothing where nothing works"),
        pytest.param(case([0.0, 1.0], [0.9, 0.5]), [], id="nothing where all was tried"),
        pytest.param(case([NAN] * 6 + [1.0], [0.3, 0.9, 0.8, 0.7, 0.6, 0.5, 0.2]), [1, 2, 3, 4], id="four at once"),
    ],
)
def test_negatives_are_what_was_never_tried_and_comes_first(goal, found):
    assert np.flatnonzero(hard(goal, goal.tried, goal.untrained)).tolist() == found


def test_a_program_in_the_same_words_as_one_that_works_is_no_negative():
    one, other = (of(0).model_copy(update={"body": words_of(1, count=60)}) for of in (plain, checked))
    (found,) = made(Library(skills={s.name: s for s in (one, other)}), ledger(tried(other, 0, 1.0)))
    assert found.tried.tolist().count(False) == 1
    assert found.spared.tolist() == (~found.tried).tolist()


def test_negatives_are_looked_for_until_nothing_comes_before_what_works():
    goal = case([NAN, 1.0, 0.0], [0.9, 0.5, 0.1], features=[[1.0], [0.0], [0.0]])
    seen = []

    def watched(given, used):
        seen.append([use.tolist() for use in used])
        return np.array([-1.0])

    weighed([goal], watched)
    assert seen == [[[False, True, True]], [[True, True, True]]]


# ── Fitting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_that_differs_teaches_nothing():
    goals = made(*world(4, lambda _: (1.0, 1.0)))
    assert set(weighed(goals, ridge).weights) == {0.0}


def test_the_first_choice_is_among_what_was_tried_and_of_equals_the_untrained_one():
    goal = case([NAN, 0.0, 1.0], [0.9, 0.5, 0.5])
    assert first(goal, goal.untrained) == 0.0
    assert first(goal, np.array([0.0, 0.1, 0.2])) == 1.0


def test_the_chance_is_what_scores_came_to():
    goals = [case([float(n < 30)], [1.0]) for n in range(40)] + [case([float(n < 4)], [0.0]) for n in range(40)]
    weights = calibrated(weighed(goals, ridge), goals, [goal.untrained for goal in goals])
    assert weights.chance(1.0) == pytest.approx(0.75, abs=0.01)
    assert weights.chance(0.0) == pytest.approx(0.10, abs=0.01)


@given(st.lists(st.tuples(st.floats(-3, 3), st.booleans()), min_size=1, max_size=20))
def test_the_chance_is_a_number_whatever_the_scores(told):
    goals = [case([float(works)], [score]) for score, works in told]
    weights = calibrated(weighed(goals, ridge), goals, [goal.untrained for goal in goals])
    assert all(0 <= weights.chance(score) <= 1 for score, _ in told)
    if all(works for _, works in told):
        assert weights.chance(np.mean([score for score, _ in told])) > 0.5


@pytest.mark.parametrize("how", ["ridge", "torch"])
def test_what_works_in_some_families_is_put_first_in_others(how):
    if how == "torch":
        pytest.importorskip("torch")
    goals = made(*world(20, looks_first))
    weights = weighed(goals[:12], ridge if how == "ridge" else fit)
    rest = goals[12:]
    assert np.mean([first(goal, goal.untrained) for goal in rest]) < 0.5
    assert [first(goal, scores(goal, weights)) for goal in rest] == [1.0] * len(rest)
    again = weighed(goals[:12], ridge if how == "ridge" else fit)
    assert weights == again


def test_labels_by_chance_pull_the_weights_towards_nothing():
    pytest.importorskip("torch")
    told, chance = (max(map(abs, weighed(made(*world(20, of)), fit).weights)) for of in (looks_first, by_chance))
    assert chance < told / 3


def test_the_loss_counts_pairs_by_how_many_ranks_lie_between():
    torch = pytest.importorskip("torch")
    # The worse of two is first by 1, at ranks 1 and 2: 4 * (1 - 1/2) * log(1 + e), and a cross entropy of log(1 + e).
    loss = listwise(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    assert loss.item() == pytest.approx(3 * np.log(1 + np.e), abs=1e-5)


def test_without_torch_the_remedy_is_named(monkeypatch):
    from skillagent.errors import ConfigError

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"pip install 'skillagent\[train\]'"):
        fit([case([0.0, 1.0])], [np.array([True, True])])
