"""Borrow: where nothing succeeded, programs of near skills are tried for a goal that they were not made for."""

import pytest
import yaml

from skillagent.learning.borrow import as_lent, borrowed
from skillagent.library import Library
from skillagent.programs.text import FILE, program_of
from skillagent.schema import (
    Action,
    Attempt,
    Demonstration,
    KeyStep,
    Observation,
    Skill,
    Step,
    Task,
    Trajectory,
    Verdict,
)

GOAL = "Open the window."


def skill(name, program, **rest):
    return Skill(name=name, description="d", body="b", files={FILE: program}, **rest)


DRAWER = skill("drawer", "goals: [Open the drawer.]\nsteps:\n- pull: {role: object, name: drawer handle}\n")
KNOWN = skill("window", f"goals: [{GOAL}]\nsteps: [wave]\n")
BROKEN, ELSEWHERE = skill("broken", "steps: 1"), DRAWER.model_copy(update={"name": "far", "domain": "web"})


def tried(score, seed=0, library=None):
    task = Task(env="arm", name="window", seed=seed)
    verdict = Verdict(score=score, by="environment")
    return Attempt(plan=None, route=None, trajectory=Trajectory(task=task, goal=GOAL), verdict=verdict, library="x")


def lent(one, goal=GOAL):
    return [yaml.safe_load(each.files[FILE]) for each in as_lent(one, goal)]


def solving(solves):
    """Return tries without a model that succeed where the one skill's program says so, and what they were handed."""
    asked = []

    def alone(task, library):
        (only,) = library.skills.values()
        asked.append((task.seed, only.name, "name" in only.files[FILE]))
        assert program_of(only).goals == (GOAL,)
        return tried(float(solves(only.files[FILE])), task.seed)

    return alone, asked


def borrow(attempts, alone, *skills, most=5):
    def near(goal, held, domain):
        return [one for one in held.skills.values() if one.domain in ("", domain)]

    return list(borrowed(attempts, Library(skills={s.name: s for s in skills}), alone, near=near, most=most))


def test_a_program_is_lent_as_it_is_and_with_its_elements_known_by_their_role():
    assert lent(DRAWER) == [
        {"goals": [GOAL], "steps": [{"pull": {"role": "object", "name": "drawer handle"}}]},
        {"goals": [GOAL], "steps": [{"pull": {"role": "object"}}]},
    ]


def test_a_name_that_the_goal_gives_stays_a_slot_and_conditions_are_loosened_too():
    program = """\
goals: ['Open "{what}".']
steps:
- when: {is: {role: door, name: front}, do: [{open: {role: door, name: '{what}'}}]}
- repeat: {until: {role: light, name: on, gone: true}, do: [{press: {name: switch}}]}
"""
    _, loose = lent(skill("s", program), 'Unlock "the shed" now.')
    assert loose == {
        "goals": ['Unlock "{what}" now.'],
        "steps": [
            {"when": {"is": {"role": "door"}, "do": [{"open": {"role": "door", "name": "{what}"}}]}},
            {"repeat": {"until": {"role": "light", "gone": True}, "most": 20, "do": [{"press": {"name": "switch"}}]}},
        ],
    }


@pytest.mark.parametrize("goal", ["Open it.", 'Open "a" and "b".'])
def test_a_program_whose_slots_the_goal_does_not_fill_is_not_lent(goal):
    assert lent(skill("s", "goals: ['Open \"{what}\".']\nsteps: [{open: {name: '{what}'}}]\n"), goal) == []


def test_a_near_program_that_solves_a_failed_instance_is_a_success_to_learn_from():
    alone, asked = solving(lambda program: "name" not in program)
    (success,) = borrow([tried(0.0, 3)], alone, BROKEN, KNOWN, ELSEWHERE, DRAWER)
    assert (success.verdict.success, success.trajectory.task.seed) == (True, 3)
    assert asked == [(3, "lent-drawer", True), (3, "lent-drawer", False)]


def standing(x):
    return f'hand at (0.000, 0.000, 0.000), gripper open\n[1] object "thing" at ({x}, 0.000, 0.000)'


def test_of_the_nearest_in_words_those_come_first_whose_example_began_alike():
    skills = [DRAWER.model_copy(update={"name": name, "domain": "arm"}) for name in "abcdefghijkl"]
    starts = {"b": 0.9, "d": 0.3, "f": 0.2, "l": 0.2}  # l is too far in words
    shown = {
        f"{name}-example": Demonstration(
            id=f"{name}-example", domain="arm", goal="g", steps=(KeyStep(observation=standing(x), action="{}"),)
        )
        for name, x in starts.items()
    }
    library = Library(skills={one.name: one for one in skills}, demonstrations=shown)
    for text, first in ((standing(0.2), "fdbacegh"), ("a page", "abcdefgh")):
        alone, asked = solving(lambda program: False)
        failed = tried(0.0)
        step = Step(observation=Observation(goal=GOAL, text=text), action=Action(verb="wait"))
        failed = failed.model_copy(update={"trajectory": failed.trajectory.model_copy(update={"steps": (step,)})})
        assert list(borrowed([failed], library, alone, near=lambda *_: skills, most=8)) == []
        assert "".join(dict.fromkeys(name.removeprefix("lent-") for _, name, _ in asked)) == first


def test_nothing_is_borrowed_where_something_succeeded_nor_beyond_so_many_lenders():
    alone, asked = solving(lambda program: False)
    assert borrow([tried(0.0), tried(1.0, 1)], alone, DRAWER) == []
    assert borrow([tried(0.0)], alone, DRAWER, most=0) == []
    assert asked == []
    assert borrow([tried(0.0)], alone, DRAWER, DRAWER.model_copy(update={"name": "other"}), most=1) == []
    assert {name for _, name, _ in asked} == {"lent-drawer"}
