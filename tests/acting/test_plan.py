"""Planning asks the model only where it must."""

import pytest

from skillagent.acting.plan import LONG_GOAL_WORDS, plan
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.schema import Plan, Skill
from skillagent.testing import ScriptedLLM

LONG = "open the page and " * LONG_GOAL_WORDS
LIBRARY = Library(skills={"s": Skill(name="s", description="d", body="b")})


def planned(goal, library, llm, covered=False, near=lambda goal, held, domain: list(held.skills.values())):
    return plan(Plan(goal=goal), library, llm=llm, covers=lambda *_: covered, form=lambda *_: 0, near=near)


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
    made = planned(LONG, LIBRARY, ScriptedLLM([{"subgoals": parts}]))
    assert [(part.text, part.wanted) for part in made.subgoals] == [("log in", None), ("pay", "paying")]


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
