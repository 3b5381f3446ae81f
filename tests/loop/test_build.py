"""Build: what the options say is what the agent does."""

from contextlib import suppress

import pytest

from skillagent.build import Options, embedder, language_model, open_agent
from skillagent.config import load
from skillagent.errors import ConfigError, LLMUnavailable
from skillagent.library import Library
from skillagent.llm.cascade import Cascade
from skillagent.programs.text import FILE
from skillagent.routing.rerank import CODE, FEATURES, Weights
from skillagent.schema import (
    Attempt,
    Attempted,
    Cause,
    Condition,
    Demonstration,
    Insight,
    KeyStep,
    Lesson,
    Plan,
    Ran,
    Ranked,
    Role,
    Route,
    Skill,
    Task,
    Trajectory,
    Variation,
    Verdict,
    digest_of,
)
from skillagent.store.trainings import Trainings
from skillagent.testing import Corridor, MemoryStore, ScriptedLLM

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
    def open_(store=None, llm=None, read_only=False, **options):
        settings = load(skills=tmp_path / "skills", memory=tmp_path / "memory")
        return open_agent(
            settings,
            llm=llm or ScriptedLLM([]),
            store=store or MemoryStore(LIBRARY),
            options=Options(**options),
            read_only=read_only,
        )

    return open_


def test_a_goal_is_planned_in_parts_without_the_model(opened):
    with opened() as agent:
        for planned in (agent.plan, agent.stitch):
            assert [part.text for part in planned(Plan(goal=GOAL), LIBRARY).subgoals] == [
                "go to the red ball",
                "open the door",
            ]


def test_the_router_uses_what_it_was_trained_to_unless_that_is_off(opened, tmp_path):
    settings, weights = load(memory=tmp_path / "memory"), tuple(2.0 * (name == "checks") for name in FEATURES)
    learnt = Weights(mean=(0.0,) * len(FEATURES), spread=(1.0,) * len(FEATURES), weights=weights)
    line = {"kind": "trained", "version": 1, "at": "", "events": 1, "compared": {}, "code": CODE, "features": FEATURES}
    named = {"embedder": embedder(settings).name, "weights": {"programs": learnt.model_dump(mode="json")}}
    Trainings(settings.memory).append(line | named)
    text = "goals: ['go to the {place}']\nsteps: [wave, expect: {shows: there}]\n"
    looks = Skill(name="looks", description="d", body="b", files={FILE: text})
    library = Library(skills={**LIBRARY.skills, "looks": looks})
    for on, first in ((True, "looks"), (False, "go")):
        with opened(store=MemoryStore(library), reranking=on) as agent:
            assert agent.route(Plan(goal="go to the red ball"), library).skills[0][0].id == first


@pytest.mark.parametrize("off", ["planning", "programs"])
def test_where_programs_or_planning_are_off_goals_stay_whole(opened, off):
    with opened(**{"planning": False, off: False}) as agent:
        assert [part.text for part in agent.stitch(Plan(goal=GOAL), Library()).subgoals] == [GOAL]
        assert [part.text for part in agent.plan(Plan(goal=GOAL), LIBRARY).subgoals] == [GOAL]


class Anew(Corridor):
    """A corridor in which nothing lasts."""

    anew = True


@pytest.mark.parametrize("on", [True, False])
def test_where_a_part_fails_the_model_plans_what_is_left_unless_that_is_off(opened, on):
    def answer(messages, role):
        return {"subgoals": [{"text": "open the door"}]} if role is Role.PLANNER else {"verb": "fly"}

    llm, world, task = ScriptedLLM(answer), Anew(), TASK.model_copy(update={"goal": GOAL})
    with opened(llm=llm, replanning=on) as agent:
        plan = agent.plan(Plan(goal=GOAL), LIBRARY)
        route, first = agent.route(plan, LIBRARY), world.reset(task)
        tried = agent.act(world, task, first, plan, route, LIBRARY, variation=Variation(), watch=lambda _: None)
    assert (Role.PLANNER in [role for role, _ in llm.asked]) is on
    assert [[part.text for part in one.plan.subgoals] for one in tried.replanned] == [["open the door"]] * 2 * on
    assert [[[one.id for one in part] for part in made.route.skills] for made in tried.replanned] == [
        [["open"]]
    ] * 2 * on


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
                list(agent.mend([failing(TASK)], lambda *_: failing(TASK), (), Library()))
            asked[rounds] = agent.spent().calls
    assert asked == {0: 0, 2: 1}
    with pytest.raises(ConfigError, match=r"practice\.mend"):
        Options().changed({"practice.mend": 6})


def test_who_mends_is_shown_how_as_many_near_skills_do_it_as_an_option_says(opened):
    shown = {}
    for most in (0, 1, 2):
        changes = {"practice.mend": 1, "practice.neighbours": most}
        with opened(llm=(llm := ScriptedLLM(["no plan"])), practice=Options().changed(changes).practice) as agent:
            list(agent.mend([failing(TASK)], lambda *_: failing(TASK), (), LIBRARY))
        shown[most] = llm.asked[0][1][0].content.count('{"verb":"wave"}')
    assert shown == {0: 0, 1: 1, 2: 2}


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


def test_what_is_written_is_linked_with_what_the_library_says_of_the_like(opened):
    words = {"applies": "When a door is shut", "explanation": "Open it first.", "does_not_apply": ""}
    models = [{**words, "level_1": "doors", "level_2": "shut"}, {"does_not_apply": "When the door is locked"}]
    old, far = (
        Insight(
            id=key, taxonomy=f"corridor/{key}/a", kind="pitfall", condition=Condition(applies=applies), explanation=e
        )
        for key, applies, e in (
            ("old", "When the door is shut", "Open it first!"),
            ("far", "When a date is typed", "Begin with the month."),
        )
    )
    library, lesson = (
        Library(insights={"old": old, "far": far}),
        Lesson(cause=Cause.KNOWLEDGE, summary="s", failures=(failing(TASK),)),
    )
    with opened(llm=ScriptedLLM(models)) as agent:
        (edit,) = agent.write(lesson, library, lambda task, held: failing(task))
    assert [change.key for change in edit.changes[1:]] == ["old"]


def test_the_program_that_the_ledger_speaks_for_is_tried_first(opened):
    pulls = {FILE: "goals: ['open the door']\nsteps: [pull]\n"}
    twins = {"a": skill("a", "open the door"), "b": skill("b", "").model_copy(update={"files": pulls})}
    store, plan = MemoryStore(Library(skills=twins)), Plan(goal="open the door")
    with opened(store) as agent:
        one, other = (ranked.id for ranked in agent.route(plan, store.load()).skills[0])
        run = Ran(skill=other, program=digest_of(twins[other].files[FILE]), goal=plan.goal)
        store.commit(Attempted(attempt="x", task=TASK, goal=plan.goal, score=1.0, programs=(other,), runs=(run,)))
        assert [ranked.id for ranked in agent.route(plan, store.load()).skills[0]] == [other, one]


@pytest.mark.parametrize("on", [True, False])
def test_a_skill_is_found_by_what_it_solved_since_it_was_written_unless_that_is_off(opened, on):
    one = skill("one", "open the door")
    store, goal = MemoryStore(Library(skills={"one": one})), "let me through"
    run = Ran(skill="one", program=digest_of(one.files[FILE]), goal=goal)
    with opened(store=store, remembering=on) as agent:
        assert agent.route(Plan(goal=goal), store.load()).considered[0][0].parts["solved"] < 0.9
        store.commit(Attempted(attempt="x", task=TASK, goal=goal, score=1.0, programs=("one",), runs=(run,)))
        found = agent.route(Plan(goal=goal), store.load()).considered[0][0]
        assert (found.parts["solved"] > 0.99) is on


@pytest.mark.parametrize("read_only", [False, True])
def test_what_another_process_writes_moves_no_route_of_an_agent_that_is_read_only(opened, read_only):
    both = {name: skill(name, "open the door") for name in ("one", "two")}
    store, plan, goal = MemoryStore(Library(skills=both)), Plan(goal="open the door"), Plan(goal="let me through")

    def writes(name):
        run = Ran(skill=name, program=digest_of(both[name].files[FILE]), goal=goal.goal)
        store.commit(Attempted(attempt="x", task=TASK, goal=goal.goal, score=1.0, programs=(name,), runs=(run,)))

    writes("one")
    with opened(store=store, read_only=read_only) as agent:
        before = [agent.route(one, store.load()) for one in (plan, goal)]
        assert before[1].considered[0][0].parts["solved"] > 0.99, "what stood there before counts"
        writes("two")
        assert ([agent.route(one, store.load()) for one in (plan, goal)] == before) is read_only


def pressing(key, colour, wall="a wall"):
    step = KeyStep(observation=f"{wall} with {colour}", action=f'{{"verb":"click","ref":"button {colour} [2]"}}')
    return Demonstration(id=key, domain="corridor", goal=f'press the "{colour}" button', steps=(step,))


MEMORIES = Library(
    skills={"press": Skill(name="press", description="press a button", body="look at its name\n")},
    demonstrations={key: pressing(key, key) for key in ("red", "blue")},
)
OTHERS = Library(
    skills={
        "press": Skill(name="press", description="press the button", body="b"),
        "turn": Skill(name="turn", description="turn a wheel", body="b"),
    }
)
WORDY = Library(skills={"s": Skill(name="s", description="press the button", body="press the button " * 9)})
STEPS = Library(
    skills={"s": Skill(name="s", description="press the button", body="# press\n\nthe button\n\n## Steps\n\npress\n")}
)
LENGTHY = Library(demonstrations={key: pressing(key, key, "a wall" * 500) for key in ("red", "blue")})


@pytest.mark.parametrize(
    ("options", "library", "first", "told"),
    [
        pytest.param(
            {"memory.recall": "on"},
            MEMORIES,
            {"verb": "recall", "question": "press a button"},
            "You remember",
            id="recall",
        ),
        pytest.param({"similar.most": "2"}, MEMORIES, {"verb": "fly"}, "A moment like this", id="like moments"),
        pytest.param({"memory.rules": "4"}, LENGTHY, "Find its name.", "What such tasks have in common", id="rules"),
        pytest.param(
            {"memory.rules": "4"}, MEMORIES, {"verb": "fly"}, 'a task: press the "blue"', id="what fits whole"
        ),
        pytest.param({"showing.others": "1"}, OTHERS, {"verb": "fly"}, "- turn: turn a wheel", id="others"),
        pytest.param({"showing.tokens": "40"}, WORDY, {"verb": "fly"}, "the rest is left out", id="fewer tokens"),
        pytest.param({"showing.read": "always"}, STEPS, {"verb": "fly"}, "read(what)", id="reading"),
        pytest.param({"memory.invent": "2"}, Library(), "press x: click x", "nobody has checked them", id="invent"),
    ],
)
def test_an_agent_that_is_opened_with_an_aid_has_it(options, library, first, told, tmp_path):
    heard = []
    for changes in ({}, options):
        model, world = ScriptedLLM([first, *[{"verb": "fly"}] * 3]), Corridor()
        settings = load(skills=tmp_path / "skills", memory=tmp_path / "memory")
        chosen = Options(programs=False).changed(changes)
        with open_agent(settings, llm=model, store=MemoryStore(library), options=chosen) as agent:
            task = TASK.model_copy(update={"max_steps": 2})
            seen = world.reset(task)
            plan = Plan(goal=seen.goal)
            route = agent.route(plan, library)
            agent.act(world, task, seen, plan, route, library, variation=Variation(), watch=lambda _: None)
        heard.append("\n".join(message.content for _, messages in model.asked for message in messages))
    assert [told in text for text in heard] == [False, True]


def test_with_a_student_the_model_is_a_cascade_and_without_one_it_is_the_model():
    alone = language_model(load(model="openai/large"))
    both = language_model(load(model="openai/large", student="openai/small", drafts=2))
    assert not isinstance(alone, Cascade)
    assert isinstance(both, Cascade)
    assert both.name == f"openai/small then {alone.name}"
    assert " x2 then " in both.identity


class Reader(ScriptedLLM):
    """A model that can read so many tokens; None: it does not say."""

    def __init__(self, script, reads):
        super().__init__(script)
        self.reads = reads

    def window(self):
        return self.reads


@pytest.mark.parametrize(
    ("reads", "context", "room"),
    [
        pytest.param(2_000, 4_096, 3_520, id="a small one"),
        pytest.param(128_000, 4_096, 8_131, id="one that is served with less than it could read: the setting"),
        pytest.param(128_000, None, 12_000, id="a large one, and nothing is set"),
        pytest.param(None, 4_096, 8_131, id="one that does not say: the setting"),
    ],
)
def test_a_conversation_takes_what_the_model_can_read(reads, context, room, tmp_path):
    demos = {
        "d": Demonstration(id="d", domain="corridor", goal="g", steps=(KeyStep(observation="~" * 20_000, action="{}"),))
    }
    route = Route(skills=((),), insights=((),), demonstrations=((Ranked(id="d", score=1.0),),))
    model, world = Reader([{"verb": "fly"}], reads), Corridor()
    settings = load(skills=tmp_path / "skills", memory=tmp_path / "memory", context=context)
    with open_agent(settings, llm=model, store=MemoryStore()) as agent:
        task = TASK.model_copy(update={"max_steps": 1})
        seen = world.reset(task)
        agent.act(
            world,
            task,
            seen,
            Plan(goal=seen.goal),
            route,
            Library(demonstrations=demos),
            variation=Variation(),
            watch=lambda _: None,
        )
    ((_, messages),) = model.asked
    assert sum(message.content.count("~") for message in messages) == room // 3
