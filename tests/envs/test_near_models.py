"""Models near one that failed: what is left out of a problem comes back, what cannot be read goes, in few tries."""

import time
from itertools import islice

import pytest

from skillagent.envs.optimize.environment import Optimize
from skillagent.envs.optimize.model import Model, solve
from skillagent.envs.optimize.near import near
from skillagent.errors import AgentFault
from skillagent.schema import Action, Task

TEXT = (
    "A stall sells pies and cakes. A pie takes 3 eggs and earns $5, a cake takes 4 eggs and earns $7. There are 50 "
    "eggs, and at most 30% of what is sold may be cakes. How much can it earn?"
)
RIGHT = Model(
    variables=("pies: pies sold", "cakes: cakes sold"),
    sense="maximize",
    objective="5*pies + 7*cakes",
    constraints=("3*pies + 4*cakes <= 50", "cakes <= 30/100*(pies + cakes)"),
)


def tries_until(text, model, answer, most=400):
    """Return how many models are tried until one has the answer."""
    for number, one in enumerate(islice(near(text, model), most), start=1):
        try:
            if solve(one).objective == pytest.approx(answer):
                return number
        except AgentFault:
            continue
    return None


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"constraints": RIGHT.constraints[:1]}, id="a share is missing"),
        pytest.param({"constraints": RIGHT.constraints[1:]}, id="a resource is missing"),
        pytest.param({"sense": "minimize"}, id="the wrong sense"),
        pytest.param({"constraints": ("3*pies + 4*cakes >= 50", RIGHT.constraints[1])}, id="the wrong way round"),
        pytest.param({"constraints": ("3*pies + 7*cakes <= 50", RIGHT.constraints[1])}, id="a wrong number"),
        pytest.param({"constraints": ("4*pies + 3*cakes <= 50", RIGHT.constraints[1])}, id="the wrong one of two"),
        pytest.param({"constraints": (*RIGHT.constraints, "pies <= 4")}, id="a limit too many"),
        pytest.param({"objective": "pies + cakes"}, id="a wrong objective"),
        pytest.param({"constraints": (*RIGHT.constraints, "pies*cakes <= 4", "all <== 3")}, id="what cannot be read"),
        pytest.param({"variables": ("pies",), "integers": ("plates",)}, id="names told wrongly"),
    ],
)
def test_a_model_with_one_thing_wrong_is_mended_in_few_tries(wrong):
    assert tries_until(TEXT, RIGHT.model_copy(update=wrong), solve(RIGHT).objective) is not None


def test_costs_that_add_up_are_added():
    text = "A parcel costs $5 to the port and $7 from there. 30 parcels must go. What does it cost?"
    half = Model(sense="minimize", objective="5*parcels", constraints=("parcels >= 30",))
    assert tries_until(text, half, 360) is not None


def test_numbers_in_words_count_and_one_of_several_things_may_have_none():
    text = "Eggs are sold singly at 30 cents, in boxes of six at 150 and in trays of thirty at 600. 61 are needed."
    told = {"variables": ("egg", "box", "tray"), "integers": ("egg", "box", "tray"), "sense": "minimize"}
    lacking = Model(objective="30*egg + 150*box + 600*tray", **told)
    right = lacking.model_copy(update={"constraints": ("egg + 6*box + 30*tray >= 61",)})
    assert tries_until(text, lacking, solve(right).objective) is not None


def test_whole_numbers_are_tried():
    whole = RIGHT.model_copy(update={"integers": ("pies", "cakes")})
    assert solve(whole).objective != pytest.approx(solve(RIGHT).objective)
    assert tries_until(TEXT, RIGHT, solve(whole).objective) is not None


def test_the_model_itself_comes_first_and_none_comes_twice():
    some = list(islice(near(TEXT, RIGHT), 500))
    assert some[0] == RIGHT
    assert len({one.digest for one in some}) == len(some)


def test_constraints_may_have_signs_of_one_character():
    signs = RIGHT.model_copy(update={"constraints": tuple(one.replace("<=", "≤") for one in RIGHT.constraints)})
    assert next(near(TEXT, signs)) == RIGHT


def test_what_uses_the_numbers_of_the_problem_comes_first():
    lacking = RIGHT.model_copy(update={"constraints": RIGHT.constraints[:1]})
    limits = [one.constraints[-1] for one in islice(near(TEXT, lacking), 1, 10)]
    assert all("30" in said for said in limits), "the only number that the model does not have"


def test_a_long_problem_with_many_variables_does_not_keep_who_tries_waiting():
    names = [f"x{number}" for number in range(20)]
    model = Model(
        sense="maximize",
        objective=" + ".join(f"{number + 2}*{name}" for number, name in enumerate(names)),
        constraints=tuple(f"{number + 3}*{name} <= {number * 7 + 1}" for number, name in enumerate(names)),
    )
    text = " ".join(f"thing {number} costs {number * 13 + 2}" for number in range(60))
    some, start = near(text, model), time.process_time()
    assert next(some) != next(some)
    assert time.process_time() - start < 20


def test_an_objective_that_cannot_be_read_has_nothing_near_it():
    assert not list(near(TEXT, RIGHT.model_copy(update={"objective": "pies*cakes"})))


def test_the_environment_tells_actions_that_it_can_do_and_never_looks_at_the_answer():
    world, task = Optimize(), Task(env="optimize", name="two-products", seed=3)
    goal = world.reset(task).goal
    wrong = Action(
        verb="model",
        arguments={"sense": "maximize", "objective": "10*a + 20*b", "constraints": ["a <= 3"], "integers": []},
    )
    actions = list(islice(world.near(goal, wrong), 20))
    assert actions == list(islice(Optimize().near(goal, wrong), 20)), "another that was never reset says the same"
    assert world.step(actions[0]).terminated or world.step(actions[0]).error
    assert not list(world.near(goal, Action(verb="model", arguments={"sense": "upwards"})))
