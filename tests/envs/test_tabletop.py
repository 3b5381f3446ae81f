"""The table: real MuJoCo, grasping by friction, verbs that look whether they did it, predicates over places."""

import json
import math
import re
from functools import partial

import numpy as np
import pytest
from tabletop_oracle import oracle

from skillagent.acting.act import act as run
from skillagent.acting.play import played
from skillagent.acting.replan import replan
from skillagent.config import draw_without_a_screen
from skillagent.envs.tabletop.actions import ACTIONS, EXAMPLES, Gripper, open_to, pick, place_on, release, rotate
from skillagent.envs.tabletop.predicates import Beside, Counted, On, Opened, Rests, where
from skillagent.envs.tabletop.scene import BOWL, PLATE, TRAVEL, WIDTHS, Thing, drawer
from skillagent.envs.tabletop.table import STEPS, Table
from skillagent.envs.tabletop.tasks import draw, wordings
from skillagent.envs.tabletop.world import Tabletop
from skillagent.errors import ConfigError, EnvironmentFailed, InvalidAction
from skillagent.library import Library
from skillagent.ports import holds
from skillagent.practice.vet import doubts, faults, proposed
from skillagent.programs.text import FILE
from skillagent.replies import as_reply
from skillagent.schema import Action, Plan, Ranked, Route, Skill, Subgoal, Task, Variation
from skillagent.testing import ScriptedLLM, check_environment, solve

draw_without_a_screen()

BOWL_AT, PLATE_AT, ZONE_AT = (0.2, 0.0, 0.0), (-0.2, 0.0, 0.0), (0.0, 0.28, 0.0)


def task(name, seed=0, **rest):
    return Task(env="tabletop", name=name, seed=seed, **{"max_steps": 30, **rest})


@pytest.fixture
def world():
    opened = Tabletop()
    yield opened
    opened.close()


def act(world, verb, **arguments):
    return world.step(Action(verb=verb, arguments=arguments))


def ref(world, role):
    return next(one.ref for one in world.step(Action(verb="?")).observation.elements if one.role == role)


def cube(name, x, y, z=None, word="medium"):
    half = WIDTHS[word] / 2
    return Thing("cube", name, (x, y, half if z is None else z), (half, half, half), "red", word)


def scene(*cubes):
    """Return cubes by name with a bowl on the right, a plate on the left, a drawer and a person's side behind."""
    things = (
        *cubes,
        Thing("bowl", "bowl", BOWL_AT, BOWL, "red"),
        Thing("plate", "plate", PLATE_AT, PLATE, "white"),
        Thing("zone", "side", ZONE_AT, (0.14, 0.06, 0.0)),
        drawer(0.0, 0.5),
    )
    return {one.name: one for one in things}


@pytest.mark.parametrize("name", ["stack", "sort-by-colour", "number-on-plate", "tidy-away"])
def test_a_task_keeps_the_promises_of_an_environment_and_can_be_done(name):
    opened = []

    def make():
        opened.append(Tabletop())
        return opened[-1]

    check_environment(make, task(name, 2), lambda first: oracle(opened[-1])(first))


@pytest.mark.parametrize("name", wordings())
def test_every_task_is_done_by_verbs_alone(world, name):
    assert solve(world, task(name, 1), oracle(world)).reward == 1.0


def test_an_episode_ends_when_its_time_is_up(world):
    world.reset(task("stack", timeout_s=1e-9))
    ended = act(world, "wait", seconds=0.1)
    assert (ended.truncated, ended.reward, ended.error) == (True, 0.0, "the task is over")


def test_every_task_is_told_in_three_wordings_with_everything_filled_in():
    goals = {name: {draw(name, seed).goal for seed in range(3)} for name in wordings()}
    assert all(len(goals[name]) == 3 for name in wordings())
    assert not any("{" in goal for said in goals.values() for goal in said)
    assert len(set.union(*goals.values())) == 3 * len(wordings()), "two tasks are told alike"


@pytest.mark.parametrize("name", wordings())
def test_what_is_wanted_does_not_hold_at_the_start_and_no_two_things_have_one_name(name):
    for seed in range(30):
        asked = draw(name, seed)
        now = {one.name: one for one in asked.things}
        assert len(now) == len(asked.things)
        assert not any(one.holds(now) for one in asked.wanted)


def test_the_cube_that_is_named_has_any_number():
    drawn = [draw("hand-over", seed) for seed in range(40)]
    assert {one.things.index(next(t for t in one.things if t.name == one.wanted[0].thing)) for one in drawn} == {
        0,
        1,
        2,
        3,
    }


def test_the_seed_draws_places_and_wording(world):
    first, other = world.reset(task("hand-over")), world.reset(task("hand-over", 1))
    assert first.goal.startswith("Give me the ")
    assert other.goal.startswith("Hand over the ")
    assert first.text != other.text


def test_an_unknown_task_is_named_with_those_near_it(world):
    with pytest.raises(ConfigError, match=r"no task tabletop/stack-cubes; there is .*stack"):
        world.reset(task("stack-cubes"))


def test_an_observation_says_where_things_are_what_they_are_on_and_what_is_held(world):
    first = world.reset(task("stack"))
    upper, lower = (world.simulation.now[name] for name in (world.asked.wanted[0].thing, world.asked.wanted[0].below))
    at = {one.name: one.ref for one in first.elements}
    assert "it holds nothing" in first.text
    assert f'[{at[upper.name]}] cube "{upper.name}" ({upper.word}, ' in first.text
    assert f"wide, turned by {round(upper.yaw)} degrees) at (" in first.text
    held = act(world, "pick", ref=at[upper.name]).observation
    assert f'it holds [{at[upper.name]}] "{upper.name}"' in held.text
    assert ", in the hand" in held.text
    act(world, "place_at", ref=at[lower.name], offset=[0.1, -0.1, 0])
    act(world, "pick", ref=at[upper.name])
    done = act(world, "place_on", ref=at[lower.name])
    assert (done.reward, done.terminated) == (1.0, True)
    assert f', on [{at[lower.name]}] "{lower.name}"' in done.observation.text
    assert done.observation.element(at[upper.name]).within == lower.name


@pytest.mark.parametrize(
    ("wanted", "cubes", "holds"),
    [
        pytest.param(On("a", "b"), (cube("a", 0, 0, 0.06), cube("b", 0.01, 0)), True, id="on"),
        pytest.param(On("a", "b"), (cube("a", 0.03, 0, 0.06), cube("b", 0, 0)), False, id="beside the edge"),
        pytest.param(On("a", "b"), (cube("a", 0, 0, 0.09), cube("b", 0, 0)), False, id="above"),
        pytest.param(On("b", "a"), (cube("a", 0, 0, 0.06), cube("b", 0, 0)), False, id="under"),
        pytest.param(On("a", "b"), (cube("a", 0.04, 0), cube("b", 0, 0)), False, id="next to"),
        pytest.param(Rests("a", "plate"), (cube("a", -0.15, 0, 0.028),), True, id="on the plate"),
        pytest.param(Rests("a", "plate"), (cube("a", -0.05, 0),), False, id="next to the plate"),
        pytest.param(Rests("a", "plate"), (cube("a", -0.2, 0, 0.06),), False, id="held over the plate"),
        pytest.param(
            Rests("a", "plate"), (cube("a", -0.2, 0, 0.068), cube("b", -0.2, 0, 0.028)), True, id="on one on the plate"
        ),
        pytest.param(Rests("a", "bowl"), (cube("a", 0.17, 0.02),), True, id="in the bowl"),
        pytest.param(Rests("a", "bowl"), (cube("a", 0.17, 0.02, 0.056),), False, id="on its rim"),
        pytest.param(Rests("a", "side"), (cube("a", 0.1, 0.25),), True, id="on the person's side"),
        pytest.param(Rests("a", "side"), (cube("a", 0.0, 0.2),), False, id="not quite there"),
        pytest.param(Rests("a", "drawer"), (cube("a", 0.0, 0.2, 0.028),), True, id="in the drawer"),
        pytest.param(Rests("a", "drawer"), (cube("a", 0.0, 0.27, 0.09),), False, id="on top of the drawer"),
        pytest.param(Counted("plate", (2, 4)), (cube("a", -0.24, 0, 0.028),), False, id="one is not even"),
        pytest.param(
            Counted("plate", (2, 4)), (cube("a", -0.24, 0, 0.028), cube("b", -0.16, 0, 0.028)), True, id="two are"
        ),
        pytest.param(
            Beside("a", "to the left of", "b", 0.1), (cube("a", -0.08, 0.03), cube("b", 0, 0)), True, id="left"
        ),
        pytest.param(Beside("a", "to the left of", "b", 0.1), (cube("a", 0.08, 0), cube("b", 0, 0)), False, id="right"),
        pytest.param(Beside("a", "to the left of", "b", 0.1), (cube("a", -0.12, 0), cube("b", 0, 0)), False, id="far"),
        pytest.param(
            Beside("a", "to the left of", "b", 0.1),
            (cube("a", -0.04, 0.06), cube("b", 0, 0)),
            False,
            id="rather behind",
        ),
        pytest.param(Beside("a", "behind", "b", 0.1), (cube("a", 0.01, 0.06), cube("b", 0, 0)), True, id="behind"),
        pytest.param(
            Beside("a", "in front of", "b", 0.1), (cube("a", 0.0, -0.06), cube("b", 0, 0)), True, id="in front"
        ),
        pytest.param(Opened("drawer", 45, 10), (), True, id="open enough"),
        pytest.param(Opened("drawer", 75, 10), (), False, id="not open enough"),
    ],
)
def test_a_predicate_looks_at_places(wanted, cubes, holds):
    assert wanted.holds(scene(*cubes)) is holds


def test_a_cube_in_the_air_falls_and_one_on_nothing_is_said_to_be():
    table = Table([cube("a", 0.0, 0.1)])
    table.data.qpos[table._places["a"] + 2] = 0.3
    table.step(np.zeros(3), -1.0)
    assert where(table.now, table.now["a"]) == "on nothing"
    for _ in range(25):
        table.step(np.zeros(3), -1.0)
    assert where(table.now, table.now["a"]) == "on the table"
    assert table.still


def test_a_task_is_not_done_while_something_still_moves():
    table = Table([cube("a", 0.0, 0.1), drawer(0.2)], [Opened("drawer", 0, 5)])
    table.data.qpos[table._places["a"] + 2] = 0.4
    falling = [table.step(np.zeros(3), -1.0) for _ in range(6)]
    assert (all(falling), table.success) == (True, False)
    while table.step(np.zeros(3), -1.0):
        pass
    assert table.success
    assert table.steps < 25


def test_a_tower_stays_and_one_that_overhangs_falls():
    upright = [cube(name, 0.2, 0.1, 0.02 + 0.04 * n) for n, name in enumerate("abcd")]
    leaning = [cube(name, -0.2 + 0.012 * n, 0.1, 0.02 + 0.04 * n) for n, name in enumerate("efghi")]
    table = Table([*upright, *leaning])
    for _ in range(50):
        table.step(np.zeros(3), -1.0)
    assert [where(table.now, table.now[name]) for name in "abcd"] == ["on the table", "on a", "on b", "on c"]
    assert where(table.now, table.now["i"]) != "on h"


def test_what_is_held_is_held_by_friction_and_falls_when_the_fingers_open():
    table = Table([cube("a", 0.1, 0.0), cube("b", -0.1, 0.0, word="big")])
    arm = Gripper(table)
    pick(arm, "1")
    assert table.held == "a"
    assert table.now["a"].bottom > 0.1
    assert abs(table.gap - WIDTHS["medium"]) < 0.002, "the fingers are as far apart as the cube is wide"
    arm.turn(90)
    assert table.held == "a"
    arm.open()
    assert table.held is None
    arm.hold(20)
    assert where(table.now, table.now["a"]) == "on the table"


def test_what_a_verb_did_is_told_by_what_is_held_and_how_far_a_drawer_is_open(world):
    world.reset(task("open-and-put"))
    place = ref(world, "drawer")
    opened = act(world, "open_to", ref=place, percent=50).note
    assert re.search(rf'\[{place}\] "drawer" 0 % open -> (49|50|51) % open; it stopped: reached$', opened)
    name = world.asked.wanted[-1].thing
    number = list(world.simulation.now).index(name) + 1
    assert f'holding nothing -> [{number}] "{name}"' in act(world, "pick", ref=str(number)).note


def test_a_cube_is_lifted_and_let_go_by_the_primitives_of_any_arm(world):
    world.reset(task("left-of"))
    name = next(iter(world.simulation.now))
    act(world, "rotate", degrees=round(world.simulation.now[name].yaw))
    act(world, "move_to", ref="1", offset=[0, 0, 0.1])
    act(world, "move_to", ref="1")
    assert act(world, "pull", way=[0, 0, 1], distance=0.1).error is None
    assert world.simulation.held == name
    act(world, "release")
    act(world, "wait", seconds=1)
    assert where(world.simulation.now, world.simulation.now[name]) == "on the table"


def test_the_hand_turns_along_the_faces_of_a_cube():
    turned = cube("a", 0.1, 0.0, word="big")
    table = Table([Thing("cube", "a", turned.place, turned.size, "red", "big", yaw=40.0), cube("b", -0.1, 0.0)])
    arm = Gripper(table)
    pick(arm, "1")
    assert min(abs(table.yaw - degrees) for degrees in (40, -50)) < 3
    place_on(arm, "2")
    assert On("a", "b").holds(table.now)
    assert abs(table.now["a"].yaw) < 3


@pytest.mark.parametrize("percent", [30, 65, 100])
def test_a_drawer_is_opened_to_any_share_by_its_handle_and_shut_again(percent):
    table = Table([drawer(0.1)])
    arm, shut = Gripper(table), table.now["drawer"].place[1]
    open_to(arm, "1", percent)
    assert abs(table.now["drawer"].percent - percent) <= 2
    assert math.isclose(shut - table.now["drawer"].place[1], percent / 100 * TRAVEL, abs_tol=0.004)
    open_to(arm, "1", 0)
    assert table.now["drawer"].percent <= 2


def test_a_drawer_that_something_holds_is_said_to_be_stopped():
    table = Table([drawer(0.1)])
    table.model.jnt_range[table.model.joint("opening").id] = (0, TRAVEL / 2)
    with pytest.raises(InvalidAction, match=r"the drawer is 5\d % open: something stopped it"):
        open_to(Gripper(table), "1", 90)


def test_a_hand_that_does_not_turn_is_said_to_be_stopped_and_strives_no_more():
    table = Table([cube("a", 0.1, 0.0)])
    table.model.actuator_forcerange[3] = (0, 0)
    with pytest.raises(InvalidAction, match="something stopped the hand: it is turned by 0 degrees, not 45"):
        rotate(Gripper(table), 45)
    assert abs(table.turned) < 1


def test_open_fingers_that_touch_the_table_hold_nothing():
    table = Table([cube("a", 0.2, 0.1)])
    arm = Gripper(table)
    arm.go(np.array([0.0, -0.05, 0.0]))
    arm.close()
    assert table.between, "both fingers touch the table"
    release(arm)
    assert table.free and table.gap > 0.07


def test_fingers_that_do_not_open_have_not_let_go():
    table = Table([cube("a", 0.1, 0.0)])
    arm = Gripper(table)
    pick(arm, "1")
    table.model.jnt_range[[table.model.joint(finger).id for finger in ("left", "right")]] = (0, 0.015)
    before = table.steps
    with pytest.raises(InvalidAction, match="the gripper did not open"):
        release(arm)
    assert table.steps - before == 2 * 8, "it is tried twice"


class Slippery(Table):
    """What is put down slides away once."""

    slid = False

    def step(self, motion, grip):
        going = super().step(motion, grip)
        name = self.held
        if self.was is not None and name is None and not self.slid:
            at = self._places[self.was]
            self.data.qpos[at : at + 2] += self.by
            self.slid, self._seen = True, None
        self.was = name
        return going


@pytest.mark.parametrize(("by", "again"), [((0.0, -0.12), True), ((0.9, 0.0), False)], ids=["beside", "off the table"])
def test_what_slid_away_is_picked_up_and_placed_once_more_where_it_can_be(by, again):
    table = Slippery([cube("a", 0.1, 0.0), cube("b", -0.1, 0.0, word="big")])
    table.by, table.was = by, None
    arm = Gripper(table)
    pick(arm, "1")
    if again:
        place_on(arm, "2")
    else:
        with pytest.raises(InvalidAction, match=r'\[1\] "a" is not on \[2\] "b": it is on'):
            place_on(arm, "2")
    assert table.slid
    assert On("a", "b").holds(table.now) is again


def test_what_cannot_be_done_is_said_in_words(world):
    world.reset(task("open-and-put"))
    drawer_ref = ref(world, "drawer")
    assert act(world, "place_on", ref="1").error == "you hold nothing: pick something up first"
    assert act(world, "pick", ref=drawer_ref).error == "a drawer cannot be picked up"
    assert act(world, "open_to", ref="1", percent=50).error == "a cube cannot be opened"
    assert act(world, "grasp").error == "the gripper closed on nothing"
    assert "no thing [9]: there are [1], [2]" in act(world, "pick", ref="9").error
    assert "was called wrongly" in act(world, "open_to", ref=drawer_ref, percent=120).error
    assert act(world, "pick", ref="1").error is None
    assert act(world, "pick", ref="2").error.startswith("your hand is not empty: put [1] ")
    assert act(world, "place_on", ref="1").error == "a thing cannot be put on itself"
    assert act(world, "place_in", ref="2").error == "nothing can be put in a cube: place_on"
    assert act(world, "place_on", ref=drawer_ref).error == "things are put in a drawer, not on it: place_in"
    assert act(world, "place_in", ref=drawer_ref).error.startswith("the drawer is only 0 % open")
    assert act(world, "place_at", ref="2", offset=[1, 0, 0]).error.startswith("that is not on the table")
    assert act(world, "place_at", ref="2", offset=[0.01, 0, 0]).error.startswith("there is no room: [2] ")
    assert act(world, "place_on", ref="2").error is None
    assert act(world, "pick", ref="2").error.endswith("pick that up first")
    assert act(world, "rotate", degrees=180).error is None
    assert act(world, "rotate", degrees=90).error.endswith("by 180 at most")


def test_a_cube_that_is_out_of_reach_is_missed_and_that_is_said():
    table = Table([cube("a", 0.6, 0.0)])
    for _ in range(25):
        table.step(np.zeros(3), -1.0)
    with pytest.raises(InvalidAction, match=r'\[1\] "a" is on the floor, out of reach'):
        pick(Gripper(table), "1")


def test_an_episode_ends_after_so_many_verbs_and_nothing_done_is_worth_nothing(world):
    world.reset(task("arrange", max_steps=2))
    assert act(world, "wait").reward == 0.0
    ended = act(world, "wait")
    assert (ended.reward, ended.truncated, ended.terminated) == (0.0, True, False)
    assert act(world, "wait").error == "the task is over"


def test_half_of_what_is_wanted_is_half_the_reward(world):
    seen = world.reset(task("smaller-on-bigger", max_steps=2))
    first, at = world.asked.wanted[0], {one.name: one.ref for one in seen.elements}
    act(world, "pick", ref=at[first.thing])
    ended = act(world, "place_on", ref=at[first.below])
    assert (ended.reward, ended.truncated, ended.terminated) == (0.5, True, False)


def test_what_is_still_in_the_hand_is_not_done(world):
    seen = world.reset(task("hand-over", max_steps=3))
    at = {one.name: one.ref for one in seen.elements}
    wanted = world.asked.wanted[0]
    act(world, "pick", ref=at[wanted.thing])
    half = world.simulation.now[wanted.thing].size[2]
    act(world, "move_to", ref=at[wanted.below], offset=[0, 0, half + 0.001])
    ended = act(world, "wait")
    assert wanted.holds(world.simulation.now)
    assert (ended.reward, ended.terminated) == (0.0, False)


def test_control_steps_are_counted_whatever_verbs_they_make_up(world):
    world.reset(task("stack", max_steps=99))
    outcomes = [act(world, "wait", seconds=2) for _ in range(STEPS // 50)]
    assert [one.truncated for one in outcomes[-2:]] == [False, True]
    assert world.simulation.steps == STEPS


def test_a_simulation_that_diverges_is_the_worlds_fault(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it runs
    world.reset(task("stack"))
    world.simulation.data.qvel[:] = np.nan
    with pytest.raises(EnvironmentFailed, match="diverged"):
        act(world, "wait")


def test_every_example_of_a_verb_can_be_called(world):
    assert set(EXAMPLES) <= {function.__name__ for function in ACTIONS}
    for verb, arguments in EXAMPLES.items():
        world.reset(task("stack"))
        assert "called wrongly" not in (act(world, verb, **arguments).error or "")


def test_what_is_said_of_the_table_is_looked_up_while_the_hand_acts(world):
    at = {one.name: one.ref for one in world.reset(task("stack")).elements}
    wanted = world.asked.wanted[0]
    said, held = f"The {wanted.thing} is on the {wanted.below}.", f"the hand holds the {wanted.thing}"
    assert [holds(world, said), holds(world, held)] == [False, False]
    act(world, "pick", ref=at[wanted.thing])
    assert [holds(world, said), holds(world, held)] == [False, True]
    act(world, "place_on", ref=at[wanted.below])
    assert [holds(world, said), holds(world, held)] == [True, False]
    assert holds(world, "well done") is None


CLUMSY = "goals: ['lift the {thing}']\nsteps:\n- pick: {role: cube, name: '{thing}'}\n- release: {}"
STACK = """goals: ['stack the {thing} on the {below}']
steps:
- pick: {role: cube, name: '{thing}'}
- place_on: {role: cube, name: '{below}'}"""


def test_a_part_that_came_to_nothing_at_the_table_is_planned_again_and_done_without_the_model(world):
    stack = task("stack")
    first = world.reset(stack)
    thing, below = world.asked.wanted[0].thing, world.asked.wanted[0].below
    skills = {key: Skill(name=key, description="d", body="b", files={FILE: text})
              for key, text in (("clumsy", CLUMSY), ("stack", STACK))}  # fmt: skip

    def routed(name):
        return Route(skills=((Ranked(id=name, score=1),),), insights=((),), demonstrations=((),))

    left = {"text": f"stack the {thing} on the {below}", "done_when": f"the {thing} is on the {below}"}
    llm = ScriptedLLM([{"subgoals": [left]}])
    again = partial(replan, llm=llm, near=lambda *_: list(skills.values()), route=lambda *_: routed("stack"))
    plan = Plan(goal=first.goal, subgoals=(Subgoal(text=f"lift the {thing}", done_when=f"the hand holds the {thing}"),))
    trajectory = run(
        world,
        stack,
        first,
        plan,
        routed("clumsy"),
        Library(skills=skills),
        llm=llm,
        variation=Variation(),
        replan=again,
    )
    assert (trajectory.reward, trajectory.programs) == (1.0, ("clumsy", "stack"))
    assert trajectory.replanned[0].why == f"its steps are done, but it is not so that the hand holds the {thing}"
    assert {step.by for step in trajectory.steps} == {"program"}


@pytest.mark.parametrize("name", ["number-on-plate", "open-and-put"])
def test_what_solves_a_task_is_found_to_be_right_before_it_is_done(world, name):
    done = played(world, task(name, 1), oracle(world))
    told = [json.loads(as_reply(step.action, step.observation)) for step in done.steps]
    right = proposed({"plan": [{"does": done.goal, "actions": told}]})
    first = done.steps[0].observation
    assert (faults(right, world.verbs, first, most=40), doubts(right, world.verbs, [first])) == ([], [])
    thing = next(one for one in first.elements if one.role != "cube")
    wrong = proposed({"plan": [{"does": "take", "actions": [{"verb": "pick", "ref": thing.name}]}]})
    assert doubts(wrong, world.verbs, [first]) == ["Action 1: pick(ref) works on cube alone."]
