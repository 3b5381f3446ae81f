"""Texts: a skill's versions as texts: found by name, compared, checked, copied out.

Versions come from the ledger; what a person edited by hand in the folder is the last one. Nothing is printed here.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from itertools import zip_longest
from pathlib import Path

from skillagent.envs.registry import Factory, Options, factories
from skillagent.errors import ConfigError, InvalidSkill, NotFound, near
from skillagent.learning.prose import prose
from skillagent.library import Library
from skillagent.programs.text import FILE, parse
from skillagent.schema import Event, Skill, Verb
from skillagent.store import skillfile
from skillagent.store.ledger import changes, key_of, versions


def known_skill(library: Library, name: str) -> Skill:
    """Return the skill of that name.

    Raises:
        NotFound: There is none; the message names near ones.
    """
    if name not in library.skills:
        raise NotFound(f"no skill {name!r} in the library{near(name, library.skills)}")
    return library.skills[name]


def check_known(library: Library, events: Iterable[Event], name: str) -> None:
    """Raise NotFound, with near names, when neither the library nor the ledger knows the skill."""
    known = {key for _, change, _ in changes(events) for kind, key in [key_of(change)] if kind == "skill"}
    if name not in known | set(library.skills):
        raise NotFound(f"no skill {name!r} in the library or the ledger{near(name, known | set(library.skills))}")


@dataclass(frozen=True)
class Contents:
    """The versions of one skill in the order in which they came; the last is the present one unless `gone`."""

    name: str
    skills: Sequence[Skill]

    def at(self, version: int) -> Skill:
        """Return the content of a version: the last one that was seen under the number."""
        for skill in reversed(self.skills):
            if skill.version == version:
                return skill
        known = ", ".join(str(number) for number in sorted({skill.version for skill in self.skills}))
        raise NotFound(f"{self.name}: no version {version}; it has {known}")

    def pair(self, old: int | None, new: int | None) -> tuple[Skill | None, Skill]:
        """Return two versions to compare: by default the last and the one before it; None: there was none before."""
        after = self.skills[-1] if new is None else self.at(new)
        if old is not None:
            return self.at(old), after
        earlier = list(self.skills[: self.skills.index(after)])
        return (earlier[-1] if earlier else None), after


def contents(library: Library, events: Iterable[Event], name: str) -> Contents:
    """Return every content that a skill has had.

    Raises:
        NotFound: Neither the ledger nor the library knows the skill.
    """
    history = list(events)
    check_known(library, history, name)
    found: list[Skill] = []
    for entry in versions(history, name):
        for skill in (entry.before, entry.after):
            if skill is not None and (not found or found[-1] != skill):
                found.append(skill)
    present = library.skills.get(name)
    if present is not None and (not found or found[-1] != present):
        found.append(present)
    return Contents(name, found)


def text_of(skill: Skill) -> str:
    """Return a skill as SKILL.md, followed by its other files."""
    parts = [skillfile.dump(skillfile.cleaned(skill))]
    parts += [f"── {path} ──\n{text}" for path, text in sorted(skill.files.items())]
    return "\n".join(parts)


def unified(before: Skill | None, after: Skill) -> str:
    """Return the unified diff of two versions' texts; empty when they read alike but for the version number."""
    if before is not None and before.model_copy(update={"version": after.version}) == after:
        return ""
    old = f"{after.name} v{before.version}" if before else f"{after.name} (not there)"
    lines = difflib.unified_diff(
        text_of(before).splitlines() if before else [],
        text_of(after).splitlines(),
        old,
        f"{after.name} v{after.version}",
        lineterm="",
    )
    return "\n".join(lines)


_STEPS = re.compile(r"^##[ \t]+Steps[ \t]*$", re.IGNORECASE | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]", re.MULTILINE)
_NUMBERED = re.compile(r"^\d+[.)][ \t]+", re.MULTILINE)


class _Heard(logging.Handler):
    """Keeps what is logged while it listens."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@dataclass(frozen=True)
class Checked:
    """A skill's folder, what is wrong with it, and what else a person may want to know of it."""

    folder: Path
    problems: Sequence[str]
    notes: Sequence[str] = ()


def checked(path: Path, environments: Mapping[str, Factory] | None = None) -> list[Checked]:
    """Return what there is to say of every skill's folder at or below `path`.

    Args:
        path: A skill's folder, or a folder of them.
        environments: Those whose verbs programs may use; None: all that are installed.

    Raises:
        ConfigError: There is no such folder.
    """
    if not path.is_dir():
        raise ConfigError(f"{path} is not a folder: name a skill's folder, or a folder of skills")
    known = cache(partial(_verbs, factories() if environments is None else environments))
    if skillfile.skill_md(path) is not None:
        return [_checked(path, known)]
    folders = sorted(one for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))
    return [_checked(folder, known) for folder in folders]


def _checked(folder: Path, verbs: Callable[[str], Sequence[Verb]]) -> Checked:
    notes: list[str] = []
    heard, logger = _Heard(), logging.getLogger("skillagent.store")
    passed_on = logger.propagate
    logger.addHandler(heard)
    logger.propagate = False
    try:
        skill = skillfile.read(folder)
        if not skill.description.strip():
            heard.messages.append("the description is empty; say what the skill does and when to use it")
        skillfile.dump(skill)
        if FILE in skill.files:
            program = parse(skill.files[FILE], file=f"{folder / FILE}", verbs=verbs(skill.domain))
            notes = _unlike(_steps_in_words(skill.body), prose(program))
    except InvalidSkill as error:
        heard.messages.append(str(error))
    finally:
        logger.removeHandler(heard)
        logger.propagate = passed_on
    return Checked(folder, list(dict.fromkeys(heard.messages)), notes)


def _steps_in_words(body: str) -> list[str]:
    """Return the numbered list under the heading `Steps`, an entry a line; empty where there is none."""
    _, *below = _STEPS.split(body, maxsplit=1)
    entries = _NUMBERED.split(_HEADING.split(below[0], maxsplit=1)[0])[1:] if below else []
    return [entry.split("\n\n")[0] for entry in entries]


def _unlike(words: Sequence[str], program: Sequence[str]) -> list[str]:
    """Return what to say of the first step that a skill's words and its program tell differently."""
    for n, pair in enumerate(zip_longest(words, program, fillvalue=""), start=1) if words else ():
        told, done = (" ".join(one.split()) for one in pair)
        if told != done:
            what = f"step {n} is {told!r}" if told else f"there is no step {n}"
            runs = f"does {done!r}" if done else "has no such step"
            return [
                f"its steps in words differ from the program: {what}, the program {runs}; mend the one that is wrong"
            ]
    return []


def _verbs(environments: Mapping[str, Factory], name: str) -> Sequence[Verb]:
    """Return what can be done in an environment; in any of them, where there is none of that name."""
    own = _verbs_of(environments[name]) if name in environments else ()
    return own or [verb for make in environments.values() for verb in _verbs_of(make)]


def _verbs_of(make: Factory) -> Sequence[Verb]:
    try:
        with closing(make(Options())) as environment:
            return environment.verbs
    except Exception:  # someone else's package: that it is broken is no fault of the skill
        return ()


def exported(skill: Skill, folder: Path) -> Path:
    """Write the skill's folder into `folder` and return its path.

    Raises:
        ConfigError: There is something of that name already; nothing was written.
    """
    target = folder / skill.name
    if target.exists():
        raise ConfigError(f"{target} exists: remove it or choose another folder")
    for path, text in {"SKILL.md": skillfile.dump(skillfile.cleaned(skill)), **skill.files}.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    return target
