"""Outcomes: of programs that know the same goals, the one that did them comes first."""

import pytest

from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.outcomes import UNKNOWN, Outcomes
from skillagent.routing.route import route
from skillagent.schema import Attempted, Decided, Decision, Edit, Event, Plan, PutSkill, RetireSkill, Skill, Split, Task
from skillagent.testing import HashEmbedder

GOAL, FAR = "go to the red ball", "water every flower behind that old house"


def skill(name, pattern="go to the {thing}"):
    return Skill(name=name, description="Goes.", body="Walk.", files={FILE: f"goals: ['{pattern}']\nsteps: [wave]\n"})


def tried(name, score, goal=GOAL, split=Split.PRACTICE, **rest):
    task = Task(env="x", name="t", seed=split.first_seed)
    return Attempted(attempt="a", task=task, goal=goal, score=score, programs=(name,), **rest)


def ledger(*entries):
    return [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]


def known(*entries):
    return Outcomes(HashEmbedder(), lambda: ledger(*entries))


def first(library, outcomes, goal=GOAL):
    found = route(Plan(goal=goal), library, catalogue=Catalogue(HashEmbedder()), outcomes=outcomes)
    return [one.id for one in found.skills[0]]


ONE, OTHER = skill("one"), skill("other")
BOTH = Library(skills={"one": ONE, "other": OTHER})


def test_the_program_that_did_such_goals_is_tried_first_and_then_the_other():
    assert first(BOTH, None) == first(BOTH, known()) == ["one", "other"]
    assert first(BOTH, known(tried("one", 0.0))) == ["other", "one"]
    assert first(BOTH, known(tried("other", 1.0))) == ["other", "one"]
    assert first(BOTH, known(tried("other", 1.0), tried("one", 1.0), tried("one", 1.0))) == ["one", "other"]


def test_what_it_did_at_unlike_goals_hardly_counts():
    outcomes = known(*[tried("one", 0.0, FAR)] * 20, tried("other", 0.0))
    assert first(BOTH, outcomes) == ["one", "other"]


@pytest.mark.parametrize(
    "entry",
    [
        tried("one", 0.0, split=Split.HOLDOUT),
        tried("one", None),
        tried("one", 0.0, void="the world fell over"),
        tried("one", 0.0).model_copy(update={"programs": ()}),
    ],
    ids=["a holdout seed", "without a score", "void", "where it did not run"],
)
def test_tries_that_say_nothing_do_not_count(entry):
    assert known(entry).expected(GOAL, ["one"]) == [UNKNOWN]


def test_a_program_that_the_model_had_to_help_did_not_do_it_and_those_before_the_last_did_their_parts():
    helped = known(tried("one", 1.0, surprise="no ball"))
    assert helped.expected(GOAL, ["one"])[0] < UNKNOWN
    chained = known(tried("", 0.0).model_copy(update={"programs": ("one", "other")}))
    one, other = chained.expected(GOAL, ["one", "other"])
    assert (one, other < UNKNOWN) == (UNKNOWN, True)
    through = known(tried("", 1.0).model_copy(update={"programs": ("one", "other")}))
    assert min(through.expected(GOAL, ["one", "other"])) > UNKNOWN


def test_what_came_before_a_change_is_forgotten_and_the_ledger_is_read_on_as_it_grows():
    events = ledger(tried("one", 0.0))
    outcomes = Outcomes(HashEmbedder(), lambda: events)
    assert outcomes.expected(GOAL, ["one"])[0] < UNKNOWN
    refused, accepted = (
        Decided(decision=Decision(edit=Edit(changes=(change,), why="w"), accepted=accepted, reason="r"))
        for change, accepted in ((RetireSkill(name="one", base=1), False), (PutSkill(skill=ONE, base=1), True))
    )
    events += ledger(tried("one", 0.0), refused)[1:]
    assert outcomes.expected(GOAL, ["one"])[0] < UNKNOWN
    events += ledger(tried("one", 0.0), refused, accepted)[2:]
    assert outcomes.expected(GOAL, ["one"]) == [UNKNOWN]
    events += ledger(tried("one", 0.0), refused, accepted, tried("one", 1.0))[3:]
    assert outcomes.expected(GOAL, ["one"])[0] > UNKNOWN


def test_a_pattern_that_fixes_more_of_the_goal_makes_up_for_a_few_failures():
    close = skill("close", "go to the red {thing}")
    library = Library(skills={"one": ONE, "close": close})
    assert first(library, known())[0] == "close"
    assert first(library, known(tried("one", 0.0), tried("close", 0.0)))[0] == "close"
    assert first(library, known(*[tried("one", 1.0)] * 5, *[tried("close", 0.0)] * 5))[0] == "one"
