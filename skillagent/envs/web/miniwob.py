"""MiniWoB: the 130 small pages of MiniWoB++, each a task with a goal in words and its own reward.

The reward is the page's raw one: 1 stays 1, a fraction stays itself, a failure is 0; it is not discounted by time, and
the page's own time limit is lifted, because both were made for people and not for models. The goal is in
`Observation.goal` and not repeated in the text; what the page shows about rewards is never seen. A page ends its task
by itself, so there is no verb for giving up. Pages come from the package `miniwob`, which is found and never imported
(importing it pulls Selenium).
"""

from __future__ import annotations

import difflib
import importlib.util
import math
from pathlib import Path

from skillagent.envs.verbs import Verbs
from skillagent.envs.web.actions import ON_A_PAGE
from skillagent.envs.web.browser import Launch
from skillagent.envs.web.episode import Ending, Episode
from skillagent.envs.web.session import Session, View, script
from skillagent.errors import ConfigError, EnvironmentFailed
from skillagent.schema import Action, Observation, Outcome, Task, Verb

REMEDY = "the MiniWoB++ pages are missing: pip install --no-deps miniwob==1.1.0"
WIDTH, HEIGHT = 500, 320  # as BrowserGym shows the pages: dialogs and menus leave the page's own 160 x 210

# Not part of the benchmark of 125 that results are published for; pages of the package all the same.
BEYOND_STANDARD = frozenset({"button-delay", "chase-circle", "hover-shape", "moving-items", "simon-says"})

HIDDEN = "#reward-display, #click-canvas, #sync-task-cover, #query"
READ = "() => [WOB_DONE_GLOBAL, WOB_RAW_REWARD_GLOBAL]"


def pages() -> Path:
    """Return the folder that holds the pages.

    Raises:
        ConfigError: The package is not installed; the message says how to.
    """
    spec = importlib.util.find_spec("miniwob")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(place) / "html" / "miniwob"
        if folder.is_dir():
            return folder.resolve()  # as file URLs are compared
    raise ConfigError(REMEDY)


def tasks() -> tuple[str, ...]:
    """Return the names of all pages, sorted.

    Raises:
        ConfigError: The package is not installed.
    """
    return tuple(sorted(page.stem for page in pages().glob("*.html")))


def standard() -> tuple[str, ...]:
    """Return the 125 tasks that results are published for, sorted.

    Raises:
        ConfigError: The package is not installed.
    """
    return tuple(name for name in tasks() if name not in BEYOND_STANDARD)


class MiniWoB:
    """The pages of MiniWoB++ as an environment.

    Args:
        executable: The Chromium to start; None: the one that is found.
        headed: Show the window.
        limit: Characters of an observation's text.
    """

    anew = True

    def __init__(self, *, executable: Path | None = None, headed: bool = False, limit: int = 6000) -> None:
        self._launch = Launch(executable, headed, frozenset(), WIDTH, HEIGHT)
        self._limit = limit
        self._verbs = Verbs(ON_A_PAGE)
        self._episode = Episode()

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What can be done on one fixed page."""
        return self._verbs.verbs

    def reset(self, task: Task) -> Observation:
        """Load the page anew and start it from the task's seed.

        Raises:
            ConfigError: There is no page of that name, or the pages or a browser are missing.
            EnvironmentFailed: The page did not start.
        """
        folder = pages()
        page = folder / f"{task.name}.html"
        if task.name not in tasks():
            close = difflib.get_close_matches(task.name, tasks(), n=3, cutoff=0.4)
            raise ConfigError(f"no MiniWoB task {task.name!r}{'; near it: ' if close else ''}{', '.join(close)}")
        view = View(hidden=HIDDEN, address=f"miniwob/{task.name}", folder=folder.parent, limit=self._limit, kept=True)

        def start(session: Session) -> str:
            session.open(page.as_uri())
            return str(session.page.evaluate(script("start.js"), task.seed))

        return self._episode.begin(task, self._launch, view, start)

    def step(self, action: Action) -> Outcome:
        """Do one thing on the page; the page says when the task is over.

        Raises:
            EnvironmentFailed: The browser crashed.
        """
        return self._episode.step(lambda session: self._perform(session, action), _judge)

    def _perform(self, session: Session, action: Action) -> None:
        self._verbs.perform(session, action)

    def screenshot(self) -> bytes:
        """Return the present view as PNG."""
        return self._episode.screenshot()

    @property
    def pid(self) -> int:
        """The process id of the browser, for whoever watches its memory; 0 before the first task."""
        return self._episode.pid

    def close(self) -> None:
        """Stop the browser; a second call does nothing."""
        self._episode.close()


def _judge(session: Session) -> Ending:
    done, raw = session.page.evaluate(READ)
    if not done:
        return Ending(False, 0.0)  # what is not solved when the episode is cut off is failed, not unscored
    if not isinstance(raw, int | float) or not math.isfinite(raw):
        raise EnvironmentFailed(f"{session.view.address} gave no number as its reward: {raw!r}")
    return Ending(True, min(max(float(raw), 0.0), 1.0))
