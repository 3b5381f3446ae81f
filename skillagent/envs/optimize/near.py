"""Near: models a little otherwise than one that was handed in, the likeliest first: what a reader would try next.

A problem in words seldom states a number for nothing, so that a model which leaves numbers out is likely to lack a
limit, and one more limit that has them is likely to be it. Nothing is solved here, and no answer is known: who tries
the models finds out.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, islice, permutations, product
from typing import NamedTuple

from skillagent.envs.optimize.model import Model, comparisons, linear
from skillagent.errors import AgentFault

_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")
_ONES = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS: Mapping[str, str] = {  # one is as often no number
    **{word: str(number) for number, word in enumerate(_ONES, 2)},
    **{word: str(10 * number) for number, word in enumerate(_TENS, 2)},
    **{"half": "0.5", "twice": "2", "double": "2", "hundred": "100"},
}
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_OPERATOR = re.compile(r"<=|>=|==?")
_LIMIT = re.compile(r"(?:<=|>=|==?)\s*\d[\d.]*$")
_NAME = re.compile(r"\b[A-Za-z_]\w*")
_OTHER: Mapping[str, tuple[str, ...]] = {"<=": (">=", "=="), ">=": ("<=", "=="), "==": ("<=", ">="), "=": ("<=", ">=")}
_UNUSED = 0.6  # a number of the problem that the model does not have
_CHANGED, _BOLD = 1.0, 1.6  # to change a thing; to change it to what the model says elsewhere already
_SIMPLE, _WHOLE = 0.8, 0.5  # a limit of one thing, or of all together; which things are whole
_CHANGES = 3
_LOOKED, _KEPT = 30_000, 250  # of the models that one leads to: looked at, and tried
_STRIDES = 6  # numbers from one that belongs to a variable to the one that belongs to the next


class _Way(NamedTuple):
    """A model without what it says of its variables; that follows from what its expressions name."""

    sense: str
    objective: str
    constraints: tuple[str, ...]
    integers: frozenset[str]

    @property
    def names(self) -> list[str]:
        """What the objective and the constraints name, each once."""
        found = (_named(text) or () for text in (self.objective, *self.constraints))
        return list(dict.fromkeys(chain.from_iterable(found)))

    @property
    def key(self) -> tuple[object, ...]:
        """The same for models that only state their constraints in another order."""
        return self.sense, self.objective, tuple(sorted(self.constraints)), self.integers


@lru_cache(maxsize=50_000)
def _named(text: str) -> tuple[str, ...] | None:
    """Return what an expression or a constraint names; None where it cannot be read."""
    try:
        if _OPERATOR.search(text) is None:
            return tuple(linear(text, "").coefficients)
        return tuple(dict.fromkeys(name for row in comparisons(text) for name in row.coefficients))
    except AgentFault:
        return None


def near(text: str, model: Model) -> Iterator[Model]:
    """Yield models, each once, at most `_CHANGES` changes away; the first is the model itself, mended.

    Mended is what cannot be read: such constraints are left out, and names are declared where they are used. A model
    whose objective cannot be read has none near it.

    Args:
        text: The problem in words.
        model: What was handed in.
    """
    stated = (one.replace("≤", "<=").replace("≥", ">=") for one in model.constraints)
    read = tuple(one for one in stated if _OPERATOR.search(one) and _named(one))
    first = _Way(model.sense, model.objective, read, frozenset(model.integers))
    if not _named(model.objective) or _OPERATOR.search(model.objective):
        return
    numbers = _numbers(text)
    waiting: list[tuple[float, int, int, float, _Way]] = [(0.0, 0, 0, 0.0, first)]
    seen, order = {first.key}, 0
    while waiting:
        _, _, changes, spent, one = heapq.heappop(waiting)
        yield _declared(model, one)
        if changes == _CHANGES:
            continue
        found: list[tuple[float, int, int, float, _Way]] = []
        for cost, other in islice(_changed(one, numbers, text), _LOOKED):
            if (key := other.key) not in seen:
                seen.add(key)
                order += 1
                found.append((spent + cost + _missing(other, numbers), order, changes + 1, spent + cost, other))
        for child in heapq.nsmallest(_KEPT, found):
            heapq.heappush(waiting, child)


def _declared(model: Model, way: _Way) -> Model:
    told, names = {one.partition(":")[0].strip(): one for one in model.variables}, way.names
    return Model.model_validate(
        {
            "variables": tuple(told.get(name, f"{name}: {name}") for name in names),
            "sense": way.sense,
            "objective": way.objective,
            "constraints": way.constraints,
            "integers": tuple(name for name in names if name in way.integers),
            "free": tuple(name for name in model.free if name in names),
        }
    )


@dataclass(frozen=True)
class _Number:
    """A number of the problem as the text has it, and whether it stands for hundredths."""

    text: str
    percent: bool = False

    @property
    def value(self) -> float:
        return float(self.text)


def _numbers(text: str) -> list[_Number]:
    """Return the numbers of a text in their order, those in words too."""
    said = _WORD.sub(lambda found: _WORDS[found[0].lower()], text)
    return [_Number(one[0].replace(",", ""), said[one.end() : one.end() + 1] == "%") for one in _NUMBER.finditer(said)]


@lru_cache(maxsize=20_000)
def _said(text: str) -> frozenset[float]:
    return frozenset(float(one[0].replace(",", "")) for one in _NUMBER.finditer(text))


def _lacking(way: _Way, numbers: Iterable[_Number]) -> set[float]:
    said = frozenset[float]().union(*map(_said, (way.objective, *way.constraints)))
    return {one.value for one in numbers if one.value not in said and not (one.percent and one.value / 100 in said)}


def _missing(way: _Way, numbers: Sequence[_Number]) -> float:
    return _UNUSED * len(_lacking(way, numbers))


def _changed(way: _Way, numbers: Sequence[_Number], text: str) -> Iterator[tuple[float, _Way]]:
    """Yield what one change makes of a model, with what the change costs."""
    names, lacking = way.names, _lacking(way, numbers)
    yield _CHANGED, way._replace(sense="minimize" if way.sense == "maximize" else "maximize")
    for whole in (frozenset[str](), frozenset(names)):
        if whole != way.integers & frozenset(names):
            yield _WHOLE, way._replace(integers=whole)
    for place, constraint in enumerate(way.constraints):
        for cost, others in _otherwise(constraint, names, numbers, lacking):
            constraints = (*way.constraints[:place], *others, *way.constraints[place + 1 :])
            yield cost, way._replace(constraints=constraints)
    for cost, said in _renumbered(way.objective, numbers, lacking):
        yield cost, way._replace(objective=said)
    limited = list(dict.fromkeys(name for one in way.constraints for name in _named(one) or ()))
    for decided in [limited, names] if limited != names else [names]:
        for said in _sums(decided, numbers) if decided else ():
            yield _BOLD, way._replace(objective=said)
    for cost, limits in _limits(names, numbers, lacking, text):
        yield cost, way._replace(constraints=(*way.constraints, *limits))


def _otherwise(
    constraint: str, names: Sequence[str], numbers: Sequence[_Number], lacking: set[float]
) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Yield what may stand for a constraint: nothing, the other way round, with something exchanged or left of it."""
    yield _CHANGED, ()
    if len(found := _OPERATOR.findall(constraint)) == 1:
        for operator in _OTHER[found[0]]:
            yield _CHANGED, (constraint.replace(found[0], operator),)
    for one, two in combinations(_named(constraint) or (), 2):  # twice as many bars as gels, or gels as bars
        other = {one: two, two: one}
        yield _CHANGED, (_NAME.sub(lambda found: other.get(found[0], found[0]), constraint),)  # noqa: B023
    if (limit := _LIMIT.search(constraint)) is not None:
        yield from ((_CHANGED, (f"{said} {limit[0]}",)) for said in _sums(names, numbers) if _said(said) & lacking)
    for cost, said in _renumbered(constraint, numbers, lacking):
        yield cost, (said,)


def _renumbered(said: str, numbers: Sequence[_Number], lacking: set[float]) -> Iterator[tuple[float, str]]:
    """Yield an expression with another number of the problem for one of its own, or added to it: costs add up."""
    for found in _NUMBER.finditer(said):
        before, own, after = said[: found.start()], found[0], said[found.end() :]
        for one in dict.fromkeys(numbers):
            if one.value != float(own.replace(",", "")):
                cost = _CHANGED if one.value in lacking else _BOLD
                yield cost, f"{before}{_share(one)}{after}"
                if one.value in lacking and not one.percent:
                    yield cost, f"{before}({own} + {one.text}){after}"


def _share(one: _Number) -> str:
    return f"{one.text}/100" if one.percent else one.text


def _limits(
    names: Sequence[str], numbers: Sequence[_Number], lacking: set[float], text: str
) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Yield limits that the problem may state, with what it costs to think so."""
    together = " + ".join(names)
    if re.search(r"\b(?:once|not at all|either|whether)\b", text):
        yield _SIMPLE, tuple(f"{name} <= 1" for name in names)
    for one in dict.fromkeys(numbers):
        new = 0.0 if one.value in lacking else _BOLD - _CHANGED
        for operator in ("<=", ">="):
            for name in names:
                yield _SIMPLE + new, (f"{name} {operator} {one.text}",)
                if one.percent and len(names) > 1:
                    yield _SIMPLE + new, (f"{name} {operator} {one.text}/100*({together})",)
                for second in names if not one.percent else ():
                    if second != name:
                        yield _CHANGED + new, (f"{name} {operator} {one.text}*{second}",)
            if len(names) > 1:
                yield _SIMPLE + new, (f"{together} {operator} {one.text}",)
    for each, all_ in permutations([one for one in dict.fromkeys(numbers) if one.value in lacking], 2):
        for name, operator in product(names, ("<=", ">=")):
            yield _CHANGED, (f"{each.text}*{name} {operator} {all_.text}",)
    for first, second in permutations(names, 2):
        yield _BOLD, (f"{first} <= {second}",)
    for said in _sums(names, numbers) if len(names) > 1 else ():
        used = _said(said)
        for one in dict.fromkeys(numbers):
            new = len((used | {one.value}) & lacking)
            for operator in ("<=", ">=") if new and one.value not in used else ():
                yield _CHANGED + 0.3 * (len(names) + 1 - new), (f"{said} {operator} {one.text}",)


def _sums(names: Sequence[str], numbers: Sequence[_Number]) -> Iterator[str]:
    """Yield sums in which each variable has a number, as far from the last one's in the text as that from its last.

    One of three variables or more may have none: a box of six, a tray of thirty, and a single one.
    """
    for bare in [None, *names] if len(names) > 2 else [None]:
        counted = [name for name in names if name != bare]
        for stride in range(1, _STRIDES + 1):
            for start in range(len(numbers) - stride * (len(counted) - 1)):
                some = numbers[start : start + stride * (len(counted) - 1) + 1 : stride]
                said = {name: f"{_share(one)}*{name}" for one, name in zip(some, counted, strict=True)}
                yield " + ".join(said.get(name, name) for name in names)
