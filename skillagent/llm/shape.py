"""Shape: the JSON schemas that replies are asked in, as a grammar for decoding and as a check of what came.

Only what reply schemas need is understood: objects, arrays, strings, numbers, booleans, null, enum, const, anyOf,
oneOf, lists of types, lengths, bounds, and `$ref` into the schema's own `$defs`. Anything else that would narrow the
reply (`pattern`, `not`, `allOf`) is refused, for a grammar that quietly ignored it would lie; annotations such as
`title`, `description`, `default`, `format` and unknown keys pass unread. The grammar allows no white space between
tokens and keeps properties in the order of the schema: a small model should not spend its tokens on layout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import cast

from pydantic import JsonValue

from skillagent.errors import ConfigError
from skillagent.schema import Json

NOT_UNDERSTOOD = frozenset({"pattern", "not", "allOf", "if", "patternProperties", "prefixItems", "dependentRequired"})
SMALL_RANGE = 1000
LONGEST_COUNTED = 1000  # llama.cpp refuses to count beyond 2000; longer limits are left to `misfit`
ANY_TYPE = ("object", "array", "string", "number", "boolean", "null")

PRIMITIVES = {
    "char": r'[^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])',
    "string": r'"\"" char* "\""',
    "natural": '"0" | [1-9] [0-9]{0,14}',
    "fraction": '"." [0-9]{1,6}',
    "integer": '"-"? natural',
    "number": '"-"? natural fraction?',
    "positive": "natural fraction?",
    "share": '"0" fraction? | "1"',
    "boolean": '"true" | "false"',
    "null": '"null"',
    "value": "object | array | string | number | boolean | null",
    "object": r'"{" (string ":" value ("," string ":" value)*)? "}"',
    "array": '"[" (value ("," value)*)? "]"',
}


def grammar(schema: Json) -> str:
    """Return a GBNF grammar whose sentences are the compact JSON texts that fit `schema`.

    Bounds on numbers beyond small integer ranges, 0 to 1 and "not negative" are left to `misfit`.

    Raises:
        ConfigError: The schema asks for something that is not understood here.
    """
    writing = _Grammar(schema)
    writing.rules["root"] = writing.rule_for(schema)
    return "\n".join(f"{name} ::= {body}" for name, body in writing.rules.items()) + "\n"


def misfit(data: JsonValue, schema: Json, root: Json | None = None, where: str = "the reply") -> str | None:
    """Return the first way in which `data` does not fit `schema`, in words for the model that wrote it, or None."""
    root = schema if root is None else root
    if "$ref" in schema:
        return misfit(data, resolve(schema, root), root, where)
    if "const" in schema and not _same(data, schema["const"]):
        return f"{where} must be {_show(schema['const'])}, not {_show(data)}"
    if "enum" in schema and not any(_same(data, allowed) for allowed in cast(list[JsonValue], schema["enum"])):
        return f"{where} must be one of {_show(schema['enum'])}, not {_show(data)}"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            reasons = [misfit(data, option, root, where) for option in cast(list[Json], schema[key])]
            if None not in reasons:
                first = f"; the first: {reasons[0]}" if reasons else ""
                return f"{where} fits none of the {len(reasons)} forms allowed{first}"
    types = _types(schema)
    if types and not any(_is_of_type(data, name) for name in types):
        return f"{where} must be of type {' or '.join(types)}, not {_show(data)}"
    match data:
        case dict():
            return _misfit_object(data, schema, root, where)
        case list():
            return _misfit_array(data, schema, root, where)
        case str():
            return _out_of_bounds(len(data), schema, "minLength", "maxLength", f"the length of {where}")
        case bool() | None:
            return None
        case int() | float():
            return _out_of_bounds(data, schema, "minimum", "maximum", where)
    return None


def resolve(schema: Json, root: Json) -> Json:
    """Follow a `$ref` of the form `#/$defs/NAME` to what it names.

    Raises:
        ConfigError: It points elsewhere, or to nothing.
    """
    at: JsonValue = root
    pointer = str(schema["$ref"])
    for key in pointer.removeprefix("#/").split("/") if pointer.startswith("#/") else [pointer]:
        at = at.get(key) if isinstance(at, dict) else None
    if not isinstance(at, dict):
        raise ConfigError(f"reply schema: {pointer!r} names nothing in it")
    return at


class _Grammar:
    """The rules found so far. Equal bodies share one rule, so that the grammar stays small."""

    def __init__(self, root: Json) -> None:
        self.root = root
        self.rules: dict[str, str] = {"root": ""}
        self.names: dict[str, str] = {}
        self.refs: dict[str, str] = {}

    def rule_for(self, schema: Json) -> str:
        """Return the body of a rule for `schema`; named rules it needs are added."""
        if unknown := NOT_UNDERSTOOD & schema.keys():
            raise ConfigError(f"reply schema: {', '.join(sorted(unknown))} is not understood; say it in other keywords")
        if "$ref" in schema:
            return self.reference(schema)
        if "const" in schema:
            return _literal(schema["const"])
        if "enum" in schema:
            return " | ".join(_literal(value) for value in cast(list[JsonValue], schema["enum"]))
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return " | ".join(self.named(self.rule_for(option)) for option in cast(list[Json], schema[key]))
        types = _types(schema) or ANY_TYPE
        return " | ".join(self.named(self.typed(name, schema)) for name in types)

    def typed(self, name: str, schema: Json) -> str:
        match name:
            case "object" if "properties" in schema:
                return self.object(schema)
            case "array" if isinstance(schema.get("items"), dict):
                return self.array(schema)
            case "string" if "maxLength" in schema or "minLength" in schema:
                least, most = schema.get("minLength", 0), schema.get("maxLength", "")
                if isinstance(most, int) and most > LONGEST_COUNTED:
                    most = ""
                return rf'"\"" {self.primitive("char")}{{{least},{most}}} "\""'
            case "integer" | "number":
                return self.number(name, schema)
        if name not in PRIMITIVES:
            raise ConfigError(f"reply schema: no type {name!r}")
        return self.primitive(name)

    def object(self, schema: Json) -> str:
        properties, required = cast(dict[str, Json], schema["properties"]), cast(list[str], schema.get("required", []))
        pairs = [
            (f"{_literal(key)} {_quote(':')} {self.named(self.rule_for(value))}", key in required)
            for key, value in properties.items()
        ]
        return f"{_quote('{')} {self.members(pairs, first=True)} {_quote('}')}"

    def members(self, pairs: list[tuple[str, bool]], *, first: bool) -> str:
        """A rule for the pairs in order, where the optional ones may be left out, with commas only between."""
        if not pairs:
            return ""
        (pair, needed), rest = pairs[0], pairs[1:]
        with_it = f"{'' if first else _quote(',') + ' '}{pair} {self.members(rest, first=False)}".strip()
        if needed:
            return with_it
        without = self.members(rest, first=first)
        return self.named(f"{with_it} | {without}" if without else f"({with_it})?")

    def array(self, schema: Json) -> str:
        item = self.named(self.rule_for(cast(Json, schema["items"])))
        least, most = cast(int, schema.get("minItems", 0)), cast(int | None, schema.get("maxItems"))
        if most == 0:
            return _quote("[]")
        more = f"({_quote(',')} {item}){{{max(least - 1, 0)},{'' if most is None else most - 1}}}"
        inside = f"{item} {more}" if least else f"({item} {more})?"
        return f"{_quote('[')} {inside} {_quote(']')}"

    def number(self, name: str, schema: Json) -> str:
        least, most = schema.get("minimum"), schema.get("maximum")
        if isinstance(least, int) and isinstance(most, int) and name == "integer" and most - least <= SMALL_RANGE:
            return " | ".join(_quote(str(n)) for n in range(least, most + 1))
        if name == "number" and least == 0 and most == 1:
            return self.primitive("share")
        if isinstance(least, int | float) and least >= 0:
            return self.primitive("positive" if name == "number" else "natural")
        return self.primitive(name)

    def reference(self, schema: Json) -> str:
        pointer = str(schema["$ref"])
        if pointer not in self.refs:
            self.refs[pointer] = name = f"ref{len(self.refs)}"  # named before it is written: it may contain itself
            self.rules[name] = ""
            self.rules[name] = self.rule_for(resolve(schema, self.root))
        return self.refs[pointer]

    def primitive(self, name: str) -> str:
        if name not in self.rules:
            self.rules[name] = PRIMITIVES[name]
            for word in re.findall(
                r"\b[a-z]+\b", re.sub(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]', "", PRIMITIVES[name])
            ):
                self.primitive(word)
        return name

    def named(self, body: str) -> str:
        if re.fullmatch(r"[a-z0-9]+", body):
            return body
        if body not in self.names:
            self.names[body] = name = f"r{len(self.names)}"
            self.rules[name] = body
        return self.names[body]


def _types(schema: Mapping[str, JsonValue]) -> tuple[str, ...]:
    kind = schema.get("type")
    if isinstance(kind, list):
        return tuple(str(name) for name in kind)
    if kind is None:
        return ("object",) if "properties" in schema else ("array",) if "items" in schema else ()
    return (str(kind),)


def _is_of_type(data: JsonValue, name: str) -> bool:
    match name:
        case "integer":
            return isinstance(data, int) and not isinstance(data, bool)
        case "number":
            return isinstance(data, int | float) and not isinstance(data, bool)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(data, kinds[name])


def _misfit_object(data: Json, schema: Json, root: Json, where: str) -> str | None:
    properties = cast(dict[str, Json], schema.get("properties", {}))
    for key in cast(list[str], schema.get("required", [])):
        if key not in data:
            return f"{where} lacks the property {key!r}"
    for key, value in data.items():
        if key in properties:
            if reason := misfit(value, properties[key], root, f"{where}.{key}".removeprefix("the reply.")):
                return reason
        elif schema.get("additionalProperties") is False:
            return f"{where} has a property {key!r} that is not allowed; allowed: {', '.join(properties)}"
    return None


def _misfit_array(data: list[JsonValue], schema: Json, root: Json, where: str) -> str | None:
    items = schema.get("items")
    if isinstance(items, dict):
        for index, value in enumerate(data):
            if reason := misfit(value, items, root, f"{where}[{index}]"):
                return reason
    return _out_of_bounds(len(data), schema, "minItems", "maxItems", f"the number of items of {where}")


def _out_of_bounds(value: float, schema: Json, least: str, most: str, what: str) -> str | None:
    low, high = schema.get(least), schema.get(most)
    if isinstance(low, int | float) and value < low:
        return f"{what} must be at least {low}, not {value}"
    if isinstance(high, int | float) and value > high:
        return f"{what} must be at most {high}, not {value}"
    return None


def _same(a: JsonValue, b: JsonValue) -> bool:
    """JSON equality: unlike in Python, true is not 1."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _show(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "…"


def _literal(value: JsonValue) -> str:
    return _quote(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
