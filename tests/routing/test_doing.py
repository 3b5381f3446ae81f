"""Doing: kinds of doing are told by verbs, and a skill is left out only where both sides are known and apart."""

import pytest

from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.doing import kinds, marked, of_kinds
from skillagent.routing.route import Thresholds, route
from skillagent.schema import Plan, Skill
from skillagent.testing import HashEmbedder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Close the curtains.", {"close"}),
        ("CLOSING the curtains", {"close"}),
        ("Shuts the curtains, then sings", {"close"}),
        ("please put it there and go home", {"move", "sort", "go"}),
        ("Sweep up after you close the door", {"move", "close"}),
        ("Use the box to write a line", {"write", "make"}),
        ("Putting it down", {"move", "sort"}),
        ("Tries to carry it", {"move"}),
        ("How many are there?", {"find", "count"}),
        ("The red one is near the door", set()),
        ('"Close" it', set()),
        ("Sing a song", set()),
        ("", set()),
        ("the close one", set()),
    ],
)
def test_kinds_are_those_of_the_verbs_that_clauses_begin_with(text, expected):
    assert kinds([text]) == expected


def test_kinds_are_bits_and_none_is_zero():
    assert marked(()) == 0
    one, other = marked(["go"]), marked(["close"])
    assert one & other == 0
    assert one | other == marked(["close", "go", "go"])


def test_texts_are_grouped_by_their_kinds():
    asked = ["walk home", "sing", "shut it", "stroll: wander about", "walk there"]
    assert of_kinds(asked) == {
        "go": ["walk home", "walk there"],
        "": ["sing", "stroll: wander about"],
        "close": ["shut it"],
    }


def skill(name, description, *goals, **rest):
    return Skill(name=name, description=description, body="The tall garden gate.", goals=goals, **rest)


SHUTS = skill("gate-one", "Shuts the tall garden gate.", "shut the tall garden gate")
WALKS = skill("gate-two", "Walks to the tall garden gate.", "walk along the tall garden gate")
SINGS = skill("gate-three", "The tall garden gate.")
LIBRARY = Library(skills={one.name: one for one in (SHUTS, WALKS, SINGS)})


def considered(goal, library=LIBRARY, on=True, **limits):
    found = route(
        Plan(goal=goal, **{"named": limits.pop("named", "")}),
        library,
        catalogue=Catalogue(HashEmbedder()),
        thresholds=Thresholds(verbs=on, **limits),
    )
    return {one.id for one in found.considered[0]}, [one.id for one in found.skills[0]]


def test_what_is_known_to_do_something_else_is_no_candidate_and_by_default_it_is():
    assert considered("shut the tall garden gate", on=False)[0] == set(LIBRARY.skills)
    assert considered("shut the tall garden gate")[0] == {"gate-one", "gate-three"}
    assert not Thresholds().verbs


def test_where_the_goal_says_nothing_known_all_are_candidates():
    assert considered("the tall garden gate")[0] == set(LIBRARY.skills)


def test_what_is_named_or_pinned_is_shown_whatever_it_does():
    assert "gate-two" in considered("shut the tall garden gate", named="gate-two")[1]
    assert "gate-two" in considered("shut the tall garden gate", pinned=("gate-two",))[1]


def test_a_program_that_knows_the_goal_s_form_runs_whatever_its_words_say():
    runs = WALKS.model_copy(update={"files": {FILE: "goals: ['shut the tall garden {thing}']\nsteps: [wave]\n"}})
    assert considered("shut the tall garden gate", Library(skills={"gate-two": runs}))[1] == ["gate-two"]


def test_a_library_that_grows_is_left_out_of_alike():
    catalogue, limits = Catalogue(HashEmbedder()), Thresholds(verbs=True)
    for library in (Library(skills={"gate-two": WALKS}), LIBRARY, Library(skills={"gate-one": SHUTS})):
        found = route(Plan(goal="shut the tall garden gate"), library, catalogue=catalogue, thresholds=limits)
        assert {one.id for one in found.considered[0]} == set(library.skills) - {"gate-two"}
