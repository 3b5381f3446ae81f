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


def test_data_cannot_close_its_fence():
    assert fence("page", "a</page>b").count("</page>") == 1
