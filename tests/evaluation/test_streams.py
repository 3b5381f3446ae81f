"""Streams: tested, trained, tested again; resumable; and written so that the lifelong metrics can be read off."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from pressing import FROZEN, Pressing, crashing

from skillagent.errors import BudgetSpent, ConfigError
from skillagent.evaluation.blocks import read_scenario
from skillagent.evaluation.lifelong import lifelong, stream
from skillagent.evaluation.rows import read_rows
from skillagent.evaluation.streams import live, train_experts
from skillagent.evaluation.suites import Suite
from skillagent.llm.meter import Budget
from skillagent.loop import attempt
from skillagent.schema import (
    Condition,
    Decided,
    Demonstration,
    Edit,
    Insight,
    KeyStep,
    Lesson,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireSkill,
    Skill,
    Split,
)
from skillagent.testing import MemoryStore

SUITE = Suite(
    name="life",
    ids=("corridor/a", "corridor/b", "corridor/c"),
    blocks=(2, 1),
    seeds={Split.PRACTICE: 1, Split.HOLDOUT: 2},
)


def test_a_stream_is_tested_before_between_and_after_its_blocks(tmp_path):
    opener = Pressing()
    life = live(opener, SUITE, tmp_path)
    assert [task.name for task in opener.practised] == ["a", "b", "c"]
    assert life.success[1:] == ((1.0, 1.0, 1.0),) * 2  # the skill is learnt in the first block
    assert [(change.trained, change.skills) for change in life.changes] == [
        (("corridor/a", "corridor/b"), ("s",)), (("corridor/c",), ()),
    ]  # fmt: skip
    assert life.by_block == [[1.0, 1.0], [1.0, 1.0]]
    assert stream(life.by_block).forgetting == 0


def test_its_logs_are_what_the_metrics_read(tmp_path):
    life = live(Pressing(), SUITE, tmp_path)
    scenario = read_scenario(tmp_path)
    assert [(b.number, b.kind, b.task[-1]) for b in scenario.blocks] == [
        (0, "test", "a"), (0, "test", "b"), (0, "test", "c"), (1, "train", "a"), (1, "train", "b"),
        (2, "test", "a"), (2, "test", "b"), (2, "test", "c"), (3, "train", "c"),
        (4, "test", "a"), (4, "test", "b"), (4, "test", "c"),
    ]  # fmt: skip
    assert lifelong(scenario).num_ex == 18
    assert lifelong(scenario).num_lx == len(life.training)


def test_a_stream_that_was_stopped_goes_on(tmp_path):
    whole = live(Pressing(), SUITE, tmp_path / "whole")

    class Killed(Exception):
        pass

    def stop(row, done, total):
        if row.arm == "after-1" and done == 3:
            raise Killed

    opener = Pressing()
    with pytest.raises(Killed):
        live(opener, SUITE, tmp_path / "cut", watch=stop)
    assert live(opener, SUITE, tmp_path / "cut") == whole
    assert [task.name for task in opener.practised] == ["a", "b", "c"]


def test_blocks_must_hold_all_tasks():
    with pytest.raises(ValueError, match="do not add up"):
        Suite(name="life", ids=("corridor/a",), blocks=(2,))


def test_a_void_is_no_failure_and_does_not_keep_a_stream_from_going_on(tmp_path):
    life = live(Pressing(crashing), SUITE, tmp_path)
    assert [row[0] for row in life.success] == [None, None, None]
    assert life.by_block[1] == [1.0, 1.0]
    assert live(Pressing(crashing), SUITE, tmp_path) == life


def test_a_block_that_was_stopped_goes_on_with_the_tasks_that_are_left(tmp_path):
    class Killed(Exception):
        pass

    def stop(tried):
        if tried.trajectory.task.name == "b":
            raise Killed

    opener = Pressing()
    with pytest.raises(Killed):
        live(opener, SUITE, tmp_path / "cut", trained=stop)
    life = live(opener, SUITE, tmp_path / "cut")
    assert [task.name for task in opener.practised] == ["a", "b", "b", "c"]
    assert life.changes[0].skills == ("s",)
    assert life == live(Pressing(), SUITE, tmp_path / "whole")  # the try that was cut short is in no curve


def test_a_training_that_was_stopped_after_it_changed_the_library_is_not_begun_anew(tmp_path):
    class Killed(Exception):
        pass

    class KilledAfterChange(MemoryStore):
        def commit(self, entry):
            library = super().commit(entry)
            if isinstance(entry, Decided) and entry.decision.accepted:
                raise Killed
            return library

    opener = Pressing()
    opener.learnt["learning"] = KilledAfterChange()
    with pytest.raises(Killed):
        live(opener, SUITE, tmp_path / "cut")
    assert live(opener, SUITE, tmp_path / "cut") == live(Pressing(), SUITE, tmp_path / "whole")
    assert [task.name for task in opener.practised] == ["a", "b", "c"]


def test_what_a_block_changed_is_told_by_kind_and_a_tool_is_a_skill_whose_files_changed(tmp_path):
    plain, tool = (Skill(name=name, description="d", body="b") for name in ("plain", "tool"))
    tool = tool.model_copy(update={"files": {"scripts/program.yaml": "steps: []"}})
    insight = Insight(id="i", taxonomy="x/y/z", kind="pitfall", condition=Condition(applies="a"), explanation="e")
    shown = Demonstration(id="d", domain="x", goal="g", steps=(KeyStep(observation="o", action="a"),))
    first = (
        PutSkill(skill=plain),
        PutSkill(skill=tool),
        PutInsight(insight=insight),
        PutDemonstration(demonstration=shown),
    )
    reworded = tool.model_copy(update={"body": "c", "version": 2})
    edits = iter([first, (PutSkill(skill=reworded, base=1),), (RetireSkill(name="tool", base=2),)])

    class Writing(Pressing):
        @contextmanager
        def __call__(self, arm):
            with super().__call__(arm) as agent:
                lesson = Lesson(cause="missing knowledge", summary="l")
                yield replace(
                    agent,
                    reflect=lambda attempts, library: [lesson],
                    write=lambda lesson, library, alone: [Edit(changes=next(edits), why="test")],
                )

    suite = SUITE.model_copy(update={"blocks": (1, 1, 1)})
    told = [
        (one.skills, one.tools, one.insights, one.demonstrations) for one in live(Writing(), suite, tmp_path).changes
    ]
    assert told == [
        (("plain", "tool"), ("tool",), ("i",), ("d",)),
        (("tool",), (), (), ()),
        (("tool",), ("tool",), (), ()),
    ]


def test_a_record_of_another_version_is_refused(tmp_path):
    (tmp_path / "stream.json").write_text('{"v": 9}')
    with pytest.raises(ConfigError, match="no stream of this version"):
        live(Pressing(), SUITE, tmp_path)


def test_transfer_is_seen_across_a_block_of_several_tasks(tmp_path):
    live(Pressing(), SUITE, tmp_path)
    metrics = lifelong(read_scenario(tmp_path))
    assert metrics.task_metrics["corridor/a"].forward_transfer_ratio.keys() == {"corridor/c"}  # b is trained with it


def test_an_expert_trains_a_task_alone_and_is_what_the_stream_is_set_against(tmp_path):
    opener = Pressing()
    life = live(opener, SUITE, tmp_path)
    assert lifelong(read_scenario(tmp_path)).ste_rel_perf is None
    curves = {task: one.scores for task, one in train_experts(opener, SUITE, tmp_path).items()}
    assert {block.task: block.performance for block in life.training} == {
        "corridor/a": (0.0,), "corridor/b": (1.0,), "corridor/c": (1.0,),
    }  # fmt: skip
    assert curves == dict.fromkeys(SUITE.ids, (0.0,))  # none of them has the others' skill
    assert [(task.name, task.seed) for task in opener.practised] == [("a", 0), ("b", 0), ("c", 0)] * 2
    scenario = read_scenario(tmp_path)
    assert scenario.experts == {task: (curve,) for task, curve in curves.items()}
    assert lifelong(scenario).ste_rel_perf == pytest.approx((1 + 101 + 101) / 3)  # 0 to 1 is scaled to 1 to 101


def test_what_was_shown_of_a_task_is_learnt_from_when_it_is_its_turn_and_by_its_expert(tmp_path):
    heard = []

    class Hearing(Pressing):
        @contextmanager
        def __call__(self, arm):
            with super().__call__(arm) as agent:
                if not arm.learning:
                    yield agent
                    return
                yield replace(
                    agent,
                    reflect=lambda attempts, library: (
                        heard.append([one.trajectory.task.name for one in attempts]) or ()
                    ),
                )

    task = SUITE.tasks(Split.PRACTICE, 1)[1]
    with Pressing()(FROZEN) as agent:
        shown = [attempt(agent, task, FROZEN.library)]
    live(Hearing(), SUITE, tmp_path, shown=shown)
    train_experts(Hearing(), SUITE, tmp_path, shown=shown)
    assert heard == [["a"], ["b", "b"], ["c"]] * 2


def test_an_expert_that_was_trained_is_not_trained_again(tmp_path):
    class Killed(Exception):
        pass

    def stop(tried):
        if tried.trajectory.task.name == "b":
            raise Killed

    opener = Pressing()
    with pytest.raises(Killed):
        train_experts(opener, SUITE, tmp_path, trained=stop)
    experts = train_experts(opener, SUITE, tmp_path)
    assert [task.name for task in opener.practised] == ["a", "b", "b", "c"]
    assert {task: one.scores for task, one in experts.items()} == dict.fromkeys(SUITE.ids, (0.0,))
    assert [one.spent.tokens_in for one in experts.values()] == [10, 20, 10]  # the try that was cut short was paid for


def test_an_expert_whom_nobody_scored_leaves_no_log(tmp_path):
    live(Pressing(), SUITE, tmp_path)
    train_experts(Pressing(crashing), SUITE, tmp_path)
    assert read_scenario(tmp_path).experts.keys() == {"corridor/b", "corridor/c"}


@pytest.mark.parametrize(
    ("tokens", "rows", "trained"),
    [
        pytest.param(30, 3, "", id="in a test"),
        pytest.param(60, 6, "", id="before the first training"),
        pytest.param(70, 6, "a", id="between two trainings"),
        pytest.param(80, 6, "ab", id="before the second test"),
        pytest.param(81, 7, "ab", id="in a test, of which training is a part"),
    ],
)
def test_a_budget_counts_tests_and_training_and_the_stream_goes_on_from_there(tmp_path, tokens, rows, trained):
    opener = Pressing()  # each episode takes ten
    for _ in range(2):
        with pytest.raises(BudgetSpent):
            live(opener, SUITE, tmp_path / "cut", budget=Budget(tokens=tokens))
    assert len(read_rows(tmp_path / "cut" / "rows.jsonl")) == rows
    assert "".join(task.name for task in opener.practised) == trained
    assert live(opener, SUITE, tmp_path / "cut") == live(Pressing(), SUITE, tmp_path / "whole")


def test_a_budget_counts_the_stream_and_its_experts_and_is_not_asked_when_all_is_done(tmp_path):
    opener = Pressing()
    live(opener, SUITE, tmp_path, budget=Budget(tokens=210))  # 18 tests and 3 tries, to the last token
    for _ in range(2):
        with pytest.raises(BudgetSpent):
            train_experts(opener, SUITE, tmp_path, budget=Budget(tokens=220))
    assert len(train_experts(opener, SUITE, tmp_path, budget=Budget(tokens=240))) == 3
    assert [task.name for task in opener.practised] == ["a", "b", "c"] * 2
    live(opener, SUITE, tmp_path, budget=Budget(tokens=1))
    train_experts(opener, SUITE, tmp_path, budget=Budget(tokens=1))
