"""Taxonomy: open labels with meanings; near ones are one, and nothing is renamed in silence."""

import pytest

from skillagent.learning.explanation import explained
from skillagent.learning.taxonomy import folded, in_use, labels
from skillagent.library import Library
from skillagent.schema import (
    Action,
    Attempt,
    Cause,
    Condition,
    Insight,
    Lesson,
    Observation,
    Step,
    Task,
    Trajectory,
    Verdict,
)  # fmt: skip
from skillagent.testing import ScriptedLLM


def insight(key, taxonomy, **defines):
    return Insight(
        id=key,
        taxonomy=taxonomy,
        kind="pitfall",
        condition=Condition(applies="a"),
        explanation=key,
        defines={label.replace("_", "/"): text for label, text in defines.items()},
    )


KNOWN = [insight("a", "shop/forms/dates", shop_forms_dates="days of the year"), insight("b", "shop/menus/hover")]


def test_labels_have_the_meaning_that_came_with_them():
    assert labels(KNOWN) == {
        "shop/forms": "",
        "shop/forms/dates": "days of the year",
        "shop/menus": "",
        "shop/menus/hover": "",
    }


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ("shop/form/date", "shop/forms/dates"),
        ("shop/forms/dates", "shop/forms/dates"),
        ("shop/forms/names", "shop/forms/names"),
        ("shop/menu/hovers", "shop/menus/hover"),
        ("shop/menus/dates", "shop/menus/dates"),
        ("bank/form/date", "bank/form/date"),
        ("shop/orders/open", "shop/orders/open"),
        ("shop/form-s/dates", "shop/forms/dates"),
        ("shop/informs/dates", "shop/informs/dates"),
    ],
)
def test_a_label_that_is_nearly_one_under_the_same_parent_is_that_one(said, becomes):
    assert folded(said, KNOWN) == becomes


def test_the_labels_of_a_domain_are_told_by_level_with_their_meanings():
    assert in_use("shop", [*KNOWN, insight("c", "bank/forms/names", bank_forms="theirs")], 20) == [
        "level_1 forms",
        "level_1 forms, level_2 dates: days of the year",
        "level_1 menus",
        "level_1 menus, level_2 hover",
    ]


def test_of_many_labels_those_that_most_insights_have_are_told():
    many = [insight(str(n), f"shop/forms/{n:02}") for n in range(30)]
    told = in_use("shop", [*many, insight("a", "shop/menus/hover"), insight("b", "shop/menus/hover")], 3)
    assert told == ["level_1 forms", "level_1 menus", "level_1 menus, level_2 hover"]


def test_an_insight_keeps_under_which_label_it_came_and_brings_the_meaning_of_a_new_one():
    lesson = failing()
    words = said(level_1="Form", level_2="date", means="m")
    library = Library(insights={one.id: one for one in KNOWN})
    old = explained(lesson, library, llm=ScriptedLLM([words]))
    assert (old.taxonomy, old.origin, old.defines) == ("shop/forms/dates", "failure; came as shop/form/date", {})
    new = explained(lesson, Library(), llm=ScriptedLLM([words]))
    assert (new.taxonomy, new.origin, new.defines) == ("shop/form/date", "failure", {"shop/form/date": "m"})


def test_both_levels_bring_their_meaning_where_they_have_none_yet():
    words = said(level_1="forms", level_2="dates", means="m", means_1=" what is filled in ")
    new = explained(failing(), Library(), llm=ScriptedLLM([words]))
    assert new.defines == {"shop/forms": "what is filled in", "shop/forms/dates": "m"}
    old = explained(failing(), Library(insights={"a": KNOWN[0]}), llm=ScriptedLLM([words]))
    assert old.defines == {"shop/forms": "what is filled in"}
    full = KNOWN[0].model_copy(update={"defines": {"shop/forms": "a", "shop/forms/dates": "b"}})
    assert explained(failing(), Library(insights={"a": full}), llm=ScriptedLLM([words])).defines == {}


def test_who_explains_is_told_at_most_twenty_labels_of_this_domain():
    model = ScriptedLLM([said(), said()])
    known = {str(n): insight(str(n), f"shop/forms/x{n:02}") for n in range(30)}
    explained(failing(), Library(insights={**known, "b": insight("b", "bank/forms/rates")}), llm=model)
    explained(failing(), Library(), llm=model)
    first, second = (messages[0].content for _, messages in model.asked)
    told = first.partition("<labels>")[2].partition("</labels>")[0].split("\n")[1:-1]
    assert len(told) == 20
    assert told[0] == "level_1 forms"
    assert "rates" not in first
    assert "<labels>\n(none yet)\n</labels>" in second


def said(**words):
    return {"applies": "a", "does_not_apply": "", "explanation": "e", "level_1": "x", "level_2": "y", **words}


def failing():
    now = Observation(goal="g", text="t")
    trajectory = Trajectory(
        task=Task(env="shop", name="t"), goal="g", steps=(Step(observation=now, action=Action(verb="x")),)
    )
    failed = Attempt(plan=None, route=None, trajectory=trajectory, verdict=Verdict(score=0, by="state"), library="")
    return Lesson(cause=Cause.KNOWLEDGE, summary="", failures=(failed,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("upper-bounds", "lower-bounds"),
        ("inclusive", "exclusive"),
        ("check-boxes", "uncheck-boxes"),
        ("linear", "nonlinear"),
    ],
)
def test_opposites_are_two_labels(one, other):
    assert folded(f"x/{other}/a", [insight("a", f"x/{one}/a")]) == f"x/{other}/a"


def test_the_order_of_words_and_hyphens_make_no_other_label():
    known = [insight("a", "x/date-form/check-boxes")]
    assert folded("x/form-date/checkbox", known) == "x/date-form/check-boxes"


@pytest.mark.parametrize("taxonomy", ["form/date", "form", "a/b/c/d", "a//c"])
def test_a_taxonomy_that_a_person_wrote_otherwise_is_read_as_far_as_it_goes(taxonomy):
    assert len(labels([insight("a", taxonomy)])) == 2
    assert folded("a/x/y", [insight("a", taxonomy)]).startswith("a/")
