"""Actions: what can be done on a page, one function each; schema and prompt text are made from its signature.

The first line of a function's docstring is what the policy reads, so it is written for a small model. A verb either
does what it says or raises `InvalidAction` with words that say how to mend it; it never waits long for a page to
become fit for it. Names are BrowserGym's where it has one. Nothing that a model wrote is ever run as code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from skillagent.envs.verbs import Doing, Ref
from skillagent.envs.web.session import Session
from skillagent.errors import InvalidAction

TYPED = ("textbox", "searchbox", "spinbutton", "slider")
LISTS = ("combobox", "listbox")
AIMS = 5  # times that the mouse follows what moves away from it
KEYED = 80  # characters that are typed key by key; longer texts are inserted at once

TypedRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": list(TYPED)})]
ListRef = Annotated[str, Field(json_schema_extra={"format": "ref", "roles": list(LISTS)})]
Keys = Annotated[str, Field(max_length=400, json_schema_extra={"examples": ["Enter", "Tab", "ArrowDown", "ArrowUp"]})]
Pixel = Annotated[float, Field(ge=0, le=10_000)]


def click(session: Session, ref: Ref) -> None:
    """Click an element."""
    element = session.elements.get(ref)
    if element is not None and element.role in LISTS and session.reach("kind", ref)["list"]:
        raise InvalidAction(f"{session.name(ref)} is a list: use select_option({ref}, option)")
    session.page.mouse.click(*_aim(session, ref))


def dblclick(session: Session, ref: Ref) -> None:
    """Double-click an element."""
    session.page.mouse.dblclick(*_aim(session, ref))


def fill(session: Session, ref: TypedRef, text: Annotated[str, Field(max_length=4000)]) -> None:
    """Type text into a text field; replaces what is in it."""
    kind = session.reach("kind", ref)
    if kind["list"]:
        raise InvalidAction(f"{session.name(ref)} is a list: use select_option({ref}, option)")
    if not kind["typed"]:
        raise InvalidAction(f"{session.name(ref)} is not a text field{_fields(session, TYPED)}")
    if kind["readonly"]:
        raise InvalidAction(f"{session.name(ref)} is read-only: click it to see what it offers")
    if kind["set"]:
        _point(session, ref)
        session.reach("put", ref, text)
        return
    session.page.mouse.click(*_aim(session, ref))
    before = session.reach("mark", ref)["held"]
    keyboard = session.page.keyboard
    if not text:
        if before:
            keyboard.press("Delete")
    elif len(text) <= KEYED and "\n" not in text:
        keyboard.type(text)
    else:
        keyboard.insert_text(text)
    if before.strip() and before != text and _held(session, ref) == before:
        raise InvalidAction(f"{session.name(ref)} does not let itself be typed into: it still holds {before!r}")


def select_option(session: Session, ref: ListRef, option: str) -> None:
    """Choose an option of a drop-down or list; in a list of many, choosing again takes it back."""
    if not session.reach("kind", ref)["list"]:
        raise InvalidAction(
            f"{session.name(ref)} is not a drop-down or list: click it instead{_fields(session, LISTS)}"
        )
    _point(session, ref)
    session.reach("choose", ref, option)


def press(session: Session, keys: Keys, ref: Ref | None = None) -> None:
    """Press keys, separated by spaces, e.g. "Enter", "Control+a", "ArrowDown ArrowDown"."""
    from playwright.sync_api import Error

    if ref is not None:
        session.reach("focus", ref)
    for key in keys.split() or ["Space"]:
        try:
            session.page.keyboard.press(key)
        except Error as error:
            if "Unknown key" not in error.message:
                raise
            raise InvalidAction(
                f"there is no key {key!r}: use names such as Enter, Tab, Escape, ArrowDown, Backspace, a, Control+a"
            ) from error


def hover(session: Session, ref: Ref) -> None:
    """Move the mouse over an element."""
    session.page.mouse.move(*_point(session, ref, enabled=False))


def drag_and_drop(session: Session, from_ref: Ref, to_ref: Ref) -> None:
    """Drag one element onto another."""
    start = _point(session, from_ref)
    end = _point(session, to_ref, enabled=False, free=False)
    if _point(session, from_ref) != start:
        raise InvalidAction(
            f"{session.name(from_ref)} and {session.name(to_ref)} are too far apart to be in view at once"
        )
    _drag(session, start, end)


def scroll(session: Session, direction: Literal["up", "down", "left", "right"], ref: Ref | None = None) -> None:
    """Scroll the page, or the part of it around an element."""
    step = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}[direction]
    session.reach("scroll", ref, *step)


def mouse_click(session: Session, x: Pixel, y: Pixel) -> None:
    """Click at a position, in pixels from the top left."""
    session.page.mouse.click(*_inside(session, x, y))


def mouse_drag_and_drop(session: Session, from_x: Pixel, from_y: Pixel, to_x: Pixel, to_y: Pixel) -> None:
    """Press the mouse at one position and let go at another."""
    _drag(session, _inside(session, from_x, from_y), _inside(session, to_x, to_y))


def goto(session: Session, url: str) -> None:
    """Open an address."""
    session.open(url)


def go_back(session: Session) -> None:
    """Go back to the page before."""
    from playwright.sync_api import Error

    try:
        response = session.page.go_back(wait_until="domcontentloaded")
    except Error as error:
        if session.crashed:
            raise
        raise InvalidAction("the page before does not open any more") from error
    if response is None and session.page.url in ("", "about:blank"):
        session.page.go_forward()
        raise InvalidAction("there is no page before this one")


def tab_focus(session: Session, index: Annotated[int, Field(ge=0, le=100)]) -> None:
    """Show another tab, by its number in the list of tabs."""
    if index >= len(session.tabs):
        raise InvalidAction(f"there is no tab {index}: the tabs are 0 to {len(session.tabs) - 1}")
    session.show(index)


def wait(session: Session, seconds: Annotated[float, Field(ge=0, le=10)]) -> None:
    """Wait for the page to change."""
    session.page.wait_for_timeout(seconds * 1000)


def answer(session: Session, text: str) -> None:
    """Give the answer to the task; this ends it."""


def done(session: Session) -> None:
    """Say that the task is done; this ends it."""


ON_A_PAGE: tuple[Doing, ...] = (
    click, dblclick, fill, select_option, press, hover, drag_and_drop, scroll, mouse_click, mouse_drag_and_drop, wait,
)  # fmt: skip
EVERYWHERE: tuple[Doing, ...] = (*ON_A_PAGE, goto, go_back, tab_focus, answer, done)


def _point(
    session: Session, ref: str, *, enabled: bool = True, free: bool = True, moved: bool = False
) -> tuple[float, float]:
    """Return where an element can be pressed, or its middle when it need not be `free`; it is scrolled into view.

    With `moved` the page is first given time to answer the mouse.
    """
    spot = session.reach("relocate" if moved else "locate", ref, {"enabled": enabled, "free": free})
    return spot["x"], spot["y"]


def _aim(session: Session, ref: str) -> tuple[float, float]:
    """Move the mouse to where an element can be pressed, and return it once the element stays there.

    Pages answer the mouse: a style for hovering may load a picture and shift what was aimed at.
    """
    point = _point(session, ref)
    for attempt in range(AIMS):
        session.page.mouse.move(*point)
        try:
            again = _point(session, ref, moved=True)
        except InvalidAction:
            if attempt == AIMS - 1:
                raise
            session.page.wait_for_timeout(40)
            continue
        if again == point:
            break
        point = again
    return point


def _held(session: Session, ref: str) -> str | None:
    """Return what a field holds, or None where typing has taken it away."""
    try:
        return str(session.reach("held", ref)["held"])
    except InvalidAction:
        return None


def _inside(session: Session, x: float, y: float) -> tuple[float, float]:
    width, height = session.size
    if x >= width or y >= height:
        raise InvalidAction(f"{x:g},{y:g} is outside of the view, which is {width} wide and {height} high")
    return x, y


def _drag(session: Session, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse = session.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(*end, steps=8)
    mouse.move(*end)  # some widgets place what is dragged only at the second report from the same spot
    mouse.up()


def _fields(session: Session, roles: Sequence[str]) -> str:
    """Name the elements that would have done, for the end of a message."""
    fit = [session.name(ref) for ref, element in session.elements.items() if element.role in roles]
    return f"; there are {', '.join(fit[:5])}" if fit else "; there is none here"
