"""What programs know, as sentences whose slots a planner fills."""

import pytest

from skillagent.acting.forms import described, forms_of, schema, subgoals
from skillagent.llm.shape import grammar, misfit
from skillagent.programs.text import FILE
from skillagent.schema import Element, Observation, Skill


def skill(name, *goals, solved=(), steps="- press: {role: button}"):
    text = f"goals: {list(goals)!r}\nsteps:\n{steps}\n"
    return Skill(name=name, description="says this", body="b", goals=solved, files={FILE: text} if goals else {})


PUTS, SHUTS, WORDS = (
    skill("puts", "put {thing} on {below}", "set {thing} on {below}"),
    skill("shuts", "shut it"),
    skill("w"),
)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ({"do": "put {thing} on {below}", "with": {"thing": "a", "below": "b"}}, "put a on b"),
        ({"do": "sort {all...}", "with": {"all": ["a", "b", "c"]}}, "sort a, b and c"),
        ({"do": "sort {all...}", "with": {"all": ["a"]}}, "sort a"),
        ({"do": "say {{this}}", "with": {}}, "say {this}"),
        ({"text": "of its own", "wanted": ""}, "of its own"),
        ({"do": "put {text} there", "with": {"text": "a"}, "done_when": "x"}, "put a there"),
    ],
)
def test_a_part_is_its_sentence_with_its_slots_filled(part, text):
    assert [one.text for one in subgoals({"subgoals": [part]})] == [text]


@pytest.mark.parametrize(
    "part",
    [
        {"do": "put {thing} on {below}", "with": {"thing": "a"}},
        {"do": "put {thing} on {below}", "with": {"thing": "a", "below": " "}},
        {"do": "sort {all...}", "with": {"all": []}},
        {"do": "put {thing} there"},
        {"text": " "},
        "put",
    ],
)
def test_a_part_whose_slots_are_not_filled_is_none(part):
    assert subgoals({"subgoals": [part]}) == ()


def element(ref, role, name):
    return Element(ref=ref, role=role, name=name)


def seen(*elements):
    return Observation(goal="g", text="t", elements=tuple(elements))


TABLE = seen(element("1", "cube", "red"), element("2", "cube", "blue"), element("3", "bowl", "deep"))
PICKED = """- pick: {role: cube, name: '{thing}'}
- place: {role: bowl, name: '{below}'}"""


def test_what_is_known_is_told_by_sentences_each_once_and_other_skills_in_words():
    solved = skill("puts", "put {thing} on {below}", solved=("shut it", "put red on blue"))
    forms = forms_of([solved, SHUTS, skill("same", "shut it")], "g", None)
    assert described(forms, [WORDS]).splitlines() == [
        "- put {thing} on {below} For example: put red on blue",
        "- shut it",
        "- w: says this",
    ]


@pytest.mark.parametrize("without", [WORDS, Skill(name="x", description="d", body="b", files={FILE: "goals: ["})])
def test_a_skill_without_a_program_that_can_be_read_has_no_sentence(without):
    assert forms_of([without], "g", TABLE) == []


def test_a_slot_that_names_a_thing_takes_the_names_of_such_things_in_sight():
    (form,) = forms_of([skill("puts", "put {thing} in {below}", steps=PICKED)], "g", TABLE)
    assert form.values == {"thing": ("red", "blue"), "below": ("deep",)}


def test_a_sentence_that_needs_a_thing_of_which_none_is_in_sight_is_left_out():
    puts = skill("puts", "put {thing} in {below}", steps=PICKED)
    assert forms_of([puts], "g", seen(element("1", "cube", "red"))) == []
    assert [form.text for form in forms_of([puts], "g", None)] == ["put {thing} in {below}"]


EITHER = """- when:
    is: {given: behind}
    do: [{place: {role: cube, name: '{behind}'}}]
    else: [{place: {role: bowl, name: '{front}'}}]"""


def test_of_sentences_with_the_same_slots_the_first_is_told_and_others_are_things_of_their_own():
    goals = ("go behind {behind}", "move behind {behind}", "go before {front}")
    forms = forms_of([skill("goes", *goals, steps=EITHER)], "g", TABLE)
    assert [(form.text, form.values) for form in forms] == [
        ("go behind {behind}", {"behind": ("red", "blue")}),
        ("go before {front}", {"front": ("deep",)}),
    ]


def test_of_things_in_sight_those_that_the_goal_names_where_it_names_any():
    (form,) = forms_of([skill("puts", "put {thing} in {below}", steps=PICKED)], "the blue one", TABLE)
    assert form.values == {"thing": ("blue",), "below": ("deep",)}


def test_a_sentence_that_names_another_thing_than_the_goal_is_left_out():
    known = skill("puts", "put red in the bowl", "put {thing} in the bowl", steps=PICKED.splitlines()[0])
    assert [form.text for form in forms_of([known], "the blue one", TABLE)] == ["put {thing} in the bowl"]
    assert [form.text for form in forms_of([known], "the red one", TABLE)] == [
        "put red in the bowl",
        "put {thing} in the bowl",
    ]


NESTED = """- each:
    in: all
    as: one
    do:
    - when:
        is: {shows: x}
        do: [{pick: {role: cube, name: '{one}'}}]
        else: [{place: {role: bowl, name: '{below}'}}]"""


def test_things_are_found_in_loops_and_conditions_too():
    (form,) = forms_of([skill("sorts", "put {all...} in {below}", steps=NESTED)], "g", TABLE)
    assert form.values == {"all": ("red", "blue"), "below": ("deep",)}


def test_a_slot_that_was_always_a_number_takes_the_numbers_of_the_goal():
    opens = skill(
        "opens", "open it to {share} percent {how}", solved=("open it to 50 percent now", "open it to 5 percent 3")
    )
    (form,) = forms_of([opens], "first 20, then 35.5 percent of a2", TABLE)
    assert form.values == {"share": ("20", "35.5")}
    assert forms_of([opens], "open it", TABLE) == []


@pytest.mark.parametrize(
    ("own", "free", "asking"), [("any", True, True), ("missing", False, True), ("none", False, False)]
)
def test_a_reply_is_bound_to_known_sentences_and_own_words_where_they_may_be_and_say_what_is_missing(own, free, asking):
    puts = skill("puts", "put {thing} in {below}", steps=PICKED)
    bound = schema(forms_of([puts, SHUTS, WORDS], "g", TABLE), own=own)
    known = {"do": "put {thing} in {below}", "with": {"thing": "red", "below": "deep"}, "done_when": ""}
    part = {"text": "t", "done_when": "", "wanted": ""}
    assert misfit({"subgoals": [known, {"do": "shut it", "with": {}, "done_when": ""}]}, bound) is None
    assert misfit({"subgoals": [{**known, "do": "lift {thing}"}]}, bound)
    assert misfit({"subgoals": [{**known, "with": {"thing": "deep", "below": "red"}}]}, bound)
    assert bool(misfit({"subgoals": [part]}, bound)) is not free
    assert bool(misfit({"subgoals": [{**part, "wanted": "painting"}]}, bound)) is not asking
    assert misfit({"subgoals": []}, bound)
    grammar(bound)
