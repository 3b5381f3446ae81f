"""Arms: what is compared is what its name says, and what is switched off is really off."""

import shutil

import pytest

from skillagent.build import Options
from skillagent.config import Settings
from skillagent.errors import ConfigError, LibraryError
from skillagent.evaluation.arms import OpenArm, base_of, parse_arms, shuffled
from skillagent.library import Library
from skillagent.schema import (
    Attempted,
    Condition,
    Decided,
    Decision,
    Demonstration,
    Edit,
    Insight,
    KeyStep,
    PutInsight,
    PutSkill,
    Skill,
    Task,
)
from skillagent.store.before import history
from skillagent.store.disk import DiskStore
from skillagent.store.trainings import Trainings

KEPT = Library(
    skills={name: Skill(name=name, description=f"about {name}", body=f"body of {name}") for name in ("a", "b")},
    insights={
        "i": Insight(
            id="i", taxonomy="x/y/z", kind="pitfall", condition=Condition(applies="always"), explanation="one two three"
        )
    },
    demonstrations={
        name: Demonstration(id=name, domain="x", goal=name, steps=(KeyStep(observation="o", action=f"do {name}"),))
        for name in ("d", "e")
    },
)


def test_the_plain_arms():
    none, frozen, learning = parse_arms("none, frozen,learning", KEPT)
    assert (none.name, len(none.library)) == ("none", 0)
    assert frozen.library == KEPT
    assert (learning.library, learning.learning) == (KEPT, True)


def test_an_a_a_comparison_is_the_same_arm_under_two_names():
    one, two = parse_arms("A/A", KEPT)
    assert (one.name, two.name) == ("frozen", "frozen#2")
    assert one.model_copy(update={"name": ""}) == two.model_copy(update={"name": ""})


def test_a_changed_setting_is_an_arm():
    model, off, both = parse_arms("model=openai/gpt-5-mini,insights=off+planning=off,none:context=16384", KEPT)
    assert model.settings == {"model": "openai/gpt-5-mini"}
    assert model.library == KEPT
    assert (len(off.library.insights), len(off.library.skills)) == (0, 2)
    assert off.options == {"planning": "off"}
    assert (len(both.library), both.settings) == (0, {"context": "16384"})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no arm in"),
        ("frosen", "no arm 'frosen'"),
        ("none,none", "twice"),
        ("colour=red", "no option 'colour'"),
        ("skills=half", "can only be off"),
        ("thresholds.solved=high", "thresholds.solved"),
        ("none:model", "no arm"),
    ],
)
def test_an_arm_that_is_none_is_refused(text, what):
    with pytest.raises(ConfigError, match=what):
        parse_arms(text, KEPT)


def test_shuffling_keeps_what_things_are_found_by_and_gives_them_other_contents():
    mixed = shuffled(KEPT)
    assert {name: skill.body for name, skill in mixed.skills.items()} == {"a": "body of b", "b": "body of a"}
    assert mixed.skills["a"].description == "about a"
    assert mixed.insights["i"].explanation == "three two one"
    assert mixed.demonstrations["d"].steps == KEPT.demonstrations["e"].steps
    assert sum(len(s.body) for s in mixed.skills.values()) == sum(len(s.body) for s in KEPT.skills.values())


def test_shuffling_gives_each_skill_the_program_of_another_and_a_lone_one_none():
    one = KEPT.skills["a"].model_copy(update={"files": {"scripts/program.yaml": "steps: [done]"}})
    mixed = shuffled(KEPT.model_copy(update={"skills": {**KEPT.skills, "a": one}}))
    assert [mixed.skills[name].files for name in "ab"] == [{}, one.files]
    assert shuffled(KEPT.model_copy(update={"skills": {"a": one}})).skills["a"].files == {}


def test_options_are_changed_by_name():
    changed = Options().changed({"planning": "off", "thresholds.solved": "0.7", "rules.pairs": 6})
    assert (changed.planning, changed.thresholds.solved, changed.rules.pairs) == (False, 0.7, 6)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("thresholds.skills", 0, "greater than or equal to 1"),
        ("thresholds.programs", -1, "greater than or equal to 1"),
        ("thresholds.insights", -1, "greater than or equal to 0"),
        ("thresholds.chance", "nan", "finite"),
        ("skills", "off", "arm of `skillagent eval --arms skills=off`"),
    ],
)
def test_options_that_make_no_sense_are_refused_with_what_they_should_be(key, value, said):
    with pytest.raises(ConfigError, match=said):
        Options().changed({key: value})


class Opened:
    def __init__(self):
        self.calls = []

    def __call__(self, settings, *, options=None, read_only=False):
        self.calls.append((settings, options, read_only))


def test_an_arm_is_opened_with_its_own_settings_and_without_a_budget(tmp_path):
    opened, settings = Opened(), Settings(_env_file=None, token_limit=5, threads=4)
    OpenArm(settings, tmp_path, workers=2, open=opened)(parse_arms("context=16384+planning=off", KEPT)[0])
    ((got, options, read_only),) = opened.calls
    assert (got.context, got.token_limit, got.threads) == (16384, None, 2)
    assert not options.planning
    assert read_only


@pytest.fixture
def present(tmp_path):
    """Return the settings of a library on disk, with a history."""
    settings = Settings(_env_file=None, skills=tmp_path / "skills", memory=tmp_path / "memory")
    edit = Edit(changes=(PutSkill(skill=KEPT.skills["a"]), PutInsight(insight=KEPT.insights["i"])), why="test")
    DiskStore(settings.skills, settings.memory).commit(
        Decided(decision=Decision(edit=edit, accepted=True, reason="test"))
    )
    return settings


def library_of(settings):
    return DiskStore(settings.skills, settings.memory).load()


def test_an_arm_that_learns_has_a_copy_of_the_library_and_a_ledger_of_its_own(tmp_path, present):
    opened = Opened()
    opener = OpenArm(present, tmp_path / "run", open=opened)
    (learning,) = parse_arms("learning", KEPT)
    for _ in range(2):
        opener(learning)
    for got, _, read_only in opened.calls:
        assert library_of(got) == library_of(present)
        assert list(got.skills.iterdir()) == [got.skills / "a"]
        assert {file.name for file in got.memory.iterdir()} == {"before.jsonl", "insights.jsonl"}
        assert got.skills.is_relative_to(tmp_path / "run")
        assert not read_only
    assert base_of(tmp_path / "run", learning) == library_of(present).digest


def test_a_copy_routes_by_what_the_router_was_trained_to(tmp_path, present):
    Trainings(present.memory).append({"kind": "chosen", "version": 0, "at": ""})
    opened = Opened()
    (learning,) = parse_arms("learning", KEPT)
    name, sha256 = Trainings(present.memory).keep("1-programs", lambda new: new.mkdir())
    OpenArm(present, tmp_path / "run", open=opened)(learning)
    copy = Trainings(opened.calls[0][0].memory)
    assert copy.lines() == Trainings(present.memory).lines()
    assert copy.folder(name, sha256).is_dir()


def test_a_copy_of_a_copy_knows_what_happened_before_and_not_what_happens_to_the_first_meanwhile(tmp_path, present):
    def tries(settings, attempt):
        entry = Attempted(attempt=attempt, task=Task(env="x", name="t"), goal="g", score=1.0)
        DiskStore(settings.skills, settings.memory).commit(entry)

    def told(settings, **how):
        return history(settings.memory, DiskStore(settings.skills, settings.memory).events, **how)

    (learning,), opened = parse_arms("learning", KEPT), Opened()
    OpenArm(present, tmp_path / "one", open=opened)(learning)
    one = opened.calls[0][0]
    tries(one, "in the first copy")
    OpenArm(one, tmp_path / "two", open=opened)(learning)
    two = opened.calls[1][0]
    tries(present, "elsewhere")
    assert [event.entry for event in told(two)()] == [event.entry for event in told(one)()]
    assert list(DiskStore(two.skills, two.memory).events()) == []
    once, live = told(two, once=True), told(two)
    assert len(list(once())) == len(list(live())) == 2
    tries(two, "in the second copy")
    assert (len(list(once())), len(list(live()))) == (2, 3)


def test_a_copy_that_was_cut_short_is_never_used(tmp_path, present):
    opened, insights = Opened(), present.memory / "insights.jsonl"
    opener, (learning,) = OpenArm(present, tmp_path / "run", open=opened), parse_arms("learning", KEPT)
    whole = insights.read_text()
    insights.write_text("{}\n")
    with pytest.raises(LibraryError):
        opener(learning)
    assert base_of(tmp_path / "run", learning) is None
    insights.write_text(whole)
    shutil.copytree(present.skills / "a", tmp_path / "run" / "learning.new" / "skills" / "half")
    opener(learning)
    assert library_of(opened.calls[0][0]) == library_of(present)


def test_what_an_arm_has_learnt_is_not_copied_over(tmp_path, present):
    opened = Opened()
    opener, (learning,) = OpenArm(present, tmp_path / "run", open=opened), parse_arms("learning", KEPT)
    opener(learning)
    shutil.rmtree(opened.calls[0][0].skills / "a")
    opener(learning)
    assert not library_of(opened.calls[1][0]).skills


def test_an_arm_is_checked_against_the_settings_before_anything_is_played():
    with pytest.raises(ConfigError, match="CONTEXT"):
        parse_arms("none,context=abc", KEPT, Settings(_env_file=None))


@pytest.mark.parametrize("arm", ["learning:skills=off", "memory=elsewhere"])
def test_what_an_arm_cannot_do_is_refused(arm):
    with pytest.raises(ConfigError, match="arm"):
        parse_arms(arm, KEPT)


def test_an_a_a_comparison_goes_with_a_frozen_arm_that_is_there_already():
    assert [arm.name for arm in parse_arms("none,frozen,A/A", KEPT)] == ["none", "frozen", "frozen#2"]


def test_a_shuffled_arm_finds_what_the_frozen_one_finds():
    (arm,) = parse_arms("shuffled", KEPT)
    assert arm.library == KEPT
    assert arm.contents == shuffled(KEPT)
