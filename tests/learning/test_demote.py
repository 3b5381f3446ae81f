"""Demote: a program that solves less than is solved without it goes; its words stay until they hurt too."""

import pytest

from skillagent.learning.demote import _likelier, demoted
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
    Ran,
    RetireDemonstration,
    RetireSkill,
    RolledBack,
    Skill,
    Split,
    Task,
)

RUNS = Skill(name="s", description="d", body="words\n", files={FILE: "steps: [done]", "notes.md": "n"}, version=3)
TOLD = RUNS.model_copy(update={"files": {}})


HELD = Split.HOLDOUT.first_seed


def tried(score, *, ran=("s",), surprise="", task="a", seed=0, shown=("s",), void=None):
    return Attempted(
        attempt="x",
        task=Task(env="e", name=task, seed=seed),
        goal="g",
        shown=shown,
        score=score,
        programs=ran,
        surprise=surprise,
        void=void,
    )


def decisions(*entries, skill=RUNS, **library):
    events = [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]
    return list(demoted(Library(skills={"s": skill}, **library), events, utilities(events)))


GOOD, BAD = tried(1.0), tried(0.0)
HANDED_OVER = tried(1.0, surprise="no button")
BEFORE = tried(1.0, ran=("s", "other"))
TAKEN_OVER = BEFORE.model_copy(update={"runs": (Ran(skill="s", program="p", goal="g", helped=True),)})
WITHOUT, LOST_WITHOUT = tried(1.0, ran=()), tried(0.0, ran=())


@pytest.mark.parametrize(
    ("entries", "goes"),
    [
        pytest.param([*[BAD] * 4, *[WITHOUT] * 8], True, id="it never solves what is solved without it"),
        pytest.param([*[BAD] * 2, *[WITHOUT] * 30], False, id="two failures may be chance"),
        pytest.param([BAD] * 9, False, id="nobody knows what happens without it"),
        pytest.param([*[BAD] * 9, *[LOST_WITHOUT] * 9], False, id="without it the task fails as well"),
        pytest.param([*[BAD] * 4, *[GOOD] * 9, *[WITHOUT] * 30], False, id="it solves most, if fewer"),
        pytest.param([*[BAD] * 4, *[HANDED_OVER] * 9], False, id="what the model ended is no failure of its"),
        pytest.param(
            [*[BAD] * 4, *[BEFORE] * 9, *[WITHOUT] * 30], False, id="it did its part before another did the next"
        ),
        pytest.param(
            [*[BAD] * 4, *[TAKEN_OVER] * 9, *[WITHOUT] * 30], True, id="what another did instead is not its own"
        ),
        pytest.param([*[tried(0.0, ran=("s", "other"))] * 9, *[WITHOUT] * 9], False, id="another failed after it"),
        pytest.param([*[tried(0.0, ran=("other", "s"))] * 9, *[WITHOUT] * 9], True, id="it failed after another"),
        pytest.param([*[BAD] * 4, *[tried(1.0, ran=(), task="b")] * 9], False, id="another task is solved without it"),
        pytest.param(
            [*[BAD] * 4, *[tried(1.0, ran=(), seed=HELD)] * 9], False, id="holdout seeds do not count without it"
        ),
        pytest.param([*[tried(0.0, seed=HELD)] * 9, *[WITHOUT] * 9], False, id="holdout seeds do not count"),
        pytest.param([*[tried(0.0, void="crash")] * 9, *[WITHOUT] * 9], False, id="voids do not count"),
        pytest.param([*[BAD] * 4, *[tried(1.0, ran=(), void="crash")] * 9], False, id="nor voids without it"),
        pytest.param([*[tried(None)] * 9, *[WITHOUT] * 9], False, id="nobody scored"),
        pytest.param([WITHOUT] * 9, False, id="it never ran"),
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
    brought_back = RolledBack(changes=changed.decision.edit.changes)
    known = [WITHOUT] * 8
    assert not decisions(*known, *[BAD] * 4, changed, BAD)
    assert not decisions(*known, *[BAD] * 4, brought_back, BAD)
    assert decisions(*known, *[BAD] * 4, refused)


def test_what_a_person_wrote_stays():
    assert not decisions(*[BAD] * 4, *[WITHOUT] * 8, skill=RUNS.model_copy(update={"foreign": True}))


def test_how_likely_one_rate_is_above_another():
    assert _likelier(0, 0, 0, 0) == pytest.approx(1 / 2)
    assert _likelier(1, 0, 0, 0) == pytest.approx(2 / 3)  # of 2y on the unit square, above the diagonal
    assert _likelier(50, 0, 0, 50) > 0.999


def test_a_skill_in_words_that_hurts_goes_with_its_example():
    entries = [one for _ in range(8) for one in (tried(0.0, ran=()), tried(1.0, ran=(), shown=()))]
    example = Demonstration(id="s-example", domain="e", goal="g", steps=(), source="self")
    (decision,) = decisions(*entries, skill=TOLD, demonstrations={"s-example": example})
    assert decision.edit.changes == (RetireSkill(name="s", base=3), RetireDemonstration(id="s-example"))
    assert not decisions(*entries[:2], skill=TOLD)
