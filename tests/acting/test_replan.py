"""Where a part of a plan failed, what is left is planned once more, at most twice."""

from functools import partial

import pytest

from skillagent.acting.act import act
from skillagent.acting.replan import replan
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.schema import (
    Attempt,
    Attempted,
    Condition,
    Insight,
    Outcome,
    Plan,
    Ranked,
    Role,
    Route,
    Skill,
    Subgoal,
    Task,
    Variation,
    Verdict,
)
from skillagent.testing import Corridor, ScriptedLLM

PRESS = "goals: ['press the \"{colour}\" button']\nsteps:\n- click: {role: button, name: '{colour}'}"
PROGRAMS = {
    "press": PRESS,
    "other": PRESS,
    "again": PRESS.replace("button']", "button again']"),
    "gone": PRESS + "\n- click: {role: link, name: gone}",
}
PLAIN = Variation()
GOAL = "light green, then red"
GREEN, RED, BLUE, WHITE = (f'press the "{colour}" button' for colour in ("green", "red", "blue", "white"))
TWO = (Subgoal(text=GREEN, done_when="green is lit"), Subgoal(text=RED, done_when="red is lit"))
INSIGHT = Insight(id="i", taxonomy="t", kind="causal", condition=Condition(applies="lights"), explanation="they slip")


class Panel(Corridor):
    """Buttons that light up when they are pressed; done when green and red are lit.

    The presses in `slips` do nothing, and those in `dark` put out all lights.
    """

    anew = True

    def __init__(self, *, slips=(), dark=(), lit=()):
        super().__init__()
        self.slips, self.dark, self.lit, self.pressed = slips, dark, set(lit), 0

    def reset(self, task):
        self.first = super().reset(task)
        return self.first

    def step(self, action):
        if action.verb == "click":
            self.pressed += 1
            if self.pressed in self.dark:
                self.lit.clear()
            elif self.pressed not in self.slips:
                self.lit.add(self.first.element(action.arguments["ref"]).name)
        seen = self.first.model_copy(update={"text": f"{self.first.text}\npressed {self.pressed} times"})
        done = {"green", "red"} <= self.lit
        return Outcome(observation=seen, reward=float(done), terminated=done)

    def holds(self, said):
        colour, _, rest = said.partition(" ")
        return colour in self.lit if rest == "is lit" else None


class Lasting(Panel):
    """What is done here is done."""

    anew = False


def subgoal(text, done_when="", wanted=""):
    return {"text": text, "done_when": done_when, "wanted": wanted}


def planner(*plans, acts=lambda: {"verb": "look"}):
    """Return a model that makes these plans, one after the other, and whose actions change nothing."""
    left = list(plans)

    def answer(messages, role):
        if role is not Role.PLANNER:
            return acts()
        return {"subgoals": left.pop(0)} if left else "no more plans"

    return ScriptedLLM(answer)


def asked(llm, role=Role.PLANNER):
    return ["\n".join(message.content for message in messages) for one, messages in llm.asked if one is role]


def ranked(*parts):
    return tuple(tuple(Ranked(id=key, score=1) for key in part) for part in parts)


def chosen_for(plan, library):
    """Route each part to the skill that knows it."""
    names = {GREEN: "press", RED: "press", BLUE: "press", WHITE: "press", GREEN + " again": "again"}
    skills = ranked(*([names[part.text]] if part.text in names else ["words"] for part in plan.subgoals))
    nothing = ((),) * len(skills)
    return Route(skills=skills, insights=nothing, demonstrations=nothing)


def played(
    llm, *, plan=TWO, skills=(("press",), ("press",)), world=None, goal=GOAL, variation=PLAIN, most=9, **options
):
    files = {key: {FILE: text} for key, text in PROGRAMS.items()} | {"words": {}}
    known = {key: Skill(name=key, description="d", body=f"about {key}", files=text) for key, text in files.items()}
    library = Library(skills=known, insights={"i": INSIGHT})
    again = partial(replan, llm=llm, near=lambda goal, held, domain: list(held.skills.values()), route=chosen_for)
    insights, nothing = (ranked(["i"])[0], *((),) * (len(plan) - 1)), ((),) * len(plan)
    route = Route(skills=ranked(*skills), insights=insights, demonstrations=nothing)
    world = world or Panel(slips={1})
    task = Task(env="panel", name="t", seed=0, max_steps=most)
    whole = Plan(goal=goal, subgoals=plan)
    first = world.reset(task)
    trajectory = act(world, task, first, whole, route, library, llm=llm, variation=variation, replan=again, **options)
    return Attempt(plan=whole, route=route, trajectory=trajectory, verdict=Verdict(score=0, by="nobody"), library="l")


def test_a_part_that_did_not_come_true_is_planned_again_and_carried_out_without_another_word():
    llm = planner([subgoal(GREEN + " again", "green is lit"), subgoal(RED)])
    trajectory = played(llm).trajectory
    assert trajectory.reward == 1.0
    assert [step.by for step in trajectory.steps] == ["program"] * 3
    assert [(run.skill, run.helped) for run in trajectory.runs] == [("press", True), ("again", False), ("press", False)]
    (made,) = trajectory.replanned
    assert made.why == "its steps are done, but it is not so that green is lit"
    assert [part.text for part in made.plan.subgoals] == [GREEN + " again", RED]
    assert (len(llm.asked), trajectory.surprise) == (1, "")


def test_the_planner_is_told_what_is_done_what_failed_and_what_is_seen():
    llm = planner([subgoal(RED)])
    plan = (
        TWO[0],
        Subgoal(text=WHITE, done_when="all is well"),
        Subgoal(text=BLUE, done_when="blue and red are lit"),
    )
    trajectory = played(llm, plan=plan, skills=(["press"], ["press"], ["gone"]), world=Panel()).trajectory
    (prompt,) = asked(llm)
    for told in (
        f"<goal>\n{GOAL}\n</goal>",
        f"<worked>\n- {GREEN} (it is so that green is lit)\n- {WHITE}\n</worked>",
        f'<failed>\n{BLUE}: there is no link "gone"\n</failed>',
        "pressed 3 times\n</state>",
        '- press the "{colour}" button\n',
    ):
        assert told in prompt
    assert (trajectory.reward, trajectory.replanned[0].why) == (1.0, 'there is no link "gone"')


def test_what_an_earlier_plan_did_is_told_too_and_that_it_is_no_longer_so():
    llm = planner([subgoal(BLUE, "blue is lit"), subgoal(WHITE, "white is lit")], [subgoal(GREEN), subgoal(RED)])
    plan = (TWO[0], Subgoal(text=BLUE, done_when="blue is lit"))
    trajectory = played(llm, plan=plan, world=Panel(slips={2}, dark={4})).trajectory
    first, second = asked(llm)
    assert f"<worked>\n- {GREEN} (it is so that green is lit)\n</worked>" in first
    done = f"- {GREEN} (it is no longer so that green is lit)\n- {BLUE} (it is no longer so that blue is lit)"
    assert f"<worked>\n{done}\n</worked>" in second
    assert (trajectory.reward, len(trajectory.steps)) == (1.0, 6)


def test_where_the_parts_are_done_and_the_task_is_not_what_is_missing_is_planned():
    llm = planner([subgoal(GREEN)])
    plan = (Subgoal(text=GREEN), Subgoal(text=RED))
    trajectory = played(llm, plan=plan).trajectory
    assert (trajectory.reward, trajectory.replanned[0].why) == (1.0, "its steps are done, the task is not")


def test_at_most_two_plans_are_made_again():
    again = [subgoal(GREEN, "green is lit"), subgoal(RED)]
    llm = planner(again, again, again)
    trajectory = played(llm, world=Panel(slips=range(99)), most=6).trajectory
    assert (len(asked(llm)), len(trajectory.replanned)) == (2, 2)
    assert [step.by for step in trajectory.steps] == ["program"] * 3 + ["model"] * 3
    assert trajectory.surprise == "its steps are done, but it is not so that green is lit"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"replanning": False}, id="switched off"),
        pytest.param({"world": Lasting(slips={1})}, id="what is done lasts"),
        pytest.param({"variation": Variation(alone=True)}, id="the model must not be asked"),
        pytest.param({"plan": (Subgoal(text=GREEN),), "skills": [["gone"]], "goal": GREEN}, id="never divided"),
        pytest.param({"skills": (["press", "other"], ["press"])}, id="another program takes over"),
        pytest.param({"skills": ([], [])}, id="the model does it anyway"),
    ],
)
def test_no_plan_is_made_again_where_none_is_wanted(options):
    llm = planner([subgoal(RED)])
    trajectory = played(llm, **options).trajectory
    assert (asked(llm), trajectory.replanned) == ([], ())


def refusing():
    def answer(messages, role):
        if role is Role.PLANNER:
            raise PromptTooLong("too long")
        return {"verb": "look"}

    return ScriptedLLM(answer)


@pytest.mark.parametrize("llm", [planner(), refusing()], ids=["out of form", "too long to ask"])
def test_without_a_new_plan_the_model_goes_on(llm):
    trajectory = played(llm, most=3).trajectory
    assert [step.by for step in trajectory.steps] == ["program", "model", "model"]
    assert trajectory.replanned == ()
    assert trajectory.surprise == "its steps are done, but it is not so that green is lit"


def test_a_part_that_the_model_calls_done_is_looked_at():
    llm = planner([subgoal(GREEN), subgoal(RED)], acts=lambda: {"verb": "next_part"})
    trajectory = played(llm, skills=([], ["press"]), world=Panel()).trajectory
    assert [step.action.verb for step in trajectory.steps] == ["next_part", "click", "click"]
    assert (trajectory.reward, trajectory.replanned[0].why) == (1.0, "it is not so that green is lit")


def test_where_no_new_plan_comes_of_that_the_next_part_begins():
    trajectory = played(planner(acts=lambda: {"verb": "next_part"}), skills=([], ["press"]), most=2).trajectory
    assert [(step.action.verb, step.by) for step in trajectory.steps] == [("next_part", "model"), ("click", "program")]


def test_a_part_of_the_models_is_over_once_it_is_so():
    world = Panel()
    green = next(one.ref for one in world.reset(Task(env="panel", name="t")).elements if one.name == "green")
    trajectory = played(planner(acts=lambda: {"verb": "click", "ref": green}), skills=([], ["press"]), world=world)
    assert [step.by for step in trajectory.trajectory.steps] == ["model", "program"]


@pytest.mark.parametrize(
    ("lit", "plans"), [pytest.param((), 0, id="it came true"), pytest.param(["green"], 1, id="it was so before")]
)
def test_a_surprise_is_no_failure_where_what_was_wanted_came_true(lit, plans):
    llm = planner([subgoal(RED)])
    trajectory = played(llm, skills=(["gone"], ["press"]), world=Panel(lit=lit)).trajectory
    assert (trajectory.reward, len(asked(llm))) == (1.0, plans)
    assert [(run.skill, run.helped) for run in trajectory.runs] == [("gone", True), ("press", False)]


def test_the_model_reads_the_new_plan_and_its_skills_and_what_the_conversation_began_with():
    llm = planner([subgoal("think"), subgoal(GREEN), subgoal(RED)], acts=lambda: {"verb": "next_part"})
    plan = (TWO[0], Subgoal(text="look"))
    trajectory = played(llm, plan=plan, skills=(["press"], [])).trajectory
    (said,) = asked(llm, Role.ACTOR)
    for told in (f"{GOAL}\n1. think\n2. {GREEN}\n3. {RED}", "about words", "they slip", "next_part"):
        assert told in said
    assert (trajectory.reward, trajectory.steps[1].recalled) == (1.0, f"part 2 of the plan comes now: {GREEN}")


def test_what_the_new_plan_shows_and_asks_for_is_in_the_ledger():
    plan = (TWO[0].model_copy(update={"wanted": "painting"}), TWO[1])
    tried = played(planner([subgoal(GREEN + " again", wanted="lighting"), subgoal(RED, wanted="painting")]), plan=plan)
    line = Attempted.of(tried)
    assert (line.wanted, line.shown) == (("painting", "lighting"), ("press", "i", "again"))
