"""Speed: what an episode costs that runs wholly by program, against the raw Playwright actions that it makes.

    python -m evals.program_speed --episodes 30

Both solve the same page and seed in turns, in two browsers of one run. Timed is from the page's start to the reward:
here with finding elements, acting, observing and judging at every step, there with nothing but the calls of Playwright
that a script of that page would make.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from skillagent.envs.registry import open_environment
from skillagent.envs.web.browser import find_chromium
from skillagent.envs.web.miniwob import pages
from skillagent.ports import Environment
from skillagent.programs.perform import Wanted, perform
from skillagent.programs.template import filled_by
from skillagent.programs.text import parse
from skillagent.schema import Filled, Outcome, Program, Task

RESULT = Path(__file__).parent / "results" / "program-speed.json"
START = Path(__file__).parents[1] / "skillagent" / "envs" / "web" / "start.js"
PROGRAMS = {
    "login-user": """
goals: ['Enter the username "{username}" and the password "{password}" into the text fields and press login.']
steps:
- fill: {role: textbox, near: Username, text: "{username}"}
- fill: {role: textbox, near: Password, text: "{password}"}
- click: {role: button, name: Login}
""",
    "enter-text": """
goals: ['Enter "{text}" into the text field and press Submit.']
steps:
- fill: {role: textbox, text: "{text}"}
- click: {role: button, name: Submit}
""",
    "click-option": """
goals: ['Select {option} and click Submit.']
steps:
- click: {role: radio, name: "{option}"}
- click: {role: button, name: Submit}
""",
}


def _login(page: Any, values: Filled) -> None:  # noqa: ANN401 (Playwright's own)
    page.locator("#username").fill(values["username"])
    page.locator("#password").fill(values["password"])
    page.locator("#subbtn").click()


def _enter(page: Any, values: Filled) -> None:  # noqa: ANN401
    page.locator("#tt").fill(values["text"])
    page.locator("#subbtn").click()


def _option(page: Any, values: Filled) -> None:  # noqa: ANN401
    page.get_by_role("radio", name=values["option"], exact=True).click()
    page.get_by_role("button", name="Submit").click()


RAW: Mapping[str, Callable[[Any, Filled], None]] = {"login-user": _login, "enter-text": _enter, "click-option": _option}


def ours(environment: Environment, program: Program, task: Task) -> tuple[float, Filled]:
    """Return the seconds that the program took to solve the task, and what filled its slots."""
    first = environment.reset(task)
    start = time.perf_counter()
    filled = filled_by(program.goals, first.goal)
    assert filled is not None, first.goal
    outcome, moves = Outcome(observation=first), perform(program, filled, first)
    move = next(moves)
    while not outcome.terminated:
        assert not isinstance(move, Wanted)
        outcome = environment.step(move)
        if not outcome.terminated:
            move = moves.send(outcome)
    took = time.perf_counter() - start
    assert outcome.reward == 1.0, (task.id, outcome.error)
    return took, filled


def raw(page: Any, task: Task, filled: Filled) -> float:  # noqa: ANN401
    """Return the seconds that the bare calls took to solve the same task."""
    page.goto((pages() / f"{task.name}.html").as_uri())
    page.evaluate(START.read_text(encoding="utf-8"), task.seed)
    start = time.perf_counter()
    RAW[task.name](page, filled)
    done, reward = page.evaluate("() => [WOB_DONE_GLOBAL, WOB_RAW_REWARD_GLOBAL]")
    took = time.perf_counter() - start
    assert done, task.id
    assert reward == 1, task.id
    return took


def main(episodes: Annotated[int, typer.Option(min=2, help="Episodes of each page.")] = 30) -> None:
    """Measure, print and write the ratio of the medians, page by page."""
    from playwright.sync_api import sync_playwright

    environment, found = open_environment("miniwob"), {}
    programs = {name: parse(text) for name, text in PROGRAMS.items()}
    arguments = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=find_chromium(), args=arguments).new_page()
        for name, program in programs.items():
            pairs = []
            for seed in range(episodes):
                task = Task(env="miniwob", name=name, seed=seed)
                took, filled = ours(environment, program, task)
                pairs.append((took, raw(page, task, filled)))
            here, there = (statistics.median(side) for side in zip(*pairs[1:], strict=True))  # the first one warms up
            found[name] = {"program_ms": round(1000 * here, 1), "raw_ms": round(1000 * there, 1), "ratio": here / there}
            print(f"{name}: {1000 * here:.0f} ms by program, {1000 * there:.0f} ms raw, ratio {here / there:.2f}")
        page.context.browser.close()
    environment.close()
    RESULT.write_text(
        json.dumps({"command": f"python -m evals.program_speed --episodes {episodes}", "pages": found}, indent=1)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    typer.run(main)
