"""Disclose: what the model is shown of skills, a level at a time and in tokens.

First the steps of what the route has chosen, or its whole text where it has no section of steps; then names of others
with a line each; then the names of what can be read: files that a chosen skill refers to, and texts of which only a
part is shown. Source: progressive disclosure (Agent Skills); the chosen text is put there unasked, as models that are
left to choose use too little. What is read later is paid out of the same tokens, so where there is something to read, a
third is kept for it. Nothing here opens a file: what can be read are texts that the library holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from skillagent.library import Library
from skillagent.prompts import fence
from skillagent.schema import Json, Ranked, Recalled, Route, Skill, Step, Value, Verb

READ = Verb(
    name="read",
    doc="Read one of the texts that are named beside the task; changes nothing on the page.",
    parameters={
        "type": "object",
        "properties": {"what": {"type": "string"}},
        "required": ["what"],
        "additionalProperties": False,
    },
)

_CHOSEN = 2  # skills whose text is shown
_SHARE = 4  # the part of a model's window that skills may take
_FEWEST = 24  # tokens: fewer are not worth a text
_LINE = 160  # characters of a description
_LONGEST = 16  # characters that a token may have, on average
_CUT = "\n(the rest is left out)"
_STEPS = re.compile(r"^## Steps\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)

Count = Callable[[str], int]


class Showing(Value):
    """How much the model is shown of skills: so many `tokens`, with what it reads of them, and so many `others`.

    Those are named, with a line each. It may `read` where what is shown names something that it does not show: a file
    that a skill refers to, another skill, or a text that was cut. `always`: also what a skill says beside its steps.
    """

    tokens: int = Field(default=1_500, ge=1)
    others: int = Field(default=0, ge=0)
    read: Literal["off", "needed", "always"] = "needed"

    def within(self, window: int | None) -> Showing:
        """Return the same with a quarter of a window's tokens at most, which holds the page too; None: as it is."""
        return (
            self if window is None else self.model_copy(update={"tokens": max(1, min(self.tokens, window // _SHARE))})
        )


@dataclass(frozen=True)
class Disclosed:
    """What is shown beside the task, what can be read besides, by name, and how many tokens are left for that."""

    text: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    left: int = 0

    def unread(self, steps: Sequence[Step], count: Count) -> list[str]:
        """Return what can be read after these steps: each text once, as long as there are tokens for one."""
        known = {step.action.arguments.get("what") for step in _reading(steps)}
        there = [name for name in self.more if name not in known]
        return there if there and self._left(steps, count) >= _FEWEST else []

    def read(self, name: str, steps: Sequence[Step], count: Count) -> Recalled:
        """Return one of the texts that can be read, as far as there are tokens for it, and the skill that it is of."""
        kept, rest = _cut(self.more[name], self._left(steps, count), count)
        return Recalled(text=_marked(kept, rest), of=(name.partition("/")[0],))

    def _left(self, steps: Sequence[Step], count: Count) -> int:
        return self.left - sum(count(step.recalled) for step in _reading(steps))


def disclosed(route: Route, library: Library, *, showing: Showing, count: Count) -> Disclosed:
    """Return what a route shows of skills and what can be read besides, in at most `showing.tokens` together.

    Frames, and the words before them, are not counted.

    Args:
        route: The first two of its skills are shown.
        library: Holds them.
        showing: How much.
        count: Tells how many tokens a text takes. It is not asked where all fits however it is counted.
    """
    chosen = [library.skills[name] for name in _names(route.skills)[:_CHOSEN]]
    others = _others(route, library, chosen, showing.others)
    referred = {f"{skill.name}/{path}": text for skill in chosen for path, text in _referred(skill)}
    gists = [_gist(skill.body) for skill in chosen]
    beside = [_beside(skill.body) for skill in chosen]
    whole = _fits("".join(gists), showing.tokens, count)
    named = bool(others or referred) or not whole
    reads = showing.read != "off" and (named or (showing.read == "always" and any(beside)))
    if whole and not others and not reads:
        return Disclosed(text=_told(gists))

    kept = showing.tokens // 3 if reads else 0
    purse = _Purse(showing.tokens - kept, count)
    cuts = [purse.pay(gist) for gist in gists]
    names = purse.pay_lines([f"- {one.name}: {' '.join(one.description.split())[:_LINE]}" for one in others])
    shown = [_told([_marked(*cut) for cut in cuts if cut[0]]), _listed("Other skills:", names)]
    rests = {_main(skill): f"{rest}\n\n{more}" for skill, (_, rest), more in zip(chosen, cuts, beside, strict=True)}
    texts = {**referred, **rests, **{_main(one): one.body for one in others[: len(names)]}}
    more = {name: text.strip() for name, text in texts.items() if text.strip()}
    purse.left += kept
    paths = purse.pay_lines([f"- {name}" for name in more], share=2) if reads else []
    if purse.left < _FEWEST:
        paths = []
    shown.append(_listed(f'What can be read, with the verb "{READ.name}":', paths))
    more = dict(list(more.items())[: len(paths)])
    return Disclosed(text="\n".join(filter(None, shown)), more=more, left=purse.left)


def reading(names: Sequence[str]) -> Verb:
    """Return the verb that reads one of these."""
    what: Json = {"type": "string", "enum": [*names]}
    return READ.model_copy(update={"parameters": {**READ.parameters, "properties": {"what": what}}})


@dataclass
class _Purse:
    """The tokens that are left."""

    left: int
    count: Count

    def pay(self, text: str) -> tuple[str, str]:
        """Return as much of a text as there are tokens for, which are gone then, and the rest of it."""
        kept, rest = _cut(text, self.left, self.count)
        self.left -= self.count(_marked(kept, rest)) if kept else 0
        return kept, rest

    def pay_lines(self, lines: Sequence[str], share: int = 1) -> list[str]:
        """Return the first lines that there are tokens for, a part of what is left at most."""
        least, paid = self.left - self.left // share, list[str]()
        for line in lines:
            cost = self.count(f"{line}\n")
            if self.left - cost < least:
                break
            self.left -= cost
            paid.append(line)
        return paid


def _names(parts: Sequence[Sequence[Ranked]]) -> list[str]:
    return list(dict.fromkeys(ranked.id for part in parts for ranked in part))


def _others(route: Route, library: Library, chosen: Sequence[Skill], most: int) -> list[Skill]:
    """Return the skills that the router considered too, the best first."""
    known = {skill.name for skill in chosen}
    names = [name for name in _names(route.considered) if name in library.skills and name not in known]
    return [library.skills[name] for name in names[:most]]


def _referred(skill: Skill) -> Iterator[tuple[str, str]]:
    """Yield the files that a skill refers to: its references, and what its text names, but nothing that runs."""
    for path, text in skill.files.items():
        if path.startswith("references/") or (path in skill.body and not path.startswith("scripts/")):
            yield path, text


def _main(skill: Skill) -> str:
    return f"{skill.name}/SKILL.md"


def _gist(body: str) -> str:
    """Return the steps, where there is a section of them: a small model loses the goal in a long text."""
    steps = _STEPS.search(body)
    return (steps[1] if steps else body).strip()


def _beside(body: str) -> str:
    """Return what a text says beside its steps; without a section of steps all of it is shown."""
    return _STEPS.sub("", body, count=1).strip() if _STEPS.search(body) else ""


def _told(texts: Sequence[str]) -> str:
    return "\n".join(["How it is done:", *(fence("skill", text) for text in texts)]) if texts else ""


def _listed(words: str, lines: Sequence[str]) -> str:
    return "\n".join([words, fence("skills", "\n".join(lines))]) if lines else ""


def _fits(text: str, tokens: int, count: Count) -> bool:
    """Tell whether a text takes no more tokens; no model makes more tokens of it than it has bytes."""
    return len(text.encode("utf-8", "replace")) <= tokens or count(text) <= tokens


def _cut(text: str, tokens: int, count: Count) -> tuple[str, str]:
    """Return as much of a text as there are tokens for, with the mark that it was cut, and the rest of it."""
    if _fits(text, tokens, count):
        return text, ""
    room = max(0, tokens - count(_CUT))
    least, most = 0, min(len(text), room * _LONGEST)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if count(text[:middle]) <= room else (least, middle - 1)
    line = text.rfind("\n", least // 2, least)
    end = line if line > 0 else least
    return text[:end], text[end:]


def _marked(kept: str, rest: str) -> str:
    return f"{kept}{_CUT}" if rest else kept


def _reading(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.action.verb == READ.name and step.recalled]
