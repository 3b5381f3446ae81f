"""What the agent sees and does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue

from skillagent.schema.value import Json, Value


class Verb(Value):
    """One thing that can be done in an environment; prompts and reply schemas are made from it.

    `parameters` is a JSON schema of type object. A parameter with `"format": "ref"` names an element of the current
    observation; `"roles": [...]` beside it says which roles the verb works on (absent: any). `example` are arguments
    of one call, for a verb that its signature does not explain; it is shown where no demonstration shows the verb.
    """

    name: str
    doc: str
    parameters: Json
    example: Json | None = None

    @property
    def signature(self) -> str:
        """The verb as a reader would call it, e.g. `fill(ref, text)`; optional parameters end in `?`."""
        properties, required = self.parameters.get("properties"), self.parameters.get("required", [])
        assert isinstance(properties, dict)
        assert isinstance(required, list)
        return f"{self.name}({', '.join(p if p in required else p + '?' for p in properties)})"


class Action(Value):
    """One call of a verb."""

    verb: str
    arguments: Mapping[str, JsonValue] = Field(default_factory=dict)

    def __str__(self) -> str:
        """The canonical form: equal actions print alike."""
        return f"{self.verb}({', '.join(f'{k}={json.dumps(v)}' for k, v in sorted(self.arguments.items()))})"


class Element(Value):
    """Something on a page or in a scene that an action can name.

    `ref` holds only within one episode; role, name, value and states are what a person sees. `near` is the closest
    visible text of an element that has no name of its own; `within` names the group, row or dialog around it. `box` is
    x, y, width, height in pixels of the page's view.
    """

    ref: str
    role: str
    name: str = ""
    value: str | None = None
    states: tuple[str, ...] = ()
    near: str = ""
    within: str = ""
    box: tuple[float, float, float, float] | None = None


class Observation(Value):
    """What the policy gets to see. `text` is bounded; `cut` counts the characters left out of it."""

    goal: str
    text: str
    url: str = ""
    elements: tuple[Element, ...] = ()
    cut: int = 0

    def element(self, ref: JsonValue) -> Element | None:
        """Return the element with that ref, or None."""
        return next((e for e in self.elements if e.ref == ref), None)

    def shows(self, text: str) -> bool:
        """Tell whether a text is shown, whatever its case; what stands in a field was only typed."""
        return text.casefold() in re.sub(r' = "[^"\n]*"', "", self.text).casefold()


class Outcome(Value):
    """What one action led to.

    `error` is the policy's own fault in words (the action did not happen); `reward` is in [0, 1] and None until the
    environment knows. `terminated`: the task itself ended; `truncated`: a cap on steps or time ended it. `truth` says,
    once the task has ended and on practice seeds alone, what would have been right; the policy never sees it. `note` is
    what a verb did, in a line: what moved, and why it stopped, where the world can tell.
    """

    observation: Observation
    error: str | None = None
    reward: Annotated[float, Field(ge=0, le=1)] | None = None
    terminated: bool = False
    truncated: bool = False
    truth: str = ""
    note: str = ""
