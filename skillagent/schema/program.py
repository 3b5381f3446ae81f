"""Programs: a procedure as typed verbs with slots. Nothing in it is ever run as code.

Texts are templates: `{slot}` stands for a value of the goal, `{slot|upper}` for the same in capitals, `{slot|number}`
for a number without leading zeros, `{slot|time}` and `{slot|date}` for what a form wants (21:37, 2016-12-31), `{{` for
a brace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from skillagent.schema.value import Value

ORDERS = ("next", "last", "least", "greatest")  # of a target, in words


class Target(Value):
    """An element by what a person sees; whatever is given must hold.

    `has` is a text that the name holds among others, or else one of several words all of which are seen of the element,
    in its role, name or states, or near or around it; `like` one with which the name shares more words than others do.
    `near` and `within` are the texts of `Element`, `within` also one that stands in it; `state` is one of its states;
    `after` is a text on the page behind which the element comes, in the order of reading. `order`
    chooses among several: a number from 1, `last`, `next` (not yet used in this `repeat`), `least` or `greatest` (by
    the first number in its name), or a template of a number.
    """

    role: str = ""
    name: str | None = None
    has: str | None = None
    like: str | None = None
    near: str | None = None
    within: str | None = None
    state: str | None = None
    after: str | None = None
    order: int | str | None = None


class Check(Value):
    """What must be there: a text, or an element; with `gone`, what must not be there.

    Or a slot, `given`, that the goal must fill: of several patterns, it is one that has it.
    """

    given: str | None = None
    shows: str | None = None
    element: Target | None = None
    gone: bool = False


class Do(Value):
    """One verb. `targets` name the elements of its parameters (`ref`, `to_ref` …), `arguments` the rest.

    An argument `{"behind": text}` is what the page says behind that text, up to the end of its line or cell.
    """

    kind: Literal["do"] = "do"
    verb: str
    targets: Mapping[str, Target] = Field(default_factory=dict)
    arguments: Mapping[str, JsonValue] = Field(default_factory=dict)


class Ask(Value):
    """A hole: one verb of which the model chooses what is left open, an element among those that fit or a value."""

    kind: Literal["ask"] = "ask"
    do: Do
    about: str = ""


class Expect(Value):
    """What must hold here; else the model takes over."""

    kind: Literal["expect"] = "expect"
    check: Check


class Each(Value):
    """The steps once for each value of a list slot; `{item}` is that value. An unfilled list is empty.

    Or once for the name of each element that fits `of`, as things are before the first.
    """

    kind: Literal["each"] = "each"
    slot: str = ""
    of: Target | None = None
    item: str
    do: tuple[Node, ...]


class Repeat(Value):
    """The steps again and again until something holds, which is looked at first; at most so many times."""

    kind: Literal["repeat"] = "repeat"
    do: tuple[Node, ...]
    until: Check
    most: Annotated[int, Field(ge=1, le=100)] = 20


class When(Value):
    """The steps where something holds, else the others."""

    kind: Literal["when"] = "when"
    check: Check
    do: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


Node = Annotated[Do | Ask | Expect | Each | Repeat | When, Field(discriminator="kind")]


class Program(Value):
    """Goals that it is for, as patterns, and its steps.

    A pattern is a template: `{name}` is filled by what stands there, `{names...}` by a list of values.
    """

    goals: tuple[str, ...] = ()
    steps: Annotated[tuple[Node, ...], Field(min_length=1)]


Filled = Mapping[str, str | tuple[str, ...]]  # slots by name: a value, or the values of a list

for _model in (Each, Repeat, When, Program):
    _model.model_rebuild()
