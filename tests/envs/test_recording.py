"""Raw recordings of an arm: what is read off their lines, and what is wrong in one that cannot be read."""

import json
from dataclasses import replace

import numpy as np
import pytest

from skillagent.config import draw_without_a_screen
from skillagent.envs.robot.phases import recorded
from skillagent.envs.robot.recording import read_recording, written
from skillagent.envs.robot.world import MetaWorld
from skillagent.errors import ConfigError
from skillagent.schema import Split, Task

draw_without_a_screen()

HEAD = {"task": "metaworld/pick-place", "seed": 3, "things": {"goal": [0.1, 0.8, 0.2]}}


def row(n, **changed):
    made = {"hand": [0.001 * n, 0.6, 0.2], "gripper": 1.0, **changed}
    return made if n else {"things": {"puck": [0.0, 0.6, 0.02]}, **made}


def text(*changed, head=None, n=8):
    """Return a recording in which the hand goes a millimetre to the right a step, with some lines otherwise."""
    lines = [{**HEAD, **(head or {})}, *(row(k) for k in range(n))]
    for number, line in changed:
        lines[number - 1] = line
    return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"


def test_what_a_line_leaves_out_is_where_it_was():
    found = read_recording(text((6, row(4, things={"puck": [0.0, 0.6, 0.1]}))), "x")
    assert found.things["puck"][:, 2].tolist() == [0.02] * 4 + [0.1] * 4
    assert found.things["goal"].tolist() == [[0.1, 0.8, 0.2]] * 8
    assert (found.task.id, found.task.seed) == ("metaworld/pick-place", 3)


def test_how_the_hand_was_driven_is_read_off_where_it_went():
    far = [(9, row(7, hand=[0.006, 0.65, 0.2], gripper=0.2))]
    demo = read_recording(text(*far), "x").demo
    assert demo.driven[0] == pytest.approx([0.1, 0, 0, -1]), "a millimetre is a tenth of full speed; the gripper opens"
    assert demo.driven[6] == pytest.approx([0, 1, 0, -1]), "five centimetres at once: full speed, and no more"
    assert demo.driven[7] == pytest.approx([0, 0, 0, 0.6])


def test_a_slower_recorder_is_told_at_the_rate_of_the_simulator():
    shut = [(k + 2, row(k, gripper=0.0)) for k in range(4, 8)]
    demo = read_recording(text(*shut, head={"hz": 20}), "x").demo
    assert len(demo.hand) == 29
    assert demo.hand[:, 0] == pytest.approx(0.00025 * np.arange(29))
    assert np.flatnonzero(demo.driven[:, 3] > 0)[0] == 16, "a command holds until the next one is given"


def without(name, line):
    return {key: value for key, value in line.items() if key != name}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", r'^rec: it is empty; its first line is like \{"task": "metaworld/drawer-open"'),
        (text((4, '{"hand": [0.0')), r'^rec, line 4: invalid JSON: EOF .*; a line is like \{"hand"'),
        (text((4, "[]")), r"^rec, line 4: "),
        (text((1, without("task", HEAD))), r'^rec, line 1: task: field required; a line is like \{"task"'),
        (
            text(head={"task": "metaworld/pick-plaice"}),
            r"line 1: no arm's task 'metaworld/pick-plaice'; there is .*pick-p",
        ),
        (text(head={"task": "miniwob/login-user"}), r"line 1: no arm's task 'miniwob/login-user'; there is metaworld/"),
        (text(head={"seed": 1_000_000}), r"line 1: seed 1000000 is a gate seed; demonstrations are of practice seeds"),
        (text(head={"seed": Split.HOLDOUT.first_seed}), r"line 1: seed 2000000 is a holdout seed"),
        (text(head={"hz": 0}), r"line 1: hz: input should be greater than 0, got 0"),
        (text((5, without("hand", row(3)))), r"^rec, line 5: hand: field required"),
        (text((5, row(3, hand=[0.0, 0.6]))), r"^rec, line 5: hand: .* at least 3 items"),
        (text((5, row(3, hand=[3.1, 600.0, 200.0]))), r"line 5: hand.0: .* got 3.1: places are metres, not millim"),
        (text((5, row(3, hand=[float("nan"), 0.6, 0.2]))), r"^rec, line 5: "),
        (text((5, row(3, gripper=255))), r"line 5: gripper: .* less than or equal to 1, got 255; a line is like"),
        (text((5, row(3, grip=1))), r"line 5: grip: extra inputs"),
        (
            text((5, row(3, things={"pluck": [0, 0, 0]}))),
            r"line 5: things: there is no 'pluck' in this task; .* puck, goal",
        ),
        (text((2, row(1))), r"line 2: where is 'puck\'\? say so in things, or in line 1 if it never moves"),
        (text(n=6, head={"hz": 1000}), r"^rec: 6 lines at 1000 Hz are 1 control steps .*: correct hz in line 1"),
        (text(n=200, head={"hz": 20}), r"^rec: 200 lines at 20 Hz are 797 control steps .*; an episode has 500"),
        (text(n=4), r"^rec: 4 control steps; a demonstration has 5 at least"),
    ],
)
def test_what_is_no_recording_is_told_by_its_line_and_what_to_do(given, said):
    with pytest.raises(ConfigError, match=said):
        read_recording(given, "rec")


def test_what_was_recorded_is_said_in_verbs_that_do_it_again():
    world = MetaWorld()
    try:
        task = Task(env="metaworld", name="drawer-open", seed=1)
        world.reset(task)
        demo = recorded(world.simulation, task.name, task.seed)
        found = read_recording(written(task, demo), "x")
        assert found.task == task
        assert found.demo.hand == pytest.approx(demo.hand, abs=0.0001)
        assert (found.demo.driven[:, 3] == demo.driven[:, 3]).all()
        assert [one.verb for one in world.retold(task, found.demo)][-1] == "retrace"
        above = replace(demo, hand=demo.hand + np.array([0.0, 0.0, 0.3]))
        assert world.retold(task, above) is None, "that far above the handle nothing is opened"
    finally:
        world.close()
