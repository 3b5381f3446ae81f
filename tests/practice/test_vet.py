"""A proposal is held against its own plan, the verbs and what is in sight; what is right passes."""

import pytest

from skillagent.practice.vet import Part, Proposal, doubts, faults, proposed
from skillagent.schema import Element, Observation, Verb


def verb(name, required=(), **parameters):
    parameters = {"type": "object", "properties": parameters, "required": list(required)}
    return Verb(name=name, doc="d", parameters=parameters)


REF = {"type": "string", "format": "ref"}
PICK = verb("pick", ("ref",), ref={**REF, "roles": ["cube"]})
PUT = verb("put", ("ref",), ref=REF, high={"type": "number", "minimum": 0})
SAY = verb("say", ("text",), text={"type": "string"})
VERBS = (PICK, PUT, SAY)
TABLE = Observation(
    goal="put the red cube on the plate",
    text="",
    elements=tuple(
        Element(ref=str(number), role=role, name=name)
        for number, (role, name) in enumerate((("cube", "red cube"), ("cube", "blue cube"), ("plate", "plate")), 1)
    ),
)
MORE = TABLE.model_copy(update={"elements": (*TABLE.elements, Element(ref="4", role="lid", name="lid"))})


def picks(ref="cube red cube", **rest):
    return {"verb": "pick", "ref": ref, **rest}


def puts(ref="plate", **rest):
    return {"verb": "put", "ref": ref, **rest}


def plan(*parts, loose=()):
    return Proposal(parts=tuple(Part(does=does, actions=tuple(actions)) for does, *actions in parts), loose=loose)


@pytest.mark.parametrize(
    ("proposal", "found"),
    [
        pytest.param(plan(("take the red cube", picks()), ("put it on the plate", puts(high=0.1))), [], id="right"),
        pytest.param(plan(("put", puts(high="0.1"))), [], id="a number as a text, as environments take it"),
        pytest.param(plan(("say", {"verb": "say", "text": "an open { brace"})), [], id="a brace is no slot"),
        pytest.param(plan(("take", picks()), ("lift the lid", puts("lid"))), [], id="what may come about later"),
        pytest.param(
            plan(("take", picks()), ("put it",)), ["Part 2 has no action that carries it out."], id="no action"
        ),
        pytest.param(plan((" ", picks())), ["Part 1 does not say what it does."], id="no words"),
        pytest.param(
            plan(("take", picks()), loose=(puts(),)),
            ["Actions stand outside of the plan; each belongs to the part that it carries out."],
            id="loose",
        ),
        pytest.param(
            plan(("fly", {"verb": "fly"})),
            ["Action 1: there is no verb 'fly'; the verbs are pick, put, say."],
            id="verb",
        ),
        pytest.param(
            plan(("take", {"ref": "plate"})),
            ["Action 1: there is no verb None; the verbs are pick, put, say."],
            id="none",
        ),
        pytest.param(plan(("take", {"verb": "pick"})), ["Action 1: pick(ref) needs 'ref'."], id="argument missing"),
        pytest.param(plan(("take", picks(text="x"))), ["Action 1: pick(ref) takes no 'text'."], id="one too many"),
        pytest.param(
            plan(("take", picks(ref=1))),
            ["Action 1: ref of pick(ref): an element by its role and name, not 1."],
            id="no name",
        ),
        pytest.param(
            plan(("take", picks()), ("put", puts(high=-1))),
            ["Action 2: high of put(ref, high?): 0 or more, not -1."],
            id="out of bounds",
        ),
        pytest.param(plan(("lift", puts("lid"))), ["Action 1: nothing is called 'lid' at the start."], id="not there"),
        pytest.param(plan(("take", *[picks()] * 5)), ["There are 5 actions; no more than 4 can be done."], id="many"),
    ],
)
def test_what_is_certainly_wrong_is_found(proposal, found):
    assert faults(proposal, VERBS, TABLE, most=4) == found


def test_of_several_verbs_of_one_name_one_must_fit():
    both = (PUT, verb("put", ("ref", "to"), ref=REF, to=REF))
    assert faults(plan(("put", puts(to="plate"))), both, TABLE, most=4) == []
    assert faults(plan(("put", puts(on="plate"))), both, TABLE, most=4) == ["Action 1: put(ref, high?) takes no 'on'."]


def test_where_the_first_state_is_not_known_nothing_is_missed_in_it():
    assert faults(plan(("lift", puts("lid"))), VERBS, None, most=4) == []


ALONE = "Action 2: pick(ref) works on cube alone."
BESIDE = "Part 1: none of its actions is on anything that it names."
NOWHERE = "Action 2: nothing is called 'lid' in any state seen so far."


@pytest.mark.parametrize(
    ("proposal", "seen", "found"),
    [
        pytest.param(plan(("take the red cube", picks())), [TABLE], [], id="right"),
        pytest.param(plan(("take", picks()), ("lift", puts("lid"))), [TABLE, TABLE], [NOWHERE], id="never seen"),
        pytest.param(plan(("take", picks()), ("lift", puts("lid"))), [TABLE, MORE], [], id="seen later"),
        pytest.param(plan(("take", picks()), ("lift", puts("box"))), [TABLE, MORE], [], id="things come there"),
        pytest.param(plan(("take", picks()), ("lift", puts("lid"))), [], [], id="nothing was seen"),
        pytest.param(plan(("take", picks()), ("and", picks("plate"))), [TABLE], [ALONE], id="not for such things"),
        pytest.param(plan(("take the Red Cube", picks("blue cube"))), [TABLE], [BESIDE], id="another thing"),
        pytest.param(plan(("put the red cube on the plate", puts())), [TABLE], [], id="one of the things"),
        pytest.param(plan(("let the red cube fall", {"verb": "say", "text": "x"})), [TABLE], [], id="on no element"),
        pytest.param(
            plan(("name the red cube", puts(), {"verb": "say", "text": "red cube"})), [TABLE], [], id="as a text"
        ),
    ],
)
def test_what_looks_wrong_by_what_was_seen_is_doubted(proposal, seen, found):
    assert doubts(proposal, VERBS, seen) == found


@pytest.mark.parametrize("data", [None, {}, {"plan": "p"}, {"plan": ["p", 1]}, {"plan": []}, {"actions": "a"}])
def test_what_is_out_of_form_proposes_nothing(data):
    assert proposed(data) == Proposal()


def test_a_reply_is_read_and_told_again_as_it_was_written():
    told = {"plan": [{"does": "take", "actions": [picks()]}], "actions": [puts()]}
    assert proposed(told) == plan(("take", picks()), loose=(puts(),))
    assert str(proposed(told)) == (
        '{"plan":[{"does":"take","actions":[{"verb":"pick","ref":"cube red cube"}]}],'
        '"actions":[{"verb":"put","ref":"plate"}]}'
    )
    assert proposed(told).actions == [picks()]
