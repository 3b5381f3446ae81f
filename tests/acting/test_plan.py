"""Planning asks the model only where it must."""

import pytest

from skillagent.acting.plan import LONG_GOAL_WORDS, plan
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.schema import Skill
from skillagent.testing import ScriptedLLM

LONG = "open the page and " * LONG_GOAL_WORDS
LIBRARY = Library(skills={"s": Skill(name="s", description="d", body="b")})


@pytest.mark.parametrize(
    ("goal", "library", "covered"),
    [(LONG, LIBRARY, True), ("press ok", LIBRARY, False), (LONG, Library(), False)],
    ids=["covered by a skill", "short", "no skills to split it for"],
)
def test_no_model_is_asked_where_one_subgoal_will_do(goal, library, covered):
    llm = ScriptedLLM([])
    made = plan(goal, library, llm=llm, covers=lambda g, b: covered)
    assert [part.text for part in made.subgoals] == [goal]
    assert not llm.asked


def test_a_long_goal_is_split_and_a_missing_skill_is_asked_for():
    parts = [
        {"text": "log in", "done_when": "", "wanted": ""},
        {"text": "pay", "done_when": "paid", "wanted": "paying"},
    ]
    made = plan(LONG, LIBRARY, llm=ScriptedLLM([{"subgoals": parts}]), covers=lambda g, b: False)
    assert [(part.text, part.wanted) for part in made.subgoals] == [("log in", None), ("pay", "paying")]


def test_a_reply_out_of_form_leaves_the_goal_whole():
    made = plan(LONG, LIBRARY, llm=ScriptedLLM(["no JSON"]), covers=lambda g, b: False)
    assert len(made.subgoals) == 1


def test_a_prompt_too_long_to_ask_for_a_plan_leaves_the_goal_whole():
    def refuse(messages, role):
        raise PromptTooLong("too long")

    made = plan(LONG, LIBRARY, llm=ScriptedLLM(refuse), covers=lambda g, b: False)
    assert [part.text for part in made.subgoals] == [LONG]
