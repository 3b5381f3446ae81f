"""Arms: what is compared with what. An arm is a library that may be used, and settings that differ from the rest.

none            no library
frozen          the library as it is
shuffled        items are found as before and read under the wrong names: what any text in the prompt would do
learning        the library as it is, growing: each task is practised on practice seeds before it is measured
A/A             frozen twice: what differs between these two is noise
key=value       frozen with one setting changed, or several: model=openai/gpt-5-mini, insights=off+planning=off
ARM:key=value   the same on another arm: none:context=16384
ARM#2           an arm once more
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import Field, JsonValue

from skillagent.build import PARTS, Options, open_agent
from skillagent.config import Settings, changed
from skillagent.errors import ConfigError
from skillagent.library import Library
from skillagent.loop import Agent
from skillagent.schema import Value
from skillagent.store import before
from skillagent.store.disk import DiskStore
from skillagent.store.trainings import MODELS

PLAIN = ("none", "frozen", "shuffled", "learning")
_BASE = "base.txt"  # beside the copy: the digest of what was copied


class Arm(Value):
    """One arm: its name, what it may use, and what is set otherwise for it.

    With `contents` items are found in `library` and read from there.
    """

    name: str
    library: Library
    contents: Library | None = None
    settings: Mapping[str, JsonValue] = Field(default_factory=dict)
    options: Mapping[str, JsonValue] = Field(default_factory=dict)
    learning: bool = False


def parse_arms(text: str, kept: Library, settings: Settings | None = None) -> list[Arm]:
    """Return the arms that a comma-separated text names; `kept` is the library that they may use.

    With `settings`, what arms set otherwise is checked against them.

    Raises:
        ConfigError: There is no such arm, or none, or the same one twice; the message says what there is.
    """
    names = [part.strip() for part in text.split(",") if part.strip()]
    if "A/A" in names:
        twins = [name for name in ("frozen", "frozen#2") if name not in names]
        names[names.index("A/A") : names.index("A/A") + 1] = twins
    if not names:
        raise ConfigError(f"no arm in {text!r}; there is {', '.join(PLAIN)}, A/A and key=value")
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"arm {twice[0]!r} twice; a second one is called {twice[0]}#2")
    arms = [_arm(name, kept) for name in names]
    for arm in arms:
        if settings is not None:
            changed(settings, arm.settings)
    return arms


def _arm(name: str, kept: Library) -> Arm:
    what = re.sub(r"#\d+$", "", name)
    base, colon, changes = what.partition(":") if re.match(r"\w+:\w[\w.]*=", what) else ("frozen", ":", what)
    if "=" not in what:
        base, colon, changes = what, "", ""
    if base not in PLAIN:
        raise ConfigError(f"no arm {name!r}; there is {', '.join(PLAIN)}, A/A and key=value")
    library = Library() if base == "none" else kept
    settings: dict[str, JsonValue] = {}
    options: dict[str, JsonValue] = {}
    for change in changes.split("+") if colon else ():
        key, equals, value = change.partition("=")
        if not equals:
            raise ConfigError(f"arm {name!r}: {change!r} is not key=value")
        if key in PARTS:
            if value != "off":
                raise ConfigError(f"arm {name!r}: {key} can only be off")
            if base == "learning":
                raise ConfigError(f"arm {name!r}: what is learnt cannot be switched off")
            library = library.model_copy(update={key: {}})
        elif key in ("skills", "memory", "home"):
            raise ConfigError(f"arm {name!r}: all arms share one library; measure another in a run of its own")
        elif key in Settings.model_fields:
            settings[key] = value
        else:
            options[key] = value
    Options().changed(options)  # before anything is measured
    contents = shuffled(library) if base == "shuffled" else None
    return Arm(
        name=name,
        library=library,
        contents=contents,
        settings=settings,
        options=options,
        learning=base == "learning",
    )


class Open(Protocol):
    """Puts an agent together, as `build.open_agent` does."""

    def __call__(
        self, settings: Settings, *, options: Options | None = None, read_only: bool = False
    ) -> AbstractContextManager[Agent]:
        """Raise ConfigError when something is missing that the operator must install or set."""
        ...


@dataclass(frozen=True)
class OpenArm:
    """Opens the agent of an arm; can be sent to another process where `open` can.

    Args:
        settings: Of all arms. Budgets of tokens and time are left to the run; the workers share the cores.
        folder: The run's; an arm that learns keeps its own copy of the library in it, under the arm's name.
        workers: How many such agents there will be on this machine.
        open: Instead of `build.open_agent`.
    """

    settings: Settings
    folder: Path
    workers: int = 1
    open: Open = open_agent

    @property
    def threads(self) -> int:
        """Those of each worker's embedded model."""
        return max(1, self.settings.threads // self.workers)

    def __call__(self, arm: Arm) -> AbstractContextManager[Agent]:
        """Open it; what an arm sets otherwise weighs more than the settings."""
        unlimited = {"token_limit": None, "time_limit_s": None}  # a limit on money also asks for a known price
        shared = changed(self.settings, {**unlimited, "threads": self.threads})
        settings = changed(shared, self._copy(shared, arm.name) if arm.learning else {})
        settings = changed(settings, arm.settings)
        return self.open(settings, options=Options().changed(arm.options), read_only=not arm.learning)

    def _copy(self, settings: Settings, name: str) -> dict[str, str]:
        """Copy what is in the library, and return where it is; what happened to it is known, and not in its ledger.

        A copy is made under another name first, so one that a kill has cut is never used.
        """
        home = self.folder / name
        if not (home / "skills").is_dir():
            new = home.with_name(f"{home.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            skills, memory = new / "skills", new / "memory_store"
            memory.mkdir(parents=True)
            for file in ("insights.jsonl", "demonstrations.jsonl", "router.jsonl"):
                if (settings.memory / file).is_file():
                    shutil.copy(settings.memory / file, memory / file)
            if (settings.memory / MODELS).is_dir():
                shutil.copytree(settings.memory / MODELS, memory / MODELS, ignore=shutil.ignore_patterns(".new-*"))
            before.keep(settings.memory, memory)
            if settings.skills.is_dir():
                shutil.copytree(settings.skills, skills)
            skills.mkdir(exist_ok=True)
            (new / _BASE).write_text(DiskStore(skills, memory).load().digest + "\n", encoding="utf-8")
            new.rename(home)
        return {"skills": str(home / "skills"), "memory": str(home / "memory_store")}


def base_of(folder: Path, arm: Arm) -> str | None:
    """Return the digest of the library that an arm which learns began with; None before, or where nobody noted it."""
    file = folder / arm.name / _BASE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def shuffled(library: Library) -> Library:
    """Return the library with its contents under the wrong names: each item holds what the next one of its kind held.

    A lone item keeps its words, in reverse order, and has no program.
    """
    skills, insights, demos = (
        [getattr(library, kind)[key] for key in sorted(getattr(library, kind))] for kind in PARTS
    )
    next_skills = [*skills[1:], *skills[:1]]
    return Library(
        skills={
            one.name: one.model_copy(update={"body": text, "files": other.files if other is not one else {}})
            for one, other, text in zip(skills, next_skills, _turned([one.body for one in skills]), strict=True)
        },
        insights={
            one.id: one.model_copy(update={"explanation": text})
            for one, text in zip(insights, _turned([one.explanation for one in insights]), strict=True)
        },
        demonstrations={
            one.id: one.model_copy(update={"steps": other.steps if other is not one else other.steps[::-1]})
            for one, other in zip(demos, [*demos[1:], *demos[:1]], strict=True)
        },
    )


def _turned(texts: Sequence[str]) -> list[str]:
    if len(texts) == 1:
        return [" ".join(reversed(texts[0].split()))]
    return [*texts[1:], *texts[:1]]
