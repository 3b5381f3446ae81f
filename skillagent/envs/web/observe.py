"""Observe: what the policy sees of a page, as short lines that a small model can read quickly.

One line per element: `[4] textbox "Username" = "bob"`. A ref is a small number given at first sight and kept as long
as the node lives. The text is bounded: what is in view comes first, and a last line says how much was cut; the list of
elements is always whole. Nothing here acts on the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from skillagent.schema import Element, Observation

Node = dict[str, Any]  # one node of the tree that look.js returns: an element (k), a group (g), a text (t), or a break

LINE = 200  # characters of one line that gathers several things
TEXT = 1200  # characters of one block of text
NAME = 100  # characters of a name within a line
VALUE = 240  # characters of a value within a line
OPTIONS = 30  # options of a list that are spelt out
DRAWN = frozenset({"drawing", "canvas"})
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
            within=self.within or node.get("w", ""),
            box=tuple(node["b"]),
        )
        self.elements.append(element)
        return element


def _lines(nodes: Sequence[Node | None], reader: _Reader, depth: int) -> Iterator[Line]:
    """Yield the lines of some nodes; texts that no break parts run together on one line."""
    pad = " " * depth
    parts = [node for node in nodes if node is not None and "u" not in node]
    breaks = {id(node) for previous, node in pairwise(nodes) if previous is None and node is not None}
    for kind, run in _runs(parts, breaks):
        seen = any(node.get("i", True) for node in run)
        match kind:
            case "text":
                yield Line(f"{pad}text: {_short(_counted([node['t'] for node in run]), TEXT)}", seen)
            case "beside":
                shown = [describe(reader.element(node), bare=True, place="p" in node) for node in run]
                inside = "" if reader.within[:30] == run[0]["w"][:30] else f' in "{run[0]["w"]}"'
                yield Line(pad + " ".join(shown) + inside, seen)
            case "element":
                yield from _element_lines(run[0], reader, depth)
            case _:
                yield from _group_lines(run[0], reader, depth)


def _runs(nodes: Sequence[Node], breaks: set[int]) -> Iterator[tuple[str, list[Node]]]:
    """Part nodes into what shares a line: texts that no break parts, and elements of the same surroundings."""
    run: list[Node] = []
    kind = ""
    for node in nodes:
        if "t" in node:
            now, joins = "text", kind == "text" and (id(node) not in breaks or ("x" in node and "x" in run[-1]))
        elif "k" in node and node.get("w") and "c" not in node and "o" not in node:
            now, joins = "beside", kind == "beside" and run[-1]["wi"] == node["wi"] and len(run) < 8
        else:
            now, joins = "element" if "k" in node else "group", False
        if run and not joins:
            yield kind, run
            run = []
        kind = now
        run.append(node)
    if run:
        yield kind, run


def _counted(texts: Sequence[str]) -> str:
    """Join texts; the same one several times in a row is counted."""
    counted = ((text, len(list(same))) for text, same in groupby(texts))
    return " ".join(f"{number} x {text}" if number > 2 else " ".join([text] * number) for text, number in counted)


def _element_lines(node: Node, reader: _Reader, depth: int) -> Iterator[Line]:
    element = reader.element(node)
    bare = element.within == reader.within
    text = describe(element, options=node.get("o"), note=node.get("h", ""), bare=bare, place="p" in node)
    yield Line(" " * depth + text, node["i"])
    if node.get("c"):
        yield from _lines(node["c"], reader.inside(element.name), depth + 1)


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


def describe(
    element: Element, *, options: Sequence[str] | None = None, note: str = "", bare: bool = False, place: bool = False
) -> str:
    """Return the one line that shows an element, e.g. `[7] checkbox "Apple" checked`.

    Args:
        element: What is shown.
        options: Of a list, all of them.
        note: What else there is to know.
        bare: Leave out what the element stands within.
        place: Say where it is, because nothing else tells it apart.
    """
    parts = [f"[{element.ref}] {element.role}"]
    if element.name:
        parts.append(f'"{_short(element.name, NAME)}"')
    elif element.near:
        parts.append(f'near "{element.near}"')
    if element.value:
        parts.append(f'= "{_ends(element.value)}"')
    parts += element.states
    if note:
        parts.append(f"({note})")
    drawn = element.role in DRAWN or _is_shape(element)
    if (drawn or place) and element.box is not None:
        x, y, width, height = element.box
        if not note or place:
            parts.append(f"at {x + width / 2:.0f},{y + height / 2:.0f}")
        if drawn and not note:
            parts.append(f"size {width:.0f}x{height:.0f}")
    if options is not None:
        shown = " | ".join(options[:OPTIONS])
        more = f" | … {len(options) - OPTIONS} more" if len(options) > OPTIONS else ""
        parts.append(f"options: {shown}{more}")
    if element.within and not bare and not drawn:
        parts.append(f'in "{element.within}"')
    return " ".join(parts)


def _ends(text: str) -> str:
    """Shorten a long value in its middle: what was typed last is as telling as how it begins."""
    return text if len(text) <= VALUE else f"{text[: VALUE - 80]} … {text[-80:]}"


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
