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
        assert not (variation.begin and variation.focus)
        avoided.append([step.action.verb for step in variation.avoid])
        verdict = Verdict(score=float(solves(task.seed, variation.temperature)), by="environment")
        steps = (step("first"), step(f"last-{len(tried)}"))
        trajectory = Trajectory(task=task, goal="g", steps=steps)
        return Attempt(plan=None, route=None, trajectory=trajectory, verdict=verdict, library="x")

    return attempt, tried, avoided


def step(verb):
    return Step(observation=Observation(goal="g", text=verb), action=Action(verb=verb))


def test_a_retry_ends_and_by_turns_begins_otherwise_than_earlier_ones_on_its_seed():
    attempt, _, avoided = world(lambda s, t: False)
    list(practise(TASK, attempt, practice=Practice(seeds=2, retries=6)))
    assert avoided == [
        [],
        [],
        ["last-1"],
        ["last-2"],
        ["last-1", "last-3"],
        ["last-2", "last-4"],
        ["last-1", "last-3", "last-5", "first", "first", "first"],
        ["last-2", "last-4", "last-6", "first", "first", "first"],
    ]


def branches(*steps, terminated=True):
    """Return with what the second retry begins, and what it avoids, where every try takes these steps."""
    seen = []

    def attempt(task, variation):
        seen.append(variation)
        trajectory = Trajectory(task=task, goal="g", steps=steps, terminated=terminated)
        verdict = Verdict(score=0.0, by="environment")
        return Attempt(plan=None, route=None, trajectory=trajectory, verdict=verdict, library="x")

    list(practise(TASK, attempt, practice=Practice(seeds=1, retries=2)))
    return [one.action.verb for one in seen[2].begin], [one.action.verb for one in seen[2].avoid]


def test_a_retry_takes_another_way_where_an_earlier_one_went_wrong():
    a, b, c = step("a"), step("b"), step("c")
    assert branches(a, b, c) == (["a", "b"], ["c", "c"])  # the last step ended the task
    assert branches(a, b, c, terminated=False) == (["a", "b"], ["c", "c"])
    refused = b.model_copy(update={"error": "no"})
    assert branches(a, refused, c, terminated=False)[0] == ["a"]
    back = c.model_copy(update={"observation": b.observation})
    assert branches(a, b, back, terminated=False) == (["a"], ["b", "c", "b", "c"])  # b led back to where it began
    assert branches() == ([], [])


def test_instances_that_surprised_a_program_elsewhere_are_tried_too_but_not_twice():
    attempt, tried, _ = world(lambda s, t: True)
    list(practise(TASK, attempt, again=lambda task: [task.model_copy(update={"seed": seed}) for seed in (11, 40)]))
    assert tried == [(10, 0.0), (11, 0.0), (12, 0.0), (40, 0.0)]


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
