"""Memory in the middle of an episode: like moments beside the state, and questions that are answered."""

from skillagent.acting.act import act
from skillagent.acting.distil import Distiller
from skillagent.acting.invent import SELF_MADE
from skillagent.acting.policy import RECALL, Aids
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.practice.explore import _wrong
from skillagent.schema import (
    Demonstration,
    KeyStep,
    Moment,
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
LIBRARY = Library(skills={"s": Skill(name="s", description="d", body="b")})
NO_ROUTE = Route(skills=((),), insights=((),), demonstrations=((),))
MOMENT = Moment(of="d", goal="press it", step=KeyStep(observation="a wall", action='{"verb":"click"}'), score=0.9)


def acted(*replies, library=LIBRARY, route=NO_ROUTE, **options):
    world, model = Corridor(), ScriptedLLM([*replies])
    first = world.reset(TASK)
    plan = Plan(goal=first.goal)
    trajectory = act(world, TASK, first, plan, route, library, llm=model, variation=Variation(), aids=Aids(**options))
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
        recall=lambda question, library: Recalled(text=f"{question} The red one.", of=("i",)),
    )
    assert [step.recalled for step in trajectory.steps] == ["which one? The red one.", ""]
    assert trajectory.steps[0].error is None
    assert trajectory.examples == ("i",), "what it was told was shown"
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
    plan = Plan(goal=first.goal)
    route = Route(skills=((),), insights=((),), demonstrations=((),))
    done = act(
        world,
        TASK,
        first,
        plan,
        route,
        LIBRARY,
        llm=model,
        variation=Variation(),
        aids=Aids(recall=lambda question, library: Recalled()),
    )
    assert done.steps[0].recalled == "nothing about that"
    offered = [[one["properties"]["verb"]["const"] for one in schema["anyOf"]] for schema in schemas]
    assert offered == [["click", RECALL.name], ["click"]]


def test_without_a_library_there_is_nothing_to_ask():
    _, _, conversations = acted(right(), library=Library(), recall=lambda question, library: Recalled())
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
    plan = Plan(goal=first.goal)
    done = act(world, TASK, first, plan, NO_ROUTE, LIBRARY, llm=model, variation=Variation(), aids=Aids(invent=1))
    assert done.reward == 1.0
    assert done.examples == ()


def demo(key, goal, *states):
    steps = tuple(KeyStep(observation=state, action=MOMENT.step.action) for state in states or ("a wall",))
    return Demonstration(id=key, domain="corridor", goal=goal, steps=steps)


DEMOS = Library(demonstrations={key: demo(key, f"press {key}") for key in ("a", "b")})
LONG = Library(demonstrations={key: demo(key, f"press {key}", f"a wall{' of stone' * 250}") for key in ("a", "b")})
WITH_A = Route(skills=((),), insights=((),), demonstrations=((Ranked(id="a", score=1.0),),))


def distiller(harmful=(), characters=600):
    return Distiller(
        lambda goal, library: [*library.demonstrations.values()], characters=characters, harmful=lambda: harmful
    )


def test_near_demonstrations_that_fit_are_shown_whole_and_nothing_is_distilled():
    uneven = demo("b", "press b", "y" * 2_500, "a door")  # longer than the half of an example's room
    library = Library(demonstrations={"a": DEMOS.demonstrations["a"], "b": uneven})
    trajectory, _, (told,) = acted(right(), library=library, route=WITH_A, distil=distiller())
    assert [message.content.partition("\n")[0] for message in told if "An example" in message.content] == [
        "An example of a task: press a",
        "An example of a task: press b",
    ]
    assert any("y" * 2_500 in message.content for message in told)
    assert told[2].content == MOMENT.step.action, "as turns that look like the model's own"
    assert trajectory.examples == ("a", "b")


def test_they_must_fit_together_into_the_room_of_one_example():
    halves = {key: demo(key, f"press {key}", "y" * 1_900) for key in ("a", "b")}
    _, model, _ = acted("Click it.", right(), library=Library(demonstrations=halves), distil=distiller())
    assert len(model.asked) == 2, "the rules are asked for"
    halves["b"] = DEMOS.demonstrations["b"]
    _, model, _ = acted(right(), library=Library(demonstrations=halves), distil=distiller())
    assert len(model.asked) == 1


def test_near_demonstrations_become_a_block_of_rules_that_is_written_once_and_has_an_id():
    distil = distiller()
    trajectory, _, conversations = acted("Find its name.\nClick it.", right(), library=LONG, distil=distil)
    assert "Task: press a\na wall" in conversations[0][0].content
    assert "in common:\n<rules>\nFind its name.\nClick it.\n</rules>" in conversations[1][0].content
    (key,) = trajectory.examples
    assert key.startswith("rules-")
    again, model, _ = acted(right(), library=LONG, distil=distil)
    assert (len(model.asked), again.examples) == (1, (key,))
    hurting, model, _ = acted(right(), library=LONG, distil=distiller(harmful=[key]))
    assert (len(model.asked), hurting.examples) == (1, ())


def test_a_block_of_rules_is_cut_at_a_line_and_stands_instead_of_the_example():
    _, _, conversations = acted(
        "12345\n1234567\n12", right(), library=LONG, route=WITH_A, distil=distiller(characters=9)
    )
    assert "<rules>\n12345\n</rules>" in conversations[1][0].content
    assert not any("a wall" in message.content for message in conversations[1])


def test_of_a_single_demonstration_no_rules_are_made():
    one = Library(demonstrations={"a": LONG.demonstrations["a"]})
    trajectory, model, _ = acted(right(), library=one, distil=distiller())
    assert (len(model.asked), trajectory.examples) == (1, ())


class Scoring(Corridor):
    """Says at every turn how far one is, as the real worlds do."""

    def step(self, action):
        outcome = super().step(action)
        return outcome if outcome.reward is not None else outcome.model_copy(update={"reward": 0.0})


def test_an_episode_that_ends_with_a_question_is_failed_and_not_unscored():
    world, model = Scoring(), ScriptedLLM([{"verb": "recall", "question": "q"}])
    task = TASK.model_copy(update={"max_steps": 1})
    first = world.reset(task)
    plan = Plan(goal=first.goal)
    route = Route(skills=((),), insights=((),), demonstrations=((),))
    answer = {"recall": lambda question, library: Recalled(text="red")}
    done = act(world, task, first, plan, route, LIBRARY, llm=model, variation=Variation(), aids=Aids(**answer))
    assert (done.reward, done.steps[0].error, done.steps[0].recalled) == (0.0, None, "red")


def test_a_question_is_done_again_as_a_question_and_nothing_else_follows_from_it():
    answer = {"recall": lambda question, library: Recalled(text="red")}
    asking, _, _ = acted({"verb": "recall", "question": "q"}, {"verb": "fly"}, {"verb": "fly"}, right(), **answer)
    assert _wrong(asking.model_copy(update={"terminated": False})) == 1
    world, model = Corridor(), ScriptedLLM([right()])
    first = world.reset(TASK)
    plan = Plan(goal=first.goal)
    route = Route(skills=((),), insights=((),), demonstrations=((),))
    begin = Variation(begin=asking.steps[:1])
    again = act(world, TASK, first, plan, route, LIBRARY, llm=model, variation=begin, aids=Aids(**answer))
    assert [(step.action.verb, step.error, step.recalled) for step in again.steps] == [
        ("recall", None, "red"),
        ("click", None, ""),
    ]
