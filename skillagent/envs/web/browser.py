"""Browser: one Chromium process, on a thread of its own, that can reach only the hosts it was started for.

Playwright's synchronous API binds to the thread that started it and cannot run where an event loop runs; a thread per
browser lets a program have several, and use them from a notebook. Hosts are blocked in Chromium's resolver, which
costs nothing per request, so a browser is started anew when the allowed hosts change. The module knows nothing of
tasks or pages' contents.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from skillagent.errors import ConfigError, EnvironmentFailed

if TYPE_CHECKING:
    from playwright.sync_api import Browser as PlaywrightBrowser
    from playwright.sync_api import Playwright

log = logging.getLogger("skillagent.envs")

T = TypeVar("T")

REMEDY = (
    "no Chromium was found: run `playwright install chromium`, or install the package `chromium`, "
    "or set the path of a Chrome or Chromium binary (SKILLAGENT_CHROMIUM)"
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-blink-features=ComputedAccessibilityInfo",  # gives scripts each element's computed role and name
    "--force-renderer-accessibility",  # or else the tree is made anew for each of those: minutes on a large page
)


def find_chromium(configured: Path | None = None, bundled: Path | None = None) -> Path:
    """Return the Chromium to start: the configured one, else Playwright's own, else the first on the PATH.

    Raises:
        ConfigError: There is none, or the configured path is not a file; the message says what to install or set.
    """
    if configured is not None:
        if configured.is_file():
            return configured
        raise ConfigError(f"no browser at {configured}: correct the path or unset it to look for one")
    if bundled is not None and bundled.is_file():
        return bundled
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        raise ConfigError(REMEDY)
    return Path(found)


@dataclass(frozen=True)
class Launch:
    """How a browser is started.

    `hosts` are the only host names it may reach, subdomains not included; empty: none. `width` and `height` are the
    view's, in pixels.
    """

    executable: Path | None = None
    headed: bool = False
    hosts: frozenset[str] = frozenset()
    width: int = 1280
    height: int = 720

    @property
    def flags(self) -> list[str]:
        """Chromium's command line. The sandbox is given up only where it cannot work: as root."""
        excluded = "".join(f", EXCLUDE {host}" for host in sorted(self.hosts))
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        return [*FLAGS, *root, f"--host-resolver-rules=MAP * ~NOTFOUND{excluded}"]


class Browser:
    """A running Chromium and the thread that may speak to it; nothing is started before the first `call`."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self._thread: ThreadPoolExecutor | None = None
        self._playwright: Playwright | None = None
        self._browser: PlaywrightBrowser | None = None

    def call(self, function: Callable[[PlaywrightBrowser], T], *, timeout_s: float | None = None) -> T:
        """Return `function(browser)`, run on the browser's thread; start the browser where it does not run yet.

        Raises:
            ConfigError: Playwright or a Chromium is missing.
            EnvironmentFailed: The browser did not start.
            TimeoutError: It did not return within `timeout_s`; it still runs, and holds the thread.
        """
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="skillagent-browser")
        return self._thread.submit(lambda: function(self._started())).result(timeout_s)

    @property
    def pid(self) -> int:
        """The process id of Chromium's main process."""

        def ask(browser: PlaywrightBrowser) -> int:
            session = browser.new_browser_cdp_session()
            processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
            session.detach()
            return next(int(process["id"]) for process in processes if process["type"] == "browser")

        return self.call(ask)

    def close(self) -> None:
        """Stop Chromium and the thread; a second call does nothing."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.submit(self._stop).result()
            thread.shutdown()

    def _started(self) -> PlaywrightBrowser:
        if self._browser is not None:
            return self._browser
        try:
            from playwright.sync_api import Error, sync_playwright
        except ImportError as error:
            raise ConfigError("the web environment needs Playwright: pip install 'skillagent[web]'") from error
        self._playwright = self._playwright or sync_playwright().start()
        chromium = self._playwright.chromium
        path = find_chromium(self.launch.executable, Path(chromium.executable_path))
        try:
            self._browser = chromium.launch(
                executable_path=path, args=self.launch.flags, headless=not self.launch.headed, timeout=30_000
            )
        except Error as error:
            raise EnvironmentFailed(f"{path} did not start: {error.message.splitlines()[0]}") from error
        log.debug("started %s for hosts %s", path, sorted(self.launch.hosts))
        return self._browser

    def _stop(self) -> None:
        from playwright.sync_api import Error

        browser, self._browser = self._browser, None
        playwright, self._playwright = self._playwright, None
        try:
            if browser is not None:
                browser.close()
            if playwright is not None:
                playwright.stop()
        except Error as error:  # a browser that crashed cannot be closed again
            log.debug("while closing: %s", error.message)


def hosts_of(urls: Iterable[str]) -> frozenset[str]:
    """Return the host names in `urls`; file URLs have none."""
    from urllib.parse import urlsplit

    return frozenset(host for url in urls if (host := urlsplit(url).hostname))
