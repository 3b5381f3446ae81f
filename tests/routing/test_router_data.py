"""The router's frozen data set: nothing of what is measured stands in what is learnt from."""

import json

import numpy as np
import pytest

from evals.router_data import FOLDER, load, mission
from evals.router_learned import cases, divided, ranks, reordered, sure
from skillagent.programs.template import form_of
from skillagent.programs.text import program_of
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.route import candidates
from skillagent.schema import Skill, Split
from skillagent.testing import HashEmbedder

SKILLS, GOALS = load()


def test_every_goal_has_its_skill_and_the_split_of_its_seed():
    domains = {skill.name: skill.domain for skill in SKILLS}
    assert all(domains[goal.skill] == goal.domain for goal in GOALS)
    assert all(Split.of(goal.seed) == goal.split for goal in GOALS)


def test_no_goal_stands_in_two_splits_and_none_that_is_measured_in_a_skill():
    texts = {split: {(goal.domain, goal.text) for goal in GOALS if goal.split == split} for split in Split}
    assert not texts[Split.PRACTICE] & texts[Split.HOLDOUT]
    assert not texts[Split.GATE] & (texts[Split.PRACTICE] | texts[Split.HOLDOUT])
    known = {skill.name: f"{skill.description}\n{skill.body}\n{skill.goals}" for skill in SKILLS}
    assert not [goal for goal in GOALS if goal.split != Split.PRACTICE and goal.text in known[goal.skill]]


def test_a_family_is_trained_on_or_tested_with_and_never_both():
    folds = {(goal.skill, goal.fold) for goal in GOALS}
    assert len(folds) == len({skill for skill, _ in folds})
    assert {fold for _, fold in folds} == {"train", "test"}


def test_a_mission_is_told_by_what_it_asks():
    assert mission("go to a red ball") == "go-to"
    assert mission("pick up a key and go to the door") == "both"
    assert mission("go to a ball after you open the door") == "in-order"
    assert mission("open the door on your left") == "somewhere"


def test_what_was_tried_for_a_goal_are_programs_that_know_it_and_each_instance_once():
    lines = [json.loads(line) for line in (FOLDER / "router-outcomes.jsonl").read_text(encoding="utf-8").splitlines()]
    programs = {one.name: program_of(one) for one in (Skill(**line["skill"]) for line in lines if "skill" in line)}
    tried = [line for line in lines if "task" in line]
    assert all(Split.of(line["seed"]) == line["split"] for line in tried)
    assert all(form_of(programs[name].goals, line["goal"]) for line in tried for name in line["solved"])
    assert len({(line["task"], line["seed"]) for line in tried}) == len(tried)


def test_no_family_that_is_tested_trains_what_it_is_tested_by_and_each_is_tested_once():
    index = Catalogue(HashEmbedder()).skills
    index.hold({skill.name: skill for skill in SKILLS})
    gate, holdout = (cases([g for g in GOALS if g.split == s][::3], index, False) for s in (Split.GATE, Split.HOLDOUT))
    seen = []

    def learn(given):
        seen.append({case.family for case in given})
        return len(seen) - 1

    by = reordered(gate, holdout, learn, lambda case, fold: np.full(len(case.worth), fold))
    assert len(seen) == 5
    assert all(case.family not in seen[int(fold[0])] for case, fold in zip(holdout, by, strict=True))
    tested = [n for _, held in divided(gate, holdout) for n in held]
    assert sorted(tested) == list(range(len(holdout)))
    assert set.union(*seen) == {case.family for case in gate}


def test_what_was_learnt_is_ranked_with_ties_lost_and_abstains_by_the_routers_own_chance():
    index = Catalogue(HashEmbedder()).skills
    index.hold({skill.name: skill for skill in SKILLS})
    some = [goal for goal in GOALS if goal.split == Split.HOLDOUT][::40]
    given = cases(some, index, False)
    found = ranks(given, [np.zeros(len(case.worth)) for case in given])
    assert found.tolist() == [len(case.worth) - (1 if case.worth.any() else 0) for case in given]
    assert ranks(given, [case.worth for case in given]).tolist() == [0 if case.worth.any() else 20 for case in given]
    told = [candidates(goal.text, "", index).words[0].one.parts["chance"] for goal in some]
    assert sure(some, index, False).there == pytest.approx(told)
