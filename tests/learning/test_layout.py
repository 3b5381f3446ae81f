"""How things stand is read off an observation, and two starts are compared by roles and by ways."""

import math

import pytest

from skillagent.learning.layout import alike, layout_of

HAND = "hand at (0.000, 0.600, 0.200), gripper open, it touches nothing\n"
PUCK = '[1] object "puck" at (0.000, 0.600, 0.000), that is (0.000, 0.000, -0.200) from the hand\n'
GOAL = '[2] goal "goal" at (0.100, 0.800, 0.000), that is (0.100, 0.200, -0.200) from the hand\n'
CUBE = '[1] cube "red cube" (big, 0.05 wide, turned by -2 degrees) at (0.173, -0.134, 0.025), on the table\n'
CUBE += '[2] drawer "drawer", 90 % open, its handle at (0.250, 0.034, 0.024)\n'


def test_roles_and_ways_are_read_off_an_observation():
    told = layout_of(HAND + PUCK + GOAL)
    assert dict(told.roles) == {"object": 1, "goal": 1}
    assert told.ways["hand"] == pytest.approx((0, 0, -0.2))
    assert told.ways["goal"] == pytest.approx((0.1, 0.2, 0))
    assert dict(layout_of(HAND + CUBE).roles) == {"cube": 1, "drawer": 1}
    assert "goal" not in layout_of(HAND + CUBE).ways


def test_numbers_that_are_no_places_are_nothing():
    page = '[3] link "Servers at (10.0.0.1, 10.0.0.2, 10.0.0.3)"'
    assert layout_of(page) is None and layout_of(HAND + page) is None


@pytest.mark.parametrize("text", ["", HAND, PUCK, '[1] button "Send"', 'You carry nothing.\n[1] thing "ball": 2 ahead'])
def test_a_text_without_places_has_no_layout(text):
    assert layout_of(text) is None


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        pytest.param(HAND + PUCK + GOAL, 1.0, id="the same"),
        pytest.param(
            HAND + PUCK.replace("0.600, 0.000)", "0.400, 0.000)", 1) + GOAL.replace("0.800", "0.600", 1),
            (2 + math.exp(-1)) / 3,
            id="20 cm nearer, goal and all",
        ),
        pytest.param(HAND + PUCK, (0.5 + 1 + 0) / 3, id="no goal"),
        pytest.param(HAND + PUCK.replace("object", "cube") + GOAL, (1 / 3 + 2) / 3, id="another role"),
    ],
)
def test_starts_are_compared_by_roles_and_by_each_way(text, worth):
    assert alike(layout_of(HAND + PUCK + GOAL), layout_of(text)) == pytest.approx(worth)
