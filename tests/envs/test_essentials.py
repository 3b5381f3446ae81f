"""Which steps of an arm's program matter: one thing changed at a time, and what replays of that tell."""

from skillagent.envs.robot.essentials import SHIFTS, Change, dropped, shifts, swapped, told
from skillagent.schema import Do, Program, Target

ALIGN = Do(verb="move_to", targets={"ref": Target(role="object")}, arguments={"offset": [0.0, 0.1, 0.2]})
GRASP, WAIT = Do(verb="grasp"), Do(verb="wait")
WHOLE = Program(goals=("Take it.",), steps=(ALIGN, GRASP, WAIT))


def test_each_step_is_left_out_once_and_each_two_neighbours_are_swapped_once():
    left = [one.steps for one in dropped(WHOLE).values()]
    turned = [one.steps for one in swapped(WHOLE).values()]
    assert left == [(GRASP, WAIT), (ALIGN, WAIT), (ALIGN, GRASP)]
    assert turned == [(GRASP, ALIGN, WAIT), (ALIGN, WAIT, GRASP)]
    assert dropped(Program(steps=(GRASP,))) == swapped(Program(steps=(GRASP,))) == {}


def test_each_offset_is_moved_both_ways_along_each_axis_and_nothing_else():
    found = shifts(WHOLE)
    assert len(found) == 3 * 2 * len(SHIFTS)
    lower = found[Change(what="shifted", step=1, axis=2, by_m=-0.04)]
    assert lower.steps[0].arguments["offset"] == [0.0, 0.1, 0.16]
    assert lower.steps[1:] == WHOLE.steps[1:]
    assert len({one.digest for one in found.values()}) == len(found)


def test_an_offset_that_the_goal_decides_is_not_moved():
    for odd in (["{n}", 0.0, 0.0], "{n}", None, 5):
        assert shifts(Program(steps=(ALIGN.model_copy(update={"arguments": {"offset": odd}}),))) == {}


def test_what_replays_tell_is_said_of_each_step():
    solved = dict.fromkeys([*dropped(WHOLE), *swapped(WHOLE)], 0.0)
    solved |= dict.fromkeys(shifts(WHOLE), 1.0)
    solved[Change(what="dropped", step=3)] = 1.0
    solved[Change(what="dropped", step=1)] = 0.4
    solved[Change(what="swapped", step=2)] = 0.8
    solved[Change(what="shifted", step=1, axis=0, by_m=0.02)] = 0.6
    solved[Change(what="shifted", step=1, axis=2, by_m=-0.01)] = 0.0
    assert told(WHOLE, solved) == [
        "Step 1, `move_to`, is essential: 40% succeed without it; its offset holds within 1 cm to the right, "
        "4 cm to the left, 4 cm further away, 4 cm closer, 4 cm up, less than 1 cm down",
        "Step 2, `grasp`, is essential: nothing succeeds without it; may come after step 3",
        "Step 3, `wait`, is free: 100% succeed without it",
    ]
