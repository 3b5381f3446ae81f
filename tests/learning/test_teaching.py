"""Teaching: what an insight or a demonstration is worth to a weaker student."""

from skillagent.learning.teaching import exam_tasks, taught
from skillagent.library import Library
from skillagent.schema import Attempt, Condition, Demonstration, Insight, Task, Trajectory, Verdict


def held(*evidence):
    one = Insight(
        id="i", taxonomy="x/y/z", kind="pitfall", condition=Condition(applies="a"), explanation="e", evidence=evidence
    )
    return Library(insights={"i": one})


def student(score):
    def showing(task, shown):
        verdict = Verdict(score=score(task, shown), by="environment")
        return Attempt(plan=None, route=None, trajectory=Trajectory(task=task, goal="g"), verdict=verdict, library="")

    return showing


LIBRARY = held("x/a@3#0", "x/a@5#1", "x/b@0#2", "by hand")


def test_exams_are_fresh_practice_instances_of_what_it_was_learnt_from():
    assert exam_tasks(LIBRARY, "i", 2) == [
        Task(env="x", name="a", seed=6),
        Task(env="x", name="a", seed=7),
        Task(env="x", name="b", seed=1),
        Task(env="x", name="b", seed=2),
    ]
    assert exam_tasks(held("x/a@999999#0"), "i", 2) == [], "gate seeds are not for exams"


def test_its_worth_is_the_students_mean_gain():
    assert taught("i", LIBRARY, student(lambda task, shown: float(bool(shown) and task.name == "a"))) == 0.5
    assert taught("i", LIBRARY, student(lambda task, shown: float(not shown))) == -1.0
    assert taught("i", LIBRARY, student(lambda task, shown: 0.0)) == 0.0


def test_without_an_exam_that_can_be_scored_nothing_is_said():
    assert taught("i", held("by hand"), student(lambda task, shown: 1.0)) is None
    assert taught("i", LIBRARY, student(lambda task, shown: None)) is None


def test_a_student_that_solves_every_exam_anyway_says_nothing_unless_it_is_misled():
    assert taught("i", LIBRARY, student(lambda task, shown: 1.0)) is None
    assert taught("i", LIBRARY, student(lambda task, shown: float(task.name == "a"))) == 0.0, "one was failed"
    assert taught("i", LIBRARY, student(lambda task, shown: float(not shown or task.name == "a"))) == -0.5


def test_a_demonstration_is_worth_what_the_student_gains_from_it_on_its_task():
    one = Demonstration(id="d", domain="x", goal="g", steps=(), evidence=("x/a@3#0",))
    library = Library(demonstrations={"d": one})
    assert exam_tasks(library, "d", 2) == [Task(env="x", name="a", seed=4), Task(env="x", name="a", seed=5)]
    asked = []
    assert taught("d", library, student(lambda task, shown: asked.append(shown) or float(bool(shown)))) == 1.0
    assert asked == [(), ("d",)] * 2
