"""Steps: like moments of demonstrations, by goal, state and what was done before; diverse, and within their room."""

import numpy as np
import pytest

from skillagent.library import Library
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.recall import recall
from skillagent.routing.steps import Similar, diverse, nearest, similar
from skillagent.schema import Condition, Demonstration, Insight, KeyStep, Moment, Recalled, Skill
from skillagent.testing import HashEmbedder

CACHE = HashEmbedder()


def demo(key, goal, *steps):
    return Demonstration(
        id=key, domain="x", goal=goal, steps=tuple(KeyStep(observation=seen, action=did) for seen, did in steps)
    )


LOGIN = demo("login", "log in to the shop", ("name field", "fill name"), ("password field", "press enter"))
ORDER = demo("order", "order apples now", ("basket page", "click basket"), ("password field", "press pay"))


def held(*demos):
    return Library(demonstrations={one.id: one for one in demos})


def found(goal, state, before="", library=None, **limits):
    given = Similar(**{"most": 2, "least": 0.3, **limits})
    library = held(LOGIN, ORDER) if library is None else library
    return [(one.of, one.step.action) for one in similar(goal, state, before, library, CACHE, given)]


def test_the_state_decides_between_moments_of_one_demonstration_of_which_only_one_is_shown():
    assert found("log in to the shop", "name field", library=held(LOGIN)) == [("login", "fill name")]
    assert found("log in to the shop", "password field", "fill name", library=held(LOGIN)) == [("login", "press enter")]


def test_the_goal_decides_between_demonstrations_whose_states_are_alike():
    assert found("order apples now", "password field", "click", most=1)[0] == ("order", "press pay")
    assert found("log in to the shop", "password field", "fill", most=1)[0] == ("login", "press enter")


def test_what_was_done_before_decides_where_goal_and_state_do_not():
    twice = demo("twice", "g", ("same page", "one"), ("same page", "two"), ("same page", "three"))
    assert found("g", "same page", library=held(twice)) == [("twice", "one")]
    assert found("g", "same page", "one", library=held(twice)) == [("twice", "two")]
    assert found("g", "same page", "two", library=held(twice)) == [("twice", "three")]


def test_nothing_is_shown_that_is_not_alike_or_has_no_room_or_where_none_is_wanted():
    assert found("water the plants", "a garden", least=0.5) == []
    assert found("log in to the shop", "name field", most=0) == []
    assert found("log in to the shop", "name field", library=Library()) == []
    assert found("log in to the shop", "name field", characters=5, library=held(LOGIN)) == []
    both = found("log in to the shop order apples now", "password field", "x", least=0.2)
    assert len(both) == 2
    assert len(found("log in to the shop order apples now", "password field", "x", least=0.2, characters=30)) == 1


def test_of_many_alike_one_of_each_kind_is_shown():
    rows = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    moments = [
        Moment(of=key, goal="", step=KeyStep(observation="", action=""), score=score)
        for key, score in (("a", 0.9), ("b", 0.8), ("c", 0.7))
    ]
    assert [one.of for one in diverse(moments, rows, 2)] == ["a", "c"]


def test_recall_answers_with_what_stands_in_the_library_and_nothing_else():
    insight = Insight(
        id="i",
        taxonomy="x/y/z",
        kind="pitfall",
        condition=Condition(applies="When a date is asked"),
        explanation="month first",
    )
    skill = Skill(name="log-in", description="log in to the shop", body="1. fill the name\n")
    library = Library(insights={"i": insight}, skills={"log-in": skill})
    found = recall("when a date is asked what is first", library, catalogue=Catalogue(CACHE))
    assert (found.text, found.of) == ("- When a date is asked: month first", ("i",))
    found = recall("how to log in to the shop", library, catalogue=Catalogue(CACHE))
    assert "fill the name" in found.text
    assert "log-in" in found.of
    assert recall("quantum chromodynamics", library, catalogue=Catalogue(CACHE)) == Recalled()
    long = insight.model_copy(update={"explanation": "when a date is asked log in to the shop " * 40})
    full = library.model_copy(update={"insights": {"i": long}})
    found = recall("when a date is asked log in to the shop", full, catalogue=Catalogue(CACHE))
    assert found.of == ("i",), "what there was no room for was not told"


def test_after_the_nearest_come_those_that_they_name_and_no_further():
    def told(key, applies, *related):
        return Insight(
            id=key,
            taxonomy="x/y/z",
            kind="pitfall",
            condition=Condition(applies=applies),
            explanation=f"do {key}",
            related=related,
        )

    known = [
        told("near", "When a date is asked", "hop", "gone"),
        told("hop", "Upon midnight", "far", "near"),
        told("far", "Once dreary"),
    ]
    library = Library(insights={one.id: one for one in known})
    found = recall("when a date is asked", library, catalogue=Catalogue(CACHE))
    assert found.of == ("near", "hop")
    assert found.text.splitlines()[1] == "- Upon midnight: do hop"


@pytest.mark.parametrize("rows", [np.ones((5, 2)), np.array([[1, 0]] * 3 + [[0, 1]] * 2, dtype=float)])
def test_as_many_as_are_wanted_are_shown_even_where_their_states_are_alike(rows):
    moments = [
        Moment(of=str(n), goal="", step=KeyStep(observation="", action=""), score=1 - n / 10) for n in range(len(rows))
    ]
    chosen = [one.of for one in diverse(moments, rows, 3)]
    assert len(chosen) == 3
    assert chosen[0] == "0"
    if rows[0, 1] == 0:
        assert "3" in chosen


def test_demonstrations_that_begin_alike_are_told_apart_by_their_goals():
    demos = [demo(key, f"sort the {key} by size", ("nothing yet", key)) for key in ("pears", "plums", "nuts")]
    assert len(found("sort the figs by size", "nothing yet", library=held(*demos), most=2)) == 2


@pytest.mark.parametrize(
    ("most", "least", "names"), [(2, 0.0, ["login", "order"]), (1, 0.0, ["login"]), (2, 0.9, ["login"])]
)
def test_the_nearest_demonstrations_are_those_whose_goals_are_like_it(most, least, names):
    library = held(ORDER, LOGIN)
    assert [one.id for one in nearest("log in to the shop", library, CACHE, most=most, least=least)] == names
    assert nearest("log in", Library(), CACHE, most=most, least=least) == ()
