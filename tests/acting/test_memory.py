"""Memory in the middle of an episode: like moments beside the state, and questions that are answered."""

from skillagent.acting.act import RECALL, act
from skillagent.acting.invent import SELF_MADE
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.schema import KeyStep, Moment, Plan, Route, Skill, Subgoal, Task, Variation
from skillagent.testing import Corridor, ScriptedLLM

TASK = Task(env="corridor", name="press", seed=0, max_steps=4)
LIBRARY = Library(skills={"s": Skill(name="s", description="d", body="b")})
MOMENT = Moment(of="d", goal="press it", step=KeyStep(observation="a wall", action='{"verb":"click"}'), score=0.9)


def acted(*replies, library=LIBRARY, **options):
    world, model = Corridor(), ScriptedLLM([*replies])
    first = world.reset(TASK)
    plan = Plan(goal=first.goal, subgoals=(Subgoal(text=first.goal),))
    route = Route(skills=((),), insights=((),), demonstrations=((),))
    trajectory = act(world, TASK, first, plan, route, library, llm=model, variation=Variation(), **options)
    return trajectory, model, [messages for _, messages in model.asked]


def right():
    first = Corridor().reset(TASK)
    return {"verb": "click", "ref": next(e.ref for e in first.elements if e.name == "red")}


def test_like_moments_stand_beside_the_present_state_and_are_noted():
    asked = []

    def likes(goal, state, before, library):
        asked.append((goal, before))
        return [MOMENT] if not before else []

    trajectory, _, conversations = acted({"verb": "fly"}, right(), likes=likes)
    assert trajectory.examples == ("d",)
    assert [step.examples for step in trajectory.steps] == [("d",), ()]
    assert "A moment like this, of the task press it\n<state>\na wall\n</state>" in conversations[0][-1].content
    assert not any("A moment like this" in message.content for message in conversations[1])
    assert asked == [(trajectory.goal, ""), (trajectory.goal, '{"verb":"fly"}')]


def test_a_question_is_answered_and_changes_nothing():
    trajectory, _, conversations = acted(
        {"verb": "recall", "question": "which one?"},
        right(),
        recall=lambda question, library: f"{question} The red one.",
    )
    assert [step.recalled for step in trajectory.steps] == ["which one? The red one.", ""]
    assert trajectory.steps[0].error is None
    assert trajectory.reward == 1.0
    assert "You remember:\n<memory>\nwhich one? The red one.\n</memory>" in conversations[1][-1].content
    assert "recall(question)" in conversations[0][0].content


def test_what_is_not_known_is_said_so_and_nobody_asks_twice_in_one_state():
    schemas = []

    class Listening(ScriptedLLM):
        def reply(self, messages, *, schema=None, **rest):
            schemas.append(schema)
            return super().reply(messages, schema=schema, **rest)

    world, model = Corridor(), Listening([{"verb": "recall", "question": "q"}, right()])
    first = world.reset(TASK)
    plan = Plan(goal=first.goal, subgoals=(Subgoal(text=first.goal),))
    route = Route(skills=((),), insights=((),), demonstrations=((),))
    done = act(
        world, TASK, first, plan, route, LIBRARY, llm=model, variation=Variation(), recall=lambda question, library: ""
    )
    assert done.steps[0].recalled == "nothing about that"
    offered = [[one["properties"]["verb"]["const"] for one in schema["anyOf"]] for schema in schemas]
    assert offered == [["click", RECALL.name], ["click"]]


def test_without_a_library_there_is_nothing_to_ask():
    _, _, conversations = acted(right(), library=Library(), recall=lambda question, library: "")
    assert "recall" not in conversations[0][0].content


def test_where_the_library_has_nothing_the_model_makes_up_examples_once_and_they_are_marked():
    trajectory, _, conversations = acted("press blue: click blue", {"verb": "fly"}, right(), invent=2)
    assert "make up 2 others" in conversations[0][0].content
    assert "nobody has checked them:\n<made-up>\npress blue: click blue\n</made-up>" in conversations[1][0].content
    assert len(conversations) == 3
    assert trajectory.examples == (SELF_MADE,)


def test_where_there_is_an_example_or_no_room_none_is_made_up():
    acted(right(), invent=2, likes=lambda *_: [MOMENT])

    def full(messages, role):
        if "make up" in messages[0].content:
            raise PromptTooLong("no room")
        return right()

    world, model = Corridor(), ScriptedLLM(full)
    first = world.reset(TASK)
    plan = Plan(goal=first.goal, subgoals=(Subgoal(text=first.goal),))
    route = Route(skills=((),), insights=((),), demonstrations=((),))
    done = act(world, TASK, first, plan, route, LIBRARY, llm=model, variation=Variation(), invent=1)
    assert done.reward == 1.0
    assert done.examples == ()
