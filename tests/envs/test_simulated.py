"""Simulated: one simulation at a time, let go of whatever happens, and an episode that ends."""

import pytest

from skillagent.envs.simulated import Simulated
from skillagent.envs.verbs import Verbs
from skillagent.errors import ConfigError, EnvironmentFailed
from skillagent.schema import Action, Observation, Task


class Clock:
    """A simulation that is over after so many steps."""

    def __init__(self):
        self.steps, self.closed, self.fails = 0, False, False

    @property
    def over(self):
        return self.steps >= 3

    def picture(self):
        return b"\x89PNG"

    def close(self):
        self.closed = True


class Clocks(Simulated[Clock]):
    world = "clocks"

    def __init__(self):
        super().__init__(Verbs(()))
        self.made, self.fails = [], False

    def _names(self):
        return ("tower", "wrist")

    def _made(self, task):
        self.made.append(Clock())
        return self.made[-1]

    def _begin(self, task):
        if self.fails:
            raise EnvironmentFailed("it diverged")
        self.simulation.steps = 0

    def _hand(self):
        return self.simulation

    def _seen(self):
        return Observation(goal="tick", text=f"{self.simulation.steps}")

    @property
    def _done(self):
        return self.simulation.steps == 2

    def _reward(self):
        return float(self._done)


def task(name="tower", seed=0, **rest):
    return Task(env="clocks", name=name, seed=seed, **rest)


def test_the_seeds_of_a_task_share_a_simulation_and_another_task_closes_it():
    world = Clocks()
    world.reset(task())
    world.reset(task(seed=1))
    assert len(world.made) == 1
    world.reset(task("wrist"))
    assert [one.closed for one in world.made] == [True, False]
    world.close()
    world.close()
    assert [one.closed for one in world.made] == [True, True]


def test_one_that_is_not_lasting_is_made_anew_for_each_seed():
    world = Clocks()
    world.lasting = False
    world.reset(task())
    world.reset(task())
    assert [one.closed for one in world.made] == [True, False]


def test_what_fails_at_the_start_is_closed_with_the_world():
    world = Clocks()
    world.fails = True
    with pytest.raises(EnvironmentFailed):
        world.reset(task())
    world.close()
    assert [one.closed for one in world.made] == [True]


def test_an_unknown_task_is_named_with_those_near_it():
    with pytest.raises(ConfigError, match="no task clocks/towers; there is tower"):
        Clocks().reset(task("towers"))


@pytest.mark.parametrize(
    ("steps", "rest", "ends"),
    [
        (1, {}, (0.0, False, False)),  # who stops here has failed
        (2, {}, (1.0, True, False)),
        (3, {}, (0.0, False, True)),
        (0, {"max_steps": 1}, (0.0, False, True)),
        (0, {"timeout_s": 1e-9}, (0.0, False, True)),
    ],
    ids=["it goes on", "done", "the simulation is over", "no turn is left", "no time is left"],
)
def test_an_episode_ends_where_it_is_done_or_anything_is_spent(steps, rest, ends):
    world = Clocks()
    world.reset(task(**rest))
    world.simulation.steps = steps
    outcome = world.step(Action(verb="no such verb"))
    assert (outcome.reward, outcome.terminated, outcome.truncated) == ends
    assert bool(outcome.error)
