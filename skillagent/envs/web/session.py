"""Session: the open tabs of one episode, and everything that happens to them between two observations.

Everything here runs on the browser's thread. Element refs are resolved against the document they were seen in: after a
navigation an old ref is *gone*, never another element. The module knows no tasks and no verbs.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from skillagent.envs.web.browser import Launch
from skillagent.envs.web.observe import Refs, observe
from skillagent.errors import EnvironmentFailed, InvalidAction
from skillagent.schema import Element, Observation

if TYPE_CHECKING:
    from playwright.sync_api import Browser as PlaywrightBrowser
    from playwright.sync_api import Dialog, Download, JSHandle, Page, Request, Route

log = logging.getLogger("skillagent.envs")

NAVIGATION_S = 10.0  # for a page to load
REQUESTS_S = 2.0  # for requests that an action set off
SETTLE = {"quiet": 20, "horizon": 350, "cap": 1000}  # milliseconds
WAITED = frozenset({"document", "fetch", "xhr"})
LIMIT = 20_000  # elements of a page that are read
LOOK = """async (page, options) => {
  const watch = window[Symbol.for("skillagent.watch")];
  return [watch ? await watch.settle(options) : false, page.look(options)];
}"""


def script(name: str) -> str:
    """Return one of the scripts that lie beside this module."""
    return files("skillagent.envs.web").joinpath(name).read_text(encoding="utf-8")


@dataclass
class _Document:
    """A loaded document: its number, and the handles that read it and reach into it."""

    number: int
    look: JSHandle
    reach: JSHandle


@dataclass(frozen=True)
class View:
    """How an environment wants its pages read.

    `hidden` is a CSS selector of what must not be shown; `address` is shown in place of the page's own URL, and the
    title and tabs are left out; `folder` is the only folder that file URLs may point into; `kept`: the same tab may
    serve the next episode too, because its pages keep nothing; it is loaded anew all the same.
    """

    hidden: str = ""
    address: str | None = None
    folder: Path | None = None
    limit: int = 6000
    kept: bool = False


@dataclass
class _Events:
    """What the pages reported since it was last read."""

    notices: list[str] = field(default_factory=list)
    requests: set[Request] = field(default_factory=set)
    crashed: bool = False


class Session:
    """The tabs of one episode in a context of their own: no cookies, storage or history of other episodes."""

    def __init__(self, browser: PlaywrightBrowser, launch: Launch, view: View) -> None:
        self.view = view
        self.size = (launch.width, launch.height)
        self.hosts = launch.hosts
        self.elements: dict[str, Element] = {}
        self._refs = Refs()
        self._documents: dict[Page, _Document] = {}
        self._count = 0
        self._events = _Events()
        self._scripts = {name: script(f"{name}.js") for name in ("watch", "look", "reach")}
        self._context = browser.new_context(
            viewport={"width": launch.width, "height": launch.height}, accept_downloads=False, service_workers="block"
        )
        self._context.set_default_timeout(NAVIGATION_S * 1000)
        self._context.add_init_script(self._scripts["watch"])
        self._outside = re.compile(_outside(launch.hosts, view.folder))
        self._context.route(self._outside, self._block)
        self._context.on("page", self._opened)
        self.page = self._context.new_page()

    def renewed(self, view: View) -> bool:
        """Make ready for another episode in the same tab; False where that cannot be, and nothing has changed."""
        if not (view.kept and self.view.kept and view.folder == self.view.folder) or self.crashed or len(self.tabs) > 1:
            return False
        self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
        self.page.mouse.move(self.size[0] - 1, self.size[1] - 1)  # it must not lie on what the next page shows
        self.view, self.elements, self._refs = view, {}, Refs()
        self._documents.clear()
        self._events.notices.clear()
        self._events.requests.clear()
        return True

    # ── What happens by itself ───────────────────────────────────────────────────────────────────────────────────────

    def _opened(self, page: Page) -> None:
        page.on("dialog", self._asked)
        page.on("download", self._downloaded)
        page.on("crash", lambda _: setattr(self._events, "crashed", True))
        page.on("request", self._requested)
        page.on("requestfinished", lambda request: self._events.requests.discard(request))
        page.on("requestfailed", self._failed)
        page.on("close", self._closed)
        page.on("domcontentloaded", self._forget)
        if self._documents:
            self._events.notices.append("notice: a new tab opened, and is shown now")
        self.page = page

    def _closed(self, page: Page) -> None:
        self._documents.pop(page, None)
        others = [other for other in self._context.pages if other is not page]
        if page is self.page and others:
            self.page = others[-1]
            self._events.notices.append("notice: the tab closed, and another one is shown now")

    def _asked(self, dialog: Dialog) -> None:
        # The dialog holds up the page, so it is answered at once: with yes, or with what a prompt suggests.
        said = "" if dialog.type == "beforeunload" else f': "{dialog.message}"'
        self._events.notices.append(f"notice: the page opened a dialog ({dialog.type}){said}; it was accepted")
        dialog.accept(dialog.default_value) if dialog.type == "prompt" else dialog.accept()

    def _downloaded(self, download: Download) -> None:
        self._events.notices.append(f'notice: the download of "{download.suggested_filename}" was blocked')

    def _requested(self, request: Request) -> None:
        if request.resource_type in WAITED:
            self._events.requests.add(request)

    def _block(self, route: Route) -> None:
        # Cancelled, not failed: a link that leads away leaves the page as it is.
        if route.request.is_navigation_request():
            url = route.request.url
            self._events.notices.append(f"notice: {url[:120]} was not opened: {self.refusal(url)}")
        route.abort("aborted")

    def _failed(self, request: Request) -> None:
        self._events.requests.discard(request)
        host = urlsplit(request.url).hostname
        if request.is_navigation_request() and request.failure and "ABORTED" not in request.failure:
            self._events.notices.append(
                f"notice: {host or request.url} could not be opened ({self.refusal(request.url)})"
            )

    def refusal(self, url: str) -> str:
        """Say why a URL cannot be opened."""
        parts = urlsplit(url)
        if parts.scheme == "file":
            return "files outside of the task's folder are blocked"
        if parts.hostname not in self.hosts:
            allowed = ", ".join(sorted(self.hosts)) or "none"
            return f"the host is not one of this task's: {allowed}"
        return "nothing answers there"

    # ── Going places ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def tabs(self) -> list[Page]:
        """The open tabs, in the order in which they were opened."""
        return list(self._context.pages)

    def open(self, url: str) -> None:
        """Load a URL in the present tab.

        Raises:
            InvalidAction: The URL is not http, https or an allowed file, or its host is not allowed or not there.
        """
        from playwright.sync_api import Error

        try:
            scheme = urlsplit(url).scheme
        except ValueError as error:
            raise InvalidAction(f"{url!r} is not an address: {error}") from error
        if scheme not in ("http", "https", "file", "about"):
            raise InvalidAction(f"{url!r} is not an address: it must begin with http:// or https://")
        if self._outside.match(url):
            raise InvalidAction(f"{url} cannot be opened: {self.refusal(url)}")
        try:
            self.page.goto(url, wait_until="load", timeout=NAVIGATION_S * 1000)
        except Error as error:
            if self.crashed:
                raise
            self._events.notices.clear()
            if self._documents:
                self.page.go_back()
            raise InvalidAction(f"{url} cannot be opened: {self.refusal(url)} ({_first_line(error)})") from error

    def show(self, index: int) -> None:
        """Bring the tab of that index to the front."""
        self.page = self.tabs[index]
        self.page.bring_to_front()

    @property
    def crashed(self) -> bool:
        """True when the browser or the page is dead."""
        browser = self._context.browser
        return self._events.crashed or browser is None or not browser.is_connected() or not self.tabs

    # ── Reaching in ──────────────────────────────────────────────────────────────────────────────────────────────────

    def node(self, ref: str) -> int:
        """Return the node that a ref stands for in the present document.

        Raises:
            InvalidAction: The ref was never given, or its document is no longer shown.
        """
        known = self._refs.node(ref)
        if known is None:
            have = ", ".join(list(self.elements)[:40]) or "none"
            raise InvalidAction(f"there is no element [{ref}]: the elements are {have}")
        if known[0] != self._document().number:
            raise InvalidAction(f"{self.name(ref)} is gone: another page is shown now")
        return known[1]

    def name(self, ref: str) -> str:
        """Return an element as the policy knows it, e.g. `[4] textbox "Username"`."""
        element = self.elements.get(ref)
        if element is None:
            return f"[{ref}]"
        called = f' "{element.name}"' if element.name else f' near "{element.near}"' if element.near else ""
        return f"[{ref}] {element.role}{called}"

    def reach(self, function: str, ref: str | None, *arguments: object) -> dict[str, Any]:
        """Call one of the functions of reach.js on an element, and return what it says.

        Raises:
            InvalidAction: It says why it cannot be done.
        """
        from playwright.sync_api import Error

        node = None if ref is None else self.node(ref)
        try:
            answer: dict[str, Any] = self._document().reach.evaluate(
                "(reach, [name, node, rest]) => reach[name](node, ...rest)", [function, node, list(arguments)]
            )
        except Error as error:
            if self.crashed or not _stale(error):
                raise
            self._forget(self.page)
            raise InvalidAction(f"{self.name(ref or '')} is gone: another page is shown now") from error
        if "error" in answer:
            raise InvalidAction(f"{self.name(ref)} {answer['error']}" if ref is not None else answer["error"])
        return answer

    def _document(self) -> _Document:
        """Return the present document, made ready where it is new."""
        known = self._documents.get(self.page)
        if known is None:
            look = self.page.evaluate_handle(self._scripts["look"])
            reach = look.evaluate_handle(self._scripts["reach"])
            self._count += 1
            known = self._documents[self.page] = _Document(self._count, look, reach)
        return known

    def _forget(self, page: Page) -> None:
        self._documents.pop(page, None)

    # ── Seeing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def expect_requests(self) -> None:
        """Forget the requests that are under way: from here on they are the next action's."""
        self._events.requests.clear()

    def look(self, goal: str) -> Observation:
        """Return what there is to see once the page has come to rest, and forget the notices that it tells."""
        document, read = self._rested()
        notices, self._events.notices = self._heading(read["title"]) + self._events.notices, []
        address = self.page.url if self.view.address is None else self.view.address
        seen = observe(
            read,
            goal=goal,
            document=document.number,
            refs=self._refs,
            url=address,
            notices=notices,
            limit=self.view.limit,
        )
        self.elements = {element.ref: element for element in seen.elements}
        return seen

    def _rested(self) -> tuple[_Document, dict[str, Any]]:
        """Wait until what an action set off is done, or has had its time, and read the page that is shown then."""
        from playwright.sync_api import Error

        until = time.monotonic() + REQUESTS_S
        options = {**SETTLE, "exclude": self.view.hidden, "limit": LIMIT}
        for _ in range(12):
            page = self.page
            try:
                document = self._document()
                opening, read = document.look.evaluate(LOOK, options)
                while opening and self.page is page and time.monotonic() < until:
                    page.wait_for_timeout(15)
                if self.page is not page:
                    continue
                if not self._events.requests or time.monotonic() > until:
                    return document, read
                while self._events.requests and time.monotonic() < until:
                    page.wait_for_timeout(15)
            except Error as error:  # a navigation took the document away while it was waited for
                if self.crashed or not _stale(error):
                    raise
                self._forget(page)
                self.page.wait_for_load_state("domcontentloaded")
        raise EnvironmentFailed("the page never came to rest: it goes on loading others")

    def _heading(self, title: str) -> list[str]:
        if self.view.address is not None:
            return []
        lines = [f'page "{title}" {self.page.url}']
        if len(self.tabs) > 1:
            named = (f'{i} "{tab.title()}"{" (shown)" if tab is self.page else ""}' for i, tab in enumerate(self.tabs))
            lines.append(f"tabs: {', '.join(named)}")
        return lines

    def screenshot(self) -> bytes:
        """Return the view of the present tab as PNG."""
        return self.page.screenshot()

    def close(self) -> None:
        """Close the tabs and forget what they stored."""
        self._context.close()


def _outside(hosts: frozenset[str], folder: Path | None) -> str:
    """Return the pattern of the URLs that may not be opened; Chromium's resolver holds the same line once more."""
    names = "|".join(re.escape(f"[{host}]" if ":" in host else host) for host in sorted(hosts))
    elsewhere = rf"https?://(?!(?:{names})(?:[:/?#]|$))" if names else "https?:"
    inside = re.escape(folder.resolve().as_uri().rstrip("/")[len("file:") :] + "/") if folder is not None else ""
    return rf"^(?:{elsewhere}|file:{f'(?!{inside})' if inside else ''})"


def failed(error: Exception) -> EnvironmentFailed:
    """Return what a Playwright error that is not the policy's means to the caller."""
    return EnvironmentFailed(f"the browser failed: {_first_line(error)}")


def _stale(error: Exception) -> bool:
    """True when the document that a handle belongs to was navigated away from."""
    return any(sign in str(error) for sign in ("context", "navigat", "disposed", "detached"))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
