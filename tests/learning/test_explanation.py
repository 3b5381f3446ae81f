"""What is shown to who explains a failure, and what becomes of what it says: the three known leaks are not there."""

import json
import re
from pathlib import Path

import pytest

import skillagent
from skillagent.learning.explanation import explained
from skillagent.learning.wording import single
from skillagent.library import Library
from skillagent.practice.feedback import judged, remark
from skillagent.schema import (
    Action,
    Attempt,
    Cause,
    Element,
    Lesson,
    Observation,
    Step,
    Task,
    Trajectory,
    Verdict,
)
from skillagent.testing import ScriptedLLM

ROOT = Path(skillagent.__file__).parent.parent
GOAL = "save it"
WORDS = {
    "applies": "When a thing is to be saved",
    "does_not_apply": "",
    "explanation": "Open the menu first.",
    "level_1": "menus",
    "level_2": "order",
}


def seen(text, *names):
    elements = tuple(Element(ref=str(n), role="button", name=name) for n, name in enumerate(names))
    return Observation(goal=GOAL, text=text, elements=elements)


START, MENU, DONE = seen("start", "Save", "Menu"), seen("the menu holds 42", "Save", "Menu", "Vault"), seen("stored 77")


def tried(*steps, score=0.0, by="model", final=DONE):
    made = tuple(Step(observation=o, action=Action(verb="click", arguments={"ref": ref}), by=by) for o, ref in steps)
    trajectory = Trajectory(
        task=Task(env="x", name="a"), goal=GOAL, steps=made, final=final, reward=score, terminated=True
    )
    verdict = Verdict(score=score, by="environment", reason="the task ended")
    return Attempt(plan=None, route=None, trajectory=trajectory, verdict=verdict, library="")


def asked(*failures, success=None):
    model = ScriptedLLM([WORDS])
    successes = (success,) if success else ()
    lesson = Lesson(cause=Cause.KNOWLEDGE, summary="s", failures=failures, success=success, successes=successes)
    explained(lesson, Library(), llm=model)
    return model.asked[0][1][0].content


@pytest.mark.parametrize("by", ["program", "person", "oracle", "chance"])
def test_who_acted_cannot_be_told_from_what_is_shown(by):
    def shown(failing, solving):
        return asked(tried((START, "0"), by=failing), success=tried((START, "1"), (MENU, "2"), score=1.0, by=solving))

    assert shown("model", by) == shown("model", "model") == shown(by, "model")


@pytest.mark.parametrize("words", ["", "The expert said that it was wrong", "the Oracle did the menu first"])
def test_nor_who_judged(words):
    failure = judged(tried((START, "0")), remark(tried((START, "0")), good=False, words=words))
    success = judged(tried((START, "1")), remark(tried((START, "1")), good=True, words=words))
    told = asked(failure, success=success).lower()
    assert not any(who in told for who in ("person", "expert", "oracle", "human", "teacher"))
    assert "result: " in told


def test_what_a_person_said_of_it_is_told():
    failure = judged(tried((START, "0")), remark(tried((START, "0")), good=False, words="the menu comes first"))
    assert "result: the menu comes first, score 0.0" in asked(failure)


def test_nothing_is_told_of_what_came_after_but_behind_what_led_to_it():
    prompt = asked(
        tried((START, "2"), (MENU, "2")),  # at first there is no 2
        tried((START, "0"), final=START),
        success=tried((START, "1"), (MENU, "2"), score=1.0),
    )
    failed = prompt.partition("<failed>")[2].partition("</failed>")[0].strip().splitlines()
    assert failed[:2] == ["`click` an element that is not there", "`click` the button 'Vault'"]
    assert "77" not in prompt
    holding = [line for line in prompt.splitlines() if "42" in line]
    assert holding, "what a way led to is told"
    for line in holding:
        assert "42" in line.partition(": then there was")[2], "and behind the way alone"


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("Open the menu. Open the menu.", "Open the menu."),
        ("Open the menu. Press Save. open the menu!", "Open the menu. Press Save."),
        ("Open the menu.\nOpen the menu.", "Open the menu."),
        ("Open the menu first. Open the me", "Open the menu first."),
        ("Open the menu. Open the menus.", "Open the menu. Open the menus."),
        ("Open the menu", "Open the menu"),
        (",", ","),
        ("", ""),
    ],
)
def test_a_sentence_that_is_said_twice_is_made_single(text, once):
    assert single(text) == once


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"kind": "state-change"}, "state-change"),
        ({"kind": "causal"}, "causal"),
        ({}, "pitfall"),
        ({"kind": "x"}, "pitfall"),
    ],
)
def test_the_model_says_of_which_kind_an_insight_is(said, kind):
    lesson = Lesson(cause=Cause.KNOWLEDGE, summary="s", failures=(tried((START, "0")),))
    model = Shaped([{**WORDS, **said}])
    assert explained(lesson, Library(), llm=model).kind == kind
    assert model.schema["properties"]["kind"]["enum"] == ["causal", "state-change", "subgoal", "construal", "pitfall"]
    assert "kind" in model.schema["required"]


class Shaped(ScriptedLLM):
    """Keeps the shape that its reply was to have."""

    def reply(self, messages, **options):
        self.schema = options["schema"]
        return super().reply(messages, **options)


def test_an_insight_says_nothing_twice():
    twice = {key: f"{text}. It is so. It is so." for key, text in WORDS.items() if not key.startswith("level")}
    lesson = Lesson(cause=Cause.KNOWLEDGE, summary="s", failures=(tried((START, "0")),))
    made = explained(lesson, Library(), llm=ScriptedLLM([{**WORDS, **twice, "means": "a. a."}]))
    said = [made.condition.applies, made.condition.does_not_apply, made.explanation, *made.defines.values()]
    assert [text.count("It is so.") for text in said] == [1, 1, 1, 0]
    assert said[-1] == "a."


def test_what_worked_keeps_a_text_that_ends_like_a_ref():
    typed = Action(verb="fill", arguments={"ref": "0", "text": "see note [7]"})
    success = tried((START, "0"), score=1.0)
    step = success.trajectory.steps[0].model_copy(update={"action": typed})
    success = success.model_copy(update={"trajectory": success.trajectory.model_copy(update={"steps": (step,)})})
    lesson = Lesson(cause=Cause.KNOWLEDGE, summary="s", failures=(tried((START, "0")),), success=success)
    made = explained(lesson, Library(), llm=ScriptedLLM([WORDS]))
    assert made.worked == ('{"verb":"fill","ref":"button Save","text":"see note [7]"}',)


@pytest.mark.parametrize(
    ("failing", "solving", "told"),
    [
        pytest.param(
            [(START, "0")],
            [(START, "1"), (MENU, "2")],
            [
                "worked: `click` the button 'Menu'",
                "worked: `click` the button 'Vault'",
                "failed: `click` the button 'Save'",
            ],
            id="all of it",
        ),
        pytest.param(
            [(START, "1"), (START, "1")],
            [(START, "1"), (MENU, "2")],
            ["worked: `click` the button 'Vault'"],
            id="what both did is no difference",
        ),
        pytest.param([(START, "1")], [(START, "1"), (START, "1")], ["(nothing)"], id="nor how often"),
        pytest.param([(START, "1")], None, ["(nothing)"], id="nothing worked"),
    ],
)
def test_what_only_one_side_did_is_told(failing, solving, told):
    prompt = asked(tried(*failing), success=tried(*solving, score=1.0) if solving else None)
    assert prompt.partition("<difference>")[2].partition("</difference>")[0].strip().splitlines() == told


def explained_as(library=None, **said):
    lesson = Lesson(cause=Cause.KNOWLEDGE, summary="s", failures=(tried((START, "0")),))
    return explained(lesson, library or Library(), llm=ScriptedLLM([{**WORDS, **said}]))


def done(verb, *, before=START, error=None, recalled="", **arguments):
    return Step(
        observation=before, action=Action(verb=verb, arguments=arguments), error=error, recalled=recalled, by="model"
    )


def made_of(steps, score=0.0):
    attempt = tried(score=score)
    return attempt.model_copy(update={"trajectory": attempt.trajectory.model_copy(update={"steps": steps})})


def difference(prompt):
    return prompt.partition("<difference>")[2].partition("</difference>")[0].strip().splitlines()


def test_what_did_nothing_is_no_difference_and_the_second_failure_counts_as_the_first():
    asking = done("recall", question="what?", recalled="- When x: y")
    idle = done("none", error="not an action")
    success = made_of(
        (
            asking,
            idle,
            done("click", ref="9", error="no such element"),
            done("click", ref="1"),
            done("hit", before=MENU),
        ),
        score=1.0,
    )
    first, second = made_of((asking, idle, done("fly"))), made_of((idle, done("swim", error="no water"), done("hit")))
    assert difference(asked(first, second, made_of((done("third"),)), success=success)) == [
        "worked: `click` the button 'Menu'",
        "failed: `fly`",
        "failed: `swim`",
    ]


def test_of_a_long_difference_eight_lines_a_side_are_told():
    long = [seen(f"page {number}") for number in range(41)]
    success = made_of(tuple(done(f"right-{n}", before=long[n]) for n in range(40)), score=1.0)
    failures = [made_of(tuple(done(f"{name}-{n}") for n in range(40))) for name in ("a", "b")]
    assert difference(asked(*failures, success=success)) == [
        *(f"worked: `right-{n}`" for n in range(8)),
        *(f"failed: `a-{n}`" for n in range(8)),
    ]


def test_a_way_to_another_goal_is_no_alternative():
    success = tried((START, "1"), (MENU, "2"), score=1.0)
    failure = tried((START, "0"))
    other = failure.model_copy(update={"trajectory": failure.trajectory.model_copy(update={"asked": "another"})})
    assert "<alternatives>\nIn one state:" in asked(failure, success=success)
    assert "<alternatives>\n(none)" in asked(other, success=success)


EXAMPLE = json.loads(
    next(line for line in asked(tried((START, "0"))).splitlines() if line.startswith('{"explanation"'))
)


def test_the_example_is_of_no_task_of_ours_and_names_none_of_our_verbs():
    telling = {*re.findall(r"`(\w+)`", EXAMPLE["explanation"]), "bicycle", "bicycles"}
    ours = [file for place in ("skillagent/envs", "evals/suites") for file in (ROOT / place).rglob("*")]
    for file in ours:
        if file.suffix in {".py", ".yaml"}:
            assert telling.isdisjoint(re.findall(r"\w+", file.read_text(encoding="utf-8").lower())), file


def test_sentences_of_the_example_are_not_the_models_own():
    assert explained_as(explanation=EXAMPLE["explanation"]) is None
    first, second = EXAMPLE["explanation"].split(". ")
    assert explained_as(explanation=f"Open the menu. {first.upper()}! It holds Save.").explanation == (
        "Open the menu. It holds Save."
    )
    assert explained_as(explanation=f"Open the menu. Then {second.lower()}").explanation == "Open the menu."
    condition = explained_as(applies=EXAMPLE["applies"], does_not_apply=EXAMPLE["does_not_apply"]).condition
    assert (condition.applies, condition.does_not_apply) == (f"When the goal is like: {GOAL}", "")
    assert explained_as(applies="When a bicycle is to be shut").condition.applies == "When a bicycle is to be shut"
    assert explained_as(kind=EXAMPLE["kind"]).kind == EXAMPLE["kind"]


@pytest.mark.parametrize("as_said", [str, str.capitalize, "{}. ".format])
def test_labels_of_the_example_are_left_out_and_the_insight_keeps_under_which_it_came(as_said):
    said = {key: as_said(EXAMPLE[key]) for key in ("level_1", "means_1", "level_2", "means")}
    made = explained_as(**said)
    assert (made.taxonomy, made.defines) == ("x/general/general", {})
    assert made.origin == "failure; came as x/bicycles/chains"
    made = explained_as(level_1=said["level_1"], means_1="what has wheels", means=said["means"])
    assert (made.taxonomy, made.defines) == ("x/general/order", {})


def test_a_label_of_the_example_that_is_in_use_stays():
    used = explained_as().model_copy(update={"id": "used", "taxonomy": "x/bicycles/chains", "defines": {}})
    made = explained_as(library=Library(insights={"used": used}), level_1="Bicycles", level_2="chains", means="links")
    assert (made.taxonomy, made.origin, made.defines) == (
        "x/bicycles/chains",
        "failure",
        {"x/bicycles/chains": "links"},
    )
    elsewhere = used.model_copy(update={"taxonomy": "other/bicycles/chains"})
    made = explained_as(library=Library(insights={"used": elsewhere}), level_1="bicycles", level_2="chains")
    assert made.taxonomy == "x/general/general"


def test_a_sentence_that_was_cut_off_is_left_out():
    whole = "Open the menu first. Save is in it. "
    cut = whole + "x" * (300 - len(whole))
    assert explained_as(explanation=cut).explanation == whole.strip()
