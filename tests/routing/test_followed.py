"""Followed: what was done is held against what a skill's words say, whatever the values are."""

import pytest

from skillagent.replies import retold
from skillagent.routing.followed import Move, followed, steps_of, taken
from skillagent.schema import Action, Element, Observation, Skill, Step

LOGIN = """# Log in

## Steps

1. `fill` the textbox near "Username" with the value that the goal gives after "username"
2. `fill` the textbox near "Password" with the value that the goal gives after "password"
3. `click` the button "Login"

## Pitfalls

- Not: `click` the link "Forgotten"
"""
NAME, WORD, BUTTON, LINK = (
    Element(ref=str(n), role=role, name=name)
    for n, (role, name) in enumerate([("textbox", "Name"), ("textbox", ""), ("button", "Login"), ("link", "Help")])
)


def done(*moves, by="model", error=None):
    """Return the lines that the ledger has of verbs on elements."""
    seen = Observation(goal="g", text="t", elements=(NAME, WORD, BUTTON, LINK))
    steps = [
        Step(
            observation=seen,
            action=Action(verb=verb, arguments={"ref": one.ref} | ({"text": "x"} if verb == "fill" else {})),
            by=by,
            error=error,
        )
        for verb, one in moves
    ]
    return retold(steps)


ALL = (("fill", NAME), ("fill", WORD), ("click", BUTTON))


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        pytest.param(done(*ALL), True, id="all of it"),
        pytest.param(
            done(("fill", NAME), ("click", LINK), ("fill", WORD)), True, id="two of three, with others between"
        ),
        pytest.param(done(("fill", NAME)), False, id="one of three"),
        pytest.param(done(("click", BUTTON), ("fill", NAME)), False, id="in another order"),
        pytest.param(done(("click", NAME), ("click", WORD), ("click", LINK)), False, id="on other kinds of elements"),
        pytest.param(done(*ALL, by="program"), False, id="another skill's program did it"),
        pytest.param(done(*ALL, error="covered"), False, id="it was tried and did not happen"),
        pytest.param((), None, id="nobody wrote down what was done"),
    ],
)
def test_more_than_half_of_the_steps_in_their_order_is_followed(actions, told):
    assert followed(Skill(name="log-in", description="d", body=LOGIN), actions) is told


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("1. `click` the button that the goal names", (Move("click", "button"),)),
        ("1. `explore`; repeat this until there is the thing \"ball\"", (Move("explore"),)),
        ("2. `drag` the icon \"a\" onto the bin \"b\"", (Move("drag", "icon"),)),
        ("1. `hover` the tab \"a\", then `click` the link \"b\"", (Move("hover", "tab"), Move("click", "link"))),
        ("3. If there is the dialog \"x\": `press` with key 'Esc'; else `click` the element",
         (Move("press"), Move("click"))),
        ("- Not: `click` the button", ()),
        ("1. Open `settings` and look around", ()),
        ("Click the button.", ()),
    ],
)  # fmt: skip
def test_steps_are_read_off_the_numbered_lines_without_names_and_values(line, steps):
    assert steps_of(f"## Steps\n\n{line}\n") == steps


def test_a_skill_without_steps_says_nothing():
    assert followed(Skill(name="a", description="d", body="Press with care."), done(*ALL)) is None


def test_one_move_is_one_step_and_memory_is_none():
    twice = Skill(
        name="a", description="d", body="1. `click` the button\n2. `click` the button\n3. `click` the button\n"
    )
    assert followed(twice, done(("click", BUTTON))) is False
    assert followed(twice, done(("click", BUTTON), ("click", BUTTON))) is True
    assert taken(("was told: click it", "… 4 lines more")) == ()
