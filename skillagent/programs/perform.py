"""Perform: a program step by step, as a generator that is told what each step led to.

It yields what is to be done next and is sent the outcome. It ends with None when its steps are done, or with a
surprise: what was not as the program expects it, in words. What has been done by then stands. Something may only be in
the way: with `help`, whoever runs the program is first asked to do one thing, and the step is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import JsonValue

from skillagent.programs.find import find, holds, text_behind
from skillagent.programs.template import Unfilled, fill, fill_all
from skillagent.schema import (
    Action,
    Ask,
    Check,
    Do,
    Each,
    Element,
    Expect,
    Filled,
    Node,
    Observation,
    Outcome,
    Program,
    Repeat,
    Target,
    Value,
    When,
)
from skillagent.schema.program import ORDERS

_IDLE = 10_000  # steps, loops and conditions in a row that come to nothing: nobody else can stop them


class Wanted(Value):
    """What a program leaves open: one verb, the elements that fit each of its targets, and what is settled already."""

    verb: str
    elements: Mapping[str, tuple[Element, ...]]
    arguments: Mapping[str, JsonValue]
    about: str = ""


class Blocked(Value):
    """A step that cannot be done now, and why; it is tried again after one thing of the other's choice."""

    why: str


Move = Action | Wanted | Blocked
Moves = Generator[Move, Outcome, str | None]


def perform(
    program: Program,
    filled: Filled,
    first: Observation,
    *,
    patience: Action | None = None,
    begun: bool = False,
    help: int = 0,  # noqa: A002  # what it is
) -> Moves:
    """Yield the moves of a program, from the first observation on.

    Args:
        program: What to do.
        filled: The slots' values; a list that has none is empty. Where another lacks a value, nothing is done at all.
        first: The present state.
        patience: Done once when an element or a text is not there yet, before that counts as a surprise; not before the
            first move, when nothing is on its way.
        begun: Something is on its way already: another program has just ended.
        help: How often it may be asked for, after the first move.
    """
    run = _Run(first, patience, begun=begun, help=help)
    try:
        _fill_all(program.steps, filled)
        yield from run.all(program.steps, filled)
    except _Surprise as surprise:
        return str(surprise)
    except Unfilled as missing:
        return f"nothing is known to put into {{{missing.args[0]}}}"
    return None


def lacking(program: Program, filled: Filled) -> str | None:
    """Return a slot without a value that the steps need; a branch of a `when` is not looked at: it may not be taken."""
    try:
        _fill_all(program.steps, filled)
    except Unfilled as missing:
        return str(missing.args[0])
    return None


def _fill_all(nodes: Sequence[Node], filled: Filled) -> None:
    for node in nodes:
        own: Value
        match node:
            case Each():
                if node.of is not None:
                    fill_all(node.of.model_dump(mode="json"), filled)
                for value in ("",) if node.of is not None else _listed(node, filled)[:1]:
                    _fill_all(node.do, {**filled, node.item: value})
                continue
            case Repeat():
                _fill_all(node.do, filled)
                own = node.until
            case When() | Expect():
                own = node.check
            case Ask():
                fill(node.about, filled)
                own = node.do
            case Do():
                own = node
        fill_all(own.model_dump(mode="json", exclude={"verb"}), filled)


def _listed(node: Each, filled: Filled) -> tuple[str, ...]:
    values = filled.get(node.slot, ())
    return (values,) if isinstance(values, str) else values


class _Surprise(Exception):
    pass


class _InTheWay(_Surprise):
    """It may be for something that others can clear away."""


@dataclass
class _Run:
    now: Observation
    patience: Action | None
    taken: frozenset[str] = frozenset()
    begun: bool = False
    moved: bool = False
    help: int = 0
    idle: int = 0

    def all(self, nodes: Sequence[Node], filled: Filled) -> Generator[Move, Outcome, None]:
        for node in nodes:
            self.idle += 1
            if self.idle > _IDLE:
                raise _Surprise(f"{_IDLE} steps in a row did nothing")
            match node:
                case Do():
                    yield from self.helped(partial(self.do, node, filled))
                case Ask():
                    yield from self.ask(node, filled)
                case Expect():
                    yield from self.helped(partial(self.wait_for, node.check, filled))
                case Each():
                    values = _listed(node, filled) if node.of is None else self.names(node.of, filled)
                    for value in values:
                        yield from self.all(node.do, {**filled, node.item: value})
                case Repeat():
                    yield from self.repeat(node, filled)
                case When():
                    met = holds(node.check, self.now, filled, self.taken)
                    yield from self.all(node.do if met else node.otherwise, filled)

    def helped(self, step: Callable[[], Generator[Move, Outcome, None]]) -> Generator[Move, Outcome, None]:
        """Do a step; where something may be in its way, let the other do one thing and try again, within limits."""
        patience = self.patience
        while True:
            try:
                yield from step()
                break
            except _InTheWay as surprise:
                before, changed = self.now.text, False
                while self.moved and self.help > 0 and not changed:
                    self.help, self.patience = self.help - 1, None  # it was waited for already
                    self.now = (yield Blocked(why=str(surprise))).observation
                    changed = self.now.text != before
                if not changed:  # it would only be in the way again
                    raise
        self.patience = patience

    def do(self, node: Do, filled: Filled) -> Generator[Move, Outcome, None]:
        refs = {}
        for name, target in node.targets.items():
            found = yield from self.elements(target, filled)
            if len(found) > 1:
                raise _Surprise(f"{len(found)} elements fit {told(target, filled)}")
            refs[name] = found[0].ref
        arguments = self.arguments(node, filled)
        self.moved = True
        yield from self.move(Action(verb=node.verb, arguments={**refs, **arguments}))
        self.taken |= set(refs.values())

    def ask(self, node: Ask, filled: Filled) -> Generator[Move, Outcome, None]:
        fits = {}
        for name, target in node.do.targets.items():
            fits[name] = yield from self.elements(target, filled)
        arguments, about = self.arguments(node.do, filled), fill(node.about, filled)
        self.moved = True
        yield from self.move(Wanted(verb=node.do.verb, elements=fits, arguments=arguments, about=about))

    def arguments(self, node: Do, filled: Filled) -> dict[str, JsonValue]:
        made = {name: fill_all(value, filled) for name, value in node.arguments.items()}
        for name, value in made.items():
            if isinstance(value, dict):
                made[name] = text_behind(self.now, str(value["behind"]))
                if made[name] is None:
                    raise _Surprise(f"nothing is said behind {value['behind']!r}")
        return made

    def repeat(self, node: Repeat, filled: Filled) -> Generator[Move, Outcome, None]:
        before, self.taken = self.taken, frozenset()
        for _ in range(node.most):
            if holds(node.until, self.now, filled):
                break
            yield from self.all(node.do, filled)
        else:
            if not holds(node.until, self.now, filled):
                raise _Surprise(f"{node.most} times were not enough")
        self.taken = before

    def names(self, target: Target, filled: Filled) -> tuple[str, ...]:
        """Return the names of the elements that fit now, each once."""
        return tuple(dict.fromkeys(element.name for element in find(target, self.now, filled, self.taken)))

    def elements(self, target: Target, filled: Filled) -> Generator[Move, Outcome, tuple[Element, ...]]:
        """Return the elements that fit, at least one; waits once for the first."""
        found = find(target, self.now, filled, self.taken)
        if not found and self.patience is not None and self.begun:
            yield from self.move(self.patience)
            found = find(target, self.now, filled, self.taken)
        if not found:
            raise _InTheWay(f"there is no {told(target, filled)}")
        return found

    def wait_for(self, check: Check, filled: Filled) -> Generator[Move, Outcome, None]:
        if not holds(check, self.now, filled) and self.patience is not None and self.begun:
            yield from self.move(self.patience)
        if not holds(check, self.now, filled):
            text = check.given if check.given is not None else fill(check.shows or "", filled)
            what = told(check.element, filled) if check.element else repr(text)
            raise _InTheWay(f"{what} {'is still' if check.gone else 'is not'} there")

    def move(self, move: Move) -> Generator[Move, Outcome, None]:
        outcome, self.idle = (yield move), 0
        if outcome.error is not None:
            self.now = outcome.observation
            raise _InTheWay(outcome.error)
        self.now, self.begun = outcome.observation, True


def told(target: Target, filled: Filled) -> str:
    """Return a target in words, for a person or a model to read."""
    words = [target.role or "element"]
    if target.name is not None:
        words.append(f'"{fill(target.name, filled)}"')
    for word in ("has", "like", "near", "within", "state", "after"):
        if (template := getattr(target, word)) is not None:
            words.append(f'{word} "{fill(template, filled)}"')
    if target.order is not None:
        order = fill(target.order, filled) if isinstance(target.order, str) else target.order
        words.append(f"({order})" if order in ORDERS else f"(number {order})")
    return " ".join(words)
