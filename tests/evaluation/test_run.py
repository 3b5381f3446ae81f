"""Runs: one row an episode, resumable at any moment, voids apart from failures."""

from dataclasses import replace

import pytest

from skillagent.errors import ConfigError, EnvironmentFailed
from skillagent.evaluation.run import Seconds, begin, evaluate, read_rows, summarise, wanted_rows
from skillagent.evaluation.table import headline, per_task
from skillagent.learning.judge import judge
from skillagent.library import Library
from skillagent.loop import Agent
from skillagent.schema import Action, Plan, Route, Skill, Split, Step, Subgoal, Task, Trajectory, Usage
from skillagent.testing import Corridor, MemoryStore

FIRST = Split.HOLDOUT.first_seed
TASKS = [Task(env="corridor", name=name, seed=FIRST + seed) for seed in range(4) for name in ("a", "b")]
ARMS = {
    "none": Library(),
    "frozen": Library(skills={"s": Skill(name="s", description="d", body="b")}),
}


def knowing(environment, task, first, plan, route, library, *, variation, watch):
    """Press the right button with a library, and the first button without."""
    wanted = first.goal.split('"')[1] if library.skills else first.elements[0].name
    action = Action(verb="click", arguments={"ref": next(e.ref for e in first.elements if e.name == wanted)})
    outcome = environment.step(action)
    step = Step(observation=first, action=action, reward=outcome.reward)
    return Trajectory(
        task=task, goal=first.goal, steps=(step,), final=first, reward=outcome.reward, terminated=outcome.terminated
    )


def agent(act=knowing):
    world = Corridor()
    return Agent(
        open=lambda task: world,
        drop=lambda task: None,
        plan=lambda goal, library: Plan(goal=goal, subgoals=(Subgoal(text=goal),)),
        route=lambda plan, library: Route(skills=((),), insights=((),), demonstrations=((),)),
        act=act,
        judge=judge,
        practise=lambda task, attempt: iter(()),
        reflect=lambda attempts, library: (),
        write=lambda lesson, library: (),
        lint=lambda edit, lesson, library, events: None,
        gate=lambda *parts: None,
        store=MemoryStore(),
        spent=Usage,
    )


def without_times(rows):
    return [row.model_copy(update={"seconds": Seconds()}) for row in rows]


def test_the_arms_of_one_task_follow_each_other_on_the_same_seed(tmp_path):
    rows = evaluate(agent(), TASKS, ARMS, tmp_path)
    assert [(row.arm, row.task, row.seed - FIRST) for row in rows[:4]] == [
        ("none", "corridor/a", 0),
        ("frozen", "corridor/a", 0),
        ("none", "corridor/b", 0),
        ("frozen", "corridor/b", 0),
    ]
    assert all(row.success for row in rows if row.arm == "frozen")


def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_rows(tmp_path):
    whole = evaluate(agent(), TASKS, ARMS, tmp_path / "whole")

    class Killed(Exception):
        pass

    def stop(row, done, total):
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        evaluate(agent(), TASKS, ARMS, tmp_path / "cut", watch=stop)
    file = tmp_path / "cut" / "rows.jsonl"
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"v":1,"task":"corr')  # the line that was being written
    done = []
    resumed = evaluate(agent(), TASKS, ARMS, tmp_path / "cut", watch=lambda row, n, total: done.append(n))
    assert without_times(resumed) == without_times(whole)
    assert done == list(range(6, 17))
    assert without_times(read_rows(file)) == without_times(whole)


def test_a_folder_that_was_begun_with_another_library_is_refused(tmp_path):
    evaluate(agent(), TASKS[:1], ARMS, tmp_path)
    other = {"frozen": Library(skills={"x": Skill(name="x", description="d", body="b")})}
    with pytest.raises(ConfigError, match="another --out"):
        evaluate(agent(), TASKS[:1], other, tmp_path)


def test_a_folder_that_was_begun_with_another_model_is_refused(tmp_path):
    begin(tmp_path, {"model": "a/b", "suite": "s"})
    begin(tmp_path, {"model": "a/b", "suite": "s"})
    with pytest.raises(ConfigError, match="model 'a/b'"):
        begin(tmp_path, {"model": "c/d", "suite": "s"})


def test_only_what_was_asked_for_is_summed_up(tmp_path):
    evaluate(agent(), TASKS, ARMS, tmp_path)
    rows = wanted_rows(tmp_path, TASKS[:2], {"frozen": ARMS["frozen"]})
    assert [(row.arm, row.key) for row in rows] == [("frozen", (task.id, task.seed)) for task in TASKS[:2]]


def test_an_episode_that_nobody_scored_is_no_failure_in_the_table(tmp_path):
    rows = evaluate(agent(), TASKS[:2], {"frozen": ARMS["frozen"]}, tmp_path)
    unscored = rows[1].model_copy(update={"task": rows[0].task, "success": None, "reward": None})
    assert per_task([rows[0], unscored])[1][0][1] == "1/1"


def test_a_void_is_tried_once_more_and_then_counted_as_void_and_not_as_failure(tmp_path):
    tried = []

    def crashing(environment, task, first, *parts, **options):
        tried.append(task.name)
        if task.name == "a":
            raise EnvironmentFailed("gone")
        return knowing(environment, task, first, *parts, **options)

    rows = evaluate(agent(crashing), TASKS[:2], {"frozen": ARMS["frozen"]}, tmp_path)
    assert tried == ["a", "a", "b"]
    summary = summarise(rows, suite="s", command=["x"], provenance={})
    assert (summary.arms["frozen"].episodes, summary.arms["frozen"].void, summary.arms["frozen"].success) == (2, 1, 1.0)


def test_the_summary_pairs_the_arms_and_the_table_shows_every_task(tmp_path):
    rows = evaluate(agent(), TASKS, ARMS, tmp_path)
    summary = summarise(rows, suite="s", command=["skillagent", "eval", "a b"], provenance={})
    pair = summary.paired["frozen-none"]
    solved = sum(bool(row.success) for row in rows if row.arm == "none")
    assert (pair.wins, pair.losses, pair.ties) == (8 - solved, 0, solved)
    assert summary.command == "skillagent eval 'a b'"
    header, lines = per_task(rows)
    assert header == ["task", "none", "tokens", "s", "frozen", "tokens", "s"]
    assert [line[0] for line in lines] == ["corridor/a", "corridor/b"]
    assert headline(summary)[1].startswith("frozen: 100% of 8")


def test_evaluation_writes_nothing_to_the_store(tmp_path):
    one = agent()
    evaluate(replace(one, store=one.store), TASKS, ARMS, tmp_path)
    assert list(one.store.events()) == []
