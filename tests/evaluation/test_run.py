"""Runs: one row an episode, resumable at any moment, voids apart from failures, on every engine alike."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from pressing import ARMS, FIRST, FROZEN, NONE, SKILL, TASKS, Pressing, crashing, knowing

from skillagent.errors import BudgetSpent, ConfigError, EnvironmentFailed
from skillagent.evaluation.arms import Arm
from skillagent.evaluation.report import write_report
from skillagent.evaluation.rows import Seconds, forget, read_practised, read_rows
from skillagent.evaluation.run import begin, begun, evaluate, wanted_rows
from skillagent.evaluation.suites import load_suite
from skillagent.evaluation.summary import across, read_summary, spent_on, summarise, write_summary
from skillagent.evaluation.table import as_csv, counted, headline, per_task
from skillagent.library import Library
from skillagent.llm.meter import Budget
from skillagent.schema import Attempted, Decided, Decision, Edit, Event, RetireSkill, Skill, Split, Task, Usage

RESULTS, SUITES = (Path(__file__).parents[2] / "evals" / part for part in ("results", "suites"))


class Killed(Exception):
    """Ends the process that plays, as far as the run can tell."""


def failing_first():
    """Lose the world in the first try."""
    tries = []

    def act(*parts, **options):
        tries.append(1)
        if len(tries) == 1:
            raise EnvironmentFailed("gone")
        return knowing(*parts, **options)

    return act


def without_times(rows):
    return [row.model_copy(update={"seconds": Seconds()}) for row in rows]


def test_the_arms_of_one_task_follow_each_other_on_the_same_seed(tmp_path):
    rows = evaluate(Pressing(), TASKS, ARMS, tmp_path)
    assert [(row.arm, row.task, row.seed - FIRST) for row in rows[:4]] == [
        ("none", "corridor/a", 0),
        ("frozen", "corridor/a", 0),
        ("none", "corridor/b", 0),
        ("frozen", "corridor/b", 0),
    ]
    assert all(row.success for row in rows if row.arm == "frozen")


def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_rows(tmp_path):
    whole = evaluate(Pressing(), TASKS, ARMS, tmp_path / "whole")

    def stop(row, done, total):
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        evaluate(Pressing(), TASKS, ARMS, tmp_path / "cut", watch=stop)
    file = tmp_path / "cut" / "rows.jsonl"
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"v":1,"task":"corr')  # the line that was being written
    done = []
    resumed = evaluate(Pressing(), TASKS, ARMS, tmp_path / "cut", watch=lambda row, n, total: done.append(n))
    assert without_times(resumed) == without_times(whole)
    assert done == list(range(6, 17))
    assert without_times(read_rows(file)) == without_times(whole)


def test_a_folder_that_was_begun_with_another_library_is_refused(tmp_path):
    evaluate(Pressing(), TASKS[:1], ARMS, tmp_path)
    other = [Arm(name="frozen", library=Library(skills={"x": Skill(name="x", description="d", body="b")}))]
    with pytest.raises(ConfigError, match="another --out"):
        evaluate(Pressing(), TASKS[:1], other, tmp_path)


def test_a_folder_that_was_begun_with_another_model_is_refused(tmp_path):
    begin(tmp_path, {"model": "a/b", "suite": "s"})
    evaluate(Pressing(), TASKS[:1], [NONE], tmp_path)
    begin(tmp_path, {"model": "a/b", "suite": "s"})
    with pytest.raises(ConfigError, match="model 'a/b'"):
        begin(tmp_path, {"model": "c/d", "suite": "s"})


@pytest.mark.parametrize("left", ["", "learning.new"])  # an agent that could not be opened may leave half a copy
def test_a_start_that_came_to_nothing_holds_the_folder_to_nothing(tmp_path, left):
    begin(tmp_path, {"model": "a/misspelt"})
    (tmp_path / left).mkdir(exist_ok=True)
    begin(tmp_path, {"model": "a/b"})
    assert begun(tmp_path)["model"] == "a/b"
    (tmp_path / "learning").mkdir()  # what was practised belongs to that model
    with pytest.raises(ConfigError, match="model 'a/b'"):
        begin(tmp_path, {"model": "c/d"})


def test_a_run_that_another_process_begins_to_play_keeps_its_conditions(tmp_path):
    begin(tmp_path, {"model": "a/b"})
    with FileLock(tmp_path / "run.lock"), pytest.raises(ConfigError, match="another process"):
        begin(tmp_path, {"model": "c/d"})
    assert begun(tmp_path)["model"] == "a/b"


def test_a_run_tells_with_how_many_threads_it_was_begun(tmp_path):
    assert begin(tmp_path, {}, threads=2) == 2
    evaluate(Pressing(), TASKS[:1], [NONE], tmp_path)
    assert begin(tmp_path, {}, threads=1) == 2


@pytest.mark.parametrize("name", ["miniwob-125", "miniwob-15"])  # the latter was begun before suites had blocks
def test_a_run_that_was_begun_before_a_suite_could_say_more_goes_on(tmp_path, name):
    kept = json.loads((RESULTS / name / "run.json").read_text(encoding="utf-8"))
    (tmp_path / "run.json").write_text(json.dumps(kept), encoding="utf-8")
    evaluate(Pressing(), TASKS[:1], [NONE], tmp_path)
    caps = {"max_steps": kept["suite"]["max_steps"], "max_turns": None}  # other ones since
    suite = load_suite(str(SUITES / f"{name}.yaml")).model_copy(update=caps)
    limited, more = (suite.model_copy(update={"cost_limit": n, "token_limit": n}) for n in (1, 2))
    for one in (limited, more, suite):
        begin(tmp_path / "new", {"suite": one.model_dump(mode="json")})
        begin(tmp_path, {**kept, "suite": one.model_dump(mode="json")})
    longer = suite.model_copy(update={"max_steps": 99}).model_dump(mode="json")
    with pytest.raises(ConfigError, match=rf"begun with suite.max_steps {suite.max_steps};"):
        begin(tmp_path, {**kept, "suite": longer})
    with pytest.raises(ConfigError, match="begun with stream None;"):
        begin(tmp_path, {**kept, "stream": 1})


def test_only_what_was_asked_for_is_summed_up(tmp_path):
    evaluate(Pressing(), TASKS, ARMS, tmp_path)
    rows = wanted_rows(tmp_path, TASKS[:2], [FROZEN])
    assert [(row.arm, row.key) for row in rows] == [("frozen", (task.id, task.seed)) for task in TASKS[:2]]


def test_an_episode_that_nobody_scored_is_no_failure_in_the_table(tmp_path):
    rows = evaluate(Pressing(), TASKS[:2], [FROZEN], tmp_path)
    unscored = rows[1].model_copy(update={"task": rows[0].task, "success": None, "reward": None})
    assert per_task([rows[0], unscored])[1][0][1] == "1/1"


def test_a_void_is_tried_once_more_and_then_counted_as_void_and_not_as_failure(tmp_path):
    opener = Pressing(crashing)
    rows = evaluate(opener, TASKS[:2], [FROZEN], tmp_path)
    assert [task.name for task in opener.opened] == ["a", "a", "b"]
    summary = summarise(rows, suite="s", command=["x"], provenance={})
    assert (summary.arms["frozen"].episodes, summary.arms["frozen"].void, summary.arms["frozen"].success) == (2, 1, 1.0)


def test_a_run_that_goes_on_plays_what_was_void_again(tmp_path):
    evaluate(Pressing(crashing), TASKS[:2], [FROZEN], tmp_path)
    rows = evaluate(Pressing(), TASKS[:2], [FROZEN], tmp_path)
    assert [row.void for row in rows] == [None, None]
    assert [row.void for row in wanted_rows(tmp_path, TASKS[:2], [FROZEN])] == [None, None]


def test_what_void_tries_cost_is_in_the_row_of_the_try_that_counts(tmp_path):
    opener = Pressing(failing_first())
    (row,) = evaluate(opener, TASKS[:1], [FROZEN], tmp_path / "retried")
    assert (row.void, row.steps, row.tokens_in) == (None, 1, 20)  # each try takes ten
    learning = Arm(name="learning", library=Library(), learning=True)
    evaluate(Pressing(crashing), TASKS[:1], [FROZEN, learning], tmp_path / "resumed")
    voids = read_rows(tmp_path / "resumed" / "rows.jsonl")
    assert [(row.tokens_in, row.learning_tokens) for row in voids] == [(20, 0), (20, 10)]
    rows = evaluate(Pressing(), TASKS[:1], [FROZEN, learning], tmp_path / "resumed")
    assert [(row.void, row.tokens_in, row.learning_tokens) for row in rows] == [(None, 30, 0), (None, 30, 10)]
    assert all(row.seconds.environment > void.seconds.environment > 0 for row, void in zip(rows, voids, strict=True))
    assert [row.seconds.learning for row in rows] == [row.seconds.learning for row in voids]


def test_a_budget_counts_what_void_tries_have_cost_once(tmp_path):
    evaluate(Pressing(crashing), TASKS[:1], [FROZEN], tmp_path)  # 20
    with pytest.raises(BudgetSpent):
        evaluate(Pressing(), TASKS[:3], [FROZEN], tmp_path, budget=Budget(tokens=40))  # 30, 40
    assert len(read_rows(tmp_path / "rows.jsonl")) == 2


def test_a_budget_ends_a_run_between_two_episodes_and_what_was_played_stands(tmp_path):
    with pytest.raises(BudgetSpent):
        evaluate(Pressing(), TASKS, ARMS, tmp_path, budget=Budget(tokens=30))
    assert len(read_rows(tmp_path / "rows.jsonl")) == 3  # each takes ten
    with pytest.raises(BudgetSpent):
        evaluate(Pressing(), TASKS, ARMS, tmp_path, budget=Budget(tokens=30))
    assert len(evaluate(Pressing(), TASKS, ARMS, tmp_path)) == len(TASKS) * 2


def test_workers_give_the_same_rows(tmp_path):
    alone = evaluate(Pressing(), TASKS, ARMS, tmp_path / "alone")
    together = evaluate(Pressing(), TASKS, ARMS, tmp_path / "together", workers=2)
    assert without_times(together) == without_times(alone)


def test_ray_gives_the_same_rows(tmp_path):
    ray = pytest.importorskip("ray")
    import pressing

    ray.cloudpickle.register_pickle_by_value(pressing)  # its workers cannot import a test's module
    alone = evaluate(Pressing(), TASKS, ARMS, tmp_path / "alone")
    together = evaluate(Pressing(), TASKS, ARMS, tmp_path / "together", workers=2, engine="ray")
    assert without_times(together) == without_times(alone)


def test_a_shuffled_arm_is_routed_by_one_library_and_reads_another(tmp_path):
    routed, read = [], []

    def reading(environment, task, first, plan, route, library, **options):
        read.append(library)
        return knowing(environment, task, first, plan, route, library, **options)

    class Routing(Pressing):
        @contextmanager
        def __call__(self, arm):
            with super().__call__(arm) as agent:
                yield replace(agent, route=lambda plan, library: routed.append(library) or agent.route(plan, library))

    other = Library(skills={"s": SKILL.model_copy(update={"body": "other"})})
    evaluate(Routing(reading), TASKS[:1], [FROZEN.model_copy(update={"contents": other})], tmp_path)
    assert (routed, read) == ([FROZEN.library], [other])


def test_a_run_that_another_process_plays_is_left_alone(tmp_path):
    with FileLock(tmp_path / "run.lock"), pytest.raises(ConfigError, match="another process"):
        evaluate(Pressing(), TASKS, ARMS, tmp_path)


def test_reading_a_run_changes_nothing_and_a_broken_line_is_named(tmp_path):
    evaluate(Pressing(), TASKS[:2], [NONE], tmp_path)
    file = tmp_path / "rows.jsonl"
    file.write_bytes(file.read_bytes() + b'{"v":1,')
    whole = file.read_bytes()
    assert len(read_rows(file)) == 2
    assert file.read_bytes() == whole
    file.write_bytes(whole + b"\xff\n" + whole)
    with pytest.raises(ConfigError, match="line 3: no row"):
        read_rows(file)


def test_rows_that_are_stale_are_forgotten_and_measured_anew(tmp_path):
    evaluate(Pressing(), TASKS, ARMS, tmp_path)
    assert forget(tmp_path / "rows.jsonl", lambda row: row.arm == "frozen") == len(TASKS)
    assert {row.arm for row in read_rows(tmp_path / "rows.jsonl")} == {"none"}
    assert len(evaluate(Pressing(), TASKS, ARMS, tmp_path)) == 2 * len(TASKS)


def test_a_finished_run_is_not_held_to_its_budget_again_but_what_practice_cost_counts(tmp_path):
    evaluate(Pressing(), TASKS, ARMS, tmp_path)
    evaluate(Pressing(), TASKS, ARMS, tmp_path, budget=Budget(tokens=10))
    learning = Arm(name="learning", library=Library(), learning=True)
    with pytest.raises(BudgetSpent):
        evaluate(Pressing(), TASKS, [learning], tmp_path / "learning", budget=Budget(tokens=20))
    assert [row.learning_tokens for row in read_rows(tmp_path / "learning" / "rows.jsonl")] == [10]


def test_an_arm_that_learns_practises_each_task_once_before_it_is_measured(tmp_path):
    learning = Arm(name="learning", library=Library(), learning=True)
    opener = Pressing()
    rows = evaluate(opener, TASKS, [NONE, learning], tmp_path)
    assert all(row.success for row in rows if row.arm == "learning")
    assert [(task.name, task.seed) for task in opener.practised] == [("a", 0), ("b", 0)]
    assert rows == evaluate(Pressing(), TASKS, [NONE, learning], tmp_path)


def killed_when_measured(kills):
    """Act as usual, but end the process when the first episode that is measured begins."""

    def act(environment, task, *parts, **options):
        if task.split is Split.HOLDOUT and kills:
            raise kills.pop()
        return knowing(environment, task, *parts, **options)

    return act


def test_a_task_whose_practice_had_ended_before_a_kill_is_not_practised_again(tmp_path):
    learning = Arm(name="learning", library=Library(), learning=True)
    opener = Pressing(killed_when_measured([Killed()]))
    with pytest.raises(Killed):
        evaluate(opener, TASKS[:2], [learning], tmp_path)
    assert read_rows(tmp_path / "rows.jsonl") == []
    with (tmp_path / "learning" / "practised.jsonl").open("a", encoding="utf-8") as torn:
        torn.write('{"task":"corr')
    rows = evaluate(opener, TASKS[:2], [learning], tmp_path)
    assert [task.name for task in opener.practised] == ["a", "b"]
    assert list(read_practised(tmp_path / "learning" / "practised.jsonl")) == ["corridor/a", "corridor/b"]
    assert [row.learning_tokens for row in rows] == [10, 10]
    assert rows[0].seconds.learning > 0


def test_the_summary_pairs_the_arms_and_the_table_shows_every_task(tmp_path):
    rows = evaluate(Pressing(), TASKS, ARMS, tmp_path)
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
    opener = Pressing()
    evaluate(opener, TASKS, ARMS, tmp_path)
    assert list(opener.store.events()) == []


def test_two_runs_are_compared_on_what_both_have_played(tmp_path):
    before = evaluate(Pressing(), TASKS, [NONE], tmp_path / "a")
    after = evaluate(Pressing(), TASKS[:4], [FROZEN], tmp_path / "b")
    found = across(before, "none", after, "frozen")
    assert found.wins + found.ties == 4
    assert found.losses == 0


def test_a_summary_is_read_back_and_names_the_code_that_played(tmp_path):
    rows = evaluate(Pressing(), TASKS, ARMS, tmp_path)
    summary = summarise(rows, suite="s", command=["x"], provenance={"model": "m"})
    write_summary(summary, tmp_path)
    assert read_summary(tmp_path) == summary
    assert summary.provenance["played_by"] == [rows[0].code]
    with pytest.raises(ConfigError, match="no run in"):
        read_summary(tmp_path / "elsewhere")


def test_what_learning_cost_is_set_against_what_it_pays_back(tmp_path):
    rows = evaluate(Pressing(), TASKS, ARMS, tmp_path)
    rows = [
        row.model_copy(
            update={
                "success": row.arm == "frozen" or row.seed == FIRST,
                "tokens_in": 100,
                "task": f"{row.task}{row.seed}",
            }
        )
        for row in rows
    ]  # 2 of 8 against 8 of 8: 400 tokens a success against 100
    edit = Edit(changes=(RetireSkill(name="s", base=1),), why="w")
    decision = Decision(
        edit=edit, accepted=True, reason="r", writing=Usage(tokens_in=500), usage=Usage(tokens_out=1000)
    )
    attempted = {"attempt": "x", "goal": "g", "usage": Usage(tokens_in=1500)}
    entries = [
        Decided(decision=decision),
        Attempted(task=Task(env="e", name="n", seed=0), **attempted),
        Attempted(task=TASKS[0], **attempted),  # a holdout seed: nothing was learnt there
    ]
    events = [Event(seq=seq, at="2026", library="d", entry=entry) for seq, entry in enumerate(entries)]
    learning = spent_on(events)
    assert (learning.acting.tokens_in, learning.reflecting.tokens_in, learning.gating.tokens_out) == (1500, 500, 1000)
    payoff = summarise(rows, suite="s", command=["x"], provenance={}, learning=learning).payoff["frozen-none"]
    assert payoff.tokens_per_point == pytest.approx(3000 / 75)
    assert payoff.break_even == pytest.approx(3000 / 300)
    twice = [row.model_copy(update={"arm": f"frozen{row.arm == 'none'}", "library_digest": "x"}) for row in rows]
    assert not summarise(twice, suite="s", command=["x"], provenance={}, learning=learning).payoff


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 tokens"), (1, "1 token"), (1.3, "1 token"), (1.6, "2 tokens"), (1234, "1,234 tokens")]
)
def test_a_number_comes_with_its_noun(number, told):
    assert counted(number, "token") == told


def test_rows_are_written_as_csv(tmp_path):
    header, first, *_ = as_csv(evaluate(Pressing(), TASKS, ARMS, tmp_path)).splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True))
    assert (cells["task"], cells["arm"], cells["seconds.model"]) == ("corridor/a", "none", "0.0")


def test_a_students_agreement_and_break_even_are_told(tmp_path):
    (row,) = evaluate(Pressing(), TASKS[:1], [FROZEN], tmp_path)
    cost = {"drafted": 4, "agreed": 3, "draft_seconds": 2.0, "deferred_seconds": 4.0, "seconds": Seconds(model=9.0)}
    arms = [row.model_copy(update={**cost, "seed": FIRST + n}) for n in range(2)]
    summary = summarise(arms, suite="s", command=["x"], provenance={})
    drafting = summary.arms["frozen"].drafting
    assert (drafting.turns, drafting.agreement) == (8, 0.75)
    assert drafting.break_even == pytest.approx(0.5 / 4.0)  # half a second a draft, four for a turn of the teacher
    dear = row.model_copy(update={"arm": "teacher", "tokens_in": 500, "cost_usd": 0.25, "seconds": Seconds(model=3.0)})
    told = headline(summarise([*arms, dear], suite="s", command=["x"], provenance={}))
    assert told[2] == (
        "frozen: an episode costs 10 tokens, 9.0 s; the student's drafts were taken in 75% of 8 turns; "
        "it saves from 12% on"
    )
    assert told[3] == "teacher: an episode costs 500 tokens, 3.0 s and 0.2500 US dollars"
    assert not any(
        "an episode costs" in line for line in headline(summarise([dear], suite="s", command=["x"], provenance={}))
    )
    page = write_report([*arms, dear], summarise([*arms, dear], suite="s", command=["x"], provenance={}), tmp_path)
    assert "drafts taken" in page.read_text(encoding="utf-8")
    paid = [one.model_copy(update={"cost_usd": 0.9, "draft_usd": 0.2, "deferred_usd": 0.1}) for one in arms]
    assert summarise(paid, suite="s", command=["x"], provenance={}).arms["frozen"].drafting.break_even == pytest.approx(
        0.5
    )
    never = [one.model_copy(update={"agreed": 4, "deferred_seconds": 0.0}) for one in arms]
    assert summarise(never, suite="s", command=["x"], provenance={}).arms["frozen"].drafting.break_even is None
    assert summarise([row], suite="s", command=["x"], provenance={}).arms["frozen"].drafting is None
