"""Doing: which kinds of doing a text asks for, by the verbs that its clauses begin with.

A short table of general English (`doing.yaml`), after the classes of VerbNet. What a reader would get wrong: no kind
means that nobody knows, not that nothing is done; and a verb of several kinds is of all of them, as no sense is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from skillagent.goals import clauses

_WORD = re.compile(r"(?:(?<=^)|(?<=\s))[a-z][a-z-]*(?=$|[\s.,:;!?])")
_PASSED_OVER = frozenset(re.findall(r"\w+", "please now then first next finally also again and to you must should can"))
_ASKING = frozenset(re.findall(r"\w+", "what which who whose where when why how is are does"))
_ASKED = ("find", "count")  # what a question asks for
_READ = 300  # characters of a text
_MOST = 6  # words of a clause among which its verb is looked for behind a `to`


def kinds(texts: Iterable[str]) -> frozenset[str]:
    """Return the kinds of doing that texts ask for; none where none of their verbs is known."""
    return frozenset(kind for text in texts for verb in _verbs(text) for kind in _kinds_of(verb))


def of_kinds(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return texts by the kinds of doing that they ask for, in the order in which these first come; "": not known."""
    found: dict[str, list[str]] = {}
    for text in texts:
        known = kinds([text])
        found.setdefault(", ".join(kind for kind in _table()[1] if kind in known), []).append(text)
    return found


def marked(found: Iterable[str]) -> int:
    """Return kinds as the bits of one number; 0: none."""
    return sum(1 << _table()[1].index(kind) for kind in set(found))


def _verbs(text: str) -> Iterator[str]:
    """Yield the words with which clauses begin, and those behind a `to`."""
    for clause in next(clauses(text[:_READ])):
        words = _WORD.findall(clause.lower()) if clause[:1].isalpha() else []
        while words and words[0] in _PASSED_OVER:
            del words[0]
        yield from words[:1]
        yield from (verb for to, verb in pairwise(words[1:_MOST]) if to == "to")


def _kinds_of(verb: str) -> tuple[str, ...]:
    if verb in _ASKING:
        return _ASKED
    known = _table()[0]
    return next((known[form] for form in _forms(verb) if form in known), ())


def _forms(verb: str) -> Iterator[str]:
    """Yield a word and what it may be a form of."""
    yield verb
    for ending, instead in (("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e")):
        if verb.endswith(ending) and len(verb) > len(ending) + 1:
            yield (stem := verb.removesuffix(ending) + instead)
            if stem[-1:] == stem[-2:-1]:  # put, putting
                yield stem[:-1]


@cache
def _table() -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Return the kinds of each verb, and all kinds."""
    import yaml

    told = yaml.safe_load(Path(__file__).with_name("doing.yaml").read_text(encoding="utf-8"))
    found: dict[str, tuple[str, ...]] = {}
    for kind, verbs in told.items():
        for verb in verbs.split():
            found[verb] = (*found.get(verb, ()), kind)
    return found, tuple(told)
