"""Curate: keep the insights few and good. Each function returns the edits it would make; nothing is written here.

What hurts goes, what says the same becomes one where that still solves all that either was learnt from, what is beyond
the budget is thinned where it is thickest, and what is near and not the same is linked. What a person pinned stays as
it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from skillagent.learning.demote import example_of
from skillagent.learning.refine import STEADY, WORDINGS, Shown, last_said, recent_goals, steadiness
from skillagent.learning.utility import Utility
from skillagent.library import Library
from skillagent.ports import VectorCache
from skillagent.schema import (
    Condition,
    Decision,
    Demonstration,
    Edit,
    Event,
    Insight,
    Pair,
    PutDemonstration,
    PutInsight,
    RetireDemonstration,
    RetireInsight,
    RolledBack,
    Score,
    Task,
    Value,
)

Trial = Callable[[Task, Library], Score | None]

NEAREST = 3  # insights that one is linked with at first

_ATTEMPT = re.compile(r"(?P<env>[^/]+)/(?P<name>.+)@(?P<seed>\d+)#\w+")


class Upkeep(Value):
    """From which cosine of their texts two insights say the same, are related, or belong to one pseudo-skill.

    `wordings` of a condition are asked for. `budget` insights may stay. `taught` is what insights and demonstrations
    were worth to a weaker student, which goes before what the ledger says of insights' worth.
    """

    same: float = 0.92
    related: float = 0.80
    cluster: float = 0.60
    wordings: int = Field(default=WORDINGS, ge=0)
    budget: int = Field(default=100, ge=0)
    taught: Mapping[str, float] = Field(default_factory=dict)


def text_of(insight: Insight) -> str:
    """Return what an insight says, apart from its example."""
    return f"{insight.condition.applies} {insight.explanation}"


def likeness(insights: Sequence[Insight], cache: VectorCache) -> NDArray[np.float64]:
    """Return the cosines of insights' texts to each other, shape (n, n)."""
    if not insights:
        return np.zeros((0, 0))
    rows = cache.vectors([text_of(one) for one in insights])
    return np.asarray(rows @ rows.T, dtype=np.float64)


def harmful(library: Library, worth: Mapping[str, Utility]) -> Iterator[Decision]:
    """Yield the retirement of every insight with which success is less likely, beyond chance."""
    for key, insight in library.insights.items():
        if not insight.pinned and key in worth and worth[key].hurts:
            told = worth[key]
            why = f"{key}: success is {told.lift:+.0%} with it ({told.low:+.0%} to {told.high:+.0%})"
            edit = Edit(changes=(RetireInsight(id=key),), why=why)
            yield Decision(edit=edit, accepted=True, reason=f"accepted: it hurts, over {told.shown:.0f} uses")


def merged(
    library: Library, cache: VectorCache, trial: Trial, upkeep: Upkeep, *, shown: Shown, events: Sequence[Event]
) -> Iterator[Decision]:
    """Yield, for pairs that say the same, the decision to make one of them.

    The one that stays gets the other's evidence, labels and exception. It must solve every source task of both again,
    and goals must be shown what they were, where the one that stays counts as the other. A refusal that is the ledger's
    last word on that very edit is not said again on the same grounds, and one for good is not tried again.

    Args:
        library: As it is.
        cache: Of the vectors of what insights say.
        trial: Tells how a source task goes with a library.
        upkeep: What counts as the same.
        shown: The insights that a library shows for a goal.
        events: The ledger.
    """
    gone, goals = set[str](), recent_goals(events)
    for one, two, cosine in _pairs(library, cache, upkeep.same):
        if {one.id, two.id} & gone or one.pinned or two.pinned or one.taxonomy != two.taxonomy:
            continue
        keep, drop = sorted((one, two), key=lambda i: (-len(i.evidence), i.id))
        both = _both(keep, drop)
        why = f"{drop.id} says what {keep.id} says (cosine {cosine:.2f})"
        edit = Edit(changes=(PutInsight(insight=both, base=keep.digest), RetireInsight(id=drop.id)), why=why)
        last = last_said(edit.why, events)
        if last is not None and last.final and not last.accepted and last.edit.identity == edit.identity:
            continue
        decision = _moved(edit, library, _as_one(shown, keep, drop), goals)
        decision = decision or _verified(edit, library, trial, sources(both))
        if decision.accepted or last is None or _word(last) != _word(decision):
            yield decision
        if decision.accepted:
            gone |= {keep.id, drop.id}


def _word(decision: Decision) -> tuple[str, str]:
    """Return what is decided and on what grounds, without the figure in brackets: that changes with each goal."""
    return decision.edit.identity, decision.reason.partition(" (")[0]


def _both(keep: Insight, drop: Insight) -> Insight:
    """Return the one that stays, with what the other has and it lacks."""
    condition = Condition(
        applies=keep.condition.applies, does_not_apply=keep.condition.does_not_apply or drop.condition.does_not_apply
    )
    related = dict.fromkeys(key for key in (*keep.related, *drop.related) if key not in (keep.id, drop.id))
    return keep.model_copy(
        update={
            "condition": condition,
            "evidence": tuple(dict.fromkeys((*keep.evidence, *drop.evidence))),
            "related": tuple(related),
            "defines": {**drop.defines, **keep.defines},
        }
    )


def _as_one(shown: Shown, keep: Insight, drop: Insight) -> Shown:
    return lambda goal, library: [keep.id if key == drop.id else key for key in shown(goal, library)]


def _moved(edit: Edit, library: Library, shown: Shown, goals: Sequence[str]) -> Decision | None:
    """Return the refusal of an edit with which goals would be shown other insights; None where they would not."""
    if (same := steadiness(library.apply(edit), library, shown, goals)) >= STEADY:
        return None
    reason = f"refused: goals would be shown other insights ({same:.0%} the same)"
    return Decision(edit=edit, accepted=False, reason=reason, final=False)


def _verified(edit: Edit, library: Library, trial: Trial, tasks: Sequence[Task]) -> Decision:
    if not tasks:
        reason = "refused: neither names a task that it was learnt from, so it cannot be tried whether one is enough"
        return Decision(edit=edit, accepted=False, reason=reason, final=False)
    after, pairs = library.apply(edit), list[Pair]()
    for task in tasks:
        pairs.append(Pair(task=task, before=trial(task, library), after=trial(task, after)))
        if (score := pairs[-1].after) is None or not score.success:
            lost = pairs[-1].outcome == "loss"
            what = "is lost" if lost else "could not be tried" if score is None else "is not solved"
            reason = f"refused: {task.id} seed {task.seed} {what} with one for both"
            return Decision(edit=edit, accepted=False, reason=reason, final=lost, verified=tuple(pairs))
    reason = f"accepted: all {len(pairs)} source tasks are solved"
    return Decision(edit=edit, accepted=True, reason=reason, verified=tuple(pairs))


def sources(item: Insight | Demonstration) -> list[Task]:
    """Return the tasks of the attempts that an insight or a demonstration was learnt from, each once."""
    found = (_ATTEMPT.fullmatch(cited) for cited in item.evidence)
    return list(
        dict.fromkeys(Task(env=one["env"], name=one["name"], seed=int(one["seed"])) for one in found if one is not None)
    )


def linked(library: Library, cache: VectorCache, upkeep: Upkeep) -> Iterator[Decision]:
    """Yield the edits that let insights that are near name each other.

    A link stays as long as both are there and near, and goes both ways. Whoever has fewer than three gets more, to what
    is nearest and not the same: a new insight comes with three (`distinguish`), and those are not looked for again.
    """
    near: dict[str, dict[str, float]] = {key: {} for key in library.insights}
    pairs = _pairs(library, cache, upkeep.related)
    for one, two, cosine in sorted(pairs, key=lambda pair: not _named(pair[0], pair[1])):
        few = min(len(near[one.id]), len(near[two.id])) < NEAREST
        if _named(one, two) or (few and cosine < upkeep.same):
            near[one.id][two.id] = near[two.id][one.id] = cosine
    for key, insight in library.insights.items():
        wanted = tuple(sorted(near[key], key=lambda other: -near[key][other]))
        if set(wanted) != set(insight.related) and not insight.pinned:
            changed = insight.model_copy(update={"related": wanted})
            edit = Edit(changes=(PutInsight(insight=changed, base=insight.digest),), why=f"{key}: what is near it")
            yield Decision(edit=edit, accepted=True, reason=f"accepted: related to {', '.join(wanted) or 'none'}")


def _named(one: Insight, two: Insight) -> bool:
    return two.id in one.related or one.id in two.related


def brought_back(events: Sequence[Event]) -> set[str]:
    """Return the insights and demonstrations that a person put back, which no upkeep takes out again."""
    undone = [event.entry for event in events if isinstance(event.entry, RolledBack)]
    put = (PutInsight, PutDemonstration)
    return {change.key for entry in undone for change in entry.proper if isinstance(change, put)}


def thinned(
    library: Library,
    cache: VectorCache,
    worth: Mapping[str, Utility],
    upkeep: Upkeep,
    *,
    kept: Collection[str] = (),
) -> Iterator[Decision]:
    """Yield retirements until no more insights are left than the budget allows.

    Insights are gathered into pseudo-skills by likeness; from the largest goes the one that is most like the others and
    worth least: its mean cosine to them less its lift decides. An insight that stands alone goes only where all do.
    Those that are pinned, or among `kept`, stay.
    """
    left = list(library.insights.values())
    alike = likeness(left, cache)
    groups = clusters(alike, upkeep.cluster)
    over = len(left) - upkeep.budget
    free = {n for n, one in enumerate(left) if not one.pinned and one.id not in kept}
    for _ in range(max(0, over)):
        candidates = [[n for n in group if n in free] for group in groups]
        sizes = [len(group) if some else 0 for group, some in zip(groups, candidates, strict=True)]
        if not any(sizes):
            return
        largest = max(sizes)
        choice = [
            (n, group) for group, some in zip(groups, candidates, strict=True) if len(group) == largest for n in some
        ]
        number, group = max(
            choice, key=lambda one: _crowded(one[0], one[1], alike) - _worth(left[one[0]].id, worth, upkeep)
        )
        group.remove(number)
        free.discard(number)
        one = left[number]
        crowd = f"{largest - 1} others say nearly that" if largest > 1 else "it is worth least of those left"
        edit = Edit(changes=(RetireInsight(id=one.id),), why=f"{one.id}: beyond the budget of {upkeep.budget}")
        yield Decision(edit=edit, accepted=True, reason=f"accepted: {crowd}")


def useless(library: Library, upkeep: Upkeep, *, kept: Collection[str] = ()) -> Iterator[Decision]:
    """Yield the retirement of every demonstration from which a weaker student gained nothing.

    Those that belong to a skill of the library, or are among `kept`, stay.
    """
    stay = {*kept, *(example_of(name) for name in library.skills)}
    for key in library.demonstrations:
        if key not in stay and (gain := upkeep.taught.get(key, 1.0)) <= 0:
            edit = Edit(
                changes=(RetireDemonstration(id=key),), why=f"{key}: a weaker student gains {gain:+.2f} from it"
            )
            yield Decision(edit=edit, accepted=True, reason="accepted: it teaches nothing")


def clusters(alike: NDArray[np.float64], least: float) -> list[list[int]]:
    """Return groups of indices: average linkage, cut where groups are less alike than `least`; shape (n, n) in."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(alike) < 2:
        return [[n] for n in range(len(alike))]
    apart = np.clip(1.0 - alike, 0.0, 2.0)
    np.fill_diagonal(apart, 0.0)
    marks = fcluster(linkage(squareform(apart, checks=False), "average"), 1.0 - least, "distance")
    return [[int(n) for n in np.flatnonzero(marks == mark)] for mark in sorted(set(marks))]


def _crowded(number: int, group: Sequence[int], alike: NDArray[np.float64]) -> float:
    others = [n for n in group if n != number]
    return float(alike[number, others].mean()) if others else 0.0


def _worth(key: str, worth: Mapping[str, Utility], upkeep: Upkeep) -> float:
    return upkeep.taught.get(key, worth[key].lift if key in worth else 0.0)


def _pairs(library: Library, cache: VectorCache, least: float) -> list[tuple[Insight, Insight, float]]:
    """Return the pairs of insights of one world whose texts are at least so alike, the most alike first."""
    insights = list(library.insights.values())
    alike = likeness(insights, cache)
    near = [
        (insights[a], insights[b], float(alike[a, b]))
        for a, b in combinations(range(len(insights)), 2)
        if alike[a, b] >= least and _world(insights[a]) == _world(insights[b])
    ]
    return sorted(near, key=lambda one: -one[2])


def _world(insight: Insight) -> str:
    return insight.taxonomy.partition("/")[0]
