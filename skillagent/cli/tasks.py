"""Tasks: from what was typed to a task, and whether it is safe to learn from it.

A named task of a resettable environment can be tried as often as one likes. A page on the web cannot: to repeat "order
one" orders two. So nothing on the web is replayed, and therefore nothing is learnt there, unless the operator says
that repeating is harmless.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from skillagent.errors import ConfigError

if TYPE_CHECKING:
    from skillagent.schema import Task

WEB = "web"
_CAPS = {"max_steps": 60, "max_turns": 12}  # what a program does costs next to nothing
_NAMED = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9_.-]+")


def task_from(
    words: str | None,
    *,
    env: str | None = None,
    url: str | None = None,
    seed: int = 0,
    expect: str = "",
    max_steps: int | None = None,
) -> Task:
    """Return the task that the words, `--env` and `--url` name together.

    Raises:
        ConfigError: They name none, or contradict each other.
    """
    from skillagent.schema import Task

    words = (words or "").strip()
    if env is None and url is None and _NAMED.fullmatch(words):
        env, words = words, ""
    caps = _CAPS if max_steps is None else {"max_steps": max_steps}
    if url is not None:
        if env not in (None, WEB):
            raise ConfigError(f"--url is for pages on the web and --env names {env}: give one of them")
        if not words:
            raise ConfigError("what is to be done there? give the goal in words before --url")
        try:
            scheme = urlsplit(url).scheme
        except ValueError as error:
            raise ConfigError(f"--url {url!r} is not an address: {error}") from error
        if not scheme:
            raise ConfigError(f"--url {url!r} has no scheme: write http://{url} or https://{url}")
        return Task(env=WEB, name=_page_name(words, url), goal=words, url=url, seed=seed, expect=expect, **caps)
    if env is None:
        raise ConfigError(
            f"where is {words!r} to be done? add --url URL or --env miniwob/TASK"
            if words
            else "what is to be done? give a task such as miniwob/login-user, or a goal in words with --url"
        )
    world, _, name = env.partition("/")
    if not name:
        raise ConfigError(f"--env {env!r}: write environment/task, e.g. miniwob/login-user")
    if words and states_goals(env):
        raise ConfigError(
            f"{env} sets its own goal, so {words!r} would be read by nobody: leave out the words, "
            "or leave out --env and say with --url where they are to be done"
        )
    return Task(env=world, name=name, goal=words, seed=seed, expect=expect, **caps)


def states_goals(env: str | None) -> bool:
    """Tell whether the tasks of the world that `--env` names state their own goals, as MiniWoB++ pages do."""
    from skillagent.envs.registry import STATES_GOALS

    return env is not None and env.partition("/")[0] in STATES_GOALS


def why_not_learn(task: Task, *, replay: bool) -> str | None:
    """Return why nothing may be learnt from the task, or None when it may.

    Args:
        replay: The operator says that repeating the task is harmless.
    """
    from skillagent.schema import Split

    if task.split is not Split.PRACTICE:
        return f"seed {task.seed} is a {task.split.value} seed; learning uses seeds below {Split.GATE.first_seed:,}"
    if task.env == WEB and not replay:
        return "a page on the web cannot be reset, and learning repeats the task; --replay says that this is harmless"
    if task.env == WEB and not task.expect:
        return "nothing can tell whether the task succeeded; --expect TEXT names what must be shown at the end"
    return None


def _page_name(goal: str, url: str) -> str:
    """Name a goal on a site: two goals there are two tasks."""
    parts = re.findall(r"[a-z0-9]+", f"{urlsplit(url).netloc} {goal}".lower())
    return "-".join(parts)[:80].strip("-")
