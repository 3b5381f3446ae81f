"""Only missing knowledge, a skill's defect and needless effort teach."""

import pytest

from skillagent.learning.attribute import attribute, blame, surprised
from skillagent.learning.judge import judge
from skillagent.learning.reflect import reflect
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.schema import (
    Action,
    Attempt,
    Cause,
    Observation,
    Ran,
    Ranked,
    Route,
    Skill,
    Step,
    Task,
    Trajectory,
    Usage,
    Verdict,
)

TASK = Task(env="e", name="t")


def tried(score, *, skill=None, void=None, calls=0, surprise=""):
    route = Route(
        skills=((Ranked(id=skill, score=1),) if skill else (),), insights=((),), demonstrations=((),), considered=((),)
    )
    return Attempt(
        plan=None,
        route=route,
        trajectory=Trajectory(
            task=TASK,
            goal="g",
            void=void,
            usage=Usage(calls=calls),
            programs=("p",) if surprise else (),
            surprise=surprise,
        ),
        verdict=Verdict(score=score, by="environment"),
        library="x",
    )


def chained(*helped):
    """Return a success of a chain of programs, of which some had to be helped, and the last surprised nobody."""
    one = tried(1.0, calls=1)
    runs = tuple(Ran(skill=name, program="p", goal="g", helped=name in helped) for name in ("a", "b"))
    return one.model_copy(
        update={"trajectory": one.trajectory.model_copy(update={"runs": runs, "programs": ("a", "b")})}
    )


def test_of_a_chain_the_first_that_had_to_be_helped_handed_over():
    assert surprised([chained("a")]) == "a"
    assert surprised([chained()]) is None
    assert attribute([chained("a"), *[tried(1.0)] * 3]) is Cause.EFFORT
    assert attribute([chained(), *[tried(1.0)] * 3]) is Cause.LAPSE


def test_only_a_success_that_took_the_model_and_a_program_shows_needless_effort():
    failed = tried(0.0, calls=1, surprise="gone")
    assert attribute([failed, *[tried(1.0)] * 3]) is Cause.LAPSE
    free = tried(1.0, surprise="gone")
    assert attribute([free, *[tried(1.0)] * 3]) is Cause.LAPSE
    wordy = tried(1.0, calls=1, surprise="gone")
    wordy = wordy.model_copy(update={"trajectory": wordy.trajectory.model_copy(update={"programs": ()})})
    assert attribute([wordy, *[tried(1.0)] * 3]) is Cause.LAPSE


@pytest.mark.parametrize(
    ("attempts", "cause"),
    [
        pytest.param([tried(0.0), tried(1.0)], Cause.KNOWLEDGE, id="failed without a skill"),
        pytest.param([tried(0.0, skill="s"), tried(1.0)], Cause.SKILL, id="failed under a skill"),
        pytest.param([tried(1.0), tried(1.0), tried(1.0), tried(0.0)], Cause.LAPSE, id="one slip in four"),
        pytest.param([tried(1.0, calls=2), tried(1.0, calls=1)], Cause.EFFORT, id="solved, but the model was asked"),
        pytest.param([tried(1.0, calls=2), tried(1.0)], Cause.LAPSE, id="solved once without the model"),
        pytest.param(
            [tried(1.0, calls=1, surprise="gone"), *[tried(1.0)] * 3],
            Cause.EFFORT,
            id="a program handed over, one in four",
        ),
        pytest.param([tried(1.0, calls=1, surprise="gone"), *[tried(1.0)] * 4], Cause.LAPSE, id="it did so less often"),
        pytest.param([tried(None, void="crash")], Cause.INFRASTRUCTURE, id="the browser died"),
        pytest.param([tried(None)], Cause.JUDGE, id="nobody could tell"),
        pytest.param([tried(None, void="crash"), tried(0.0)], Cause.KNOWLEDGE, id="a void beside a failure"),
        pytest.param([], Cause.INFRASTRUCTURE, id="nothing was tried"),
    ],
)
def test_attribution(attempts, cause):
    shown = next((r.id for one in attempts for part in one.route.skills for r in part), None)
    assert attribute(attempts, shown) is cause


@pytest.mark.parametrize(
    ("attempt", "more", "what"),
    [
        pytest.param(tried(1.0), {}, "", id="a success"),
        pytest.param(tried(0.0), {}, "missing knowledge", id="nothing was shown"),
        pytest.param(tried(0.0, skill="s"), {}, "skill defect", id="words"),
        pytest.param(tried(0.0, skill="s"), {"programs": ("s",)}, "program", id="a program ran"),
        pytest.param(tried(0.0, skill="s"), {"programs": ("s",), "guessed": ("s",)}, "slots", id="on guessed values"),
        pytest.param(tried(0.0, skill="s"), {"unfit": ("s",)}, "router", id="the skill is for another page"),
        pytest.param(tried(None, void="crash"), {}, "infrastructure", id="the browser died"),
    ],
)
def test_one_failure_is_put_down_to_the_program_the_slots_the_router_or_the_world(attempt, more, what):
    one = attempt.model_copy(update={"trajectory": attempt.trajectory.model_copy(update=more)})
    assert blame(one) == what


def test_a_lesson_says_what_its_failures_are_put_down_to():
    ran = tried(0.0, skill="s")
    ran = ran.model_copy(update={"trajectory": ran.trajectory.model_copy(update={"programs": ("s",)})})
    library = Library(skills={"s": Skill(name="s", description="d", body="b", goals=("g",))})
    (lesson,) = reflect([ran, ran], library)
    assert lesson.summary == "e/t: 0 of 2 scored attempts succeeded; put down to program of s"


def test_what_is_mended_does_not_turn_a_lesson_into_a_lapse():
    step = Step(observation=Observation(goal="g", text=""), action=Action(verb="a"), by="mended")
    own, one = [tried(1.0), tried(1.0), tried(0.0)], tried(1.0, calls=1)
    mended = one.model_copy(update={"trajectory": one.trajectory.model_copy(update={"steps": (step,)})})
    assert attribute(own) is Cause.KNOWLEDGE
    assert attribute([*own, mended]) is Cause.KNOWLEDGE


def test_what_chance_found_says_nothing_of_the_agent():
    step = Step(observation=Observation(goal="g", text=""), action=Action(verb="a"), by="chance")
    found = tried(1.0)
    luck = found.model_copy(update={"trajectory": found.trajectory.model_copy(update={"steps": (step,)})})
    assert attribute([tried(0.0), luck, luck, luck]) is Cause.KNOWLEDGE
    (lesson,) = reflect([tried(0.0), luck, luck], Library())
    assert "0 of 1 scored attempts succeeded, and 2 by chance" in lesson.summary


def test_only_causes_that_teach_become_lessons():
    library = Library(skills={"s": Skill(name="s", description="d", body="b", goals=("g",))})
    assert reflect([tried(None, void="crash")], library) == ()
    assert reflect([tried(1.0), tried(1.0)], library) == ()
    (lesson,) = reflect([tried(0.0, skill="s"), tried(1.0)], library)
    assert (lesson.skill, lesson.success is not None, len(lesson.failures)) == ("s", True, 1)


def test_a_skill_that_was_made_for_other_goals_is_not_revised_for_this_one():
    library = Library(skills={"s": Skill(name="s", description="d", body="b", goals=("another goal",))})
    (lesson,) = reflect([tried(0.0, skill="s"), tried(1.0)], library)
    assert (lesson.cause, lesson.skill) == (Cause.KNOWLEDGE, None)


def test_a_skill_whose_program_is_for_such_goals_is_blamed_though_it_solved_none_of_their_shape():
    program = "goals: ['{letter}']\nsteps: [{click: {name: '{letter}'}}]\n"
    by_hand = Skill(name="s", description="d", body="b", files={FILE: program})
    (lesson,) = reflect([tried(0.0, skill="s"), tried(1.0)], Library(skills={"s": by_hand}))
    assert (lesson.cause, lesson.skill) == (Cause.SKILL, "s")
    unreadable = by_hand.model_copy(update={"files": {FILE: "steps: 1"}})
    (lesson,) = reflect([tried(0.0, skill="s"), tried(1.0)], Library(skills={"s": unreadable}))
    assert (lesson.cause, lesson.skill) == (Cause.KNOWLEDGE, None)


@pytest.mark.parametrize(
    ("trajectory", "score", "by"),
    [
        (Trajectory(task=TASK, goal="g", reward=0.5), 0.5, "environment"),
        (Trajectory(task=TASK, goal="g"), None, "nobody"),
        (Trajectory(task=TASK, goal="g", reward=1.0, void="crash"), None, "nobody"),
        (
            Trajectory(
                task=TASK.model_copy(update={"expect": "Thank You"}),
                goal="g",
                final=Observation(goal="g", text="text: thank you!"),
            ),
            1.0,
            "state",
        ),
        (
            Trajectory(
                task=TASK.model_copy(update={"expect": "Thank You"}), goal="g", final=Observation(goal="g", text="no")
            ),
            0.0,
            "state",
        ),
    ],
)
def test_the_judge_believes_the_environment_first_and_never_scores_a_void(trajectory, score, by):
    verdict = judge(trajectory)
    assert (verdict.score, verdict.by) == (score, by)


def test_a_skill_whose_program_was_surprised_is_blamed_for_the_effort_and_one_for_other_pages_is_not():
    def surprised(*, ran=(), unfit=()):
        one = tried(1.0, skill="s", calls=1)
        update = {"programs": ran, "unfit": unfit, "surprise": "there is no button", "goal": "g"}
        return one.model_copy(update={"trajectory": one.trajectory.model_copy(update=update)})

    library = Library(skills={"s": Skill(name="s", description="d", body="b", goals=("g",))})
    (lesson,) = reflect([surprised(ran=("s",))], library)
    assert (lesson.cause, lesson.skill) == (Cause.EFFORT, "s")
    (lesson,) = reflect([surprised(unfit=("s",))], library)
    assert (lesson.cause, lesson.skill) == (Cause.EFFORT, None)


def test_a_skill_in_words_under_which_all_is_solved_gets_a_program_and_no_twin():
    library = Library(skills={"s": Skill(name="s", description="d", body="b", goals=("g",))})
    (lesson,) = reflect([tried(1.0, skill="s", calls=2)], library)
    assert (lesson.cause, lesson.skill) == (Cause.EFFORT, "s")
    (lesson,) = reflect([tried(1.0, skill="other", calls=2)], library)
    assert (lesson.cause, lesson.skill) == (Cause.EFFORT, None)


def test_what_someone_else_showed_says_nothing_of_the_agent():
    shown = tried(1.0)
    step = Step(observation=Observation(goal="g", text="t"), action=Action(verb="v"), by="oracle")
    shown = shown.model_copy(update={"trajectory": shown.trajectory.model_copy(update={"steps": (step,)})})
    assert attribute([tried(0.0), shown, shown, shown, shown]) is Cause.KNOWLEDGE
    assert attribute([shown]) is Cause.INFRASTRUCTURE


def test_goals_that_ask_for_different_things_teach_lessons_of_their_own():
    def asked(goal, score):
        one = tried(score, calls=2)
        return one.model_copy(update={"trajectory": one.trajectory.model_copy(update={"goal": goal})})

    star, other = "Find the mail by Ann and click the star.", "Find the mail by Bo and click the star."
    reply = "Find the mail by Cy and reply to them with the text 'well'."
    one, two = reflect([asked(star, 1.0), asked(reply, 0.0), asked(other, 1.0), asked(reply, 0.0)], Library())
    assert [len(one.successes), len(one.failures), one.cause] == [2, 0, Cause.EFFORT]
    assert [len(two.successes), len(two.failures), two.cause] == [0, 2, Cause.KNOWLEDGE]
    assert one.others == two.others == ()  # none solved the first in other words, and nothing solved the second
    one, two = reflect([asked(star, 1.0), asked(star, 0.0), asked(reply, 1.0), asked(reply, 0.0)], Library())
    assert [[each.trajectory.goal for each in lesson.others] for lesson in (one, two)] == [[reply], [star]]
