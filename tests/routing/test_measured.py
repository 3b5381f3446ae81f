"""Measured: what the ledger says of skills on goals, and what it must not say."""

import sys
from pathlib import Path

import pytest

from skillagent.library import Library
from skillagent.routing.measured import measured
from skillagent.schema import (
    Attempted,
    Decided,
    Decision,
    Edit,
    Pair,
    PutSkill,
    Ranked,
    Routed,
    Score,
    Skill,
    Split,
    Task,
)

sys.path.insert(0, str(Path(__file__).parent))

from ledgers import checked, goal_of, ledger, plain, tried

ONE, OTHER = plain(0), checked(0)
BOTH = Library(skills={one.name: one for one in (ONE, OTHER)})
CLICK = '{"verb":"click","ref":"button Go [1]"}'
WORDED = Skill(name="worded", description="d", body="1. `click` the button that the goal names\n")


def worth(library, *entries):
    return {(one.kind, one.goal, one.at): dict(one.worth) for one in measured(library, ledger(*entries))}


def test_a_goal_is_worth_to_a_program_the_share_of_its_tries_that_did_it_alone():
    tries = (tried(ONE, 0, 1.0), tried(ONE, 0, 0.0), tried(OTHER, 0, 1.0), tried(OTHER, 0, 0.0, seed=1))
    assert worth(BOTH, *tries) == {
        ("programs", goal_of(0), ("x/t0", 0)): {ONE.name: 0.5, OTHER.name: 1.0},
        ("programs", goal_of(0), ("x/t0", 1)): {OTHER.name: 0.0},
    }


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(tried(ONE, 0, 1.0, seed=Split.HOLDOUT.first_seed), id="a holdout seed"),
        pytest.param(tried(ONE, 0, None), id="unscored"),
        pytest.param(tried(ONE, 0, 1.0, void="it crashed"), id="void"),
        pytest.param(tried(plain(1), 0, 1.0), id="a program that the library has no more"),
    ],
)
def test_what_says_nothing_is_left_out(entry):
    assert worth(BOTH, entry) == {}


def test_gate_seeds_count():
    assert len(worth(BOTH, tried(ONE, 0, 1.0, seed=Split.GATE.first_seed))) == 1


def shown(score, actions=(CLICK,), seed=0, goal="press it"):
    task = Task(env="x", name="t", seed=seed)
    return Attempted(attempt="a", task=task, goal=goal, shown=("worded",), score=score, actions=actions)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        pytest.param(shown(1.0), {"worded": 1.0}, id="followed, and solved"),
        pytest.param(shown(0.0), {"worded": 0.0}, id="followed, and not solved"),
        pytest.param(shown(1.0, ('{"verb":"wait"}',)), None, id="ignored"),
        pytest.param(shown(1.0, ()), None, id="nobody knows what was done"),
        pytest.param(shown(1.0, seed=Split.HOLDOUT.first_seed), None, id="a holdout seed"),
    ],
)
def test_words_are_worth_what_came_of_following_them(entry, found):
    assert list(worth(Library(skills={"worded": WORDED}), entry).values()) == ([found] if found else [])


def test_words_are_worth_that_for_the_part_of_a_plan_that_they_were_shown_for():
    parts = (
        Routed(goal="press it", shown=(Ranked(id="worded", score=1.0),)),
        Routed(goal="look", shown=(Ranked(id="other", score=1.0),)),
    )
    divided = shown(1.0, goal="look and press it").model_copy(update={"shown": ("worded", "other"), "routed": parts})
    (found,) = measured(Library(skills={"worded": WORDED}), ledger(divided))
    assert (found.goal, found.worth, found.beside) == ("press it", {"worded": 1.0}, {"look", "look and press it"})


def test_the_parts_that_programs_did_are_beside_a_goal_though_its_line_keeps_no_route():
    did = tried(ONE, 0, 1.0, goal="look and press it")
    (found,) = measured(BOTH, ledger(did))
    assert (found.goal, found.beside) == (goal_of(0), {"look and press it"})
    other = tried(OTHER, 0, 1.0, goal="look and press it").model_copy(
        update={"runs": (did.runs[0].model_copy(update={"goal": "look"}),)}
    )
    assert {one.goal: one.beside for one in measured(BOTH, ledger(did, other))} == {
        goal_of(0): {"look and press it", "look"},
        "look": {"look and press it", goal_of(0)},
    }


def put(skill, pairs=(), accepted=True, replaced=(), base=None, rehearsed=()):
    edit = Edit(changes=(PutSkill(skill=skill, base=base),), why="w")
    decision = Decision(edit=edit, accepted=accepted, reason="r", pairs=pairs, rehearsed=rehearsed)
    return Decided(decision=decision, replaced=replaced)


def test_a_skill_that_is_rewritten_begins_anew_and_one_that_solved_another_goal_does_not():
    library = Library(skills={"worded": WORDED})
    older = WORDED.model_copy(update={"body": "1. `click` the link\n"})
    more = WORDED.model_copy(update={"goals": ("press it",)})
    rewritten = put(WORDED, replaced=(PutSkill(skill=older),))
    solved = put(more, replaced=(PutSkill(skill=WORDED),))
    assert worth(library, shown(1.0), rewritten) == {}
    assert len(worth(library, rewritten, shown(1.0))) == 1
    assert len(worth(library, shown(1.0), solved)) == 1


GOAL = goal_of(0)


def pair(value, seed, tokens=0, goal=GOAL):
    task = Task(env="x", name="t0", seed=seed, goal=goal)
    return Pair(task=task, before=Score(value=0.0), after=None if value is None else Score(value=value, tokens=tokens))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param(pair(1.0, 7), {ONE.name: 1.0}, id="it did it by itself"),
        pytest.param(pair(1.0, 7, tokens=9), {ONE.name: 0.0}, id="the model took part"),
        pytest.param(pair(None, 7), None, id="unscored"),
        pytest.param(pair(1.0, Split.HOLDOUT.first_seed), None, id="a holdout seed"),
        pytest.param(pair(1.0, 7, goal=""), None, id="nobody knows the goal"),
    ],
)
def test_replays_of_the_gate_count_where_the_goal_is_known(given, found):
    assert list(worth(BOTH, put(ONE, pairs=(given,))).values()) == ([found] if found else [])


def test_the_goal_of_a_replay_is_that_of_an_attempt_at_the_same_instance():
    entry = put(OTHER, rehearsed=(pair(1.0, 0, goal=""),), accepted=False)
    assert worth(BOTH, entry, tried(ONE, 0, 0.0)) == {
        ("programs", goal_of(0), ("x/t0", 0)): {ONE.name: 0.0, OTHER.name: 1.0}
    }


def test_a_replay_of_what_the_skill_no_longer_is_says_nothing():
    other = ONE.model_copy(update={"files": OTHER.files})
    assert worth(BOTH, put(other, pairs=(pair(1.0, 7),))) == {}
