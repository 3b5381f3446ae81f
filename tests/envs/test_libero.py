"""LIBERO's tasks in words; where the extra is not installed, what needs no simulation."""

import importlib.util

import numpy as np
import pytest
from libero_oracle import carrying

from skillagent.acting.play import played
from skillagent.config import draw_without_a_screen
from skillagent.envs.libero.actions import _grips, rests
from skillagent.envs.libero.scene import Thing, _named, _ours, tasks
from skillagent.envs.libero.world import Libero, start_of
from skillagent.errors import ConfigError, EnvironmentFailed
from skillagent.schema import Action, Split, Task
from skillagent.testing import check_environment

draw_without_a_screen()

there = pytest.mark.skipif(importlib.util.find_spec("libero") is None, reason="needs the extra libero")
TASK = Task(env="libero", name="object-1", max_steps=12, timeout_s=300)


def seeded(split, number):
    return TASK.model_copy(update={"seed": split.first_seed + number})


def test_no_start_is_both_learnt_from_and_measured_on():
    own = {split: {start_of(seeded(split, number), 50) for number in range(16)} for split in Split}
    assert sum(map(len, own.values())) == len(set.union(*own.values())) == 48


def test_what_is_learnt_on_goes_round_and_what_is_measured_on_does_not():
    assert start_of(seeded(Split.PRACTICE, 17), 50) == start_of(seeded(Split.PRACTICE, 0), 50)
    with pytest.raises(EnvironmentFailed, match="has 16 holdout starts; there is no number 16"):
        start_of(seeded(Split.HOLDOUT, 16), 50)


def test_places_are_told_as_the_robot_sees_them():
    assert _ours(np.array([0.3, 0.1, 0.2])).tolist() == [-0.1, 0.3, 0.2]  # LIBERO: away, left, up


def test_a_thing_keeps_its_number_where_there_are_several_of_its_kind():
    known = {"black_bowl_1": 0, "black_bowl_2": 0, "plate_1": 0, "top_side": 0}
    assert [_named(key, known) for key in known] == ["black bowl 1", "black bowl 2", "plate", "top side"]


@pytest.mark.parametrize(
    ("width", "sides"), [(0.05, {0.0}), (0.12, {0.054, -0.054})], ids=["around what is narrow", "on an edge of a bowl"]
)
def test_the_fingers_go_down_where_they_fit(width, sides):
    half = np.array([width / 2, 0.03, 0.05])
    thing = Thing("object", "t", "t_1", np.zeros(3), -half, half)
    grips = _grips(thing)
    assert {round(float(one[0]), 3) for one in grips} == sides
    assert all(-0.05 < one[2] < 0.05 for one in grips)


@pytest.mark.skipif(importlib.util.find_spec("libero") is not None, reason="the extra libero is there")
def test_without_the_extra_the_remedy_is_named():
    with pytest.raises(ConfigError, match=r"pip install 'skillagent\[libero\]'"):
        Libero().reset(TASK)


@pytest.fixture(scope="module")
def world():
    world = Libero()
    yield world
    world.close()


@there
def test_it_keeps_the_promises_of_an_environment_and_can_be_done(world):
    check_environment(lambda: world, TASK, lambda first: carrying(world)(first))


@there
def test_what_cannot_be_done_is_said(world):
    seen = world.reset(TASK)
    refs = {element.name: element.ref for element in seen.elements}
    placed = world.step(Action(verb="place", arguments={"ref": refs["basket"]}))
    assert placed.error == "you hold nothing: pick something up first"
    inside = world.step(Action(verb="pick", arguments={"ref": refs["basket 1 contain region"]}))
    assert "place" in inside.error


@pytest.mark.parametrize(
    ("place", "there"),
    [((0.0, 0.0, 0.05), True), ((0.0, 0.0, 0.3), False), ((0.2, 0.0, 0.05), False), ((0.0, 0.0, -0.2), False)],
    ids=["on it", "stuck above it", "beside it", "below it"],
)
def test_a_thing_rests_where_it_is_over_another_and_no_higher_than_its_top(place, there):
    half = np.array([0.02, 0.02, 0.03])
    thing = Thing("object", "t", "t_1", np.array(place), np.array(place) - half, np.array(place) + half)
    plate = Thing("object", "plate", "plate_1", np.zeros(3), np.array([-0.1, -0.1, 0.0]), np.array([0.1, 0.1, 0.02]))
    assert rests(thing, plate) is there


@there
def test_a_second_thing_is_not_picked_up(world):
    seen = world.reset(TASK)
    refs = {element.name: element.ref for element in seen.elements}
    assert world.step(Action(verb="pick", arguments={"ref": refs["alphabet soup"]})).error is None
    again = world.step(Action(verb="pick", arguments={"ref": refs["butter"]}))
    assert again.error == 'your hand is not empty: put [1] "alphabet soup" down first'


@there
def test_the_goal_is_the_scenes_own_and_every_task_has_a_scene_and_starts():
    world = Libero()
    seen = world.reset(TASK.model_copy(update={"name": "object_task-1"}))
    ((_, thing, _),) = world.simulation.wanted
    assert thing.rpartition("_")[0].replace("_", " ") in seen.goal
    world.close()
    assert "10_env-1" not in tasks()
    assert {"object-1", "spatial-10", "goal-10", "10-10", "90-90", "object_swap-1"} <= set(tasks())


@there
def test_what_is_picked_up_is_held_and_what_is_placed_is_there(world):
    tried = played(world, TASK, carrying(world) if world.reset(TASK) else None)
    assert tried.reward == 1.0
    assert 'it holds [1] "alphabet soup"' in tried.steps[1].observation.text
