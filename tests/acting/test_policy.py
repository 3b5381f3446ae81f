"""What the model is shown before it chooses: what stands for a demonstration, and what goes where skills are unfit."""

import pytest

from skillagent.acting.act import act
from skillagent.acting.policy import Aids
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.schema import (
    Condition,
    Demonstration,
    Insight,
    KeyStep,
    Plan,
    Ranked,
    Recalled,
    Route,
    Skill,
    Task,
    Variation,
)
from skillagent.testing import Corridor, ScriptedLLM

TASK = Task(env="corridor", name="press", seed=0, max_steps=4)
UNFIT = "goals: ['press the \"{colour}\" button']\nsteps:\n- click: {role: link, name: '{colour}'}"
WORKED = ('{"verb":"click","ref":"button blue"}',)


def demo(key):
    step = KeyStep(observation="a wall", action=WORKED[0])
    return Demonstration(id=key, domain="corridor", goal=f"press {key}", steps=(step,))


def insight(worked=WORKED):
    condition = Condition(applies="When there are doors")
    return Insight(
        id="i",
        taxonomy="corridor/b/c",
        kind="pitfall",
        condition=condition,
        explanation="Look.",
        example="learnt",
        worked=worked,
    )


def acted(*, skill="", demonstrations=(), worked=WORKED, **aids):
    """Return what happened, and what the model was asked, with one skill of that program, if it is given."""
    world, model = Corridor(), ScriptedLLM(lambda messages, role: {"verb": "click", "ref": "0"})
    skills = {"s": Skill(name="s", description="d", body="b", files={FILE: skill})} if skill else {}
    library = Library(skills=skills, demonstrations={key: demo(key) for key in "ab"}, insights={"i": insight(worked)})
    route = Route(
        skills=(tuple(Ranked(id=name, score=1) for name in skills),),
        insights=((Ranked(id="i", score=1),),),
        demonstrations=(tuple(Ranked(id=key, score=1) for key in demonstrations),),
    )
    first = world.reset(TASK)
    plan = Plan(goal=first.goal)
    done = act(world, TASK, first, plan, route, library, llm=model, variation=Variation(), aids=Aids(**aids))
    return done, [messages for _, messages in model.asked]


def examples(messages):
    heads = [message.content.partition("\n")[0] for message in messages]
    return [head.removeprefix("An example of a task: ") for head in heads if head.startswith("An example")]


def whole(goal, library, llm, room):
    return Recalled(of=("a", "b"))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param({}, ["learnt"], id="an insight stands for it"),
        pytest.param({"skill": UNFIT}, ["learnt"], id="it stays where it stood for it from the start"),
        pytest.param({"demonstrations": "a"}, ["press a"], id="the routed one"),
        pytest.param({"skill": UNFIT, "demonstrations": "a"}, [], id="it goes, and no insight steps in"),
        pytest.param({"distil": whole}, ["press a", "press b"], id="several whole ones"),
        pytest.param({"skill": UNFIT, "distil": whole}, [], id="they go too"),
    ],
)
def test_where_all_skills_are_unfit_the_examples_go_and_nothing_steps_in(given, shown):
    done, asked = acted(**given)
    assert done.unfit == (("s",) if "skill" in given else ())
    assert examples(asked[0]) == shown
    assert done.examples == (("a", "b") if len(shown) == 2 else ())
    told = "what worked for: learnt" in asked[0][0].content
    assert told == ("learnt" not in shown), "what worked with the insight is told once"


def test_examples_are_made_up_only_where_none_is_known():
    _, asked = acted(invent=2)
    assert not any("make up" in messages[0].content for messages in asked)
    _, asked = acted(invent=2, worked=())
    assert "make up 2 others" in asked[0][0].content
