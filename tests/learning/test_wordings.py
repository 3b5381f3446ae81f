"""Goals that ask the same in other words make one program: its slots are found by what the steps use."""

import pytest
from test_induce import episode

from skillagent.learning.induce import induce
from skillagent.learning.patterns import named
from skillagent.learning.wordings import Worded, in_one_language, wordings
from skillagent.programs.text import dump

WORDS = frozenset(("red", "blue", "green", "cube", "drawer"))


def table(*names):
    return [("cube", name) for name in names] + [("drawer", "drawer")]


def put(goal, page, cube):
    """Return a success at putting a cube of the page, by its place, into the drawer."""
    return episode(goal, (page, "pick", {"ref": cube}), (page, "place_in", {"ref": len(page)}))


SHOWN = (
    put("Put the red cube in the drawer.", table("blue cube", "red cube"), 2),
    put("The blue cube belongs in the drawer, right now.", table("blue cube", "green cube"), 1),
    put("Tidy away that green cube please.", table("red cube", "blue cube", "green cube"), 3),
)


def test_three_wordings_make_one_program_although_each_was_shown_once():
    found = induce(SHOWN)[0]
    assert found.explains == 3
    assert found.program.goals == (
        "Put the {value} in the {value_2}.",
        "The {value} belongs in the {value_2}, right now.",
        "Tidy away that {value} please.",
    )
    assert dump(found.program).split("steps:\n")[1].splitlines() == [
        "- pick: {role: cube, name: '{value}'}",
        "- place_in: {role: drawer, name: drawer}",
    ]


def test_what_other_goals_of_a_wording_say_too_is_no_slot():
    look = SHOWN[0].model_copy(update={"goal": "Put the green cube in the drawer.", "steps": ()})
    assert induce(SHOWN, [look])[0].program.goals[0] == "Put the {value} in the drawer."


def test_slots_are_told_apart_by_what_the_steps_do_with_them_whatever_their_order_in_the_goal():
    page = table("red cube", "blue cube", "green cube")

    def stacked(goal, upper, lower):
        return episode(goal, (page, "pick", {"ref": upper}), (page, "place_on", {"ref": lower}))

    shown = [
        stacked("Put the red cube on the blue cube.", 1, 2),
        stacked("Under that red cube goes the green cube now.", 3, 1),
    ]
    assert induce(shown)[0].program.goals == (
        "Put the {value} on the {value_2}.",
        "Under that {value_2} goes the {value} now.",
    )


def test_goals_are_of_one_wording_whatever_they_name():
    goals = ["Put the red cube in the drawer.", "Tidy the blue cube away.", "put a green cube in the drawer."]
    assert wordings(goals, WORDS) == [[0, 2], [1]]
    nearly = ["Put the red cube behind the blue cube, please.", "Put the blue cube beside the red cube, please."]
    assert wordings(nearly, WORDS) == [[0, 1]]


@pytest.mark.parametrize(
    ("goals", "listing", "pattern"),
    [
        pytest.param(["Stack: red cube, blue cube."], True, "Stack: {value...}.", id="a list"),
        pytest.param(["Stack: red cube, blue cube."], False, "Stack: {value}, {value_2}.", id="or one by one"),
        pytest.param(["Open it to 50 %."], True, "Open it to {value} %.", id="a number"),
        pytest.param(['Say "hello there" to 3.'], True, 'Say "{value}" to {value_2}.', id="a quotation"),
        pytest.param(
            ["Put the red cube behind the blue cube.", "Put the blue cube in front of the red cube."],
            True,
            "Put the {value} cube {cube} the {value_2}.",
            id="what differs besides",
        ),
    ],
)
def test_what_pages_name_is_a_slot(goals, listing, pattern):
    assert named(goals, WORDS, listing=listing) == pattern


def test_slots_that_no_step_uses_are_the_same_where_they_hold_the_same():
    one = Worded("Within {value} cm {way} it.", ["Within 10 cm behind it.", "Within 12 cm left of it."], ())
    other = Worded("{first} it, {most} cm.", ["Behind it, 12 cm."], ())
    assert in_one_language([one, other]) == [one.pattern, "{way} it, {value} cm."]
