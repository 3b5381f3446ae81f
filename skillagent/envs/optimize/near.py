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
from functools import lru_cache, partial
from itertools import permutations, product

from skillagent.envs.optimize.model import Model, comparisons, linear
from skillagent.errors import AgentFault

_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")
_OPERATOR = re.compile(r"<=|>=|==")
_OTHER: Mapping[str, tuple[str, ...]] = {"<=": (">=", "=="), ">=": ("<=", "=="), "==": ("<=", ">=")}
_UNUSED = 0.6  # a number of the problem that the model does not have
_CHANGED, _BOLD = 1.0, 1.6  # to change a thing; to change it to what the model says elsewhere already
_SIMPLE, _WHOLE = 0.8, 0.5  # a limit of one thing, or of all together; which things are whole
_CHANGES = 3
_KEPT = 250  # of the models that one leads to
_STRIDES = 6  # numbers from one that belongs to a variable to the one that belongs to the next


def near(text: str, model: Model) -> Iterator[Model]:
    """Yield models, each once, at most `_CHANGES` changes away; the first is the model itself, mended.

    Mended is what cannot be read: such constraints are left out, and names are declared where they are used. A model
    whose objective cannot be read has none near it.

    Args:
        text: The problem in words.
        model: What was handed in.
    """
    first = _mended(model)
    if first is None:
        return
    numbers = _numbers(text)
    waiting: list[tuple[float, int, int, float, Model]] = [(0.0, 0, 0, 0.0, first)]
    seen, order = {_key(first)}, 0
    while waiting:
        _, _, changes, spent, one = heapq.heappop(waiting)
        yield one
        if changes == _CHANGES:
            continue
        found: list[tuple[float, int, int, float, Model]] = []
        for cost, other in _changed(one, numbers, text):
            if (key := _key(other)) not in seen:
                seen.add(key)
                order += 1
                found.append((spent + cost + _missing(other, numbers), order, changes + 1, spent + cost, other))
        for child in heapq.nsmallest(_KEPT, found):
            heapq.heappush(waiting, child)


def _mended(model: Model) -> Model | None:
    try:
        names = dict.fromkeys(linear(model.objective, "").coefficients)
    except AgentFault:
        return None
    constraints = []
    for text in model.constraints:
        try:
            rows = comparisons(text)
        except AgentFault:
            continue
        if any(row.coefficients for row in rows):
            constraints.append(text)
            names |= dict.fromkeys(name for row in rows for name in row.coefficients)
    return _declared(model.model_copy(update={"constraints": tuple(constraints)}), list(names)) if names else None


def _declared(model: Model, names: Sequence[str]) -> Model:
    told = {one.partition(":")[0].strip(): one for one in model.variables}
    return model.model_copy(
        update={
            "variables": tuple(told.get(name, f"{name}: {name}") for name in names),
            "integers": tuple(name for name in model.integers if name in names),
            "free": tuple(name for name in model.free if name in names),
        }
    )


def _key(model: Model) -> tuple[object, ...]:
    return model.sense, model.objective, tuple(sorted(model.constraints)), tuple(sorted(model.integers))


@dataclass(frozen=True)
class _Number:
    """A number of the problem as the text has it, and whether it stands for hundredths."""

    text: str
    percent: bool = False

    @property
    def value(self) -> float:
        return float(self.text)


def _numbers(text: str) -> list[_Number]:
    """Return the numbers of a text in their order."""
    return [_Number(one[0].replace(",", ""), text[one.end() : one.end() + 1] == "%") for one in _NUMBER.finditer(text)]


@lru_cache(maxsize=20_000)
def _said(text: str) -> frozenset[float]:
    return frozenset(float(one[0].replace(",", "")) for one in _NUMBER.finditer(text))


def _stated(model: Model) -> frozenset[float]:
    return frozenset[float]().union(*map(_said, (model.objective, *model.constraints)))


def _lacking(model: Model, numbers: Iterable[_Number]) -> set[float]:
    said = _stated(model)
    return {one.value for one in numbers if one.value not in said and not (one.percent and one.value / 100 in said)}


def _missing(model: Model, numbers: Sequence[_Number]) -> float:
    return _UNUSED * len(_lacking(model, numbers))


def _changed(model: Model, numbers: Sequence[_Number], text: str) -> Iterator[tuple[float, Model]]:
    """Yield what one change makes of a model, with what the change costs."""
    names = [one.partition(":")[0].strip() for one in model.variables]
    lacking = _lacking(model, numbers)
    other = "minimize" if model.sense == "maximize" else "maximize"
    yield _CHANGED, model.model_copy(update={"sense": other})
    for whole in ((), tuple(names)):
        if set(whole) != set(model.integers):
            yield _WHOLE, model.model_copy(update={"integers": whole})
    for place, constraint in enumerate(model.constraints):
        replaced = partial(_with_constraint, model, place)
        yield _CHANGED, replaced(None)
        if len(found := _OPERATOR.findall(constraint)) == 1:
            for operator in _OTHER[found[0]]:
                yield _CHANGED, replaced(constraint.replace(found[0], operator))
        for cost, said in _renumbered(constraint, numbers, lacking):
            yield cost, replaced(said)
    for cost, said in _renumbered(model.objective, numbers, lacking):
        yield cost, model.model_copy(update={"objective": said})
    for said in _sums(names, numbers):
        yield _BOLD, model.model_copy(update={"objective": said})
    for cost, limits in _limits(names, numbers, lacking, text):
        yield cost, model.model_copy(update={"constraints": (*model.constraints, *limits)})


def _with_constraint(model: Model, place: int, said: str | None) -> Model:
    """Return the model with another constraint there, or none; what nothing names any more is not declared."""
    constraints = [*model.constraints[:place], *([said] if said else []), *model.constraints[place + 1 :]]
    changed = _mended(model.model_copy(update={"constraints": tuple(constraints)}))
    return changed or model


def _renumbered(said: str, numbers: Sequence[_Number], lacking: set[float]) -> Iterator[tuple[float, str]]:
    """Yield an expression with one of its numbers replaced by another of the problem."""
    for found in _NUMBER.finditer(said):
        for one in dict.fromkeys(numbers):
            if one.value != float(found[0].replace(",", "")):
                cost = _CHANGED if one.value in lacking else _BOLD
                yield cost, f"{said[: found.start()]}{_share(one)}{said[found.end() :]}"


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
    """Yield sums in which each variable has a number, as far from the last one's in the text as that from its last."""
    for stride in range(1, _STRIDES + 1):
        for start in range(len(numbers) - stride * (len(names) - 1)):
            some = numbers[start : start + stride * (len(names) - 1) + 1 : stride]
            yield " + ".join(f"{_share(one)}*{name}" for one, name in zip(some, names, strict=True))
