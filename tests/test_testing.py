"""The public kit holds its own scripted parts to the promises that it checks."""

import pytest

from skillagent.schema import Action, Element, Observation, Outcome, Task
from skillagent.testing import Corridor, MemoryStore, ScriptedLLM, check_environment, check_llm, check_store

TASK = Task(env="corridor", name="press", seed=5, max_steps=6)


def press(first):
    """Press the button that the goal names."""
    wanted = first.goal.split('"')[1]
    yield Action(verb="click", arguments={"ref": next(e.ref for e in first.elements if e.name == wanted)})


def test_the_corridor_is_an_environment():
    check_environment(Corridor, TASK, press)


def test_the_memory_store_is_a_store():
    store = MemoryStore()
    check_store(lambda: store)


def test_the_scripted_model_is_a_model():
    check_llm(ScriptedLLM(lambda messages, role: {"colour": "red", "count": 3}))


class Moody(Corridor):
    """Starts otherwise each time."""

    count = 0

    def reset(self, task):
        Moody.count += 1
        return super().reset(task.model_copy(update={"seed": Moody.count}))


class Fragile(Corridor):
    """Crashes on an action that it does not know."""

    def step(self, action):
        assert action.verb == "click"
        return super().step(action)


class Restless(Corridor):
    """Starts again by itself after the end."""

    def step(self, action):
        outcome = super().step(action)
        return outcome if not outcome.error else Outcome(observation=self.reset(TASK))


class Twins(Corridor):
    """Gives two elements one ref."""

    def reset(self, task):
        return Observation(
            goal="g", text="t", elements=(Element(ref="1", role="button"), Element(ref="1", role="link"))
        )


class Guessing(Corridor):
    """Tells of what it does not understand."""

    def holds(self, said):
        return False


@pytest.mark.parametrize("broken", [Moody, Fragile, Restless, Twins, Guessing])
def test_an_environment_that_breaks_a_promise_is_found_out(broken):
    with pytest.raises(AssertionError):
        check_environment(broken, TASK, press)


class Forgetful(MemoryStore):
    """Loses every second event."""

    def events(self):
        yield from list(super().events())[::2]


class Careless(MemoryStore):
    """Makes refused edits too."""

    def commit(self, entry):
        if entry.kind == "decided":
            entry = entry.model_copy(update={"decision": entry.decision.model_copy(update={"accepted": True})})
        return super().commit(entry)


@pytest.mark.parametrize("broken", [Forgetful, Careless])
def test_a_store_that_breaks_a_promise_is_found_out(broken):
    store = broken()
    with pytest.raises(AssertionError):
        check_store(lambda: store)
