"""BabyAI: real levels, verbs that walk over what was seen and say what is in the way."""

import re

import pytest
from babyai_oracle import mission

from skillagent.envs.babyai.walker import Walker, levels
from skillagent.envs.babyai.world import BabyAI
from skillagent.errors import ConfigError, InvalidAction
from skillagent.ports import holds
from skillagent.schema import Action, Task
from skillagent.testing import check_environment, solve

REACHED = (
    "GoToRedBallGrey", "GoToObj", "GoToLocal", "GoToObjMaze", "GoTo", "GoToSeq", "PickupLoc", "PickupDist",
    "OpenDoorLoc", "PutNextLocal", "ActionObjDoor", "UnlockLocal", "UnlockPickup", "Synth", "KeyInBox",
    "BlockedUnlockPickup", "KeyCorridorS3R1",
)  # fmt: skip


def task(name, seed=0, **rest):
    return Task(env="babyai", name=name, seed=seed, **{"max_steps": 100, **rest})


@pytest.fixture
def world():
    opened = BabyAI()
    yield opened
    opened.close()


def act(world, verb, **arguments):
    return world.step(Action(verb=verb, arguments=arguments))


def kind(element):
    return element.name.split()[1]


def seen_with(world, *kinds):
    """Return what is seen in a room with a locked door and a key, once these kinds of things are in sight."""
    first = world.reset(task("UnlockLocal"))
    while not set(kinds) <= set(map(kind, first.elements)):
        first = act(world, "explore").observation
    return first


@pytest.mark.parametrize("name", ["GoToLocal", "PutNextLocal", "UnlockPickup"])
def test_a_level_keeps_the_promises_of_an_environment_and_can_be_done(name):
    opened = []

    def make():
        opened.append(BabyAI())
        return opened[-1]

    check_environment(make, task(name), lambda first: mission(opened[-1])(first))


@pytest.mark.parametrize("name", REACHED)
def test_a_mission_is_done_by_verbs_over_what_was_seen(world, name):
    assert solve(world, task(name, 1), mission(world)).reward == 1.0


def test_there_are_ninety_six_levels_and_an_unknown_one_is_named_with_those_near_it(world):
    assert len(levels()) == 96
    with pytest.raises(ConfigError, match=r"no task babyai/GoToBall; there is .*GoTo"):
        world.reset(task("GoToBall"))


def test_the_seed_draws_the_rooms_and_the_mission(world):
    first, other = world.reset(task("GoToLocal")), world.reset(task("GoToLocal", 1))
    assert first.goal.startswith("go to ")
    assert (first.goal, first.text) != (other.goal, other.text)


def test_a_thing_is_told_by_kind_name_state_and_where_it_was_from_the_start(world):
    first = seen_with(world, "door")
    door = next(one for one in first.elements if kind(one) == "door")
    assert door.states == ("locked",)
    assert f'[{door.ref}] thing "{door.name}" (locked): ' in first.text
    assert f"at the start it was {door.within}" in first.text
    assert any(door.within.startswith(where) for where in ("in front of you", "behind you", "on your"))


def test_where_it_was_from_the_start_does_not_change_when_the_agent_turns(world):
    first = world.reset(task("GoToLocal"))
    second = act(world, "turn_left").observation
    assert {one.ref: one.within for one in first.elements}.items() <= {o.ref: o.within for o in second.elements}.items()
    assert first.text != second.text


def test_only_what_was_seen_is_told(world):
    first = world.reset(task("GoToObjMaze"))
    everything = [one for one in world.simulation.env.grid.grid if one is not None and one.type != "wall"]
    assert len(first.elements) < len(everything)
    assert "Not all that can be reached was seen yet." in first.text


def test_exploring_ends_with_something_new_or_says_what_is_in_the_way(world):
    world.reset(task("UnlockLocal"))
    for _ in range(20):
        before = {one.ref for one in world.simulation.things()}
        outcome = act(world, "explore")
        if outcome.error:
            break
        if not {one.ref for one in world.simulation.things()} > before:
            assert "Not all" not in outcome.observation.text
    assert "is locked, and its key is not in your hand" in outcome.error


@pytest.mark.parametrize(
    ("verb", "arguments", "why"),
    [
        ("drop", {}, "you carry nothing"),
        ("put_next_to", {"ref": "1"}, "you carry nothing"),
        ("go_to", {"ref": "99"}, r"no thing \[99\] is in sight: \[1\] "),
        ("pick_up", {"ref": "door"}, "a door cannot be picked up"),
        ("open", {"ref": "key"}, "a key cannot be opened"),
        ("open", {"ref": "door"}, r"\[\d+\] is locked: pick up the \w+ key first"),
        ("jump", {}, "no verb 'jump'"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(world, verb, arguments, why):
    first = seen_with(world, "door", "key")
    refs = {kind(one): one.ref for one in first.elements}
    left = world.simulation.left
    error = act(world, verb, **{key: refs.get(value, value) for key, value in arguments.items()}).error
    assert re.search(why, error), error
    assert world.simulation.left == left, "nothing was done"


def test_a_key_is_carried_put_down_and_only_one_at_a_time(world):
    first = world.reset(task("PutNextLocal"))
    movable = [one for one in first.elements if kind(one) != "door"]
    seen = act(world, "pick_up", ref=movable[0].ref).observation
    assert seen.text.startswith(f"You carry the {movable[0].name}.")
    assert movable[0].ref not in {one.ref for one in seen.elements}
    assert "drop it first" in act(world, "pick_up", ref=movable[1].ref).error
    seen = act(world, "drop").observation
    assert seen.text.startswith("You carry nothing.")
    assert seen.element(movable[0].ref).name == movable[0].name


def test_a_level_ends_when_its_steps_or_the_tasks_actions_are_spent(world):
    world.reset(task("GoToObj", max_steps=2))
    act(world, "turn_left")
    ended = act(world, "turn_left")
    assert (ended.truncated, ended.terminated, ended.reward) == (True, False, 0.0)
    assert act(world, "turn_left").error == "the task is over"
    world.reset(task("GoToObj", max_steps=999))
    while not (outcome := act(world, "turn_left")).truncated:
        pass
    assert world.simulation.left == 0
    assert outcome.reward == 0.0


def test_a_level_ends_when_its_time_is_up(world):
    world.reset(task("GoToObj", timeout_s=1e-9))
    ended = act(world, "turn_left")
    assert (ended.truncated, ended.reward, ended.error) == (True, 0.0, "the task is over")


def test_a_level_may_end_on_the_way_to_a_door(world):
    first = world.reset(task("GoTo", 3))
    while any(one.states == ("closed",) for one in first.elements) is False:
        first = act(world, "explore").observation
    for left in range(8, 0, -1):
        world.reset(task("GoTo", 3))
        world.simulation.env.step_count = world.simulation.env.max_steps - left
        for _ in range(left):
            outcome = act(world, "explore")
        assert outcome.truncated


def test_the_agent_does_not_walk_through_what_stands_before_it():
    walker = Walker("GoToObj")
    try:
        walker.reset(0)
        with pytest.raises(InvalidAction, match="a wall is in the way"):
            for _ in range(10):
                walker.forward()
    finally:
        walker.close()


def another(world, name, verb, seed=0):
    """Do a verb with another thing than the level asks for; return the action and the thing's name."""
    for one in world.reset(task(name, seed)).elements:
        world.reset(task(name, seed))
        action = Action(verb=verb, arguments={"ref": one.ref})
        if kind(one) != "door" and not world.step(action).terminated:
            return action, one.name
    raise AssertionError("every thing is right")


@pytest.mark.parametrize(
    ("name", "verb", "said"), [("GoToLocal", "go_to", "go to"), ("PickupDist", "pick_up", "pick up")]
)
def test_what_was_reached_instead_can_be_set_and_babyai_checks_it_itself(world, name, verb, said):
    action, thing = another(world, name, verb)
    goal = world.reached(task(name))
    assert re.fullmatch(f"{said} (a|the) {thing}", goal)
    asked = task(name, goal=goal)
    assert world.reset(asked).goal == goal
    assert act(world, "turn_left").reward == 0.0
    world.reset(asked)
    done = world.step(action)
    assert (done.reward, done.terminated, done.observation.goal) == (1.0, True, goal)
    assert world.reached(asked) is None, "what was asked is nothing else"


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("GoToLocal", "go to the pink ball"),
        ("GoToLocal", "pick up the red ball"),
        ("PickupDist", "pick up the red door"),
        ("OpenDoorLoc", "go to the red door"),
        ("GoToLocal", "fly"),
    ],
)
def test_a_mission_that_is_not_of_the_levels_kind_or_names_nothing_there_is_not_set(world, name, goal):
    own = world.reset(task(name)).goal
    assert world.reset(task(name, goal=goal)).goal == own


def test_where_nothing_stands_ahead_or_the_level_is_of_another_kind_nothing_else_was_reached(world):
    world.reset(task("OpenDoorLoc"))
    assert world.reached(task("OpenDoorLoc")) is None
    world.reset(task("PickupDist"))
    assert world.reached(task("PickupDist")) is None


def test_what_is_said_of_the_rooms_is_looked_up_as_far_as_they_were_seen(world):
    seen = seen_with(world, "door", "key")
    key = next(one for one in seen.elements if kind(one) == "key" and one.name.split()[0] in door_of(seen).name)
    door = door_of(seen)
    said = {f"the {door.name} is locked": True, f"The {door.name} is open.": False, f"you carry the {key.name}": False}
    said |= {"you carry nothing": True, f"you are in front of the {key.name}": False, "the mission is done": None}
    said |= {
        "the plaid door is open": None,
        "you carry the key": None,
        f"the {key.name} is next to the plaid box": None,
    }
    assert {one: holds(world, one) for one in said} == said
    act(world, "go_to", ref=key.ref)
    assert holds(world, f"you are in front of the {key.name}") is True
    act(world, "pick_up", ref=key.ref)
    assert holds(world, f"the {key.name} is carried and the {door.name} is locked") is True
    act(world, "open", ref=door.ref)
    assert holds(world, f"the {door.name} is open and you carry nothing") is False
    assert holds(world, f"the {door.name} is open") is True


def door_of(seen):
    return next(one for one in seen.elements if kind(one) == "door" and "locked" in one.states)


def test_that_a_thing_is_next_to_another_is_so_once_it_was_put_there(world):
    seen = world.reset(task("PutNextLocal"))
    thing, other = re.fullmatch("put the (.+) next to the (.+)", seen.goal).groups()
    said, refs = f"the {thing} is next to the {other}", {one.name: one.ref for one in seen.elements}
    assert holds(world, said) is False
    act(world, "pick_up", ref=refs[thing])
    act(world, "put_next_to", ref=refs[other])
    assert holds(world, said) is True


def test_what_a_step_showed_is_what_minigrid_itself_says_is_in_sight(world):
    world.reset(Task(env="babyai", name="GoTo", seed=3, max_steps=50))
    walker, shown = world.simulation, set[tuple[int, int]]()

    def in_sight():
        _, visible = walker.env.gen_obs_grid()
        cells = [(x, y) for x in range(walker.env.width) for y in range(walker.env.height)]
        places = ((cell, walker.env.relative_coords(*cell)) for cell in cells)
        return {cell for cell, place in places if place is not None and visible[place]}

    for verb in ("turn_left", "turn_left", "turn_left", "explore", "turn_right", "turn_right"):
        walker._seen.clear()
        shown = in_sight()
        walker._look(walker.env.gen_obs()["image"])
        assert walker._seen == shown
        world.step(Action(verb=verb))
    assert shown
