"""`skills essentials`: what of a program matters, by replays on practice seeds; real stages, a tiny world."""

import json

import pytest
from corridor_parts import SECRET, parts

from skillagent.cli import main
from skillagent.cli.essentials import noted
from skillagent.programs.text import FILE
from skillagent.schema import Decided, Decision, Edit, PutSkill, Skill
from skillagent.store.disk import DiskStore
from skillagent.testing import Corridor

PRESS = """\
goals: ['press the "{colour}" button']
steps:
- click: {role: button, name: white}
- click: {role: button, name: red}
"""
NEVER = PRESS.replace("white", "green")
LINES = [
    "Step 1, `click`, is essential: nothing succeeds without it",
    "Step 2, `click`, is free: 100% succeed without it",
]


class Counting(Corridor):
    """Made anew by a reset; remembers the seeds that were played."""

    anew = True

    def __init__(self):
        super().__init__(SECRET)
        self.played = set()

    def reset(self, task):
        self.played.add(task.seed)
        return super().reset(task)


class Lasting(Counting):
    anew = False


def put(name, program, evidence=("corridor/press@0#0a",)):
    files = {FILE: program} if program else {}
    skill = Skill(name=name, description="Press.", body=f"# {name}\n", domain="corridor", files=files)
    edit = Edit(changes=(PutSkill(skill=skill),), why="a lesson", evidence=evidence)
    return Decided(decision=Decision(edit=edit, accepted=True, reason="accepted: it helps"))


@pytest.fixture
def store(tmp_path):
    store = DiskStore(tmp_path / "skills", tmp_path / "memory")
    for one in (put("press", PRESS), put("never", NEVER), put("words", ""), put("mine", PRESS, evidence=())):
        store.commit(one)
    return store


@pytest.fixture
def call(tmp_path, store, capsys):
    def calling(*arguments, code=0, world=None):
        given = parts(tmp_path, environment=world or Counting())
        assert main(["skills", "essentials", *arguments], parts=given) == code
        return capsys.readouterr()

    return calling


def test_each_step_is_told_and_nothing_is_written_or_played_but_on_practice_seeds(call, store):
    world, before = Counting(), store.load().digest
    told = call("press", "--seeds", "2", world=world)
    assert told.out.splitlines() == LINES
    assert "3 changes, each replayed on up to 2 instances of corridor/press" in told.err
    assert world.played == {100, 101}
    assert store.load().digest == before


def test_json_has_every_share_and_the_instances(call):
    told = json.loads(call("mine", "--task", "corridor/press", "--seeds", "2", "--first", "7", "--json").out)
    assert told == {
        "name": "mine",
        "task": "corridor/press",
        "instances": [7, 8],
        "lines": LINES,
        "shares": {"step 1 dropped": 0.0, "step 2 dropped": 1.0, "step 1 swapped": 0.0},
        "changes": None,
    }


def test_with_note_it_stands_in_the_skill_once_and_can_be_taken_back(call, store, tmp_path):
    told = call("press", "--seeds", "1", "--note")
    assert "noted: skill press v2 (was v1)" in told.out
    call("press", "--seeds", "1", "--note")
    assert store.load().skills["press"].body == "# press\n\n## What matters\n\n" + "".join(
        f"- {one}\n" for one in LINES
    )
    assert main(["skills", "rollback", "press", "1"], parts=parts(tmp_path)) == 0
    assert store.load().skills["press"].body == "# press\n"


def test_what_stands_behind_what_matters_is_kept():
    skill = Skill(name="x", description="X.", body="# X\n\n## What matters\n\n- old\n\n## Pitfalls\n\n- Not: that\n")
    (change,) = noted(skill, ["new"]).decision.edit.changes
    assert change.skill.body == "# X\n\n## What matters\n\n- new\n\n## Pitfalls\n\n- Not: that\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["words"], "words has no program, only words: there are no steps to leave out"),
        (["mine"], "mine: the ledger names no task that it was learnt from: say --task"),
        (["never"], "never: its program does none of 15 practice instances of corridor/press by itself"),
        (["press", "--first", "2000000"], "--first 2000000: 15 instances from there are not all practice seeds"),
        (["press", "--first", "999990"], "are not all practice seeds, which are below 1,000,000"),
        (["pres"], "did you mean press?"),
    ],
)
def test_what_cannot_be_told_says_why(call, arguments, why):
    assert why in call(*arguments, code=2).err


def test_what_may_last_is_not_repeated(call):
    world = Lasting()
    assert "only worlds that a reset makes anew are replayed" in call("press", code=2, world=world).err
    assert not world.played
