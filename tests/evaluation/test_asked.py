"""Questions to memory: how often it was asked, had an answer, and answered about the right thing; and what is told."""

import csv
import io

import pytest
from pressing import FROZEN, NONE, TASKS, Pressing, knowing

from skillagent.evaluation.asked import Asked, asked
from skillagent.evaluation.report import write_report
from skillagent.evaluation.rows import Row
from skillagent.evaluation.run import evaluate
from skillagent.evaluation.summary import summarise
from skillagent.evaluation.table import as_csv, headline
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.schema import Action, Condition, Insight, Observation, Skill, Step, Task, Trajectory

TASK = Task(env="corridor", name="press")
GOAL = 'press the "red" button'


def insight(key, *evidence):
    condition = Condition(applies="a")
    return Insight(id=key, taxonomy="x/y/z", kind="pitfall", condition=condition, explanation="e", evidence=evidence)


def skill(name, **parts):
    return Skill(name=name, description="d", body="b", **parts)


def running(pattern):
    return {FILE: f"goals: ['{pattern}']\nsteps: [wave]\n"}


INSIGHTS = [insight("mine", "x/other@1#aa", "corridor/press@3#0a"), insight("other", "corridor/pressing@3#0a")]
SKILLS = [
    skill("done", goals=('press the "blue" button',)),
    skill("elsewhere", goals=(GOAL,), domain="miniwob"),
    skill("runs", files=running("press the {colour} button")),
    skill("broken", files={FILE: "goals: ["}),
    skill("talks", goals=("open the door",), files=running("open the door")),
]
LIBRARY = Library(insights={one.id: one for one in INSIGHTS}, skills={one.name: one for one in SKILLS})


def question(*items, answer="it is so", verb="recall", **parts):
    seen = Observation(goal=GOAL, text="t")
    action = Action(verb=verb, arguments={"question": "q"})
    return Step(observation=seen, action=action, recalled=answer, examples=items, **parts)


def of(*steps):
    return asked(Trajectory(task=TASK, goal=GOAL, steps=steps), LIBRARY)


@pytest.mark.parametrize(
    ("items", "right"),
    [
        pytest.param(["mine"], True, id="an insight that was learnt on the task"),
        pytest.param(["other"], False, id="an insight of a task whose name begins alike"),
        pytest.param(["done"], True, id="a skill that solved such a goal"),
        pytest.param(["elsewhere"], False, id="a skill of another world"),
        pytest.param(["runs"], True, id="a program for such goals"),
        pytest.param(["broken"], False, id="a program that cannot be read"),
        pytest.param(["talks"], False, id="a skill for other goals"),
        pytest.param(["gone", "rules-1"], False, id="what is no item"),
        pytest.param(["talks", "mine"], True, id="one of several"),
    ],
)
def test_an_answer_is_right_where_one_of_its_items_belongs_to_the_task(items, right):
    assert of(question(*items)) == Asked(1, 1, int(right))


def test_a_question_that_memory_has_nothing_for_is_asked_and_not_answered():
    assert of(question(answer="nothing about that"), question("mine")) == Asked(2, 1, 1)
    assert of(question("mine", answer="")) == Asked(), "nothing was there to be asked"
    assert of(question("mine", answer="part 2 of the plan comes now", verb="next_part")) == Asked()


def asking(environment, task, first, plan, route, library, *, variation, watch):
    """Ask first where there is a library, and press then."""
    done = knowing(environment, task, first, plan, route, library, variation=variation, watch=watch)
    action = Action(verb="recall", arguments={"question": "q"})
    asked = Step(observation=first, action=action, recalled="press it", examples=("s",))
    return done.model_copy(update={"steps": (asked, *done.steps)}) if library.skills else done


KNOWN = FROZEN.model_copy(update={"library": Library(skills={"s": skill("s", files=running("press the {c} button"))})})


def test_what_was_asked_is_in_the_row_and_an_old_row_without_it_is_still_read(tmp_path):
    none, frozen = evaluate(Pressing(asking), TASKS[:1], [NONE, KNOWN], tmp_path)
    assert (frozen.recalls, frozen.recalled, frozen.recalled_right) == (1, 1, 1)
    assert (none.recalls, none.recalled, none.recalled_right) == (0, 0, 0)
    told = frozen.model_dump()
    for name in ("recalls", "recalled", "recalled_right"):
        del told[name]
    assert Row.model_validate(told).recalls == 0
    cells = next(csv.DictReader(io.StringIO(as_csv([frozen]))))
    assert (cells["recalls"], cells["recalled"]) == ("1", "1")


def rows_of(row, arm, *episodes):
    """Return rows of one arm: whether each was solved, its steps, and questions, answers and right ones."""
    names = ("success", "steps", "recalls", "recalled", "recalled_right")
    return [
        row.model_copy(update={**dict(zip(names, one, strict=True)), "arm": arm, "seed": n})
        for n, one in enumerate(episodes)
    ]


def test_answers_and_the_shortest_way_are_told_of_arms_in_which_memory_was_asked(tmp_path):
    (row,) = evaluate(Pressing(), TASKS[:1], [NONE], tmp_path)
    plain = rows_of(row, "plain", (True, 2, 0, 0, 0), (False, 1, 0, 0, 0), (True, 0, 0, 0, 0), (True, 9, 0, 0, 0))
    asks = rows_of(row, "asks", (True, 4, 2, 1, 1), (False, 3, 1, 1, 0), (True, 3, 1, 0, 0), (None, 1, 0, 0, 0))
    summary = summarise([*plain, *asks], suite="s", command=["x"], provenance={})
    assert summary.arms["plain"].remembering is None
    found = summary.arms["asks"].remembering
    assert (found.questions, found.episodes, found.answered, found.right) == (4, 3, 0.5, 0.5)
    assert found.efficiency == pytest.approx((2 / 4 + 0 + 1 / 3) / 3)  # the unscored one says nothing
    lines = headline(summary)
    assert lines[0].startswith("plain: ") and lines[1].startswith("asks: ")
    assert lines[2] == (
        "asks: memory was asked 4 times in 3 episodes, and had an answer in 50%, about the right thing in 50% of "
        "these; path efficiency 28%"
    )
    silent = rows_of(row, "asks", (False, 4, 2, 0, 0))
    assert summarise(silent, suite="s", command=["x"], provenance={}).arms["asks"].remembering.right is None
    page = write_report([*plain, *asks], summary, tmp_path).read_text(encoding="utf-8")
    assert "Questions to memory" in page
    without = summarise(plain, suite="s", command=["x"], provenance={})
    assert "Questions to memory" not in write_report(plain, without, tmp_path).read_text(encoding="utf-8")
