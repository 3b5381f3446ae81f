"""Ranking: training is kept where it is better on families that did not train, and refused where nothing tells."""

import sys
from pathlib import Path

import pytest

from skillagent.errors import ConfigError
from skillagent.evaluation.ranking import Choices, first_choices, train
from skillagent.llm.embed import sentence_transformer
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.rerank import FEATURES
from skillagent.routing.route import route
from skillagent.routing.train import fit
from skillagent.routing.tune import tune
from skillagent.schema import Plan, PutSkill
from skillagent.testing import HashEmbedder
from skillagent.trained import rows_by

sys.path.insert(0, str(Path(__file__).parents[1] / "routing"))

from ledgers import by_chance, checked, goal_of, ledger, looks_first, plain, ridge, tried, turning, world
from tiny import tiny, tuning


def trained(library, events, **options):
    return train(library, events, HashEmbedder(), **{"version": 1, "at": "now", "fit": ridge} | options)


@pytest.mark.parametrize("how", ["ridge", "torch"])
def test_what_only_outcomes_tell_is_learnt_and_changes_the_order_for_a_family_that_was_never_seen(how):
    if how == "torch":
        pytest.importorskip("torch")
    library, events = world(30, looks_first)
    found = trained(library, events, fit=fit if how == "torch" else ridge)
    compared = found.compared["programs"]
    assert compared.accepted
    assert (compared.goals, compared.families, compared.worse, compared.trained) == (30, 30, 0, 1.0)
    assert compared.brier < compared.brier_of_rate / 2
    assert max(zip(found.weights["programs"].weights, FEATURES, strict=True))[1] == "checks"
    assert firsts(library, events, found) == {"without": plain(99).name, "with": checked(99).name}


def firsts(library, events, found):
    """Return which program comes first for a family that was never tried, without training and with it."""
    new = library.with_change(PutSkill(skill=plain(99))).with_change(PutSkill(skill=checked(99)))
    return {
        name: route(
            Plan(goal=goal_of(99), domain="x"),
            new,
            catalogue=Catalogue(HashEmbedder()),
            outcomes=Outcomes(HashEmbedder(), lambda: events),
            trained=one,
        )
        .skills[0][0]
        .id
        for name, one in {"without": None, "with": found}.items()
    }


@pytest.mark.parametrize("how", ["closed form", "torch"])
def test_an_encoder_is_judged_alike_kept_where_texts_tell_and_refused_where_outcomes_are_a_coin_s(how):
    if how == "torch":
        pytest.importorskip("torch")
    fitted = tune if how == "torch" else turning
    library, events = world(30, looks_first)
    found = trained(library, events, tune=fitted)
    assert found.compared["programs"].trained > found.compared["programs"].untrained
    assert (found.accepted, found.weights, list(found.encoders)) == (("programs",), {}, ["programs"])
    assert firsts(library, events, found) == {"without": plain(99).name, "with": checked(99).name}
    refused = trained(*world(30, by_chance), tune=fitted)
    assert (refused.accepted, refused.encoders, refused.compared["programs"].accepted) == ((), {}, False)
    with pytest.raises(ConfigError, match="It takes 20 goals in 6 families"):
        trained(*world(30, lambda _: (1.0, 1.0)), tune=fitted)


def test_a_model_is_judged_alike_kept_where_texts_tell_and_refused_and_not_kept_where_outcomes_are_a_coin_s(tmp_path):
    pytest.importorskip("sentence_transformers")
    fitted, kept, given = tuning(tiny(tmp_path / "base"), steps=8, rate=5e-5), {}, []

    def keep(name, write):
        write(tmp_path / name)
        kept[name] = tmp_path / name
        return f"router/{name}", "a" * 64

    def spied(goals, used, served):
        given.append({goal.family for goal in goals})
        return fitted(goals, used, served)

    library, events = world(30, looks_first)
    found = trained(library, events, finetune=spied, keep=keep)
    assert found.compared["programs"].trained > found.compared["programs"].untrained
    assert (found.accepted, found.weights, found.encoders) == (("programs",), {}, {})
    model = found.models["programs"]
    assert (model.folder, model.sha256, list(kept)) == ("router/1-programs", "a" * 64, ["1-programs"])
    assert model.slope > 0
    *parts, last = given
    assert last == {f"x/t{n}" for n in range(30)}
    assert sorted(family for part in parts for family in last - part) == sorted(last)
    rows = rows_by(sentence_transformer(str(kept["1-programs"])))
    used = found.model_copy(update={"rows": {"programs": rows}})
    assert firsts(library, events, used) == {"without": plain(99).name, "with": checked(99).name}
    refused = trained(*world(30, by_chance), finetune=fitted, keep=lambda *_: pytest.fail("it is no better"))
    assert (refused.accepted, refused.models, refused.compared["programs"].accepted) == ((), {}, False)
    with pytest.raises(ConfigError, match="It takes 20 goals in 6 families"):
        trained(*world(30, lambda _: (1.0, 1.0)), finetune=lambda *_: pytest.fail("there is too little"))


@pytest.mark.parametrize("how", ["ridge", "torch"])
def test_where_outcomes_are_a_coin_s_the_router_is_kept_untrained_and_that_is_written_down(how):
    if how == "torch":
        pytest.importorskip("torch")
    found = trained(*world(30, by_chance), fit=fit if how == "torch" else ridge)
    assert found.weights == {}
    assert not found.compared["programs"].accepted
    assert found.compared["programs"].low <= 0


@pytest.mark.parametrize(
    ("families", "works", "told"),
    [
        pytest.param(30, lambda _: (1.0, 1.0), "30 in 30 families by two or more; for 0 in 0 families", id="all alike"),
        pytest.param(5, looks_first, "for 5 in 5 families one did better", id="too few families"),
        pytest.param(0, looks_first, "0 goals were tried", id="nothing was tried"),
    ],
)
def test_too_little_is_refused_with_how_much_there_is_and_what_would_help(families, works, told):
    with pytest.raises(ConfigError, match="It takes 20 goals in 6 families") as refused:
        trained(*world(families, works))
    assert told in str(refused.value)
    assert "/SKILL-NAME" in str(refused.value)


def test_it_says_how_it_goes_on():
    said = []
    trained(*world(30, looks_first), watch=said.append)
    assert said[0].startswith("programs: 30 goals were tried")
    assert said[-1] == "programs: training on all families"


def test_each_family_is_judged_by_weights_that_it_did_not_train():
    trained_on = []

    def spied(given, used):
        trained_on.append({case.family for case in given})
        return ridge(given, used)

    library, events = world(30, looks_first)
    trained(library, events, fit=spied)
    *parts, last = trained_on
    everyone = {f"x/t{n}" for n in range(30)}
    assert last == everyone
    assert sorted(family for part in parts for family in everyone - part) == sorted(everyone)


def test_first_choices_are_told_beside_the_best_and_chance_where_several_were_tried():
    library, events = world(3, looks_first)

    def choices(*more):
        return first_choices(library, [*events, *more], HashEmbedder)

    new = {"goals": 3, "families": 3, "best": 1.0, "average": 0.5}
    assert choices() == {"programs": Choices(first=0.0, **new)}, "a goal's own outcome says nothing: the first by name"
    again = ledger(*(tried(one, n, score, 1) for n in range(3) for one, score in ((plain(n), 0.0), (checked(n), 1.0))))
    assert choices(*again) == {"programs": Choices(first=1.0, **(new | {"goals": 6}))}
    alone = ledger(tried(plain(0), 0, 1.0))
    assert first_choices(library, alone, lambda: pytest.fail("there is nothing to compare")) == {}
