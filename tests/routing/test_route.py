"""Routing: the right item first, values of one task ignored, and nothing where nothing fits."""

import numpy as np
import pytest

from skillagent.goals import shape
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.fuse import fuse
from skillagent.routing.lexical import bm25_scores
from skillagent.routing.route import covers, route
from skillagent.schema import Condition, Demonstration, Insight, KeyStep, Plan, Skill, Subgoal
from skillagent.testing import HashEmbedder

LOGIN = 'Enter the username "bob" and the password "x1" into the text fields and press login.'
LIBRARY = Library(
    skills={
        "log-in": Skill(name="log-in", description="Logs in.", body="Fill both fields.", goals=(LOGIN,)),
        "pick-date": Skill(
            name="pick-date", description="Picks dates.", body="Open it.", goals=("Select 03/04/2020 as the date.",)
        ),
    },
    demonstrations={
        "d": Demonstration(id="d", domain="web", goal=LOGIN, steps=(KeyStep(observation="o", action="a"),))
    },
    insights={
        "i": Insight(
            id="i",
            taxonomy="web/form/login",
            kind="pitfall",
            condition=Condition(applies="the username and the password text fields"),
            explanation="Press login.",
        )
    },
)


def routed(goal, library=LIBRARY):
    return route(Plan(goal=goal, subgoals=(Subgoal(text=goal),)), library, cache=HashEmbedder())


@pytest.mark.parametrize(
    ("goal", "masked"),
    [
        ('Enter "bob" and "x1" now.', "Enter … now."),
        ("Select Helli from the list.", "Select … from the list."),
        ("Select gHF2, AU and press it.", "Select … and press it."),
        ("Buy 3 shares at $5.40. Then stop.", "Buy … shares at …. Then stop."),
        ("For the user @leo, click it.", "For the user …, click it."),
        ("It's the user's page", "It's the user's page"),
    ],
)
def test_values_are_masked(goal, masked):
    assert shape(goal) == masked


def test_a_goal_with_other_values_finds_the_skill_and_its_example():
    found = routed(LOGIN.replace("bob", "alice").replace("x1", "secret"))
    assert [r.id for r in found.skills[0]] == ["log-in"]
    assert [r.id for r in found.demonstrations[0]] == ["d"]
    assert [r.id for r in found.insights[0]] == ["i"]


def test_a_skill_that_can_run_for_this_goal_comes_before_one_that_is_nearer_and_cannot():
    runs = Skill(
        name="z-runs",
        description="Does it.",
        body="It is done.",
        goals=(LOGIN,),
        files={FILE: "goals: ['Enter the username \"{a}\" and {b}']\nsteps: [done]"},
    )
    other = runs.model_copy(update={"name": "z-other", "files": {FILE: "goals: [Something else]\nsteps: [done]"}})
    broken = runs.model_copy(update={"name": "z-broken", "files": {FILE: "steps: ["}})
    skills = {skill.name: skill for skill in (*LIBRARY.skills.values(), other, broken, runs)}
    assert [r.id for r in routed(LOGIN, Library(skills=skills)).skills[0]] == ["z-runs"]


def test_several_skills_that_can_run_are_all_tried_the_one_whose_form_says_most_first():
    def skill(name, goal):
        return Skill(
            name=name, description="d", body="b", goals=(LOGIN,), files={FILE: f"goals: ['{goal}']\nsteps: [done]"}
        )

    loose, strict = skill("loose", "Enter {all}"), skill("strict", "Enter the username {all}")
    found = routed(LOGIN, Library(skills={"loose": loose, "strict": strict}))
    assert [r.id for r in found.skills[0]] == ["strict", "loose"]


def test_a_goal_that_a_program_s_pattern_fits_word_for_word_needs_no_likeness():
    """Its values may be many and long; a pattern that fixes hardly anything is no reason."""
    goal = "Water the lilies, the roses, the old oak and the neighbour's cat as well"

    def knowing(pattern):
        runs = Skill(name="w", description="d", body="b", files={FILE: f"goals: ['{pattern}']\nsteps: [done]"})
        library = Library(skills={"w": runs})
        return [r.id for r in routed(goal, library).skills[0]], covers(goal, library, cache=HashEmbedder())

    assert knowing("Water {plants...} as well and all") == ([], False)
    assert knowing("Water the {plants...} as well") == (["w"], True)
    assert knowing("Water {plants}") == ([], False)
    goal = "Water the lilies"
    assert knowing("Water the {plants}") == (["w"], True), "ten letters are most of so short a goal"
    assert knowing("Water {plants}") == ([], False)


def test_the_router_abstains_where_nothing_fits_and_says_what_it_considered():
    found = routed("Water all plants on the balcony")
    assert found.ids == ()
    assert {r.id for r in found.considered[0]} == {"log-in", "pick-date"}


def test_an_empty_library_offers_nothing():
    assert routed(LOGIN, Library()).ids == ()
    assert not covers(LOGIN, Library(), cache=HashEmbedder())


def test_a_skill_that_solved_a_goal_of_this_shape_covers_it():
    assert covers(LOGIN.replace("bob", "eve"), LIBRARY, cache=HashEmbedder())
    assert not covers("Log in and then pay the bill", LIBRARY, cache=HashEmbedder())


def test_bm25_ranks_the_document_that_shares_the_rare_word_first():
    scores = bm25_scores("pay invoice", ["write a letter", "pay the invoice", "pay a visit"])
    assert scores.argmax() == 1
    assert scores[0] == 0
    assert bm25_scores("zzz", ["a letter"]).tolist() == [0]
    assert bm25_scores("zzz", []).shape == (0,)


def test_a_scorer_that_says_nothing_does_not_move_the_others():
    flat, clear = np.array([1.0, 1.0]), np.array([0.0, 1.0])
    assert fuse({"a": flat, "b": clear}, {"a": 5.0, "b": 1.0}).tolist() == [-1.0, 1.0]
