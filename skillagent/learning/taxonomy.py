"""Taxonomy: the labels under which insights stand, domain/level-1/level-2, and what each label means.

Labels are open: an insight may bring a new one, with its meaning. One that is nearly an old one is folded into it, and
the insight keeps in `origin` under which label it came.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from skillagent.schema import Insight

NEAR = 0.85  # likeness of spelling from which two labels are one


def labels(insights: Iterable[Insight]) -> Mapping[str, str]:
    """Return every label that is in use, as domain/level-1 or domain/level-1/level-2, with what it means.

    The meaning is the one that the first insight to define it gave; empty where none did.
    """
    found: dict[str, str] = {}
    for insight in insights:
        domain, one, two = insight.taxonomy.split("/")
        for label in (f"{domain}/{one}", f"{domain}/{one}/{two}"):
            found[label] = found.get(label) or insight.defines.get(label, "")
    return dict(sorted(found.items()))


def folded(taxonomy: str, insights: Iterable[Insight]) -> str:
    """Return the taxonomy with each level that is nearly one in use under the same parent replaced by that one."""
    domain, one, two = taxonomy.split("/")
    known = labels(insights)
    one = _nearest(one, [label.split("/")[1] for label in known if label.startswith(f"{domain}/")])
    two = _nearest(two, [label.split("/")[2] for label in known if label.startswith(f"{domain}/{one}/")])
    return f"{domain}/{one}/{two}"


def _nearest(label: str, known: Iterable[str]) -> str:
    plain = {other.replace("-", "").removesuffix("s"): other for other in known}
    own = label.replace("-", "").removesuffix("s")
    near = difflib.get_close_matches(own, plain, n=1, cutoff=NEAR)
    return plain[near[0]] if near else label
