"""Practice: plain tries first, warmer ones only where plain ones fail, and never on seeds that measure."""

import pytest

from skillagent.practice.explore import Practice, practise
from skillagent.schema import Attempt, Task, Trajectory, Verdict

TASK = Task(env="e", name="t", seed=10)


def world(solves):
    """Make an `attempt` that succeeds where `solves(seed, temperature)` says so; it remembers what was tried."""
    tried = []

    def attempt(task, temperature):
        tried.append((task.seed, temperature))
        verdict = Verdict(score=float(solves(task.seed, temperature)), by="environment")
        return Attempt(plan=None, route=None, trajectory=Trajectory(task=task, goal="g"), verdict=verdict, library="x")

    return attempt, tried


@pytest.mark.parametrize(
    ("solves", "expected"),
    [
        pytest.param(lambda s, t: True, [(10, 0.0), (11, 0.0), (12, 0.0)], id="solved already: nothing more"),
        pytest.param(
            lambda s, t: t > 0 or s == 10,
            [(10, 0.0), (11, 0.0), (12, 0.0), (11, 0.5)],
            id="a failed seed is tried warmer until one is solved",
        ),
        pytest.param(
            lambda s, t: False,
            [(10, 0.0), (11, 0.0), (12, 0.0), (10, 0.5), (11, 0.5), (12, 0.5), (10, 0.8)],
            id="each failed seed gets its turn before it gets warmer",
        ),
    ],
)
def test_practice(solves, expected):
    attempt, tried = world(solves)
    list(practise(TASK, attempt, practice=Practice(seeds=3, retries=4)))
    assert tried == expected


@pytest.mark.parametrize("seed", [1_000_000, 2_000_000])
def test_gate_and_holdout_seeds_are_refused(seed):
    attempt, tried = world(lambda s, t: True)
    with pytest.raises(ValueError, match="practice seeds only"):
        list(practise(TASK.model_copy(update={"seed": seed}), attempt))
    assert not tried
