"""WebEnvironment: a goal in words on any page, from the address that the task names.

Nothing here scores: the reward is None, and the episode ends when the policy says `answer` or `done`, or at the task's
caps. Only the host of `Task.url` and those given to the constructor can be reached; file URLs only inside `folder`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from skillagent.envs.verbs import Verbs
from skillagent.envs.web.actions import EVERYWHERE
from skillagent.envs.web.browser import Launch, hosts_of
from skillagent.envs.web.episode import Ending, Episode
from skillagent.envs.web.session import Session, View
from skillagent.errors import ConfigError
from skillagent.schema import Action, Observation, Outcome, Task, Verb

ENDS = frozenset({"answer", "done"})


class WebEnvironment:
    """Any web page, driven by typed verbs.

    Args:
        executable: The Chromium to start; None: the one that is found.
        headed: Show the window.
        hosts: Hosts that may be reached besides the task's own.
        folder: The folder that file URLs may point into; None: no file can be opened.
        width: Of the view, in pixels.
        height: Of the view, in pixels.
        limit: Characters of an observation's text.
    """

    def __init__(
        self,
        *,
        executable: Path | None = None,
        headed: bool = False,
        hosts: Sequence[str] = (),
        folder: Path | None = None,
        width: int = 1280,
        height: int = 720,
        limit: int = 6000,
    ) -> None:
        self._launch = Launch(executable, headed, frozenset(hosts), width, height)
        self._view = View(folder=folder, limit=limit)
        self._verbs = Verbs(EVERYWHERE)
        self._episode = Episode()

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What can be done on a page."""
        return self._verbs.verbs

    def reset(self, task: Task) -> Observation:
        """Open the task's address in a fresh context.

        Raises:
            ConfigError: The task has no goal or no usable address, or a browser is missing.
            EnvironmentFailed: The page does not load.
        """
        if not task.goal:
            raise ConfigError(f"{task.id}: a task on the web needs a goal in words")
        url = task.url or ""
        if _scheme(url) not in ("http", "https", "file"):
            raise ConfigError(f"{task.id}: {url!r} is not an address: give --url http://… or https://…")
        first = self._launch
        launch = Launch(first.executable, first.headed, first.hosts | hosts_of([url]), first.width, first.height)

        def start(session: Session) -> str:
            session.open(url)
            return task.goal

        return self._episode.begin(task, launch, self._view, start)

    def step(self, action: Action) -> Outcome:
        """Do one thing on the page; `answer` and `done` end the episode, unscored.

        Raises:
            EnvironmentFailed: The browser crashed.
        """
        ended = False

        def act(session: Session) -> None:
            nonlocal ended
            self._verbs.perform(session, action)
            ended = action.verb in ENDS

        return self._episode.step(act, lambda _: Ending(ended, None))

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


def _scheme(url: str) -> str:
    """Return the URL's scheme; empty where it is no URL at all."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""
