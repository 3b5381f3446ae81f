"""What the model may answer is bound to what is on the page."""

import json

import pytest

from skillagent.acting.policy import barred
from skillagent.acting.reply import reply_schema
from skillagent.replies import LONGEST_TEXT, as_action, as_reply, called, written
from skillagent.schema import Action, Element, Observation, Step, Verb

CLICK = Verb(
    name="click",
    doc="Press.",
    parameters={"type": "object", "properties": {"ref": {"type": "string", "format": "ref"}}, "required": ["ref"]},
)
FILL = Verb(
    name="fill",
    doc="Type.",
    parameters={
        "type": "object",
        "properties": {"ref": {"type": "string", "format": "ref", "roles": ["textbox"]}, "text": {"type": "string"}},
        "required": ["ref", "text"],
    },
)
DONE = Verb(name="done", doc="End.", parameters={"type": "object", "properties": {}, "required": []})
PAGE = Observation(
    goal="g",
    text="page",
    elements=(Element(ref="1", role="button", name="OK"), Element(ref="2", role="textbox", near="Name")),
)


def offered(schema):
    """Return the numbers offered for each verb; None for a verb without a ref."""
    return {
        choice["properties"]["verb"]["const"]: [name[-2] for name in ref["enum"]]
        if (ref := choice["properties"].get("ref"))
        else None
        for choice in schema["anyOf"]
    }


def test_a_ref_can_only_be_one_that_is_there_and_of_a_fitting_role():
    assert offered(reply_schema([CLICK, FILL, DONE], PAGE)) == {"click": ["1", "2"], "fill": ["2"], "done": None}


def test_a_text_is_bounded_and_a_tighter_bound_stays():
    text = reply_schema([FILL], PAGE)["anyOf"][0]["properties"]["text"]
    assert text["maxLength"] == LONGEST_TEXT
    tight = FILL.model_copy(update={"parameters": {"properties": {"keys": {"type": "string", "maxLength": 9}}}})
    assert reply_schema([tight], PAGE)["anyOf"][0]["properties"]["keys"]["maxLength"] == 9


def test_a_verb_with_nothing_to_work_on_is_not_offered():
    bare = PAGE.model_copy(update={"elements": PAGE.elements[:1]})
    assert offered(reply_schema([CLICK, FILL], bare)) == {"click": ["1"]}


def test_what_was_just_tried_in_vain_is_not_offered_again():
    useless = Action(verb="click", arguments={"ref": "1"})
    typed = Action(verb="fill", arguments={"ref": "2", "text": "a"})
    assert offered(reply_schema([CLICK, FILL], PAGE, [useless, typed])) == {"click": ["2"], "fill": ["2"]}


def test_a_verb_that_takes_nothing_and_was_tried_in_vain_is_not_offered_again():
    assert offered(reply_schema([CLICK, DONE], PAGE, [Action(verb="done")])) == {"click": ["1", "2"]}


def test_the_same_text_is_not_typed_into_the_same_field_a_third_time():
    typed = Action(verb="fill", arguments={"ref": "2", "text": "a"})
    other = Action(verb="fill", arguments={"ref": "2", "text": "b"})
    assert "fill" in offered(reply_schema([CLICK, FILL], PAGE, [typed, other]))
    assert "fill" not in offered(reply_schema([CLICK, FILL], PAGE, [typed, other, typed]))


def test_what_was_done_from_a_state_that_came_back_was_in_vain():
    other = PAGE.model_copy(update={"text": "another page"})
    one, two = (Action(verb="click", arguments={"ref": r}) for r in "12")
    steps = [Step(observation=PAGE, action=one), Step(observation=other, action=two)]
    assert barred(steps, PAGE) == [one]
    assert barred(steps, other.model_copy(update={"text": "a third page"})) == []


def test_with_focus_only_what_the_goal_names_can_be_acted_on_while_there_is_any():
    page = PAGE.model_copy(update={"goal": "Press OK."})
    assert offered(reply_schema([CLICK, FILL], page, focus=True)) == {"click": ["1"]}
    pressed = Action(verb="click", arguments={"ref": "1"})
    assert offered(reply_schema([CLICK, FILL], page, [pressed], focus=True)) == {"click": ["2"], "fill": ["2"]}
    assert offered(reply_schema([CLICK, FILL], PAGE, focus=True)) == {"click": ["1", "2"], "fill": ["2"]}


def test_an_action_survives_the_form_in_which_the_model_writes_it():
    action = Action(verb="fill", arguments={"ref": "2", "text": 'say "hi" ü'})
    reply = as_reply(action, PAGE)
    assert reply == '{"verb":"fill","ref":"textbox Name [2]","text":"say \\"hi\\" ü"}'
    assert as_action(json.loads(reply), PAGE) == action


def test_elements_that_look_alike_are_still_told_apart():
    twins = Observation(goal="g", text="t", elements=tuple(Element(ref=r, role="button", name="OK") for r in "12"))
    assert [written(element) for element in twins.elements] == ["button OK [1]", "button OK [2]"]


def test_a_name_cannot_pose_as_another_ref():
    sly = Element(ref="7", role="button", name='Pay [1]" \\ x' + "y" * 99)
    assert written(sly) == ("button Pay 1 x" + "y" * 99)[:48] + " [7]"


def test_a_text_that_no_model_would_write_is_cut_in_what_is_shown_of_an_action():
    action = Action(verb="retrace", arguments={"path": "1 2; " * 1000, "note": "x" * 900})
    shown = as_reply(action, Observation(goal="g", text="t"))
    assert f'"path":"{("1 2; " * 10)[:48]}…"' in shown
    assert "x" * 900 in shown


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("button Save [4]", "4"),
        ("button Save [3]", "3"),
        ("button Save", "3"),
        ("button save", "3"),
        ("button Save [9]", "3"),
        ("Save [4]", "4"),
        ("textbox", "5"),
        ("link 4", "6"),
        ("[4]", "4"),
        ("4", "6"),
        ("5", "5"),
        ('button "Save"', "3"),
        (f"link {'long ' * 20}".strip(), "7"),
        ("button Send [4]", None),
        ("checkbox Save", None),
        ("", None),
    ],
)
def test_an_element_is_found_by_what_it_is_called_and_by_its_ref_only_among_those(text, ref):
    elements = (
        Element(ref="3", role="button", name="Save"),
        Element(ref="4", role="button", name="Save"),
        Element(ref="5", role="textbox"),
        Element(ref="6", role="link", name="4"),
        Element(ref="7", role="link", name="long " * 30),
    )
    found = called(text, Observation(goal="g", text="t", elements=elements))
    assert (found.ref if found else None) == ref
