"""Ways: what can be done in a state, and how much the goal has to do with each of it.

Read off the goal, the elements and the verbs' schemas alone; nothing here knows any environment, and no model is asked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, product

from pydantic import JsonValue

from skillagent.goals import own, quoted, values
from skillagent.schema import Action, Element, Observation, Verb

Kind = tuple[str, ...]  # an action in words that hold for any instance of the task
_NAMED, _HINTED, _PLAIN = 8.0, 3.0, 1.0
_BESIDE = 4.0  # a text that the goal says beside what it is written into
_MOST_WAYS = 400  # actions of one verb that are looked at in one state
_HINT = 4  # letters of a word that says something


class View:
    """An observation, with what its goal has to do with what is seen.

    `goals` are those of other instances of the task: what they do not say, this one asks for.
    """

    def __init__(self, now: Observation, goals: Iterable[str] = ()) -> None:
        self.goal, self.elements = now.goal, {one.ref: one for one in now.elements}
        given = list(dict.fromkeys([*values(now.goal), *own(now.goal, goals)]))
        self.texts = quoted(now.goal) or given
        self._values = [value.casefold() for value in given]
        self._value_words = [_words(value) for value in self._values]
        self._words = _words(now.goal)
        self._bearings: dict[str, float] = {}

    def parts(self, arguments: Mapping[str, JsonValue]) -> list[Element | JsonValue]:
        """Return arguments with elements for refs. Only a name that ends in "ref" holds one: a typed 3 is not [3]."""
        return [self._element(value) if name.endswith("ref") else value for name, value in arguments.items()]

    def _element(self, value: JsonValue) -> Element | JsonValue:
        return self.elements.get(value, value) if isinstance(value, str) else value

    def written(self, action: Action) -> dict[str, str]:
        """Return what an action writes, by the ref that it is written into."""
        parts = self.parts(action.arguments)
        texts = [part for part in parts if isinstance(part, str)]
        return {part.ref: "\n".join(texts) for part in parts if texts and isinstance(part, Element)}

    def again(self, action: Action, written: Mapping[str, str]) -> bool:
        """Tell whether an action has to do with what was written into before, or says again what was written.

        A text may be meant twice, say a password that is repeated: that counts only while another one is not written.
        """
        parts = self.parts(action.arguments)
        said = list(written.values()) if any(text not in written.values() for text in self.texts) else []
        return any(part.ref in written if isinstance(part, Element) else part in said for part in parts)

    def kind(self, action: Action) -> Kind:
        """Return an action as it would be called on any instance: a value of the goal by its place there."""

        def told(part: Element | JsonValue) -> str:
            text = part.name or part.near if isinstance(part, Element) else str(part)
            given = text.casefold() in self._values
            place = f"value {self._values.index(text.casefold())}" if given else text
            return f"{part.role} {place}" if isinstance(part, Element) else place

        return (action.verb, *map(told, self.parts(action.arguments)))

    def bears(self, action: Action) -> float:
        """Return how much the goal has to do with an action."""
        parts = self.parts(action.arguments)
        bearing = math.prod(self.bearing(part) for part in parts) ** (1 / max(1, len(parts)))
        texts = [part for part in parts if isinstance(part, str)]
        beside = any(self._beside(text, part) for text in texts for part in parts if isinstance(part, Element))
        return bearing * (_BESIDE if beside else 1.0)

    def _beside(self, text: str, element: Element) -> bool:
        """Tell whether the goal says a text beside a word of the element, as in `from year 1990`."""
        before, found, after = self.goal.partition(text)
        near = [*_words(before)[-2:], *_words(after)[:1]] if found else []
        called = {word[:_HINT] for word in _words(element.name or element.near) if len(word) >= _HINT}
        return any(word[:_HINT] in called for word in near)

    def bearing(self, part: Element | JsonValue) -> float:
        """Return how much the goal has to do with an argument."""
        if not isinstance(part, Element):
            return _NAMED if str(part) in self.goal else _PLAIN
        if part.ref not in self._bearings:
            self._bearings[part.ref] = self._of(part)
        return self._bearings[part.ref]

    def _of(self, element: Element) -> float:
        name = _words(element.name or element.near)
        if _stands(name, self._words) or any(_stands(value, name) for value in self._value_words):
            return _NAMED
        hints = (word for word in [element.role, *name] if len(word) >= _HINT)
        return _HINTED if any(word in self._words for word in hints) else _PLAIN


def ways(verb: Verb, now: View) -> list[Action]:
    """Return what the verb can do here: each element that it works on, each text that the goal gives.

    Parameters that may be left out are left out; a verb that needs a number has no way unless its schema has examples.
    Of very many, those that the goal has most to do with.
    """
    properties, required = verb.parameters.get("properties"), verb.parameters.get("required")
    known = properties if isinstance(properties, dict) else {}
    names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    choices = [_choices(known.get(name), now) for name in names]
    made = (dict(zip(names, some, strict=True)) for some in product(*choices))
    return [
        Action(verb=verb.name, arguments=arguments)
        for arguments in islice(made, _MOST_WAYS)
        if not _idle(arguments, now)
    ]


def _idle(arguments: Mapping[str, JsonValue], now: View) -> bool:
    """Tell whether something is put onto itself, or written where it already stands."""
    parts = now.parts(arguments)
    elements = [part for part in parts if isinstance(part, Element)]
    held = [element.value for element in elements]
    return len({element.ref for element in elements}) < len(elements) or any(
        isinstance(part, str) and part in held for part in parts
    )


def _choices(parameter: JsonValue, now: View) -> Sequence[JsonValue]:
    """Return what a parameter can be; what the goal has most to do with first."""
    if not isinstance(parameter, dict):
        return ()
    if parameter.get("format") == "ref":
        roles = parameter.get("roles")
        fit = [one for one in now.elements.values() if not isinstance(roles, list) or one.role in roles]
        return [one.ref for one in sorted(fit, key=now.bearing, reverse=True)]
    for known in ("enum", "examples"):
        if isinstance(some := parameter.get(known), list):
            return some
    return now.texts if parameter.get("type") == "string" else ()


def _stands(part: Sequence[str], whole: Sequence[str]) -> bool:
    return bool(part) and f" {' '.join(part)} " in f" {' '.join(whole)} "


def _words(text: str) -> list[str]:
    """Return the words of a text; a number is the same with and without zeros before it."""
    return [word.lstrip("0") or "0" if word.isdecimal() else word for word in re.findall(r"\w+", text.casefold())]
