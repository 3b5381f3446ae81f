"""Prompts: one Markdown file each, with strict placeholders.

`$name` in a file is a placeholder; every placeholder must be given and every value given must be used. Text that comes
from a page or from the library goes through `fence`, or `defused` where it has no frame, so that it can neither end its
own frame nor pose as ours.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from string import Template

TAGS = (
    *("state", "skill", "skills", "insight", "insights", "goal", "goals", "steps", "failed", "worked", "error"),
    *("alternatives", "difference", "answer", "right", "wrong", "memory", "made-up", "rules", "labels", "verdict"),
)
_FRAME = re.compile(rf"<(?=\s*/?\s*(?:{'|'.join(TAGS)})\b)", re.IGNORECASE)


def render(prompt: str, **values: str) -> str:
    """Return the prompt's text with its placeholders filled.

    Raises:
        KeyError: A placeholder has no value.
        ValueError: A value has no placeholder.
    """
    template = _template(prompt)
    if unknown := set(values) - set(template.get_identifiers()):
        raise ValueError(f"prompt {prompt}: no placeholder for {', '.join(sorted(unknown))}")
    return template.substitute(values)


def fence(tag: str, text: str) -> str:
    """Frame data as `<tag>…</tag>`; whatever looks like one of our frames inside it is defused."""
    assert tag in TAGS, f"the tag {tag} must be known, so that no text can end its frame"
    return f"<{tag}>\n{defused(text).strip()}\n</{tag}>"


def defused(text: str) -> str:
    """Return data that has no frame of its own, as long as before, without what looks like one of our frames."""
    return _FRAME.sub("(", text)


@cache
def _template(prompt: str) -> Template:
    path = Path(__file__).with_name(f"{prompt}.md")
    return Template(path.read_text(encoding="utf-8").strip())
