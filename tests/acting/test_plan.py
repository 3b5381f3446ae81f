"""Planning asks the model only where it must."""

import pytest

from skillagent.acting.plan import LONG_GOAL_WORDS, plan
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.llm.shape import misfit
from skillagent.programs.template import form_of
from skillagent.programs.text import FILE
from skillagent.schema import Element, Observation, Plan, Skill
from skillagent.testing import ScriptedLLM

LONG = "open the page and " * LONG_GOAL_WORDS
LIBRARY = Library(skills={"s": Skill(name="s", description="d", body="b")})
FORM = "put the {thing} on the {below}"
PUTS = Skill(
    name="puts",
    description="d",
    body="b",
    goals=("put the red cube on the plate",),
    files={FILE: f"goals: ['{FORM}']\nsteps:\n- pick: {{role: cube, name: '{{thing}}'}}\n"},
)
PUTTING = Library(skills={"s": LIBRARY.skills["s"], "puts": PUTS})
TOWER = "a tower: red, green, blue"
CUBES = tuple(Element(ref=name, role="cube", name=name) for name in ("red", "green", "blue"))
SEEN = Observation(goal=TOWER, text="[1] cube red", elements=CUBES)


class Bound(ScriptedLLM):
    """Can say only what its reply is bound to; keeps why it could not."""

    def reply(self, messages, *, schema=None, **rest):
        said = super().reply(messages, **rest)
        self.unsaid = misfit(said.data, schema)
        return said if self.unsaid is None else said.model_copy(update={"data": None})


def planned(
    goal, library, llm, covered=False, near=lambda goal, held, domain: list(held.skills.values()), seen=None, short=True
):
    def form(text, held, domain):
        return form_of((FORM,), text) if "puts" in held.skills else 0

    return plan(Plan(goal=goal), library, seen, llm=llm, covers=lambda *_: covered, form=form, near=near, short=short)


def part(thing, below, done_when=""):
    return {"do": FORM, "with": {"thing": thing, "below": below}, "done_when": done_when}


@pytest.mark.parametrize(
    ("goal", "library", "covered"),
    [(LONG, LIBRARY, True), ("press ok", LIBRARY, False), (LONG, Library(), False)],
    ids=["covered by a skill", "short", "no skills to split it for"],
)
def test_no_model_is_asked_where_one_subgoal_will_do(goal, library, covered):
    llm = ScriptedLLM([])
    made = planned(goal, library, llm, covered)
    assert [part.text for part in made.subgoals] == [goal]
    assert not llm.asked


def test_a_long_goal_is_split_and_a_missing_skill_is_asked_for():
    parts = [
        {"text": "log in", "done_when": "", "wanted": ""},
        {"text": "pay", "done_when": "paid", "wanted": "paying"},
    ]
    llm = ScriptedLLM([{"subgoals": parts}])
    made = planned(LONG, LIBRARY, llm)
    assert [(part.text, part.wanted) for part in made.subgoals] == [("log in", None), ("pay", "paying")]
    prompt = llm.asked[0][1][-1].content
    assert "`wanted` describes a skill that is missing, or is empty" in prompt


def test_a_reply_out_of_form_leaves_the_goal_whole():
    made = planned(LONG, LIBRARY, ScriptedLLM(["no JSON"]))
    assert len(made.subgoals) == 1


def test_a_prompt_too_long_to_ask_for_a_plan_leaves_the_goal_whole():
    def refuse(messages, role):
        raise PromptTooLong("too long")

    made = planned(LONG, LIBRARY, ScriptedLLM(refuse))
    assert [part.text for part in made.subgoals] == [LONG]


def test_the_model_is_told_of_the_nearest_skills_alone_however_many_there_are():
    known = [Skill(name=f"s{n}", description="d", body="b") for n in range(100)]
    library, llm = Library(skills={one.name: one for one in known}), ScriptedLLM(["no JSON"])
    planned(LONG, library, llm, near=lambda goal, held, domain: known[::-1])
    prompt = llm.asked[0][1][-1].content
    assert "- s99:" in prompt
    assert "- s70:" in prompt
    assert "- s69:" not in prompt


def test_where_parts_can_be_checked_a_short_goal_is_divided_into_parts_that_programs_know():
    llm = ScriptedLLM([{"subgoals": [part("green", "red", "green is on red"), part("blue", "green")]}])
    made = planned(TOWER, PUTTING, llm, seen=SEEN)
    assert [one.text for one in made.subgoals] == ["put the green on the red", "put the blue on the green"]
    assert made.subgoals[0].done_when == "green is on red"
    prompt = llm.asked[0][1][-1].content
    assert f"- {FORM} For example: put the red cube on the plate" in prompt
    assert "[1] cube red" in prompt
    assert "- s:" not in prompt  # no program: no such part


@pytest.mark.parametrize(
    ("library", "seen", "covered"),
    [(PUTTING, None, False), (LIBRARY, SEEN, False), (PUTTING, None, True), (LIBRARY, SEEN, True)],
    ids=[
        "nobody can check parts",
        "there are no programs",
        "covered, and nobody can check",
        "covered, and no programs",
    ],
)
def test_a_short_goal_stays_whole_and_no_model_is_asked(library, seen, covered):
    llm = ScriptedLLM([])
    assert [one.text for one in planned(TOWER, library, llm, covered, seen=seen).subgoals] == [TOWER]
    assert not llm.asked


def test_a_short_goal_stays_whole_where_a_part_is_one_that_no_program_knows():
    other = {"do": "lift the {thing}", "with": {"thing": "red"}, "done_when": ""}
    llm = ScriptedLLM([{"subgoals": [part("green", "red"), other]}])
    assert [one.text for one in planned(TOWER, PUTTING, llm, seen=SEEN).subgoals] == [TOWER]


def test_a_short_goal_may_have_a_part_for_which_a_skill_is_missing_and_that_says_which():
    paint = {"text": "paint the blue one", "done_when": "blue is painted", "wanted": "painting"}
    llm = Bound([{"subgoals": [part("green", "red"), paint]}])
    made = planned(TOWER, PUTTING, llm, seen=SEEN)
    assert [(one.text, one.wanted) for one in made.subgoals] == [
        ("put the green on the red", None),
        ("paint the blue one", "painting"),
    ]
    assert "- s:" not in llm.asked[0][1][-1].content, "what is only words is no part of a plan that is checked"


@pytest.mark.parametrize(
    ("wanted", "covered"), [("", False), ("painting", True)], ids=["not said to be missing", "a skill claims the goal"]
)
def test_a_short_goal_stays_whole_where_a_part_in_own_words_lacks_no_skill(wanted, covered):
    paint = {"text": "paint the blue one", "done_when": "", "wanted": wanted}
    for model in (ScriptedLLM, Bound):
        llm = model([{"subgoals": [part("green", "red"), paint]}])
        made = planned(TOWER, PUTTING, llm, covered=covered, seen=SEEN)
        assert ([one.text for one in made.subgoals], made.covered) == ([TOWER], covered)
    assert llm.unsaid, "it is not offered either"


def test_a_long_goal_may_have_parts_in_the_models_own_words_beside_known_ones():
    own = {"text": "log in", "done_when": "", "wanted": "logging in"}
    made = planned(LONG, PUTTING, ScriptedLLM([{"subgoals": [own, part("green", "red")]}]))
    assert [(one.text, one.wanted) for one in made.subgoals] == [
        ("log in", "logging in"),
        ("put the green on the red", None),
    ]


KNOWN = "put the red on the blue"


def test_a_goal_whose_form_a_program_knows_is_not_said_otherwise():
    llm = ScriptedLLM([])
    made = planned(KNOWN, PUTTING, llm, covered=True, seen=SEEN)
    assert (made.covered, [one.text for one in made.subgoals]) == (True, [KNOWN])


def test_a_goal_that_is_only_like_a_solved_one_is_said_as_programs_know_it():
    llm = ScriptedLLM([{"subgoals": [part("red", "blue")]}])
    made = planned("red belongs on blue", PUTTING, llm, covered=True, seen=SEEN)
    assert (made.covered, [one.text for one in made.subgoals]) == (False, [KNOWN])


def test_where_nobody_finds_other_words_a_goal_like_a_solved_one_stays_covered():
    made = planned("red belongs on blue", PUTTING, ScriptedLLM(["no JSON"]), covered=True, seen=SEEN)
    assert (made.covered, [one.text for one in made.subgoals]) == (True, ["red belongs on blue"])


def test_short_goals_are_not_divided_unless_that_is_wanted():
    llm = ScriptedLLM([])
    assert [one.text for one in planned(TOWER, PUTTING, llm, seen=SEEN, short=False).subgoals] == [TOWER]
    assert not llm.asked
