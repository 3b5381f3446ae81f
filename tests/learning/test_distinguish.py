"""A new insight is told apart from those near it, and linked with them in one edit that counts as its own."""

import pytest

from skillagent.cli.undo import last_undone
from skillagent.learning.curate import Upkeep, brought_back, linked
from skillagent.learning.distinguish import connected, distinguished, nearest
from skillagent.learning.lint import lint
from skillagent.learning.utility import utilities
from skillagent.learning.write import write
from skillagent.library import Library
from skillagent.schema import (
    Action,
    Attempt,
    Cause,
    Condition,
    Decided,
    Decision,
    Edit,
    Event,
    Insight,
    Lesson,
    Observation,
    Pair,
    PutInsight,
    RetireInsight,
    Score,
    Step,
    Task,
    Trajectory,
    Verdict,
)
from skillagent.testing import HashEmbedder, MemoryStore, ScriptedLLM

ELSEWHERE = "On the pages of a bank"


def insight(key, applies, explanation="Fill the day before the month.", *, world="shop", exception="", **rest):
    return Insight(
        id=key,
        taxonomy=f"{world}/forms/dates",
        kind="pitfall",
        condition=Condition(applies=applies, does_not_apply=exception),
        explanation=explanation,
        **rest,
    )


NEW = insight("new", "When a date is typed into a field")
OLD = insight("old", "When a date is typed into a calendar", related=("far",))
PINNED = insight("pinned", "When a date is typed into a table", pinned=True)
BANK = insight("bank", "When a date is typed into a field of it", world="bank")
FAR = insight("far", "When a basket is full", "Empty it.")
MADE = NEW.model_copy(update={"explanation": "Slashes stand between the numbers, none at the end."})
LIBRARY = Library(insights={one.id: one for one in (FAR, BANK, OLD, PINNED)})


def told_apart(said, own=""):
    new = NEW.model_copy(update={"condition": Condition(applies=NEW.condition.applies, does_not_apply=own)})
    model = ScriptedLLM([{"differs": "d", "does_not_apply": said}])
    return distinguished(new, [OLD], llm=model).condition.does_not_apply, model


def test_near_is_what_says_nearly_that_in_the_same_world():
    found = nearest(NEW, LIBRARY, cache=HashEmbedder(), least=0.8)
    assert {one.id for one in found} == {"old", "pinned"}
    many = {str(n): insight(str(n), NEW.condition.applies) for n in range(5)}
    assert [one.id for one in nearest(NEW, Library(insights=many), cache=HashEmbedder(), least=0.8)] == ["0", "1", "2"]
    assert nearest(NEW, Library(), cache=HashEmbedder(), least=0.8) == []


@pytest.mark.parametrize(
    ("said", "own", "kept"),
    [
        ("When there is a calendar", "", "When there is a calendar"),
        ("When there is a calendar", ELSEWHERE, "When there is a calendar"),
        ("When there is a calendar", "When it is a calendar already", "When it is a calendar already"),
        ("Elsewhere", ELSEWHERE, ELSEWHERE),
        (" ", ELSEWHERE, ELSEWHERE),
        ("Elsewhere", " ", "Elsewhere"),
    ],
)
def test_the_exception_that_says_more_of_what_the_others_are_about_is_kept(said, own, kept):
    assert told_apart(said, own)[0] == kept


def test_the_model_is_shown_both_sides_and_asked_only_where_something_is_near():
    _, model = told_apart("x", ELSEWHERE)
    ((_, (message,)),) = model.asked
    assert f"<insight>\nWhen a date is typed into a field (not: {ELSEWHERE}): Fill" in message.content
    assert "<insights>\n- When a date is typed into a calendar: Fill" in message.content
    assert distinguished(NEW, [], llm=ScriptedLLM([])) == NEW


def edit():
    return Edit(changes=connected(MADE, [OLD, PINNED]), why="w")


def test_new_and_old_name_each_other_in_one_edit_that_leaves_the_pinned_alone():
    after = LIBRARY.apply(edit())
    assert after.insights["new"].related == ("old", "pinned")
    assert after.insights["old"].related == ("far", "new")
    assert after.insights["pinned"] == PINNED


def looked_after(library):
    """The library after an upkeep of the links, and how many edits that took."""
    decisions = list(linked(library, HashEmbedder(), Upkeep()))
    for decision in decisions:
        library = library.apply(decision.edit)
    return library, len(decisions)


CROWD = [
    insight(word, f"When a date is typed into a {word}", f"Month before the day of the {word}.")
    for word in ("calendar", "table", "dialog", "menu", "list", "basket")
]


def one_by_one(insights):
    """The library after each was let in, told apart from those before it."""
    library = Library()
    for new in insights:
        near = nearest(new, library, cache=HashEmbedder(), least=0.8)
        library = library.apply(Edit(changes=connected(new, near), why="w"))
    return library


def test_where_more_than_three_are_near_upkeep_leaves_the_links_that_new_insights_came_with():
    library = one_by_one([*CROWD, NEW])
    assert len(library.insights["new"].related) == 3, "six are near"
    assert looked_after(library) == (library, 0)


def test_upkeep_gives_more_to_those_that_name_few_and_has_nothing_to_do_the_second_time():
    near = nearest(NEW, Library(insights={one.id: one for one in CROWD}), cache=HashEmbedder(), least=0.8)
    bare = Library(insights={one.id: one for one in CROWD})
    once, edits = looked_after(bare.apply(Edit(changes=connected(NEW, near), why="w")))
    assert edits
    assert all(len(one.related) >= 3 for one in once.insights.values())
    assert {one.id for one in near} <= set(once.insights["new"].related)
    assert all("new" in once.insights[one.id].related for one in near)
    assert looked_after(once) == (once, 0)


def test_upkeep_leaves_the_link_to_what_says_the_same_and_stays_beside_it():
    library = one_by_one([NEW.model_copy(update={"id": "twin"}), NEW])
    assert library.insights["new"].related == ("twin",)
    assert looked_after(library) == (library, 0)


def test_a_link_ends_where_the_other_is_gone_or_no_longer_near():
    library = one_by_one([*CROWD[:2], NEW])
    away = library.insights["table"].model_copy(update={"condition": FAR.condition, "explanation": "Empty it."})
    library = library.apply(Edit(changes=(RetireInsight(id="calendar"),), why="w"))
    moved = Library(insights={**library.insights, "table": away})
    once, _ = looked_after(moved)
    assert [one.related for one in once.insights.values()] == [(), ()]


def test_one_undo_takes_the_insight_and_the_links_back():
    store = MemoryStore(LIBRARY)
    store.commit(Decided(decision=Decision(edit=edit(), accepted=True, reason="")))
    assert store.load() != LIBRARY
    assert store.commit(last_undone(store.load(), store.events())) == LIBRARY


def test_an_undone_link_is_nothing_that_a_person_brought_back_or_took_away():
    store = MemoryStore()
    store.commit(
        Decided(decision=Decision(edit=Edit(changes=(PutInsight(insight=OLD),), why=""), accepted=True, reason=""))
    )
    linked = Edit(changes=connected(MADE, [OLD]), why="w")
    store.commit(Decided(decision=Decision(edit=linked, accepted=True, reason="")))
    store.commit(last_undone(store.load(), store.events()))
    assert brought_back(list(store.events())) == set()
    again = Edit(changes=(PutInsight(insight=OLD),), why="")
    assert lint(again, lesson(), Library(), store.events()) is None
    assert "took this back" in lint(linked, lesson(), store.load(), store.events())


def test_its_replays_are_credited_to_the_new_one_alone():
    none, one, task = Score(value=0.0), Score(value=1.0), Task(env="shop", name="t")
    decision = Decision(edit=edit(), accepted=True, reason="", pairs=(Pair(task=task, before=none, after=one),) * 4)
    worth = utilities([Event(seq=0, at="", library="", entry=Decided(decision=decision))])
    assert set(worth) == {"new"}
    assert worth["new"].shown == pytest.approx(4, abs=0.1)


def test_links_make_no_other_edit_of_it():
    bare = Edit(changes=(PutInsight(insight=MADE),), why="another")
    assert edit().identity == bare.identity
    relinked = PutInsight(insight=OLD.model_copy(update={"related": ()}), base=OLD.digest)
    assert Edit(changes=(relinked,), why="").proper == (relinked,)
    merged = Edit(changes=(PutInsight(insight=MADE), RetireInsight(id="old")), why="")
    assert merged.proper == merged.changes


def failed(page):
    seen = Observation(goal="type the date", text=page)
    trajectory = Trajectory(
        task=Task(env="shop", name="t"),
        goal="type the date",
        steps=(Step(observation=seen, action=Action(verb="click")),),
        terminated=True,
    )
    verdict = Verdict(score=0.0, by="environment")
    return Attempt(plan=None, route=None, trajectory=trajectory, verdict=verdict, library="x")


def lesson(page="page"):
    return Lesson(cause=Cause.KNOWLEDGE, summary="s", failures=(failed(page),))


def test_lint_reads_the_new_one_and_not_what_is_only_linked():
    page = "A date is typed into a calendar, wait a little"
    assert lint(edit(), lesson(page), LIBRARY, ()) is None
    copied = MADE.model_copy(update={"explanation": page})
    assert "sentence of a page" in lint(Edit(changes=connected(copied, [OLD]), why=""), lesson(page), LIBRARY, ())


def test_a_person_who_retires_the_old_one_says_nothing_against_the_new_one():
    took = Decision(edit=Edit(changes=(RetireInsight(id="old"),), why=""), accepted=True, reason="", by="person")
    entries = [Decided(decision=Decision(edit=edit(), accepted=True, reason="")), Decided(decision=took)]
    events = [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]
    assert lint(Edit(changes=(PutInsight(insight=MADE),), why=""), lesson(), Library(), events) is None


def test_a_refusal_of_the_new_one_says_nothing_against_what_it_was_linked_with():
    refused = Decision(edit=edit(), accepted=False, reason="refused")
    events = [Event(seq=0, at="", library="", entry=Decided(decision=refused))]
    assert lint(Edit(changes=(PutInsight(insight=OLD),), why=""), lesson(), Library(), events) is None
    assert "refused" in lint(Edit(changes=(PutInsight(insight=MADE),), why=""), lesson(), LIBRARY, events)


def test_what_is_written_comes_told_apart_and_linked():
    words = {
        "applies": NEW.condition.applies,
        "does_not_apply": "",
        "explanation": NEW.explanation,
        "level_1": "forms",
        "level_2": "dates",
    }
    model = ScriptedLLM([words, {"differs": "d", "does_not_apply": "When there is a calendar"}])
    (made,) = write(lesson(), LIBRARY, lambda task, library: failed("x"), llm=model, near=lambda new, library: [OLD])
    new, old = (change.insight for change in made.changes)
    assert new.condition.does_not_apply == "When there is a calendar"
    assert (new.related, old.related) == (("old",), ("far", new.id))
    assert "tells it apart" in model.asked[1][1][0].content
