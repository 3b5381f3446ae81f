"""Finetune: a model learns from texts of what worked, repeats, adds nothing where nothing is told, and is written."""

import gc
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from skillagent.errors import ConfigError
from skillagent.library import Library
from skillagent.llm.embed import sentence_transformer
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.finetune import Live, finetuned, scores
from skillagent.routing.measured import measured
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.train import Case, cases, first
from skillagent.testing import HashEmbedder
from skillagent.trained import rows_by

sys.path.insert(0, str(Path(__file__).parent))

from ledgers import checked, goal_of, ledger, looks_first, plain, tried, world
from tiny import tiny, tuning

CACHE = HashEmbedder()


def made(library, events):
    return cases(measured(library, events), library, Catalogue(CACHE), Outcomes(CACHE, lambda: events))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    pytest.importorskip("sentence_transformers")
    return tiny(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def goals():
    return made(*world(24, looks_first))


def test_what_works_by_its_text_in_some_families_is_put_first_in_others_and_a_training_repeats(base, goals):
    said = []
    one = finetuned(goals[:16], CACHE, tuning(base, watch=said.append, steps=16))
    rest = goals[16:]
    assert np.mean([first(goal, goal.untrained) for goal in rest]) < 0.5
    assert [first(goal, scores(goal, one, CACHE)) for goal in rest] == [1.0] * len(rest)
    assert said == ["step 8 of 16", "step 16 of 16"]
    again = finetuned(goals[:16], CACHE, tuning(base, steps=16))
    assert np.array_equal(scores(rest[0], one, CACHE), scores(rest[0], again, CACHE))


def test_the_harder_it_is_pulled_the_nearer_the_model_stays_to_what_it_said(base, goals):
    texts = [text for goal in goals for text in goal.texts]
    before, away = rows_by(sentence_transformer(str(base)))(texts), []
    for pull in (0.0, 1000.0):
        rows = finetuned(goals, CACHE, tuning(base, pull=pull, steps=8, rate=1e-3)).rows(texts)
        away.append(float(1 - (rows * before).sum(axis=1).mean()))
    assert away[1] < away[0] / 10


def test_the_last_two_layers_learn_and_the_rest_stands_still(base, goals, tmp_path):
    finetuned(goals, CACHE, tuning(base, steps=2)).save(tmp_path / "new")
    before, after = (sentence_transformer(str(folder)).state_dict() for folder in (base, tmp_path / "new"))
    moved = {name for name, value in before.items() if not value.equal(after[name])}
    assert {name.split("encoder.layer.")[-1][0] for name in moved} == {"1", "2"}
    assert all("encoder.layer." in name for name in moved)


def spied(into):
    def finetune(given, used, served):
        into.append((given, used))
        return Live(rows=served, save=lambda folder: None)

    return finetune


def case(worth, untrained, spared=()):
    near = np.array([n in spared for n in range(len(worth))])
    texts = tuple(f"do {n}" for n in range(len(worth)))
    numbers = (np.array(x, dtype=np.float64) for x in (worth, untrained))
    return Case("f", np.zeros((len(worth), 1)), *numbers, near, "go and do it", texts)


NAN = float("nan")


def test_what_was_never_tried_and_comes_before_what_works_is_a_negative_unless_it_is_near():
    told, nothing = case([NAN, NAN, 1.0, NAN], [4.0, 3.0, 2.0, 1.0], spared=(1,)), case([1.0, NAN], [2.0, 1.0])
    seen = []
    finetuned([told, nothing], CACHE, spied(seen))
    (((given,), (used,)),) = seen
    assert given.texts == told.texts
    assert used.tolist() == [True, False, True, False]


def test_a_step_reads_the_best_of_the_candidates_and_those_that_come_first(base):
    read = []

    def rows(model):
        embed = rows_by(model)
        return lambda texts: (read.append(texts), embed(texts))[1]

    goal = case([0.0] * 9 + [0.5, 1.0, 0.0], range(12, 0, -1))
    finetuned([goal], CACHE, tuning(base, rows_by=rows, steps=1))
    assert read == [["go and do it", "do 10", "do 0", "do 1", "do 2", "do 3"]]


def test_models_of_earlier_fits_do_not_stay(base, goals):
    loaded = []

    def load():
        model = sentence_transformer(str(base))
        loaded.append(weakref.ref(model))
        return model

    gc.disable()
    try:
        for _ in range(3):
            finetuned(goals, CACHE, tuning(base, load=load, steps=1))
        assert sum(one() is not None for one in loaded) <= 2
    finally:
        gc.enable()


def test_nothing_that_differs_adds_nothing_and_loads_nothing():
    (goal, *_) = goals = made(*world(4, lambda _: (1.0, 1.0)))
    one = finetuned(goals, CACHE, lambda *_: pytest.fail("there is nothing to learn"))
    assert scores(goal, one, CACHE) == pytest.approx(goal.untrained, abs=1e-6)


def test_a_model_reads_texts_without_the_goals_that_a_skill_solved():
    one, other = plain(0).model_copy(update={"goals": (goal_of(0),)}), checked(0)
    library, seen = Library(skills={skill.name: skill for skill in (one, other)}), []
    finetuned(made(library, ledger(tried(one, 0, 1.0), tried(other, 0, 0.0))), CACHE, spied(seen))
    (((given,), _),) = seen
    assert (given.goal, len(given.texts)) == (goal_of(0), 2)
    assert not any(goal_of(0) in text for text in given.texts)


def test_a_model_without_layers_in_a_row_is_refused(base, goals):
    from torch import nn

    with pytest.raises(ConfigError, match="no 2 layers in a row"):
        finetuned(goals, CACHE, tuning(base, load=lambda: nn.Linear(2, 2)))


def test_without_the_library_the_remedy_is_named(monkeypatch, tmp_path, goals):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ConfigError, match=r"pip install 'skillagent\[train\]'"):
        finetuned(goals, CACHE, tuning(tmp_path))
