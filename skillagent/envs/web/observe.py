"""Observe: what the policy sees of a page, as short lines that a small model can read quickly.

One line per element: `[4] textbox "Username" = "bob"`. A ref is a small number given at first sight and kept as long
as the node lives. The text is bounded: what is in view comes first, and a last line says how much was cut; the list of
elements is always whole. Nothing here acts on the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skillagent.schema import Element, Observation

Node = dict[str, Any]  # one node of the tree that look.js returns: an element (k), a group (g), a text (t), or a break

LINE = 200  # characters of one text line
NAME = 100  # characters of a name within a line
OPTIONS = 30  # options of a list that are spelt out
DRAWN = frozenset({"drawing", "canvas"})
TEXTS = frozenset({"letter", "digit", "text"})
SHAPES = frozenset(
    {"circle", "ellipse", "rectangle", "line", "polyline", "path", "image", "use", "triangle"}
) | frozenset({"quadrilateral", "pentagon", "hexagon", "heptagon", "octagon"})


@dataclass(frozen=True)
class Line:
    """One line of the observation; `seen` is true when part of it lies in the view."""

    text: str
    seen: bool


class Refs:
    """Gives each node of a page its number, in the order of first sight, for one episode."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], str] = {}
        self._nodes: dict[str, tuple[int, int]] = {}

    def of(self, document: int, node: int) -> str:
        """Return the ref of a node of a document; a new node gets the next number."""
        key = (document, node)
        if key not in self._numbers:
            ref = str(len(self._numbers) + 1)
            self._numbers[key] = ref
            self._nodes[ref] = key
        return self._numbers[key]

    def node(self, ref: str) -> tuple[int, int] | None:
        """Return the document and node that a ref stands for, or None when it was never given."""
        return self._nodes.get(ref)


def observe(
    page: Node, *, goal: str, document: int, refs: Refs, url: str = "", notices: Sequence[str] = (), limit: int = 6000
) -> Observation:
    """Return the observation of a page that look.js has read.

    Args:
        page: What `look` returned.
        goal: The goal as stated.
        document: A number that changes when another document is loaded; refs of the old one are not used again.
        refs: The episode's refs; new nodes are added.
        url: The address as the policy may see it.
        notices: What happened besides, one line each: dialogs, new tabs.
        limit: Characters of text; what goes beyond is cut and counted.
    """
    elements: list[Element] = []
    lines = [Line(notice, True) for notice in notices]
    lines += _lines(page["tree"], _Reader(document, refs, elements), 0)
    below, above = page["scroll"]["below"], page["scroll"]["above"]
    if above > 0 or below > 0:
        lines.append(Line(f"(the page goes on: {above} pixels above, {below} below)", True))
    text, cut = _bounded(lines, limit)
    return Observation(goal=goal, text=text, url=url, elements=tuple(elements), cut=cut)


@dataclass(frozen=True)
class _Reader:
    """What the rendering of one page needs to know of its elements."""

    document: int
    refs: Refs
    elements: list[Element]
    within: str = ""

    def inside(self, name: str) -> _Reader:
        return _Reader(self.document, self.refs, self.elements, name or self.within)

    def element(self, node: Node) -> Element:
        """Make the element of a node, and keep it."""
        element = Element(
            ref=self.refs.of(self.document, node["k"]),
            role=node["r"],
            name=node["n"][:LINE],
            value=node["v"],
            states=tuple(node["s"]),
            near=node.get("near", ""),
            within=node.get("w", "") or self.within,
            box=tuple(node["b"]),
        )
        self.elements.append(element)
        return element


def _lines(nodes: Sequence[Node | None], reader: _Reader, depth: int) -> Iterator[Line]:
    """Yield the lines of some nodes; texts that no break parts run together on one line."""
    run: list[str] = []
    seen = False

    def flush() -> Iterator[Line]:
        if run:
            yield Line(f"{' ' * depth}text: {_short(' '.join(run), LINE)}", seen)
            run.clear()

    for node in nodes:
        if node is not None and "t" in node:
            seen = node["i"] if not run else seen or node["i"]
            run.append(node["t"])
            continue
        yield from flush()
        if node is None:
            continue
        if "k" in node:
            yield from _element_lines(node, reader, depth)
        else:
            yield from _group_lines(node, reader, depth)
    yield from flush()


def _element_lines(node: Node, reader: _Reader, depth: int) -> Iterator[Line]:
    element = reader.element(node)
    yield Line(" " * depth + describe(element, options=node.get("o"), note=node.get("h", "")), node["i"])
    if node.get("c"):
        yield from _lines(node["c"], reader, depth + 1)


def _group_lines(node: Node, reader: _Reader, depth: int) -> Iterator[Line]:
    kind, name = node["g"], node["n"]
    inner = list(_lines(node["c"], reader.inside(name), 0))
    if not inner:
        return
    seen = any(line.seen for line in inner)
    plain = [line.text.strip().removeprefix("text: ") for line in inner]
    short = sum(map(len, plain)) <= LINE and not any(line.text.startswith(" ") for line in inner)
    pad = " " * depth
    match kind:
        case "row" if short:
            yield Line(f"{pad}row: {' | '.join(plain)}", seen)
        case "cell" if short:
            yield Line(pad + " ".join(plain), seen)
        case "item" if len(inner) == 1 and inner[0].text.startswith("text: "):
            yield Line(f"{pad}- {plain[0]}", seen)
        case "heading" if short:
            yield Line(f"{pad}heading: {' '.join(plain)}", seen)
        case "cell" | "item" | "heading" | "frame":
            yield from (Line(pad + line.text, line.seen) for line in inner)
        case _:
            yield Line(f'{pad}{kind} "{_short(name, NAME)}":' if name else f"{pad}{kind}:", seen)
            yield from (Line(f"{pad} {line.text}", line.seen) for line in inner if line.text != f"text: {name}")


def describe(element: Element, *, options: Sequence[str] | None = None, note: str = "") -> str:
    """Return the one line that shows an element, e.g. `[7] checkbox "Apple" checked`."""
    parts = [f"[{element.ref}] {element.role}"]
    if element.name:
        parts.append(f'"{_short(element.name, NAME)}"')
    elif element.near:
        parts.append(f'near "{element.near}"')
    if element.value:
        parts.append(f'= "{_short(element.value, NAME)}"')
    parts += element.states
    if note:
        parts.append(f"({note})")
    drawn = element.role in DRAWN or _is_shape(element)
    if drawn and element.box is not None:
        x, y, width, height = element.box
        if not note:
            parts.append(f"at {x + width / 2:.0f},{y + height / 2:.0f}")
        if element.role not in TEXTS and not note:
            parts.append(f"size {width:.0f}x{height:.0f}")
    if options is not None:
        shown = " | ".join(options[:OPTIONS])
        more = f" | … {len(options) - OPTIONS} more" if len(options) > OPTIONS else ""
        parts.append(f"options: {shown}{more}")
    if element.within and element.name and not drawn:
        parts.append(f'in "{element.within}"')
    return " ".join(parts)


def _is_shape(element: Element) -> bool:
    return element.role in SHAPES or element.role in ("letter", "digit") or " with " in element.role


def _bounded(lines: Sequence[Line], limit: int) -> tuple[str, int]:
    """Join the lines within `limit` characters, those in view first, and count what was left out."""
    whole = sum(len(line.text) + 1 for line in lines)
    if whole <= limit:
        return "\n".join(line.text for line in lines), 0
    room = limit - 60  # for the line that says so
    kept: set[int] = set()
    for index in sorted(range(len(lines)), key=lambda index: (not lines[index].seen, index)):
        cost = len(lines[index].text) + 1
        if cost > room:
            break
        room -= cost
        kept.add(index)
    cut = whole - sum(len(lines[index].text) + 1 for index in kept)
    text = "\n".join(lines[index].text for index in sorted(kept))
    return f"{text}\n… {cut} characters cut: scroll to see more", cut


def _short(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"
