"""Whole episodes by way to route: they differ in the order of skills alone."""

import pytest

from evals.router_acts import ABSTAINING, CHANCE, NONE, PRODUCT, WAYS, agenda, among, drawn, offered, showing, table
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


def test_a_route_shows_just_what_is_named():
    route = showing(["shuts", "opens"])(Plan(goal="shut it"), LIBRARY)
    assert [[one.id for one in part] for part in route.skills] == [["shuts", "opens"]]
    assert (route.insights, route.demonstrations) == (((),), ((),))


def test_more_pages_begin_with_the_same_ones():
    tasks = [Task(env="e", name=str(n), seed=0) for n in range(30)]
    assert drawn(tasks, 20)[:5] == drawn(tasks, 5)
    assert drawn(tasks, 30) != tasks


def row(task, routed, success, tokens=0):
    return {"task": task, "routed": list(routed), "success": success, "tokens": tokens}


FAR = among("fusion", 1000)
ALIKE = dict.fromkeys((*WAYS, FAR), ("a",)) | {NONE: (), ABSTAINING: (), CHANCE: ("c",), FAR: ("d",)}
APART = {**ALIKE, "fusion": ("b",), ABSTAINING: ("a",)}


def test_what_tells_ways_apart_is_played_first_and_nothing_twice():
    assert agenda({"alike": ALIKE, "apart": APART}) == [
        ("apart", ("a",)),
        ("apart", ("b",)),
        ("alike", ("a",)),
        ("alike", ()),
        ("apart", ()),
        ("alike", ("d",)),
        ("apart", ("d",)),
        ("alike", ("c",)),
        ("apart", ("c",)),
    ]


def test_a_page_counts_where_both_were_played_or_the_route_is_the_same():
    rows = [row("apart", ("a",), True), row("apart", ("b",), False, tokens=10), row("alike", (), True, tokens=4)]
    found = table({"alike": ALIKE, "apart": APART}, rows)
    assert found[PRODUCT]["solved"]["n"] == 1, "the page where all ways are alike was not come to"
    assert (found[PRODUCT]["without the model"], found["fusion"]["without the model"]) == (1, 0)
    against = found["fusion"]["to the product"]
    assert (against["pages"], against["difference"], against["losses"], against["ties"]) == (2, -0.5, 1, 1)
    assert found[NONE]["to the product"]["pages"] == 0
    assert (found[ABSTAINING]["to the product"]["pages"], found[ABSTAINING]["tokens"]) == (1, 2.0)
