"""Verbs: functions of an environment as what can be done there; schema and prompt text are made from the signature.

The first line of a function's docstring is what the policy reads, so it is written for a small model.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from skillagent.errors import InvalidAction
from skillagent.schema import Action, Json, Verb

Ref = Annotated[str, Field(json_schema_extra={"format": "ref"})]
Doing = Callable[..., str | None]


class Verbs:
    """Functions as verbs with schemas, and the one way to call them.

    Args:
        functions: Each takes the world first, and is named and documented for the policy; it either does what it says
            or raises `InvalidAction`. It may return why it stopped.
        examples: Arguments of one call, for a verb that its signature does not explain.
    """

    def __init__(self, functions: Sequence[Doing], examples: Mapping[str, Json] | None = None) -> None:
        self._functions = {function.__name__: function for function in functions}
        self._models = {name: _model(function) for name, function in self._functions.items()}
        self.verbs = tuple(
            Verb(
                name=name,
                doc=(inspect.getdoc(self._functions[name]) or "").splitlines()[0],
                parameters=_schema(model),
                example=(examples or {}).get(name),
            )
            for name, model in self._models.items()
        )

    def perform(self, world: object, action: Action) -> str | None:
        """Do one thing, and return why it stopped; None: it has done what it says.

        Raises:
            InvalidAction: The verb does not exist, an argument is missing or does not fit, or it cannot be done now.
        """
        arguments = self.check(action)
        return self._functions[action.verb](world, **arguments)

    def check(self, action: Action) -> dict[str, Any]:
        """Return the arguments with their types.

        Raises:
            InvalidAction: The verb does not exist, or an argument is missing or does not fit.
        """
        model = self._models.get(action.verb)
        if model is None:
            raise InvalidAction(f"no verb {action.verb!r}; the verbs are {', '.join(self._models)}")
        try:
            checked = model.model_validate(dict(action.arguments))
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
            signature = next(verb.signature for verb in self.verbs if verb.name == action.verb)
            raise InvalidAction(f"{signature} was called wrongly: {faults}") from error
        return {name: getattr(checked, name) for name in type(checked).model_fields}


def _model(function: Doing) -> type[BaseModel]:
    """Make the model of a function's arguments from its signature; the world is not one of them."""
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
        for name, parameter in list(inspect.signature(function).parameters.items())[1:]
    }
    config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
    model: type[BaseModel] = create_model(function.__name__, __config__=config, **fields)
    return model


def _schema(model: type[BaseModel]) -> Json:
    """Return the JSON schema of the arguments, without pydantic's titles, defaults and null branches."""
    schema = model.model_json_schema()
    properties = {}
    for name, spec in schema.get("properties", {}).items():
        branches = [branch for branch in spec.get("anyOf", [spec]) if branch.get("type") != "null"]
        properties[name] = {key: value for key, value in branches[0].items() if key not in ("title", "default")}
    return {
        "type": "object",
        "properties": properties,
        "required": schema.get("required", []),
        "additionalProperties": False,
    }
