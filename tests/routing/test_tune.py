"""Tune: an encoder learns from texts of what worked, turns nothing where nothing is told, and no goal meets itself."""

import sys
from pathlib import Path

import numpy as np
import pytest

from skillagent.errors import ConfigError
from skillagent.library import Library
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.measured import measured
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.train import cases, first
from skillagent.routing.tune import scores, tune, tuned
from skillagent.testing import HashEmbedder

sys.path.insert(0, str(Path(__file__).parent))

from ledgers import by_chance, checked, goal_of, ledger, looks_first, plain, tried, turning, world


def made(library, events):
    cache = HashEmbedder()
    return cases(measured(library, events), library, Catalogue(cache), Outcomes(cache, lambda: events))


@pytest.mark.parametrize("how", ["closed form", "torch"])
def test_what_works_by_its_text_in_some_families_is_put_first_in_others(how):
    if how == "torch":
        pytest.importorskip("torch")
    goals, fit = made(*world(24, looks_first)), turning if how == "closed form" else tune
    encoder = tuned(goals[:16], HashEmbedder(), fit)
    rest = goals[16:]
    assert np.mean([first(goal, goal.untrained) for goal in rest]) < 0.5
    assert [first(goal, scores(goal, encoder, HashEmbedder())) for goal in rest] == [1.0] * len(rest)
    assert encoder == tuned(goals[:16], HashEmbedder(), fit)


def test_labels_by_chance_turn_less():
    pytest.importorskip("torch")
    found = [tuned(made(*world(24, of)), HashEmbedder()) for of in (looks_first, by_chance)]
    told, chance = (float(np.linalg.norm(np.array(one.down) @ np.array(one.up))) for one in found)
    assert chance < told / 2


def test_nothing_that_differs_turns_nothing():
    (goal, *_) = goals = made(*world(4, lambda _: (1.0, 1.0)))
    encoder = tuned(goals, HashEmbedder(), turning)
    assert scores(goal, encoder, HashEmbedder()) == pytest.approx(goal.untrained, abs=1e-6)


def test_an_encoder_reads_texts_without_the_goals_that_a_skill_solved():
    one, other = plain(0).model_copy(update={"goals": (goal_of(0),)}), checked(0)
    library = Library(skills={skill.name: skill for skill in (one, other)})
    (found,) = made(library, ledger(tried(one, 0, 1.0), tried(other, 0, 0.0)))
    assert found.goal == goal_of(0)
    assert len(found.texts) == 2
    assert not any(goal_of(0) in text for text in found.texts)


def test_without_torch_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"pip install 'skillagent\[train\]'"):
        tuned(made(*world(3, looks_first)), HashEmbedder())
