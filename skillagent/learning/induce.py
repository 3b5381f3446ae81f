"""Induce: from successes at tasks of one kind to the programs that would have done the same.

Goals are anti-unified into a pattern with slots, the actions of all successes are aligned, and each is given the
cheapest description that leads to the right element in every one of them. A run over the values of a list becomes
`each`, a run that looks for something becomes `repeat`, a step that only some needed becomes `when`, and what nothing
explains is left to the model as `ask`. Nothing is tried here: several programs are proposed, the gate chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from skillagent.learning.explain import cheapest, readings, shared, targets, texts
from skillagent.learning.patterns import common, fits_all, guessed, kinds
from skillagent.learning.trace import useful_steps
from skillagent.programs.find import find, plain
from skillagent.programs.perform import perform
from skillagent.programs.template import filled_by, literal, matched, slots_of, slots_of_pattern
from skillagent.schema import (
    Ask,
    Check,
    Do,
    Each,
    Element,
    Filled,
    Node,
    Observation,
    Program,
    Repeat,
    Step,
    Target,
    Trajectory,
    Value,
    When,
)

ASK = 8.0  # what a hole costs: more than any description
_UNUSED = 0.5  # a slot that no step reads
_DROPPED = 4.0  # a step of a success that is left out
_IN_TURN = 4.5
_DOUBT = 5.0  # a name that other pages lack: a place, or a lone role, says more
_STEADY = 1.0  # a slot that holds the same in every goal
ITEM = "item"

_Doubts = Callable[[Target], bool]  # tells whether a fixed name in a target may belong to one page alone


class Induced(Value):
    """A program, how many successes it explains, on how many failures it could begin, and what it costs to say."""

    program: Program
    explains: int
    begins: int
    cost: float


def induce(successes: Sequence[Trajectory], others: Sequence[Trajectory] = (), *, most: int = 3) -> list[Induced]:
    """Return the programs that explain most successes and would begin on most other pages, the simplest first.

    Args:
        successes: Of tasks of one kind; none of them need be without detours.
        others: Failures at the same tasks: their goals and pages tell what varies.
        most: So many at most.
    """
    shown = [_Shown(one.goal, useful_steps(one)) for one in successes]
    shown = [one for one in shown if one.steps]
    found: dict[str, Induced] = {}
    for group in kinds([one.goal for one in shown]):
        own = [shown[number] for number in group]
        near = [one for one in others if kinds([own[0].goal, one.goal]) == [[0, 1]]]
        for pattern in _patterns(own, [one.goal for one in near]):
            for doubts in (_never_seen(near), lambda _: False):
                made = _fitted(pattern, own, doubts)
                if made is not None:
                    begins = sum(_begins(made.program, one) for one in others)
                    found.setdefault(made.program.digest, made.model_copy(update={"begins": begins}))
    return sorted(found.values(), key=lambda one: (-one.explains, -one.begins, one.cost))[:most]


def _begins(program: Program, other: Trajectory) -> bool:
    """Tell whether a program finds what it begins with where another episode began."""
    filled = filled_by(program.goals, other.goal)
    if filled is None or not other.steps:
        return False
    try:
        next(perform(program, filled, other.steps[0].observation))
    except StopIteration:
        return False
    return True


@dataclass(frozen=True)
class _Shown:
    """A success: what was asked, and the steps that mattered."""

    goal: str
    steps: Sequence[Step]


def _patterns(shown: Sequence[_Shown], more: Sequence[str]) -> list[str]:
    """Return patterns that fit all of the goals, each once."""
    goals = list(dict.fromkeys(one.goal for one in shown))
    known = [*goals, *(goal for goal in dict.fromkeys(more) if goal not in goals)]
    proposed = []
    if len(known) > 1:
        for listing in (True, False):
            proposed += [common([first, *known], listing=listing) for first in known]
        proposed.append(common(known, listing=False, parting=True))
    proposed += [guessed(one.goal, _used(one.steps)) for one in shown]
    sound = [pattern for pattern in dict.fromkeys(proposed) if _sound(pattern)]
    return [pattern for pattern in sound if fits_all(pattern, goals)]


def _sound(pattern: str) -> bool:
    try:
        slots_of_pattern(pattern)
    except ValueError:
        return False
    return True


def _used(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the texts that the steps acted with, or on."""
    for step in steps:
        for value in step.action.arguments.values():
            element = step.observation.element(value)
            yield from (element.name, element.near) if element else (value,) if isinstance(value, str) else ()


# ── From the steps of one success to parts ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Use:
    """One action in the state in which it was done, with what the slots held."""

    step: Step
    filled: Filled
    taken: tuple[str, ...] = ()

    @property
    def elements(self) -> dict[str, Element]:
        """The elements that it names, by parameter."""
        named = {key: self.step.observation.element(value) for key, value in self.step.action.arguments.items()}
        return {key: element for key, element in named.items() if element is not None and key.endswith("ref")}

    @property
    def arguments(self) -> dict[str, JsonValue]:
        """Whatever else it was done with."""
        return {key: value for key, value in self.step.action.arguments.items() if key not in self.elements}

    @property
    def key(self) -> tuple[str, ...]:
        """What two actions must share to be one step of a program."""
        return (self.step.action.verb, *sorted(self.arguments), *sorted(one.role for one in self.elements.values()))


@dataclass(frozen=True)
class _Part:
    """One node of a program as one success shows it: one use, or those of a loop. `before` are searches before it."""

    key: tuple[str, ...]
    uses: tuple[_Use, ...]
    slot: str = ""
    before: tuple[_Use, ...] = ()
    seen: Observation | None = None

    @property
    def labels(self) -> frozenset[str]:
        """What the elements that it acts on are called."""
        return frozenset(plain(one.name or one.near) for use in self.uses for one in use.elements.values())

    @property
    def start(self) -> Observation:
        """The state in which it begins."""
        if self.before:
            return self.before[0].step.observation
        if self.uses:
            return self.uses[0].step.observation
        assert self.seen is not None
        return self.seen


def _parts(steps: Sequence[Step], filled: Filled) -> list[_Part]:
    """Return the steps with runs over a list, and runs in search of something, joined."""
    parts: list[_Part] = []
    lists = {name: list(value) for name, value in filled.items() if not isinstance(value, str)}
    at = 0
    while at < len(steps):
        if (run := _each(steps[at:], lists)) is not None:
            slot, items = run
            own = steps[at : at + len(items)]
            uses = tuple(_Use(s, {**filled, ITEM: item}) for s, item in zip(own, items, strict=True))
            parts.append(_Part(("each", slot, *uses[0].key), uses, slot=slot))
            del lists[slot]
            at += len(items)
            continue
        length = _search(steps[at:], filled)
        before, taken = [], list[str]()
        for step in steps[at : at + length]:
            use = _Use(step, filled, tuple(taken))
            before.append(use)
            taken += [element.ref for element in use.elements.values()]
        use = _Use(steps[at + length], filled)
        parts.append(_Part(use.key, (use,), before=tuple(before)))
        at += length + 1
    return parts


def _each(steps: Sequence[Step], lists: Mapping[str, Sequence[str]]) -> tuple[str, list[str]] | None:
    """Return the list whose values the next steps act on one by one, and its values in the order of the steps."""
    for slot, items in lists.items():
        own = steps[: len(items)]
        if not items or len(own) < len(items) or len({_Use(step, {}).key for step in own}) > 1:
            continue
        left, order = list(items), []
        for step in own:
            named = {plain(text) for text in _used([step])}
            item = next((one for one in left if plain(one) in named), None)
            if item is None:
                break
            left.remove(item)
            order.append(item)
        if not left:
            return slot, order
    return None


def _search(steps: Sequence[Step], filled: Filled) -> int:
    """Return how many of the next steps only look for the element of the one after them, which the goal names."""
    length = 0
    while length + 1 < len(steps) and _Use(steps[length], filled).key == _Use(steps[0], filled).key:
        if _by_goal(steps[length], filled) is not None:
            return 0
        length += 1
        wanted = _by_goal(steps[length], filled)
        if wanted is not None:
            there = [bool(find(wanted, step.observation, filled)) for step in steps[:length]]
            return 0 if any(there) else length
        if _appears(steps[:length], steps[length].observation, filled) is not None:
            return length
    return 0


def _appears(steps: Sequence[Step], after: Observation, filled: Filled) -> str | None:
    """Return the slot whose text is shown after the steps, and was not before any of them."""
    for name, value in filled.items():
        if isinstance(value, str) and after.shows(value) and not any(step.observation.shows(value) for step in steps):
            return name
    return None


def _by_goal(step: Step, filled: Filled) -> Target | None:
    """Return the target that the goal names outright."""
    element = step.target
    for name, value in filled.items():
        if element is not None and isinstance(value, str) and element.name and plain(element.name) == plain(value):
            return Target(role=element.role, name=f"{{{name}}}")
    return None


# ── From the parts of all successes to one program ───────────────────────────────────────────────────────────────────


@dataclass
class _Draft:
    """A program while it is written."""

    doubts: _Doubts
    nodes: list[Node] = field(default_factory=list)
    cost: float = 0.0


def _fitted(pattern: str, shown: Sequence[_Shown], doubts: _Doubts) -> Induced | None:
    """Return the program for goals of a pattern; None when no two of the successes have it in common."""
    goals, rows = [pattern], list[list[_Part]]()
    for one in shown:
        filled = dict(matched(pattern, one.goal) or {})
        for slot in _idle(filled, one.steps):  # "nothing": such a goal has its own pattern, and an empty list
            goals.append(pattern.replace(f"{{{slot}...}}", literal(", ".join(filled[slot]))))
            filled[slot] = ()
        rows.append(_parts(one.steps, filled))
    reference, members = _reference(rows)
    draft = _Draft(doubts)
    for column in _columns(reference, members):
        _add(draft, column)
    if not draft.nodes:
        return None
    program = Program(goals=tuple(dict.fromkeys(goals)), steps=tuple(draft.nodes))
    used = program.model_dump_json(include={"steps"})
    idle = [
        name for name, many in slots_of_pattern(pattern).items() if (f'"{name}"' if many else f"{{{name}") not in used
    ]
    same = _never_varies(pattern, [one.goal for one in shown]) if len({one.goal for one in shown}) > 1 else []
    cost = draft.cost + _UNUSED * len(idle) + _STEADY * len(same)
    return Induced(program=program, explains=len(members), begins=0, cost=cost)


def _never_varies(pattern: str, goals: Sequence[str]) -> list[str]:
    """Return the slots that hold the same in all goals."""
    held = [matched(pattern, goal) or {} for goal in goals]
    return [name for name in held[0] if all(one.get(name) == held[0][name] for one in held)]


def _idle(filled: Filled, steps: Sequence[Step]) -> list[str]:
    """Return the lists of which no value is used in any step."""
    named = {plain(text) for text in _used(steps)}
    return [
        name
        for name, value in filled.items()
        if not isinstance(value, str) and not any(plain(one) in named for one in value)
    ]


def _reference(rows: Sequence[list[_Part]]) -> tuple[list[_Part], list[list[_Part]]]:
    """Return the success that most others are a part of, the shortest such, and those others, itself among them."""
    best: tuple[list[_Part], list[list[_Part]]] = ([], [])
    for row in sorted(rows, key=len):
        members = [other for other in rows if _places(other, row) is not None]
        if len(members) > len(best[1]):
            best = (row, members)
    return best


def _places(row: Sequence[_Part], reference: Sequence[_Part]) -> list[int] | None:
    """Return where each part stands in the reference, by what is done and, where there is a choice, on what.

    None unless all of them stand there in this order.
    """
    found: dict[tuple[int, int], tuple[int, list[int]] | None] = {}

    def placed(at: int, start: int) -> tuple[int, list[int]] | None:
        if at == len(row):
            return 0, []
        if (at, start) not in found:
            tries = []
            for place in range(start, len(reference)):
                if reference[place].key == row[at].key and (rest := placed(at + 1, place + 1)) is not None:
                    alike = bool(reference[place].labels & row[at].labels)
                    tries.append((alike + rest[0], [place, *rest[1]]))
            found[at, start] = max(tries, key=lambda one: one[0]) if tries else None
        return found[at, start]

    whole = placed(0, 0)
    return whole[1] if whole else None


@dataclass(frozen=True)
class _Column:
    """One node: the parts of the successes that have it, and the states in which the others went on without it."""

    parts: Sequence[_Part]
    without: Sequence[tuple[Observation, Filled]]


def _columns(reference: Sequence[_Part], members: Sequence[list[_Part]]) -> Iterator[_Column]:
    aligned = [(row, _places(row, reference) or []) for row in members]
    for number, wanted in enumerate(reference):
        parts, without = [], []
        for row, places in aligned:
            if number in places:
                parts.append(row[places.index(number)])
            elif not wanted.slot:  # a list without values needs no condition
                later = [part for part, place in zip(row, places, strict=True) if place > number]
                if later:
                    without.append((later[0].start, later[0].uses[0].filled))
        yield _Column(parts, without)


def _add(draft: _Draft, column: _Column) -> None:
    """Add the node that a column stands for, with the search before it."""
    uses = [use for part in column.parts for use in part.uses]
    node, cost = _node(uses, draft.doubts)
    if column.parts[0].slot:
        draft.nodes.append(Each(slot=column.parts[0].slot, item=ITEM, do=(node,)))
        draft.cost += cost + 1
        return
    searches = [use for part in column.parts for use in part.before]
    wanted = node.targets.get("ref") if isinstance(node, Do) else None
    if searches:
        until = _until(column, wanted)
        once = until.shows is not None and all(len(part.before) == 1 for part in column.parts)
        step, more = _node(searches, draft.doubts, following=not once)
        draft.nodes.append(step if once else Repeat(do=(step,), until=until))
        draft.cost += more + (not once)
    if column.without:
        if wanted is None or any(find(wanted, seen, filled) for seen, filled in column.without):
            draft.cost += _DROPPED * len(column.parts)
            return  # others did without it in a state that looked the same: it is not needed
        draft.nodes.append(When(check=Check(element=wanted), do=(node,)))
        draft.cost += cost + 1
        return
    draft.nodes.append(node)
    draft.cost += cost


def _until(column: _Column, wanted: Target | None) -> Check:
    """Return what ends the search before a column: the element that the goal names, else a text of the goal."""
    for part in column.parts:
        if part.before and _by_goal(part.uses[0].step, part.uses[0].filled) is None:
            steps = [use.step for use in part.before]
            return Check(shows=f"{{{_appears(steps, part.uses[0].step.observation, part.uses[0].filled)}}}")
    return Check(element=wanted)


def _node(uses: Sequence[_Use], doubts: _Doubts, *, following: bool = False) -> tuple[Do | Ask, float]:
    """Return the cheapest step that explains all of these uses, and its cost."""
    first, cost, whole = uses[0], 0.0, True
    aims: dict[str, Target] = {}
    for name, element in first.elements.items():
        choices = [
            targets(use.elements[name], use.step.observation, use.filled, taken=use.taken, following=following)
            for use in uses
        ]
        costs = {target: price + (_DOUBT if doubts(target) else 0.0) for target, price in shared(choices).items()}
        best = cheapest(costs)
        if best is None and following:  # it looked in another order: in turn will do as well
            best = Target(role=element.role, order="next"), _IN_TURN
        aims[name] = best[0] if best else Target(role=element.role)
        cost, whole = cost + (best[1] if best else ASK), whole and best is not None
    arguments: dict[str, JsonValue] = {}
    for name, value in first.arguments.items():
        values = [use.arguments[name] for use in uses]
        if isinstance(value, str):
            pairs = [(str(one), use) for one, use in zip(values, uses, strict=True)]
            said = cheapest(shared([texts(one, use.filled) for one, use in pairs]))
            read = cheapest(shared([readings(one, use.step.observation, use.filled) for one, use in pairs]))
            if said is not None and (read is None or said[1] <= read[1]):
                arguments[name], cost = said[0], cost + said[1]
                continue
            if read is not None:
                arguments[name], cost = {"behind": read[0]}, cost + read[1]
                continue
        elif all(one == value for one in values):
            arguments[name] = value
            continue
        cost, whole = cost + ASK, False
    do = Do(verb=first.step.action.verb, targets=aims, arguments=arguments)
    return (do if whole else Ask(do=do)), cost


def _never_seen(others: Sequence[Trajectory]) -> _Doubts:
    """Return what doubts a fixed name that some other instance never showed: it may belong to one page alone."""
    pages = [[*(step.observation for step in one.steps), one.final] for one in others]

    def doubts(target: Target) -> bool:
        if not target.name or slots_of(target.name):
            return False
        alike = Target(role=target.role, name=target.name)
        return any(not any(find(alike, seen, {}) for seen in own if seen is not None) for own in pages)

    return doubts
