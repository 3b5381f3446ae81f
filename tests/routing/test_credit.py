"""Credit: what the ledger says of the skills that were shown, and of goals for which there was none."""

import json
import sys
from pathlib import Path

import pytest

from skillagent.cli import main
from skillagent.library import Library
from skillagent.routing.credit import Credit, Lacking, routing
from skillagent.schema import Attempted, Event, Ran, Skill, Task
from skillagent.testing import MemoryStore

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from corridor_parts import parts

LIBRARY = Library(skills={name: Skill(name=name, description="d", body="b") for name in ("one", "other", "idle")})


def tried(score, shown=(), programs=(), goal='press "a"', **rest):
    task = Task(env="x", name="t", seed=0)
    runs = tuple(Ran(skill=name, program="p", goal=goal) for name in programs)
    return Attempted(attempt="a", task=task, goal=goal, shown=shown, score=score, programs=programs, runs=runs, **rest)


def told(*entries):
    return routing(LIBRARY, [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)])


def of(found, skill):
    return next(one for one in found.credits if one.skill == skill)


def test_a_skill_did_it_alone_or_helped_or_misled():
    found = told(
        tried(1.0, ("one", "an-insight"), ("one",)),
        tried(1.0, ("one",), ("one",), surprise="no such button"),
        tried(1.0, ("one",)),
        tried(0.5, ("one",), ("one",)),
    )
    assert found.credits == (Credit(skill="one", shown=4, ran=3, alone=1, helped=2, misled=1),)
    assert (found.attempts, found.abstained, found.unused) == (4, 0, ("other", "idle"))


CLICK, TYPE = '{"verb":"click","ref":"button Go [1]"}', '{"verb":"fill","ref":"textbox [2]","text":"x"}'


@pytest.mark.parametrize(
    ("score", "actions", "programs", "came"),
    [
        pytest.param(1.0, (CLICK,), (), {"followed": 1, "helped": 1}, id="followed, and solved"),
        pytest.param(0.0, (CLICK,), (), {"followed": 1, "misled": 1}, id="followed, and not solved"),
        pytest.param(1.0, (TYPE,), (), {"ignored": 1}, id="something else was done, and solved it"),
        pytest.param(0.0, (TYPE,), (), {"ignored": 1}, id="something else was done, and failed"),
        pytest.param(0.0, (), (), {"misled": 1}, id="nobody knows what was done"),
        pytest.param(1.0, (f"{CLICK} [program]",), ("worded",), {"ran": 1, "alone": 1}, id="its program did it"),
    ],
)
def test_what_was_shown_and_not_done_neither_helped_nor_misled(score, actions, programs, came):
    worded = Skill(name="worded", description="d", body="1. `click` the button that the goal names\n")
    one = tried(score, ("worded",), programs, actions=actions)
    found = routing(Library(skills={"worded": worded}), [Event(seq=0, at="", library="", entry=one)])
    assert found.credits == (Credit(skill="worded", shown=1, **came),)


def test_of_a_chain_the_last_one_is_at_fault():
    found = told(tried(0.0, ("one", "other"), ("one", "other"), surprise="no such button"))
    assert of(found, "one") == Credit(skill="one", shown=1, ran=1, alone=1)
    assert of(found, "other") == Credit(skill="other", shown=1, ran=1, misled=1)


def test_a_program_that_the_model_helped_did_not_do_its_part_alone():
    done = tried(1.0, ("one", "other"), ("one", "other"))
    helped = done.model_copy(update={"runs": (done.runs[0].model_copy(update={"helped": True}), done.runs[1])})
    assert (of(told(done), "one").alone, of(told(helped), "one").helped, of(told(helped), "other").alone) == (1, 1, 1)


def test_a_program_whose_part_another_had_to_do_misled_where_the_task_failed():
    lost = tried(0.0, ("one", "other"), ("one", "other"))
    instead = lost.model_copy(update={"runs": (lost.runs[0].model_copy(update={"helped": True}), lost.runs[1])})
    assert (of(told(lost), "one").alone, of(told(instead), "one").misled) == (1, 1)


def test_a_line_from_before_runs_were_told_counts_by_its_programs():
    old = tried(1.0, ("one",), ("one",)).model_copy(update={"runs": ()})
    assert of(told(old), "one").alone == 1
    assert of(told(old.model_copy(update={"surprise": "no such button"})), "one").helped == 1


def test_what_had_no_skill_is_told_by_its_shape_the_worst_first():
    found = told(*[tried(0.0)] * 2, tried(0.0, goal='press "b"'), tried(1.0, ("gone",)), tried(0.0, goal="sing"))
    assert (found.attempts, found.abstained) == (5, 5)
    assert found.lacking == (Lacking(shape="press …", tried=4, failed=3), Lacking(shape="sing", tried=1, failed=1))


def test_what_plans_asked_for_is_told_once_the_latest_first():
    first, later = tried(0.0, wanted=("sing", "dance")), tried(1.0, ("one",), wanted=("sing",))
    found = told(first, later, tried(None, wanted=("unscored",)))
    assert found.wanted == ("sing", "dance")


def test_void_and_unscored_attempts_say_nothing():
    assert told(tried(None, ("one",)), tried(0.0, ("one",), void="it crashed")).attempts == 0


def test_the_command_says_it_in_words_and_in_json(tmp_path, capsys):
    store = MemoryStore(LIBRARY)
    assert main(["router", "eval"], parts=parts(tmp_path, store=store)) == 0
    assert "nothing was tried yet" in capsys.readouterr().out
    store.commit(tried(1.0, ("one",), ("one",)))
    store.commit(tried(0.0, wanted=("sing a song", "shut the door")))
    assert main(["router", "eval"], parts=parts(tmp_path, store=store)) == 0
    said = capsys.readouterr().out
    assert "never shown: other, idle" in said
    assert "no skill was shown in 1 of 2 attempts, of which 1 failed" in said
    assert "asked for by a plan: sing a song" in said
    assert "asked for by a plan (close): shut the door" in said
    assert main(["router", "eval", "--json"], parts=parts(tmp_path, store=store)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["credits"][0]["alone"] == 1
    assert told["first_choices"] == {}


def test_the_command_tells_first_choices_where_several_programs_were_tried(tmp_path, capsys):
    from ledgers import looks_first, world

    library, events = world(2, looks_first)
    store = MemoryStore(library)
    for event in events:
        store.commit(event.entry)
    assert main(["router", "eval"], parts=parts(tmp_path, store=store)) == 0
    said = capsys.readouterr().out
    assert "first choices of programs, 2 goals of 2 tasks" in said
    assert "tried for: 0.0%; the best 100.0%, by chance 50.0%" in said
