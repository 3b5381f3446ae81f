"""A person's correction of an arm's way: words that are understood, one point moved, its neighbours along."""

import numpy as np
import pytest

from skillagent.config import draw_without_a_screen
from skillagent.envs.robot.correct import corrected
from skillagent.envs.robot.primitives import path_of, rows_of
from skillagent.envs.robot.wording import EXAMPLES, Correction, corrections
from skillagent.envs.robot.world import MetaWorld
from skillagent.errors import ConfigError
from skillagent.schema import Action, Do, Program, Target, Task

draw_without_a_screen()


@pytest.mark.parametrize(
    ("words", "right", "away", "up", "at", "step"),
    [
        ("2 cm higher", 0, 0, 0.02, "end", None),
        ("2cm up at the end", 0, 0, 0.02, "end", None),
        ("5 mm to the left", -0.005, 0, 0, "end", None),
        ("0.05 m right at the start", 0.05, 0, 0, "start", None),
        ("1 cm further away in the middle", 0, 0.01, 0, "middle", None),
        ("1 cm further at step 2", 0, 0.01, 0, "end", 2),
        ("1 cm away at the start of step 3", 0, 0.01, 0, "start", 3),
        ("1.5 cm towards", 0, -0.015, 0, "end", None),
        ("1 cm closer at the end of step 10", 0, -0.01, 0, "end", 10),
        ("  3 CM  Lower. ", 0, 0, -0.03, "end", None),
        ("3 cm down in the middle of step 1", 0, 0, -0.03, "middle", 1),
    ],
)
def test_words_of_a_correction(words, right, away, up, at, step):
    found = corrections(words)
    assert found.way == pytest.approx([right, away, up])
    assert (found.at, found.step) == (at, step)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "higher",
        "2 cm",
        "2 inches up",
        "a bit higher",
        "2 cm higher than the cup",
        "2 cm upat the end",
        "-2 cm up",
        "2 cm up at step two",
        "2 cm up and left",
        "1 cm closerat step 2",
        "2 cm up at the end of the step",
    ],
)
def test_words_that_are_no_correction_are_refused_with_examples(words):
    with pytest.raises(ConfigError, match="is not understood; say it like '2 cm higher', '5 mm to the left"):
        corrections(words)


@pytest.mark.parametrize("words", ["0 cm up", "25 cm up"])
def test_a_correction_moves_something_and_not_far(words):
    with pytest.raises(ConfigError, match=r"more than nothing and at most 0\.2 m"):
        corrections(words)


def test_every_example_is_understood():
    for words in EXAMPLES:
        corrections(words)


def program(*, length=40):
    """Return a program: to 0.1 m above a thing, 0.2 m along a path to the goal, then let go."""
    rows = np.zeros((length, 7))
    rows[:, 1] = 0.2 * np.arange(1, length + 1) / length
    align = Do(verb="move_to", targets={"ref": Target(role="object")}, arguments={"offset": [0.0, 0.0, 0.1]})
    carry = {"offset": [0.0, 0.0, 0.05], "path": path_of(rows)}
    return Program(
        steps=(align, Do(verb="retrace", targets={"ref": Target(role="goal")}, arguments=carry), Do(verb="release"))
    )


def way(one):
    return rows_of(one.steps[1].arguments["path"])[:, :3]


def test_the_end_is_moved_and_what_is_far_from_it_is_not():
    before, after = program(), corrected(program(), Correction(up_m=0.02))
    lifted = way(after)[:, 2]
    assert after.steps[1].arguments["offset"] == [0.0, 0.0, 0.07]
    assert lifted[-1] == pytest.approx(0.02)
    assert lifted[-7] == pytest.approx(0.02 * np.exp(-0.5), abs=0.0006), "three centimetres before: 0.61 of it"
    assert not lifted[:18].any()
    assert (way(after)[:, :2] == way(before)[:, :2]).all()
    assert (after.steps[0], after.steps[2]) == (before.steps[0], before.steps[2])


def test_the_middle_is_moved_and_both_ends_stay():
    after = corrected(program(), Correction(right_m=0.03, at="middle", step=2))
    assert way(after)[19, 0] == pytest.approx(0.03, abs=0.001)
    assert way(after)[[0, -1], 0].tolist() == [0.0, 0.0]
    assert after.steps[1].arguments["offset"] == [0.0, 0.0, 0.05]


def test_where_a_path_begins_is_moved_with_the_step_before_it():
    """The path is told from where the hand is: as that is higher, it goes down to where it went before."""
    after = corrected(program(), Correction(up_m=0.02, at="start"))
    assert after.steps[0].arguments["offset"] == [0.0, 0.0, 0.12]
    assert way(after)[-1, 2] == pytest.approx(-0.02)
    assert way(after)[0, 2] == pytest.approx(0.0, abs=0.0006)
    assert after.steps[1].arguments["offset"] == [0.0, 0.0, 0.05]


@pytest.mark.parametrize(
    ("steps", "change", "why"),
    [
        (program().steps[2:], Correction(up_m=0.01), r"no step has an offset or a path to be moved: .* 1\. release"),
        (program().steps, Correction(up_m=0.01, step=3), r"step 3 has no offset .* 1\. move_to, 2\. retrace, 3\. rel"),
        (program().steps, Correction(up_m=0.01, step=9), "step 9 has no offset"),
        (program().steps, Correction(away_m=1.2), "step 2 would lead more than a metre from its thing"),
    ],
)
def test_what_cannot_be_corrected_is_refused_with_what_there_is(steps, change, why):
    with pytest.raises(ConfigError, match=why):
        corrected(Program(steps=steps), change)


def test_the_arm_passes_where_the_correction_says():
    def passed(one):
        world.reset(Task(env="metaworld", name="pick-place", seed=3))
        seen = []
        world.simulation.watch = lambda: seen.append(world.simulation.hand.copy())
        for step in one.steps[:2]:
            ref = "1" if step.targets["ref"].role == "object" else "2"
            world.step(Action(verb=step.verb, arguments={"ref": ref, **step.arguments}))
        return seen[-1], np.mean(seen, axis=0)[0]

    world = MetaWorld()
    try:
        (end, right), (still, further) = (
            passed(program()),
            passed(corrected(program(), Correction(right_m=0.04, at="middle", step=2))),
        )
        assert still == pytest.approx(end, abs=0.005)
        higher, _ = passed(corrected(program(), Correction(up_m=0.03)))
        assert higher - end == pytest.approx([0, 0, 0.03], abs=0.01)
        assert further > right + 0.005
    finally:
        world.close()
