"""Catalogue: a library made searchable, and brought up to date by what has changed since it was last asked for.

One item that comes or goes costs its own words and vectors, whatever else is held: libraries of which one comes of the
other tell what changed, and others are compared item by item. Of very many, only those are looked at that may be the
best, where the vectors have an index. What a reader would get wrong: the rows of what was taken out stay until they are
the most, and never come back in a result. Nothing is chosen here.
"""

from __future__ import annotations

import sys
import textwrap
from array import array
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from skillagent.errors import InvalidSkill
from skillagent.goals import shape
from skillagent.library import Library, differing
from skillagent.ports import VectorCache, Vectors, indexed
from skillagent.programs.text import program_of
from skillagent.routing.doing import kinds, marked
from skillagent.routing.fuse import RIVALS, Likeness, fuse
from skillagent.routing.lexical import Words
from skillagent.routing.patterns import Patterns
from skillagent.routing.solved import Solved
from skillagent.schema import Demonstration, Insight, Skill, Value, content_id

_SPARE = 64  # rows of what was taken out that are never worth a rebuild
_FEW = 8
_READ = 1000  # letters of English that MiniLM reads to the end: 256 tokens
_WINDOW = 800  # letters of a part of a longer text: 200 tokens
_OTHER = -1  # the code of a domain that no item has
EXACT = 50_000  # skills up to which each is looked at for every goal
_NEIGHBOURS = 200  # texts that the index is asked for, and items by words
_BEST = 1 + RIVALS  # items that are to be the best of all: what is shown, and what its chance is judged by
T = TypeVar("T", bound=Value)


class Item(NamedTuple):
    """What something is searched by: its text, the goals that it solved, where it is of use, and forms of goals.

    Its kinds of doing are those of the goals, and of what it is `told` to do in short.
    """

    text: str
    goals: tuple[str, ...] = ()
    domain: str = ""
    patterns: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


class Index(Generic[T]):
    """Items of one kind by what they are searched by. Each has a number, which no other ever gets."""

    def __init__(self, cache: VectorCache, as_item: Callable[[T], Item], exact: int = sys.maxsize) -> None:
        self.cache = cache
        self._as_item = as_item
        self._exact = exact
        self._clear()

    def _clear(self) -> None:
        self._seen: Mapping[str, T] | None = None
        self._kept: dict[str, T] = {}
        self._numbers: dict[str, int] = {}
        self._entries: list[tuple[str, T, Item]] = []  # by number, with those that were taken out
        self._words, self._patterns = Words(), Patterns()
        self._texts, self._wholes, self._goals = _Rows(), _Rows(), _Rows()
        self._solved = array("q")  # by number: how many goals it solved
        self._starts = array("q")  # by number: where these begin
        self._domains: dict[str, int] = {"": 0}
        self._codes = array("q")  # domains by number
        self._there = array("b")  # by number: 0 where it was taken out
        self._kinds = array("q")  # of doing by number, of as many as were asked for; 0: not known
        self._stretch = array("d")  # by number: how much nearer a goal may be to the whole than to each of its parts
        self._owners: dict[str, list[int]] = {}  # by text or goal that the index knows, of as many as were asked for
        self._owned = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, number: int) -> tuple[str, T]:
        """Return an item with its name or id."""
        key, one, _ = self._entries[number]
        return key, one

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def find(self, key: str) -> T:
        """Return the item of a name or id; raises KeyError where there is none."""
        return self._kept[key]

    def item(self, key: str) -> Item:
        """Return what the item of a name or id is searched by; raises KeyError where there is none."""
        return self._entries[self._numbers[key]][2]

    def hold(self, items: Mapping[str, T], renewed: Iterable[str] = ()) -> None:
        """Hold just these; `renewed` ones may be the same and yet be searched by something else than before."""
        both = (key for key in renewed if key in self._kept and key in items)
        moved = {key: items[key] for key in both if self._as_item(items[key]) != self.item(key)}
        if items is self._seen and not moved:
            return
        known = None if self._seen is None else [] if items is self._seen else differing(self._seen, items)
        there = items if known is None else [key for key in known if key in items]
        other = {key: items[key] for key in there if self._kept.get(key) is not items[key]}
        fresh = {key: one for key, one in other.items() if key not in self._kept or self._kept[key] != one} | moved
        other |= moved
        anew = len(self._entries) + len(fresh) > 2 * len(items) + _SPARE
        made = self._made(items if anew else fresh)  # what fails, fails before anything is changed
        if anew:
            self._clear()
            fresh = other = dict(items)
        changed = [key for key in fresh if key in self._kept]
        if len(self._kept) + len(fresh) - len(changed) > len(items):
            before = list(self._kept if known is None else known)
            changed += [key for key in before if key in self._kept and key not in items]
        for key in changed:
            self._remove(key)
        self._add(made)
        self._kept.update(other)
        self._seen = items

    def _remove(self, key: str) -> None:
        number = self._numbers.pop(key)
        del self._kept[key]
        self._words.remove(number, _expanded(self._entries[number][2]))
        self._patterns.remove(number)
        self._there[number] = 0

    def _made(self, fresh: Mapping[str, T]) -> list[tuple[str, T, Item, Vectors, Vectors]]:
        """Return items ready to be added: with the vectors of the parts of their texts and of the goals they solved."""
        if not fresh:
            return []
        items = [self._as_item(one) for one in fresh.values()]
        shapes = [tuple(dict.fromkeys(shape(goal) for goal in item.goals)) for item in items]
        texts = [windows(item.text) for item in items]
        rows = self.cache.vectors([one for of in (*texts, *shapes) for one in of])
        ends = np.cumsum([0, *map(len, texts), *map(len, shapes)])
        each = [rows[start:end] for start, end in pairwise(ends.tolist())]
        parts = zip(fresh.items(), items, each[: len(items)], each[len(items) :], strict=True)
        return [(key, one, item, said, own) for (key, one), item, said, own in parts]

    def _add(self, made: Iterable[tuple[str, T, Item, Vectors, Vectors]]) -> None:
        for key, one, item, said, own in made:
            text = _mean(said)
            number = self._words.add(_expanded(item))
            self._numbers[key] = number
            self._entries.append((key, one, item))
            self._patterns.add(number, item.patterns)
            self._texts.add(text[np.newaxis])
            self._wholes.add(_prototype(text, own)[np.newaxis])
            self._stretch.append(_stretch(said, own))
            self._starts.append(len(self._goals))
            self._solved.append(len(own))
            self._goals.add(own)
            self._codes.append(self._domains.setdefault(item.domain, len(self._domains)))
            self._there.append(1)

    def likeness(self, goal: str, domain: str = "", *, verbs: bool = False) -> Likeness:
        """Return how like a goal the items are that are of use in a domain; an empty domain is every one.

        With `verbs` without those that are known to do other kinds of things than the goal is known to ask for; one
        with a form that the goal has is never left out. Of very many only those that may be the best are told of.
        """
        numbers = self._of_use(domain) if not verbs else self._of_kind(self._of_use(domain), goal)
        if not numbers.size:
            return Likeness(numbers, np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool))
        words, query = self._words.shares(goal), self._query(goal)
        if len(numbers) > self._exact:
            numbers = self._promising(numbers, goal, words, query)
        return self._likeness(numbers, words, self._wholes.near(query, numbers))

    def _likeness(self, numbers: NDArray[np.intp], words: NDArray[np.float64], whole: NDArray[np.float64]) -> Likeness:
        return Likeness(numbers, words[numbers], whole, proven=np.array(self._solved)[numbers] > 0)

    def _promising(
        self, numbers: NDArray[np.intp], goal: str, words: NDArray[np.float64], query: Vectors
    ) -> NDArray[np.intp]:
        """Return those whose text or solved goals the vectors' index finds near, and all that may score as high.

        What the index does not name is no nearer than the last that it does, which bounds its score. So the best are
        the best of all, but for what the index misses; to miss less, those that share the most words are among them.
        All of them where there is no index, or it knows too few here.
        """
        for number, (_, _, item) in enumerate(self._entries[self._owned :], start=self._owned):
            for text in (*windows(item.text), *map(shape, item.goals)):
                self._owners.setdefault(content_id(text), []).append(number)
        self._owned = len(self._entries)
        texts = indexed(self.cache, query, _NEIGHBOURS) or []
        kept, use = np.zeros(len(words), dtype=bool), np.zeros(len(words), dtype=bool)
        use[numbers] = True
        kept[[number for text, _ in texts for number in self._owners.get(text, ())]] = True
        if np.count_nonzero(kept & use) < _BEST:
            return numbers
        said = numbers[words[numbers] > 0]
        if len(said) > _NEIGHBOURS:
            said = said[np.argpartition(-words[said], _NEIGHBOURS)[:_NEIGHBOURS]]
        kept[said] = True
        kept[list(self._patterns.fitting(goal))] = True
        near = np.flatnonzero(kept & use)
        scores = fuse(self._likeness(near, words, self._wholes.near(query, near)))
        farthest = max(texts[-1][1], 0.0) if len(texts) == _NEIGHBOURS else 0.0
        most = fuse(self._likeness(numbers, words, farthest * np.array(self._stretch)[numbers]))
        kept[numbers[most >= np.partition(scores, -_BEST)[-_BEST]]] = True
        return np.flatnonzero(kept & use)

    def near(self, goal: str, numbers: Iterable[int]) -> list[tuple[float, float]]:
        """Return the cosines of a goal to some items' texts, and to the nearest goals that they solved, or -1."""
        numbers = list(numbers)
        query, found = self._query(goal) if numbers else np.zeros(0, dtype=np.float32), []
        for n in numbers:
            own = range(self._starts[n], self._starts[n] + self._solved[n])
            solved = self._goals.near(query, own).max() if own else -1.0
            found.append((float(self._texts.near(query, range(n, n + 1))[0]), float(solved)))
        return found

    def _query(self, goal: str) -> Vectors:
        query: Vectors = self.cache.vectors([shape(goal)])[0]
        return query

    def fitting(self, goal: str, domain: str = "") -> dict[int, int]:
        """Return the items with a form that a goal has word for word, and how many letters of it are the form's."""
        known = (0, self._domains.get(domain, _OTHER))
        found = self._patterns.fitting(goal)
        return {number: letters for number, letters in found.items() if not domain or self._codes[number] in known}

    def _of_kind(self, numbers: NDArray[np.intp], goal: str) -> NDArray[np.intp]:
        if not (asked := marked(kinds([goal]))):
            return numbers
        for _, _, item in self._entries[len(self._kinds) :]:
            self._kinds.append(marked(kinds((*item.told, *item.goals))))
        known = np.array(self._kinds)[numbers]
        fitting = np.isin(numbers, list(self._patterns.fitting(goal)))
        kept: NDArray[np.intp] = numbers[(known == 0) | (known & asked != 0) | fitting]
        return kept

    def _of_use(self, domain: str) -> NDArray[np.intp]:
        there = np.array(self._there, dtype=bool)
        if domain:
            codes = np.array(self._codes)
            there &= (codes == 0) | (codes == self._domains.get(domain, _OTHER))
        return np.flatnonzero(there)


class Catalogue:
    """What a library's skills, insights and demonstrations are searched by.

    Args:
        cache: The vectors.
        solved: Tells what goals skills solved since they were written; None: they are searched as they stand.
        exact: Skills up to which each is looked at; of more, those that may be the best, if the vectors have an index.
    """

    def __init__(self, cache: VectorCache, solved: Solved | None = None, *, exact: int = EXACT) -> None:
        self._cache, self._solved = cache, solved
        self._without = frozenset[str]()
        self._held = 0, self._without  # how many goals had come, and which were left out, when skills were last held
        self.skills = Index[Skill](cache, self._of_skill, exact)
        self.insights = Index[Insight](cache, _of_insight)
        self.demonstrations = Index[Demonstration](cache, _of_demonstration)

    def of(self, library: Library, *, without: frozenset[str] = frozenset()) -> Catalogue:
        """Return the catalogue of just this library; that of a few items is its own, so that what is held stays.

        Args:
            library: What there is.
            without: Goals that no skill has solved since it was written, as if they were still to come.
        """
        if len(library) <= _FEW < len(self.skills):
            return Catalogue(self._cache, self._solved).of(library, without=without)
        (known, left_out), self._without = self._held, without
        renewed, told = self._solved.since(known) if self._solved else (set[str](), 0)
        if self._solved:
            renewed |= {name for goal in without ^ left_out for name in self._solved.owners(goal)}
        self.skills.hold(library.skills, renewed)
        self._held = told, without  # only now: where it fails, it is told again
        self.insights.hold(library.insights)
        self.demonstrations.hold(library.demonstrations)
        return self

    def since_written(self, skill: Skill) -> tuple[str, ...]:
        """Return the goals that a skill is found by beside those that it tells itself."""
        return tuple(one for one in self._solved.goals(skill) if one not in self._without) if self._solved else ()

    def _of_skill(self, skill: Skill) -> Item:
        try:
            program = program_of(skill)
        except InvalidSkill:
            program = None  # its words are still of use
        goals = (*skill.goals, *self.since_written(skill))
        told = (skill.name.replace("-", " "), skill.description)
        return Item(text_of(skill), goals, skill.domain, program.goals if program else (), told)


def text_of(skill: Skill) -> str:
    """Return the text that a skill is searched by, without the goals that it solved."""
    return "\n".join([skill.name.replace("-", " "), skill.description, skill.body])


def _of_insight(insight: Insight) -> Item:
    return Item(f"{insight.condition.applies} {insight.explanation} {insight.example}")


def _of_demonstration(demonstration: Demonstration) -> Item:
    return Item(demonstration.goal, (demonstration.goal,), demonstration.domain)


def _expanded(item: Item) -> str:
    return "\n".join([item.text, *item.goals])


def windows(text: str) -> list[str]:
    """Return a text in parts that an embedder reads to their ends; one that it reads to its end as it is."""
    return [text] if len(text) <= _READ else textwrap.wrap(text, _WINDOW, break_on_hyphens=False)


def _mean(rows: Vectors) -> Vectors:
    """Return the unit mean of unit rows; a lone one as it is."""
    if len(rows) == 1:
        alone: Vectors = rows[0]
        return alone
    mean = rows.mean(axis=0)
    unit: Vectors = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return unit


def _prototype(text: Vectors, solved: Vectors) -> Vectors:
    """Return the unit mean of a text and the mean of solved goals; of the text alone where nothing was solved."""
    if not len(solved):
        return text
    mean = solved.mean(axis=0)
    both = text + mean / max(float(np.linalg.norm(mean)), 1e-9)
    whole: Vectors = both / max(float(np.linalg.norm(both)), 1e-9)
    return whole


def _stretch(said: Vectors, solved: Vectors) -> float:
    """Return how many times as near as the nearest of all these rows a goal can be to the prototype of them."""
    by_text = 1 / max(float(np.linalg.norm(said.mean(axis=0))), 1e-9)
    if not len(solved):
        return by_text
    by_goals = 1 / max(float(np.linalg.norm(solved.mean(axis=0))), 1e-9)
    both = _mean(said) + by_goals * solved.mean(axis=0)
    return (by_text + by_goals) / max(float(np.linalg.norm(both)), 1e-9)


class _Rows:
    """Vectors in one growing array."""

    def __init__(self) -> None:
        self._rows: Vectors | None = None
        self._count = 0

    def add(self, rows: Vectors) -> None:
        if not len(rows):
            return
        if self._rows is None:
            self._rows = np.zeros((256, rows.shape[1]), dtype=np.float32)
        while self._count + len(rows) > len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._count : self._count + len(rows)] = rows
        self._count += len(rows)

    def __len__(self) -> int:
        return self._count

    def near(self, query: Vectors, of: range | NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the cosines of some rows to a unit row: of a range, or of numbers in any order."""
        rows = np.zeros((0, len(query)), dtype=np.float32) if self._rows is None else self._rows[: self._count]
        if isinstance(of, range):
            found = rows[of.start : of.stop] @ query
        elif 4 * len(of) < len(rows):
            found = rows[of] @ query
        else:  # to copy most rows takes longer than to look at them all
            found = (rows @ query)[of]
        return np.asarray(found, dtype=np.float64)
