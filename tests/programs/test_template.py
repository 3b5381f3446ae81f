"""Goals fill slots, and slots fill texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillagent.programs.template import Unfilled, fill, filled_by, form_of, literal, matched


@pytest.mark.parametrize(
    ("pattern", "goal", "filled"),
    [
        ("Click {name}.", "Click Save.", {"name": "Save"}),
        ("Click {name}.", "  click   Save. ", {"name": "Save"}),
        ("Click {name}.", "Press Save.", None),
        ("Click {name}.", "Click Save", None),
        ("{a} before {b}", "x before y before z", None),
        ("{a} and {b}", '"x and y" and z', {"a": '"x and y"', "b": "z"}),
        ("{a} and {b}", "x and “y and z”", {"a": "x", "b": "“y and z”"}),
        ("{a} and {b}", '"x" and "y" and "z"', None),
        ('Say "{a} and {b}".', 'Say "x and y".', {"a": "x", "b": "y"}),
        ('Say "{a} and {b}".', 'Say "x and y and z".', None),
        ('Say "{a}" to {b}.', 'Say "x to y" to z.', {"a": "x to y", "b": "z"}),
        ("{a}, {b}", "x ,  y", {"a": "x", "b": "y"}),
        ("Pick {all...}.", "Pick a, b and c.", {"all": ("a", "b", "c")}),
        ("Pick {all...}.", "Pick a, b, and c.", {"all": ("a", "b", "c")}),
        ("Pick {all...}.", "Pick a.", {"all": ("a",)}),
        ('Pick "{all...}".', 'Pick "a", "b" and "c".', {"all": ("a", "b", "c")}),
        ("Write {a}}}{b}", "Write x}y", {"a": "x", "b": "y"}),
        ("Write {a}{{{b}", "Write x{y", {"a": "x", "b": "y"}),
        ("Pick the {x} of a {y}", "pick  a ball of the an", {"x": "ball", "y": "an"}),
        ("Pick the {all...}.", "Pick the hat and a coat.", {"all": ("hat", "a coat")}),
        ("Pick {all...}.", "Pick 1,500 and 2,000.", {"all": ("1,500", "2,000")}),
        ("Pick {all...}.", "Pick $12,345,678,9.", {"all": ("$12,345,678", "9")}),
        ("Pick {all...}.", "Pick 1,2,30,2019,100.", {"all": ("1", "2", "30", "2019", "100")}),
        ("Pick {all...}.", 'Pick "Smith, John" and "Doe, Jane".', {"all": ("Smith, John", "Doe, Jane")}),
        ('Pick "{all...}".', 'Pick "Smith, John" and "Doe, Jane".', {"all": ("Smith, John", "Doe, Jane")}),
        ("Pick {all...}.", "Pick a, “b and c” > d.", {"all": ("a", "b and c", "d")}),
        ('Pick "{all...}".', 'Pick "a, b and c".', {"all": ("a", "b", "c")}),
        ("Pick {all...}.", 'Pick 5" and 6" and 7".', {"all": ("5", "6", "7")}),
        ("Say {{hi}} to {x}", "say {hi} to Bo", {"x": "Bo"}),
        ("Costs $5 (or {x})?", "Costs $5 (or 6)?", {"x": "6"}),
        pytest.param("Press {name} now.", "press login now", {"name": "login"}, id="without the full stop"),
        pytest.param("Press {name} now", "press login now.", {"name": "login"}, id="with one that the pattern lacks"),
        pytest.param('Press "{name}".', 'press "login"', {"name": "login"}, id="behind what is quoted"),
        pytest.param("Press {name}", "press Ann St.", {"name": "Ann St."}, id="one of a value stays"),
        pytest.param("Press {name}.", "press Ann St.", {"name": "Ann St"}, id="one is the sentence's"),
        pytest.param("Press {name} now.", "press login now!", None, id="another mark is another end"),
    ],
)
def test_a_goal_fills_the_slots_of_its_pattern(pattern, goal, filled):
    assert matched(pattern, goal) == filled


def test_a_goal_that_ends_otherwise_is_told_at_once_however_many_slots_there_are():
    pattern = "Select " + ", ".join(f"{{v{n}}}" for n in range(12)) + " and click Submit."
    goal, words = "Select " + ", ".join(f"w{n}" for n in range(60)), ", ".join(f"w{n}" for n in range(12))
    assert matched(pattern, f"{goal} and click Cancel.") is None
    assert matched(pattern, f"{goal} and click Submit.") is None, "it can be read in many ways"
    assert (matched(pattern, f"Select {words} and click Submit.") or {})["v11"] == "w11"


def test_the_pattern_that_says_most_fills():
    patterns = ["Select {value} and go.", "Select nothing and go."]
    assert filled_by(patterns, "Select nothing and go.") == {}
    assert filled_by(patterns, "Select this and go.") == {"value": "this"}
    assert form_of(patterns, "Select nothing and go.") > form_of(patterns, "Select this and go.") > 0
    assert form_of(patterns, "Leave.") == 0


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{a}", "oNe"),
        ("{a|upper}!", "ONE!"),
        ("{a|lower}", "one"),
        ("{n|number}", "7"),
        ("{{{a}}}", "{oNe}"),
        ("{t|time}", "21:37"),
        ("{d|date}", "2016-12-03"),
        ("{a|time}{n|date}", "oNe07"),
    ],
)
def test_a_template_is_filled(template, text):
    assert fill(template, {"a": "oNe", "n": "07", "t": "9:37 PM", "d": "December 3, 2016"}) == text


@pytest.mark.parametrize("filled", [{}, {"a": ("x", "y")}], ids=["nothing", "a list"])
def test_a_slot_without_one_value_is_not_filled(filled):
    with pytest.raises(Unfilled):
        fill("{a}", filled)


@given(st.text())
def test_a_literal_stands_for_itself(text):
    assert fill(literal(text), {}) == text
