"""Goals: what is a value in them."""

import pytest

from skillagent.goals import own


@pytest.mark.parametrize(
    ("goal", "others", "words"),
    [
        (
            "Search for action movies by Bo Li, 1998.",
            ["Search for war movies by Ann, 1990."],
            ["action", "Bo Li, 1998"],
        ),
        ('Press "Yes", then go.', ["Press No, then go."], ["Yes"]),
        ("Press Yes.", ["press yes"], []),
        ("Press Yes.", [], []),
        ("Press Yes.", ["Go home"], []),
    ],
)
def test_what_no_other_goal_says_is_a_goals_own(goal, others, words):
    assert own(goal, others) == words
