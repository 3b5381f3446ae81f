"""What failed of late is practised more, on instances that were never tried."""

import numpy as np
import pytest

from skillagent.practice.curriculum import next_task, surprised
from skillagent.schema import Attempted, Event, Split, Task

A, B, C = (Task(env="e", name=name, seed=0) for name in "abc")


def tried(task, *scores, first=0):
    return [
        Attempted(attempt="x", goal="g", task=task.model_copy(update={"seed": first + number}), score=score)
        for number, score in enumerate(scores)
    ]


def drawn(*events, count=400):
    random = np.random.default_rng(0)
    found = [next_task([A, B, C], events, random) for _ in range(count)]
    return {name: sum(one.name == name for one in found) / count for name in "abc"}


def test_a_task_is_drawn_as_often_as_it_failed_of_late():
    events = [*tried(A, 0, 0), *tried(B, 1, 0), *tried(C, 1, 1)]
    assert drawn(*events) == pytest.approx({"a": 2 / 3, "b": 1 / 3, "c": 0}, abs=0.06)


def test_only_the_last_tries_count_and_what_was_never_tried_has_failed():
    events = [*tried(A, *[0] * 9, *[1] * 6), *tried(B, None, 0.5)]
    assert drawn(*events) == pytest.approx({"a": 0, "b": 0.5, "c": 0.5}, abs=0.06)


def test_the_instance_is_the_first_behind_those_that_were_tried():
    events = [*tried(A, 0, 0, 0, first=4), *tried(A, 0, first=2_000_000)]
    assert next_task([A], events, np.random.default_rng(0)).seed == 7
    assert next_task([A.model_copy(update={"seed": 3})], [], np.random.default_rng(0)).seed == 3


OPEN, SHUT = (Task(env="e", name=name, seed=0) for name in ("drawer-open", "lid-shut"))


@pytest.mark.parametrize(
    ("wanted", "share"),
    [
        pytest.param((), 0.5, id="nothing is wanted"),
        pytest.param(("opening a drawer",), 0.8, id="all its words are those of the name"),
        pytest.param(("opens the box",), 2.5 / 3.5, id="half of them"),
        pytest.param(("puts the cup",), 0.2, id="those of a goal of the other task"),
        pytest.param(("opening a drawer", "putting cups"), 0.5, id="each task is near one"),
        pytest.param(("of the", "painting"), 0.5, id="no words in common"),
        pytest.param(("drawer", *"abcdefgh"), 0.5, id="asked for long ago"),
    ],
)
def test_of_what_failed_a_task_is_drawn_more_often_that_is_near_a_missing_skill(wanted, share):
    asked = [one.model_copy(update={"wanted": (text,)}) for text in wanted for one in tried(C, 1)]
    put = [one.model_copy(update={"goal": "Put a cup away"}) for one in tried(SHUT, 0)]
    random = np.random.default_rng(0)
    found = [next_task([OPEN, SHUT], [*tried(OPEN, 0), *put, *asked], random).name for _ in range(1000)]
    assert found.count("drawer-open") / 1000 == pytest.approx(share, abs=0.05)


def test_what_is_wanted_is_not_practised_where_it_did_not_fail_nor_read_from_other_seeds():
    def wanting(one):
        return one.model_copy(update={"wanted": ("opening a drawer",)})

    solved = [*tried(OPEN, 1), *tried(SHUT, 0)]
    random = np.random.default_rng(0)
    assert {next_task([OPEN, SHUT], map(wanting, solved), random).name for _ in range(50)} == {"lid-shut"}
    elsewhere = [wanting(one) for seed in (1_000_000, 2_000_000) for one in tried(C, 0, first=seed)]
    found = [next_task([OPEN, SHUT], elsewhere, random).name for _ in range(1000)]
    assert found.count("drawer-open") / 1000 == pytest.approx(0.5, abs=0.05)


def test_where_nothing_failed_there_is_nothing_to_practise():
    assert next_task([A], tried(A, 1, 1), np.random.default_rng(0)) is None


def test_a_task_without_practice_seeds_left_is_passed_over():
    last = A.model_copy(update={"seed": 999_997})
    events = tried(last, 0, first=999_997)
    assert next_task([last], events, np.random.default_rng(0), seeds=2).seed == 999_998
    assert next_task([last], events, np.random.default_rng(0), seeds=3) is None


def ran(seed, surprise="no button", task=A):
    (one,) = tried(task, 1.0, first=seed)
    return one.model_copy(update={"programs": ("s",), "surprise": surprise})


def test_what_surprised_a_program_is_practised_again_until_it_runs_through():
    def seeds(*entries, most=2):
        events = [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]
        return [task.seed for task in surprised(A, events, most=most)]

    assert seeds(ran(4), ran(7), ran(9)) == [9, 7]
    assert seeds(ran(4), ran(7), ran(7, surprise="")) == [4]
    assert seeds(ran(4), *tried(A, 0.0, first=4)) == [4], "no program ran: nothing was mended"
    assert seeds(ran(4).model_copy(update={"void": "crash"})) == []
    assert seeds(ran(4, task=B), *tried(A, 0.0), ran(Split.HOLDOUT.first_seed), ran(Split.GATE.first_seed)) == []
