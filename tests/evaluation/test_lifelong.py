"""Lifelong metrics: against worked examples, and against the published figures of the reference tools."""

import json
from pathlib import Path

import pytest

from skillagent.errors import ConfigError
from skillagent.evaluation.blocks import Block, Scenario, read_scenario, write_blocks
from skillagent.evaluation.lifelong import Settings, lifelong, read_settings, stream

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "l2metrics"
PLAIN = Settings(smoothing_method="none", normalization_method="none")


def block(number, kind, task, *performance):
    return Block(number=number, kind=kind, task=task, performance=performance)


ALTERNATING = Scenario(
    name="alternating",
    blocks=(
        block(0, "test", "a", 0.1), block(0, "test", "b", 0.2),
        block(1, "train", "a", *range(1, 11)),
        block(2, "test", "a", 0.5), block(2, "test", "b", 0.4),
        block(3, "train", "b", 1, 2),
        block(4, "test", "a", 0.4), block(4, "test", "b", 0.8),
        block(5, "train", "a", 4, 9, 10, 11),
        block(6, "test", "a", 0.6), block(6, "test", "b", 0.6),
        block(7, "train", "a", 1, 2),
    ),
    experts={"a": ((2, 4, 6, 8),)},
)  # fmt: skip


def test_a_scenario_worked_by_hand():
    found = lifelong(ALTERNATING, PLAIN)
    a, b = found.task_metrics["a"], found.task_metrics["b"]
    assert a.maintenance_vals == pytest.approx([-0.1])  # 0.4 against 0.5; 0.6 is the first after re-training
    assert b.maintenance_vals == pytest.approx([-0.2])
    assert found.perf_maintenance_mrlep == pytest.approx(-0.15)
    assert a.forward_transfer_ratio == {"b": pytest.approx([2.0])}  # 0.2 -> 0.4 before b was trained
    assert a.forward_transfer_contrast == {"b": pytest.approx([0.2 / 0.6])}
    assert a.backward_transfer_ratio == {"b": pytest.approx([0.75])}  # 0.8 -> 0.6 after b was trained
    assert b.backward_transfer_ratio == {"a": pytest.approx([0.8])}
    assert b.forward_transfer_ratio == {}
    assert a.recovery_times == (2.0, 3.0)  # the third experience is as good as 10; never as good as 11
    assert found.perf_recovery == -1.0
    assert b.perf_recovery is None
    assert a.ste_rel_perf == pytest.approx((1 + 2 + 3 + 4) / 20)
    assert b.ste_rel_perf is None
    assert a.sample_efficiency == pytest.approx(11 / 8 * 3 / 13)  # 11 at experience 13, the expert 8 at 3
    assert (found.num_lx, found.num_ex) == (18, 8)


def test_who_learns_nothing_has_no_sample_efficiency():
    falling = Scenario(name="f", blocks=(block(0, "train", "a", 3, 2, 1),), experts={"a": ((1, 2, 3),)})
    low = Scenario(name="l", blocks=(block(0, "train", "a", 0.1, 0.2),), experts={"a": ((1, 2, 3),)})
    assert lifelong(falling, PLAIN).sample_efficiency == 0
    assert lifelong(low, PLAIN).sample_efficiency == 0


@pytest.mark.parametrize("window", [pytest.param(3, id="seen from 4 to 6"), pytest.param(4, id="seen from 4 to 7")])
def test_an_odd_window_is_centred_and_an_even_one_reaches_further_back(window):
    peak = [12.0 if number == 5 else 0.0 for number in range(10)]  # the mean is 3 or more where the window sees it
    blocks = (block(0, "train", "a", *[2.0] * 10), block(1, "train", "a", *peak))
    how = Settings(normalization_method="none", window_length=window)
    assert lifelong(Scenario(name="s", blocks=blocks), how).task_metrics["a"].recovery_times == (4.0,)


def test_scaling_is_per_task_over_the_whole_life_and_the_experts():
    blocks = (block(0, "train", "a", 0, 5), block(1, "test", "a", 10))
    found = lifelong(Scenario(name="s", blocks=blocks, experts={"a": ((0, 20),)}), Settings(smoothing_method="none"))
    assert found.avg_eval_perf == pytest.approx(51)


def test_what_was_written_is_read_back(tmp_path):
    write_blocks(ALTERNATING.blocks, tmp_path / "ll_logs" / "alternating", about={"source": "a test"})
    write_blocks([block(0, "train", "a", 2, 4, 6, 8)], tmp_path / "ste_logs" / "a")
    found = read_scenario(tmp_path)
    assert found.blocks == ALTERNATING.blocks
    assert found.experts == ALTERNATING.experts
    assert found.about == {"source": "a test"}
    assert read_scenario(tmp_path / "ll_logs" / "alternating") == found


def test_rows_that_are_wrong_are_named(tmp_path):
    write_blocks(ALTERNATING.blocks, tmp_path)
    file = tmp_path / "0" / "1-train" / "data-log.tsv"
    file.write_text(file.read_text().replace("\t3.0\n", "\thigh\n"))
    with pytest.raises(ConfigError, match=r"1-train/data-log.tsv, line 4: could not convert"):
        read_scenario(tmp_path)
    with pytest.raises(ConfigError, match="there is no 'reward'"):
        read_scenario(tmp_path, measure="reward")
    with pytest.raises(ConfigError, match="no logs in"):
        read_scenario(tmp_path / "0")


def test_settings_that_are_not_there_are_refused(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"maintenance_method": "mrtlp", "log_dir": "elsewhere"}))
    with pytest.raises(ConfigError, match="maintenance_method"):
        read_settings(file)


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the reference logs are not here")
def test_the_published_figures_are_reproduced():
    found = lifelong(read_scenario(GOLDEN), read_settings(GOLDEN / "results" / "multi_task_settings.json"))
    golden = json.loads((GOLDEN / "results" / "multi_task_metrics.json").read_text())
    keys = (
        "perf_recovery", "avg_train_perf", "avg_eval_perf", "perf_maintenance_mrlep", "forward_transfer_ratio",
        "backward_transfer_ratio", "ste_rel_perf", "sample_efficiency", "num_lx", "num_ex",
    )  # fmt: skip
    assert {key: getattr(found, key) for key in keys} == pytest.approx({key: golden[key] for key in keys}, abs=1e-9)


SUCCESS = [[0.8, 0.0, 0.0], [0.6, 0.9, 0.0], [0.4, 0.7, 1.0]]


def test_a_stream_worked_by_hand():
    found = stream(SUCCESS)
    assert found.forward_transfer == pytest.approx(0.9)
    assert found.forgetting == pytest.approx((0.3 + 0.2) / 2)  # task 1 lost 0.2 and 0.4, task 2 lost 0.2
    assert found.area == pytest.approx((0.6 + 0.8 + 1.0) / 3)


def test_the_curve_while_learning_counts_for_forward_transfer():
    found = stream([[1.0]], curves=[[0.0, 0.5, 1.0]])
    assert (found.forward_transfer, found.forgetting, found.area) == (0.5, None, 0.5)


def test_a_stream_needs_whole_rows():
    with pytest.raises(ValueError, match="row"):
        stream([[1.0], [1.0]])


def test_who_is_at_its_best_from_the_start_has_no_sample_efficiency():
    flat = Scenario(name="f", blocks=(block(0, "train", "a", 1, 1, 1),), experts={"a": ((1, 1, 1),)})
    empty = Scenario(name="e", blocks=(block(0, "train", "a", 1, 2),), experts={"a": ((0, 0),)})
    assert (lifelong(flat, PLAIN).sample_efficiency, lifelong(empty, PLAIN).ste_rel_perf) == (None, None)


def test_what_nobody_scored_is_left_out_of_a_stream():
    found = stream([[None, 0.0], [0.5, 1.0]])
    assert (found.forward_transfer, found.forgetting, found.area) == (1.0, None, 0.75)
