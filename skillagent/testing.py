"""Testing: scripted parts for every port, and a conformance check for every kind of implementation.

Public: authors of environments, stores and models run the same checks that this package runs on its own
(`check_environment`, `check_store`, `check_llm`). The checks raise AssertionError with a sentence that says what is
wrong; they need no test framework.

The scripted parts are for tests only. They are deterministic and hold everything in memory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

import numpy as np

from skillagent.errors import LLMUnavailable, StaleEdit
from skillagent.library import Library
from skillagent.ports import LLM, Environment, Store, Vectors, holds
from skillagent.schema import (
    Action,
    Attempted,
    Change,
    Decided,
    Decision,
    Edit,
    Element,
    Entry,
    Event,
    Json,
    Message,
    Observation,
    Outcome,
    PutSkill,
    Reply,
    RetireSkill,
    Role,
    RolledBack,
    Skill,
    Task,
    Usage,
    Verb,
)

Oracle = Callable[[Observation], Generator[Action, Outcome, None]]


# ── Scripted parts ───────────────────────────────────────────────────────────────────────────────────────────────────


class ScriptedLLM:
    """Answers from a script: a sequence of replies in order, or a function of the messages.

    A reply is a string, or an object where a schema was asked for. `asked` keeps what it was asked.
    """

    name = "scripted"

    def __init__(self, script: Iterable[str | Json] | Callable[[Sequence[Message], Role], str | Json]) -> None:
        self._script = script if callable(script) else iter(script)
        self.asked: list[tuple[Role, tuple[Message, ...]]] = []

    def reply(
        self,
        messages: Sequence[Message],
        *,
        role: Role,
        schema: Json | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        max_tokens: int = 512,
    ) -> Reply:
        """Return the next reply of the script; tokens are counted as words."""
        self.asked.append((role, tuple(messages)))
        if callable(self._script):
            answer = self._script(messages, role)
        elif (following := next(self._script, None)) is None:
            raise LLMUnavailable("the script has no further reply")
        else:
            answer = following
        words = sum(len(message.content.split()) for message in messages)
        data = answer if isinstance(answer, dict) else None
        return Reply(text=str(answer), data=data, usage=Usage(calls=1, tokens_in=words, tokens_out=1))


class HashEmbedder:
    """Bag-of-words vectors by hashing: texts that share words are near each other."""

    name = "hash-64"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, shape (len(texts), 64); an empty text gets the first axis."""
        rows = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[hashlib.sha256(word.encode()).digest()[0] % 64] += 1
            if not row.any():
                row[0] = 1
            row /= np.linalg.norm(row)
        return rows

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the same rows: the embedder is its own cache."""
        return self.embed(texts)


class MemoryStore:
    """A store that forgets when it is dropped."""

    def __init__(self, library: Library | None = None) -> None:
        self._library = library or Library()
        self._events: list[Event] = []

    def load(self) -> Library:
        """Return the present library."""
        return self._library

    def commit(self, entry: Entry) -> Library:
        """Apply what was accepted, and remember the event."""
        match entry:
            case Decided(decision=Decision(accepted=True, edit=edit)):
                changes = edit.changes
            case RolledBack(changes=undone):
                changes = undone
            case _:
                changes = ()
        library, replaced = self._library, list[Change]()
        for change in changes:
            after = library.with_change(change)
            replaced.append(library.inverse(change))
            library = after
        if changes:
            entry = entry.model_copy(update={"replaced": tuple(replaced)})
        self._library = library
        self._events.append(
            Event(seq=len(self._events), at="2000-01-01T00:00:00Z", library=library.digest, entry=entry)
        )
        return library

    def events(self) -> Iterator[Event]:
        """Yield the events, oldest first."""
        yield from tuple(self._events)


class Corridor:
    """A tiny world: press the button that the goal names; a wrong one ends the task without a reward.

    With `secret`, the right button is not the one that the goal names but the one that `secret` maps it to: something
    that only a learnt skill can know.
    """

    verbs = (
        Verb(
            name="click",
            doc="Press a button.",
            parameters={
                "type": "object",
                "properties": {"ref": {"type": "string", "format": "ref"}},
                "required": ["ref"],
                "additionalProperties": False,
            },
        ),
    )
    colours = ("red", "green", "blue", "white")

    def __init__(self, secret: Mapping[str, str] | None = None) -> None:
        self._secret = secret or {}
        self._observation: Observation | None = None
        self._over = False
        self._steps_left = 0

    def reset(self, task: Task) -> Observation:
        """Shuffle the buttons by the seed."""
        order = np.random.default_rng(task.seed).permutation(len(self.colours))
        buttons = [self.colours[i] for i in order]
        wanted = self.colours[task.seed % len(self.colours)]
        self._observation = Observation(
            goal=task.goal or f'press the "{wanted}" button',
            text="\n".join(f'[{i}] button "{name}"' for i, name in enumerate(buttons)),
            elements=tuple(Element(ref=str(i), role="button", name=name) for i, name in enumerate(buttons)),
        )
        self._right = self._secret.get(wanted, wanted)
        self._over, self._steps_left = False, task.max_steps
        return self._observation

    def step(self, action: Action) -> Outcome:
        """Press; the first press of any button ends the task."""
        assert self._observation is not None, "reset first"
        if self._over:
            return Outcome(observation=self._observation, error="the task is over; reset", terminated=True)
        self._steps_left -= 1
        element = self._observation.element(action.arguments.get("ref"))
        if action.verb != "click" or element is None:
            self._over = self._steps_left <= 0
            return Outcome(observation=self._observation, error=f"cannot do {action}", truncated=self._over)
        self._over = True
        return Outcome(observation=self._observation, reward=float(element.name == self._right), terminated=True)

    def screenshot(self) -> bytes:
        """Return the PNG signature: there is nothing to see."""
        return b"\x89PNG\r\n\x1a\n"

    def close(self) -> None:
        """Nothing to let go of."""


# ── Conformance ──────────────────────────────────────────────────────────────────────────────────────────────────────


def check_environment(make: Callable[[], Environment], task: Task, oracle: Oracle | None = None) -> None:
    """Check that an environment keeps its port's promises on one task.

    Args:
        make: Makes a fresh environment; called more than once.
        task: A task of it.
        oracle: Solves the task: it is given the first observation, yields actions and is sent each outcome. With it,
            the reward must reach 1, and what happens after the end is checked too.

    Raises:
        AssertionError: A sentence that says which promise is broken.
    """
    environment = make()
    try:
        assert environment.verbs, "verbs must be readable before reset"
        for verb in environment.verbs:
            assert verb.doc, f"verb {verb.name} has no documentation"
            assert verb.parameters.get("type") == "object", (
                f"verb {verb.name}: parameters must be a schema of an object"
            )
        first = environment.reset(task)
        assert first.goal, "the first observation must state the goal"
        refs = [element.ref for element in first.elements]
        assert len(refs) == len(set(refs)), "two elements share a ref"
        again = environment.reset(task)
        assert (first.goal, first.text) == (again.goal, again.text), (
            "the same seed must give the same first observation"
        )
        assert holds(environment, "Colourless ideas sleep.") is None, (
            "of what it does not understand it must tell nothing"
        )
        for action in (Action(verb="no-such-verb"), Action(verb=environment.verbs[0].name, arguments={"nonsense": 1})):
            outcome = environment.step(action)
            assert outcome.error, f"{action} must come back as an error in words"
            assert outcome.reward in (None, 0.0), f"{action} must not be rewarded"
        if oracle is not None:
            _check_solved(environment, task, oracle)
        assert environment.screenshot().startswith(b"\x89PNG"), "a screenshot must be a PNG"
    finally:
        environment.close()
        environment.close()
    other = make()
    try:
        fresh = other.reset(task)
        assert (first.goal, first.text) == (fresh.goal, fresh.text), "a new environment must start the task alike"
    finally:
        other.close()


def solve(environment: Environment, task: Task, oracle: Oracle) -> Outcome:
    """Let the oracle act from a reset until the task ends or the oracle does, and return the last outcome."""
    observation = environment.reset(task)
    acting = oracle(observation)
    outcome = Outcome(observation=observation)
    try:
        action = next(acting)
        while True:
            outcome = environment.step(action)
            if outcome.terminated or outcome.truncated:
                break
            action = acting.send(outcome)
    except StopIteration:
        pass
    return outcome


def _check_solved(environment: Environment, task: Task, oracle: Oracle) -> None:
    outcome = solve(environment, task, oracle)
    assert outcome.reward == 1.0, f"the oracle must reach reward 1, not {outcome.reward} ({outcome.error})"
    assert outcome.terminated, "a solved task must be terminated"
    after = environment.step(Action(verb=environment.verbs[0].name, arguments={}))
    assert after.error, "a step after the end must say that the task is over"
    assert not (after.reward or 0) > 1.0, "reward must stay in [0, 1]"
    assert after.observation.goal == outcome.observation.goal, "a step after the end must not start a new episode"


def check_store(make: Callable[[], Store]) -> None:
    """Check that a store keeps its port's promises; `make` opens the same, at first empty, store each time."""
    store = make()
    assert len(store.load()) == 0, "the check needs an empty store"
    skill = Skill(name="check-store", description="Use when checking a store.", body="Do nothing.\n")
    edit = Edit(changes=(PutSkill(skill=skill),), why="check")
    accepted = store.commit(Decided(decision=Decision(edit=edit, accepted=True, reason="check")))
    assert accepted.skills["check-store"] == skill, "an accepted skill must come back as it was"
    assert make().load().digest == accepted.digest, "a store opened anew must hold the same library"
    refused = Edit(
        changes=(PutSkill(skill=skill.model_copy(update={"version": 2, "body": "Do more.\n"}), base=1),), why=""
    )
    after = store.commit(Decided(decision=Decision(edit=refused, accepted=False, reason="no lift")))
    assert after.digest == accepted.digest, "a refused edit must leave the library alone"
    try:
        store.commit(Decided(decision=Decision(edit=edit, accepted=True, reason="again")))
    except StaleEdit:
        pass
    else:
        raise AssertionError("an edit made against an older version must raise StaleEdit")
    try:
        gone = Edit(changes=(RetireSkill(name="nobody", base=1),), why="check")
        store.commit(Decided(decision=Decision(edit=gone, accepted=True, reason="check")))
    except StaleEdit:
        pass
    else:
        raise AssertionError("to retire what is not there must raise StaleEdit")
    store.commit(Attempted(attempt="a", task=Task(env="check", name="store"), goal="g", score=None))
    events = list(make().events())
    first = events[0].entry
    assert isinstance(first, Decided) and first.replaced, "an accepted decision must keep what it replaced"
    assert [event.entry.kind for event in events] == ["decided", "decided", "attempted"], (
        "every acknowledged event stays"
    )
    assert [event.seq for event in events] == [0, 1, 2], "events are numbered in order"


def check_llm(model: LLM) -> None:
    """Check that a model answers in words and in the form that a schema asks for, and counts what it reads."""
    plain = model.reply([Message.user("Say hello.")], role=Role.ACTOR, max_tokens=16)
    assert plain.usage.calls == 1, "a reply must count as one call"
    assert plain.usage.tokens_in > 0, "a reply must count the tokens it read"
    schema: Json = {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": ["red", "green"]}, "count": {"type": "integer"}},
        "required": ["colour", "count"],
        "additionalProperties": False,
    }
    ask = [Message.user('Name a colour and a count, as JSON like {"colour": "red", "count": 3}.')]
    bound = model.reply(ask, role=Role.ACTOR, schema=schema, max_tokens=64)
    assert bound.data is not None, "with a schema, a reply must carry data"
    assert set(bound.data) == {"colour", "count"}, f"the data must fit the schema: {bound.data}"
    assert bound.data["colour"] in ("red", "green"), f"an enum must be kept to: {bound.data}"
    assert isinstance(bound.data["count"], int), f"an integer must be one: {bound.data}"
    assert model.reply(ask, role=Role.ACTOR, schema=schema, max_tokens=64).data == bound.data, (
        "at temperature 0 the same question must get the same answer"
    )
