"""Train: weights for the order of candidates, from goals on which the worth of some of them was measured.

List-wise (UDR): pairs of candidates count by how many ranks lie between them, beside a cross entropy, on top of the
untrained score and pulled towards adding nothing. Candidates that were never tried may become negatives where they come
before what works, in up to three rounds; one that is very near what works is none. What a reader would get wrong:
a goal's own outcome is nowhere among its features, and families of goals are never split between training and test.

Torch is needed, and imported when weights are fitted. Whether they are good enough to be used is not decided here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from skillagent.errors import ConfigError
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue, text_of
from skillagent.routing.measured import Query
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.rerank import Candidate, Order, Weights
from skillagent.routing.route import candidates
from skillagent.schema import PutSkill, Skill

if TYPE_CHECKING:
    from torch import Tensor

FOLDS = 5
_ROUNDS = 3  # of looking for negatives
_HARD = 4  # negatives that a round adds to a goal
_NEAR = 0.95  # cosine of two skills' texts from which what is said of one may hold of the other
_STEPS, _RATE = 200, 0.05
SHARP = 10.0  # scores differ by tenths
_PULL = 0.1  # towards weights of zero
_NONE = -1e3  # the score of no candidate

Floats = NDArray[np.float64]
Used = Sequence[NDArray[np.bool_]]  # which candidates of each goal count
Fit = Callable[[Sequence["Case"], Used], Floats]
T = TypeVar("T")
Learnt = TypeVar("Learnt", bound=Order)


@dataclass(frozen=True)
class Case:
    """A goal of a family and its k candidates, in the untrained order.

    `features` (k, f); `worth` (k,) from 0 to 1, nan where it was never tried; `untrained` (k,) scores; `spared` (k,):
    never tried, and so near one that works that it is no negative. `goal` and `texts` (k,) in words, for an encoder.
    """

    family: str
    features: Floats
    worth: Floats
    untrained: Floats
    spared: NDArray[np.bool_]
    goal: str = ""
    texts: tuple[str, ...] = ()

    @property
    def tried(self) -> NDArray[np.bool_]:
        """Whether the worth of each candidate is known, shape (k,)."""
        return ~np.isnan(self.worth)


# ── What is trained on ───────────────────────────────────────────────────────────────────────────────────────────────


def owners_of(library: Library) -> dict[str, list[str]]:
    """Return the names of the skills that tell of a goal that they solved it, by goal."""
    owners = defaultdict[str, list[str]](list)
    for name, skill in library.skills.items():
        for goal in skill.goals:
            owners[goal].append(name)
    return dict(owners)


def cases(
    queries: Sequence[Query],
    library: Library,
    catalogue: Catalogue,
    outcomes: Outcomes,
    *,
    owners: Mapping[str, Sequence[str]] | None = None,
) -> list[Case]:
    """Return goals with their candidates, as the router would have found them had it not yet tried these goals.

    A goal of which no candidate was tried that the router would consider is left out. The catalogue is left with the
    library as it is.

    Args:
        queries: The goals.
        library: What there is.
        catalogue: What was indexed at earlier calls, and the vectors.
        outcomes: What came of programs.
        owners: As `owners_of` has them of this library: for whoever asks goal by goal, as that looks at every skill.
    """
    found, owners = list[Case](), owners_of(library) if owners is None else owners
    for query in queries:
        own = query.beside | {query.goal}
        before = _before(library, own, dict.fromkeys(name for goal in sorted(own) for name in owners.get(goal, ())))
        index = catalogue.of(before, without=own).skills
        told = candidates(query.goal, query.domain, index, outcomes=outcomes, without=query.at)
        kept = _one_each(told.programs if query.kind == "programs" else told.words, index.find)
        kept = sorted(kept, key=lambda one: (-one.score, -one.one.score, one.one.id))
        if any(one.one.id in query.worth for one in kept):
            found.append(_case(query, kept, [text_of(library.skills[one.one.id]) for one in kept], catalogue))
        catalogue.of(library)  # from here to the next one it knows what changes
    return found


def _before(library: Library, own: Collection[str], owners: Iterable[str]) -> Library:
    """Return a library in which none of the skills that solved one of some goals has done so yet."""
    for name in owners:
        skill = library.skills[name]
        less = skill.model_copy(update={"goals": tuple(one for one in skill.goals if one not in own)})
        library = library.with_change(PutSkill(skill=less, base=skill.version))
    return library


def _one_each(found: Sequence[Candidate], find: Callable[[str], Skill]) -> list[Candidate]:
    """Return one candidate of each program, the first by name, as measured worth is kept under that."""
    seen: dict[str, Candidate] = {}
    for one in sorted(found, key=lambda one: one.one.id):
        seen.setdefault(find(one.one.id).files.get(FILE, one.one.id), one)
    return list(seen.values())


def _case(query: Query, kept: Sequence[Candidate], texts: Sequence[str], catalogue: Catalogue) -> Case:
    worth = np.array([query.worth.get(one.one.id, math.nan) for one in kept])
    rows, works = catalogue.skills.cache.vectors(texts), worth >= 1
    near = (rows @ rows[works].T).max(axis=1, initial=-1.0) >= _NEAR
    return Case(
        family=query.family,
        features=np.array([one.features for one in kept], dtype=np.float64),
        worth=worth,
        untrained=np.array([one.score for one in kept], dtype=np.float64),
        spared=np.isnan(worth) & near,
        goal=query.goal,
        texts=tuple(texts),
    )


def folds(given: Sequence[Case], count: int = FOLDS) -> Iterator[tuple[list[int], list[int]]]:
    """Yield which cases train and which are held out, so that each is held out once and no family is on both sides."""
    families = sorted({case.family for case in given})
    order = np.random.default_rng(0).permutation(len(families)).tolist()
    fold = {families[n]: place % count for place, n in enumerate(order)}
    for number in range(min(count, len(families))):
        held = [fold[case.family] == number for case in given]
        yield [n for n, out in enumerate(held) if not out], [n for n, out in enumerate(held) if out]


# ── Fitting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def listwise(scores: Tensor, worth: Tensor) -> Tensor:
    """Return UDR's loss of each goal, shape (n,): pairs by the ranks that lie between them, and a cross entropy.

    Args:
        scores: Shape (n, k).
        worth: What each candidate is worth, shape (n, k), at least 0.
    """
    import torch
    from torch.nn.functional import cross_entropy, softplus

    places = torch.arange(1, scores.shape[1] + 1).expand(len(scores), -1)
    rank = torch.empty_like(places).scatter_(1, scores.argsort(1, descending=True), places)
    apart = (1 / rank[:, :, None] - 1 / rank[:, None, :]).abs()
    better = (worth[:, :, None] > worth[:, None, :]).float()
    pairs = (better * apart * softplus(scores[:, None, :] - scores[:, :, None])).sum((1, 2))
    return 4 * pairs + cross_entropy(scores, worth / worth.sum(1, keepdim=True).clamp(min=1), reduction="none")


def fit(given: Sequence[Case], used: Used) -> Floats:
    """Return the weights of features, shape (f,), that order the used candidates of goals best.

    Args:
        given: Goals; their features have a mean of about 0 and a spread of about 1.
        used: Which candidates of each count, shape (k,) each; one that was never tried counts as worth nothing.

    Raises:
        ConfigError: Torch is not installed, or cannot be loaded.
    """
    base, worth = lists(given, used)
    import torch

    features = torch.zeros(*base.shape, given[0].features.shape[1])
    for n, (case, use) in enumerate(zip(given, used, strict=True)):
        features[n, : int(use.sum())] = torch.from_numpy(case.features[use].astype(np.float32))
    weights = torch.zeros(features.shape[2], requires_grad=True)
    optimiser = torch.optim.AdamW([weights], lr=_RATE)
    for _ in range(_STEPS):
        loss = listwise(SHARP * (base + features @ weights), worth).mean() + _PULL * (weights**2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return np.asarray(weights.detach().numpy(), dtype=np.float64)


def lists(given: Sequence[Case], used: Used) -> tuple[Tensor, Tensor]:
    """Return the untrained scores and the worth of the used candidates, shape (n, k) each, filled up with none.

    Raises:
        ConfigError: Torch is not installed, or cannot be loaded.
    """
    try:
        import torch
    except ImportError as fault:
        raise ConfigError(f"training needs torch: pip install 'skillagent[train]' ({fault})") from None
    most = max(int(one.sum()) for one in used)
    base, worth = torch.full((len(given), most), _NONE), torch.zeros(len(given), most)
    for n, (case, use) in enumerate(zip(given, used, strict=True)):
        count = int(use.sum())
        base[n, :count] = torch.from_numpy(case.untrained[use].astype(np.float32))
        worth[n, :count] = torch.from_numpy(np.nan_to_num(case.worth[use]).astype(np.float32))
    return base, worth


def weighed(given: Sequence[Case], fit: Fit = fit) -> Weights:
    """Return the weights that goals teach, with negatives looked for in rounds; the chance is not fitted yet.

    Weights of zero come back where no goal has candidates that did better and worse.
    """
    rows = np.concatenate([case.features[case.tried] for case in given])
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    still = spread < 1e-9  # a feature that is the same everywhere teaches nothing
    spread = np.where(still, 1.0, spread)
    scaled = [replace(one, features=(one.features - mean) / spread * ~still) for one in given]
    found = mined(scaled, fit, lambda case, weights: case.untrained + case.features @ weights)
    weights = np.zeros(rows.shape[1]) if found is None else found * ~still
    return Weights(mean=tuple(mean.tolist()), spread=tuple(spread.tolist()), weights=tuple(weights.tolist()))


def mined(given: Sequence[Case], fit: Callable[[Sequence[Case], Used], T], by: Callable[[Case, T], Floats]) -> T | None:
    """Return what goals teach, with negatives looked for in rounds; None where no goal has better and worse ones.

    Args:
        given: Goals.
        fit: Learns from goals and the candidates of each that count.
        by: Returns the scores of a goal's candidates, shape (k,), by what was learnt.
    """
    used, found = [case.tried for case in given], None
    for turn in range(1 + _ROUNDS):
        told = [n for n, case in enumerate(given) if varied(case, used[n])]
        if not told:
            break
        found = fit([given[n] for n in told], [used[n] for n in told])
        more = [use | hard(case, use, by(case, found)) for case, use in zip(given, used, strict=True)]
        if turn == _ROUNDS or all(np.array_equal(a, b) for a, b in zip(used, more, strict=True)):
            break
        used = more
    return found


def varied(case: Case, used: NDArray[np.bool_]) -> bool:
    """Tell whether some of the used candidates of a goal are worth more than others."""
    return len(np.unique(np.nan_to_num(case.worth[used]))) > 1


def hard(case: Case, used: NDArray[np.bool_], scores: Floats) -> NDArray[np.bool_]:
    """Return which candidates become negatives, shape (k,): never tried, before all that works, and not near it."""
    works = used & (case.worth >= 1)
    found = np.zeros(len(scores), dtype=bool)
    if works.any():
        ahead = ~used & ~case.tried & ~case.spared & (scores >= scores[works].max())
        found[[n for n in np.argsort(-scores, kind="stable").tolist() if ahead[n]][:_HARD]] = True
    return found


# ── What it comes to ─────────────────────────────────────────────────────────────────────────────────────────────────


def scores(case: Case, weights: Weights) -> Floats:
    """Return the scores of a goal's candidates with what was learnt, shape (k,)."""
    return np.asarray(case.untrained + weights.each(case.features).sum(axis=1), dtype=np.float64)


def first(case: Case, of: Floats) -> float:
    """Return what the first choice by some scores is worth, among candidates that were tried; of equals the first."""
    places = np.flatnonzero(case.tried)
    return float(case.worth[places[int(np.argmax(of[places]))]])


def calibrated(order: Learnt, given: Sequence[Case], by: Sequence[Floats]) -> Learnt:
    """Return what was learnt with the chance that a candidate of some score does it: a logistic regression (Platt).

    Args:
        order: What the chance is for.
        given: Goals.
        by: Scores of their candidates from what was learnt without the goal's family.
    """
    score = np.concatenate([one[case.tried] for case, one in zip(given, by, strict=True)])
    worth = np.concatenate([case.worth[case.tried] for case in given])
    rows, found = np.column_stack([score, np.ones_like(score)]), np.zeros(2)
    bend = rows.T @ rows / 4 + 1e-2 * np.eye(2)  # at least as bent as anywhere, so that no step goes too far
    for _ in range(2000):
        chance = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        found = found + np.linalg.solve(bend, rows.T @ (worth - chance) - 1e-2 * found)
    return order.model_copy(update={"slope": float(found[0]), "intercept": float(found[1])})
