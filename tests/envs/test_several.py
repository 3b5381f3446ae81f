"""Several demonstrations of an arm: compared, refused in words, and made into one; and the words of a correction."""

import numpy as np
import pytest

from skillagent.config import draw_without_a_screen
from skillagent.envs.robot.phases import means, recorded, unfit
from skillagent.envs.robot.primitives import path_of, rows_of
from skillagent.envs.robot.several import Said, clash, idle, mean, places, refused, telling
from skillagent.envs.robot.simulator import Simulator
from skillagent.envs.robot.world import MetaWorld
from skillagent.schema import Action, Observation, Step, Task, Trajectory
from skillagent.testing import solve

draw_without_a_screen()


def demo(*, side=0.0, length=20, goal=(0.0, 0.3, 0.0), end=(0.0, 0.0, 0.1), closes=0, start=(0.0, -0.1, 0.05)):
    """Return a demonstration: to a thing, then to the goal in an arc to one side, as long as a sine's half."""
    things = {"1": np.array([0.0, 0.0, 0.02]), "2": np.array(goal)}
    share = np.arange(1, length + 1) / length
    way = np.array(goal) + np.array(end) - things["1"]
    rows = np.zeros((length, 7))
    rows[:, :3] = share[:, None] * way + np.array([side, 0, 0]) * np.sin(np.pi * share)[:, None]
    rows[:, 6] = np.where(np.arange(length) >= closes, 1, -1)
    align = Action(verb="move_to", arguments={"ref": "1", "offset": list(start)})
    carry = Action(verb="retrace", arguments={"ref": "2", "offset": list(end), "path": path_of(rows)})
    return [Said(align, things), Said(carry, things)]


def test_the_mean_of_paths_passes_between_them_and_tells_how_far_they_vary():
    both = mean([demo(side=0.02), demo(side=0.04)])
    path = rows_of(both.actions[1].arguments["path"])
    assert path[9, 0] == pytest.approx(0.03, abs=0.001)  # half way
    assert both.paths[1][9] == pytest.approx(0.01, abs=0.001)
    assert both.paths[1][-1] == pytest.approx(0.0, abs=0.001)
    assert "step 2 leads varies by 0.000 m, its path varies most, by 0.010 m, at point 9" in both.note


def test_paths_of_unlike_lengths_are_matched_where_the_gripper_changes():
    both = mean([demo(length=20, closes=5), demo(length=30, closes=9), demo(length=40, closes=7)])
    grips = rows_of(both.actions[1].arguments["path"])[:, 6]
    assert list(np.flatnonzero(grips > 0)) == list(range(7, 7 + 21))


def test_one_demonstration_is_its_own_mean():
    (align, carry), shown = mean([demo(side=0.03)]).actions, demo(side=0.03)
    assert [align, carry] == [step.action for step in shown]


@pytest.mark.parametrize(
    ("goals", "ends", "ref"),
    [
        pytest.param([(0, 0.3, 0), (0.1, 0.4, 0)], [(0, 0, 0.1), (0, 0, 0.1)], "2", id="relative to the goal"),
        pytest.param([(0, 0.3, 0), (0.1, 0.4, 0)], [(0.1, 0.1, 0.1), (0, 0, 0.1)], "1", id="as far from the object"),
        pytest.param([(0, 0.3, 0), (0.1, 0.4, 0)], [(0.008, 0, 0.1), (0, 0, 0.1)], "2", id="hardly varies: as it was"),
    ],
)
def test_an_end_is_told_relative_to_the_thing_to_which_it_varies_least(goals, ends, ref):
    both = mean([demo(goal=goal, end=end) for goal, end in zip(goals, ends, strict=True)])
    assert both.actions[1].arguments["ref"] == ref


def test_demonstrations_that_see_no_thing_in_common_have_no_mean():
    other = [
        Said(step.action.model_copy(update={"arguments": {**step.action.arguments, "ref": "7"}}), {"7": np.zeros(3)})
        for step in demo()
    ]
    assert mean([demo(), other]) is None


def test_before_the_touch_paths_are_matched_backwards_and_cut_to_the_shortest():
    def coming(length):
        shown, rows = demo(start=(0.0, -0.01 * length, 0.05)), np.zeros((length, 7))
        rows[:, 1] = 0.01 * np.arange(1, length + 1)
        rows[:, 6] = -1
        touch = {"ref": "1", "offset": [0.0, 0.0, 0.05], "path": path_of(rows)}
        return [shown[0], Said(Action(verb="retrace", arguments=touch), shown[0].places), shown[1]]

    align, follow, _ = mean([coming(10), coming(16)]).actions
    assert align.arguments["offset"] == [0.0, -0.1, 0.05]
    assert len(rows_of(follow.arguments["path"])) == 10


@pytest.mark.parametrize(
    ("others", "why"),
    [
        pytest.param(demo(side=0.03), None, id="a little to the side"),
        pytest.param(demo(side=0.02, length=33), None, id="slower"),
        pytest.param(
            demo(side=-0.09),
            "departs from the others at point 10 of 20 of step 2: 0.090 m to the left of where they pass",
            id="round the other side",
        ),
        pytest.param(
            demo(closes=5),
            "has the gripper closed in step 2, the others kept closed",
            id="closes the gripper elsewhere",
        ),
        pytest.param(demo()[1:], "did retrace where the others did move_to, retrace", id="another order"),
    ],
)
def test_a_demonstration_that_departs_is_told_from_one_that_fits(others, why):
    assert clash(demo(), others) == why


def test_of_several_those_that_do_not_fit_the_most_are_refused():
    found = refused([demo(side=0.1), demo(), demo(side=0.01), demo(side=-0.02)])
    assert list(found) == [0]
    assert found[0].startswith("demonstration 1 departs from the others at point 10 of 20 of step 2: 0.1")
    assert found[0].endswith(" m to the right of where they pass")
    assert refused([demo(), demo(side=0.1)]).keys() == {1}, "of two the first is kept"
    assert refused([demo()]) == refused([]) == {}


def test_a_demonstration_that_adds_nothing_is_noted_one_from_other_places_is_not():
    found = idle([demo(), demo(side=0.004), demo(goal=(0.1, 0.3, 0.0))])
    assert found == {1: "demonstration 2 adds nothing to demonstration 1: the same places, the same way"}


def test_places_are_read_off_what_the_arm_sees():
    world = MetaWorld()
    try:
        seen = world.reset(Task(env="metaworld", name="pick-place", seed=3))
        found = places(seen.text)
        for number, (_, _, place) in enumerate(world.simulation.things, start=1):
            assert found[str(number)] == pytest.approx(place, abs=0.0006)
    finally:
        world.close()


def test_an_episode_without_a_path_cannot_be_compared():
    seen = Observation(goal="Press.", text='[1] button "white"')
    steps = (Step(observation=seen, action=Action(verb="click", arguments={"ref": "1"})),)
    shown = Trajectory(task=Task(env="corridor", name="press"), goal="Press.", steps=steps, final=seen)
    assert telling(shown) is None
    broken = Action(verb="retrace", arguments={"ref": "1", "offset": [0, 0, 0], "path": "no path"})
    assert telling(shown.model_copy(update={"steps": (Step(observation=seen, action=broken),)})) is None


def test_the_mean_of_three_demonstrations_does_the_task_elsewhere():
    simulator, world = Simulator("lever-pull"), MetaWorld()
    try:
        shown = [recorded(simulator, "lever-pull", seed) for seed in range(4)]
        odd = unfit(simulator, shown)
        assert list(odd) == [0]
        assert "did retrace where the others did move_to, retrace, retrace" in odd[0]
        solved = []
        for one in means(simulator, shown[1:]):
            instances = [Task(env="metaworld", name="lever-pull", seed=seed, max_steps=30) for seed in (200, 201, 202)]
            solved.append(
                sum(
                    solve(world, each, lambda _, one=one: (action for action in one.actions)).reward == 1.0
                    for each in instances
                )
            )
        assert max(solved) == 3
    finally:
        simulator.close()
        world.close()
