"""The lines of the ledger: what an attempt's line keeps of the route, and lines from before it kept it."""

import json

from skillagent.schema import (
    Attempt,
    Attempted,
    Event,
    Plan,
    Ranked,
    Replanned,
    Route,
    Skill,
    Subgoal,
    Task,
    Trajectory,
    Verdict,
)

TASK = Task(env="e", name="t")
BEFORE = (
    '{"v":1,"seq":0,"at":"2026-11-22T10:00:00Z","library":"0","entry":{"kind":"attempted","attempt":"e/t@0#1",'
    '"task":{"env":"e","name":"t"},"goal":"go","shown":["one"],"score":1.0,"judged_by":"environment"}}'
)


def ranked(name, score, **parts):
    return Ranked(id=name, score=score, parts=parts, version=2, says=f"says {name}")


def tried(plan, route, replanned=()):
    trajectory = Trajectory(task=TASK, goal="go", replanned=replanned)
    return Attempt(plan=plan, route=route, trajectory=trajectory, verdict=Verdict(score=1, by="nobody"), library="l")


def chosen(*parts):
    """Return a route of which each part has shown ones, and what was considered."""
    none = tuple(() for _ in parts)
    shown, considered = zip(*parts, strict=True)
    return Route(skills=shown, insights=none, demonstrations=none, considered=considered)


def test_a_line_from_before_routes_were_kept_is_read():
    entry = Event.model_validate_json(BEFORE).entry
    assert entry.shown == ("one",)
    assert entry.routed == ()


def test_a_line_keeps_what_was_shown_and_the_best_that_was_not():
    one, other, third = ranked("one", 0.123456, chance=0.98765), ranked("other", 0.1), ranked("third", 0.0)
    plan = Plan(goal="go", subgoals=(Subgoal(text="first"), Subgoal(text="second")))
    entry = Attempted.of(tried(plan, chosen(((one,), (one, other, third)), ((), (third,)))))
    assert [part.goal for part in entry.routed] == ["first", "second"]
    assert entry.routed[0].shown == (ranked("one", 0.1235, chance=0.9877),)
    assert [part.runner_up.id for part in entry.routed] == ["other", "third"]
    assert Attempted.model_validate_json(entry.model_dump_json()) == entry


def test_a_line_keeps_what_was_chosen_when_a_plan_was_made_again():
    again = Replanned(why="stuck", plan=Plan(goal="rest"), route=chosen(((ranked("late", 1),), ())))
    entry = Attempted.of(tried(Plan(goal="go"), chosen(((), ())), (again,)))
    assert [(part.goal, [one.id for one in part.shown]) for part in entry.routed] == [("go", []), ("rest", ["late"])]
    assert json.loads(entry.model_dump_json())["routed"][0]["runner_up"] is None


def test_a_skill_says_the_same_whatever_it_solved_and_something_else_with_other_words():
    one = Skill(name="s", description="d", body="b", files={"scripts/program.yaml": "goals: []"})
    assert one.says == one.model_copy(update={"goals": ("go",), "version": 2}).says
    for other in ({"body": "c"}, {"description": "c"}, {"files": {}}):
        assert one.says != one.model_copy(update=other).says
