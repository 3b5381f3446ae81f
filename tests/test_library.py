"""The library is a value: edits make new ones, and every change has an inverse."""

import pickle
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillagent.errors import InvalidSkill, NotFound, StaleEdit
from skillagent.library import Library, check_name, differing
from skillagent.schema import (
    Condition,
    Demonstration,
    Edit,
    Insight,
    KeyStep,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
    Skill,
)

SKILL = Skill(name="log-in", description="Logs in. Use when there is a log-in form.", body="1. Fill.\n")
INSIGHT = Insight(
    id="tabs-1", taxonomy="web/forms/tabs", kind="pitfall", condition=Condition(applies="When"), explanation="Because."
)
DEMO = Demonstration(id="d", domain="web", goal="g", steps=(KeyStep(observation="o", action="a"),))


def edit(*changes):
    return Edit(changes=changes, why="test")


def test_applying_an_edit_leaves_the_old_library_as_it_was():
    old = Library()
    new = old.apply(edit(PutSkill(skill=SKILL), PutInsight(insight=INSIGHT), PutDemonstration(demonstration=DEMO)))
    assert (len(old), len(new)) == (0, 3)
    assert new.skills["log-in"] == SKILL


def test_the_digest_changes_with_the_contents_and_not_with_the_order():
    other = SKILL.model_copy(update={"name": "log-out"})
    one = Library().apply(edit(PutSkill(skill=SKILL), PutSkill(skill=other)))
    two = Library().apply(edit(PutSkill(skill=other), PutSkill(skill=SKILL)))
    revised = one.apply(edit(PutSkill(skill=SKILL.model_copy(update={"version": 2, "body": "x"}), base=1)))
    assert one.digest == two.digest
    assert len({Library().digest, one.digest, revised.digest}) == 3


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(PutSkill(skill=SKILL), StaleEdit, id="create what exists"),
        pytest.param(PutSkill(skill=SKILL, base=7), StaleEdit, id="revise another version"),
        pytest.param(RetireSkill(name="log-in", base=7), StaleEdit, id="retire another version"),
        pytest.param(RetireSkill(name="nobody", base=1), StaleEdit, id="retire what is not there"),
        pytest.param(PutInsight(insight=INSIGHT), StaleEdit, id="add an insight that exists"),
        pytest.param(RetireInsight(id="nobody"), NotFound, id="retire an unknown insight"),
        pytest.param(RetireDemonstration(id="nobody"), NotFound, id="retire an unknown demonstration"),
        pytest.param(PutSkill(skill=SKILL.model_copy(update={"name": "Log In"})), InvalidSkill, id="bad name"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(change, error):
    library = Library().apply(edit(PutSkill(skill=SKILL), PutInsight(insight=INSIGHT)))
    with pytest.raises(error):
        library.apply(edit(change))


@pytest.mark.parametrize("name", ["", "-a", "a-", "a--b", "A", "a b", "ä", "a/b", "..", "a" * 65])
def test_names_that_agent_skills_does_not_allow_are_refused(name):
    with pytest.raises(InvalidSkill):
        check_name(name)


CHANGES = st.one_of(
    st.builds(
        lambda name, body: PutSkill(skill=SKILL.model_copy(update={"name": name, "body": body})),
        st.sampled_from("abc"),
        st.text(max_size=3),
    ),
    st.builds(lambda name: RetireSkill(name=name, base=1), st.sampled_from("abc")),
    st.builds(lambda key: PutInsight(insight=INSIGHT.model_copy(update={"id": key})), st.sampled_from("abc")),
    st.builds(lambda key: RetireInsight(id=key), st.sampled_from("abc")),
    st.builds(
        lambda key, goal: PutDemonstration(demonstration=DEMO.model_copy(update={"id": key, "goal": goal})),
        st.sampled_from("abc"),
        st.text(max_size=3),
    ),
    st.builds(lambda key: RetireDemonstration(id=key), st.sampled_from("abc")),
)


@given(st.lists(CHANGES, max_size=12))
def test_every_change_that_can_be_made_can_be_unmade(changes):
    library = Library()
    for change in changes:
        try:
            after = library.with_change(change)
        except (StaleEdit, NotFound):
            continue
        assert after.with_change(library.inverse(change)).digest == library.digest
        library = after


@given(st.lists(CHANGES, max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_libraries_that_come_of_one_another_know_in_what_they_differ(changes, one, other):
    libraries = [Library()]
    for change in changes:
        with suppress(StaleEdit, NotFound):
            libraries.append(libraries[-1].with_change(change))
    before, after = (libraries[min(n, len(libraries) - 1)].skills for n in (one, other))
    told = differing(before, after)
    really = {key for key in {**before, **after} if before.get(key) is not after.get(key)}
    assert before is after or really <= set(told)
    assert len(told or ()) <= len(changes)


def test_libraries_of_other_origin_do_not_say_in_what_they_differ():
    library = Library(skills={"log-in": SKILL})
    assert differing(library.skills, Library(skills={"log-in": SKILL}).skills) is None
    one, other = (library.with_change(PutInsight(insight=INSIGHT.model_copy(update={"id": key}))) for key in "ab")
    assert differing(one.insights, other.insights) is None
    assert differing(one.skills, other.skills) is None or one.skills is other.skills
    assert differing(library.insights, one.insights) == ["a"] == differing(one.insights, library.insights)
    many = library
    for n in range(100):
        many = many.with_change(PutInsight(insight=INSIGHT.model_copy(update={"id": f"i{n}"})))
    assert differing(library.insights, many.insights) is None
    assert many.with_change(RetireInsight(id="i7")).insights == {k: v for k, v in many.insights.items() if k != "i7"}


def test_a_library_that_was_sent_elsewhere_is_the_same():
    library = Library(skills={"log-in": SKILL}).with_change(PutInsight(insight=INSIGHT))
    sent = pickle.loads(pickle.dumps(library))
    assert (sent, sent.digest) == (library, library.digest)
    again = sent.with_change(RetireInsight(id=INSIGHT.id))
    assert differing(sent.insights, again.insights) == [INSIGHT.id]


def test_a_rebuilt_library_is_equal_to_the_one_it_was_dumped_from():
    library = Library().apply(edit(PutSkill(skill=SKILL), PutDemonstration(demonstration=DEMO)))
    assert Library.model_validate_json(library.model_dump_json()).digest == library.digest
