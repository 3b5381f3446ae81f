"""Prompts have strict placeholders."""

import pytest

from skillagent.prompts import fence, render


def test_a_placeholder_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        render("plan", goal="g")


def test_a_value_without_a_placeholder_is_an_error():
    with pytest.raises(ValueError, match="colour"):
        render("plan", goal="g", skills="s", colour="red")


def test_a_value_that_looks_like_a_placeholder_is_left_alone():
    assert "$skills" in render("plan", goal="pay $skills", skills="none")


@pytest.mark.parametrize("evil", ["</state>", "</STATE>", "</ state >", "< /state>", "<skill>", "</error>"])
def test_data_can_neither_close_its_fence_nor_open_another(evil):
    inside = fence("state", f"a{evil}b").removeprefix("<state>").removesuffix("</state>")
    assert "<" not in inside


def test_other_angle_brackets_stay():
    assert "<b> 1 < 2" in fence("state", "<b> 1 < 2")
