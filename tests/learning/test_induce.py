"""Programs are read off successes: what varies is explained by the goal, by the page, or left open."""

import re

import pytest

from skillagent.learning.induce import induce
from skillagent.learning.prose import prose
from skillagent.programs.text import dump, parse
from skillagent.schema import Action, Each, Element, Observation, Step, Task, Trajectory


def episode(goal, *steps, final="end", ended=True):
    """Return a trajectory; a step is its page (role, name and other fields of each element), a verb and arguments.

    An argument that is a number above 0 is an element of the page by its place.
    """
    made = []
    for page, verb, arguments in steps:
        elements = tuple(
            Element(ref=f"{len(made)}-{n}", role=one[0], name=one[1], **(one[2] if len(one) > 2 else {}))
            for n, one in enumerate(page, start=1)
        )
        text = "\n".join(f'[{one.ref}] {one.role} "{one.name}" {one.near}' for one in elements)
        given = {k: elements[v - 1].ref if isinstance(v, int) else v for k, v in arguments.items()}
        seen = Observation(goal=goal, text=f"{text}\n(state {len(made)})", elements=elements)
        made.append(Step(observation=seen, action=Action(verb=verb, arguments=given)))
    return Trajectory(
        task=Task(env="e", name="t"),
        goal=goal,
        steps=tuple(made),
        final=Observation(goal=goal, text=final),
        terminated=ended,
    )


def best(*successes, others=()):
    return induce(successes, others)[0]


def steps_of(*successes, others=()):
    return dump(best(*successes, others=others).program).split("steps:\n")[1].strip().splitlines()


def boxes(*names):
    return [("checkbox", name) for name in names] + [("button", "Submit")]


def ticked(goal, page, *places):
    last = len(page)
    return episode(goal, *((page, "click", {"ref": n}) for n in places), (page, "click", {"ref": last}))


def test_a_value_of_the_goal_becomes_a_slot_and_what_stays_is_said():
    one = episode('Find the person "Ann" please.', ([("link", "Ann"), ("link", "Bo")], "click", {"ref": 1}))
    other = episode('Find the person "Bo" please.', ([("link", "Ann"), ("link", "Bo")], "click", {"ref": 2}))
    found = best(one, other)
    assert found.program.goals == ('Find the person "{person}" please.',)
    assert found.explains == 2
    assert steps_of(one, other) == ["- click: {role: link, name: '{person}'}"]


def test_one_success_alone_suggests_what_varies_by_how_the_goal_writes_it():
    one = episode('Enter the name "Ann".', ([("textbox", "", {"near": "Name"})], "fill", {"ref": 1, "text": "Ann"}))
    assert best(one).program.goals == ('Enter the name "{name}".',)
    assert steps_of(one) == ["- fill: {role: textbox, near: Name, text: '{name}'}"]


def test_a_run_over_the_values_of_a_list_becomes_each_whatever_its_order_and_length():
    page = boxes("a", "b", "c")
    one = ticked("Select c, a and click Submit.", page, 1, 3)
    other = ticked("Select b and click Submit.", page, 2)
    found = best(one, other)
    assert found.program.goals == ("Select {value...} and click Submit.",)
    assert prose(found.program) == [
        "`click` the checkbox that the goal names; repeat this for each one that the goal names",
        '`click` the button "Submit"',
    ]


@pytest.mark.parametrize(
    ("goal", "lists"),
    [
        pytest.param("Tick the item {} and click Submit.", ("c, a", "b"), id="the list has the name of one value"),
        pytest.param('Tick "{}" and click Submit.', ('c", "a', "b"), id="each value is quoted"),
    ],
)
def test_a_program_with_a_list_can_be_read_back_whatever_the_list_is_called_and_however_it_is_written(goal, lists):
    page = boxes("a", "b", "c")
    one, other = ticked(goal.format(lists[0]), page, 3, 1), ticked(goal.format(lists[1]), page, 2)
    program = best(one, other).program
    assert isinstance(program.steps[0], Each)
    assert parse(dump(program)) == program


CUBES = [("cube", name, {"states": (size,)}) for name, size in (("red cube", "big"), ("blue cube", "small"))]
BOWLS = [("bowl", "blue bowl"), ("bowl", "red bowl")]


def test_a_run_over_all_elements_of_a_role_becomes_each_of_them_and_what_belongs_to_one_is_called_like_it():
    page, other_page = [*CUBES, *BOWLS], [*BOWLS[::-1], CUBES[1], ("cube", "small red cube")]

    def sorted_out(page, *pairs):
        return episode(
            "Sort them.",
            *((page, verb, {"ref": n}) for pair in pairs for verb, n in zip(("pick", "put"), pair, strict=True)),
        )

    shown = sorted_out(page, (1, 4), (2, 3)), sorted_out(other_page, (4, 1), (3, 2))
    found = best(*shown)
    assert steps_of(*shown) == [
        "- each:",
        "    of: {role: cube}",
        "    as: item",
        "    do:",
        "    - pick: {role: cube, name: '{item}'}",
        "    - put: {role: bowl, like: '{item}'}",
    ]
    assert prose(found.program) == [
        "`pick` the cube that the goal names, then `put` the bowl that is called most like the value; "
        "repeat this for each cube"
    ]
    assert parse(dump(found.program)) == found.program


def test_what_differs_in_name_is_known_by_its_state():
    one = episode("Take the big one.", (CUBES, "pick", {"ref": 1}))
    other = episode("Take the big one.", ([CUBES[1], ("cube", "white cube", {"states": ("big",)})], "pick", {"ref": 2}))
    assert steps_of(one, other) == ["- pick: {role: cube, state: big}"]
    assert prose(best(one, other).program) == ["`pick` the cube that is big"]


def test_what_the_goal_tells_by_more_than_the_name_is_known_by_all_that_is_seen_of_it():
    left, right = ("door", "red door", {"within": "on your left"}), ("door", "grey door", {"within": "on your right"})
    one = episode('Open "the door on your left".', ([left, right], "open", {"ref": 1}))
    other = episode('Open "the door on your right".', ([left, right], "open", {"ref": 2}))
    assert steps_of(one, other) == ["- open: {role: door, has: '{value}'}"]


@pytest.mark.parametrize(
    ("goals", "amounts", "said"),
    [
        (("Open it to 25 percent.", "Open it to 50 percent."), (25, 50.0), "percent: '{value}'"),
        (("Open it to 25 percent.", "Open it to 50 percent."), (30, 30), "percent: 30.0"),
        (("Open it.", "Open it."), (-10, -15), "percent: -10.0"),
    ],
)
def test_a_number_is_the_goals_or_else_the_least_of_some_that_are_much_alike(goals, amounts, said):
    page = [("drawer", "drawer")]
    shown = [
        episode(goal, (page, "open", {"ref": 1, "percent": float(amount)}))
        for goal, amount in zip(goals, amounts, strict=True)
    ]
    assert steps_of(*shown) == [f"- open: {{role: drawer, name: drawer, {said}}}"]


def test_numbers_that_have_little_in_common_are_left_to_the_model():
    shown = [episode("Go.", ([("hand", "")], "move", {"ref": 1, "to": to})) for to in (-1.0, 1.0)]
    assert steps_of(*shown)[0] == "- ask:"


def test_a_path_is_a_list_and_its_length_varies():
    page = [("menuitem", name) for name in "abcd"]
    clicks = [[(page, "click", {"ref": place}) for place in path] for path in ((1, 2, 3), (4, 1))]
    found = best(episode("Open a>b>c", *clicks[0]), episode("Open d > a", *clicks[1]))
    assert found.program.goals == ("Open {value...}",)
    assert [step.kind for step in found.program.steps] == ["each"]


def test_a_goal_whose_list_names_nothing_gets_its_own_pattern():
    page = boxes("a", "b", "c")
    one = ticked("Select c, a and click Submit.", page, 3, 1)
    none = ticked("Select nothing and click Submit.", page)
    assert best(one, none).program.goals == (
        "Select {value...} and click Submit.",
        "Select nothing and click Submit.",
    )


def test_a_goal_whose_list_names_nothing_is_kept_as_it_is_written():
    page = boxes("a", "b", "c")
    one = ticked("Select c, a and click Submit.", page, 3, 1)
    none = ticked("Select x and y and click Submit.", page)
    assert "Select x and y and click Submit." in best(one, none).program.goals


def test_a_failure_whose_goal_has_a_list_tells_that_the_slot_is_one():
    page = boxes("a", "b", "c")
    one, other = ticked("Select a and click Submit.", page, 1), ticked("Select c and click Submit.", page, 3)
    failed = episode("Select a, b and click Submit.", (page, "click", {"ref": 4}))
    assert best(one, other).program.goals == ("Select {value} and click Submit.",)
    assert best(one, other, others=[failed]).program.goals == ("Select {value...} and click Submit.",)


SHELF = [("button", "New"), ("textbox", "", {"near": "Item"}), ("button", "Add"), ("button", "Done")]


def shelved(*items, first=()):
    """Return a success at adding things to a list, each typed and then added."""
    steps = [(SHELF, "click", {"ref": place}) for place in first]
    for item in items:
        steps += [(SHELF, "fill", {"ref": 2, "text": item}), (SHELF, "click", {"ref": 3})]
    return episode(f"Add {', '.join(items)} to the list.", *steps, (SHELF, "click", {"ref": 4}))


ADD_EACH = [
    "- each:",
    "    in: value",
    "    as: item",
    "    do:",
    "    - fill: {role: textbox, near: Item, text: '{item}'}",
    "    - click: {role: button, name: Add}",
    "- click: {role: button, name: Done}",
]


@pytest.mark.parametrize(
    ("successes", "first"),
    [
        pytest.param([shelved("Milk", "Eggs")], [], id="one success"),
        pytest.param([shelved("Milk", "Eggs"), shelved("Tea", "Rye", "Jam")], [], id="lists of two lengths"),
        pytest.param([shelved("Tea"), shelved("Milk", "Eggs")], [], id="a list of one value"),
        pytest.param(
            [shelved("Milk", "Eggs", first=[1]), shelved("Tea", first=[1])],
            ["- click: {role: button, name: New}"],
            id="after a step like the last one of each",
        ),
    ],
)
def test_each_value_of_a_list_may_take_several_steps(successes, first):
    assert steps_of(*successes) == [*first, *ADD_EACH]
    assert best(*successes).explains == len(successes)


def test_a_value_may_be_named_by_a_later_one_of_its_steps_and_by_a_part_of_a_name():
    names = ("Milk", "Eggs", "Tea", "Rye", "Jam")
    page = [("button", "Menu"), *(("link", name) for name in names), *(("button", f"Pack {name}") for name in names)]

    def packed(*chosen):
        steps = [(1, names.index(name) + 2, names.index(name) + 2 + len(names)) for name in chosen]
        clicks = [(page, "click", {"ref": place}) for own in steps for place in own]
        return episode(f"Pack {', '.join(chosen)} today.", *clicks)

    assert steps_of(packed("Milk", "Tea"), packed("Rye", "Jam", "Eggs")) == [
        "- each:",
        "    in: value",
        "    as: item",
        "    do:",
        "    - click: {role: button, name: Menu}",
        "    - click: {role: link, name: '{item}'}",
        "    - click: {role: button, name: 'Pack {item}'}",
    ]


def test_a_search_becomes_a_repetition_until_what_the_goal_names_is_there():
    tabs = [("tab", "1"), ("tab", "2"), ("tab", "3")]
    far = episode(
        'Open "x".',
        (tabs, "click", {"ref": 1}),
        (tabs, "click", {"ref": 2}),
        ([*tabs, ("link", "x")], "click", {"ref": 4}),
    )
    near = episode('Open "y".', ([*tabs, ("link", "y")], "click", {"ref": 4}))
    program = best(far, near).program
    assert prose(program)[0].endswith("repeat this until there is the link that the goal names")
    assert program.steps[0].until.element.name == "{value}"
    assert program.steps[1].targets["ref"].name == "{value}"


def test_looking_around_goes_on_until_there_is_what_comes_next_known_by_what_its_names_share():
    lamp, red, blue = ("thing", "old lamp"), ("thing", "red key"), ("thing", "blue key")
    look = [([lamp], "look", {})]
    one = episode("Open up.", *look, *look, ([lamp, red], "take", {"ref": 2}))
    other = episode("Open up.", *look, ([blue, lamp], "take", {"ref": 1}))
    at_once = episode("Open up.", ([red, lamp], "take", {"ref": 1}))
    assert steps_of(one, other, at_once) == [
        "- repeat:",
        "    until: {role: thing, has: key}",
        "    most: 20",
        "    do:",
        "    - look: {}",
        "- take: {role: thing, has: key}",
    ]


def test_looking_around_whose_end_cannot_be_told_is_done_as_often_as_was_shown():
    old, red, blue = ("thing", "old key"), ("thing", "red key"), ("thing", "blue key")
    one = episode("Take it.", ([old], "look", {}), ([old, red], "take", {"ref": 2}))
    other = episode("Take it.", ([old], "look", {}), ([old, blue], "take", {"ref": 2}))
    steps = steps_of(one, other)
    assert steps[0] == "- look: {}", "the last key was there before: it ends no search"
    assert len(steps) == 2


def test_a_goal_that_says_a_where_another_says_the_is_of_one_kind():
    page = [("thing", "red key"), ("thing", "ball")]
    one = episode("Take the red key.", (page, "take", {"ref": 1}))
    other = episode("Take a ball.", (page, "take", {"ref": 2}))
    assert best(one, other).program.goals == ("Take the {value}.",)
    assert steps_of(one, other) == ["- take: {role: thing, name: '{value}'}"]


def test_a_search_for_a_text_goes_on_until_it_is_shown():
    page = [("link", ">")]

    def book(goal, pages, name):
        shown = [(page, "click", {"ref": 1})] * pages
        return episode(goal, *shown, ([("heading", name), ("link", "mail")], "click", {"ref": 2}))

    program = best(book('Mail "Ann".', 2, "Ann"), book('Mail "Bo".', 1, "Bo")).program
    assert program.steps[0].until.shows == "{value}"


def emptied(bins, left=0, ending="OK"):
    """Return a success at deleting things one after the other; each is gone then, but for those that are left."""
    pages = [[("button", "Delete")] * n + [("button", ending)] for n in range(bins, left - 1, -1)]
    clicks = [(page, "click", {"ref": 1}) for page in pages[:-1]]
    return episode("Delete everything.", *clicks, (pages[-1], "click", {"ref": left + 1}))


def test_a_run_of_one_action_until_nothing_is_left_for_it_becomes_a_repetition():
    found = best(emptied(2), emptied(4), emptied(1))
    assert found.explains == 3
    assert dump(found.program).split("steps:\n")[1].strip().splitlines() == [
        "- repeat:",
        "    until: {role: button, name: Delete, order: 1, gone: true}",
        "    most: 20",
        "    do:",
        "    - click: {role: button, name: Delete, order: 1}",
        "- click: {role: button, name: OK}",
    ]


def test_a_run_that_ends_while_there_is_still_something_left_for_it_is_no_repetition():
    assert "repeat" not in dump(best(emptied(3, left=1), emptied(5, left=1)).program)
    assert "repeat" not in dump(best(emptied(2), emptied(2)).program), "it may always be two"


def test_a_step_that_only_some_needed_becomes_a_condition_on_its_element():
    save = [("button", "Save")]
    asked = episode("Save it.", ([("button", "Accept"), *save], "click", {"ref": 1}), (save, "click", {"ref": 1}))
    plain = episode("Save it.", (save, "click", {"ref": 1}))
    assert steps_of(asked, plain) == [
        "- when:",
        "    is: {role: button, name: Accept}",
        "    do:",
        "    - click: {role: button, name: Accept}",
        "- click: {role: button, name: Save}",
    ]


def test_what_is_done_after_a_step_that_only_some_needed_belongs_to_it():
    page, popup = [("textbox", "Name"), ("button", "Save")], [("button", "Cancel")]
    fill, save = (page, "fill", {"ref": 1, "text": "Ann"}), (page, "click", {"ref": 2})
    again = episode('Save "Ann".', fill, ([*page, *popup], "click", {"ref": 3}), fill, save)
    plain = episode('Save "Ann".', fill, save)
    assert steps_of(again, plain) == [
        "- fill: {role: textbox, name: Name, text: '{value}'}",
        "- when:",
        "    is: {role: button, name: Cancel}",
        "    do:",
        "    - click: {role: button, name: Cancel}",
        "    - fill: {role: textbox, name: Name, text: '{value}'}",
        "- click: {role: button, name: Save}",
    ]


def test_what_comes_after_a_step_of_all_does_not_belong_to_a_condition_before_it():
    page, popup = [("textbox", "Name"), ("button", "Check"), ("button", "Save")], [("button", "Cancel")]
    check, save = (page, "click", {"ref": 2}), (page, "click", {"ref": 3})
    fill = (page, "fill", {"ref": 1, "text": "Ann"})
    away = ([*page, *popup], "click", {"ref": 4})
    lines = steps_of(episode('Save "Ann".', away, check, fill, save), episode('Save "Ann".', check, save))
    assert [line.strip() for line in lines] == [
        "- when:",
        "is: {role: button, name: Cancel}",
        "do:",
        "- click: {role: button, name: Cancel}",
        "- click: {role: button, name: Check}",
        "- click: {role: button, name: Save}",
    ]


def test_what_others_do_without_does_not_belong_to_a_step_that_only_some_of_them_needed():
    page, popup = [("textbox", "Name"), ("button", "Save")], [("button", "Cancel")]
    fill, save = (page, "fill", {"ref": 1, "text": "Ann"}), (page, "click", {"ref": 2})
    away = ([*page, *popup], "click", {"ref": 3})
    shown = [episode('Save "Ann".', *steps) for steps in ((fill, away, fill, save), (fill, away, save), (fill, save))]
    assert [line for line in steps_of(*shown) if "fill" in line] == [
        "- fill: {role: textbox, name: Name, text: '{value}'}"
    ]


def test_a_step_that_others_did_without_on_such_a_page_is_left_out():
    page = [("button", "Hello"), ("button", "Save")]
    detour = episode("Save it.", (page, "click", {"ref": 1}), (page, "click", {"ref": 2}))
    plain = episode("Save it.", (page, "click", {"ref": 2}))
    assert steps_of(detour, plain) == ["- click: {role: button, name: Save}"]


def test_what_nothing_explains_is_left_open():
    one = episode("Do the sum.", ([("textbox", "")], "fill", {"ref": 1, "text": "4"}))
    other = episode("Do the sum.", ([("textbox", "")], "fill", {"ref": 1, "text": "7"}))
    assert steps_of(one, other) == ["- ask:", "    fill: {role: textbox}"]


@pytest.mark.parametrize(
    ("goals", "typed", "template"),
    [
        pytest.param(
            ("On 08/31/2019.", "On 02/04/2021."),
            ("2019-08-31", "2021-02-04"),
            "{value_3}-{value}-{value_2}",
            id="date parts",
        ),
        pytest.param(("Set 9:37 PM.", "Set 4:05 AM."), ("21:37", "04:05"), "{value|time}", id="a time"),
        pytest.param(('Shout "ab".', 'Shout "cd".'), ("AB", "CD"), "{value|upper}", id="capitals"),
        pytest.param(('Write "ab" here.', 'Write "cd" here.'), ("<ab>", "<cd>"), "<{value}>", id="around"),
    ],
)
def test_a_typed_text_is_made_from_values_of_the_goal(goals, typed, template):
    shown = [
        episode(goal, ([("textbox", "Box")], "fill", {"ref": 1, "text": text}))
        for goal, text in zip(goals, typed, strict=True)
    ]
    (step,) = best(*shown).program.steps
    assert step.arguments["text"] == template


def test_what_is_typed_may_be_what_the_page_says_behind_a_value_of_the_goal():
    def table(goal, rows, text):
        made = episode(goal, ([("textbox", "")], "fill", {"ref": 1, "text": text}))
        first = made.steps[0]
        seen = first.observation.model_copy(update={"text": f"{rows}\n{first.observation.text}"})
        return made.model_copy(update={"steps": (first.model_copy(update={"observation": seen}),)})

    one = table("Enter the value of Color here.", "row: Color | red\nrow: Year | 1990", "red")
    other = table("Enter the value of Year here.", "row: Color | blue\nrow: Year | 1991", "1991")
    (step,) = best(one, other).program.steps
    assert step.arguments == {"text": {"behind": "{value}"}}


def test_a_row_is_found_by_what_it_holds_and_a_button_by_the_text_before_it():
    def mails(goal, place):
        page = [("link", "Ann: hello"), ("icon", "bin"), ("link", "Bo: see you"), ("icon", "bin")]
        return episode(goal, (page, "click", {"ref": place}))

    assert steps_of(mails("Open Ann now.", 1), mails("Open Bo now.", 3)) == ["- click: {role: link, has: '{value}'}"]
    assert steps_of(mails("Drop Ann now.", 2), mails("Drop Bo now.", 4)) == [
        "- click: {role: icon, name: bin, after: '{value}'}"
    ]


def test_an_ordinal_of_the_goal_gives_the_place():
    page = [("textbox", "")] * 3
    one = episode("Go into the 3rd box.", (page, "click", {"ref": 3}))
    other = episode("Go into the 1st box.", (page, "click", {"ref": 1}))
    assert steps_of(one, other) == ["- click: {role: textbox, order: '{value}'}"]


def test_a_fixed_name_that_other_pages_lack_is_not_relied_on():
    success = episode("Open it.", ([("tab", "Lorem"), ("link", "x")], "click", {"ref": 1}))
    failed = episode("Open it.", ([("tab", "Ipsum"), ("link", "x")], "click", {"ref": 2}))
    assert steps_of(success) == ["- click: {role: tab, name: Lorem}"]
    assert steps_of(success, others=[failed]) == ["- click: {role: tab}"]


def test_a_look_speaks_only_of_names_on_the_first_page():
    form, after = [("button", "Open")], [("button", "Save")]
    one = episode("Go.", (form, "click", {"ref": 1}), (after, "click", {"ref": 1}))
    look = one.model_copy(update={"steps": (), "final": one.steps[0].observation})
    assert [dump(found.program) for found in induce([one, one], [look])] == [
        dump(found.program) for found in induce([one, one])
    ]
    other = look.model_copy(update={"final": Observation(goal="Go.", text="", elements=())})
    assert any("name: Open" not in dump(found.program) for found in induce([one, one], [other]))


def test_successes_that_have_nothing_in_common_are_not_forced_together():
    page = [("button", "a"), ("button", "b")]
    one = episode("Do it.", (page, "click", {"ref": 1}))
    two = episode("Do it.", (page, "click", {"ref": 1}))
    odd = episode("Do it.", (page, "press", {"keys": "Enter"}))
    assert best(one, two, odd).explains == 2


def test_nothing_is_induced_from_nothing():
    assert induce([]) == []
    assert induce([episode("Do it.", ended=False)]) == []


def test_what_fits_most_pages_and_is_missing_on_the_others_is_done_where_it_is_there():
    def contact(goal, place):
        page = [("text", "Email:"), ("link", "a@b"), ("text", "Address:"), ("link", "1 Grove")]
        return episode(goal, (page, "click", {"ref": place}))

    shown = [contact("Click their Email.", 2), contact("Click their Address.", 4), contact("Click their Phone.", 2)]
    assert steps_of(*shown) == [
        "- when:",
        "    is: {role: link, after: '{their}'}",
        "    do:",
        "    - click: {role: link, after: '{their}'}",
        "    else:",
        "    - ask:",
        "        click: {role: link}",
    ]


def test_searching_in_turn_and_leaving_a_text_open_are_proposed_too():
    tabs = [("tab", "1"), ("tab", "2")]
    search = episode('Open "x".', (tabs, "click", {"ref": 2}), ([*tabs, ("link", "x")], "click", {"ref": 3}))
    sum_ = episode("Do the sum.", ([("textbox", "")], "fill", {"ref": 1, "text": "4"}))
    proposed = [dump(one.program) for one in induce([search], most=9)]
    assert any("order: next" in text for text in proposed)
    assert any("name: '2'" in text for text in proposed)
    proposed = [dump(one.program) for one in induce([sum_], most=9)]
    assert ["ask" in text for text in proposed] == [False, True]


def test_the_one_with_the_least_number_is_proposed_where_the_place_varies():
    def offered(place, *prices):
        return episode(
            "Buy the cheapest.", ([("button", f"Buy for ${one}") for one in prices], "click", {"ref": place})
        )

    one, other = offered(2, 190, 88, 1200), offered(3, 97, 150, 61)
    assert steps_of(one, other) == ["- click: {role: button, order: least}"]
    assert any("order: least" in dump(found.program) for found in induce([one], most=8))


def test_an_element_known_by_a_part_of_its_name_is_proposed_too():
    page = [("link", "Mute @bo"), ("link", "Block @bo"), ("link", "Report")]
    one = episode('For "@bo" choose "Block".', (page, "click", {"ref": 2}))
    look = Trajectory(task=one.task, goal='For "@cy" choose "Report".', final=one.steps[0].observation)
    steps = [dump(found.program).partition("steps:\n")[2].strip() for found in induce([one], [look], most=8)]
    assert "- click: {role: link, has: '{choose}'}" in steps


def test_a_row_is_known_by_the_value_of_the_goal_in_it():
    def shared(name, *rows):
        around = [{"within": f"{row} said {n} things"} for n, row in enumerate(rows)]
        page = [("button", label, one) for one in around for label in ("Like", "Share")]
        return episode(f'Share the post by "{name}".', (page, "click", {"ref": 2 * rows.index(name) + 2}))

    assert steps_of(shared("Ann", "Bo", "Ann"), shared("Cy", "Cy", "Bo", "Di")) == [
        "- click: {role: button, name: Share, within: '{post}'}"
    ]


def test_a_program_that_asks_at_once_begins_nowhere():
    """Else what asks for everything would come before what does the lists of all goals."""

    def tick(*names, before=1):
        page = boxes(*["other"] * before, *names)
        return ticked(f"Select {', '.join(names)} and click Submit.", page, *range(before + 1, before + len(names) + 1))

    look = Trajectory(
        task=Task(env="e", name="t"),
        goal="Select nothing and click Submit.",
        final=tick("Zed", "Yan").steps[0].observation,
    )
    found = best(tick("Abc"), tick("Def", before=2), tick("Ghi", "Jkl"), others=[look])
    assert isinstance(found.program.steps[0], Each)


def test_one_success_also_suggests_that_its_fixed_labels_belong_to_its_page_alone():
    page = [("textbox", "", {"near": "Re: lunch"}), ("button", "Send")]
    one = episode('Say "yes".', (page, "fill", {"ref": 1, "text": "yes"}), (page, "click", {"ref": 2}))

    def proposed(*successes):
        return [dump(found.program).split("steps:\n")[1].splitlines() for found in induce(successes, most=8)]

    said = proposed(one)
    assert said[0][0] == "- fill: {role: textbox, near: 'Re: lunch', text: '{value}'}"
    assert ["- fill: {role: textbox, text: '{value}'}", "- click: {role: button, name: Send}"] in said
    assert all("near" in steps[0] for steps in proposed(one, one))  # two pages had it


# ── Values inside longer texts, and lists of texts ───────────────────────────────────────────────────────────────────


def planned(price, other, most, share, **changed):
    goal = f"Sell pens at ${price} and ink at ${other}: at most {most} in all, pens at most {share}%. What earns most?"
    limits = [f"pens + ink <= {most}", f"pens <= {share}/100*(pens + ink)"]
    given = {"objective": f"{price}*pens + {other}*ink", "constraints": limits} | changed
    return episode(goal, ([("textbox", "")], "model", given))


def looked(price, other, most, share):
    return planned(price, other, most, share).model_copy(update={"steps": ()})


WANTED = {
    "objective": "{pens}*pens + {ink}*ink",
    "constraints": ["pens + ink <= {most}", "pens <= {most_2}/100*(pens + ink)"],
}


def arguments_of(found):
    return [dict(one.program.steps[0].arguments) for one in found if one.program.steps[0].kind == "do"]


def test_values_inside_texts_and_lists_of_texts_become_slots():
    found = best(planned(7, 5, 80, 40), planned("6.5", 4, 90, 30))
    assert found.program.goals == (
        "Sell pens at ${pens} and ink at ${ink}: at most {most} in all, pens at most {most_2}%. What earns most?",
    )
    assert dict(found.program.steps[0].arguments) == WANTED


def test_a_value_that_stands_twice_in_the_goal_means_what_fits_every_success():
    found = best(planned(7, 7, 80, 40), planned(6, 4, 90, 30), planned(5, 9, 30, 30))
    assert dict(found.program.steps[0].arguments) == WANTED


def test_a_single_success_proposes_that_its_values_come_from_the_goal():
    found = induce([planned(7, 5, 80, 40)], [looked(6, 4, 90, 30), looked(8, 9, 70, 20)], most=9)
    assert WANTED in arguments_of(found)


def test_a_digit_inside_another_number_is_no_value():
    share = {"constraints": ["0.5*pens <= 80", "pens <= 15"]}
    found = induce([planned(7, 5, 80, 40, **share)], [looked(6, 4, 90, 30)], most=9)
    assert ["0.5*pens <= {most}", "pens <= 15"] in [one["constraints"] for one in arguments_of(found)]


def test_lists_of_different_lengths_are_left_open():
    found = best(planned(7, 5, 80, 40), planned(6, 4, 90, 30, constraints=["pens + ink <= 90"]))
    assert found.program.steps[0].kind == "ask"
    assert set(found.program.steps[0].do.arguments) == {"objective"}


def test_numbers_that_stand_side_by_side_are_values_of_their_own():
    def priced(*costs):
        told = ", ".join(f"${cost}" for cost in costs[:-1])
        goal = f"The three cost {told} and ${costs[-1]}. Buy one."
        objective = " + ".join(f"{cost}*{name}" for cost, name in zip(costs, "abc", strict=True))
        return episode(goal, ([("textbox", "")], "model", {"objective": objective}))

    found = best(priced(10, 20, 30), priced(40, 50, 60))
    (said,) = [*found.program.steps[0].arguments.values()]
    assert said.count("{") == 3
    assert "*a" in said and not any(digit in said for digit in "1456")


def test_the_parts_of_a_date_with_dots_are_values():
    def dated(month, day, year):
        box = [("textbox", "")]
        return episode(
            f"Enter the date {month}/{day}/{year} please.", (box, "fill", {"ref": 1, "text": f"{day}.{month}.{year}"})
        )

    said = steps_of(dated("08", "31", "2019"), dated("11", "02", "2021"))
    assert "ask" not in said[0]
    assert said[0].count("{") == 4


def test_a_mark_beside_a_number_may_belong_to_what_is_typed():
    def priced(price):
        return episode(
            f"Set the price to {price} and press Go.", ([("textbox", "")], "fill", {"ref": 1, "text": price})
        )

    found = best(priced("$5"), priced("€7"))
    assert found.program.goals == ("Set the price to {price} and press Go.",)
    assert dict(found.program.steps[0].arguments) == {"text": "{price}"}


def test_a_number_with_a_comma_is_one_value():
    def priced(price):
        return episode(
            f"Set the price to {price} and press Go.", ([("textbox", "")], "fill", {"ref": 1, "text": price})
        )

    proposed = [dump(one.program) for one in induce([priced("1,500"), priced("900")], most=9)]
    assert "{price}" in proposed[0]
    assert not any("each" in text for text in proposed)


@pytest.mark.parametrize("rest", ['"Roe"', '"Roe, Ann"', '"Roe, Ann", "Roe" and "Doe, Jane"'])
def test_what_is_quoted_is_one_value_of_a_list(rest):
    names = ["Smith, John", "Doe, Jane", "Roe", "Roe, Ann"]
    page = boxes(*names)
    one = ticked('Tick "Doe, Jane" and "Smith, John" and click it.', page, 2, 1)
    other = ticked(f"Tick {rest} and click it.", page, *(names.index(name) + 1 for name in re.findall('"(.*?)"', rest)))
    found = best(one, other)
    assert found.program.goals == ("Tick {value...} and click it.",)
    assert [step.kind for step in found.program.steps] == ["each", "do"]


def test_no_part_of_a_list_is_read_off_the_page():
    def sent(what, text):
        page = [("textbox", ""), ("text", f"{what}: {text}")]
        return episode(f'Send what "{what}" says.', (page, "send", {"lines": [text, "x"]}))

    found = induce([sent("Limit", "foo 7"), sent("Price", "bar 9")], most=9)
    assert not any("behind" in one.program.model_dump_json() for one in found)
