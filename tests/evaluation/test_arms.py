"""Arms: what is compared is what its name says, and what is switched off is really off."""

import pytest

from skillagent.build import Options
from skillagent.config import Settings
from skillagent.errors import ConfigError
from skillagent.evaluation.arms import OpenArm, parse_arms, shuffled
from skillagent.library import Library
from skillagent.schema import Condition, Demonstration, Insight, KeyStep, Skill

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


def test_options_are_changed_by_name():
    changed = Options().changed({"planning": "off", "thresholds.solved": "0.7", "rules.pairs": 6})
    assert (changed.planning, changed.thresholds.solved, changed.rules.pairs) == (False, 0.7, 6)


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


def test_an_arm_that_learns_has_a_copy_of_the_library_and_nothing_of_its_history(tmp_path):
    skills, memory = tmp_path / "skills", tmp_path / "memory"
    (skills / "log-in").mkdir(parents=True)
    (skills / "log-in" / "SKILL.md").write_text("x")
    memory.mkdir()
    for name in ("insights.jsonl", "ledger.jsonl"):
        (memory / name).write_text("{}\n")
    opened = Opened()
    opener = OpenArm(Settings(_env_file=None, skills=skills, memory=memory), tmp_path / "run", open=opened)
    for _ in range(2):
        opener(parse_arms("learning", KEPT)[0])
    for got, _, read_only in opened.calls:
        assert (got.skills / "log-in" / "SKILL.md").read_text() == "x"
        assert [file.name for file in got.memory.iterdir()] == ["insights.jsonl"]
        assert got.skills.is_relative_to(tmp_path / "run")
        assert not read_only


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
