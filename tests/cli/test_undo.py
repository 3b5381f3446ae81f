"""`/undo` takes back the last edit that is still in force, whatever was rolled back or linked since."""

import pytest

from skillagent.cli.undo import last_undone, rolled_back
from skillagent.errors import NotFound
from skillagent.learning.distinguish import connected
from skillagent.library import Library
from skillagent.schema import (
    Condition,
    Decided,
    Decision,
    Demonstration,
    Edit,
    Insight,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireInsight,
    RetireSkill,
    Skill,
)
from skillagent.testing import MemoryStore


def decided(*changes):
    return Decided(decision=Decision(edit=Edit(changes=changes, why="w"), accepted=True, reason="accepted"))


def said(library):
    """The library in short: what each item says, and what insights are related to."""
    insights = [f"{key}{one.explanation}[{''.join(one.related)}]" for key, one in library.insights.items()]
    skills = [f"{key}{one.body}" for key, one in library.skills.items()]
    examples = [f"{key}{one.goal}" for key, one in library.demonstrations.items()]
    return " ".join([*sorted(insights), *skills, *examples]).replace("[]", "")


def insight(key, says):
    return Insight(id=key, taxonomy="x/y/z", kind="pitfall", condition=Condition(applies="a"), explanation=says)


def put(key, says, related=None):
    """The insight comes to say this, and to name these where any are given."""

    def entry(store):
        held = store.load().insights.get(key)
        new = (held or insight(key, says)).model_copy(update={"explanation": says})
        new = new if related is None else new.model_copy(update={"related": tuple(related)})
        return decided(PutInsight(insight=new, base=held.digest if held else None))

    return entry


def beside(key, *near):
    """A new insight comes, and those near it and it name each other."""
    return lambda store: decided(*connected(insight(key, "1"), [store.load().insights[one] for one in near]))


def out(key):
    return lambda store: decided(RetireInsight(id=key))


def one_of(keep, drop):
    def entry(store):
        held = store.load().insights[keep]
        both = held.model_copy(update={"explanation": "2"})
        return decided(PutInsight(insight=both, base=held.digest), RetireInsight(id=drop))

    return entry


def skill(version):
    new = Skill(name="s", description="d", body=f"{version}", version=version)
    example = Demonstration(id="e", domain="x", goal=f"{version}", steps=())
    changes = PutSkill(skill=new, base=version - 1 or None), PutDemonstration(demonstration=example)
    return lambda store: decided(*changes)


def no_skill(store):
    return decided(RetireSkill(name="s", base=store.load().skills["s"].version))


def back(name, version=None):
    return lambda store: rolled_back(store.load(), store.events(), name, version, why="asked for")


def undo(store):
    return last_undone(store.load(), store.events())


@pytest.mark.parametrize(
    ("steps", "states"),
    [
        pytest.param([put("a", "1"), put("a", "2")], ["a2", "a1", ""], id="the last first"),
        pytest.param([put("a", "1"), put("a", "2"), back("a")], ["a1", ""], id="a change that was rolled back"),
        pytest.param([put("a", "1"), put("a", "2"), back("a"), back("a")], ["a2", "a1", ""], id="and done again"),
        pytest.param([put("a", "1"), put("a", "2"), put("a", "1")], ["a1", "a2", "a1", ""], id="an old text again"),
        pytest.param([put("a", "1"), put("b", "1"), back("b")], ["a1", ""], id="another one was rolled back"),
        pytest.param([put("a", "1"), out("a")], ["", "a1", ""], id="a retirement, once"),
        pytest.param([put("a", "1"), out("a"), back("a"), out("a")], ["", "a1", ""], id="a second retirement"),
        pytest.param([put("a", "1"), beside("b", "a")], ["a1[b] b1[a]", "a1", ""], id="linked with a later one"),
        pytest.param(
            [put("a", "1"), beside("b", "a"), back("a")], ["a1 b1[a]", "a1", ""], id="the link was rolled back"
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), back("b")], ["a1", ""], id="a rollback takes the links to it along"
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), beside("c", "a")],
            ["a1[bc] b1[a] c1[a]", "a1[b] b1[a]", "a1", ""],
            id="linked with two later ones",
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), beside("c", "a"), back("b")],
            ["a1[c] c1[a]", "a1", ""],
            id="the first of two later ones was rolled back",
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), put("a", "2")],
            ["a2[b] b1[a]", "a1[b] b1[a]", "a1", ""],
            id="changed after it was linked",
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), put("a", "2"), back("b")],
            ["a2", "a1", ""],
            id="changed after it was linked with what was rolled back",
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), out("a"), back("a")],
            ["a1[b] b1[a]", "a1", ""],
            id="retired and brought back with its links",
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), out("a"), put("b", "1", "")],
            ["b1", "a1[b] b1", "a1[b] b1[a]", "a1", ""],
            id="the link to one that went was taken out",
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), out("a"), put("b", "1", ""), out("b")],
            ["", "b1", "a1[b] b1", "a1[b] b1[a]", "a1", ""],
            id="and the other went too",
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), out("b"), put("a", "1", "")],
            ["a1", "a1 b1[a]", "a1[b] b1[a]", "a1", ""],
            id="the link to a later one that went was taken out",
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), out("a"), put("b", "1", ""), put("b", "2")],
            ["b2", "b1", "a1[b] b1", "a1[b] b1[a]", "a1", ""],
            id="changed after the link to one that went was taken out",
        ),
        pytest.param(
            [put("a", "1"), beside("b", "a"), out("a"), put("b", "1", ""), beside("a", "b")],
            ["a1[b] b1[a]", "b1", "a1[b] b1", "a1[b] b1[a]", "a1", ""],
            id="one that went came again",
        ),
        pytest.param(
            [put("c", "1"), beside("a", "c"), undo, out("c"), back("a")],
            ["a1", "a1 c1", "c1", ""],
            id="back without its link",
        ),
        pytest.param(
            [put("b", "1"), beside("a", "b"), out("b"), out("a"), put("a", "1")],
            ["a1", "", "a1", "a1 b1[a]", "b1", ""],
            id="undone to what a later edit had made",
        ),
        pytest.param(
            [put("a", "1"), put("b", "1"), put("a", "1", "b"), put("b", "1", "a")],
            ["a1[b] b1[a]", "a1[b] b1", "a1 b1", "a1", ""],
            id="links of the upkeep",
        ),
        pytest.param(
            [put("a", "1"), put("b", "1"), put("a", "1", "b"), back("a")],
            ["a1 b1", "a1", ""],
            id="a link of the upkeep was rolled back",
        ),
        pytest.param([put("a", "1"), put("b", "1"), one_of("a", "b")], ["a2", "a1 b1", "a1", ""], id="two became one"),
        pytest.param(
            [put("a", "1"), put("b", "1"), one_of("a", "b"), back("b")],
            ["a2 b1", "a1 b1", "a1", ""],
            id="two became one, and half of that was rolled back",
        ),
        pytest.param([skill(1), skill(2)], ["s2 e2", "s1 e1", ""], id="a skill and its example"),
        pytest.param([skill(1), skill(2), back("s")], ["s1 e1", ""], id="a skill that was rolled back"),
        pytest.param(
            [skill(1), skill(2), skill(3), back("s", 1)], ["s1 e1", ""], id="a skill that was rolled back by two"
        ),
        pytest.param(
            [skill(1), skill(2), back("s", 1), back("s", 2)],
            ["s2 e2", "s1 e1", ""],
            id="a skill that was rolled back, and forward",
        ),
        pytest.param([skill(1), no_skill, back("s")], ["s1 e1", ""], id="a skill that was brought back"),
    ],
)
def test_each_undo_takes_back_the_last_edit_that_is_still_in_force(steps, states):
    store = MemoryStore()
    for step in steps:
        store.commit(step(store))
    seen = [said(store.load())]
    with pytest.raises(NotFound, match="nothing to undo"):
        for _ in range(9):
            store.commit(undo(store))
            seen.append(said(store.load()))
    assert seen == states


@pytest.mark.parametrize("change", [put("a", "1"), put("a", "0", "b")])
def test_what_came_without_the_ledger_is_no_edit_to_undo(change):
    store = MemoryStore(Library(insights={key: insight(key, "0") for key in "ab"}))
    store.commit(change(store))
    store.commit(back("a")(store))
    with pytest.raises(NotFound, match="nothing to undo"):
        last_undone(store.load(), store.events())


def test_what_was_changed_past_the_ledger_since_is_not_lost():
    told = MemoryStore()
    told.commit(put("a", "1")(told))
    by_hand = Library(insights={"a": insight("a", "by hand")})
    with pytest.raises(NotFound, match="nothing to undo"):
        last_undone(by_hand, told.events())


NOTE = insight("a", "1")
SKILL, EXAMPLE = (change for change in skill(1)(MemoryStore()).decision.edit.changes)


@pytest.mark.parametrize(
    ("made", "gone", "left"),
    [
        pytest.param([SKILL, EXAMPLE], "e", "", id="a skill's example"),
        pytest.param([SKILL, EXAMPLE, PutInsight(insight=NOTE)], "s", "", id="a skill beside an insight"),
        pytest.param([PutInsight(insight=NOTE), PutInsight(insight=insight("b", "1"))], "b", "", id="an insight"),
        pytest.param([SKILL, EXAMPLE], "s", None, id="a skill, of which only the example is left"),
    ],
)
def test_what_a_person_deleted_by_hand_is_left_out_of_what_is_undone(made, gone, left):
    told = MemoryStore()
    library = told.commit(decided(*made))
    kinds = {"skills": library.skills, "insights": library.insights, "demonstrations": library.demonstrations}
    by_hand = Library(
        **{kind: {key: one for key, one in items.items() if key != gone} for kind, items in kinds.items()}
    )
    if left is None:
        with pytest.raises(NotFound, match="nothing to undo"):
            last_undone(by_hand, told.events())
    else:
        assert said(MemoryStore(by_hand).commit(last_undone(by_hand, told.events()))) == left


def test_a_skill_that_was_changed_by_hand_is_not_undone_by_way_of_its_example():
    told = MemoryStore()
    library = told.commit(skill(1)(told))
    by_hand = library.model_copy(update={"skills": {"s": library.skills["s"].model_copy(update={"body": "mine"})}})
    with pytest.raises(NotFound, match="nothing to undo"):
        last_undone(by_hand, told.events())


def test_of_what_is_only_linked_with_what_is_undone_nothing_but_the_link_goes():
    told = MemoryStore()
    told.commit(put("a", "1")(told))
    library = told.commit(beside("b", "a")(told))
    mine = library.insights["a"].model_copy(update={"explanation": "mine"})
    by_hand = library.model_copy(update={"insights": {**library.insights, "a": mine}})
    assert said(MemoryStore(by_hand).commit(last_undone(by_hand, told.events()))) == "amine"
