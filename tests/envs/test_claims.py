"""What a sentence says of a table or of rooms is looked up there; what nobody understands is not guessed."""

import pytest

from skillagent.envs.said import told
from skillagent.envs.tabletop.claims import claimed
from skillagent.envs.tabletop.scene import BOWL, PLATE, WIDTHS, Thing, drawer
from skillagent.ports import holds
from skillagent.testing import Corridor


def cube(name, x, y, z=None, word="medium"):
    half = WIDTHS[word] / 2
    return Thing("cube", name, (x, y, half if z is None else z), (half, half, half), name.split()[0], word)


TABLE = {
    one.name: one
    for one in (
        cube("red cube", 0.0, 0.0),
        cube("blue cube", 0.0, 0.0, 0.06),
        cube("white cube", -0.2, 0.0, 0.028),
        cube("green cube", -0.08, 0.0, word="small"),
        Thing("bowl", "red bowl", (0.2, 0.0, 0.0), BOWL, "red"),
        Thing("plate", "plate", (-0.2, 0.0, 0.0), PLATE, "white"),
        Thing("zone", "person's side", (0.0, 0.28, 0.0), (0.14, 0.06, 0.0)),
        drawer(0.0, 0.5),
    )
}


@pytest.mark.parametrize(
    ("said", "so"),
    [
        ("The blue cube is on the red cube.", True),
        ('"Blue cube" lies on top of [1] "red cube"', True),
        ("the medium blue cube is on the red cube", True),
        ("the red cube is on the blue cube", False),
        ("the white cube is on the plate", True),
        ("the white cube is in the red bowl", False),
        ("the red cube is on the table", True),
        ("the blue cube is on the table", False),
        ("the red cube is on the person's side", False),
        ("the green cube is to the left of the red cube", True),
        ("the green cube is left of the red cube, within 10 cm", True),
        ("the green cube is on the left of the red cube, at most 5 cm away", False),
        ("the green cube is in front of the red cube", False),
        ("there is one cube on the plate", True),
        ("2 cubes are on the plate", False),
        ("the drawer is open", True),
        ("the drawer is 50 % open", True),
        ("the drawer is open to 75 percent", False),
        ("the drawer is fully closed", False),
        ("the gripper is empty", True),
        ("it holds the red cube", False),
        ("the blue cube is on the red cube and the drawer is open", True),
        ("the blue cube is on the red cube, and the drawer is shut", False),
        ("the blue cube is on the red cube and all is well", None),
        ("the drawer is shut and all is well", False),
        ("the red cube is not on the blue cube", None),
        ("the black cube is on the red cube", None),
        ("the cube is on the red cube", None),
        ("the red cube is on the red cube", None),
        ("the plate is on the red cube", None),
        ("the red cube is closed", None),
        ("the task is done", None),
    ],
)
def test_what_is_said_of_a_table_is_looked_up(said, so):
    assert told(said, lambda claim: claimed(claim, TABLE, None)) is so


@pytest.mark.parametrize(
    ("said", "so"),
    [
        ("the gripper holds the blue cube", True),
        ("the blue cube is in the hand", True),
        ("it holds the red cube", False),
        ("the gripper is empty", False),
        ("the blue cube is on the red cube", False),
        ("the white cube is on the plate", True),
    ],
)
def test_a_cube_in_the_hand_lies_nowhere_yet(said, so):
    assert told(said, lambda claim: claimed(claim, TABLE, "blue cube")) is so


def test_a_name_that_two_things_have_is_nobodys():
    table = {one.name: one for one in (cube("red cube", 0, 0), drawer(0.0), Thing("drawer", "Drawer", opening=1.0))}
    assert told("the drawer is open", lambda claim: claimed(claim, table, None)) is None


def test_a_world_that_reads_no_sentences_tells_nothing():
    assert holds(Corridor(), "the red button is pressed") is None
