"""The arm: real MuJoCo, primitives that look where things are, and demonstrations that hold for other places."""

import itertools
import re

import numpy as np
import pytest

from skillagent.config import draw_without_a_screen
from skillagent.envs.noted import at
from skillagent.envs.robot.phases import Recorded, recorded, told, touched, ways
from skillagent.envs.robot.primitives import EXAMPLES, PRIMITIVES, Arm, move_to, path_of, release, retrace, rows_of
from skillagent.envs.robot.simulator import STEPS, Simulator, descriptions
from skillagent.envs.robot.world import MetaWorld
from skillagent.errors import ConfigError, EnvironmentFailed, InvalidAction
from skillagent.schema import Action, Split, Task
from skillagent.testing import check_environment

draw_without_a_screen()


def task(name, seed=0, **rest):
    return Task(env="metaworld", name=name, seed=seed, **{"max_steps": 30, **rest})


@pytest.fixture(scope="module")
def world():
    opened = MetaWorld()
    yield opened
    opened.close()


def act(world, verb, **arguments):
    return world.step(Action(verb=verb, arguments=arguments))


def likeliest(name, seed):
    simulator = Simulator(name)
    try:
        demo = recorded(simulator, name, seed)
        assert demo is not None
        return next(ways(simulator, demo))
    finally:
        simulator.close()


@pytest.mark.parametrize("name", ["pick-place", "reach", "button-press-topdown"])
def test_a_task_keeps_the_promises_of_an_environment_and_can_be_done(name):
    actions = likeliest(name, 0)

    check_environment(MetaWorld, task(name), lambda first: (action for action in actions))


def test_an_episode_ends_when_its_time_is_up(world):
    world.reset(task("pick-place", timeout_s=1e-9))
    ended = act(world, "wait", seconds=0.1)
    assert (ended.truncated, ended.reward, ended.error) == (True, 0.0, "the task is over")


def test_every_task_of_the_simulator_is_told_in_three_wordings():
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    assert {f"{name}-v3" for name in descriptions()} == set(ALL_V3_ENVIRONMENTS)
    assert all(len(set(one.say)) == 3 for one in descriptions().values())
    said = [wording for one in descriptions().values() for wording in one.say]
    assert len(said) == len(set(said)), "two tasks are told alike"


def test_the_seed_draws_the_place_and_the_wording(world):
    first, other = world.reset(task("drawer-open")), world.reset(task("drawer-open", 1))
    assert (first.goal, other.goal) == ("Open the drawer.", "Pull the drawer open.")
    assert first.text != other.text
    assert '[1] object "drawer handle" at (' in first.text


def test_an_unknown_task_is_named_with_those_near_it(world):
    with pytest.raises(ConfigError, match=r"no task metaworld/open-drawer; there is .*drawer-open"):
        world.reset(task("open-drawer"))


@pytest.mark.parametrize("seed", [101, 102, Split.HOLDOUT.first_seed])
def test_one_demonstration_holds_where_things_stand_elsewhere(world, seed):
    world.reset(task("pick-place", seed))
    outcomes = [world.step(action) for action in likeliest("pick-place", 0)]
    assert outcomes[-1].reward == 1.0


def test_the_hand_goes_where_it_is_told_and_says_what_stops_it(world):
    world.reset(task("pick-place"))
    assert act(world, "move_to", ref="1", offset=[0, 0, 0.1]).error is None
    arm = Arm(world.simulation)
    assert np.linalg.norm(arm.hand - arm.place("1", [0, 0, 0.1])) < 0.006
    assert "something stopped the hand" in act(world, "push", way=[0, 0, -1], distance=0.5).error
    assert "no thing [7]: there are [1], [2]" in act(world, "move_to", ref="7").error
    assert "way: its numbers are all 0" in act(world, "push", way=[0, 0, 0], distance=0.1).error
    assert "was called wrongly" in act(world, "push", way=[0, 0, 9], distance=0.1).error


def test_what_a_primitive_did_is_told_with_what_moved_and_why_it_stopped(world):
    world.reset(task("pick-place"))
    first = act(world, "move_to", ref="1", offset=[0, 0, 0.1]).note
    assert re.fullmatch(r"\d+ steps: hand \(.*\) -> \(.*\); it stopped: reached", first)
    act(world, "move_to", ref="1", offset=[0, 0, 0.03])
    grasped = "gripper open, it touches nothing -> half closed, it holds something; it stopped: touched"
    assert grasped in act(world, "grasp").note
    puck = at(world.simulation.things[0][2])
    lifted = act(world, "push", way=[0, 0, 1], distance=0.1).note
    assert f'[1] "puck" {puck} -> {at(world.simulation.things[0][2])}; it stopped: reached' in lifted
    assert act(world, "wait", seconds=0.1).note.endswith("it stopped: time")
    assert act(world, "move_to", ref="7").note == "", "nothing was done"
    stopped = act(world, "push", way=[0, 0, -1], distance=0.5)
    assert "hand (" in stopped.note and "stopped" not in stopped.note and stopped.error


class Walled:
    """A hand in a room with a wall at x = 0.1, up to a height, and a thing behind it; what happens is counted."""

    second, gain, over, between, free = 80.0, 15.0, False, True, True

    def __init__(self, height):
        self.height, self.hand, self.steps, self.opens = height, np.zeros(3), 0, 0
        self.things = (("object", "ball", np.array([0.2, 0.0, 0.02])),)

    def step(self, motion, grip):
        self.steps += 1
        there = self.hand + 0.01 * np.clip(motion, -1, 1)
        if there[2] < self.height and (there[0] > 0.1) is not (self.hand[0] > 0.1):
            there[0] = self.hand[0]
        self.hand = there
        return True


@pytest.mark.parametrize(("height", "stops"), [(0.05, False), (0.5, True)], ids=["over it", "too high"])
def test_a_hand_that_something_stops_comes_once_more_from_above(height, stops):
    walled = Walled(height)
    if stops:
        with pytest.raises(InvalidAction, match=r"something stopped the hand 0\.\d+ m before it was there"):
            move_to(Arm(walled), "1")
    else:
        assert move_to(Arm(walled), "1") == "reached"
        assert np.linalg.norm(walled.hand - walled.things[0][2]) < 0.01


class Floored(Walled):
    """A hand over a floor at a height."""

    def step(self, motion, grip):
        self.steps += 1
        self.hand = self.hand + 0.01 * np.clip(motion, -1, 1)
        self.hand[2] = max(self.hand[2], self.height)
        return True


def test_a_hand_that_is_over_a_thing_already_does_not_come_once_more():
    over = Floored(0.05)
    with pytest.raises(InvalidAction, match=r"something stopped the hand 0\.03\d m before it was there"):
        move_to(Arm(over), "1")
    again = Floored(0.05)
    with pytest.raises(InvalidAction):
        Arm(again).go(over.things[0][2])
    assert over.steps == again.steps


def test_a_path_that_ended_elsewhere_is_an_error_at_the_very_end_alone():
    path = path_of(np.array([[0.05 * row, 0, 0, 0, 0, 0, -1.0] for row in range(1, 5)]))
    told = retrace(Arm(Walled(0.5)), "1", [0, 0, 0], path)
    assert re.fullmatch(r"touched, 0\.1\d\d m before the end of the path", told)
    assert retrace(Arm(Walled(-0.1)), "1", [0, 0, 0], path, on=0.05) == "reached"
    with pytest.raises(InvalidAction, match="something stopped the hand"):
        retrace(Arm(Walled(0.5)), "1", [0, 0, 0], path, on=0.05)


def test_a_gripper_that_does_not_open_has_not_let_go():
    stuck = Walled(0)
    stuck.free = False
    with pytest.raises(InvalidAction, match="has not let go"):
        release(Arm(stuck))
    assert stuck.steps == 2 * 25, "it is tried twice"


SAID = (
    "The gripper is half closed.",
    "The hand holds the puck",
    "the puck is held",
    "the puck is lifted",
    "the puck was lifted by at least 5 cm",
    "the gripper holds the puck and the puck is lifted",
)


def test_the_hand_goes_to_a_point_that_the_state_tells(world):
    world.reset(task("pick-place"))
    assert act(world, "move_to_point", point=[0.1, 0.6, 0.15]).error is None
    assert np.linalg.norm(world.simulation.hand - [0.1, 0.6, 0.15]) < 0.006
    assert [world.holds(f"the hand is within {far} cm of the puck") for far in (10, 90)] == [False, True]
    assert "was called wrongly" in act(world, "move_to_point", point=[0.1, 0.6]).error


def test_what_is_near_or_touched_on_one_side_is_not_held(world):
    for name, thing, touch in (
        ("pick-place", "puck", "touches nothing"),
        ("button-press-topdown", "button", "touches something"),
    ):
        world.reset(task(name))
        act(world, "move_to", ref="1", offset=[0, 0, 0.1])
        near = act(world, "move_to", ref="1", offset=[0, 0, 0.03])
        assert f"gripper open, it {touch}\n" in near.observation.text
        assert [world.holds(f"the hand holds the {thing}"), world.holds("the hand is empty")] == [False, True]


def test_a_thing_is_grasped_lifted_and_let_go_by_primitives_alone(world):
    world.reset(task("pick-place"))
    assert act(world, "grasp").error == "the gripper closed on nothing"
    assert act(world, "release").error is None
    act(world, "move_to", ref="1", offset=[0, 0, 0.1])
    act(world, "move_to", ref="1", offset=[0, 0, 0.03])
    assert act(world, "pull", way=[0, 0, 1], distance=0.1).error is None
    height = Arm(world.simulation).place("1")[2]
    assert height > 0.08
    assert "half closed" in act(world, "wait", seconds=0.2).observation.text
    assert "gripper half closed, it holds something" in act(world, "wait", seconds=0.1).observation.text
    held = dict.fromkeys(SAID, True) | {
        "the gripper is open": False,
        "the puck is at the goal": False,
        "the puck is lifted by 30 cm": False,
        "the puck is within 1 cm of the hand": False,
        "the hand is empty": False,
        "the nail is lifted": None,
        "the gripper holds the goal": None,
        "the puck is on the goal": None,
    }
    assert {one: world.holds(one) for one in held} == held
    act(world, "release")
    assert "gripper open, it touches nothing" in act(world, "wait", seconds=2).observation.text
    assert [world.holds(one) for one in SAID] == [False] * len(SAID)
    assert Arm(world.simulation).place("1")[2] < 0.05


def test_an_episode_ends_after_so_many_control_steps_and_primitives(world):
    world.reset(task("pick-place", max_steps=2))
    assert not act(world, "wait", seconds=0.1).truncated
    ended = act(world, "wait", seconds=0.1)
    assert (ended.truncated, ended.reward) == (True, 0.0)
    assert act(world, "wait").error == "the task is over"
    world.reset(task("pick-place", max_steps=99))
    outcomes = list(
        itertools.takewhile(lambda one: not one.truncated, (act(world, "wait", seconds=2) for _ in range(99)))
    )
    assert len(outcomes) == STEPS // 160


def test_a_simulation_that_diverges_is_the_worlds_fault(world, monkeypatch):
    world.reset(task("pick-place"))
    broken = (np.full(39, np.nan), 0.0, False, False, {"success": 0.0})
    monkeypatch.setattr(world.simulation._env, "step", lambda action: broken)
    with pytest.raises(EnvironmentFailed, match="diverged"):
        act(world, "wait")


def test_every_example_of_a_verb_can_be_called(world):
    assert set(EXAMPLES) <= {function.__name__ for function in PRIMITIVES}
    for verb, arguments in EXAMPLES.items():
        world.reset(task("pick-place"))
        assert "called wrongly" not in (act(world, verb, **arguments).error or "")


def test_a_path_is_written_in_millimetres_and_percent_and_read_again():
    rows = np.array([[0.001, -0.02, 0.3, 0.5, -1.0, 0.25, 1.0], [0.002, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0]])
    assert path_of(rows).splitlines() == ["1 -20 300 50 -100 25 100; 2 0 0 0 0 0 -100"]
    assert np.allclose(rows_of(path_of(rows)), rows)


@pytest.mark.parametrize("path", ["", "1 2 3", "1 2 3 4 5 6 x", "1 2 3 4 5 6 7; 1", "nan 0 0 0 0 0 0"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(InvalidAction, match="rows of seven numbers"):
        rows_of(path)


def demo(*, moves=None, closes=None, length=40):
    """Return a demonstration in which the hand goes forward by a centimetre a step, just above a thing."""
    hand = np.array([[0.0, 0.01 * step, 0.05] for step in range(length)])
    thing = np.array(
        [[0.0, 0.2, 0.0] if moves is None or step < moves else [0.0, 0.01 * step, 0.0] for step in range(length)]
    )
    grip = np.array([[0.0, 1.0, 0.0, 1.0 if closes is not None and step >= closes else -1.0] for step in range(length)])
    return Recorded(hand, thing, thing, np.full((length, 3), 0.5), grip)


@pytest.mark.parametrize(
    ("moves", "closes", "rows"), [(None, None, (0, 0)), (20, None, (21, 21)), (20, 15, (15, 21)), (None, 15, (15, 15))]
)
def test_where_something_is_touched_is_read_off_the_demonstration(moves, closes, rows):
    assert touched(demo(moves=moves, closes=closes), 0.1) == rows


def test_a_thing_that_comes_to_rest_far_from_the_hand_is_not_touched():
    shown = demo()
    shown.thing[:10, 2] = np.linspace(0.1, 0.0, 10)
    assert touched(shown, 0.1) == (0, 0)


def test_a_demonstration_is_said_relative_to_the_object_then_to_the_goal():
    align, follow, carry = next(told(demo(moves=20, closes=15), "1", [("2", np.array([0.0, 0.4, 0.0]))]))
    assert (align.verb, align.arguments) == ("move_to", {"ref": "1", "offset": [0.0, -0.17, 0.05]})
    assert (follow.verb, follow.arguments["ref"], follow.arguments["offset"]) == ("retrace", "1", [0.0, 0.01, 0.05])
    assert (carry.arguments["ref"], carry.arguments["offset"]) == ("2", [0.0, -0.01, 0.05])
    assert len(rows_of(follow.arguments["path"])) + len(rows_of(carry.arguments["path"])) == 39 - 3
    (reach,) = next(told(demo(), "1", [("2", np.array([0.0, 0.4, 0.0]))]))
    assert reach.arguments["ref"] == "2"


def test_ways_to_say_it_differ_in_what_the_end_is_relative_to_and_where_the_path_begins():
    said = list(told(demo(moves=20), "1", [("2", np.zeros(3))]))
    assert len(said) == len({str(one) for one in said})
    assert {one[-1].arguments["ref"] for one in said} == {"1", "2"}
    assert len({one[0].arguments["offset"][1] for one in said}) == 2
