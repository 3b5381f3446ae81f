"""What a verb did is told in one line, from a look before it and a look after it."""

import numpy as np
import pytest

from skillagent.envs.noted import Look, noted


def look(steps, hand=(0, 0, 0.1), states=None, **places):
    return Look(steps, np.array(hand), {name: np.array(place) for name, place in places.items()}, states or {})


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(look(7), look(7), "", id="nothing was done"),
        pytest.param(look(7), look(8), "1 step: nothing moved; it stopped: time", id="nothing moved"),
        pytest.param(
            look(0, puck=(0, 0, 0)),
            look(30, hand=(0, 0.05, 0.1), puck=(0, 0.012, 0)),
            "30 steps: hand (0.000, 0.000, 0.100) -> (0.000, 0.050, 0.100), "
            "puck (0.000, 0.000, 0.000) -> (0.000, 0.012, 0.000); it stopped: time",
            id="hand and thing",
        ),
        pytest.param(
            look(0, puck=(0, 0, 0)),
            look(9, hand=(0, 0.001, 0.1), puck=(0.005, 0.005, 0)),
            "9 steps: nothing moved; it stopped: time",
            id="neither went far enough",
        ),
        pytest.param(
            look(0, (0, 0, 0.1), {"gripper": "open", "drawer": "0 % open"}, drawer=(0, 0, 0)),
            look(9, (0, 0, 0.1), {"gripper": "closed", "drawer": "48 % open"}, drawer=(0, 0.06, 0)),
            "9 steps: gripper open -> closed, drawer 0 % open -> 48 % open; it stopped: time",
            id="a state is told instead of a place",
        ),
        pytest.param(
            look(0, a=(0, 0, 0), b=(0, 0, 0), c=(0, 0, 0), d=(0, 0, 0)),
            look(9, a=(0, 0, 0.02), b=(0, 0, 0.05), c=(0, 0, 0.04), d=(0, 0, 0.03)),
            "9 steps: b (0.000, 0.000, 0.000) -> (0.000, 0.000, 0.050), c (0.000, 0.000, 0.000) -> "
            "(0.000, 0.000, 0.040), d (0.000, 0.000, 0.000) -> (0.000, 0.000, 0.030), 1 more moved; "
            "it stopped: time",
            id="those that went furthest",
        ),
    ],
)
def test_what_changed_is_told_in_a_line(before, after, told):
    assert noted(before, after, "time") == told


def test_why_it_stopped_is_left_out_where_an_error_says_it():
    assert noted(look(0), look(2), "") == "2 steps: nothing moved"
