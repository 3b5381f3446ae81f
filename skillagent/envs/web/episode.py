"""Episode: the rules that hold in every web task: caps, what a wrong action costs, what comes after the end.

A wrong action comes back in words and counts as a step; a browser that fails raises `EnvironmentFailed`. After the end
nothing more is done. The module knows neither verbs nor rewards: they are handed to it.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as Overdue
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from skillagent.envs.web.browser import Browser, Launch
from skillagent.envs.web.session import Session, View, failed
from skillagent.errors import EnvironmentFailed, InvalidAction
from skillagent.schema import Observation, Outcome, Task

if TYPE_CHECKING:
    from playwright.sync_api import Browser as PlaywrightBrowser

log = logging.getLogger("skillagent.envs")

T = TypeVar("T")

OVERDUE_S = 60.0  # a call into the browser that takes longer never comes back: the page's script does not end


@dataclass(frozen=True)
class Ending:
    """What the world says of the task after an action. `reward` is in [0, 1], or None where nothing scores it."""

    terminated: bool
    reward: float | None


class Episode:
    """One browser and the one task that is done in it now."""

    def __init__(self) -> None:
        self._browser: Browser | None = None
        self._session: Session | None = None
        self._task: Task | None = None
        self._goal = self._awaited = ""
        self._last: Outcome | None = None
        self._steps = 0
        self._began = 0.0
        self._pid = 0
        self._closed = False

    def begin(self, task: Task, launch: Launch, view: View, start: Callable[[Session], str]) -> Observation:
        """Bring a fresh page to the task's start, and return the first observation.

        The page is in a context of its own, or in the tab of the episode before where `View.kept` allows it.

        Args:
            task: Its caps hold from here on.
            launch: How the browser must have been started; another one is started where it differs.
            view: How the pages are to be read.
            start: Loads the page and returns the goal.

        Raises:
            ConfigError: The browser or Playwright is missing.
            EnvironmentFailed: The page could not be brought to its start, or the episode was closed.
        """
        if self._closed:
            raise EnvironmentFailed("the environment was closed: make another one")
        if self._browser is not None and self._browser.launch != launch:
            self._browser.close()
            self._browser = self._session = None
        if self._browser is None:
            self._browser = Browser(launch)
            self._pid = self._browser.pid

        def opening(browser: PlaywrightBrowser) -> Observation:
            session, self._session = self._session, None
            if session is not None and not session.renewed(view):
                session.close()
                session = None
            self._session = session = session or Session(browser, launch, view)
            self._goal = start(session)
            return session.look(self._goal)

        try:
            observation = self._call(opening)
        except InvalidAction as error:
            raise EnvironmentFailed(f"{task.id} cannot be started: {error}") from error
        self._task, self._steps, self._began = task, 0, time.monotonic()
        self._last = Outcome(observation=observation)
        self._awaited = "" if observation.shows(task.expect) else task.expect
        return observation

    def step(self, act: Callable[[Session], None], judge: Callable[[Session], Ending]) -> Outcome:
        """Do one thing, and return what it led to. A text that the task expects ends it as soon as it is shown.

        Args:
            act: Does it, or raises `InvalidAction` before anything has happened.
            judge: Says after it whether the task is over, and how it went.

        Raises:
            EnvironmentFailed: The browser crashed, or there is no task; the environment must be made anew.
        """
        if self._last is None or self._task is None:
            raise EnvironmentFailed("there is no task: call reset first")
        if self._last.terminated or self._last.truncated:
            return self._last.model_copy(update={"error": "the episode is over: nothing was done"})
        task, goal, awaited = self._task, self._goal, self._awaited

        def acting(_: object) -> Outcome:
            session = self._session
            assert session is not None
            error = None
            session.expect_requests()
            try:
                act(session)
            except InvalidAction as fault:
                error = str(fault)
            observation = session.look(goal)
            ending = judge(session)
            over = ending.terminated or bool(awaited and observation.shows(awaited))
            return Outcome(observation=observation, error=error, reward=ending.reward, terminated=over)

        outcome = self._call(acting)
        self._steps += 1
        spent = self._steps >= task.max_steps or time.monotonic() - self._began >= task.timeout_s
        self._last = outcome.model_copy(update={"truncated": spent and not outcome.terminated})
        return self._last

    def screenshot(self) -> bytes:
        """Return the present view as PNG.

        Raises:
            EnvironmentFailed: The browser crashed, or there is no task.
        """
        if self._session is None:
            raise EnvironmentFailed("there is no task: call reset first")
        session = self._session
        return self._call(lambda _: session.screenshot())

    def close(self) -> None:
        """Stop the browser; a second call does nothing."""
        self._closed = True
        self._session = self._last = None
        if self._browser is not None:
            self._browser.close()
            self._browser = None

    @property
    def pid(self) -> int:
        """The process id of the browser; 0 before the first task."""
        return self._pid

    def _call(self, function: Callable[[PlaywrightBrowser], T]) -> T:
        """Run a function on the browser's thread, and turn what goes wrong there into `EnvironmentFailed`."""
        from playwright.sync_api import Error

        if self._browser is None:
            raise EnvironmentFailed("the environment was closed: make another one")
        try:
            return self._browser.call(function, timeout_s=OVERDUE_S)
        except Overdue as error:
            log.warning("the page did not answer for %g s: its browser is stopped", OVERDUE_S)
            os.kill(self._pid, signal.SIGKILL)  # frees the thread, which waits for the page
            raise EnvironmentFailed(f"the page did not answer for {OVERDUE_S:g} s") from error
        except Error as error:
            raise failed(error) from error
