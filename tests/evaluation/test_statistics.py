"""Statistics on data whose answer is known."""

import numpy as np
import pytest

from skillagent.evaluation.statistics import compare, rate


def test_wilson_matches_the_textbook():
    # Wilson 1927 for 8 of 10: (0.490, 0.943)
    found = rate(8, 10)
    assert (round(found.low, 3), round(found.high, 3)) == (0.490, 0.943)
    assert rate(0, 0).high == 1.0


def scores(values, tasks=10, seeds=5):
    return {(f"t{i}", s): float(values(i, s)) for i in range(tasks) for s in range(seeds)}


def test_the_same_twice_is_no_difference():
    arm = scores(lambda i, s: (i + s) % 2)
    found = compare(arm, arm)
    assert (found.difference, found.low, found.high, found.p, found.ties) == (0, 0, 0, 1.0, 50)


def test_a_planted_effect_is_found_with_its_size():
    chance = np.random.default_rng(3)
    before = scores(lambda i, s: chance.random() < 0.4, tasks=40)
    after = {key: max(value, float(chance.random() < 0.34)) for key, value in before.items()}  # 0.4 -> 0.6
    found = compare(before, after)
    assert 0.12 < found.difference < 0.28
    assert found.low > 0
    assert found.p < 1e-3
    assert found.losses == 0


def test_few_tasks_that_flip_on_every_seed_are_few_however_many_seeds():
    before = scores(lambda i, s: 0, tasks=15)
    after = scores(lambda i, s: i < 3, tasks=15)
    assert compare(before, after).p == pytest.approx(2 / 2**3, abs=0.02)


def test_the_sign_test_is_exact():
    before = scores(lambda i, s: 0, tasks=6, seeds=1)
    after = scores(lambda i, s: 1, tasks=6, seeds=1)
    assert compare(before, after).p == pytest.approx(2 / 2**6)


def test_an_unscored_side_is_dropped_and_counted():
    before = scores(lambda i, s: 0, tasks=2, seeds=2)
    after = {key: (None if key == ("t0", 0) else 1.0) for key in before}
    found = compare(before, after)
    assert (found.wins, found.dropped, found.difference) == (3, 1, 1.0)


def test_one_task_alone_says_nothing_about_others():
    found = compare(scores(lambda i, s: 0, tasks=1), scores(lambda i, s: 1, tasks=1))
    assert (found.low, found.high) == (-1.0, 1.0)


@pytest.mark.parametrize("tasks", [4, 8, 12, 20])
def test_two_arms_that_are_alike_are_rarely_told_apart(tasks):
    """An A/A comparison under noise, two hundred times: the interval should miss zero about once in twenty."""
    chance = np.random.default_rng(5)
    found = [
        compare(*(scores(lambda i, s: chance.random() < 0.2 + 0.6 * i / tasks, tasks=tasks, seeds=3) for _ in "ab"))
        for _ in range(200)
    ]
    assert sum(not one.low <= 0 <= one.high for one in found) <= 18
    assert sum(one.p < 0.05 for one in found) <= 18


def test_few_tasks_that_all_say_the_same_prove_little():
    few = compare(scores(lambda i, s: 0, tasks=3), scores(lambda i, s: 1, tasks=3))
    assert (few.low, few.high, few.p) == (-1.0, 1.0, 0.25)
    more = compare(scores(lambda i, s: 0, tasks=6), scores(lambda i, s: 1, tasks=6))
    assert (more.low, more.high) == (1.0, 1.0)


def test_the_interval_is_the_textbook_s():
    # differences of four tasks 0, 0.2, 0.4, 0.6: mean 0.3, standard error 0.1291, t(3) = 3.182
    before = scores(lambda i, s: 0, tasks=4)
    found = compare(before, {key: float(key[1] < int(key[0][1])) for key in before})
    assert (round(found.low, 3), round(found.high, 3)) == (-0.111, 0.711)
