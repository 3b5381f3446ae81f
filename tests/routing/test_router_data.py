"""The router's frozen data set: nothing of what is measured stands in what is learnt from."""

import json

from evals.router_data import FOLDER, load, mission
from skillagent.programs.template import form_of
from skillagent.programs.text import program_of
from skillagent.schema import Skill, Split

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
