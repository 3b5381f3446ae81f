"""Refine: a condition that was read too widely or too narrowly is written anew, and kept only if retrieval gets better.

Every wording is scored by replaying retrieval alone, on the goals for which replays of tasks said what the insight
does: shown where it solves the task, not shown where it misleads. No task is tried again, and no wording is believed.
The best of those that leave what other goals are shown is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from skillagent.errors import PromptTooLong
from skillagent.goals import shape
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.prompts import fence, render
from skillagent.schema import (
    Attempted,
    Condition,
    Decided,
    Decision,
    Edit,
    Event,
    Insight,
    Json,
    Label,
    Labelled,
    Message,
    PutInsight,
    Role,
    Split,
    Value,
    digest_of,
)

Shown = Callable[[str, Library], Sequence[str]]

WORDINGS = 5
LONGEST = 400  # characters of either side of a condition
STEADY = 0.9  # share of what other goals were shown that must stay
_RECENT = 50
_NAMED = 4  # goals that a condition or a prompt names
_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "applies": {"type": "string", "maxLength": 160},
        "does_not_apply": {"type": "string", "maxLength": 160},
    },
    "required": ["applies", "does_not_apply"],
    "additionalProperties": False,
}


class Goals(Value):
    """The goals on which an insight is known to help, and those on which showing it is no use or worse."""

    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.right, *self.wrong)


def goals_of(key: str, events: Iterable[Event]) -> Goals:
    """Return what the ledger's labels say about an insight, the latest word on each goal.

    That it was not followed says nothing about its condition, unless it was followed elsewhere and helped: then it is
    known that it can be, and that it was not on this goal says that it is for others.
    """
    said: dict[str, Label] = {}
    for event in events:
        if isinstance(entry := event.entry, Labelled) and key in entry.labels:
            said[entry.goal] = entry.labels[key]
    right = tuple(goal for goal, label in said.items() if label in (Label.POSITIVE, Label.UNRETRIEVED))
    useless = (Label.NEGATIVE, Label.IRRELEVANT, *([Label.INVALID] if right else []))
    return Goals(right=right, wrong=tuple(goal for goal, label in said.items() if label in useless))


def hits(insight: Insight, goals: Goals, library: Library, shown: Shown) -> float:
    """Return the share of goals on which an insight is shown exactly where it should be.

    Args:
        insight: Takes the place of the one of its id in the library.
        goals: Must not be empty.
        library: What it competes with.
        shown: The insights that a library shows for a goal.
    """
    tried = _with(library, insight)
    right = sum(insight.id in shown(goal, tried) for goal in goals.right)
    return (right + sum(insight.id not in shown(goal, tried) for goal in goals.wrong)) / len(goals.known)


def refined(
    library: Library, events: Sequence[Event], shown: Shown, *, llm: LLM, wordings: int = WORDINGS
) -> Iterator[Decision]:
    """Yield, as `refine` returns it, the decision on every insight's condition that is not pinned."""
    free = [insight for insight in library.insights.values() if not insight.pinned]
    said = (refine(insight, library, events, shown, llm=llm, wordings=wordings) for insight in free)
    return (decision for decision in said if decision is not None)


def refine(
    insight: Insight, library: Library, events: Sequence[Event], shown: Shown, *, llm: LLM, wordings: int = WORDINGS
) -> Decision | None:
    """Return the decision on the best new condition; None where nothing speaks against today's.

    Args:
        insight: One of the library's.
        library: As it is.
        events: The ledger.
        shown: The insights that a library shows for a goal.
        llm: Words conditions; others are made from the goals themselves.
        wordings: How many are asked for.
    """
    goals = goals_of(insight.id, events)
    if not goals.known or (now := hits(insight, goals, library, shown)) == 1.0:
        return None
    meant = {shape(goal) for goal in goals.known}  # what is told there is to change on all goals of that shape
    others = [goal for goal in recent_goals(events) if shape(goal) not in meant]
    told = f"{insight.id}: shown where it should be on {now:.0%} of {len(goals.known)} goals ({goals.digest[:6]})"
    if (last := last_said(told, events)) is not None and _stands(last, library, shown, others):
        return None  # nothing was learnt since
    try:
        tried = [insight.model_copy(update={"condition": one}) for one in _conditions(insight, goals, llm, wordings)]
    except PromptTooLong:
        return None
    scored = sorted(((hits(one, goals, library, shown), one) for one in tried), key=lambda pair: -pair[0])
    edits = [Edit(changes=(PutInsight(insight=one, base=insight.digest),), why=told) for _, one in scored]
    if scored[0][0] <= now:
        return Decision(edit=edits[0], accepted=False, reason=f"refused: no wording of {len(tried)} does better")
    kept = list[float]()
    for (score, one), edit in zip(scored, edits, strict=True):
        if score <= now:
            break
        kept.append(steadiness(_with(library, one), library, shown, others))
        if kept[-1] >= STEADY:
            return Decision(edit=edit, accepted=True, reason=f"accepted: {score:.0%} with the new condition")
    which = f"with each of {len(kept)} better wordings" if len(kept) > 1 else "with the better wording"
    reason = f"refused: other goals would be shown other insights {which} (at best {max(kept):.0%} the same)"
    return Decision(edit=edits[0], accepted=False, reason=reason, final=False)


def _stands(last: Decision, library: Library, shown: Shown, others: Sequence[str]) -> bool:
    """Tell whether it is a refusal that holds still: for good, or because other goals would be moved now too."""
    if last.accepted:
        return False
    better = [one.insight for one in last.edit.changes if isinstance(one, PutInsight)]
    return last.final or any(steadiness(_with(library, one), library, shown, others) < STEADY for one in better)


def last_said(why: str, events: Iterable[Event]) -> Decision | None:
    """Return the last decision on an edit that was proposed for this reason."""
    decisions = [event.entry.decision for event in events if isinstance(event.entry, Decided)]
    return next((one for one in reversed(decisions) if one.edit.why == why), None)


def steadiness(after: Library, before: Library, shown: Shown, goals: Sequence[str]) -> float:
    """Return how much of what goals are shown stays the same, between 0 and 1, on average; 1 without goals.

    A goal that is shown nothing either way does not count: many such would hide what moves on the others.
    """
    shares = []
    for goal in goals:
        old, new = set(shown(goal, before)), set(shown(goal, after))
        if old | new:
            shares.append(len(old & new) / len(old | new))
    return sum(shares) / len(shares) if shares else 1.0


def recent_goals(events: Sequence[Event]) -> list[str]:
    """Return the goals that were last tried, each once and the latest first; none of a holdout seed."""
    entries = [event.entry for event in events if isinstance(event.entry, Attempted | Labelled)]
    told = [entry.goal for entry in reversed(entries) if entry.task.split is not Split.HOLDOUT]
    return [goal for goal in dict.fromkeys(told) if goal][:_RECENT]


def _conditions(insight: Insight, goals: Goals, llm: LLM, wordings: int) -> Iterator[Condition]:
    """Yield wordings, each once: those made of the goals themselves, then the model's.

    Several goals in one exception blur what it is near to, so each is one by itself too.
    """
    own, like = insight.condition, like_goals(goals.right)
    found = dict[Condition, None]()
    for unlike in dict.fromkeys([like_goals(goals.wrong), *(like_goals([goal]) for goal in goals.wrong[-_NAMED:])]):
        found[Condition(applies=own.applies, does_not_apply=unlike or own.does_not_apply)] = None
        found[Condition(applies=like or own.applies, does_not_apply=unlike)] = None
    yield from found
    prompt = render(
        "refine",
        insight=fence("insight", f"{insight.condition.applies}: {insight.explanation}"),
        right=fence("right", "\n".join(goals.right[:_NAMED]) or "(none is known)"),
        wrong=fence("wrong", "\n".join(goals.wrong[:_NAMED]) or "(none is known)"),
    )
    seed = int(digest_of(prompt), 16) % 10_000
    for number in range(wordings):
        reply = llm.reply(
            [Message.user(prompt)],
            role=Role.REFLECTOR,
            schema=_SCHEMA,
            temperature=0.0 if number == 0 else 0.7,
            seed=seed + number,
            max_tokens=200,
        )
        said = reply.data or {}
        one = Condition(applies=str(said.get("applies", "")), does_not_apply=str(said.get("does_not_apply", "")))
        if one.applies.strip() and one not in found:
            found[one] = None
            yield one


def like_goals(goals: Sequence[str]) -> str:
    """Return a side of a condition that names goals without their values."""
    shapes = list(dict.fromkeys(shape(goal) for goal in goals))[:_NAMED]
    return f"When the goal is like: {' / '.join(shapes)}"[:LONGEST] if shapes else ""


def _with(library: Library, insight: Insight) -> Library:
    now = library.insights.get(insight.id)
    return library.with_change(PutInsight(insight=insight, base=now.digest if now else None))
