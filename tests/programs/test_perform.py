"""A program finds its elements anew at every step, and says what surprised it."""

import pytest

from skillagent.programs.find import find, text_behind
from skillagent.programs.perform import Blocked, Wanted, perform
from skillagent.programs.text import parse
from skillagent.schema import Action, Element, Observation, Outcome, Target


def page(*elements, text=None):
    made = tuple(
        Element(ref=str(n), role=one[0], name=one[1], **(one[2] if len(one) > 2 else {}))
        for n, one in enumerate(elements, start=1)
    )
    shown = "\n".join(f'[{e.ref}] {e.role} "{e.name}"' for e in made)
    return Observation(goal="g", text=text if text is not None else shown, elements=made)


def moves_of(program, pages, filled=None, **options):
    """Return what a program does while the world shows one page after the other, and how it ends."""
    done, following = [], iter(pages)
    moves = perform(parse(program), filled or {}, next(following), **options)
    try:
        move = next(moves)
        while True:
            done.append(str(move) if isinstance(move, Action) else move)
            shown = next(following)
            outcome = shown if isinstance(shown, Outcome) else Outcome(observation=shown)
            move = moves.send(outcome)
    except StopIteration as end:
        return done, end.value


FORM = page(("textbox", "", {"near": "Name"}), ("button", "Save"), ("button", "Cancel"))


def test_steps_are_done_one_after_the_other():
    program = "goals: ['Call {name}.']\nsteps:\n- fill: {near: name, text: '{name}'}\n- click: {name: save}"
    done, end = moves_of(program, [FORM, FORM, FORM], {"name": "Bo"})
    assert done == ['fill(ref="1", text="Bo")', 'click(ref="2")']
    assert end is None


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("click: {role: button, name: Send}", 'there is no button "Send"'),
        ("click: {role: button}", "2 elements fit button"),
        ("expect: {shows: Saved}", "'Saved' is not there"),
        ("expect: {name: Save, gone: true}", 'element "Save" is still there'),
        ("fill: {role: textbox, text: {behind: Total}}", "nothing is said behind 'Total'"),
    ],
)
def test_what_is_not_as_expected_ends_the_program_in_words(step, what):
    assert moves_of(f"steps:\n- {step}", [FORM]) == ([], what)


TABLE = page(
    ("cube", "small red cube", {"states": ("small",), "within": "blue bowl"}),
    ("cube", "blue cube", {"states": ("big",)}),
    ("bowl", "red bowl"),
    ("bowl", "blue bowl"),
)


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (Target(role="cube", state="big"), ["blue cube"]),
        (Target(role="cube", state="medium"), []),
        (Target(role="bowl", like="{one}"), ["red bowl"]),
        (Target(role="bowl", like="green plate"), []),
        (Target(like="small red cube"), ["small red cube"]),
        (Target(role="cube", has="the cube in {one} bowl"), []),
        (Target(role="cube", has="the small cube blue bowl"), ["small red cube"]),
        (Target(role="cube", has="blue cube"), ["blue cube"]),  # the name says it
        (Target(has="big object"), ["blue cube"]),
        (Target(has="big"), []),
        (Target(has="the object"), []),
    ],
)
def test_an_element_is_known_by_a_state_by_words_that_it_shares_and_by_all_that_is_seen_of_it(target, names):
    assert [one.name for one in find(target, TABLE, {"one": "Red cube"})] == names


def test_each_is_for_all_elements_that_fit_as_things_are_before_the_first():
    program = """
steps:
- each:
    of: {role: cube}
    as: cube
    do:
    - pick: {role: cube, name: '{cube}'}
    - place_in: {role: bowl, like: '{cube}'}"""
    fewer = page(("bowl", "blue bowl"), ("bowl", "red bowl"), ("cube", "blue cube"))
    done, end = moves_of(program, [TABLE, TABLE, fewer, fewer, fewer])
    assert done == ['pick(ref="1")', 'place_in(ref="3")', 'pick(ref="3")', 'place_in(ref="1")']
    assert end is None


def test_an_action_that_is_refused_is_a_surprise():
    refused = Outcome(observation=FORM, error="[2] button is covered")
    assert moves_of("steps:\n- click: {name: Save}\n- done", [FORM, refused]) == (
        ['click(ref="2")'],
        "[2] button is covered",
    )


def test_a_slot_without_a_value_is_a_surprise():
    program = "goals: ['{a} x', y]\nsteps:\n- click: {name: '{a}'}"
    assert moves_of(program, [FORM]) == ([], "nothing is known to put into {a}")


@pytest.mark.parametrize(
    ("later", "done"),
    [
        pytest.param("click: {name: '{a}'}", [], id="to act on"),
        pytest.param("fill: {near: Name, text: 'for {a}'}", [], id="to type"),
        pytest.param("expect: {shows: '{a}'}", [], id="to look for"),
        pytest.param("ask: {click: {role: button}, about: '{a}'}", [], id="to ask about"),
        pytest.param("repeat: {until: {shows: '{a}'}, do: [{click: {name: Save}}]}", [], id="until"),
        pytest.param("each: {in: all, as: one, do: [{fill: {name: '{one}', text: '{a}'}}]}", [], id="for each"),
        pytest.param("each: {in: none, as: one, do: [{click: {name: '{a}'}}]}", ["click"], id="for each of none"),
        pytest.param("when: {is: {name: Gone}, do: [{click: {name: '{a}'}}]}", ["click"], id="in a branch"),
    ],
)
def test_nothing_is_done_where_a_later_step_lacks_a_value(later, done):
    program = f"goals: ['{{a}} x {{none...}}', 'y {{all...}}']\nsteps:\n- click: {{name: Save}}\n- {later}"
    moves, end = moves_of(program, [FORM, FORM], {"all": ("Name", "Save")})
    assert [move.partition("(")[0] for move in moves] == done
    assert end == (None if done else "nothing is known to put into {a}")


def test_a_program_that_only_loops_is_stopped():
    inner = "{when: {is: {shows: no}, do: [done]}}"
    for item in "cba":
        inner = f"{{each: {{in: all, as: {item}, do: [{inner}]}}}}"
    program, values = f"goals: ['x {{all...}}']\nsteps:\n- {inner}\n- done", tuple(map(str, range(60)))
    assert moves_of(program, [FORM], {"all": values}) == ([], "10000 steps in a row did nothing")
    assert moves_of(program, [FORM] * 2, {"all": values[:20]}) == (["done()"], None)


def test_each_value_of_a_list_is_taken_in_turn_and_a_list_without_values_not_at_all():
    program = "goals: ['{all...}', none]\nsteps:\n- each: {in: all, as: one, do: [{click: {name: '{one}'}}]}"
    assert moves_of(program, [FORM] * 3, {"all": ("Save", "Cancel")})[0] == ['click(ref="2")', 'click(ref="3")']
    assert moves_of(program, [FORM]) == ([], None)


def test_a_search_takes_the_next_one_until_it_finds():
    tabs = [("tab", "1"), ("tab", "2"), ("tab", "3")]
    program = "steps:\n- repeat: {until: {name: x}, do: [{click: {role: tab, order: next}}]}\n- click: {name: x}"
    shut, found = page(*tabs), page(*tabs, ("link", "X"))
    assert moves_of(program, [shut, shut, found, found]) == (
        ['click(ref="1")', 'click(ref="2")', 'click(ref="4")'],
        None,
    )
    assert moves_of(program, [found, found])[0] == ['click(ref="4")']


def test_a_search_gives_up_after_the_last_one_and_after_so_many():
    tabs = page(("tab", "1"), ("tab", "2"))
    until = "steps:\n- repeat: {until: {shows: x}, most: 3, do: [{click: {role: tab, order: %s}}]}"
    assert moves_of(until % "next", [tabs] * 3)[1] == "there is no tab (next)"
    assert moves_of(until % "1", [tabs] * 4)[1] == "3 times were not enough"


def test_a_condition_chooses_what_is_done():
    program = "steps:\n- when: {is: {name: Cancel}, do: [{click: {name: Cancel}}], else: [done]}"
    assert moves_of(program, [FORM, FORM])[0] == ['click(ref="3")']
    assert moves_of(program, [page(("button", "Save")), FORM])[0] == ["done()"]


def test_a_hole_says_what_is_open_and_what_is_settled():
    done, end = moves_of("steps:\n- ask: {fill: {near: Name}, about: who it is}", [FORM, FORM])
    assert done == [
        Wanted(verb="fill", elements={"ref": FORM.elements[:1]}, arguments={}, about="who it is"),
    ]
    assert end is None


def test_what_is_late_is_waited_for_once_but_not_before_the_first_move():
    wait = Action(verb="wait")
    program = "steps:\n- click: {name: Save}\n- click: {name: Done}"
    late = page(("button", "Done"))
    assert moves_of(program, [FORM, FORM, late, late], patience=wait)[0] == [
        'click(ref="2")',
        "wait()",
        'click(ref="1")',
    ]
    assert moves_of(program, [FORM, FORM, FORM], patience=wait) == (
        ['click(ref="2")', "wait()"],
        'there is no element "Done"',
    )
    assert moves_of(program, [late], patience=wait) == ([], 'there is no element "Save"')


BLOCKED = Blocked(why='there is no element "Done"')
SAVE_THEN_DONE = "steps:\n- click: {name: Save}\n- click: {name: Done}"


def test_a_step_that_cannot_be_done_is_tried_again_after_help_and_waited_for_once():
    wait, done = Action(verb="wait"), page(("button", "Done"))
    assert moves_of(SAVE_THEN_DONE, [FORM, FORM, FORM, FORM, done, done], patience=wait, help=3) == (
        ['click(ref="2")', "wait()", BLOCKED, BLOCKED, 'click(ref="1")'],
        None,
    )
    refused = Outcome(observation=FORM, error="it is covered")
    clear = FORM.model_copy(update={"text": "nothing is in the way"})
    assert moves_of("steps:\n- click: {name: Save}", [FORM, refused, clear, clear], help=1) == (
        ['click(ref="2")', Blocked(why="it is covered"), 'click(ref="2")'],
        None,
    )


def test_what_was_refused_is_not_tried_again_on_the_very_same_page():
    refused = Outcome(observation=FORM, error="it is covered")
    assert moves_of("steps:\n- click: {name: Save}", [FORM, refused, FORM, FORM], help=2) == (
        ['click(ref="2")', *[Blocked(why="it is covered")] * 2],
        "it is covered",
    )


def test_only_what_may_be_in_the_way_is_cleared_away_the_rest_is_left_to_the_other():
    two = page(("button", "Delete"), ("button", "Delete"))
    choice = "steps:\n- click: {name: Save}\n- click: {name: Delete}"
    assert moves_of(choice, [FORM, two], help=3) == (['click(ref="2")'], '2 elements fit element "Delete"')
    hole = "steps:\n- click: {name: Save}\n- ask: {click: {role: button}}"
    wanted, refused = moves_of(hole, [FORM, FORM, Outcome(observation=FORM, error="no")], help=3)
    assert (len(wanted), refused) == (2, "no")


def test_after_help_what_is_late_is_waited_for_again():
    wait, done = Action(verb="wait"), page(("button", "Done"))
    program = f"{SAVE_THEN_DONE}\n- click: {{name: Last}}"
    moves, _ = moves_of(program, [FORM, FORM, FORM, done, done, done], patience=wait, help=1)
    assert moves == ['click(ref="2")', "wait()", BLOCKED, 'click(ref="1")', "wait()"]


def test_help_has_an_end_and_nobody_helps_a_program_that_is_not_for_this_page():
    assert moves_of(SAVE_THEN_DONE, [FORM] * 4, help=2) == (['click(ref="2")', BLOCKED, BLOCKED], BLOCKED.why)
    other = page(("button", "Other"))
    assert moves_of(SAVE_THEN_DONE, [other], help=2) == ([], 'there is no element "Save"')
    wait = Action(verb="wait")
    assert moves_of(SAVE_THEN_DONE, [other] * 2, help=2, begun=True, patience=wait) == (
        ["wait()"],
        'there is no element "Save"',
    )


ROWS = page(
    ("link", "Ann Lee, today"), ("icon", "star"), ("link", "Bo"), ("icon", "star"), ("icon", "Star"), ("icon", "bin")
)


@pytest.mark.parametrize(
    ("target", "refs"),
    [
        pytest.param({"name": "star"}, "24", id="case tells them apart"),
        pytest.param({"name": "STAR"}, "245", id="no case does"),
        pytest.param({"name": "star", "after": "bo"}, "4", id="the first behind a text"),
        pytest.param({"role": "icon", "after": "bo", "order": 3}, "6", id="the third behind a text"),
        pytest.param({"role": "icon", "order": "last"}, "6", id="the last"),
        pytest.param({"has": "lee"}, "1", id="part of a name"),
        pytest.param({"has": "le"}, "", id="part of a word"),
        pytest.param({"role": "icon", "order": "{n}"}, "4", id="an ordinal of the goal"),
        pytest.param({"role": "icon", "order": 9}, "", id="too far"),
        pytest.param({"role": "icon", "after": "nowhere"}, "", id="behind what is not there"),
    ],
)
def test_a_target_means_what_a_person_would_point_at(target, refs):
    assert "".join(one.ref for one in find(Target(**target), ROWS, {"n": "2nd"})) == refs


OFFERS = page(
    ("button", "Book for $1,844", {"within": "Lot, 2h 16m"}),
    ("button", "Book for $97.50", {"within": "Klm, 3h 40m"}),
    ("button", "Help", {"within": "Klm"}),
    ("button", "Book for 310 euros", {"within": "Lot, 3h 41m"}),
)


@pytest.mark.parametrize(
    ("target", "refs"),
    [
        pytest.param({"order": "least"}, "2", id="the least number"),
        pytest.param({"order": "greatest"}, "1", id="the greatest number"),
        pytest.param({"has": "Help", "order": "least"}, "", id="no number"),
        pytest.param({"within": "klm"}, "3", id="what stands around it, whole"),
        pytest.param({"within": "lot"}, "14", id="part of what stands around it"),
        pytest.param({"within": "lot", "order": "least"}, "4", id="both"),
        pytest.param({"within": ""}, "", id="part of nothing"),
    ],
)
def test_a_row_is_known_by_what_stands_in_it_and_an_offer_by_its_price(target, refs):
    assert "".join(one.ref for one in find(Target(**target), OFFERS, {})) == refs


def test_typed_text_is_nothing_that_an_element_stands_behind():
    typed = page(("textbox", "a"), ("button", "b"), text='[1] textbox "a" = "bob"\n[2] button "b"')
    assert find(Target(role="button", after="bob"), typed, {}) == ()


def test_typed_text_is_nothing_that_a_value_is_read_behind():
    typed = '[1] textbox "a" = "Total"'
    assert text_behind(Observation(goal="g", text=typed), "total") is None
    assert text_behind(Observation(goal="g", text=f"{typed}\nrow: Total | 7"), "total") == "7"


def test_a_number_in_the_text_of_a_page_is_no_element():
    page_ = page(("button", "a"), ("button", "b"), text='see [2] below\ntext: Total\n[1] button "a"\n[2] button "b"')
    assert [one.ref for one in find(Target(role="button", after="total", order=2), page_, {})] == ["2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("row: Name | Bo | 3", "Bo"), ("Name: Bo Lee\nNext: x", "Bo Lee"), ("Name", None), ("Names | Bo", None)],
)
def test_what_stands_behind_a_label_is_read(text, said):
    assert text_behind(Observation(goal="g", text=text), "name") == said
