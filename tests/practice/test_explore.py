"""Practice: plain tries first, warmer ones only where plain ones fail, and never on seeds that measure."""

import pytest

from skillagent.errors import ConfigError
from skillagent.practice.explore import Practice, practise
from skillagent.schema import Action, Attempt, Observation, Step, Task, Trajectory, Verdict

TASK = Task(env="e", name="t", seed=10)


def world(solves):
    """Make an `attempt` that succeeds where `solves(seed, temperature)` says; with what it tried and avoided so far."""
    tried, avoided = [], []

    def attempt(task, variation):
        tried.append((task.seed, variation.temperature))
        avoided.append([step.action.verb for step in variation.avoid])
        verdict = Verdict(score=float(solves(task.seed, variation.temperature)), by="environment")
        steps = (step("first"), step(f"last-{len(tried)}"))
        trajectory = Trajectory(task=task, goal="g", steps=steps)
        return Attempt(plan=None, route=None, trajectory=trajectory, verdict=verdict, library="x")

    return attempt, tried, avoided


def step(verb):
    return Step(observation=Observation(goal="g", text="t"), action=Action(verb=verb))


def test_a_retry_ends_and_by_turns_begins_otherwise_than_earlier_ones_on_its_seed():
    attempt, _, avoided = world(lambda s, t: False)
    list(practise(TASK, attempt, practice=Practice(seeds=2, retries=4)))
    assert avoided == [
        [],
        [],
        ["last-1"],
        ["last-2"],
        ["last-1", "last-3", "first", "first"],
        ["last-2", "last-4", "first", "first"],
    ]


@pytest.mark.parametrize(
    ("solves", "expected"),
    [
        pytest.param(lambda s, t: True, [(10, 0.0), (11, 0.0), (12, 0.0)], id="solved already: nothing more"),
        pytest.param(
            lambda s, t: t > 0 or s == 10,
            [(10, 0.0), (11, 0.0), (12, 0.0), (11, 0.3)],
            id="a failed seed is tried warmer until one is solved",
        ),
        pytest.param(
            lambda s, t: False,
            [(10, 0.0), (11, 0.0), (12, 0.0), (10, 0.3), (11, 0.3), (12, 0.3), (10, 0.6)],
            id="each failed seed gets its turn before it gets warmer",
        ),
    ],
)
def test_practice(solves, expected):
    attempt, tried, _ = world(solves)
    list(practise(TASK, attempt, practice=Practice(seeds=3, retries=4)))
    assert tried == expected


@pytest.mark.parametrize("seed", [999_999, 1_000_000, 2_000_000])
def test_gate_and_holdout_seeds_are_refused(seed):
    attempt, tried, _ = world(lambda s, t: True)
    with pytest.raises(ConfigError, match="practice seeds only"):
        list(practise(TASK.model_copy(update={"seed": seed}), attempt))
    assert not tried
