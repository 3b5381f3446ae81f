"""Taxonomy: the labels under which insights stand, domain/level-1/level-2, and what each label means.

Labels are open: an insight may bring a new one, with its meaning. One that only spells an old one otherwise (singular
or plural, hyphens, order of words) is that one, and the insight keeps in `origin` under which label it came. Likeness
is not enough: upper-bounds and lower-bounds are alike.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from skillagent.schema import Insight

GENERAL = "general"


def levels(insight: Insight) -> tuple[str, str, str]:
    """Return domain, level 1 and level 2; a level that a person left out is general."""
    domain, one, two = [*(part or GENERAL for part in insight.taxonomy.split("/")), GENERAL, GENERAL][:3]
    return domain, one, two


def labels(insights: Iterable[Insight]) -> Mapping[str, str]:
    """Return every label that is in use, as domain/level-1 or domain/level-1/level-2, with what it means.

    The meaning is the one that the first insight to define it gave; empty where none did.
    """
    found: dict[str, str] = {}
    for insight in insights:
        for label in _labels(insight):
            found[label] = found.get(label) or insight.defines.get(label, "")
    return dict(sorted(found.items()))


def in_use(domain: str, insights: Iterable[Insight], most: int) -> list[str]:
    """Return the labels of a domain that most insights have, one a line, with their levels and what they mean."""
    own = [one for one in insights if levels(one)[0] == domain]
    meanings, counts = labels(own), Counter(label for one in own for label in _labels(one))
    chosen = sorted(counts, key=lambda label: (-counts[label], label))[:most]
    return [f"{_by_level(label)}: {meanings[label]}".removesuffix(": ") for label in sorted(chosen)]


def folded(taxonomy: str, insights: Iterable[Insight]) -> str:
    """Return the taxonomy with each level that only spells one in use under the same parent otherwise as that one."""
    domain, one, two = taxonomy.split("/")
    known = labels(insights)
    one = _known(one, [label.split("/")[1] for label in known if label.startswith(f"{domain}/")])
    two = _known(two, [label.split("/")[2] for label in known if label.startswith(f"{domain}/{one}/")])
    return f"{domain}/{one}/{two}"


def _labels(insight: Insight) -> tuple[str, str]:
    domain, one, two = levels(insight)
    return f"{domain}/{one}", f"{domain}/{one}/{two}"


def _by_level(label: str) -> str:
    _, *parts = label.split("/")
    return ", ".join(f"level_{number} {part}" for number, part in enumerate(parts, start=1))


def _known(label: str, others: Iterable[str]) -> str:
    return next((other for other in others if _spelt(other) & _spelt(label)), label)


def _spelt(label: str) -> set[str]:
    """Return spellings that are one: without hyphens, and with the words in order of the alphabet."""
    words = [re.sub(r"e?s?$", "", word) for word in label.split("-")]  # box and boxes, date and dates
    return {"".join(words), "-".join(sorted(words))}
