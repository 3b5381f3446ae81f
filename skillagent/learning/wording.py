"""Wording: what is asked of a model in words, and how its words are made fit to be written down."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from skillagent.schema import Json

_BREAK = re.compile(r"(?<=[.!?;])(?<!\.\w\.)\s+|\n+")  # not behind "e.g."
_END = re.compile(r"(?<!\.\w)[.!?](?=\s|$)")


def texts(lengths: Mapping[str, int], choices: Mapping[str, Sequence[str]] | None = None) -> Json:
    """Return the schema of an object of texts, each with its longest length in characters, or one of some choices."""
    free: Json = {key: {"type": "string", "maxLength": length} for key, length in lengths.items()}
    chosen: Json = {key: {"type": "string", "enum": [*some]} for key, some in (choices or {}).items()}
    return {
        "type": "object",
        "properties": {**free, **chosen},
        "required": [*free, *chosen],
        "additionalProperties": False,
    }


def kebab(text: str) -> str:
    """Return the first six words in lower case, joined by hyphens."""
    words = re.findall(r"[a-z0-9]+", text.lower())[:6]
    return "-".join(words)[:48].strip("-")


def plain_text(text: str) -> str:
    """Return the text without what a skill's description may not contain."""
    return " ".join(text.replace("<", " ").replace(">", " ").replace("---", " ").split())


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, in order; what stands before a semicolon is one."""
    return _BREAK.split(text.strip())


def single(text: str) -> str:
    """Return the text with each of its sentences once; a last one that is cut off and began before is left out too."""
    kept: list[str] = []
    known: list[str] = []
    for said in sentences(text):
        words = " ".join(re.findall(r"\w+", said.casefold()))
        ends = said.endswith((".", "!", "?", ";"))
        if words in known or (not ends and any(one.startswith(words) for one in known)):
            continue
        kept.append(said)
        known.append(words)
    return " ".join(kept)


def whole_sentences(text: str, limit: int) -> str:
    """Return the whole sentences of a text that was cut off at its limit; what there is, where there is none."""
    if len(text) < limit:
        return text
    ends = [found.end() for found in _END.finditer(text)]
    return text[: ends[-1]] if ends else text


def sentence(text: str) -> str:
    """Return the text as one that ends."""
    plain = plain_text(text)
    return plain if not plain or plain[-1] in ".!?" else f"{plain}."
