"""Programs are tried by themselves before anything dearer: the one that solves most, without its detours."""

import pytest

from skillagent.learning.prove import narrowed, proven, widened
from skillagent.schema import Ask, Check, Do, Program, Repeat, Score, Task, Trajectory, When

GONE = Check(shows="x", gone=True)
TASKS = [Task(env="e", name="t", seed=seed) for seed in range(3)]


def program(*verbs):
    return Program(steps=tuple(Ask(do=Do(verb=verb[1:])) if verb[0] == "?" else Do(verb=verb) for verb in verbs))


def needs(**seeds):
    """Return what solves a task where all that its seed needs is done, in any company."""

    def tries(tried, task):
        done = {step.verb for step in tried.steps if isinstance(step, Do)}
        solved = set(seeds["abc"[task.seed]].split()) <= done and all(isinstance(step, Do) for step in tried.steps)
        return Score(value=solved, steps=len(done))

    return tries


def test_the_program_that_solves_most_comes_first_and_equals_keep_their_order():
    one, two, three = program("open"), program("open", "save"), program("leave")
    tries = needs(a="open save", b="open save", c="open")
    assert proven([three, one, two], TASKS, tries, seen=TASKS) == [two, one, three]


def test_a_step_that_no_instance_needs_is_dropped_and_one_that_a_single_instance_needs_stays():
    tries = needs(a="open", b="open save", c="open")
    assert proven([program("look", "open", "look", "save")], TASKS, tries, seen=TASKS) == [program("open", "save")]


def test_a_program_that_solves_nothing_by_itself_is_left_as_it_is():
    hole = program("look", "?fill", "save")
    assert proven([hole], TASKS, needs(a="save", b="save", c="save"), seen=TASKS) == [hole]


def test_programs_that_become_the_same_are_one():
    assert proven(
        [program("look", "open"), program("open")], TASKS, needs(a="open", b="open", c="open"), seen=TASKS
    ) == [program("open")]


def test_a_program_never_loses_its_last_step():
    assert proven([program("look", "open")], TASKS, lambda tried, task: Score(value=1, steps=1), seen=TASKS) == [
        program("look")
    ]


def test_a_program_that_acts_on_fresh_instances_in_vain_is_given_up():
    """The first instance is the one that it was induced from."""
    copied, whole = program("open"), program("open", "save")
    tries = needs(a="open", b="save", c="save")
    assert proven([copied, whole], TASKS, tries, seen=TASKS[:1]) == [whole]
    assert proven([copied], TASKS[:2], tries, seen=TASKS[:1]) == [copied]  # once may be bad luck


@pytest.mark.parametrize(
    "where",
    [lambda *steps: Repeat(do=steps, until=GONE), lambda *steps: When(check=GONE, do=(Do(verb="x"),), otherwise=steps)],
)
def test_a_program_with_a_hole_somewhere_is_not_judged_by_what_it_does_without_the_model(where):
    hole = Program(steps=(Do(verb="open"), where(Ask(do=Do(verb="fill")))))
    assert proven([hole], TASKS, needs(a="x", b="y", c="y"), seen=TASKS[:1]) == [hole]


def test_a_program_that_never_acted_because_its_slots_stayed_empty_is_kept():
    unfilled = program("open")
    assert proven([unfilled], TASKS, lambda tried, task: Score(value=0, steps=0), seen=TASKS[:1]) == [unfilled]


def test_of_programs_that_solve_as_many_the_one_that_spoils_fewer_comes_first():
    bold, modest = program("guess"), program("open")

    def tries(tried, task):
        solved = task.seed == 0
        return Score(value=solved, steps=1 if solved or tried == bold else 0)

    assert proven([bold, modest], TASKS[:2], tries, seen=TASKS[:1]) == [modest, bold]


def test_one_lucky_success_does_not_outweigh_two_that_were_spoiled():
    bold, modest = program("guess"), program("open")

    def tries(tried, task):
        solved = task.seed < (3 if tried == bold else 2)
        return Score(value=solved, steps=1 if solved or tried == bold else 0)

    tasks = [TASKS[0].model_copy(update={"seed": seed}) for seed in range(5)]
    assert proven([bold, modest], tasks, tries, seen=tasks[:1]) == [modest, bold]


def test_what_opens_and_closes_again_is_dropped_together():
    """A section is opened, closed and opened again; one click fewer would leave it closed."""

    def tries(tried, task):
        clicks = [step.verb for step in tried.steps]
        return Score(value=clicks[-1:] == ["save"] and clicks.count("toggle") % 2 == 1, steps=len(clicks))

    detour = program("toggle", "toggle", "toggle", "save")
    assert proven([detour], TASKS, tries, seen=TASKS) == [program("toggle", "save")]


def look(goal, seed):
    return Trajectory(task=TASKS[0].model_copy(update={"seed": seed}), goal=goal)


def test_a_program_without_slots_is_widened_to_other_words_and_narrowed_to_those_that_it_reaches():
    base = program("open").model_copy(update={"goals": ("Open it.",)})
    others = [
        look("Pull {it}.", 1),
        look("Open it.", 2),
        look("Shut it.", 3),
        look("Shut it.", 4),
        look("Pull {it}.", 5),
    ]
    wide = widened(base, others)
    assert wide.goals == ("Open it.", "Pull {{it}}.", "Shut it.")

    def tries(tried, task):
        return Score(value=task.seed == 1, steps=1)

    assert narrowed(wide, base, others, tries, sources=[look("Open it.", 0).task]).goals == ("Open it.", "Pull {{it}}.")


@pytest.mark.parametrize(
    ("reached", "kept"), [({1}, True), ({1, 2, 3}, False), ({1, 2}, True), ({1, 6, 2, 3, 4}, True), (set(), False)]
)
def test_other_words_need_be_reached_only_half_as_often_as_its_own(reached, kept):
    base = program("open").model_copy(update={"goals": ("Open it.",)})
    others = [
        look("Pull it.", 1),
        *(look("Open it.", seed) for seed in (2, 3, 4)),
        look("Pull it.", 6),
        look("Pull it.", 7),
    ]

    def tries(tried, task):
        return Score(value=task.seed in reached, steps=1)

    twice = [look("Open it.", 0).task] * 2  # of one instance several successes are one
    assert ("Pull it." in narrowed(widened(base, others), base, others, tries, sources=twice).goals) is kept


def test_a_program_with_slots_or_without_other_words_is_not_widened():
    slotted = program("open").model_copy(update={"goals": ("Open {thing}.",)})
    assert widened(slotted, [look("Shut it.", 1)]) is None
    assert widened(program("open").model_copy(update={"goals": ("Open it.",)}), [look("open it.", 1)]) is None
