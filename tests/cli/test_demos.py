"""Demonstrations of an arm that are read from a folder: compared in words, and their mean tried in the real world."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from skillagent.cli.demos import compared, noting, with_means, with_rests
from skillagent.config import draw_without_a_screen
from skillagent.envs.robot.phases import recorded, ways
from skillagent.envs.robot.primitives import path_of, rows_of
from skillagent.envs.robot.world import MetaWorld
from skillagent.learning.judge import judge
from skillagent.programs.text import FILE, dump
from skillagent.schema import Attempt, Do, Edit, Outcome, Program, PutSkill, Skill, Step, Target, Task, Trajectory

draw_without_a_screen()


@pytest.fixture(scope="module")
def world():
    opened = MetaWorld()
    yield opened
    opened.close()


def episode(world, task, actions):
    outcome, steps = Outcome(observation=world.reset(task)), []
    for action in actions:
        seen, outcome = outcome.observation, world.step(action)
        steps.append(Step(observation=seen, action=action, error=outcome.error, reward=outcome.reward, by="oracle"))
    trajectory = Trajectory(
        task=task,
        goal=seen.goal,
        steps=tuple(steps),
        final=outcome.observation,
        reward=outcome.reward or 0.0,
        terminated=outcome.terminated,
    )
    return Attempt(plan=None, route=None, trajectory=trajectory, verdict=judge(trajectory), library="")


@pytest.fixture(scope="module")
def shown(world):
    found = []
    for seed in (0, 1, 2):
        task = Task(env="metaworld", name="pick-place", seed=seed)
        world.reset(task)
        found.append(episode(world, task, next(ways(world.simulation, recorded(world.simulation, "pick-place", seed)))))
    return found


def detour(one, bow=0.15):
    """Return the episode as if the hand had made a wide bow to the right on its way to the goal."""
    last = one.trajectory.steps[-1]
    rows = rows_of(last.action.arguments["path"])
    rows[5:-5, 0] += bow
    action = last.action.model_copy(update={"arguments": {**last.action.arguments, "path": path_of(rows)}})
    steps = (*one.trajectory.steps[:-1], last.model_copy(update={"action": action}))
    return one.model_copy(update={"trajectory": one.trajectory.model_copy(update={"steps": steps})})


def test_a_demonstration_that_departs_is_refused_in_words_and_the_others_are_learnt_from(shown):
    said = []
    kept = compared([shown[0], detour(shown[1]), shown[2]], said.append)
    assert kept == [shown[0], shown[2]]
    (line,) = said
    assert line.startswith("--demos: metaworld/pick-place: refused: demonstration 2 departs from the others at point ")
    assert line.endswith(" m to the right of where they pass (seed 1)")


def test_where_no_two_of_several_fit_together_none_is_called_the_odd_one(world, shown):
    bows, said = [shown[0], detour(shown[1]), detour(shown[2], -0.15)], []
    assert with_means(None, compared(bows, said.append), said.append) == (bows, {})
    (line,) = said
    assert "no two of 3 fit together: demonstration 2 departs from the others" in line


def test_the_same_again_is_noted_and_kept(shown):
    again = shown[0].model_copy(update={"library": "another"})
    said = []
    assert compared([shown[0], again], said.append) == [shown[0], again]
    assert said == [
        "--demos: metaworld/pick-place: demonstration 2 adds nothing to demonstration 1: the same places, the same way "
        "(seed 0)"
    ]


def test_the_mean_of_several_is_done_in_the_world_and_learnt_from_first(world, shown):
    agent, said = SimpleNamespace(open=lambda _: world, drop=print, judge=judge), []
    (tried, *rest), _ = with_means(agent, shown, said.append)
    assert rest == shown
    assert tried.verdict.success
    assert tried.trajectory.shown
    assert tried.trajectory.task.seed == 0
    assert said[0].startswith("--demos: metaworld/pick-place: 3 demonstrations: where step 1 leads varies by 0.0")


def test_how_far_demonstrations_vary_is_written_into_the_skill_that_follows_their_mean_or_one_of_them(world, shown):
    (tried, *_), varies = with_means(SimpleNamespace(open=lambda _: world, drop=print, judge=judge), shown, print)

    def proposed(one):
        steps = [
            Do(
                verb=step.action.verb,
                targets={"ref": Target(role="object")},
                arguments={key: value for key, value in step.action.arguments.items() if key != "ref"},
            )
            for step in one.trajectory.steps
        ]
        skill = Skill(name="x", description="X.", body="# X\n", files={FILE: dump(Program(steps=tuple(steps)))})
        return Edit(changes=(PutSkill(skill=skill),), why="shown")

    @dataclass(frozen=True)
    class Writer:
        write: object = lambda *_: iter([proposed(tried), proposed(shown[1]), proposed(detour(shown[1])), words])

    words = Edit(changes=(PutSkill(skill=Skill(name="x", description="X.", body="# X\n")),), why="words alone")
    own, second, other, last = noting(Writer(), varies).write(None, None, None)
    for edit in (own, second):
        assert edit.changes[0].skill.body.startswith(
            "# X\n\n## As shown\n\nOver several demonstrations: where step 1 leads varies by 0.0"
        )
    assert (other, last) == (proposed(detour(shown[1])), words)


def test_a_mean_that_does_not_do_the_task_is_not_learnt_from(world, shown):
    class Elsewhere:
        def reset(self, task):
            return world.reset(task.model_copy(update={"name": "drawer-open"}))

        def step(self, action):
            return world.step(action)

    agent, said = SimpleNamespace(open=lambda _: Elsewhere(), drop=print, judge=judge), []
    assert with_means(agent, shown, said.append)[0] == shown
    assert "their mean does not do it at seed 0; each is learnt from by itself" in said[-1]


def unfinished(world, one, steps):
    """Return an episode that does only the first steps of another's, where that did it."""
    trajectory = one.trajectory
    return episode(world, trajectory.task, [step.action for step in trajectory.steps[:steps]])


def test_a_demonstration_that_ends_too_early_goes_on_as_another_did_from_such_a_state(world, shown):
    agent, said = SimpleNamespace(open=lambda _: world, drop=print, judge=judge), []
    short = unfinished(world, shown[0], 2)
    assert not short.verdict.success
    tried, *rest = with_rests(agent, [short, shown[1]], said.append)
    assert rest == [short, shown[1]]
    assert (tried.verdict.success, tried.trajectory.task.seed, len(tried.trajectory.steps)) == (True, 0, 3)
    assert said == ["--demos: metaworld/pick-place: seed 0 ends as seed 1 is before step 3: both together do it"]


def test_demonstrations_whose_states_do_not_meet_are_not_put_together(world, shown):
    away = (
        shown[0].trajectory.steps[0].action.model_copy(update={"arguments": {"ref": "1", "offset": [0.1, -0.1, 0.2]}})
    )
    short = episode(world, shown[0].trajectory.task, [away])
    assert with_rests(None, [short, *shown[1:]], print) == [short, *shown[1:]]
    assert with_rests(None, shown, print) == shown


def test_what_others_did_elsewhere_than_with_an_arm_is_passed_on_without_a_word(shown):
    steps = tuple(
        step.model_copy(update={"action": step.action.model_copy(update={"verb": "click", "arguments": {}})})
        for step in shown[0].trajectory.steps
    )
    other = shown[0].model_copy(update={"trajectory": shown[0].trajectory.model_copy(update={"steps": steps})})
    said = []
    assert with_means(None, compared([other, other], said.append), said.append) == ([other, other], {})
    assert not said
