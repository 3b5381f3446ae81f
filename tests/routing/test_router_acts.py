"""Whole episodes by way to route: they differ in the order of skills alone."""

import pytest

from evals.router_acts import ABSTAINING, NONE, PRODUCT, WAYS, by_order, drawn, offered, table
from skillagent.library import Library
from skillagent.programs.text import FILE, dump
from skillagent.schema import Do, Plan, Program, Skill, Task


def skill(name, *goals):
    """Return a skill whose program knows goals of these forms; without any it is words alone."""
    program = Program(goals=goals, steps=(Do(verb="wait", arguments={"seconds": 1}),)) if goals else None
    return Skill(name=name, description="d", body="b", files={FILE: dump(program)} if program else {})


LIBRARY = Library(
    skills={
        one.name: one
        for one in (skill("opens", "open {x}"), skill("opens-all", "open {x} and {y}"), skill("shuts", "shut {x}"))
    }
)
ORDER = ["shuts", "opens-all", "opens"]


@pytest.mark.parametrize(
    ("goal", "order", "expected"),
    [
        pytest.param("open the door", ORDER, ["opens"], id="those whose programs know the goal"),
        pytest.param("open a and b", ORDER, ["opens-all", "opens"], id="in the way's order"),
        pytest.param("paint it", ORDER, ["shuts"], id="where none does, the first"),
        pytest.param("open a", [*ORDER[:2], "shuts", "opens"], ["shuts"], id="of the first three"),
    ],
)
def test_what_is_offered(goal, order, expected):
    assert offered(order, goal, LIBRARY) == expected


def test_a_route_is_that_of_the_goal_and_nothing_where_there_is_no_library():
    route = by_order({"open it": ["opens", "shuts"], "shut it": ["shuts", "opens"]})
    assert [one.id for one in route(Plan(goal="shut it"), LIBRARY).skills[0]] == ["shuts"]
    assert route(Plan(goal="anything"), Library()).skills == ((),)


def test_more_pages_begin_with_the_same_ones():
    tasks = [Task(env="e", name=str(n), seed=0) for n in range(30)]
    assert drawn(tasks, 20)[:5] == drawn(tasks, 5)
    assert drawn(tasks, 30) != tasks


def row(task, way, success, tokens=0):
    return {"task": task, "seed": 0, "way": way, "success": success, "tokens": tokens}


def test_only_pages_that_all_ways_tried_are_compared():
    rows = [row("a", way, way in (PRODUCT, ABSTAINING), tokens=0 if way == PRODUCT else 10) for way in WAYS]
    rows.append(row("b", PRODUCT, False))  # the others were not come to
    found = table(rows)
    assert found[PRODUCT]["solved"] == {**found[ABSTAINING]["solved"]}
    assert found[PRODUCT]["solved"]["n"] == 1
    assert (found[PRODUCT]["without the model"], found[ABSTAINING]["without the model"]) == (1, 0)
    assert (found[NONE]["to the product"]["difference"], found[NONE]["to the product"]["losses"]) == (-1.0, 1)
