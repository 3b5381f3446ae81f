"""Stitch: a goal is done in parts where programs know every part, and the parts say more than the whole."""

import pytest

from skillagent.acting.stitch import stitched
from skillagent.programs.template import form_of

PATTERNS = ("go to the {place}", "pick up the {thing}", "open the door", "put the {thing} next to the {other}")


def parts(goal, patterns=PATTERNS):
    return list(stitched(goal, lambda text: form_of(patterns, text))) or None


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("go to the ball, then open the door", ["go to the ball", "open the door"]),
        ("Go to the ball and open the door", ["Go to the ball", "open the door"]),
        ("go to the ball; pick up the key; open the door", ["go to the ball", "pick up the key", "open the door"]),
        ("open the door after you pick up the red key", ["pick up the red key", "open the door"]),
        (
            "go to the box and open the door after you go to the ball, then pick up the key",
            ["go to the ball", "pick up the key", "go to the box", "open the door"],
        ),
        ("put the ball next to the box and go to the door", ["put the ball next to the box", "go to the door"]),
        ("Pick up the red key. Then open the door", ["Pick up the red key", "open the door"]),
        ('pick up the "key and go to the box"', None),
        ('go to the "box after you pick up the key"', None),
        ('pick up the "key" and open the door', ['pick up the "key"', "open the door"]),
        ("go to the ball and after that open the door", ["go to the ball", "open the door"]),
        ("go to the ball", None),
        ("go to the salt and pepper", None),
        ("go to the ball, then dance", None),
        ("dance, then sing", None),
        ("", None),
    ],
)
def test_a_goal_is_divided_where_programs_know_every_part(goal, expected):
    assert parts(goal) == expected


def test_what_one_program_knows_better_as_a_whole_stays_whole():
    assert parts("go to the ball and open the door", (*PATTERNS, "go to the ball and open the door")) is None


@pytest.mark.parametrize("part", ["go to the a", "dance"])
def test_a_long_goal_is_looked_at_quickly(part):
    asked = []

    def form(text):
        asked.append(text)
        return form_of(PATTERNS, text)

    stitched(" and ".join([part] * 30), form)
    assert len(asked) < 1_000
