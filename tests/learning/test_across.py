"""One program for successes of several kinds, for goals of several parts, and for goals that say where a thing is."""

import pytest
from test_induce import episode

from skillagent.goals import clauses
from skillagent.learning.across import by_analogy
from skillagent.learning.induce import induce
from skillagent.learning.prose import prose
from skillagent.programs.text import dump, parse

ROOM = [("thing", "red ball"), ("thing", "blue key"), ("thing", "grey door")]
EMPTY = [("thing", "red box")]


def programs(*shown, others=()):
    return [dump(one.program) for one in induce(shown, others, most=8)]


def lines(text):
    return [line for line in text.splitlines() if line]


def test_of_several_kinds_of_goals_each_is_done_in_its_own_way():
    shown = (
        episode("go to the red ball", (ROOM, "go_to", {"ref": 1})),
        episode("pick up the blue key", (ROOM, "pick_up", {"ref": 2})),
        episode("go to the grey door", (ROOM, "go_to", {"ref": 3})),
    )
    best = induce(shown)[0]
    assert best.explains == 3
    assert lines(dump(best.program)) == [
        "goals:",
        "- go to the {value}",
        "- pick up the {up}",
        "steps:",
        "- when:",
        "    is: {given: value}",
        "    do:",
        "    - go_to: {role: thing, name: '{value}'}",
        "    else:",
        "    - pick_up: {role: thing, name: '{up}'}",
    ]
    assert parse(dump(best.program)) == best.program
    assert prose(best.program) == [
        'If the goal gives the value that the goal gives after "go to the": `go_to` the thing that the goal names; '
        "else `pick_up` the thing that the goal names"
    ]


def test_kinds_that_nothing_in_their_goals_tells_apart_are_not_put_together():
    shown = episode("Tidy up.", (ROOM, "pick_up", {"ref": 1})), episode("Leave now!", (ROOM, "open", {"ref": 3}))
    assert all("given" not in one for one in programs(*shown))


def test_what_one_kind_had_to_look_for_the_other_looks_for_too():
    looked = episode(
        "pick up the blue key", (EMPTY, "explore", {}), (EMPTY, "explore", {}), (ROOM, "pick_up", {"ref": 2})
    )
    found = programs(looked, episode("go to the red ball", (ROOM, "go_to", {"ref": 1})))
    looking = [
        "    - repeat:",
        "        until: {role: thing, name: '{value}'}",
        "        most: 20",
        "        do:",
        "        - explore: {}",
        "    - go_to: {role: thing, name: '{value}'}",
    ]
    assert any(lines(one)[-6:] == looking for one in found)


def test_a_long_search_may_take_longer_the_next_time():
    looked = [
        episode(f"pick up the {name}", *[(EMPTY, "explore", {})] * 9, (ROOM, "pick_up", {"ref": place}))
        for place, name in ((1, "red ball"), (2, "blue key"))
    ]
    assert "    most: 36" in programs(*looked)[0].splitlines()


def test_the_parts_of_goals_are_learnt_one_by_one():
    shown = (
        episode("go to the red ball, then go to a door", (ROOM, "go_to", {"ref": 1}), (ROOM, "go_to", {"ref": 3})),
        episode("go to a key after you go to the grey door", (ROOM, "go_to", {"ref": 3}), (ROOM, "go_to", {"ref": 2})),
    )
    assert any(
        lines(one) == ["goals:", "- go to the {value}", "steps:", "- go_to: {role: thing, has: '{value}'}"]
        for one in programs(*shown)
    )


def test_steps_that_do_not_follow_the_parts_of_a_goal_are_not_divided():
    shown = episode("go to the red ball, then go to a door", (ROOM, "go_to", {"ref": 1}), (ROOM, "go_to", {"ref": 2}))
    assert all("go to the red ball, then" in one for one in programs(shown))


def test_a_goal_that_tells_where_a_thing_is_tells_it_by_what_is_around():
    def doors(*sides):
        return [("thing", f"{colour} door", {"within": f"in front of you, {side}"}) for colour, side in sides]

    one = episode("open the door on your left", (doors(("red", "on your left")), "open", {"ref": 1}))
    other = episode("open the door on your right", (doors(("grey", "on your right")), "open", {"ref": 1}))
    assert any("- open: {role: thing, has: '{value}'}" in text for text in programs(one, other))


def test_a_goal_can_be_read_as_parts_in_the_order_of_doing():
    assert [*clauses("go to a and open b after you pick up c")] == [
        ("pick up c", "go to a", "open b"),
        ("go to a", "open b after you pick up c"),
    ]
    assert [*clauses('say "a and b", then stop')] == [('say "a and b"', "stop")]


CUBES = [("cube", "red cube"), ("cube", "blue cube"), ("cube", "green cube")]


def beside(goal, cube, other, offset):
    return episode(goal, (CUBES, "pick", {"ref": cube}), (CUBES, "place_at", {"ref": other, "offset": offset}))


def test_words_decide_where_to_where_they_differ_with_the_way_that_was_taken():
    behind = beside("Put the red cube behind the blue cube now please.", 1, 2, [0, 0.1, 0])
    left = beside("Put the green cube left of the red cube now please.", 3, 1, [-0.1, 0.02, 0])
    assert lines(dump(induce([behind, left])[0].program)) == [
        "goals:",
        "- Put the {value} behind the {behind} now please.",
        "- Put the {value_2} left of the {left} now please.",
        "steps:",
        "- when:",
        "    is: {given: value}",
        "    do:",
        "    - pick: {role: cube, name: '{value}'}",
        "    - place_at: {role: cube, name: '{behind}', offset: [0, 0.1, 0]}",
        "    else:",
        "    - pick: {role: cube, name: '{value_2}'}",
        "    - place_at: {role: cube, name: '{left}', offset: [-0.1, 0.02, 0]}",
    ]


def test_ways_that_no_word_tells_apart_are_not_put_together():
    one = beside("Put the red cube beside the blue cube.", 1, 2, [0, 0.1, 0])
    other = beside("Put the green cube beside the red cube.", 3, 1, [-0.1, 0, 0])
    assert all("given" not in text for text in programs(one, other))


def test_a_wording_that_one_way_was_asked_in_is_known_of_the_others_too():
    behind = ("Put {a} behind {b}, {n} cm away.", "{a} is behind {b}, within {n} cm.", "Hide {a}.")
    right, front = ("Put {c} to the right of {d}, {m} cm away.",), ("{e} is in front of {f}, within {o} cm.",)
    assert by_analogy([behind, right, front]) == [
        behind,
        (*right, "{c} is to the right of {d}, within {m} cm."),
        (*front, "Put {e} in front of {f}, {o} cm away."),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Go to {a} now.", "Walk to {a}."), ("Run from {b} later.",)),
        (("Go to {a}.", "{a} or {x} and go"), ("Leave {b}.",)),
        (("Go to {a}.", "Go to it, go to {a}."), ("Go off {b...}.",)),
        (("Go to {a}.",), ("Go to {a} and {b}.",)),
    ],
    ids=["two places differ", "a slot that the other has not", "a list and none", "slots differ"],
)
def test_patterns_that_are_not_alike_suggest_none(one, other):
    assert by_analogy([one, other]) == [one, other]
