"""Templates: texts with slots, filled from the goal; and goals as patterns, which fill them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from pydantic import JsonValue

from skillagent.schema import Filled

ARTICLES = frozenset(("a", "an", "the"))  # any of them stands for any other in a goal
NAME = re.compile(r"[a-z][a-z0-9_]*")
_SLOT = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_]*)(?:\|(?P<how>[a-z]+))?\}")
_PATTERN = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_]*)(?P<list>\.\.\.)?\}")
# What stands between the values of a list; the comma of 1,500 is none.
_LIST = re.compile(r"\s*(?:,\s*and\s+|,(?!(?<=\d,)(?<!\d{4},)\d{3}(?!\d))|\s+and\s+|\s+&\s+|;|[>»→])\s*")
_QUOTED = re.compile(r'(?<!\w)["“][^"“”]*["”](?!\w)')
_QUOTES = '"“”'
_PART = r'(?:["“”][^"“”]*["“”]|[^"“”])'  # of a value: a quotation, or any other sign
_BRACES = re.compile(r"[{}]")

_TIMES = ("%I:%M %p", "%I:%M%p", "%I %p", "%I%p")
_DATES = ("%m/%d/%Y", "%d.%m.%Y", "%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y")


def _rewritten(text: str, known: Sequence[str], as_: str) -> str:
    """Return a moment written another way; what is of none of the known forms stays as it is."""
    for form in known:
        try:
            return datetime.strptime(text.strip(), form).strftime(as_)
        except ValueError:
            continue
    return text


HOWS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
    "number": lambda text: str(int(text)) if text.isdecimal() and len(text) < 19 else text,
    "time": lambda text: _rewritten(text, _TIMES, "%H:%M"),
    "date": lambda text: _rewritten(text, _DATES, "%Y-%m-%d"),
}


class Unfilled(KeyError):
    """A template names a slot that has no value."""


def slots_of(template: str) -> list[str]:
    """Return the names of the slots in a template.

    Raises:
        ValueError: A brace opens no slot and is not doubled, or a slot is changed in a way that there is not.
    """
    found = []
    for match in _SLOT.finditer(template):
        if match["how"] and match["how"] not in HOWS:
            raise ValueError(f"{match[0]}: a slot can be written as {', '.join(HOWS)}")
        if match["name"]:
            found.append(match["name"])
    if _BRACES.search(_SLOT.sub("", template)):
        raise ValueError(f"{template!r}: a slot is written {{name}}, a brace {{{{ or }}}}")
    return found


def fill(template: str, filled: Filled) -> str:
    """Return the text with its slots filled; raises Unfilled where one has no value, or has a list."""

    def put(match: re.Match[str]) -> str:
        if not match["name"]:
            return match[0][0]
        value = filled.get(match["name"])
        if not isinstance(value, str):
            raise Unfilled(match["name"])
        return HOWS[match["how"]](value) if match["how"] else value

    return _SLOT.sub(put, template)


def fill_all(content: JsonValue, filled: Filled) -> JsonValue:
    """Return JSON with every text in it filled."""
    match content:
        case str():
            return fill(content, filled)
        case list():
            return [fill_all(part, filled) for part in content]
        case dict():
            return {key: fill_all(part, filled) for key, part in content.items()}
        case _:
            return content


def literal(text: str) -> str:
    """Return the template that stands for just this text."""
    return text.replace("{", "{{").replace("}", "}}")


def slots_of_pattern(pattern: str) -> dict[str, bool]:
    """Return the slots of a goal's pattern by name; true for a list.

    Raises:
        ValueError: A brace opens no slot, a slot stands twice, or two stand side by side with nothing between.
    """
    found: dict[str, bool] = {}
    end, touching = -1, False
    for match in _PATTERN.finditer(pattern):
        if not match["name"]:
            continue
        if match["name"] in found:
            raise ValueError(f"slot {match['name']!r} stands twice in {pattern!r}")
        touching |= bool(found) and not pattern[end : match.start()].strip()
        found[match["name"]], end = bool(match["list"]), match.end()
    if _BRACES.search(_PATTERN.sub("", pattern)):
        raise ValueError(f"{pattern!r}: a slot is written {{name}} or {{names...}}, a brace {{{{ or }}}}")
    if touching:
        raise ValueError(f"{pattern!r}: two slots with nothing between them")
    return found


def matched(pattern: str, goal: str) -> Filled | None:
    """Return what a goal puts into the slots of a pattern; None where it is no such goal, or may be read in two ways.

    Spaces, case and articles (`a`, `the`) are not looked at in what stands between the slots, nor whether a full stop
    stands behind the words that end a pattern. What is quoted is not divided where that settles how the goal is read.
    """
    lists, at = slots_of_pattern(pattern), 0
    texts = [""]  # what stands before the first slot, then behind each
    for match in _PATTERN.finditer(pattern):
        texts[-1] += pattern[at : match.start()]
        if match["name"]:
            texts.append("")
        else:
            texts[-1] += match[0][0]
        at = match.end()
    texts[-1] += pattern[at:]
    held = _held(texts, _ended(goal, texts[-1]))
    if held is None:
        return None
    slots = zip(lists.items(), texts[:-1], held, texts[1:], strict=True)
    return {
        name: values(_with_marks(before, text, after)) if many else text.strip()
        for (name, many), before, text, after in slots
    }


def _ended(goal: str, text: str) -> str:
    """Return a goal with a full stop at its end just where one stands behind the words that end a pattern.

    Where a slot ends it, the full stop tells where its value ends.
    """
    said, tail = goal.rstrip(), text.rstrip()
    words = tail.removesuffix(".")
    if not words.endswith((*_QUOTES, ")")) and not words[-1:].isalnum():
        return goal
    return said.removesuffix(".") + tail[len(words) :]


def _held(texts: Sequence[str], goal: str) -> list[str] | None:
    """Return what stands between these texts; None unless it is the same wherever in the goal they may stand."""
    for part in (".", _PART):
        backwards = [text[::-1] for text in reversed(texts)]
        first, last = _first(texts, goal, part), _first(backwards, goal[::-1], part, article="(?:n?a|eht)")
        if first == (last and [text[::-1] for text in reversed(last)]):
            return first
    return None


def _first(texts: Sequence[str], goal: str, part: str, article: str = "(?:an?|the)") -> list[str] | None:
    """Return what stands between these texts, each as early as it can stand; `part` is what a value consists of."""
    found = _expression(tuple(texts), part, article).fullmatch(goal)
    return None if found is None else list(found.groups())


@lru_cache(maxsize=16_384)  # four a pattern: re's own cache is too small for the patterns of a library
def _expression(texts: tuple[str, ...], part: str, article: str) -> re.Pattern[str]:
    sections = [_loose(texts[0], article), *(f"({part}+?){_loose(text, article)}" for text in texts[1:])]
    # Atomic: a slot ends where what follows it first stands, for good. To try other ends takes minutes with ten slots.
    early = "".join(f"(?>{section})" for section in sections[:-1])
    return re.compile(rf"\s*{early}{sections[-1]}\s*", re.IGNORECASE | re.DOTALL)


def _with_marks(before: str, text: str, after: str) -> str:
    """Return a list with the quotation marks around it, where each of its values has some: `"{all...}"`."""
    marks = tuple(_QUOTES)
    around = before.endswith(marks) and after.startswith(marks) and any(mark in text for mark in marks)
    return before[-1] + text + after[0] if around else text


def values(text: str) -> tuple[str, ...]:
    """Return the values of a list that is written out: `a, b and c`, `"a, b", "c"`, or a path, `a > b`."""
    parts, at = [], 0
    for between in _LIST.finditer(_QUOTED.sub(lambda match: "x" * len(match[0]), text)):
        parts.append(text[at : between.start()])
        at = between.end()
    return tuple(value for part in (*parts, text[at:]) if (value := part.strip().strip(_QUOTES)))


def _loose(text: str, article: str) -> str:
    """Return an expression for a text, whatever its spaces and articles are."""
    words = re.split(r"\s+", text)
    return r"\s+".join(article if re.fullmatch(article, word, re.IGNORECASE) else re.escape(word) for word in words)


def filled_by(patterns: Iterable[str], goal: str) -> Filled | None:
    """Return what a goal fills, by the most telling of the patterns that it matches."""
    best = max((pattern for pattern in patterns if matched(pattern, goal) is not None), key=_letters, default=None)
    return None if best is None else matched(best, goal)


def written(pattern: str, given: Mapping[str, JsonValue]) -> str:
    """Return the goal that a pattern and values make, a list as `a, b and c`; nothing where a value is missing."""

    def put(match: re.Match[str]) -> str:
        if not match["name"]:
            return match[0][0]
        value = given.get(match["name"])
        listed = [str(one).strip() for one in (value if isinstance(value, list | tuple) else [value or ""])]
        if not listed or not all(listed):
            raise Unfilled(match["name"])
        return " and ".join(filter(None, [", ".join(listed[:-1]), listed[-1]]))

    try:
        return _PATTERN.sub(put, pattern)
    except Unfilled:
        return ""


def form_of(patterns: Iterable[str], goal: str) -> int:
    """Return how many letters the most telling of the patterns that a goal matches fixes; 0 where it matches none."""
    return max((_letters(pattern) for pattern in patterns if matched(pattern, goal) is not None), default=0)


def without_slots(pattern: str, mark: str) -> str:
    """Return what a pattern says, with a mark in the place of each slot."""
    return _PATTERN.sub(lambda match: mark if match["name"] else match[0][0], pattern)


def _letters(pattern: str) -> int:
    return len(_PATTERN.sub("", pattern))


def walk_texts(content: JsonValue) -> Iterator[str]:
    """Yield every text in JSON."""
    match content:
        case str():
            yield content
        case list():
            for part in content:
                yield from walk_texts(part)
        case dict():
            for part in content.values():
                yield from walk_texts(part)
