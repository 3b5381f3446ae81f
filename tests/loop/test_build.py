"""Build: what the options say is what the agent does."""

from contextlib import suppress

import pytest

from skillagent.build import Options, open_agent
from skillagent.config import load
from skillagent.errors import ConfigError, LLMUnavailable
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.schema import Attempt, Attempted, Plan, Ran, Skill, Task, Trajectory, Verdict, digest_of
from skillagent.testing import MemoryStore, ScriptedLLM

GOAL = "go to the red ball, then open the door"
TASK = Task(env="corridor", name="press")


def skill(name, pattern):
    return Skill(name=name, description="d", body="b", files={FILE: f"goals: ['{pattern}']\nsteps: [wave]\n"})


LIBRARY = Library(skills={one.name: one for one in (skill("go", "go to the {place}"), skill("open", "open the door"))})


def failing(task, goal=GOAL):
    verdict = Verdict(score=0.0, by="environment")
    return Attempt(plan=None, route=None, trajectory=Trajectory(task=task, goal=goal), verdict=verdict, library="x")


@pytest.fixture
def opened(tmp_path):
    def open_(store=None, **options):
        settings = load(skills=tmp_path / "skills", memory=tmp_path / "memory")
        return open_agent(
            settings, llm=ScriptedLLM([]), store=store or MemoryStore(LIBRARY), options=Options(**options)
        )

    return open_


def test_a_goal_is_planned_in_parts_without_the_model(opened):
    with opened() as agent:
        for planned in (agent.plan, agent.stitch):
            assert [part.text for part in planned(Plan(goal=GOAL), LIBRARY).subgoals] == [
                "go to the red ball",
                "open the door",
            ]


@pytest.mark.parametrize("off", ["planning", "programs"])
def test_where_programs_or_planning_are_off_goals_stay_whole(opened, off):
    with opened(**{"planning": False, off: False}) as agent:
        assert [part.text for part in agent.stitch(Plan(goal=GOAL), Library()).subgoals] == [GOAL]
        assert [part.text for part in agent.plan(Plan(goal=GOAL), LIBRARY).subgoals] == [GOAL]


def test_nothing_is_borrowed_where_programs_are_off(opened):
    lent = []

    def alone(task, library):
        lent.extend(library.skills)
        return failing(task)

    for programs in (False, True):
        with opened(programs=programs) as agent:
            assert not list(agent.borrow([failing(TASK, "dance")], LIBRARY, alone))
            assert bool(lent) is programs


def test_failures_are_mended_only_where_an_option_says_in_how_many_rounds(opened):
    asked = {}
    for rounds in (0, 2):
        with opened(practice=Options().changed({"practice.mend": rounds}).practice) as agent:
            with suppress(LLMUnavailable):  # the script of the model is empty
                list(agent.mend([failing(TASK)], lambda *_: failing(TASK), ()))
            asked[rounds] = agent.spent().calls
    assert asked == {0: 0, 2: 1}
    with pytest.raises(ConfigError, match=r"practice\.mend"):
        Options().changed({"practice.mend": 6})


def test_failures_are_relabelled_only_where_an_option_says_so(opened):
    for on in (False, True):
        with opened(practice=Options().changed({"practice.relabel": "on" if on else "off"}).practice) as agent:
            assert (agent.relabel is not None) is on


def test_instances_that_surprised_a_program_are_practised_too(opened):
    store = MemoryStore(LIBRARY)
    odd = TASK.model_copy(update={"seed": 40})
    store.commit(Attempted(attempt="x", task=odd, goal=GOAL, score=1.0, programs=("go",), surprise="no ball"))
    with opened(store) as agent:
        tried = [one.trajectory.task.seed for one in agent.practise(TASK, lambda task, variation: failing(task))]
    assert tried[:4] == [0, 1, 2, 40]


def test_the_program_that_the_ledger_speaks_for_is_tried_first(opened):
    pulls = {FILE: "goals: ['open the door']\nsteps: [pull]\n"}
    twins = {"a": skill("a", "open the door"), "b": skill("b", "").model_copy(update={"files": pulls})}
    store, plan = MemoryStore(Library(skills=twins)), Plan(goal="open the door")
    with opened(store) as agent:
        one, other = (ranked.id for ranked in agent.route(plan, store.load()).skills[0])
        run = Ran(skill=other, program=digest_of(twins[other].files[FILE]), goal=plan.goal)
        store.commit(Attempted(attempt="x", task=TASK, goal=plan.goal, score=1.0, programs=(other,), runs=(run,)))
        assert [ranked.id for ranked in agent.route(plan, store.load()).skills[0]] == [other, one]
