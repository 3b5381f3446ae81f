"""Model: a linear or integer model in words that can be checked, and HiGHS to solve it.

Expressions are read with Python's own grammar and walked by hand: numbers, names, `+ - * /`, parentheses and
comparisons. Nothing is executed. Variables are real and not negative unless the model says otherwise.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from skillagent.errors import AgentFault
from skillagent.schema import Value

LARGEST = 1e15
LONGEST = 400  # characters of one expression
_NAME = r"[A-Za-z_]\w*"


class Model(Value):
    """What is to be made as large or as small as possible, and within what.

    `variables` says of each name what it counts, as in `carts: trips by cart`; where it says nothing, the variables are
    what the expressions name. `integers` names the variables that must be whole, `free` those that may be negative.
    """

    variables: tuple[str, ...] = ()
    sense: Literal["maximize", "minimize"]
    objective: str
    constraints: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()
    free: tuple[str, ...] = ()


class Solution(Value):
    """The best objective, and a choice of the variables that reaches it."""

    objective: float
    values: Mapping[str, float] = Field(default_factory=dict)

    def __str__(self) -> str:
        """Objective first, then the variables, as a reader would write them."""
        told = ", ".join(f"{name} = {value:.6g}" for name, value in self.values.items())
        return f"objective {self.objective:.10g}" + (f" at {told}" if told else "")


@dataclass(frozen=True)
class Linear:
    """A constant, and a coefficient for each variable."""

    constant: float = 0.0
    coefficients: Mapping[str, float] = field(default_factory=dict)

    def plus(self, other: Linear, times: float = 1.0) -> Linear:
        """Return this and `times` the other."""
        names = dict.fromkeys([*self.coefficients, *other.coefficients])
        sums = {n: self.coefficients.get(n, 0.0) + times * other.coefficients.get(n, 0.0) for n in names}
        return Linear(self.constant + times * other.constant, sums)

    def scaled(self, times: float) -> Linear:
        """Return `times` this."""
        return Linear(times * self.constant, {name: times * c for name, c in self.coefficients.items()})


def solve(model: Model, *, seconds: float = 10.0) -> Solution:
    """Return the optimum, by HiGHS.

    Args:
        model: What was written.
        seconds: HiGHS stops looking after these.

    Raises:
        AgentFault: An expression cannot be read or is not linear, or there is no optimum: the message says which and
            what to do about it.
    """
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    objective = linear(model.objective, "the objective")
    rows = [row for text in model.constraints for row in comparisons(text)]
    names = list(dict.fromkeys([*objective.coefficients, *(name for row in rows for name in row.coefficients)]))
    for kind, declared in (("integers", model.integers), ("free", model.free)):
        if unknown := [name for name in declared if name not in names]:
            raise AgentFault(f"{kind}: no expression names {', '.join(unknown)}; variables are {', '.join(names)}")
    told = [one.partition(":")[0].strip() for one in model.variables]
    if told and (unknown := [name for name in names if name not in told]):
        form = f"write each as `name: what it counts`, as in `{unknown[0]}: …`"
        raise AgentFault(f"variables: they do not tell {', '.join(unknown)}; they tell {', '.join(told)}; {form}")
    if unused := [name for name in told if name not in names]:
        raise AgentFault(f"variables: no expression names {', '.join(unused)}; tell only what is decided")
    if not names:
        raise AgentFault("the model has no variable: write the objective in terms of what is to be decided")
    sign = -1.0 if model.sense == "maximize" else 1.0
    table = np.array([[row.coefficients.get(name, 0.0) for name in names] for row in rows]).reshape(-1, len(names))
    found = milp(
        sign * np.array([objective.coefficients.get(name, 0.0) for name in names]),
        constraints=LinearConstraint(table, [row.low for row in rows], [row.high for row in rows]) if rows else None,
        bounds=Bounds([-np.inf if name in model.free else 0.0 for name in names], np.inf),
        integrality=[int(name in model.integers) for name in names],
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if found.status != 0:
        raise AgentFault(_NO_OPTIMUM.get(found.status, f"HiGHS found no optimum: {found.message}"))
    values = {name: float(value) + 0.0 for name, value in zip(names, found.x, strict=True)}
    return Solution(objective=sign * float(found.fun) + objective.constant, values=values)


_NO_OPTIMUM = {
    1: "HiGHS did not finish in time: write a smaller model",
    2: "infeasible: no choice of the variables satisfies all constraints together",
    3: "unbounded: the objective can grow without end; a limit that the problem states is missing",
}


@dataclass(frozen=True)
class Row:
    """One comparison: low <= coefficients · variables <= high."""

    coefficients: Mapping[str, float]
    low: float
    high: float


def linear(text: str, what: str) -> Linear:
    """Read an expression that is linear in its variables.

    Raises:
        AgentFault: It is not; the message begins with `what`.
    """
    return _finite(_walked(_parsed(text, what).body, text, what), what)


def comparisons(text: str) -> list[Row]:
    """Read a constraint, e.g. `x + 2*y <= 10` or `1 <= x <= 5`, as one row for each of its comparisons.

    Raises:
        AgentFault: It compares nothing, or not with `<=`, `>=` or `==`, or is not linear.
    """
    what, said = f"constraint {text!r}", re.sub(r"(?<![<>=!])=(?!=)", "==", text)
    body = _parsed(said, what).body
    if not isinstance(body, ast.Compare):
        raise AgentFault(f"{what} compares nothing: write left <= right, left >= right or left == right")
    sides = [_walked(side, text, what) for side in (body.left, *body.comparators)]
    rows = []
    for left, operator, right in zip(sides, body.ops, sides[1:], strict=False):
        difference = _finite(left.plus(right, -1.0), what)
        bound = -difference.constant
        match operator:
            case ast.LtE():
                rows.append(Row(difference.coefficients, -math.inf, bound))
            case ast.GtE():
                rows.append(Row(difference.coefficients, bound, math.inf))
            case ast.Eq():
                rows.append(Row(difference.coefficients, bound, bound))
            case _:
                raise AgentFault(f"{what}: only <=, >= and == can be compared with; of whole numbers, x < 5 is x <= 4")
    return rows


def _finite(found: Linear, what: str) -> Linear:
    """Return the expression, if HiGHS can count with it."""
    if not all(abs(number) < LARGEST for number in (found.constant, *found.coefficients.values())):
        raise AgentFault(f"{what} has numbers that are too large: keep below {LARGEST:g}, say by another unit")
    return found


def _parsed(text: str, what: str) -> ast.Expression:
    if len(text) > LONGEST:
        raise AgentFault(f"{what} is longer than {LONGEST} characters")
    said = text.strip().replace("≤", "<=").replace("≥", ">=").replace("−", "-").replace("·", "*")  # noqa: RUF001
    said = re.sub(rf"(?<![\w.])(\d+(?:\.\d+)?)\s*(?=(?:{_NAME}|\())(?![eE][-+]?\d)", r"\1*", said)  # 3x, 3 (x + y)
    try:
        return ast.parse(said, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise AgentFault(
            f"{what} cannot be read: {text!r}; use numbers, names of variables without spaces, + - * / and parentheses"
        ) from None


def _walked(node: ast.AST, text: str, what: str) -> Linear:
    """Return what a part of an expression stands for."""
    match node:
        case ast.Constant(value=bool() | complex() | str() | bytes() | None):
            pass
        case ast.Constant(value=int() | float() as number) if abs(number) < LARGEST:
            return Linear(float(number), {})
        case ast.Name(id=name):
            return Linear(0.0, {name: 1.0})
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return _walked(part, text, what).scaled(-1.0)
        case ast.UnaryOp(op=ast.UAdd(), operand=part):
            return _walked(part, text, what)
        case ast.BinOp(left=one, op=operator, right=two):
            return _joined(_walked(one, text, what), operator, _walked(two, text, what), text, what)
    raise AgentFault(f"{what} has what is not allowed: {text!r}; only numbers, variables, + - * / and parentheses")


def _joined(one: Linear, operator: ast.operator, two: Linear, text: str, what: str) -> Linear:
    match operator:
        case ast.Add():
            return one.plus(two)
        case ast.Sub():
            return one.plus(two, -1.0)
        case ast.Mult() if not any(one.coefficients.values()):
            return two.scaled(one.constant)
        case ast.Mult() if not any(two.coefficients.values()):
            return one.scaled(two.constant)
        case ast.Div() if not any(two.coefficients.values()) and two.constant:
            return one.scaled(1.0 / two.constant)
    raise AgentFault(f"{what} is not linear: {text!r}; a share such as x/(x + y) >= 0.4 is written x >= 0.4*(x + y)")
