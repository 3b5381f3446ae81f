"""Programs are tried by themselves before anything dearer: the one that solves most, without its detours."""

from skillagent.learning.prove import proven
from skillagent.schema import Ask, Do, Program, Task

TASKS = [Task(env="e", name="t", seed=seed) for seed in range(3)]


def program(*verbs):
    return Program(steps=tuple(Ask(do=Do(verb=verb[1:])) if verb[0] == "?" else Do(verb=verb) for verb in verbs))


def needs(**seeds):
    """Return what solves a task where all that its seed needs is done, in any company."""

    def solves(tried, task):
        done = {step.verb for step in tried.steps if isinstance(step, Do)}
        return set(seeds["abc"[task.seed]].split()) <= done and all(isinstance(step, Do) for step in tried.steps)

    return solves


def test_the_program_that_solves_most_comes_first_and_equals_keep_their_order():
    one, two, three = program("open"), program("open", "save"), program("leave")
    solves = needs(a="open save", b="open save", c="open")
    assert proven([three, one, two], TASKS, solves) == [two, one, three]


def test_a_step_that_no_instance_needs_is_dropped_and_one_that_a_single_instance_needs_stays():
    solves = needs(a="open", b="open save", c="open")
    assert proven([program("look", "open", "look", "save")], TASKS, solves) == [program("open", "save")]


def test_a_program_that_solves_nothing_by_itself_is_left_as_it_is():
    hole = program("look", "?fill", "save")
    assert proven([hole], TASKS, needs(a="save", b="save", c="save")) == [hole]


def test_programs_that_become_the_same_are_one():
    assert proven([program("look", "open"), program("open")], TASKS, needs(a="open", b="open", c="open")) == [
        program("open")
    ]


def test_a_program_never_loses_its_last_step():
    assert proven([program("look", "open")], TASKS, lambda tried, task: True) == [program("look")]
