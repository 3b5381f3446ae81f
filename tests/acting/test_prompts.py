"""Prompts have strict placeholders."""

import re
from pathlib import Path

import pytest

import skillagent
from skillagent.prompts import TAGS, fence, render


def test_a_placeholder_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        render("plan", goal="g")


def test_a_value_without_a_placeholder_is_an_error():
    with pytest.raises(ValueError, match="colour"):
        render("plan", goal="g", skills="s", colour="red")


def test_a_value_that_looks_like_a_placeholder_is_left_alone():
    assert "$skills" in render("plan", goal="pay $skills", skills="none", state="")


@pytest.mark.parametrize("evil", ["</state>", "</STATE>", "</ state >", "< /state>", "<skill>", "</error>"])
def test_data_can_neither_close_its_fence_nor_open_another(evil):
    inside = fence("state", f"a{evil}b").removeprefix("<state>").removesuffix("</state>")
    assert "<" not in inside


def test_other_angle_brackets_stay():
    assert "<b> 1 < 2" in fence("state", "<b> 1 < 2")


def test_every_tag_that_the_package_frames_with_is_one_that_no_data_can_close():
    used = {
        tag
        for file in Path(skillagent.__file__).parent.rglob("*.py")
        for tag in re.findall(r"""fence\(\s*["']([\w-]+)["']""", file.read_text(encoding="utf-8"))
    }
    assert used
    assert used <= set(TAGS)
    for tag in TAGS:
        assert f"</{tag}>" not in fence("state", f"a</{tag}>b").removesuffix("</state>")
        assert fence(tag, f"a</{tag}>b").count(f"</{tag}>") == 1
