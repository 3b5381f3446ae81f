"""Overlap: what was seen before is found, whether the page is the same too or only the goal."""

from pressing import FIRST

from skillagent.errors import EnvironmentFailed
from skillagent.evaluation.overlap import between_splits, look, with_sources
from skillagent.evaluation.rows import Row, Seconds
from skillagent.library import Library
from skillagent.schema import Demonstration, KeyStep, Observation, Skill, Task

SIGHTS = {0: ("press red", "a"), FIRST: ("press red", "a"), FIRST + 1: ("press red", "b"), FIRST + 2: ("dig", "a")}


class World:
    """Says what it is told to for each seed."""

    def reset(self, task):
        if task.seed not in SIGHTS:
            raise EnvironmentFailed("gone")
        goal, text = SIGHTS[task.seed]
        return Observation(goal=goal, text=text)


def test_holdout_instances_that_were_seen_in_practice_are_counted():
    tasks = [Task(env="e", name="n", seed=seed) for seed in (0, 1, FIRST, FIRST + 1, FIRST + 2)]
    (found,) = between_splits(look(lambda task: World(), tasks))
    assert (found.total, found.same, found.goal_only) == (3, 1, 1)


def test_goals_that_the_library_was_learnt_on_are_found_once_per_seed():
    skill = Skill(name="s", description="d", body="b", goals=("press red",))
    shown = Demonstration(id="d", domain="x", goal="dig up", steps=(KeyStep(observation="o", action="a"),))
    library = Library(skills={"s": skill}, demonstrations={"d": shown})
    row = Row(
        task="e/n", env="e", seed=FIRST, split="holdout", arm="none", success=True, reward=1, steps=1, model_calls=1,
        tokens_in=1, tokens_cached=0, tokens_out=1, cost_usd=0, seconds=Seconds(), model_free_steps=0, void=None,
        library_digest="", goal="press red",
    )  # fmt: skip
    other = row.model_copy(update={"seed": FIRST + 1, "goal": "dig"})
    elsewhere = row.model_copy(update={"task": "e/m", "goal": "dig up"})
    rows = [row, row.model_copy(update={"arm": "frozen"}), other, elsewhere]
    assert with_sources(rows, library) == {"e/n": 1, "e/m": 1}
