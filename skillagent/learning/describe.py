"""Describe: one step of a program from all the uses that it stands for, in the cheapest words that fit every one.

What fits only some of them, and finds nothing in the others, becomes a condition with a hole beside it; what nothing
explains is a hole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from skillagent.learning.align import Use
from skillagent.learning.explain import SLOT, cheapest, readings, shared, targets, texts
from skillagent.programs.find import find
from skillagent.programs.template import slots_of
from skillagent.schema import Ask, Check, Do, Observation, Target, Trajectory, When

ASK = 8.0  # what a hole costs: more than any description
_IN_TURN = 3.0
_LEAST = 5.0  # of several distances: less than a hole, more than what is known
_MUCH_ALIKE = 2.0  # times the least
_DOUBT = 5.0  # a name that other pages lack: a place, or a lone role, says more

Doubts = Callable[[Target], bool]  # tells whether a fixed name in a target may belong to one page alone


@dataclass(frozen=True)
class Style:
    """What to prefer where several descriptions fit; replays tell which was right.

    With `in_turn` a search takes one element after the other, whatever each is called. With `left_open` a text that the
    goal does not give is left to the model, even where it was always the same. With `from_goal` a text that holds
    values of the goal holds them because the goal does. Where a target fits that one `prefers`, no other is taken.
    """

    doubts: Doubts = lambda _: False
    in_turn: bool = False
    left_open: bool = False
    from_goal: bool = False
    prefers: Callable[[Target], bool] = lambda _: False


def described(uses: Sequence[Use], style: Style, *, following: bool = False) -> tuple[Do | Ask | When, float]:
    """Return the step that explains these uses, and what it costs to say.

    Args:
        uses: Of one verb on elements of one role.
        style: What to prefer.
        following: They are one search: `next` may describe them.
    """
    first, cost, open_ = uses[0], 0.0, list[str]()
    aims: dict[str, Target] = {}
    for name, element in first.elements.items():
        best = _aim(name, uses, style, following=following)
        aims[name] = best[0] if best else Target(role=element.role)
        cost += best[1] if best else ASK
        open_ += [] if best else [name]
    arguments: dict[str, JsonValue] = {}
    for name in first.arguments:
        said = _said([use.arguments[name] for use in uses], uses, style)
        cost += said[1] if said else ASK
        if said:
            arguments[name] = said[0]
        else:
            open_.append(name)
    do = Do(verb=first.step.action.verb, targets=aims, arguments=arguments)
    if not open_:
        return do, cost
    if open_ == ["ref"] and (some := _some(uses, style)) is not None:
        target, more = some
        known = do.model_copy(update={"targets": {**aims, "ref": target}})
        return When(check=Check(element=target), do=(known,), otherwise=(Ask(do=do),)), cost - ASK + more
    return Ask(do=do), cost


def _aim(name: str, uses: Sequence[Use], style: Style, *, following: bool) -> tuple[Target, float] | None:
    """Return the cheapest target that leads to the right element in every use, and its cost."""
    in_turn = Target(role=uses[0].elements[name].role, order="next"), _IN_TURN
    if following and style.in_turn:
        return in_turn
    choices = [
        targets(use.elements[name], use.step.observation, use.filled, taken=use.taken, following=following)
        for use in uses
    ]
    costs = {target: price + (_DOUBT if style.doubts(target) else 0.0) for target, price in shared(choices).items()}
    costs = {target: price for target, price in costs.items() if style.prefers(target)} or costs
    return cheapest(costs) or (in_turn if following else None)


def _some(uses: Sequence[Use], style: Style) -> tuple[Target, float] | None:
    """Return a target that leads to the right element in most uses and to none in the others, and what it costs."""
    choices = [targets(use.elements["ref"], use.step.observation, use.filled) for use in uses]
    costs: dict[Target, float] = {}
    for target in dict.fromkeys(target for own in choices for target in own):
        right = [own[target] for own in choices if target in own]
        others = [use for use, own in zip(uses, choices, strict=True) if target not in own]
        silent = not any(find(target, use.step.observation, use.filled) for use in others)
        if 2 * len(right) > len(uses) and len(right) > 1 and silent and not style.doubts(target):
            costs[target] = max(right) + ASK * len(others) / len(uses)
    return cheapest(costs)


def _said(
    values: Sequence[JsonValue], uses: Sequence[Use], style: Style, *, reading: bool = True
) -> tuple[JsonValue, float] | None:
    """Return what an argument is in every use, as a template or as what the page says behind one, and its cost."""
    if isinstance(values[0], list) and values[0]:
        return _said_each([value if isinstance(value, list) else [] for value in values], uses, style)
    if not isinstance(values[0], str):
        same = all(value == values[0] for value in values)
        return (values[0], 0.0) if same else _said_number(values, uses, style)
    pairs = [(str(value), use) for value, use in zip(values, uses, strict=True)]
    said = shared([texts(value, use.filled) for value, use in pairs])
    slotted = {template: price for template, price in said.items() if slots_of(template)}
    if style.left_open or (style.from_goal and slotted):
        said = slotted
    read = cheapest(
        shared([readings(value, use.step.observation, use.filled) for value, use in pairs]) if reading else {}
    )
    best = cheapest(said)
    if read is not None and (best is None or read[1] < best[1]):
        return {"behind": read[0]}, read[1]
    return best


def _said_number(values: Sequence[JsonValue], uses: Sequence[Use], style: Style) -> tuple[JsonValue, float] | None:
    """Return the slot that holds a number in every use, or else the least of distances that are much alike."""
    numbers = [float(one) for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) < len(values):
        return None
    slots = [
        {f"{{{name}}}": SLOT for name, text in use.filled.items() if isinstance(text, str) and _is_number(text, number)}
        for number, use in zip(numbers, uses, strict=True)
    ]
    sizes = [abs(one) for one in numbers]
    alike = min(sizes) > 0 and max(sizes) <= _MUCH_ALIKE * min(sizes) and min(numbers) * max(numbers) > 0
    if (best := cheapest(shared(slots))) is not None or style.left_open or not alike:
        return best
    return min(numbers, key=abs), _LEAST


def _is_number(text: str, number: float) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False


def _said_each(
    lists: Sequence[Sequence[JsonValue]], uses: Sequence[Use], style: Style
) -> tuple[JsonValue, float] | None:
    """Return what each part of a list is in every use; None where the lists are not of one length.

    No part is read off the page: a program reads whole arguments alone.
    """
    if len({len(one) for one in lists}) > 1:
        return None
    parts = [_said(values, uses, style, reading=False) for values in zip(*lists, strict=True)]
    said = [part for part in parts if part is not None]
    return ([part[0] for part in said], sum(part[1] for part in said)) if len(said) == len(parts) else None


def never_seen(others: Sequence[Trajectory], firsts: Sequence[Observation]) -> Doubts:
    """Return what doubts a fixed name that some other instance never showed: it may belong to one page alone.

    An instance that was only looked at shows its first page: it speaks of names on the `firsts` of the successes alone.
    """
    pages = [[*(step.observation for step in one.steps), one.final] for one in others if one.steps]
    looks = [one.final for one in others if not one.steps]

    def doubts(target: Target) -> bool:
        if not target.name or slots_of(target.name):
            return False
        alike = Target(role=target.role, name=target.name)

        def shows(seen: Observation | None) -> bool:
            return seen is not None and bool(find(alike, seen, {}))

        early = any(map(shows, firsts)) and not all(map(shows, looks))
        return early or any(not any(map(shows, own)) for own in pages)

    return doubts


def by_fixed_label(target: Target) -> bool:
    """Doubt whatever is known by a fixed text near or around it: that may be what one page said."""
    return any(text and not slots_of(text) for text in (target.near, target.within))


def by_part(target: Target) -> bool:
    """Prefer to know an element by what of its name the goal gives."""
    return target.has is not None


def by_amount(target: Target) -> bool:
    """Prefer the one with the least or the greatest number to the one at a place."""
    return target.order in ("least", "greatest")


def by_first(target: Target) -> bool:
    """Prefer the first of those that the goal names alike: it may be all the same which."""
    return target.order == 1 and bool(slots_of(target.name or target.has or ""))


def either(one: Doubts, other: Doubts) -> Doubts:
    """Return what doubts where one of the two does."""
    return lambda target: one(target) or other(target)
