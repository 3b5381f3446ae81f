"""Demote: a program that solves less than is solved without it goes; its words stay until they hurt too."""

import pytest

from skillagent.learning.demote import demoted
from skillagent.learning.utility import utilities
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.schema import (
    Attempted,
    Decided,
    Decision,
    Demonstration,
    Edit,
    Event,
    PutSkill,
    RetireDemonstration,
    RetireSkill,
    Skill,
    Split,
    Task,
)

RUNS = Skill(name="s", description="d", body="words\n", files={FILE: "steps: [done]", "notes.md": "n"}, version=3)
TOLD = RUNS.model_copy(update={"files": {}})


def tried(score, *, ran=True, surprise="", task="a", seed=0, shown=("s",)):
    return Attempted(
        attempt="x",
        task=Task(env="e", name=task, seed=seed),
        goal="g",
        shown=shown,
        score=score,
        programs=("s",) if ran else (),
        surprise=surprise,
    )


def decisions(*entries, skill=RUNS, **library):
    events = [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]
    return list(demoted(Library(skills={"s": skill}, **library), events, utilities(events)))


GOOD, BAD = tried(1.0), tried(0.0)
HANDED_OVER = tried(1.0, surprise="no button")
WITHOUT, LOST_WITHOUT = tried(1.0, ran=False), tried(0.0, ran=False)


@pytest.mark.parametrize(
    ("entries", "goes"),
    [
        pytest.param([BAD] * 4, True, id="four failures: 97 % sure that it solves less than half"),
        pytest.param([BAD] * 3, False, id="three may be chance"),
        pytest.param([*[BAD] * 4, *[LOST_WITHOUT] * 8], False, id="without it the task fails as well"),
        pytest.param([*[BAD] * 3, *[WITHOUT] * 8], True, id="without it the task is solved"),
        pytest.param([GOOD, *[BAD] * 4], False, id="it solved one of five"),
        pytest.param([*[BAD] * 4, *[WITHOUT] * 8, *[GOOD] * 9], False, id="it solves most"),
        pytest.param([*[BAD] * 3, *[HANDED_OVER] * 9], False, id="what the model ended is no failure of its"),
        pytest.param([tried(0.0, seed=Split.HOLDOUT.first_seed)] * 9, False, id="holdout seeds do not count"),
        pytest.param([tried(None)] * 9, False, id="nobody scored"),
        pytest.param([], False, id="it never ran"),
    ],
)
def test_a_program_that_solves_less_than_is_solved_without_it_goes(entries, goes):
    found = decisions(*entries)
    assert bool(found) is goes
    for decision in found:
        (change,) = decision.edit.changes
        assert (change.base, change.skill.version, change.skill.body) == (3, 4, "words\n")
        assert change.skill.files == {"notes.md": "n"}
        assert decision.accepted


def test_only_what_happened_since_the_skill_was_changed_counts():
    changed = Decided(
        decision=Decision(edit=Edit(changes=(PutSkill(skill=RUNS, base=2),), why="w"), accepted=True, reason="r")
    )
    refused = changed.model_copy(update={"decision": changed.decision.model_copy(update={"accepted": False})})
    assert not decisions(*[BAD] * 4, changed, BAD)
    assert decisions(*[BAD] * 4, refused)


def test_a_skill_in_words_that_hurts_goes_with_its_example():
    entries = [one for _ in range(8) for one in (tried(0.0, ran=False), tried(1.0, ran=False, shown=()))]
    example = Demonstration(id="s-example", domain="e", goal="g", steps=(), source="self")
    (decision,) = decisions(*entries, skill=TOLD, demonstrations={"s-example": example})
    assert decision.edit.changes == (RetireSkill(name="s", base=3), RetireDemonstration(id="s-example"))
    assert not decisions(*entries[:2], skill=TOLD)
