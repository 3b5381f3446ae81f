"""Skill files: between a `Skill` and the folder that any Agent Skills client can read.

`parse(dump(skill), ...) == skill` for every skill that `dump` takes, and what it writes is read alike by PyYAML and by
skills-ref, whose parser cuts the text at any `---`. What a reader would get wrong: `dump` refuses text that cannot live
in such a file (a carriage return or another control character in the body, half a surrogate pair) and does not mend
it; `cleaned` mends it, and the store does that before it applies a change. Reading is the other way round: whatever
others wrote is read as well as can be, with a warning that names the file.

Nothing here writes to disk, and nothing here judges what a skill says.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import cast

import yaml

from skillagent.errors import InvalidSkill
from skillagent.library import check_name
from skillagent.schema import Skill

_log = logging.getLogger("skillagent.store")

MAX_FILE_BYTES = 256 * 1024
MAX_DESCRIPTION = 1024
MAX_COMPATIBILITY = 500

_VERSION, _DOMAIN, _GOALS = "skillagent-version", "skillagent-domain", "skillagent-goals"
_NOT_OURS = {"__pycache__", "node_modules"}
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_ONE_LINE = re.compile(r"---[ \t]+(\S.*?)[ \t]+---[ \t]*")
_PAIR = re.compile(r"([A-Za-z][\w-]*):(?:\s+(.*))?")
_LOADER: type[yaml.BaseLoader] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def dump(skill: Skill) -> str:
    """Return the text of the skill's `SKILL.md`. What is written is ours: it is read back with `foreign` false.

    Raises:
        InvalidSkill: A field breaks the format, or holds characters that no such file can hold (see `cleaned`).
    """
    _check(skill)
    ours = {_VERSION: str(skill.version)}
    if skill.domain:
        ours[_DOMAIN] = skill.domain
    if skill.goals:
        ours[_GOALS] = json.dumps(skill.goals, ensure_ascii=False)
    lines = ["---", f"name: {_key(skill.name)}", f"description: {_quoted(skill.description)}"]
    for key, value in (
        ("license", skill.license),
        ("compatibility", skill.compatibility),
        ("allowed-tools", skill.allowed_tools),
    ):
        if value is not None:
            lines.append(f"{key}: {_quoted(value)}")
    lines.append("metadata:")
    lines += [f"  {_key(key)}: {_quoted(value)}" for key, value in chain(ours.items(), skill.metadata.items())]
    return "\n".join([*lines, "---", "", skill.body])


def cleaned(skill: Skill) -> Skill:
    r"""Return the skill as it can be written: ours, with `\n` line ends and without control characters."""
    return skill.model_copy(
        update={
            "description": _clean(skill.description),
            "body": _clean(skill.body),
            "domain": _clean(skill.domain),
            "goals": tuple(_clean(goal) for goal in skill.goals),
            "license": None if skill.license is None else _clean(skill.license),
            "compatibility": None if skill.compatibility is None else _clean(skill.compatibility),
            "allowed_tools": None if skill.allowed_tools is None else _clean(skill.allowed_tools),
            "metadata": {_clean(key): _clean(value) for key, value in skill.metadata.items()},
            "files": {path: _clean_file(text) for path, text in skill.files.items()},
            "foreign": False,
        }
    )


def _clean(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _clean_file(text: str) -> str:
    return re.sub("[\x00\ud800-\udfff]", "", text)


def _check(skill: Skill) -> None:
    check_name(skill.name)
    fields = {
        "description": skill.description,
        "body": skill.body,
        "domain": skill.domain,
        "license": skill.license or "",
        "compatibility": skill.compatibility or "",
        "allowed-tools": skill.allowed_tools or "",
        **{f"goals[{i}]": goal for i, goal in enumerate(skill.goals)},
        **{f"metadata key {key!r}": key for key in skill.metadata},
        **{f"metadata.{key}": value for key, value in skill.metadata.items()},
    }
    for field, text in fields.items():
        if found := _CONTROL.search(text):
            raise InvalidSkill(f"{skill.name}: {field} holds {found.group()!r} at {found.start()}; take it out")
    if not skill.description.strip():
        raise InvalidSkill(f"{skill.name}: the description is empty; say what the skill does and when to use it")
    for field, text, limit in (
        ("description", skill.description, MAX_DESCRIPTION),
        ("compatibility", skill.compatibility or "", MAX_COMPATIBILITY),
    ):
        if len(text) > limit:
            raise InvalidSkill(f"{skill.name}: {field} has {len(text)} characters; at most {limit} are allowed")
    for key in skill.metadata:
        if key in (_VERSION, _DOMAIN, _GOALS) or not 0 < len(key) <= 100:
            raise InvalidSkill(f"{skill.name}: metadata key {key!r} is ours, empty or over 100 characters; rename it")
    _check_files(skill)


def _check_files(skill: Skill) -> None:
    for path, text in skill.files.items():
        if not _may_be_kept(path):
            raise InvalidSkill(f"{skill.name}: {path!r} is not a file's path below the folder, like scripts/x.yaml")
        if any(str(parent) in skill.files for parent in PurePosixPath(path).parents):
            raise InvalidSkill(f"{skill.name}: {path!r} lies below another file of the skill; rename one of them")
        try:
            size = len(text.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise InvalidSkill(f"{skill.name}: {path} is not Unicode text ({error}); take it out") from error
        if "\0" in text or size > MAX_FILE_BYTES:
            raise InvalidSkill(f"{skill.name}: {path} has {size} bytes; only text up to {MAX_FILE_BYTES} is kept")


def _may_be_kept(path: str) -> bool:
    """Tell whether a path relative to a skill's folder can name a file of the skill; the same rule reads and writes."""
    parts = PurePosixPath(path).parts
    return (
        str(PurePosixPath(*parts)) == path
        and path.lower() not in ("skill.md", ".")
        and path.isprintable()
        and not any(p in _NOT_OURS or p[0] in "./" or "\\" in p or len(p.encode()) > 200 for p in parts)
    )


def _quoted(text: str) -> str:
    """Write a YAML double-quoted scalar on one line; no `---`, `<` or `>` appears in it."""
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "<": "\\x3c", ">": "\\x3e"}
    written = "".join(named.get(c) or (c if c.isprintable() else _escaped(c)) for c in text)
    return '"' + written.replace("---", "--\\x2d") + '"'


def _escaped(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _key(text: str) -> str:
    """Write a key or a name: plain where YAML 1.1 reads the plain form as this string, else quoted."""
    plain = _PLAIN_KEY.fullmatch(text) and "---" not in text and yaml.safe_load(text) == text
    return text if plain else _quoted(text)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse(text: str, *, source: str, folder: str | None = None) -> Skill:
    """Return the skill that the text of a `SKILL.md` describes, without files.

    Lenient with what others wrote: every oddity is logged as a warning, and keys that we do not know are kept in
    `metadata`.

    Args:
        source: The file's path, for messages.
        folder: The name of the skill's folder; where it differs from the name in the text, the folder is right.

    Raises:
        InvalidSkill: There is no frontmatter, it is not closed or holds nothing that can be read, or there is no name.
    """
    odd = _Oddities(source)
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    header, body = _split(text, source)
    fields = _frontmatter(header, odd)
    metadata = _metadata(fields, odd)
    version = metadata.pop(_VERSION, None)
    foreign = version is None
    domain, goals = metadata.pop(_DOMAIN, ""), _goals(metadata.pop(_GOALS, "[]"), odd)
    name = _name(fields.pop("name", None), folder, odd)
    description = _text("description", fields.pop("description", ""), odd)
    if not description.strip():
        odd.warn("no description; the first line of the text stands in for it")
        description = next((line.lstrip("# ") for line in body.split("\n") if line.strip("# ")), name)
    optional = {key: _text(key, fields.pop(key), odd) for key in _OPTIONAL if key in fields}
    for key, value in fields.items():
        odd.warn(f"unknown key {key!r}; kept as metadata")
        metadata.setdefault(key, _text(key, value, odd))
    return Skill(
        name=name,
        description=description.strip() if foreign else description,
        body=body,
        version=_number(version, odd),
        domain=domain,
        goals=goals,
        license=optional.get("license"),
        compatibility=optional.get("compatibility"),
        allowed_tools=optional.get("allowed-tools"),
        metadata=metadata,
        foreign=foreign,
    )


def read(folder: Path) -> Skill:
    """Return the skill in a folder: `SKILL.md` or `skill.md`, and the text files below the folder.

    A file counts as text when it is UTF-8 without NUL and at most `MAX_FILE_BYTES` long. Hidden files, links and
    everything else in the folder are not part of the skill.

    Raises:
        InvalidSkill: The folder cannot be read as a skill; the message names the file and the remedy.
        OSError: A file went away or may not be read.
    """
    path = skill_md(folder)
    if path is None:
        raise InvalidSkill(f"{folder}: no SKILL.md; add one, or move the folder out of the skills folder")
    content = path.read_bytes()
    if len(content) > 4 * MAX_FILE_BYTES:
        raise InvalidSkill(f"{path}: {len(content)} bytes; at most {4 * MAX_FILE_BYTES}: move parts into other files")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidSkill(f"{path}: not UTF-8 ({error}); save it as UTF-8") from error
    skill = parse(text, source=str(path), folder=folder.name)
    files = {path: kept for path in paths(folder) if (kept := _as_text(folder / path)) is not None}
    return skill.model_copy(update={"files": files}) if files else skill


def skill_md(folder: Path) -> Path | None:
    """Return the path of the folder's `SKILL.md` (or `skill.md`), or None."""
    return next((path for name in ("SKILL.md", "skill.md") if (path := folder / name).is_file()), None)


def paths(folder: Path, below: str = "") -> Iterator[str]:
    """Yield, in order and relative to the folder, the files that may be part of its skill besides `SKILL.md`."""
    for entry in sorted(os.scandir(folder / below), key=lambda entry: entry.name):
        path = below + entry.name
        if entry.is_symlink() or not _may_be_kept(path):
            continue
        if entry.is_dir():
            yield from paths(folder, path + "/")
        elif entry.is_file():
            yield path


def _as_text(path: Path) -> str | None:
    if path.stat().st_size > MAX_FILE_BYTES:
        return None
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


@dataclass(frozen=True)
class _Oddities:
    """Where a file departs from the format; each departure is logged with the file's name."""

    source: str

    def warn(self, what: str) -> None:
        _log.warning("%s: %s", self.source, what)


def _split(text: str, source: str) -> tuple[str, str]:
    lines = text.lstrip("\n").split("\n")
    if whole := _ONE_LINE.fullmatch(lines[0]):
        header, rest = whole.group(1), lines[1:]
    else:
        if lines[0].rstrip() != "---":
            raise InvalidSkill(f"{source}: line 1: no frontmatter; begin with '---', name and description, '---'")
        end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if end is None:
            raise InvalidSkill(f"{source}: the frontmatter is not closed; add a line '---' after its last key")
        header, rest = "\n".join(lines[1:end]), lines[end + 1 :]
    if len(header) > MAX_FILE_BYTES:
        raise InvalidSkill(f"{source}: the frontmatter has {len(header)} characters; at most {MAX_FILE_BYTES}")
    if len(rest) > 1 and not rest[0].strip():
        rest = rest[1:]
    return header, "\n".join(rest)


def _frontmatter(header: str, odd: _Oddities) -> dict[str, object]:
    try:
        if "*" in header and any(isinstance(token, yaml.AliasToken) for token in yaml.scan(header)):
            raise InvalidSkill(f"{odd.source}: the frontmatter uses YAML aliases; write the values out")
        fields = yaml.load(header, _LOADER)  # noqa: S506  # a base loader makes strings, lists and dicts only
        if isinstance(fields, dict):
            return {str(key): value for key, value in fields.items()}
        problem = "not a mapping"
    except (yaml.YAMLError, RecursionError) as error:
        problem = " ".join(str(error).split())
    if not (pairs := _by_line(header)).keys() & {"name", "description"}:
        raise InvalidSkill(f"{odd.source}: the frontmatter cannot be read ({problem}); write 'key: \"value\"' lines")
    odd.warn(f"the frontmatter is not YAML ({problem}); read line by line. Quote the values to mend it")
    return dict(pairs)


def _by_line(header: str) -> dict[str, str]:
    """Read `key: value` lines as they stand; a line that starts no pair continues the value before it."""
    pairs: dict[str, str] = {}
    key = None
    for line in header.split("\n"):
        if pair := _PAIR.fullmatch(line):
            key, pairs[pair[1]] = pair[1], (pair[2] or "").strip().strip("'\"")
        elif key is not None:
            pairs[key] = f"{pairs[key]} {line.strip()}".strip()
    return pairs


def _metadata(fields: dict[str, object], odd: _Oddities) -> dict[str, str]:
    found = fields.pop("metadata", None)
    if isinstance(found, Mapping):
        return {str(key): _text(f"metadata.{key}", value, odd) for key, value in found.items()}
    if found not in (None, ""):
        odd.warn("metadata is not a mapping; kept as the key 'metadata'")
        return {"metadata": _text("metadata", found, odd)}
    return {}


def _text(key: str, value: object, odd: _Oddities) -> str:
    if isinstance(value, str):
        return value
    odd.warn(f"{key} is not a string; kept in one line")
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(cast("list[str]", value))
    return json.dumps(value, ensure_ascii=False, default=str)


def _name(found: object, folder: str | None, odd: _Oddities) -> str:
    written = found.strip() if isinstance(found, str) else ""
    for name in (folder, written, _slug(folder or ""), _slug(written)):
        if name is not None and _is_name(name):
            if name != written or (folder is not None and name != folder):
                odd.warn(
                    f"the name {written!r} and the folder {folder!r} differ or break the format; taken as {name!r}"
                )
            return name
    raise InvalidSkill(f"{odd.source}: no name; write 'name: some-words' and call the folder so")


def _is_name(text: str) -> bool:
    try:
        check_name(text)
    except InvalidSkill:
        return False
    return True


def _slug(text: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:64].strip("-")


def _number(version: str | None, odd: _Oddities) -> int:
    if version is None:
        return 1
    if re.fullmatch(r"[1-9][0-9]{0,8}", version):
        return int(version)
    odd.warn(f"{_VERSION} is {version!r}, not a whole number from 1; taken as 1")
    return 1


def _goals(text: str, odd: _Oddities) -> tuple[str, ...]:
    try:
        goals = json.loads(text)
    except ValueError:
        goals = None
    if isinstance(goals, list) and all(isinstance(goal, str) for goal in goals):
        return tuple(goals)
    odd.warn(f"{_GOALS} is not a list of strings in JSON; left out")
    return ()


_OPTIONAL = ("license", "compatibility", "allowed-tools")
