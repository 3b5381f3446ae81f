"""Composed: the text of a program as nodes of YAML that know their lines, or what is wrong with it and where."""

from __future__ import annotations

import yaml

from skillagent.errors import InvalidSkill


def composed(text: str, file: str) -> yaml.Node | None:
    """Return the text as nodes; raises InvalidSkill with the line where it is no YAML."""
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line, what = text.count("\n", 0, error.position) + 1, f"the character U+{error.character:04X}"
        raise InvalidSkill(f"{file}, line {line}: {what}: take it out, or write it as an escape in quotes") from None
    try:
        node: yaml.Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidSkill(f"{file}, line {line}: {error.problem}") from None
    except RecursionError:
        raise InvalidSkill(f"{file}, line {loader.line + 1}: nested too deep to be read") from None
    except (ValueError, OverflowError) as error:
        raise InvalidSkill(f"{file}, line {loader.line + 1}: an escape beyond Unicode ({error})") from None
    return node


class _Loader(yaml.BaseLoader):
    """Reads YAML without aliases, which can stand for more than memory holds, and without tags."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event, problem = self.peek_event(), None  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            problem = "an alias: write it out"
        elif (tag := getattr(event, "tag", None)) not in (None, "!"):
            problem = f"a tag {tag!r}: leave it out"
        if problem:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node
