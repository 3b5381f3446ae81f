"""Programs act first; the model goes on where they do not fit, with all that was done."""

import pytest

from skillagent.acting.act import act
from skillagent.acting.policy import Aids
from skillagent.acting.program import asked
from skillagent.learning.trace import useful_steps
from skillagent.library import Library
from skillagent.programs.text import FILE, parse
from skillagent.schema import (
    Action,
    Element,
    Outcome,
    Plan,
    Ranked,
    Recalled,
    Route,
    Skill,
    Step,
    Subgoal,
    Task,
    Variation,
    Verb,
    digest_of,
)
from skillagent.testing import Corridor, ScriptedLLM

PRESS = "goals: ['press the \"{colour}\" button']\nsteps:\n- click: {role: button, name: '{colour}'}"
OTHER_PAGE = "goals: ['press the \"{colour}\" button']\nsteps:\n- click: {role: link, name: '{colour}'}"
TASK = Task(env="corridor", name="t", seed=0)  # its goal: press the "red" button
ANY = ScriptedLLM([])
PLAIN = Variation()


def library(**programs):
    return Library(
        skills={
            name: Skill(name=name, description="d", body=f"about {name}", files={FILE: text} if text else {})
            for name, text in programs.items()
        }
    )


def routed(*parts):
    skills = tuple(tuple(Ranked(id=name, score=1) for name in part) for part in parts)
    return Route(skills=skills, insights=((),) * len(parts), demonstrations=((),) * len(parts))


def acted(texts, *, llm=ANY, goal="", world=None, variation=PLAIN, caps=None, **options):
    environment, task = world or Corridor(), TASK.model_copy(update={"goal": goal, **(caps or {})})
    first = environment.reset(task)
    plan = Plan(goal=first.goal)
    known = library(**texts)
    return act(environment, task, first, plan, routed(tuple(texts)), known, llm=llm, variation=variation, **options)


class Noting(ScriptedLLM):
    """Keeps the schemas that it was asked with."""

    def __init__(self, answer):
        super().__init__(answer)
        self.schemas = []

    def reply(self, messages, *, role, schema=None, **more):
        self.schemas.append(schema)
        return super().reply(messages, role=role, schema=schema, **more)


def press(ref="0"):
    return lambda messages, role: {"verb": "click", "ref": ref}


def test_a_goal_that_a_program_knows_is_reached_without_the_model():
    trajectory = acted({"press": PRESS})
    assert (trajectory.reward, trajectory.model_free_steps) == (1.0, 1)
    assert [step.by for step in trajectory.steps] == ["program"]
    assert (trajectory.programs, trajectory.unfit, trajectory.surprise) == (("press",), (), "")


def test_a_try_that_begins_as_an_earlier_one_asks_the_model_from_there_on():
    first = Corridor().reset(TASK)
    refused = Action(verb="click", arguments={"ref": "gone"})
    warm = Variation(temperature=0.3, begin=(Step(observation=first, action=refused),))
    right = next(element.ref for element in first.elements if element.name == "red")
    trajectory = acted({"press": PRESS}, llm=ScriptedLLM(press(right)), variation=warm)
    assert [step.action for step in trajectory.steps] == [refused, Action(verb="click", arguments={"ref": right})]
    assert ([step.by for step in trajectory.steps], trajectory.reward) == (["model", "model"], 1.0)


def test_what_an_earlier_try_did_is_not_done_where_the_page_looks_otherwise():
    elsewhere = Corridor().reset(TASK.model_copy(update={"seed": 1}))
    begin = (Step(observation=elsewhere, action=Action(verb="click", arguments={"ref": "gone"})),)
    trajectory = acted({}, llm=ScriptedLLM(press()), variation=Variation(temperature=0.3, begin=begin))
    assert [step.action.arguments for step in trajectory.steps] == [{"ref": "0"}]


def test_a_program_that_does_not_find_what_it_begins_with_leaves_the_page_to_the_next():
    trajectory = acted({"other": OTHER_PAGE, "press": PRESS})
    assert trajectory.reward == 1.0
    assert (trajectory.programs, trajectory.unfit) == (("press",), ("other",))


def test_what_is_not_for_this_page_is_not_shown_to_the_model_either():
    llm = ScriptedLLM(press())
    trajectory = acted({"other": OTHER_PAGE, "words": ""}, llm=llm)
    shown = "\n".join(message.content for message in llm.asked[0][1])
    assert "about words" in shown
    assert "about other" not in shown
    assert (trajectory.programs, trajectory.unfit) == ((), ("other",))
    assert trajectory.surprise == 'there is no link "red"'


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param("steps: [", {}, id="unreadable"),
        pytest.param("goals: [leave]\nsteps: [done]", {}, id="for another goal"),
        pytest.param(PRESS, {"programs": False}, id="switched off"),
        pytest.param(PRESS, {"variation": Variation(temperature=0.5)}, id="while looking for another way"),
    ],
)
def test_without_a_program_to_run_the_model_acts(text, options):
    trajectory = acted({"press": text}, llm=ScriptedLLM(press()), filling=False, **options)
    assert [step.by for step in trajectory.steps] == ["model"]


class Form:
    """A page whose second step is not what a program expects."""

    verbs = Corridor.verbs

    def reset(self, task):
        self._inner = Corridor()
        self._first = self._inner.reset(task)
        self._steps = 0
        return self._first

    def step(self, action):
        self._steps += 1
        if self._steps == 1:
            return Outcome(observation=self._first.model_copy(update={"text": "changed\n" + self._first.text}))
        return self._inner.step(action)


TWO_STEPS = PRESS.replace("steps:\n", "steps:\n- click: {name: green}\n").replace("role: button", "role: link")


def test_a_surprise_hands_over_to_the_model_with_what_was_done():
    llm = ScriptedLLM(press())
    trajectory = acted({"press": TWO_STEPS}, llm=llm, world=Form())
    assert [step.by for step in trajectory.steps] == ["program", "model"]
    assert trajectory.surprise == 'there is no link "red"'
    assert [run.helped for run in trajectory.runs] == [True]
    turns = [message.content for message in llm.asked[0][1]]
    assert any('"verb":"click"' in turn for turn in turns), "the program's action is part of the conversation"
    assert "changed" in turns[-1]


class Popup(Form):
    """After the first step a window is in the way, until it is closed."""

    def step(self, action):
        self._steps += 1
        if self._steps == 1:
            closing = Element(ref="ok", role="button", name="OK")
            return Outcome(observation=self._first.model_copy(update={"text": "a window", "elements": (closing,)}))
        if self._steps == 2:
            assert action.arguments == {"ref": "ok"}
            return Outcome(observation=self._first)
        return self._inner.step(action)


class Endless:
    """A page on which nothing ever ends."""

    verbs = Corridor.verbs

    def reset(self, task):
        self._first = Corridor().reset(task)
        return self._first

    def step(self, action):
        return Outcome(observation=self._first)


@pytest.mark.parametrize(
    ("caps", "by"),
    [
        ({"max_steps": 9, "max_turns": 2}, ["program"] * 3 + ["model"] * 2),
        ({"max_steps": 4, "max_turns": 2}, ["program"] * 3 + ["model"]),
        ({"max_steps": 5}, ["program"] * 3 + ["model"] * 2),
    ],
)
def test_what_a_program_does_is_not_counted_against_the_turns_of_the_model(caps, by):
    thrice = PRESS.replace("steps:\n", "steps:\n- click: {name: green}\n- click: {name: green}\n")
    trajectory = acted({"press": thrice}, llm=ScriptedLLM(press()), world=Endless(), caps=caps)
    assert [step.by for step in trajectory.steps] == by
    assert trajectory.truncated


def test_a_program_goes_on_once_the_model_has_cleared_the_way():
    program = PRESS.replace("steps:\n", "steps:\n- click: {name: green}\n")
    trajectory = acted({"press": program}, llm=ScriptedLLM(press("ok")), world=Popup())
    assert [step.by for step in trajectory.steps] == ["program", "model", "program"]
    assert (trajectory.reward, trajectory.surprise) == (1.0, 'there is no button "red"')
    assert [run.helped for run in trajectory.runs] == [True]


class Stuck(Form):
    """A page on which nothing ever happens."""

    def step(self, action):
        return Outcome(observation=self._first)


def test_after_a_surprise_that_nobody_clears_no_later_subgoal_runs_its_program():
    missing = "goals: ['press the \"{colour}\" button']\nsteps:\n- click: {name: green}\n- click: {name: gone}"
    trajectory = acted_in_two_parts(PRESS, first=missing, llm=ScriptedLLM(press()), world=Stuck())
    assert trajectory.programs == ("a",)
    assert [step.by for step in trajectory.steps[1:]] == ["model"] * (len(trajectory.steps) - 1)


def test_a_hole_asks_the_model_for_one_verb_on_what_fits_and_the_program_goes_on():
    hole = "goals: ['press the \"{colour}\" button']\nsteps:\n- ask: {click: {name: '{colour}'}, about: which one}"
    llm = Noting(lambda messages, role: {"verb": "click"})
    trajectory = acted({"press": hole}, llm=llm)
    assert (trajectory.reward, trajectory.steps[0].by) == (1.0, "model")
    (choice,) = llm.schemas[0]["anyOf"]
    assert set(choice["properties"]) == {"verb"}, "only one element fits: there is nothing to choose"
    assert "Now only: which one" in llm.asked[0][1][-1].content


class Board(Corridor):
    """Things are dragged here, onto places."""

    verbs = (
        Verb(
            name="drag",
            doc="Drag one thing onto another.",
            parameters={
                "type": "object",
                "properties": {key: {"type": "string", "format": "ref"} for key in ("ref", "to_ref")},
                "required": ["ref", "to_ref"],
            },
        ),
    )

    def reset(self, task):
        parts = (("1", "button", "a"), ("2", "button", "b"), ("3", "link", "x"), ("4", "link", "y"))
        made = tuple(Element(ref=ref, role=role, name=name) for ref, role, name in parts)
        return super().reset(task).model_copy(update={"elements": made})


def test_a_hole_with_two_open_elements_offers_for_each_only_what_fits_it():
    hole = "goals: ['press the \"{colour}\" button']\nsteps:\n- ask: {drag: {role: button, to: {role: link}}}"
    llm = Noting(lambda messages, role: {"verb": "drag", "ref": "1", "to_ref": "3"})
    acted({"drag": hole}, llm=llm, world=Board())
    offered = llm.schemas[0]["anyOf"][0]["properties"]
    assert [len(offered[name]["enum"]) for name in ("ref", "to_ref")] == [2, 2]
    assert not set(offered["ref"]["enum"]) & set(offered["to_ref"]["enum"])


def test_a_program_that_ends_before_its_task_does_says_so():
    pointless = "goals: ['press the \"{colour}\" button']\nsteps:\n- click: {name: green}"
    trajectory = acted({"press": pointless}, llm=ScriptedLLM(press()), world=Form())
    assert [step.by for step in trajectory.steps] == ["program", "model"]
    assert trajectory.surprise == "its steps are done, the task is not"


POINTLESS = "goals: ['press the \"{colour}\" button']\nsteps:\n- click: {name: green}"


class Forgotten(Form):
    """Nothing that is done here lasts beyond the next reset."""

    anew = True


@pytest.mark.parametrize("first", [POINTLESS, TWO_STEPS])
def test_another_program_takes_over_where_one_did_not_do_it_and_nothing_lasts(first):
    trajectory = acted({"a": first, "b": OTHER_PAGE, "c": PRESS}, variation=Variation(alone=True), world=Forgotten())
    assert [step.by for step in trajectory.steps] == ["program", "program"]
    assert [(run.skill, run.fit, run.helped) for run in trajectory.runs] == [
        ("a", True, True),
        ("b", False, False),
        ("c", True, False),
    ]
    assert (trajectory.reward, trajectory.surprise) == (1.0, "")


def test_where_what_is_done_lasts_no_other_program_does_it_again():
    trajectory = acted({"a": POINTLESS, "c": PRESS}, variation=Variation(alone=True), world=Form())
    assert (trajectory.programs, trajectory.reward) == (("a",), None)


def test_after_another_program_has_done_a_part_the_next_part_begins():
    class Nothing(Endless):
        anew = True

    world = Nothing()
    first = world.reset(TASK)
    parts = (Subgoal(text='press the "green" button'), Subgoal(text='press the "red" button'))
    missing = POINTLESS + "\n- click: {name: gone}"
    known, route = library(a=missing, c=PRESS, b=PRESS), routed(("a", "c"), ("b",))
    plan, alone = Plan(goal="both", subgoals=parts), Variation(alone=True)
    trajectory = act(world, TASK, first, plan, route, known, llm=ANY, variation=alone)
    assert trajectory.programs == ("a", "c", "b")


def test_replanning_can_be_left_out():
    trajectory = acted(
        {"a": POINTLESS, "c": PRESS}, variation=Variation(alone=True), world=Forgotten(), replanning=False
    )
    assert (trajectory.programs, trajectory.reward) == (("a",), None)


def test_at_most_two_programs_are_taken_over_from():
    class Nothing(Endless):
        anew = True

    trajectory = acted(
        dict.fromkeys("abcd", POINTLESS), llm=ScriptedLLM(press()), world=Nothing(), caps={"max_steps": 5}
    )
    assert trajectory.programs == ("a", "b", "c")
    assert [step.by for step in trajectory.steps] == ["program"] * 3 + ["model"] * 2


def test_alone_the_episode_ends_where_the_model_would_be_asked():
    alone = Variation(alone=True)
    assert acted({"press": PRESS}, variation=alone).reward == 1.0
    stopped = acted({"press": TWO_STEPS}, variation=alone, world=Form())
    assert ([step.by for step in stopped.steps], stopped.reward, stopped.truncated) == (["program"], None, True)
    assert acted({"press": PRESS}, variation=alone, goal="no such pattern").steps == ()


@pytest.mark.parametrize(
    "hole",
    [
        pytest.param("teleport: {}", id="a verb that there is not"),
        pytest.param("fill: {role: button}", id="elements that the verb does not work on"),
    ],
)
def test_a_hole_that_nothing_can_fill_is_a_surprise_and_no_question(hole):
    class Choosing(ScriptedLLM):
        def reply(self, messages, *, role, schema=None, **more):
            assert schema["anyOf"], "there is nothing to choose from"
            return super().reply(messages, role=role, schema=schema, **more)

    text = f"goals: ['press the \"{{colour}}\" button']\nsteps:\n- ask: {{{hole}}}"
    trajectory = acted({"press": text}, llm=Choosing(press()))
    assert trajectory.surprise.startswith("nothing is left here to")
    assert [step.action.verb for step in trajectory.steps] == ["none", "click"]


def acted_in_two_parts(second, *, first=PRESS, llm=ANY, world=None, seen=""):
    """Return what comes of a plan of two subgoals, each with its own skill; the first is done when `seen` is seen."""
    environment, program = world or Form(), first
    first = environment.reset(TASK)
    parts = (Subgoal(text='press the "green" button', done_when=seen), Subgoal(text='press the "red" button'))
    known = library(a=program, b=second)
    return act(
        environment,
        TASK,
        first,
        Plan(goal="both", subgoals=parts),
        routed(("a",), ("b",)),
        known,
        llm=llm,
        variation=PLAIN,
    )


def test_each_subgoal_runs_the_program_of_its_own_skill():
    trajectory = acted_in_two_parts(PRESS)
    assert (trajectory.programs, trajectory.reward) == (("a", "b"), 1.0)


def then(*answers):
    """Give these answers one after the other, the last one for ever."""
    left = list(answers)
    return Noting(lambda messages, role: left.pop(0) if len(left) > 1 else left[0])


CLICK, NEXT = {"verb": "click", "ref": "0"}, {"verb": "next_part"}


def test_a_part_that_the_model_has_done_is_followed_by_the_program_of_the_next():
    trajectory = acted_in_two_parts(PRESS, first="", llm=then(CLICK, NEXT))
    assert [step.by for step in trajectory.steps] == ["model", "model", "program"]
    assert (trajectory.programs, trajectory.reward) == (("b",), 1.0)
    told = trajectory.steps[1]
    assert (told.error, told.recalled) == (None, 'part 2 of the plan comes now: press the "red" button')


def test_so_is_one_that_a_program_began_and_the_model_ended():
    missing = "goals: ['press the \"{colour}\" button']\nsteps:\n- click: {name: green}\n- click: {name: gone}"
    wait = {"verb": "wait"}
    llm = then(wait, wait, wait, NEXT)
    trajectory = acted_in_two_parts(PRESS, first=missing, llm=llm)
    assert trajectory.programs == ("a", "b")
    assert [step.action.verb for step in trajectory.steps[-2:]] == ["next_part", "click"]
    assert trajectory.steps[-1].by == "program"
    assert [(run.skill, run.helped) for run in trajectory.runs] == [("a", True), ("b", False)]
    assert ["next_part" in verbs for verbs in offered(llm)] == [False, False, False, True], "not while it only helps"


def test_a_part_that_is_over_at_once_is_ended_in_the_same_state_as_the_one_before():
    three = (Subgoal(text="look"), Subgoal(text="listen"), Subgoal(text='press the "red" button'))
    llm = then(NEXT)
    world = Corridor()
    plan = Plan(goal="all", subgoals=three)
    route = routed((), (), ("b",))
    trajectory = act(world, TASK, world.reset(TASK), plan, route, library(b=PRESS), llm=llm, variation=PLAIN)
    assert [step.action.verb for step in trajectory.steps] == ["next_part", "next_part", "click"]
    assert ["next_part" in verbs for verbs in offered(llm)] == [True, True]
    assert trajectory.reward == 1.0


def test_that_a_part_is_done_is_no_question_and_nothing_that_is_learnt():
    remembering = Aids(recall=lambda question, known: Recalled(text="red, I think"))
    llm = then(NEXT, CLICK)
    world, parts_ = Corridor(), (Subgoal(text="look"), Subgoal(text="listen"), Subgoal(text='press the "red" button'))
    plan, route = Plan(goal="all", subgoals=parts_), routed((), (), ("b",))
    known = library(b=PRESS)
    first = world.reset(TASK)
    trajectory = act(world, TASK, first, plan, route, known, llm=llm, variation=PLAIN, aids=remembering)
    assert all("recall" in verbs for verbs in offered(llm))
    said, changed = trajectory.steps[:1], first.model_copy(update={"text": "changed by itself"})
    assert said[0].action.verb == "next_part"
    ending = trajectory.model_copy(update={"steps": said, "final": changed, "terminated": False})
    assert useful_steps(ending) == ()


def test_where_nothing_waits_it_cannot_be_said_and_nothing_is_taken_from_the_model():
    llm = then(NEXT)
    said = acted_in_two_parts("goals: ['sing {song}']\nsteps: [done]", first="", llm=llm)
    assert said.steps[0].error == "no part of the plan waits for this one"
    assert all("anyOf" in schema for schema in llm.schemas)
    llm = then(CLICK)
    trajectory = acted_in_two_parts("goals: ['sing {song}']\nsteps: [done]", first="", llm=llm, seen="changed")
    assert {step.by for step in trajectory.steps} == {"model"}
    assert all("anyOf" in schema for schema in llm.schemas), "nobody asks for the values of a goal of another kind"


def test_the_last_part_is_not_followed_by_another():
    llm = then(CLICK, NEXT)
    acted_in_two_parts(OTHER_PAGE, first="", llm=llm)
    assert [("next_part" in verbs) for verbs in offered(llm)][:3] == [True, True, False]


def test_what_is_seen_when_a_part_is_done_tells_so_without_a_word():
    trajectory = acted_in_two_parts(PRESS, first="", llm=then(CLICK), seen="changed")
    assert [step.by for step in trajectory.steps] == ["model", "program"]


def test_what_was_seen_before_a_part_does_not_tell_that_it_is_done():
    trajectory = acted_in_two_parts(PRESS, first="", llm=then(CLICK), seen="button")
    assert {step.by for step in trajectory.steps} == {"model"}
    missing = "goals: ['press the \"{colour}\" button']\nsteps:\n- click: {name: green}\n- click: {name: gone}"
    assert acted_in_two_parts(PRESS, first=missing, llm=then({"verb": "wait"}), seen="button").programs == ("a",)


def offered(llm):
    return [{choice["properties"]["verb"]["const"] for choice in schema["anyOf"]} for schema in llm.schemas]


def test_the_model_may_end_a_part_where_a_program_waits_for_the_next_and_nowhere_else():
    llm = Noting(press())
    acted_in_two_parts("", first="", llm=llm)
    acted({"press": TWO_STEPS}, llm=llm, world=Form())
    assert not any("next_part" in verbs for verbs in offered(llm)), "nothing waits"
    assert not any("next_part" in messages[0].content for _, messages in llm.asked)
    waited = Noting(press())
    acted_in_two_parts(PRESS, first="", llm=waited)
    assert all("next_part" in verbs for verbs in offered(waited))
    assert "next_part" in waited.asked[0][1][0].content


def test_a_program_that_is_not_for_a_later_page_is_not_what_surprised_the_one_before():
    trajectory = acted_in_two_parts(OTHER_PAGE, llm=ScriptedLLM(press()))
    assert (trajectory.programs, trajectory.unfit, trajectory.surprise) == (("a",), ("b",), "")
    assert [(run.skill, run.fit, run.helped) for run in trajectory.runs] == [("a", True, False), ("b", False, False)]


PROGRAM = parse("goals: ['send {thing} to {people...}', 'send {thing}']\nsteps:\n- fill: {text: '{thing}'}")


@pytest.mark.parametrize(
    ("reply", "filled"),
    [
        pytest.param({"thing": "it", "people": ["Ann", "Bo"]}, {"thing": "it", "people": ("Ann", "Bo")}, id="all"),
        pytest.param({"thing": "it", "people": []}, {"thing": "it"}, id="enough for one of the goals"),
        pytest.param({"thing": "", "people": ["Ann"]}, None, id="not enough"),
        pytest.param({"thing": "that", "people": ["Ann"]}, None, id="not what the goal says"),
        pytest.param({"thing": "t", "people": ["Ann"]}, None, id="a letter of what the goal says"),
        pytest.param({"thing": " it ", "people": ["bo "]}, {"thing": "it", "people": ("bo",)}, id="with spaces around"),
        pytest.param({"thing": "Ann", "people": ["Ann", "Bo"]}, None, id="one word twice"),
        pytest.param({"thing": "over to Ann", "people": ["Ann", "Bo"]}, None, id="one in the other"),
        pytest.param("no JSON", None, id="out of form"),
    ],
)
def test_values_that_no_pattern_gives_must_stand_in_the_goal(reply, filled):
    llm = ScriptedLLM(lambda messages, role: reply)
    assert asked(PROGRAM, "Would you get it over to Ann and Bo?", llm) == filled


@pytest.mark.parametrize(
    ("reply", "filled"),
    [
        ({"thing": "letter", "person": "Ann"}, {"thing": "letter", "person": "Ann"}),
        ({"thing": "Ann", "person": "Ann"}, {"thing": "Ann", "person": "Ann"}),
        ({"thing": "Ann's letter", "person": "letter"}, None),
        ({"thing": "e", "person": "e"}, None),
    ],
)
def test_no_word_of_the_goal_is_in_two_values(reply, filled):
    program = parse("goals: ['send {thing} to {person}']\nsteps:\n- fill: {text: '{thing}{person}'}")
    assert asked(program, "Kindly mail Ann's letter, Ann", ScriptedLLM(lambda messages, role: reply)) == filled


def test_a_goal_without_slots_is_none_that_the_model_fills():
    program = parse("goals: ['pick {all...}', pick nothing]\nsteps:\n- each: {in: all, as: one, do: [done]}")
    assert asked(program, "please choose", ScriptedLLM(lambda messages, role: {"all": []})) is None


def test_values_that_the_steps_need_are_asked_for_also_where_a_shorter_goal_fits():
    program = parse("goals: ['send {thing} to {person}', 'send {thing}']\nsteps:\n- fill: {text: '{thing}{person}'}")
    goal = "Send Ann the letter"
    only_one, both = {"thing": "the letter", "person": ""}, {"thing": "the letter", "person": "Ann"}
    assert asked(program, goal, ScriptedLLM(lambda messages, role: only_one)) is None
    assert asked(program, goal, ScriptedLLM(lambda messages, role: both)) == both


def test_a_program_that_lacks_a_value_does_nothing_and_its_words_are_shown():
    later = "goals: ['press the \"{colour}\" button', 'press one']\nsteps:\n- click: {name: green}"
    later += "\n- click: {name: '{colour}'}"
    llm = ScriptedLLM(press())
    trajectory = acted({"press": later}, llm=llm, goal="press one", filling=False)
    assert ([step.by for step in trajectory.steps], trajectory.unfit) == (["model"], ())
    assert "about press" in "\n".join(message.content for message in llm.asked[0][1])


def test_a_model_that_finds_the_values_makes_a_program_run():
    llm = ScriptedLLM(lambda messages, role: {"colour": "red"})
    trajectory = acted({"press": PRESS}, llm=llm, goal="I would like to have the red one pressed")
    assert [step.by for step in trajectory.steps] == ["program"]
    assert (len(llm.asked), trajectory.guessed) == (1, ("press",))


def test_a_pinned_skill_is_read_beside_the_one_that_fits_and_its_program_does_not_run():
    world, pinned = Corridor(), Ranked(id="pin", score=0, pinned=True)
    first = world.reset(TASK)
    known = library(words="", more="", pin=PRESS)
    route = routed(("words", "more"))
    route = route.model_copy(update={"skills": ((*route.skills[0], pinned),)})
    llm = ScriptedLLM(press())
    found = act(world, TASK, first, Plan(goal=first.goal), route, known, llm=llm, variation=PLAIN)
    prompt = "\n".join(message.content for message in llm.asked[0][1])
    assert ("about words" in prompt, "about more" in prompt, "about pin" in prompt) == (True, False, True)
    assert (found.programs, found.runs) == ((), ())


def test_each_run_is_told_with_its_part_and_its_program():
    trajectory = acted({"press": PRESS})
    assert [(run.skill, run.goal, run.helped) for run in trajectory.runs] == [
        ("press", 'press the "red" button', False)
    ]
    assert trajectory.runs[0].program == digest_of(PRESS)
