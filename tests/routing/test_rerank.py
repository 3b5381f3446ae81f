"""Rerank: what was learnt moves candidates, nothing learnt moves none, and what cannot be used is left aside."""

import logging

import numpy as np
import pytest

from skillagent.errors import ConfigError, LibraryError
from skillagent.goals import shape
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue, text_of
from skillagent.routing.explain import explain
from skillagent.routing.rerank import (
    CODE,
    FEATURES,
    Chosen,
    Encoder,
    Trained,
    Tuned,
    Weights,
    chosen,
    gained,
    in_use,
    records,
)
from skillagent.routing.route import route
from skillagent.schema import Plan, Skill
from skillagent.testing import HashEmbedder

GOAL = "go to the red ball"


def skill(name, steps="wave"):
    return Skill(
        name=name,
        description="Goes.",
        body="Walk.",
        files={FILE: f"goals: ['go to the {{thing}}']\nsteps: [{steps}]\n"},
    )


BOTH = Library(skills={"one": skill("one"), "other": skill("other", "wave, expect: {shows: there}")})


def weights(**by):
    return Weights(
        mean=(0.0,) * len(FEATURES),
        spread=(1.0,) * len(FEATURES),
        weights=tuple(by.get(name, 0.0) for name in FEATURES),
        slope=2.0,
    )


def trained(version=1, encoders=None, models=None, **of):
    rest = {"code": CODE, "embedder": "hash-64", "features": FEATURES, "events": 3, "compared": {}}
    rest |= {"encoders": encoders or {}, "models": models or {}}
    return Trained(version=version, at="2026-01-01T00:00:00Z", weights=of, **rest)


def towards(goal, better, worse, much=200.0):
    """Return an encoder that turns texts to a goal, the more so, the more they are like one and unlike another."""
    row, one, other = HashEmbedder().vectors([shape(goal), text_of(better), text_of(worse)])
    apart = one - other - (one - other) @ row * row  # the goal itself stays
    return Encoder(down=tuple((x,) for x in apart.tolist()), up=(tuple((much * row).tolist()),))


def first(library, trained=None, goal=GOAL):
    found = route(Plan(goal=goal), library, catalogue=Catalogue(HashEmbedder()), trained=trained)
    return [one.id for one in found.skills[0]]


def test_weights_change_which_program_comes_first_and_zeros_change_nothing():
    assert first(BOTH) == first(BOTH, trained(programs=weights())) == ["one", "other"]
    assert first(BOTH, trained(programs=weights(checks=0.5))) == ["other", "one"]
    assert first(BOTH, trained(words=weights(checks=0.5))) == ["one", "other"]  # it is another order


NEAR, FAR = "Enter the name and press login.", "Select a date in the form."
IN_WORDS = Library(
    skills={
        "near": Skill(name="near", description=NEAR, body=NEAR, goals=(NEAR,)),
        "far": Skill(name="far", description=FAR, body=FAR, goals=(FAR, "Select dates.", "Select days.")),
    }
)


def test_of_skills_in_words_training_says_which_and_never_whether():
    practised = trained(words=weights(practised=5.0))
    assert first(IN_WORDS, goal=NEAR) == ["near"]
    assert first(IN_WORDS, practised, goal=NEAR) == ["far"]
    assert first(IN_WORDS, practised, goal="Repaint the garage door") == []


def test_an_encoder_turns_goals_and_texts_alike_and_adds_what_that_brings_nearer():
    # (1, 0) becomes (1, 1) / sqrt 2, and (0, 1) stays: their cosine was 0 and is 1 / sqrt 2.
    one = Encoder(down=((1.0,), (0.0,)), up=((0.0, 1.0),))
    rows = np.array([[0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    assert one.added(rows[1], rows) == pytest.approx([2**-0.5, 0.0], abs=1e-6)
    none = Encoder(down=((1.0,), (0.0,)), up=((0.0, 0.0),))
    assert none.added(rows[1], rows).tolist() == [0.0, 0.0]


def test_an_encoder_changes_which_program_comes_first_and_which_words_never_whether():
    turned = towards(GOAL, BOTH.skills["other"], BOTH.skills["one"])
    assert first(BOTH, trained(encoders={"programs": turned})) == ["other", "one"]
    assert first(BOTH, trained(encoders={"words": turned})) == ["one", "other"]  # it is another order
    to_far = trained(encoders={"words": towards(NEAR, IN_WORDS.skills["far"], IN_WORDS.skills["near"])})
    assert first(IN_WORDS, to_far, goal=NEAR) == ["far"]
    assert first(IN_WORDS, to_far, goal="Repaint the garage door") == []
    said = explain(GOAL, BOTH, catalogue=Catalogue(HashEmbedder()), trained=trained(encoders={"programs": turned})).why
    assert "to other (encoder +" in "".join(said)


def model(name="router/1-programs-aaaaaaaa"):
    return Tuned(folder=name, sha256="a" * 64)


def liking(word):
    """Return what embeds a text that has a word on the goal, and every other one across from it."""

    def rows(texts):
        near = [True, *(word in text.split() for text in texts[1:])]
        return np.array([[1, 0] if one else [0, 1] for one in near], dtype=np.float32)

    return rows


def tuned(kind, word):
    return trained(4, models={kind: model()}).model_copy(update={"rows": {kind: liking(word)}})


def test_a_model_adds_what_a_text_is_nearer_to_the_goal_than_by_the_embedder_that_serves():
    served = {"go": (1.0, 0.0), "one": (0.6, 0.8), "two": (0.0, 1.0)}
    rows = gained("go", ["one", "two"], liking("two"), lambda texts: np.array([served[text] for text in texts]))
    assert rows == pytest.approx([0.0 - 0.6, 1.0 - 0.0])


def test_a_model_changes_which_program_comes_first_and_which_words_never_whether():
    assert first(BOTH, tuned("programs", "other")) == ["other", "one"]
    assert first(BOTH, tuned("words", "other")) == ["one", "other"]  # it is another order
    assert first(IN_WORDS, tuned("words", "far"), goal=NEAR) == ["far"]
    assert first(IN_WORDS, tuned("words", "far"), goal="Repaint the garage door") == []
    said = explain(GOAL, BOTH, catalogue=Catalogue(HashEmbedder()), trained=tuned("programs", "other")).why
    assert "version 4 of the router adds +" in "".join(said)
    assert "to other (fine-tuned model +" in "".join(said)


def test_a_model_that_fails_when_it_is_asked_leaves_the_order_untrained_and_says_so(caplog):
    def fails(_):
        raise ConfigError("cannot load it")

    broken = trained(models={"programs": model()}).model_copy(update={"rows": {"programs": fails}})
    assert first(BOTH, broken) == ["one", "other"]
    assert "the router goes on untrained: cannot load it" in caplog.text


def test_explain_says_what_training_adds_and_what_would_come_first_without_it():
    told = explain(GOAL, BOTH, catalogue=Catalogue(HashEmbedder()), trained=trained(3, programs=weights(checks=0.5)))
    said = "\n".join(told.why)
    assert "version 3 of the router adds +0.35 to other (checks +0.35)" in said  # half of log 2
    assert "untrained, one would come first" in said
    assert told.shown[0].parts["learned"] == pytest.approx(0.3466, abs=1e-4)
    words = explain(NEAR, IN_WORDS, catalogue=Catalogue(HashEmbedder()), trained=trained(words=weights(practised=5.0)))
    assert words.why[0] == "far is shown because training puts it before near, which would be shown without it"
    assert "near scores" in words.otherwise[0]
    plain = explain(GOAL, BOTH, catalogue=Catalogue(HashEmbedder()))
    assert "version" not in "\n".join(plain.why)


def test_the_chance_rises_with_the_score():
    assert weights().chance(0.0) == 0.5
    assert weights().chance(1.0) == pytest.approx(0.8808, abs=1e-4)


def choose(version):
    return Chosen(version=version, at="x")


BETTER, SAME = {"programs": weights(checks=0.5)}, {}
TURNED = {"programs": Encoder(down=((1.0,), (0.0,)), up=((0.0, 1.0),))}


@pytest.mark.parametrize(
    ("known", "version"),
    [
        pytest.param([], 0, id="nothing was trained"),
        pytest.param([trained(1, **BETTER)], 1, id="one that is better"),
        pytest.param([trained(1, **SAME)], 0, id="one that is not"),
        pytest.param([trained(1, **BETTER), trained(2, **SAME)], 1, id="a worse one leaves what is there"),
        pytest.param([trained(1, **BETTER), trained(2, encoders=TURNED)], 2, id="an encoder that is"),
        pytest.param([trained(1, **BETTER), trained(2, encoders=TURNED), choose(1)], 1, id="rolled back from it"),
        pytest.param([trained(1, **BETTER), trained(2, models={"words": model()})], 2, id="a model that is"),
        pytest.param([trained(1, **BETTER), trained(2, **BETTER), choose(1)], 1, id="rolled back"),
        pytest.param([trained(1, **BETTER), choose(0)], 0, id="back to untrained"),
        pytest.param([trained(1, **BETTER), choose(0), trained(2, **BETTER)], 2, id="trained anew"),
    ],
)
def test_the_version_in_force_is_the_last_that_was_accepted_or_chosen(known, version):
    lines = [one.model_dump(mode="json") for one in known]
    found = chosen(records(lines))
    assert (found.version if found else 0) == version


def test_of_two_that_trained_at_once_under_one_number_the_accepted_one_is_in_force():
    assert chosen([trained(1, **BETTER), trained(1, **SAME)]) == trained(1, **BETTER)
    assert chosen([trained(1, **SAME), trained(1, **BETTER)]) == trained(1, **BETTER)


def raising():
    raise LibraryError("line 1 is damaged")


GOOD = trained(**BETTER).model_dump(mode="json")


@pytest.mark.parametrize(
    ("read", "said"),
    [
        pytest.param(raising, "line 1 is damaged", id="a damaged line"),
        pytest.param(lambda: [{"kind": "trained"}], "line 1 is no training", id="half of a line"),
        pytest.param(lambda: [GOOD | {"embedder": "another"}], "the embedder another", id="another embedder"),
        pytest.param(lambda: [GOOD | {"code": 0}], "another version of skillagent", id="older code"),
        pytest.param(lambda: [GOOD | {"features": ["words"]}], "another version of skillagent", id="other features"),
    ],
)
def test_what_cannot_be_used_leaves_the_router_untrained_and_says_so(read, said, caplog):
    with caplog.at_level(logging.WARNING):
        assert in_use(read, "hash-64") is None
    assert said in caplog.text


@pytest.mark.parametrize("wrong", [{"spread": [0.0]}, {"weights": [1.0, 2.0]}, {"mean": [float("nan")]}])
def test_weights_that_are_no_numbers_or_do_not_go_together_are_refused(wrong):
    with pytest.raises(ValueError, match=r"spread|go together|no number"):
        Weights.model_validate({"mean": [0.0], "spread": [1.0], "weights": [0.0]} | wrong)


@pytest.mark.parametrize(
    "wrong", [{"up": [[1.0]]}, {"down": []}, {"up": [[0.0, float("inf")]]}, {"down": [[1.0, 2.0], [0.0]]}]
)
def test_an_encoder_of_no_numbers_or_of_parts_that_do_not_go_together_is_refused(wrong):
    with pytest.raises(ValueError, match=r"go together|finite number"):
        Encoder.model_validate({"down": [[1.0], [0.0]], "up": [[0.0, 1.0]]} | wrong)


@pytest.mark.parametrize("since", ["encoders", "models"])
def test_a_line_from_before_encoders_or_models_is_read(since):
    assert in_use(lambda: [{key: value for key, value in GOOD.items() if key != since}], "hash-64") is not None


def test_a_model_is_opened_when_its_version_is_in_use_and_what_opens_it_is_not_written_down(caplog):
    line, rows = trained(models={"programs": model()}).model_dump(mode="json"), liking("x")
    found = in_use(lambda: [line], "hash-64", lambda one: rows if one == model() else None)
    assert found.rows == {"programs": rows}
    assert found.model_dump(mode="json") == line
    assert caplog.text == ""


@pytest.mark.parametrize("fault", [LibraryError("it is not there"), ConfigError("it takes a library")])
def test_a_model_that_cannot_be_opened_leaves_the_router_untrained_and_says_so(caplog, fault):
    def opened(_):
        raise fault

    line = trained(models={"programs": model()}).model_dump(mode="json")
    assert in_use(lambda: [line], "hash-64", opened) is None
    assert in_use(lambda: [line], "hash-64") is None
    assert str(fault) in caplog.text
    assert "none can be opened here" in caplog.text


@pytest.mark.parametrize("name", ["router/../../elsewhere", "/etc", "router/", "router/.new-1", "elsewhere/1"])
def test_a_model_is_in_a_folder_of_its_own_and_nowhere_else(name):
    with pytest.raises(ValueError, match="pattern"):
        model(name)


def test_what_can_be_used_says_nothing(caplog):
    assert in_use(lambda: [GOOD], "hash-64") == trained(**BETTER)
    assert in_use(list, "hash-64") is None
    assert caplog.text == ""
