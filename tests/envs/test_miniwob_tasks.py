import re

import pytest
from oracles import ORACLES

from skillagent.envs.web.miniwob import MiniWoB, pages, standard, tasks
from skillagent.errors import ConfigError
from skillagent.schema import Action, Split, Task
from skillagent.testing import check_environment, solve

pytestmark = pytest.mark.browser

SEEDS = (7, Split.GATE.first_seed + 7, Split.HOLDOUT.first_seed + 7)
VARIED = (
    "click-button", "click-link", "click-option", "click-checkboxes", "click-dialog-2", "click-tab-2",
    "click-collapsible-2", "click-color", "click-shape", "click-scroll-list", "choose-list", "enter-text", "enter-date",
    "login-user", "read-table-2", "simple-algebra", "use-slider", "use-spinner", "use-autocomplete-nodelay",
    "email-inbox-reply", "social-media", "copy-paste", "visual-addition", "choose-date-easy", "drag-items", "drag-box",
    "drag-shapes", "scroll-text-2", "click-menu", "ascending-numbers",
)  # fmt: skip
MOVING = ("chase-circle", "click-pie", "moving-items", "terminal")  # they change by themselves, or show today's date


def task(name, seed=7, **rest):
    return Task(env="miniwob", name=name, seed=seed, **{"max_steps": 40, **rest})


@pytest.mark.parametrize("name", VARIED)
def test_an_oracle_reaches_full_reward_through_the_verbs_alone(miniwob, name):
    outcomes = [solve(miniwob, task(name, seed), ORACLES[name]) for seed in SEEDS]
    assert [(outcome.reward, outcome.terminated) for outcome in outcomes] == [(1.0, True)] * 3


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(ORACLES) - set(VARIED)))
def test_further_oracles_reach_full_reward_too(miniwob, name):
    assert [solve(miniwob, task(name, seed), ORACLES[name]).reward for seed in SEEDS] == [1.0] * 3


def test_it_keeps_the_promises_of_an_environment():
    check_environment(MiniWoB, task("login-user"), ORACLES["login-user"])


def test_all_130_pages_are_there_and_125_of_them_are_the_standard_set():
    assert len(tasks()) == 130
    assert len(standard()) == 125
    assert set(tasks()) - set(standard()) == {
        "button-delay", "chase-circle", "hover-shape", "moving-items", "simon-says",
    }  # fmt: skip


def test_pages_behind_a_link_are_found_where_they_really_are(tmp_path, monkeypatch):
    real = pages()
    (tmp_path / "miniwob").symlink_to(real.parents[1])
    monkeypatch.syspath_prepend(tmp_path)
    assert pages() == real, "file URLs outside of the task's folder are blocked, and links are looked through there"


def test_an_unknown_task_is_refused_with_those_that_are_near(miniwob):
    with pytest.raises(ConfigError, match=r"'login-usr'.*login-user"):
        miniwob.reset(task("login-usr"))


def test_a_path_is_not_a_task(miniwob):
    with pytest.raises(ConfigError, match="no MiniWoB task"):
        miniwob.reset(task("../core/core"))


def test_large_seeds_give_different_tasks(miniwob):
    goals = {miniwob.reset(task("enter-text", seed)).goal for seed in (2_000_001, 2_000_002, 9_000_003)}
    assert len(goals) == 3


@pytest.mark.parametrize("name", ["click-checkboxes", "use-slider", "click-shape", "email-inbox", "click-tab-2"])
def test_the_same_seed_gives_the_same_first_observation(miniwob, name):
    first, other, again = (miniwob.reset(task(name, seed)) for seed in (5, 6, 5))
    assert first == again
    assert first.text != other.text


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in tasks() if name not in MOVING])
def test_every_page_starts_alike_twice_and_shows_something_to_act_on(miniwob, name):
    first, again = miniwob.reset(task(name, 11)), miniwob.reset(task(name, 11))
    assert (first.goal, first.text) == (again.goal, again.text)
    assert first.goal and (first.elements or "text" in first.text)


def test_a_failed_task_scores_zero_and_ends(miniwob):
    seen = miniwob.reset(task("click-test-2"))
    outcome = miniwob.step(Action(verb="click", arguments={"ref": seen.elements[1].ref}))
    assert (outcome.reward, outcome.terminated, outcome.truncated) == (0.0, True, False)


def test_the_reward_display_is_never_shown_before_or_after_the_end(miniwob):
    seen = miniwob.reset(task("click-test"))
    outcome = miniwob.step(Action(verb="click", arguments={"ref": seen.elements[0].ref}))
    for observation in (seen, outcome.observation):
        shown = observation.model_dump_json().lower()
        assert not re.search(r"reward|episodes done|time left|last 10|start\b", shown)


def test_the_goal_is_not_repeated_in_the_text(miniwob):
    seen = miniwob.reset(task("login-user"))
    assert seen.goal.startswith("Enter the username")
    assert "Enter the username" not in seen.text


def test_a_colour_that_the_goal_only_shows_is_put_into_words(miniwob):
    assert re.search(r"\(shown: rgb\(\d+, \d+, \d+\)\)", miniwob.reset(task("use-colorwheel-2")).goal)


def test_the_cap_on_steps_truncates_and_nothing_is_done_after_it(miniwob):
    seen = miniwob.reset(task("click-test", max_steps=2))
    wait = Action(verb="wait", arguments={"seconds": 0})
    first, second = miniwob.step(wait), miniwob.step(wait)
    assert (first.truncated, second.truncated, second.terminated) == (False, True, False)
    after = miniwob.step(Action(verb="click", arguments={"ref": seen.elements[0].ref}))
    assert "over" in after.error and after.reward != 1.0


def test_the_cap_on_time_truncates(miniwob):
    miniwob.reset(task("click-test", timeout_s=0.001))
    assert miniwob.step(Action(verb="wait", arguments={"seconds": 0})).truncated
