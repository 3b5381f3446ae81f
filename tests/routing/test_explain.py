"""Explain: the reasons are those by which the route was chosen."""

import json
import sys
from pathlib import Path

import pytest

from skillagent.cli import main
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.explain import explain
from skillagent.routing.fuse import chance, lacking
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.route import Thresholds
from skillagent.schema import Attempted, Event, Ran, Skill, Task, digest_of
from skillagent.testing import HashEmbedder, MemoryStore

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from corridor_parts import parts

LOGIN = 'Enter the username "bob" and the password "x1" into the text fields and press login.'
WATER = "Water roses and the old oak"
RUNS = {FILE: 'goals: ["Water {plants} and the old oak"]\nsteps: [done]'}
SKILLS = (
    Skill(name="log-in", description="Logs in.", body="Fill both fields.", goals=(LOGIN,), domain="miniwob"),
    Skill(name="pick-date", description="Picks dates.", body="Open it.", goals=("Select 03/04/2020 as the date.",)),
    Skill(name="water", description="Waters.", body="Carry water.", files=RUNS),
)
LIBRARY = Library(skills={skill.name: skill for skill in SKILLS})


def explained(goal, **options):
    return explain(goal, LIBRARY, catalogue=Catalogue(HashEmbedder()), **options)


@pytest.mark.parametrize(
    ("goal", "shown", "why"),
    [
        (LOGIN, ["log-in"], "the chance that it fits"),
        (f"/pick-date {LOGIN}", ["pick-date"], "begins with its name"),
        (WATER, ["water"], "its program knows goals of this form: its pattern fixes 22 letters"),
        ("Repaint the garage door", [], "nothing is shown: the chance that the best one"),
    ],
)
def test_the_reason_is_the_one_that_decided(goal, shown, why):
    found = explained(goal)
    assert [one.id for one in found.shown] == shown
    assert why in found.why[0]
    assert found.otherwise


def test_a_program_says_what_is_expected_of_it():
    ran = Ran(skill="water", program=digest_of(RUNS[FILE]), goal=WATER)
    tried = Attempted(attempt="a", task=Task(env="x", name="t"), goal=WATER, score=1.0, runs=(ran,))
    events = [Event(seq=0, at="", library="", entry=tried)]
    assert explained(WATER).why[0].endswith("the ledger tells of no try of it as it is now")
    told = explained(WATER, outcomes=Outcomes(HashEmbedder(), lambda: events))
    assert told.why[0].endswith("it is expected to do 67% of such goals")


def test_a_loose_form_that_is_shown_for_its_likeness_says_that():
    loose = Skill(name="log-in", description=LOGIN, body=LOGIN, files={FILE: "goals: ['Enter {all}']\nsteps: [done]"})
    found = explain(LOGIN, Library(skills={"log-in": loose}), catalogue=Catalogue(HashEmbedder()))
    assert [one.id for one in found.shown] == ["log-in"]
    assert "the chance that it fits" in found.why[0]


def test_a_pinned_skill_says_so_and_another_environment_has_none():
    found = explained("Repaint the garage door", thresholds=Thresholds(pinned=("log-in",)))
    assert found.why == ("log-in is shown because it is pinned (thresholds.pinned)",)
    assert "log-in" not in {one.id for one in explained(LOGIN, domain="tabletop").considered}
    empty = explain(LOGIN, Library(), catalogue=Catalogue(HashEmbedder()))
    assert empty.why == ("nothing is shown because the library has no skill",)
    elsewhere = Library(skills={"there": Skill(name="there", description="d", body="b", domain="shop")})
    none = explain(LOGIN, elsewhere, catalogue=Catalogue(HashEmbedder()), domain="mail")
    assert none.why == ("nothing is shown because the library has no skill for mail, only for shop",)


def test_a_name_that_no_skill_has_is_told():
    said = explained("/log-im as Ann", thresholds=Thresholds(pinned=("nobody",))).why
    assert said[:2] == (
        "there is no skill log-im, so it is taken as words of the goal; did you mean log-in?",
        "there is no skill nobody",
    )


def test_so_much_more_score_is_just_enough():
    import numpy as np

    now = chance(0.5, np.array([0.2] * 19), proven=True)
    better = 0.5 + lacking(now, 0.5, proven=True)
    assert now < 0.5
    assert chance(better, np.array([0.2] * 19), proven=True) == pytest.approx(0.5)


def test_the_command_says_why_in_words_and_as_json(tmp_path, capsys):
    given = parts(tmp_path, store=MemoryStore(LIBRARY))
    assert main(["router", "explain", LOGIN, "--env", "miniwob"], parts=given) == 0
    said = capsys.readouterr().out
    assert "log-in is shown because" in said
    assert "the runner-up pick-date" in said or "the runner-up water" in said
    assert main(["router", "explain", LOGIN, "--json"], parts=given) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in found["shown"]] == ["log-in"]
    assert set(found["shown"][0]["parts"]) == {"words", "text", "solved", "whole", "chance"}


@pytest.mark.parametrize(
    ("set_", "shown", "said"),
    [
        ("thresholds.pinned=pick-date", ["log-in", "pick-date"], "pick-date is shown because it is pinned"),
        ("thresholds.chance=1.0", ["log-in"], "it solved a goal like this one"),
        ("thresholds.covers=2", ["log-in"], "the chance that it fits"),
    ],
)
def test_the_command_tells_what_a_run_with_other_options_would_show(tmp_path, capsys, set_, shown, said):
    given = parts(tmp_path, store=MemoryStore(LIBRARY))
    assert main(["router", "explain", LOGIN, "--set", set_, "--json"], parts=given) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in found["shown"]] == shown
    assert any(said in line for line in found["why"])


def test_the_command_refuses_an_option_that_there_is_not(tmp_path, capsys):
    given = parts(tmp_path, store=MemoryStore(LIBRARY))
    assert main(["router", "explain", LOGIN, "--set", "thresholds.chances=1"], parts=given) != 0
    assert "thresholds.chance" in capsys.readouterr().err


def test_the_command_tells_what_was_solved_since_unless_that_is_off(tmp_path, capsys):
    goal, program = "feed the ferns", RUNS[FILE]
    run, store = Ran(skill="water", program=digest_of(program), goal=goal), MemoryStore(LIBRARY)
    task = Task(env="x", name="t")
    store.commit(Attempted(attempt="a", task=task, goal=goal, score=1.0, programs=("water",), runs=(run,)))
    given = parts(tmp_path, store=store)
    assert main(["router", "explain", goal], parts=given) == 0
    assert f'water is found by goals that it solved since it was written, too: "{goal}"' in capsys.readouterr().out
    assert main(["router", "explain", goal, "--set", "remembering=off"], parts=given) == 0
    assert "since it was written" not in capsys.readouterr().out


def test_a_goal_in_parts_that_programs_know_is_explained_part_by_part(tmp_path, capsys):
    def knowing(name, pattern):
        text = f"goals: ['{pattern}']\nsteps: [done]"
        return Skill(name=name, description=pattern, body=pattern, files={FILE: text})

    both = (knowing("lamp", "switch on the {colour} lamp"), knowing("gate", "close the {side} gate"))
    given = parts(tmp_path, store=MemoryStore(Library(skills={one.name: one for one in both})))
    goal = "close the left gate after you switch on the red lamp"
    assert main(["router", "explain", goal], parts=given) == 0
    said = capsys.readouterr().out
    assert said.index("part 1 of 2: switch on the red lamp") < said.index("lamp is shown because")
    assert said.index("part 2 of 2: close the left gate") < said.index("gate is shown because")
    assert main(["router", "explain", goal, "--json"], parts=given) == 0
    told = json.loads(capsys.readouterr().out)["parts"]
    assert [[one["id"] for one in part["shown"]] for part in told] == [["lamp"], ["gate"]]
    assert main(["router", "explain", "switch on the red lamp", "--json"], parts=given) == 0
    assert json.loads(capsys.readouterr().out)["parts"] == []
