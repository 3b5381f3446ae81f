"""Which tasks an edit is tried on."""

from itertools import islice

import pytest

from skillagent.learning.replays import fresh, rehearsals, sources, touched
from skillagent.library import Library
from skillagent.schema import (
    Attempt,
    Attempted,
    Cause,
    Condition,
    Decided,
    Decision,
    Edit,
    Event,
    Insight,
    Lesson,
    Pair,
    PutInsight,
    PutSkill,
    Ranked,
    Route,
    Score,
    Skill,
    Split,
    Task,
    Trajectory,
    Verdict,
)

OLD, NEW = Task(env="e", name="old", seed=3), Task(env="e", name="new", seed=4)
SKILL = Skill(name="s", description="d", body="b")
LIBRARY = Library(skills={"s": SKILL})


def tried(task, score):
    verdict = Verdict(score=score, by="environment")
    return Attempt(plan=None, route=None, trajectory=Trajectory(task=task, goal="g"), verdict=verdict, library="x")


LESSON = Lesson(cause=Cause.KNOWLEDGE, summary="s", success=tried(NEW, 1.0), failures=(tried(NEW, 0.0),))


def solved(*tasks, score=1.0):
    entries = [Attempted(attempt="a", task=task, goal=task.name, score=score) for task in tasks]
    return [Event(seq=n, at="t", library="x", entry=entry) for n, entry in enumerate(entries)]


def routed(plan, library):
    """Show every skill for every goal but `apart`."""
    chosen = () if plan.goal == "apart" else tuple(Ranked(id=name, score=1) for name in library.skills)
    return Route(skills=(chosen,), insights=((),), demonstrations=((),))


def goal_of(task):
    return task.name


def let_in(*pairs, accepted=True):
    decision = Decision(edit=put("s"), accepted=accepted, reason="r", **dict(pairs))
    return [Event(seq=1, at="t", library="x", entry=Decided(decision=decision))]


def pair(task, after=1.0):
    return Pair(task=task, before=Score(value=0.0), after=None if after is None else Score(value=after))


def put(name, base=None):
    skill = SKILL.model_copy(update={"name": name, "version": (base or 0) + 1, "body": "new"})
    return Edit(changes=(PutSkill(skill=skill, base=base),), why="w")


def test_a_solved_task_is_rehearsed_when_a_skill_that_it_is_shown_is_rewritten():
    assert rehearsals(put("s", base=1), LESSON, LIBRARY, solved(OLD), routed, goal_of=goal_of) == (OLD,)


def test_a_solved_task_is_rehearsed_when_a_new_skill_would_be_shown_for_it():
    assert rehearsals(put("other"), LESSON, LIBRARY, solved(OLD), routed, goal_of=goal_of) == (OLD,)


def test_tasks_that_are_shown_the_same_or_were_failed_or_measure_are_not_rehearsed():
    apart, holdout = Task(env="e", name="apart", seed=1), OLD.model_copy(update={"seed": 2_000_000})
    events = [*solved(apart, NEW, holdout), *solved(OLD, score=0.0)]
    assert rehearsals(put("s", base=1), LESSON, LIBRARY, events, routed, goal_of=goal_of) == ()


GATE = OLD.model_copy(update={"seed": Split.GATE.first_seed + 7})


@pytest.mark.parametrize("kind", ["pairs", "verified"])
def test_a_task_that_was_solved_in_the_replays_of_an_earlier_edit_is_rehearsed(kind):
    events = let_in((kind, (pair(GATE, 0.0), pair(GATE))))
    assert rehearsals(put("s", base=1), LESSON, LIBRARY, events, routed, goal_of=goal_of) == (GATE,)


@pytest.mark.parametrize(
    "events",
    [
        let_in(("pairs", (pair(GATE),)), accepted=False),
        let_in(("pairs", (pair(GATE, 0.5), pair(GATE, None)))),
        let_in(("pairs", (pair(NEW),))),
        let_in(("pairs", (pair(GATE.model_copy(update={"name": "apart"})),))),
    ],
    ids=["the edit was refused", "not solved", "the lesson's own", "shown the same"],
)
def test_other_replays_are_not_rehearsed(events):
    assert rehearsals(put("s", base=1), LESSON, LIBRARY, events, routed, goal_of=goal_of) == ()


def test_a_replayed_task_whose_goal_cannot_be_told_is_rehearsed():
    apart = GATE.model_copy(update={"name": "apart"})
    events = let_in(("pairs", (pair(apart),)))
    assert rehearsals(put("s", base=1), LESSON, LIBRARY, events, routed, goal_of=lambda _: None) == (apart,)


def test_each_task_is_rehearsed_once_and_the_latest_first():
    other = GATE.model_copy(update={"name": "older"})
    events = [*let_in(("pairs", (pair(other), pair(GATE)))), *solved(OLD)]
    found = rehearsals(put("s", base=1), LESSON, LIBRARY, events, routed, goal_of=goal_of)
    assert found == (OLD, other)
    assert rehearsals(put("s", base=1), LESSON, LIBRARY, events, routed, goal_of=goal_of, most=1) == (OLD,)


def test_fresh_tasks_are_the_lessons_on_gate_seeds_and_each_lesson_has_its_own():
    other = LESSON.model_copy(update={"failures": (tried(NEW.model_copy(update={"seed": 9}), 0.0),)})
    one, two = (list(islice(fresh(lesson), 5)) for lesson in (LESSON, other))
    assert {task.id for task in one} == {"e/new"}
    assert all(task.split is Split.GATE for task in (*one, *two))
    assert not {task.seed for task in one} & {task.seed for task in two}


def test_sources_are_failed_tasks_with_the_one_that_was_solved_first():
    failed = [tried(NEW.model_copy(update={"seed": seed}), 0.25) for seed in (1, 2, 4)]
    lesson = LESSON.model_copy(update={"failures": tuple(failed)})
    assert [(task.seed, score.value) for task, score in sources(lesson)] == [(4, 0.25), (1, 0.25)]


def test_a_fresh_instance_that_the_edit_changes_nothing_on_is_passed_over():
    goals = ["apart", "near", "apart", None, "near"]
    tasks = [NEW.model_copy(update={"seed": seed}) for seed in range(len(goals))]
    found = touched(tasks, put("other"), LIBRARY, routed, lambda task: goals[task.seed])
    assert [task.seed for task in found] == [1, 3, 4]


def test_a_goal_that_is_shown_only_what_a_new_insight_is_linked_with_is_passed_over():
    old, new = (
        Insight(id=key, taxonomy="e/a/b", kind="pitfall", condition=Condition(applies="a"), explanation="x", related=to)
        for key, to in (("old", ()), ("new", ("old",)))
    )
    linked = PutInsight(insight=old.model_copy(update={"related": ("new",)}), base=old.digest)
    edit = Edit(changes=(PutInsight(insight=new), linked), why="w")

    def routed(plan, library):
        return Route(skills=((),), insights=((Ranked(id="old", score=1),),), demonstrations=((),))

    library = Library(insights={"old": old})
    assert list(touched(iter([OLD, NEW]), edit, library, routed, lambda task: task.name)) == []
    assert rehearsals(edit, LESSON, library, solved(OLD), routed, goal_of=goal_of) == ()


def test_where_the_edit_is_for_none_of_many_the_search_ends():
    looked = []
    found = touched(fresh(LESSON), put("other"), LIBRARY, routed, lambda task: looked.append(task) or "apart")
    assert list(found) == []
    assert len(looked) == 20


def test_a_goal_that_names_a_skill_is_looked_at_by_that_name():
    asked = []

    def route(plan, library):
        asked.append((plan.goal, plan.named, plan.domain))
        return Route(skills=((),), insights=((),), demonstrations=((),))

    edit = Edit(changes=(PutSkill(skill=SKILL.model_copy(update={"version": 2}), base=1),), why="w")
    list(touched([NEW], edit, LIBRARY, route, lambda task: "/s press it"))
    assert set(asked) == {("press it", "s", "e")}
