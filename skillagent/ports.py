"""Ports: what the core asks of the outside world, as Protocols. An implementation needs no base class.

`skillagent.testing` has scripted implementations and a conformance check for each of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skillagent.library import Library
from skillagent.schema import Action, Entry, Event, Json, Message, Observation, Outcome, Reply, Role, Task, Verb

Vectors = NDArray[np.float32]

_CHARACTERS_PER_TOKEN = 2.2  # pages full of brackets and digits come to 2.5: better to cut a little too early
_REPLY_TOKENS = 400


class LLM(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """Provider and model, e.g. `local/qwen2.5-coder-1.5b`."""
        ...

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
        """Answer the last message; with a `schema`, `Reply.data` is an object that fits it.

        A model that answers, but after the retries still in another form, has failed by itself: then `data` is None,
        `text` is what it said, and the tokens count.

        Raises:
            LLMUnavailable: No answer after the retries.
            PromptTooLong: The messages do not fit what the model can read.
            BudgetSpent: A budget does not allow the call; the model was not asked.
        """
        ...


def tokens(llm: LLM, text: str) -> int:
    """Return how many tokens a text takes for a model, guessed from its characters where the model cannot tell.

    A model that can count has a `tokens(text)`, which returns a number, or None where it cannot after all.
    """
    known = getattr(llm, "tokens", None)
    counted: int | None = known(text) if known is not None else None
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN) if counted is None else counted


def window(llm: LLM) -> int | None:
    """Return how many tokens a model can read and write at once; None where nobody knows.

    A model that knows has a `window()`.
    """
    known = getattr(llm, "window", None)
    return known() if known is not None else None


def readable(llm: LLM, most: int) -> int:
    """Return how many characters of conversation a model can read beside its reply, `most` at most.

    What a page is made of is not counted but guessed: a page changes at every turn.
    """
    known = window(llm)
    return most if known is None else min(most, max(0, round((known - _REPLY_TOKENS) * _CHARACTERS_PER_TOKEN)))


class Embedder(Protocol):
    """Text to unit vectors."""

    @property
    def name(self) -> str:
        """A name that changes whenever the vectors would."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, shape (len(texts), d), in the order of `texts`."""
        ...


class VectorCache(Protocol):
    """Vectors of texts, computed once. Losing it costs time, never knowledge."""

    @property
    def name(self) -> str:
        """The embedder's name."""
        ...

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, shape (len(texts), d), computing and keeping those not yet known."""
        ...


def indexed(cache: VectorCache, query: Vectors, top: int) -> list[tuple[str, float]] | None:
    """Return the `content_id`s of the texts nearest a unit row, with their cosines, by the cache's index.

    It may miss a few, and any text may come that was ever kept. None where the cache has no index of all that it was
    asked for. One with an index has a `near(query, top)`.
    """
    known = getattr(cache, "near", None)
    return known(query, top) if known is not None else None


class Environment(Protocol):
    """A world in which tasks are set. It knows goals and rewards; it does not know the agent."""

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What can be done; readable before `reset`."""
        ...

    def reset(self, task: Task) -> Observation:
        """Start the task from its seed: the same task gives the same first observation.

        Raises:
            ConfigError: The environment has no task of that name, or misses something that the operator must install.
            EnvironmentFailed: The world could not be brought to its start.
        """
        ...

    def step(self, action: Action) -> Outcome:
        """Do one thing. What the policy did wrong comes back as `Outcome.error`, not as an exception.

        After `terminated` or `truncated` the caller resets; a further step changes nothing and says so.

        Raises:
            EnvironmentFailed: The world crashed; the episode is void and the environment must be closed.
        """
        ...

    def screenshot(self) -> bytes:
        """Return the present view as PNG."""
        ...

    def close(self) -> None:
        """Let go of everything; a second call does nothing."""
        ...


def begins_anew(environment: Environment) -> bool:
    """Tell whether a reset makes the whole world anew, so that nothing done in it lasts: such a world says `anew`.

    Only there are tasks tried by chance. A world that says nothing may be somebody's mail, or an arm of iron.
    """
    return getattr(environment, "anew", False) is True


def near(environment: Environment, goal: str, action: Action) -> Iterator[Action]:
    """Yield actions a little otherwise than one that did not do it, likeliest first, where the world knows of such.

    A world whose actions are made of parts that can each be wrong, say a model of a problem, has a `near(goal, action)`
    that tells them. It must not look at what is right.
    """
    known = getattr(environment, "near", None)
    return iter(known(goal, action)) if known is not None else iter(())


def reached(environment: Environment, task: Task) -> str | None:
    """Return the goal, in the task's own wording, that an episode's last state fulfils though another was set, or None.

    A world that can tell truthfully has a `reached(task)`, and its reset to the task with that goal sets it, under the
    same check as any other.
    """
    known = getattr(environment, "reached", None)
    return known(task) if known is not None else None


def holds(environment: Environment, said: str) -> bool | None:
    """Tell whether what a sentence says of the present state is so; None where the world cannot tell.

    A world that can read such sentences has a `holds(said)`. It looks only at what the agent can see, and tells nothing
    of a sentence that it does not understand.
    """
    known = getattr(environment, "holds", None)
    return known(said) if known is not None and said.strip() else None


def tells(environment: Environment) -> bool:
    """Tell whether a world has such a `holds`, so that the parts of a plan can be checked."""
    return hasattr(environment, "holds")


def shows(environment: Environment, task: Task) -> Sequence[Action] | None:
    """Return actions that do a task, by the world's own scripted policy; None where it has none, or that fails.

    A world that comes with such policies has a `shows(task)`. What it returns was seen to do the task.
    """
    known = getattr(environment, "shows", None)
    return known(task) if known is not None else None


def scripted(environment: Environment) -> bool:
    """Tell whether a world comes with scripted policies of its own, and so has a `shows`."""
    return hasattr(environment, "shows")


class Store(Protocol):
    """Where the library lives. The only writer."""

    def load(self) -> Library:
        """Return the library as it is on disk now."""
        ...

    def commit(self, entry: Entry) -> Library:
        """Apply an accepted decision or a rollback, append the event, and return the new library.

        A refused decision, an attempt or a remark is appended alone.

        Raises:
            StaleEdit: The library has moved on since the edit was made; nothing was written.
            StoreBusy: Another process holds the lock; nothing was written.
        """
        ...

    def events(self) -> Iterator[Event]:
        """Yield the ledger, oldest first."""
        ...
