"""Rerank: what training adds to the order of candidates, and which trained version is in use.

The learned part is added to a candidate's untrained score: a weighted sum of what is known of it (`Weights`), or how
much nearer its text is to the goal once both are turned (`Encoder`), or by a model that was fine-tuned (`Tuned`). With
zeros, and wherever nothing is trained, the order is the untrained one. Two orders are learnt apart, as their scores are
on other scales: of programs that know a goal, and of skills in words. What a reader would get wrong: whether anything
is shown at all is not decided here, and the learned chance is told, not acted on.

Weights come from `train`, encoders from `tune`, models from `finetune`; where they are kept is the store's business.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from skillagent.errors import ConfigError, InvalidSkill, LibraryError
from skillagent.ports import Vectors
from skillagent.programs.text import FILE, program_of
from skillagent.routing.outcomes import UNKNOWN, Known
from skillagent.schema import Ask, Do, Each, Expect, Json, Node, Ranked, Repeat, Skill, Value, When

_log = logging.getLogger("skillagent.routing")

Rows = Callable[[Sequence[str]], Vectors]  # unit rows of texts, shape (len(texts), d)

CODE = 2  # changes with the meaning of a feature or a score: weights of another one are not used
FEATURES = (
    "words",  # the parts of the score, see `Likeness` and `Index.near`
    "text",
    "solved",
    "whole",
    "fixed",  # how much of the goal its pattern fixes, 0 to 1
    "expected",  # what came of its program so far, see `Known`
    "alike",
    "share",
    "steps",  # how long its program is, and how much of it looks before it acts
    "checks",
    "practised",  # how many goals it solved
)
KINDS: tuple[Kind, ...] = ("programs", "words")
Kind = Literal["programs", "words"]
_FORM = 0.5  # what it counts that a pattern fixes all of a goal, beside what came of its program
_TOLD = 3  # features that a route tells of


class Candidate(NamedTuple):
    """A candidate as the router found it, its untrained score, and its features in the order of `FEATURES`."""

    one: Ranked
    score: float
    features: tuple[float, ...]


class Learned(Protocol):
    """What was learnt, for one goal."""

    def told(self, candidates: Sequence[Candidate]) -> list[dict[str, float]]:
        """Return what each candidate's parts tell of it: what is `learned`, that is added, by what, and `works`."""
        ...


class Order(Value):
    """What one order learnt; slope and intercept of the chance that a candidate of some score does it."""

    slope: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    intercept: Annotated[float, Field(allow_inf_nan=False)] = 0.0

    def chance(self, score: float) -> float:
        """Return how likely a candidate of a score, with what was added to it, is to do it, 0 to 1."""
        return 1 / (1 + math.exp(-min(max(self.slope * score + self.intercept, -30.0), 30.0)))


class Weights(Order):
    """Weights of features less `mean`, in `spread`s."""

    mean: tuple[float, ...]
    spread: tuple[Annotated[float, Field(gt=0)], ...]
    weights: tuple[float, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not all(math.isfinite(number) for number in (*self.mean, *self.spread, *self.weights)):
            raise ValueError("a weight is no number")
        if not len(self.mean) == len(self.spread) == len(self.weights):
            raise ValueError("so many weights, means and spreads do not go together")
        return self

    def each(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each feature adds to the score, of shape (..., features) as given."""
        mean, spread, weights = (np.array(part) for part in (self.mean, self.spread, self.weights))
        return np.asarray((features - mean) / spread * weights, dtype=np.float64)

    def told(self, candidates: Sequence[Candidate]) -> list[dict[str, float]]:
        """Return what each candidate's features add, the three that say most of it, and the chance that it does it."""
        found = []
        for one, each in zip(candidates, self.each(np.array([c.features for c in candidates])), strict=True):
            most, added = np.argsort(-np.abs(each), kind="stable")[:_TOLD].tolist(), float(each.sum())
            parts = {f"learned {FEATURES[n]}": float(each[n]) for n in most if each[n]}
            found.append({**parts, "learned": added, "works": self.chance(one.score + added)})
        return found


class Encoder(Order):
    """A bi-encoder: the embedder's vectors, of goals and texts alike, turned by one matrix of low rank.

    A row becomes the unit row of itself and itself times `down` (d, r) times `up` (r, d).
    """

    down: tuple[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], ...]
    up: tuple[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        rank, width = len(self.up), len(self.down)
        if not rank or {len(row) for row in self.down} != {rank} or {len(row) for row in self.up} != {width}:
            raise ValueError("the parts of the matrix do not go together")
        return self

    @cached_property
    def _packed(self) -> tuple[bytes, bytes]:  # bytes, as values are compared with all that they hold
        return np.array(self.down, dtype=np.float32).tobytes(), np.array(self.up, dtype=np.float32).tobytes()

    def turned(self, rows: Vectors) -> Vectors:
        """Return unit rows, turned; shape (n, d) as given."""
        down, up = (np.frombuffer(part, dtype=np.float32) for part in self._packed)
        found = rows + rows @ down.reshape(len(self.down), -1) @ up.reshape(len(self.up), -1)
        turned: Vectors = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return turned

    def added(self, goal: Vectors, texts: Vectors) -> NDArray[np.float64]:
        """Return how much nearer each text, shape (k, d), is to a goal, shape (d,), than before both were turned."""
        turned = self.turned(np.vstack([goal, texts]))
        return np.asarray(turned[1:] @ turned[0] - texts @ goal, dtype=np.float64)


class Tuned(Order):
    """A fine-tuned copy of a sentence-transformers model: its folder in the memory folder, and the hash of that."""

    folder: Annotated[str, Field(pattern=r"^router/[^/.][^/]*$")]
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]


def gained(goal: str, texts: Sequence[str], tuned: Rows, served: Rows) -> NDArray[np.float64]:
    """Return how much nearer each text, shape (k,), is to a goal by a tuned model than by the embedder that serves."""
    tuned_rows, served_rows = tuned([goal, *texts]), served([goal, *texts])
    return np.asarray(tuned_rows[1:] @ tuned_rows[0] - served_rows[1:] @ served_rows[0], dtype=np.float64)


class Nearer(NamedTuple):
    """What brings texts nearer to a goal, in words; what was learnt of it; what it adds to candidates, by their names.

    `added` may raise ConfigError: then nothing is added, and the log says so.
    """

    what: str
    order: Order
    added: Callable[[Sequence[str]], NDArray[np.float64]]

    def told(self, candidates: Sequence[Candidate]) -> list[dict[str, float]]:
        """Return what is added to each candidate, and the chance that it does it."""
        try:
            each = self.added([one.one.id for one in candidates]).tolist()
        except ConfigError as error:
            _log.warning("the router goes on untrained: %s", error)
            return [{} for _ in candidates]
        return [
            {f"learned {self.what}": added, "learned": added, "works": self.order.chance(one.score + added)}
            for one, added in zip(candidates, each, strict=True)
        ]


class Compared(Value):
    """First choices on held-out families with training, against those without it.

    `difference` is the mean over `goals`, with a 95 % interval over `families`; `better` and `worse` count goals.
    `brier` is the mean squared error of the chance, `brier_of_rate` that of saying the rate every time.
    """

    untrained: float
    trained: float
    difference: float
    low: float
    high: float
    better: int
    worse: int
    goals: int
    families: int
    brier: float
    brier_of_rate: float

    @property
    def accepted(self) -> bool:
        """True when training is better beyond chance."""
        return self.low > 0


class Trained(Value):
    """A training: what came of it, for each order that there was enough to train on, and what was kept of it.

    Without weights, encoders and models the router was kept as it was. `events`: how many lines of the ledger trained
    it. `rows`: what embeds by a model, once it is in use; not written down.
    """

    kind: Literal["trained"] = "trained"
    version: Annotated[int, Field(ge=1)]
    at: str
    code: int
    embedder: str
    features: tuple[str, ...]
    events: int
    compared: Mapping[Kind, Compared]
    weights: Mapping[Kind, Weights]
    encoders: Mapping[Kind, Encoder] = Field(default_factory=dict)
    models: Mapping[Kind, Tuned] = Field(default_factory=dict)
    rows: Mapping[Kind, Rows] = Field(default_factory=dict, exclude=True, repr=False)

    @property
    def accepted(self) -> tuple[Kind, ...]:
        """The orders in which training was better."""
        return tuple(kind for kind in KINDS if kind in {**self.weights, **self.encoders, **self.models})

    def of(self, kind: Kind, goal: str, texts: Callable[[Sequence[str]], list[str]], served: Rows) -> Learned | None:
        """Return what was learnt of an order, if it was accepted.

        Args:
            kind: The order.
            goal: The goal's shape.
            texts: Returns skills' texts by name.
            served: The embedder's vectors of texts; asked for only if needed.
        """
        if (encoder := self.encoders.get(kind)) is not None:
            return Nearer("encoder", encoder, lambda names: encoder.added(served([goal])[0], served(texts(names))))
        if (model := self.models.get(kind)) is not None:
            rows = self.rows[kind]
            return Nearer("fine-tuned model", model, lambda names: gained(goal, texts(names), rows, served))
        return self.weights.get(kind)


class Chosen(Value):
    """A person chose a version; 0: untrained."""

    kind: Literal["chosen"] = "chosen"
    version: Annotated[int, Field(ge=0)]
    at: str


Record = Annotated[Trained | Chosen, Field(discriminator="kind")]
_RECORD: TypeAdapter[Trained | Chosen] = TypeAdapter(Record)


def records(lines: Iterable[Json]) -> list[Trained | Chosen]:
    """Return the trainings and choices, oldest first; raises LibraryError for a line that is neither."""
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_RECORD.validate_python(line))
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            raise LibraryError(f"router.jsonl: line {number} is no training that this version knows: {what}") from None
    return found


def chosen(known: Sequence[Trained | Chosen]) -> Trained | None:
    """Return the version that is in force: the last that was accepted, or what a person chose since.

    Two that trained at once may have one number; one that was refused does not stand for one that was accepted.
    """
    kept, now = dict[int, Trained](), 0
    for one in known:
        if isinstance(one, Trained) and one.accepted:
            kept[one.version] = one
        if isinstance(one, Chosen) or one.accepted:
            now = one.version
    return kept.get(now)


def unfit(one: Trained, embedder: str) -> str | None:
    """Return why a version cannot be used with an embedder and this code, or None."""
    if one.embedder != embedder:
        return f"it was trained with the embedder {one.embedder}, and this is {embedder}"
    if one.code != CODE or one.features != FEATURES:
        return "its features are those of another version of skillagent"
    if any(len(weights.weights) != len(FEATURES) for weights in one.weights.values()):
        return "it has not one weight for each feature"
    return None


def in_use(
    read: Callable[[], Iterable[Json]], embedder: str, opened: Callable[[Tuned], Rows] | None = None
) -> Trained | None:
    """Return the trained version to route by, or None: untrained. What cannot be used is told in the log.

    Args:
        read: Returns the lines that were kept; may raise LibraryError.
        embedder: The name of the one in use.
        opened: Returns what embeds by a fine-tuned model; may raise LibraryError and ConfigError.
    """
    try:
        found = chosen(records(read()))
        if found is not None and (why := unfit(found, embedder)):
            _log.warning("the router goes on untrained, version %d is not used: %s; train it anew", found.version, why)
            return None
        if found is not None and found.models:
            if opened is None:
                raise ConfigError(f"version {found.version} is a fine-tuned model, and none can be opened here")
            found = found.model_copy(update={"rows": {kind: opened(one) for kind, one in found.models.items()}})
    except (LibraryError, ConfigError, OSError) as error:
        _log.warning("the router goes on untrained: %s", error)
        return None
    return found


# ── Candidates ───────────────────────────────────────────────────────────────────────────────────────────────────────


def program(one: Ranked, skill: Skill, fixed: float, known: Known | None) -> Candidate:
    """Return a program that knows a goal as a candidate: `fixed` is the share of the goal that its pattern fixes."""
    told = one if known is None else one.model_copy(update={"parts": {**one.parts, "expected": known.expected}})
    expected = UNKNOWN if known is None else known.expected
    return Candidate(told, expected + _FORM * fixed, _features(one, skill, fixed, known))


def words(one: Ranked, skill: Skill) -> Candidate:
    """Return a skill in words as a candidate."""
    return Candidate(one, one.score, _features(one, skill, 0.0, None))


def _features(one: Ranked, skill: Skill, fixed: float, known: Known | None) -> tuple[float, ...]:
    steps, checks = _size(skill)
    expected, alike, share = known or Known(UNKNOWN, 0.0, UNKNOWN)
    return (
        one.parts["words"],
        one.parts["text"],
        max(one.parts["solved"], 0.0),
        one.parts["whole"],
        fixed,
        expected,
        math.log1p(alike),
        share,
        math.log1p(steps),
        math.log1p(checks),
        math.log1p(len(skill.goals)),
    )


def _size(skill: Skill) -> tuple[int, int]:
    """Return how many verbs a skill's program has, and how many loops, conditions and checks."""
    try:
        found = program_of(skill) if FILE in skill.files else None
    except InvalidSkill:
        found = None
    nodes = list(_nodes(found.steps)) if found else []
    verbs = sum(isinstance(node, Do | Ask) for node in nodes)
    return verbs, len(nodes) - verbs


def _nodes(nodes: Iterable[Node]) -> Iterable[Node]:
    for node in nodes:
        yield node
        match node:
            case Each(do=inner) | Repeat(do=inner):
                yield from _nodes(inner)
            case When(do=inner, otherwise=other):
                yield from _nodes((*inner, *other))
            case Do() | Ask() | Expect():
                pass


def ordered(candidates: Sequence[Candidate], learned: Learned | None = None) -> list[Ranked]:
    """Return candidates in the order in which they are tried: by score, then likeness, then name.

    With what was learned, each tells in its parts what these `learned` to add, what says most of it, and the `works`:
    the chance that it does it.
    """
    told = learned.told(candidates) if learned is not None and candidates else [dict[str, float]() for _ in candidates]
    order = sorted(
        zip(candidates, told, strict=True),
        key=lambda pair: (-(pair[0].score + pair[1].get("learned", 0.0)), -pair[0].one.score, pair[0].one.id),
    )
    return [
        one.one.model_copy(update={"parts": {**one.one.parts, **parts}}) if parts else one.one for one, parts in order
    ]
