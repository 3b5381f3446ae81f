"""Recount: what was routed then is told by the ledger's own numbers, whatever the library is by now."""

import json
import sys
from pathlib import Path

import pytest

from skillagent.cli import main
from skillagent.library import Library
from skillagent.routing.recount import recount
from skillagent.schema import Attempted, Event, PutSkill, Ran, Ranked, Routed, Skill, Task
from skillagent.testing import MemoryStore

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from corridor_parts import parts

ONE = Skill(name="one", description="Goes.", body="Walk.", version=3)
LIBRARY = Library(skills={"one": ONE})
BEST = {"words": 0.5, "text": 0.4, "solved": 0.81, "whole": 0.6, "chance": 0.72}


def chosen(**told):
    return Ranked(**{"id": "one", "score": 0.75, "version": 3, "says": ONE.says, "parts": BEST} | told)


def line(*routed, attempt="x/t@0#1", **rest):
    task = Task(env="x", name="t")
    entry = Attempted(attempt=attempt, task=task, goal="go", shown=("one",), score=1.0, routed=routed, **rest)
    return Event(seq=0, at="2026-11-30T10:00:00Z", library="abc", entry=entry)


def why(one, **rest):
    return recount(line(Routed(goal="go", shown=(one,)), **rest), LIBRARY).parts[0].why[0]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (chosen(), "it came first, score 0.75, chance 0.72 that it fits, 0.81 like a goal that it had solved"),
        (chosen(parts={**BEST, "solved": -1.0}), "chance 0.72 that it fits; no program of it ran"),
        (chosen(parts={**BEST, "learned": 0.2}), "had solved, with +0.20 by training"),
        (
            chosen(parts={"solved": 0.8, "expected": 0.9}),
            "its program knew goals of this form, and it was expected to do 90%",
        ),
        (chosen(parts={"solved": 0.8}), "its program knew goals of this form, and it had never been tried"),
        (chosen(parts={}, pinned=True), "it was pinned"),
        (chosen(parts={}), "the goal began with its name"),
    ],
)
def test_the_reason_is_that_of_then(one, said):
    assert why(one).startswith("one (version 3) was shown because ")
    assert said in why(one)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({}, "its program ran"),
        ({"helped": True}, "its program ran, and the model had to take part"),
        ({"fit": False}, "its program did not find what it begins with"),
    ],
)
def test_what_its_program_came_to_is_told(run, said):
    assert why(chosen(), runs=(Ran(skill="one", program="p", goal="go", **run),)).endswith(f"; {said}")


def test_nothing_shown_and_the_runner_up_are_told():
    near = Ranked(id="near", score=0.31, parts={"chance": 0.12})
    found = recount(
        line(Routed(goal="a", runner_up=near), Routed(goal="b", shown=(chosen(),), runner_up=near)), LIBRARY
    )
    assert found.parts[0].why == ("nothing was shown: near came nearest, score 0.31, chance 0.12 that it fits",)
    assert found.parts[1].why[1] == "the runner-up was near, score 0.31"
    assert recount(line(Routed(goal="a")), LIBRARY).parts[0].why == ("nothing was shown: no skill was there",)


def test_what_changed_since_is_said_and_changes_no_reason():
    event = line(Routed(goal="go", shown=(chosen(),)))
    same = ONE.model_copy(update={"goals": ("go",), "version": 4})
    other = ONE.model_copy(update={"body": "Run.", "version": 4})
    for now, since in ((same, ()), (other, ("one was changed since: it is version 4 now",))):
        found = recount(event, LIBRARY.with_change(PutSkill(skill=now, base=3)))
        assert found.since == since
        assert found.parts == recount(event, LIBRARY).parts
    assert recount(event, Library()).since == ("one is not in the library any more",)


def test_the_command_tells_the_last_attempt_of_an_id_in_words_and_as_json(tmp_path, capsys):
    store = MemoryStore(Library())  # nothing of then is left
    for score in (0.1, 0.75):
        store.commit(line(Routed(goal="go", shown=(chosen(score=score),))).entry)
    store.commit(line(attempt="x/t@0#old").entry)
    given = parts(tmp_path, store=store)
    assert main(["router", "explain", "--attempt", "x/t@0#1"], parts=given) == 0
    said = capsys.readouterr().out
    assert "one (version 3) was shown because it came first, score 0.75" in said
    assert "one is not in the library any more" in said
    assert main(["router", "explain", "--attempt", "x/t@0#1", "--json"], parts=given) == 0
    assert json.loads(capsys.readouterr().out)["parts"][0]["shown"][0]["score"] == 0.75
    assert main(["router", "explain", "--attempt", "x/t@0#old"], parts=given) == 0
    assert "from before routes were kept; shown: one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--attempt", "x/t@0#2"], "did you mean x/t@0#1"),
        ([], "say either a goal or --attempt ID"),
        (["go", "--attempt", "x/t@0#1"], "say either a goal or --attempt ID"),
    ],
)
def test_the_command_refuses_what_it_cannot_tell(tmp_path, capsys, given, said):
    store = MemoryStore(LIBRARY)
    store.commit(line().entry)
    assert main(["router", "explain", *given], parts=parts(tmp_path, store=store)) != 0
    assert said in capsys.readouterr().err
