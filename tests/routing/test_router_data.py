"""The router's frozen data set: nothing of what is measured stands in what is learnt from."""

from evals.router_data import load, mission
from skillagent.schema import Split

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
