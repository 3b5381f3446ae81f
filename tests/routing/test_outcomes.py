"""Outcomes: of programs that know the same goals, the one that did them comes first."""

import pytest

from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.outcomes import UNKNOWN, Outcomes
from skillagent.routing.route import route
from skillagent.schema import Attempted, Event, Plan, Ran, Skill, Split, Task, digest_of
from skillagent.testing import HashEmbedder

GOAL, FAR = "go to the red ball", "water every flower behind that old house"


def skill(name, pattern="go to the {thing}", verb="wave"):
    return Skill(name=name, description="Goes.", body="Walk.", files={FILE: f"goals: ['{pattern}']\nsteps: [{verb}]\n"})


ONE, OTHER = skill("one"), skill("other", verb="look")
BOTH = Library(skills={"one": ONE, "other": OTHER})


def tried(skill, score, goal=GOAL, split=Split.PRACTICE, helped=False, **rest):
    task = Task(env="x", name="t", seed=split.first_seed)
    run = Ran(skill=skill.name, program=digest_of(skill.files[FILE]), goal=goal, helped=helped)
    return Attempted(attempt="a", task=task, goal=goal, score=score, runs=(run,), programs=(skill.name,), **rest)


def ledger(*entries):
    return [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]


def known(*entries):
    return Outcomes(HashEmbedder(), lambda: ledger(*entries))


def first(library, outcomes, goal=GOAL):
    found = route(Plan(goal=goal), library, catalogue=Catalogue(HashEmbedder()), outcomes=outcomes)
    return [one.id for one in found.skills[0]]


def test_the_program_that_did_such_goals_is_tried_first_and_then_the_other():
    assert first(BOTH, None) == first(BOTH, known()) == ["one", "other"]
    assert first(BOTH, known(tried(ONE, 0.0))) == ["other", "one"]
    assert first(BOTH, known(tried(OTHER, 1.0))) == ["other", "one"]
    assert first(BOTH, known(tried(OTHER, 1.0), tried(ONE, 1.0), tried(ONE, 1.0))) == ["one", "other"]


def test_what_it_did_at_unlike_goals_hardly_counts():
    outcomes = known(*[tried(ONE, 0.0, FAR)] * 20, tried(OTHER, 0.0))
    assert first(BOTH, outcomes) == ["one", "other"]


@pytest.mark.parametrize(
    "entry",
    [
        tried(ONE, 0.0, split=Split.HOLDOUT),
        tried(ONE, None),
        tried(ONE, 0.0, void="the world fell over"),
        tried(ONE, 0.0).model_copy(update={"runs": ()}),
    ],
    ids=["a holdout seed", "without a score", "void", "where it did not run"],
)
def test_tries_that_say_nothing_do_not_count(entry):
    assert known(entry).expected(GOAL, [ONE]) == [None]


def test_a_program_that_the_model_had_to_help_did_not_do_it():
    assert known(tried(ONE, 1.0)).expected(GOAL, [ONE])[0] > UNKNOWN
    for helped in (tried(ONE, 1.0, surprise="no ball"), tried(ONE, 1.0, helped=True)):
        assert known(helped).expected(GOAL, [ONE])[0] < UNKNOWN


def test_a_program_that_did_not_find_what_it_begins_with_did_not_do_it():
    fitting = tried(OTHER, 1.0)
    (run,) = tried(ONE, 1.0).runs
    both = fitting.model_copy(update={"runs": (run.model_copy(update={"fit": False}), *fitting.runs)})
    one, other = known(both).expected(GOAL, [ONE, OTHER])
    assert one < UNKNOWN < other


def test_of_skills_with_the_same_program_one_is_tried():
    twins = {name: skill(name) for name in ("a", "b", "c")}
    library = Library(skills={**twins, "other": OTHER})
    assert first(library, None) == ["a", "other"]
    assert first(library, known(*[tried(OTHER, 1.0)] * 2, tried(twins["c"], 1.0))) == ["other", "a"]


def chained(score, helped=False):
    """Return a try in which one did its part, and then the other the rest."""
    first, last = tried(ONE, score, helped=helped), tried(OTHER, score, FAR)
    return last.model_copy(update={"goal": f"{GOAL}, then {FAR}", "runs": (*first.runs, *last.runs)})


def test_of_a_chain_each_is_judged_by_its_part_and_only_the_last_fails_with_the_whole():
    failed, through = known(chained(0.0)), known(chained(1.0))
    assert failed.expected(GOAL, [ONE]) == [None]
    assert failed.expected(FAR, [OTHER])[0] < UNKNOWN
    assert through.expected(GOAL, [ONE])[0] > 0.6 < through.expected(FAR, [OTHER])[0]
    assert known(chained(1.0, helped=True)).expected(GOAL, [ONE])[0] < UNKNOWN


def test_a_changed_program_is_another_one_before_any_event_says_so():
    mended = skill("one", verb="dance")
    outcomes = known(*[tried(ONE, 0.0)] * 3)
    assert outcomes.expected(GOAL, [ONE, mended])[0] < UNKNOWN
    assert outcomes.expected(GOAL, [mended]) == [None]
    assert first(BOTH, outcomes) == ["other", "one"]
    assert first(Library(skills={"one": mended, "other": OTHER}), outcomes) == ["one", "other"]


def test_the_ledger_is_read_on_as_it_grows_and_no_line_twice():
    events = ledger(tried(ONE, 0.0))
    outcomes = Outcomes(HashEmbedder(), lambda: events)
    once = outcomes.expected(GOAL, [ONE])
    assert outcomes.expected(GOAL, [ONE]) == once
    events += ledger(tried(ONE, 0.0))
    assert outcomes.expected(GOAL, [ONE])[0] < once[0]


def test_the_latest_tries_alone_are_remembered():
    outcomes = known(*[tried(ONE, 0.0)] * 50, *[tried(ONE, 1.0)] * 200)
    assert outcomes.expected(GOAL, [ONE])[0] == pytest.approx(201 / 202)


def test_a_pattern_that_fixes_more_of_the_goal_makes_up_for_a_few_failures():
    close = skill("close", "go to the red {thing}")
    library = Library(skills={"one": ONE, "close": close})
    assert first(library, known())[0] == "close"
    assert first(library, known(tried(ONE, 0.0), tried(close, 0.0)))[0] == "close"
    assert first(library, known(*[tried(ONE, 1.0)] * 5, *[tried(close, 0.0)] * 5))[0] == "one"
