"""Recall: what the library answers to a question that the agent asks in the middle of an episode.

Source: a memory that is queried by an explicit action (LMEE). The answer is what stands in the library, nothing is made
up: the nearest insights, and the steps of the nearest skill.
"""

from __future__ import annotations

from skillagent.library import Library
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.route import Thresholds, route
from skillagent.schema import Plan, Recalled

_INSIGHTS = 3
_RELATED = 2  # that those name: knowing what is near and not the same tells when which holds
_LONGEST = 1_200  # characters
_NEAR = 0.3


def recall(question: str, library: Library, *, catalogue: Catalogue) -> Recalled:
    """Return what is known that is near the question, and what it stands in; nothing where nothing is.

    After the nearest insights come those that they are related to, one hop from them and no further. What there is no
    room left for is neither told nor named.
    """
    plan = Plan(goal=question)
    limits = Thresholds(insight=_NEAR, insights=_INSIGHTS)
    found = route(plan, library, catalogue=catalogue, thresholds=limits)
    insights = [library.insights[one.id] for one in found.insights[0]]
    hop = dict.fromkeys(key for insight in insights for key in insight.related if key in library.insights)
    insights += [library.insights[key] for key in hop if library.insights[key] not in insights][:_RELATED]
    skills = [library.skills[one.id] for one in found.considered[0][:1] if one.parts["text"] >= _NEAR]
    known = [(one.id, f"- {one.condition.applies}: {one.explanation}") for one in insights]
    known += [(skill.name, skill.body) for skill in skills]
    text, names = "", list[str]()
    for name, line in known:
        if len(text) < _LONGEST:
            text = f"{text}\n{line}".strip()
            names.append(name)
    return Recalled(text=text[:_LONGEST], of=tuple(names))
