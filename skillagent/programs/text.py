"""Program files: between `scripts/program.yaml` and a `Program`.

    goals:
      - Select {options...} and click Submit.
    steps:
      - each: {in: options, as: option, do: [{click: {role: checkbox, name: "{option}"}}]}
      - click: {role: button, name: Submit}

The grammar is closed: what it does not know is an error that names the line. `parse(dump(program)) == program`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

import yaml
from pydantic import JsonValue

from skillagent.errors import InvalidSkill
from skillagent.programs.composed import composed
from skillagent.programs.fit import misused
from skillagent.programs.template import NAME, slots_of, slots_of_pattern, walk_texts
from skillagent.schema import Ask, Check, Do, Each, Expect, Node, Program, Repeat, Skill, Target, Verb, When
from skillagent.schema.program import ORDERS

FILE = "scripts/program.yaml"
DEEPEST = 8
_TARGET = tuple(Target.model_fields)
_WORDS: dict[str, JsonValue] = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,25}(?:[eE][-+]\d{1,2})?)?")
_KEYWORDS = "ask, expect, each, repeat, when"
_T = TypeVar("_T")


def parse(text: str, *, file: str = FILE, verbs: Sequence[Verb] | None = None) -> Program:
    """Return the program that a text holds.

    Args:
        text: YAML.
        file: What the errors call it.
        verbs: Those that the program may use; None: any. Of several with one name, a step must fit one.

    Raises:
        InvalidSkill: The text is no program; the message names file, line and what is wrong.
    """
    root = composed(text, file)
    if root is None:
        raise InvalidSkill(f"{file}: it is empty; a program has steps")
    return _Reader(file, verbs).program(root)


def program_of(skill: Skill) -> Program | None:
    """Return the skill's program, if it has one; raises InvalidSkill as `parse` does."""
    text = skill.files.get(FILE)
    found = None if text is None else _parsed(text)
    if isinstance(found, str):
        raise InvalidSkill(f"{skill.name}/{found}")
    return found


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Program | str:
    """Return the program, or what is wrong with it."""
    try:
        return parse(text)
    except InvalidSkill as error:
        return str(error)


class _Reader:
    """Reads nodes of YAML, which know their lines."""

    def __init__(self, file: str, verbs: Sequence[Verb] | None) -> None:
        self._file = file
        self._verbs = None if verbs is None else {one.name: [v for v in verbs if v.name == one.name] for one in verbs}
        self._lists: dict[str, bool] = {}

    def program(self, root: yaml.Node) -> Program:
        parts = self._mapping(root, ("goals", "steps"))
        goals = []
        for node in self._sequence(parts["goals"]) if "goals" in parts else ():
            pattern = self._word(node)
            for name, many in self._checked(node, slots_of_pattern, pattern).items():
                if self._lists.setdefault(name, many) != many:
                    raise self._error(node, f"slot {name!r} is a list in one goal and a single value in another")
            goals.append(pattern)
        if "steps" not in parts:
            raise self._error(root, "there are no steps")
        return Program(goals=tuple(goals), steps=self._steps(parts["steps"], frozenset(), 0))

    def _steps(self, node: yaml.Node, items: frozenset[str], depth: int) -> tuple[Node, ...]:
        if depth > DEEPEST:
            raise self._error(node, f"nested more than {DEEPEST} deep")
        steps = tuple(self._step(one, items, depth) for one in self._sequence(node))
        if not steps:
            raise self._error(node, "at least one step is needed here")
        return steps

    def _step(self, node: yaml.Node, items: frozenset[str], depth: int) -> Node:
        if isinstance(node, yaml.ScalarNode):  # a verb that takes nothing
            return self._do(node, self._word(node), None, items)
        parts = self._mapping(node, None)
        if len(parts) != 1:
            raise self._error(node, f"a step has one key, not {len(parts)}: {', '.join(parts) or 'none'}")
        ((key, inner),) = parts.items()
        match key:
            case "ask":
                return self._ask(inner, items)
            case "expect":
                return Expect(check=self._check(inner, items))
            case "each":
                return self._each(inner, items, depth)
            case "repeat":
                own = self._mapping(inner, ("until", "most", "do"), needed=("until", "do"))
                most = self._scalar(own["most"]) if "most" in own else 20
                if type(most) is not int or not 1 <= most <= 100:  # True is an int too
                    raise self._error(own["most"], f"most: a number from 1 to 100, not {most!r}")
                do = self._steps(own["do"], items, depth + 1)
                return Repeat(until=self._check(own["until"], items), most=most, do=do)
            case "when":
                own = self._mapping(inner, ("is", "do", "else"), needed=("is", "do"))
                other = self._steps(own["else"], items, depth + 1) if "else" in own else ()
                do = self._steps(own["do"], items, depth + 1)
                return When(check=self._check(own["is"], items), do=do, otherwise=other)
            case _:
                return self._do(node, key, inner, items)

    def _each(self, node: yaml.Node, items: frozenset[str], depth: int) -> Each:
        own = self._mapping(node, ("in", "of", "as", "do"), needed=("as", "do"))
        if ("in" in own) == ("of" in own):
            raise self._error(node, "each is for the values `in` a list of the goal, or for the elements `of` a kind")
        slot, item = self._word(own["in"]) if "in" in own else "", self._word(own["as"])
        if slot and not self._lists.get(slot):
            raise self._error(own["in"], f"no goal has a list {{{slot}...}}")
        if not NAME.fullmatch(item) or item in self._lists or item in items:
            raise self._error(own["as"], f"{item!r} is no free name for one of {slot or 'these'}")
        of = self._target(self._mapping(own["of"], _TARGET), items) if "of" in own else None
        return Each(slot=slot, of=of, item=item, do=self._steps(own["do"], items | {item}, depth + 1))

    def _ask(self, node: yaml.Node, items: frozenset[str]) -> Ask:
        parts = dict(self._mapping(node, None))
        about = self._text(parts.pop("about"), items) if "about" in parts else ""
        if len(parts) != 1:
            raise self._error(node, "ask needs one verb, and may say what it is about")
        ((verb, inner),) = parts.items()
        return Ask(do=self._do(node, verb, inner, items, hole=True), about=about)

    def _do(
        self, node: yaml.Node, verb: str, inner: yaml.Node | None, items: frozenset[str], *, hole: bool = False
    ) -> Do:
        if self._verbs is not None and verb not in self._verbs:
            raise self._error(node, f"no verb {verb!r}; there is {', '.join(self._verbs)}, and {_KEYWORDS}")
        parts = self._mapping(inner, None) if inner is not None and not _null(inner) else {}
        own = {key: value for key, value in parts.items() if key in _TARGET}
        targets = {"ref": self._target(own, items)} if own else {}
        arguments: dict[str, JsonValue] = {}
        for key, value in parts.items():
            if key in own:
                continue
            if key.endswith("ref") and not _null(value):
                raise self._error(value, f"{key}: an element is named by what a person sees, e.g. {{role: …, name: …}}")
            if isinstance(value, yaml.MappingNode) and any(name.value == "behind" for name, _ in value.value):
                arguments[key] = {"behind": self._text(self._mapping(value, ("behind",))["behind"], items)}
            elif isinstance(value, yaml.MappingNode):
                targets[f"{key}_ref"] = self._target(self._mapping(value, _TARGET), items)
            else:
                arguments[key] = self._plain(value, items)
        do = Do(verb=verb, targets=targets, arguments=arguments)
        if self._verbs is not None:
            self._check_fit(do, self._verbs[verb], node, parts, hole=hole)
        return do

    def _check_fit(
        self, do: Do, verbs: Sequence[Verb], node: yaml.Node, parts: Mapping[str, yaml.Node], *, hole: bool
    ) -> None:
        """Raise unless the step fits one of these verbs."""
        faults = [fault for verb in verbs if (fault := misused(do, verb, hole=hole)) is not None]
        if len(faults) == len(verbs):
            parameter = faults[0][0]
            at = parts.get(parameter) or parts.get(parameter.removesuffix("_ref")) or node
            raise self._error(at, "; ".join(dict.fromkeys(words for _, words in faults)))

    def _check(self, node: yaml.Node, items: frozenset[str]) -> Check:
        parts = dict(self._mapping(node, ("given", "shows", "gone", *_TARGET)))
        if "given" in parts:
            if (given := self._word(parts["given"])) not in self._lists or len(parts) > 1:
                raise self._error(node, f"given: a slot of one of the goals, and nothing else, not {given!r}")
            return Check(given=given)
        gone = self._scalar(parts.pop("gone")) if "gone" in parts else False
        if not isinstance(gone, bool):
            raise self._error(node, f"gone: true or false, not {gone!r}")
        shows = self._text(parts.pop("shows"), items) if "shows" in parts else None
        if bool(parts) == (shows is not None):
            raise self._error(node, "a check names either a text that it `shows` or an element")
        return Check(shows=shows, element=self._target(parts, items) if parts else None, gone=gone)

    def _target(self, parts: Mapping[str, yaml.Node], items: frozenset[str]) -> Target:
        fields: dict[str, object] = {}
        for key, node in parts.items():
            value = self._plain(node, items)
            if not isinstance(value, str) and not (key == "order" and type(value) is int):
                raise self._error(node, f"{key}: a text, not {value!r}")
            fields[key] = value
        order = fields.get("order")
        if isinstance(order, str) and order not in ORDERS and not slots_of(order):
            words = ", ".join(ORDERS)
            raise self._error(parts["order"], f"order: a number from 1, {words} or a slot, not {order!r}")
        if isinstance(order, int) and order < 1:
            raise self._error(parts["order"], "order: counted from 1")
        return Target.model_validate(fields)

    def _text(self, node: yaml.Node, items: frozenset[str]) -> str:
        self._word(node)
        return str(self._plain(node, items))

    def _plain(self, node: yaml.Node, items: frozenset[str]) -> JsonValue:
        value = self._made(node)
        for text in walk_texts(value):
            for slot in self._checked(node, slots_of, text):
                if slot not in items and slot not in self._lists:
                    raise self._error(node, f"no goal has a slot {{{slot}}}")
                if slot not in items and self._lists[slot]:
                    raise self._error(node, f"{{{slot}}} is a list: take its values one by one with `each`")
        return value

    def _checked(self, node: yaml.Node, read: Callable[[str], _T], text: str) -> _T:
        try:
            return read(text)
        except ValueError as error:
            raise self._error(node, str(error)) from None

    def _mapping(
        self, node: yaml.Node, known: Collection[str] | None, *, needed: Collection[str] = ()
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, "keys and values are expected here")
        parts: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = self._word(key_node)
            if key in parts:
                raise self._error(key_node, f"{key!r} stands here twice")
            if known is not None and key not in known:
                raise self._error(key_node, f"no key {key!r} here; there is {', '.join(known)}")
            parts[key] = value
        if missing := [key for key in needed if key not in parts]:
            raise self._error(node, f"{missing[0]!r} is missing")
        return parts

    def _sequence(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, "a list is expected here")
        return list(node.value)

    def _scalar(self, node: yaml.Node) -> JsonValue:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "one value is expected here")
        return self._made(node)

    def _word(self, node: yaml.Node) -> str:
        """Return the text that a node holds; it holds one that says something."""
        value = self._scalar(node)
        if not isinstance(value, str) or not value.strip():
            raise self._error(node, f"a text is needed here, not {json.dumps(value)}")
        return value

    def _made(self, node: yaml.Node, depth: int = 0) -> JsonValue:
        """Return what a node holds, as JSON. Of what is not quoted, only JSON's own words and numbers are no texts."""
        if depth > DEEPEST:
            raise self._error(node, f"nested more than {DEEPEST} deep")
        match node:
            case yaml.SequenceNode():
                return [self._made(one, depth + 1) for one in node.value]
            case yaml.MappingNode():
                return {self._word(key): self._made(value, depth + 1) for key, value in node.value}
            case yaml.ScalarNode(value=text, style=None) if text in _WORDS:
                return _WORDS[text]
            case yaml.ScalarNode(value=text, style=None) if _NUMBER.fullmatch(text):
                return float(text) if "." in text else int(text)
            case _:
                return str(node.value)

    def _error(self, node: yaml.Node, what: str) -> InvalidSkill:
        return InvalidSkill(f"{self._file}, line {node.start_mark.line + 1}: {what}")


def _null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in ("", "null", "~")


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Flow(dict[str, JsonValue]):
    """A mapping that is written on one line."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Flow, lambda dumper, content: dumper.represent_mapping("tag:yaml.org,2002:map", content, flow_style=True)
)


def _written(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Write a text; as escapes in double quotes where a line would be folded (at U+0085 among others)."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _written)


def dump(program: Program) -> str:
    """Return the text of a program."""
    content = {"goals": list(program.goals), "steps": _steps(program.steps)}
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _steps(nodes: Sequence[Node]) -> list[JsonValue]:
    return [_step(node) for node in nodes]


def _step(node: Node) -> JsonValue:
    match node:
        case Do():
            return {node.verb: _Flow(_parts(node))}
        case Ask():
            about: dict[str, JsonValue] = {"about": node.about} if node.about else {}
            return {"ask": {node.do.verb: _Flow(_parts(node.do)), **about}}
        case Expect():
            return {"expect": _check(node.check)}
        case Each():
            over: dict[str, JsonValue] = {"in": node.slot} if node.of is None else {"of": _Flow(_target(node.of))}
            return {"each": {**over, "as": node.item, "do": _steps(node.do)}}
        case Repeat():
            return {"repeat": {"until": _check(node.until), "most": node.most, "do": _steps(node.do)}}
        case When():
            other = {"else": _steps(node.otherwise)} if node.otherwise else {}
            return {"when": {"is": _check(node.check), "do": _steps(node.do), **other}}


def _parts(do: Do) -> dict[str, JsonValue]:
    parts: dict[str, JsonValue] = {}
    for name, target in do.targets.items():
        own = _target(target)
        if name == "ref":
            parts |= own
        else:
            parts[name.removesuffix("_ref")] = _Flow(own)
    return {**parts, **do.arguments}


def _target(target: Target) -> dict[str, JsonValue]:
    return target.model_dump(mode="json", exclude_defaults=True)


def _check(check: Check) -> JsonValue:
    own: dict[str, JsonValue] = {"shows": check.shows} if check.shows is not None else {}
    own |= {"given": check.given} if check.given is not None else {}
    if check.element is not None:
        own |= _target(check.element)
    return _Flow({**own, "gone": True} if check.gone else own)
