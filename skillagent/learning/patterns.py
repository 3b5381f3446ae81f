"""Patterns: from goals of one kind to what they have in common, with a slot wherever they differ.

What one goal says alone is a guess: the values that the actions took from it become slots. Several goals say more:
what differs is a value, what stays is not. Values that are written out as a list become one slot.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from difflib import Match, SequenceMatcher
from itertools import count, groupby

from skillagent.goals import shape
from skillagent.programs.template import literal, matched, values

_TOKEN = re.compile(r"""[.,;:!?)"'“”](?=[.,;:!?)"'“”]*(?:\s|$))|["'“”(]|[^\s"“”]+?(?=[.,;:!?)"'“”]*(?:\s|$))|["“”]""")
_QUOTED = re.compile(r"[\"“]([^\"“”]*)[\"”]")
# What stands between the values of a list.
_BETWEEN = re.compile(r"\s*(?:,|;|&|[>»→]|\band\b|,\s*and\b)\s*", re.IGNORECASE)
_QUOTES = "\"'“”"
_PLACE = re.compile(r"\b\d+(?:st|nd|rd|th)\b", re.IGNORECASE)
_RUN = re.compile(r"\S+(?:,\s+(?:and\s+)?\S+)+")  # several values count as one when goals are compared
_FILLERS = frozenset((
    "a", "an", "the", "to", "into", "in", "on", "of", "for", "with", "as", "at", "by", "from", "it", "that", "this",
    "is", "and", "or",
))  # fmt: skip
_ARTICLES = frozenset(("a", "an", "the"))  # which of them stands before a value says nothing about it
ALIKE = 0.5  # of their words two goals must share, to be of one kind
_VALUE = "…"
VERY_ALIKE = 0.8  # to be of one kind in a narrower sense: "find X and delete it" is not "find X and forward it"

Span = tuple[int, int]


def guessed(goal: str, used: Iterable[str]) -> str:
    """Return the pattern that one goal suggests: a slot for each used value in it, and for each ordinal number.

    What every goal of this shape says is no value, although it was used: the username of `Enter the username "bob"`.
    """
    spans: list[Span] = [match.span() for match in _PLACE.finditer(goal)]
    fixed = shape(goal)
    for value in sorted({value.strip() for value in used if value.strip()}, key=lambda value: (-len(value), value)):
        word = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
        for match in () if word.search(fixed) else word.finditer(goal):
            if not any(match.start() < end and start < match.end() for start, end in spans):
                spans.append(match.span())
                break
    return _written(goal, _listed(goal, sorted(spans)))


def common(goals: Sequence[str], *, listing: bool = True, parting: bool = False, amounts: bool = False) -> str:
    """Return the pattern that goals of one kind share, in the words of the first; that goal when they are all one.

    Something quoted is one value, and so is whatever stands between two spaces.

    Args:
        goals: At least one.
        listing: Read differences with only commas and the like between them as one list.
        parting: Make a slot of each part of a value like 08/31/2019 or 8:35.
        amounts: Make a slot of each number in a difference like `$70` or `malt $5`, and of the words around it.
    """
    tokens, stays = _tokens(goals[0]), [True] * len(_tokens(goals[0]))
    for other in goals[1:]:
        kept = [False] * len(tokens)
        for block in _blocks([goals[0][slice(*span)] for span in tokens], [other[slice(*s)] for s in _tokens(other)]):
            kept[block.a : block.a + block.size] = [True] * block.size
        stays = [a and b for a, b in zip(stays, kept, strict=True)]
    spans = []
    for same, run in groupby(zip(tokens, stays, strict=True), key=lambda pair: pair[1]):
        ends = [span for span, _ in run]
        if not same:
            spans.append((ends[0][0], ends[-1][1]))
    places = [match.span() for match in _PLACE.finditer(goals[0])]  # the same by chance, as likely as not
    spans += [place for place in places if not any(start <= place[0] < end for start, end in spans)]
    spans = _whole(sorted(spans), [match.span(1) for match in _QUOTED.finditer(goals[0])])
    if amounts:
        spans = [part for span in spans for part in _counted(goals[0], span)]
    if parting:
        spans = [part for span in spans for part in _partitioned(goals[0], span)]
    return _written(goals[0], _listed(goals[0], spans, many=True) if listing else [(span, False) for span in spans])


def named(goals: Sequence[str], words: Collection[str], *, listing: bool = True) -> str:
    """Return the pattern that goals of one wording share, in the words of the first, with a slot for each thing named.

    A run of words that pages name things with is one value, and so is a number, and something quoted. One that is the
    same in all of several goals is none. What differs besides becomes a slot too.

    Args:
        goals: At least one.
        words: Those that pages name things with, in small letters.
        listing: Read values with only commas and the like between them as one list.
    """
    first = _atoms(goals[0], words)
    stays, steady = [True] * len(first), [len(set(goals)) > 1] * len(first)
    ends = [{_last(goals[0][slice(*span)])} for span, _ in first]
    for other in goals[1:]:
        theirs, kept = _atoms(other, words), set[int]()
        mine, its_own = ([symbol for _, symbol in atoms] for atoms in (first, theirs))
        for block in SequenceMatcher(None, mine, its_own, autojunk=False).get_matching_blocks():
            for at, its in zip(range(block.a, block.a + block.size), theirs[block.b :], strict=False):
                kept.add(at)
                steady[at] &= goals[0][slice(*first[at][0])].casefold() == other[slice(*its[0])].casefold()
                ends[at].add(_last(other[slice(*its[0])]))
        stays = [stay and at in kept for at, stay in enumerate(stays)]
    spans, before = list[Span](), -1
    for at, (span, symbol) in enumerate(first):
        if stays[at] and (symbol != _VALUE or steady[at]):
            continue
        beside = before == at - 1 >= 0
        if (
            beside
            and (stays[at] or stays[before])
            and (end := _without_last(goals[0], spans[-1]))
            and len(ends[before]) == 1
        ):
            spans[-1] = end  # what all of these values end with keeps them apart from what comes next
            spans.append(span)
        elif beside:
            spans[-1] = spans[-1][0], span[1]
        else:
            spans.append(span)
        before = at
    return _written(goals[0], _listed(goals[0], spans, many=True) if listing else [(span, False) for span in spans])


def _last(text: str) -> str:
    return text.casefold().split()[-1]


def _without_last(goal: str, span: Span) -> Span | None:
    """Return the span without its last word, if it has several."""
    found = re.search(r"\s+\S+$", goal[slice(*span)])
    return (span[0], span[0] + found.start()) if found else None


def _atoms(goal: str, words: Collection[str]) -> list[tuple[Span, str]]:
    """Return where the words, marks and values of a goal stand, with what they are compared by."""
    quoted = [match.span(1) for match in _QUOTED.finditer(goal)]
    found: list[tuple[Span, str]] = []
    for span in _tokens(goal):
        text, within = goal[slice(*span)].casefold(), next((q for q in quoted if q[0] <= span[0] < q[1]), None)
        value = within is not None or text in words or any(sign.isdigit() for sign in text)
        goes_on = (
            found
            and found[-1][1] == _VALUE
            and (found[-1][0][1] > span[0] or goal[found[-1][0][1] : span[0]].isspace())
        )
        if value and goes_on:
            found[-1] = (found[-1][0][0], max(found[-1][0][1], span[1])), _VALUE
        elif value:
            found.append((within or span, _VALUE))
        else:
            found.append((span, "the" if text in _ARTICLES else text))
    return found


def _counted(goal: str, span: Span) -> list[Span]:
    """Return where the numbers of a span stand, and the words before, between and behind them."""
    parts = re.finditer(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:\s+[^\W\d_]+)*", goal[slice(*span)])
    found = [(span[0] + part.start(), span[0] + part.end()) for part in parts]
    joined = {"and", "or"}  # what stands between two values is none
    found = [one for one in found if goal[slice(*one)].casefold() not in joined]
    return found if any(goal[start].isdigit() for start, _ in found) else [span]


def _partitioned(goal: str, span: Span) -> list[Span]:
    text = goal[slice(*span)]
    parts = [match.span() for match in re.finditer(r"[^\W_]+", text)]
    if len(parts) < 2 or not re.fullmatch(r"[^\W_]+(?:[/:.-][^\W_]+)+", text):
        return [span]
    return [(span[0] + start, span[0] + end) for start, end in parts]


def _tokens(goal: str) -> list[Span]:
    """Return where the words and marks of a goal stand."""
    return [match.span() for match in _TOKEN.finditer(goal)]


def without_articles(text: str) -> str:
    """Return a text as it is compared: whatever its case, spaces and articles are."""
    return " ".join("the" if word in _ARTICLES else word for word in text.casefold().split())


def _blocks(one: Sequence[str], other: Sequence[str]) -> list[Match]:
    first, second = (["the" if word.casefold() in _ARTICLES else word.casefold() for word in g] for g in (one, other))
    return SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()


def _whole(spans: Sequence[Span], quoted: Sequence[Span]) -> list[Span]:
    """Widen each span to the quotation that it lies in."""
    wide = [next((q for q in quoted if q[0] <= span[0] and span[1] <= q[1]), span) for span in spans]
    return list(dict.fromkeys(wide))


def kinds(goals: Sequence[str], alike: float = ALIKE) -> list[list[int]]:
    """Group goals that share at least so much of their words, by their numbers; the largest group first."""
    groups: list[list[int]] = []
    for number, goal in enumerate(goals):
        for group in groups:
            if _share(goals[group[0]], goal) >= alike:
                group.append(number)
                break
        else:
            groups.append([number])
    return sorted(groups, key=lambda group: -len(group))


def fits_all(pattern: str, goals: Collection[str]) -> bool:
    """Tell whether every goal is of this pattern."""
    return all(matched(pattern, goal) is not None for goal in goals)


def _share(one: str, other: str) -> float:
    words = [re.findall(r"\w+", shape(_RUN.sub("", goal))) for goal in (one, other)]
    same = sum(block.size for block in _blocks(*words))
    return same / max(1, min(len(words[0]), len(words[1])))


def _listed(goal: str, spans: Sequence[Span], *, many: bool = False) -> list[tuple[Span, bool]]:
    """Join spans with only a separator between them, and their quotation marks; true for those of several values."""
    joined: list[tuple[Span, bool]] = []
    for span in spans:
        if joined and _BETWEEN.fullmatch(goal[joined[-1][0][1] : span[0]].strip(_QUOTES)):
            joined[-1] = ((joined[-1][0][0], span[1]), True)
        else:
            joined.append((span, many and _several(goal[slice(*span)])))
    return [(_with_marks(goal, span), several) for span, several in joined]


def _with_marks(goal: str, span: Span) -> Span:
    """Widen a span that holds quotations, from within the first to within the last, to whole ones."""
    wide = span[0] - 1, span[1] + 1
    text = goal[max(0, wide[0]) : wide[1]]
    return wide if re.fullmatch(r'["“][^"“”]*["”].*["“][^"“”]*["”]', text) else span


def _several(text: str) -> bool:
    return len(values(text)) > 1


def _written(goal: str, spans: Sequence[tuple[Span, bool]]) -> str:
    parts, at, names = [], 0, set[str]()
    for (start, end), many in spans:
        name = _named(goal[at:start], names)
        names.add(name)
        parts += [literal(goal[at:start]), f"{{{name}{'...' if many else ''}}}"]
        at = end
    return "".join([*parts, literal(goal[at:])])


def _named(before: str, taken: Collection[str]) -> str:
    """Return a name for the value that comes next: the last telling word before it."""
    words = [word for word in re.findall(r"[a-z][a-z0-9]*", before.casefold()) if word not in _FILLERS]
    return free(words[-1] if words and (taken or len(words) > 1) else "value", taken)


def free(name: str, taken: Collection[str]) -> str:
    """Return the name, or the first of name_2, name_3 … that is not taken."""
    return name if name not in taken else next(f"{name}_{n}" for n in count(2) if f"{name}_{n}" not in taken)
