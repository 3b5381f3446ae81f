"""Distinguish: what a new insight says that those near it do not, and how they come to name each other.

Source: MulKI, which elicits the nearest knowledge, distinguishes what is new from it, and connects the two. The links
are part of the new insight's edit: one decision lets both in, and one undo takes both back. They change nothing that a
goal is shown; `Edit.proper` is the edit without them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skillagent.learning.curate import NEAREST, likeness, text_of
from skillagent.learning.trace import WORD
from skillagent.learning.wording import texts
from skillagent.library import Library
from skillagent.ports import LLM, VectorCache
from skillagent.prompts import fence, render
from skillagent.schema import Insight, Message, PutInsight, Role

Nearest = Callable[[Insight, Library], Sequence[Insight]]

_LENGTHS = {"differs": 160, "does_not_apply": 160}


def alone(_: Insight, __: Library) -> Sequence[Insight]:
    """Find nothing near."""
    return ()


def nearest(insight: Insight, library: Library, *, cache: VectorCache, least: float) -> list[Insight]:
    """Return the insights of the same world whose texts are at least so alike, the nearest first, at most three."""
    others = [one for one in library.insights.values() if _world(one) == _world(insight) and one.id != insight.id]
    alike = likeness([insight, *others], cache)[0, 1:].tolist()
    near = [(cosine, one) for cosine, one in zip(alike, others, strict=True) if cosine >= least]
    return [one for _, one in sorted(near, key=lambda pair: -pair[0])[:NEAREST]]


def distinguished(insight: Insight, near: Sequence[Insight], *, llm: LLM) -> Insight:
    """Return the new insight with the exception that tells it best from those near it: its own, or the model's.

    The better one says more words that are the others' and not its own; of two that say as many, its own.
    """
    if not near:
        return insight
    prompt = render(
        "distinguish",
        insight=fence("insight", _told(insight)),
        insights=fence("insights", "\n".join(f"- {_told(one)}" for one in near)),
    )
    data = llm.reply([Message.user(prompt)], role=Role.REFLECTOR, schema=texts(_LENGTHS), max_tokens=200).data or {}
    own, said = insight.condition.does_not_apply, str(data.get("does_not_apply", "")).strip()
    theirs = _words(" ".join(map(text_of, near))) - _words(text_of(insight))
    if not said or (own.strip() and len(_words(said) & theirs) <= len(_words(own) & theirs)):
        return insight
    condition = insight.condition.model_copy(update={"does_not_apply": said})
    return insight.model_copy(update={"condition": condition})


def connected(insight: Insight, near: Sequence[Insight]) -> tuple[PutInsight, ...]:
    """Return the changes that add the insight and let it and those near it name each other; pinned ones stay."""
    new = insight.model_copy(update={"related": tuple(one.id for one in near)})
    others = [one.model_copy(update={"related": (*one.related, insight.id)}) for one in near if not one.pinned]
    bases = [one.digest for one in near if not one.pinned]
    linked = [PutInsight(insight=one, base=base) for one, base in zip(others, bases, strict=True)]
    return (PutInsight(insight=new), *linked)


def _told(insight: Insight) -> str:
    condition = insight.condition
    exception = f" (not: {condition.does_not_apply})" if condition.does_not_apply else ""
    return f"{condition.applies}{exception}: {insight.explanation}"


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))


def _world(insight: Insight) -> str:
    return insight.taxonomy.partition("/")[0]
