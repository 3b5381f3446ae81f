"""Route: which skills, insights and one demonstration to show for each subgoal, or none.

Candidates are ordered by fused z-scores, and one whose program knows a goal of this form comes first. Whether the best
of them is shown at all is decided on an absolute scale: how near the goal is to a goal that the item has solved, or to
the item's own text. A skill that does not fit costs tokens and misleads a small model, so abstaining is the default.
A goal that a program's pattern fits word for word needs no likeness: values of another length are unlike, and the form
is the same. An insight's condition has two sides: one whose exception is nearer the goal than what it says is left out.
Returns ids; reads nothing but the library.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from skillagent.errors import InvalidSkill
from skillagent.library import Library
from skillagent.ports import VectorCache
from skillagent.programs.template import form_of
from skillagent.programs.text import program_of
from skillagent.routing.dense import similarities
from skillagent.routing.fuse import fuse
from skillagent.routing.lexical import bm25_scores
from skillagent.schema import Insight, Plan, Ranked, Route, Skill, Value


class Thresholds(Value):
    """Cosines from which an item is shown. Where the numbers come from: `evals/LOG.md`."""

    solved: float = Field(default=0.85, description="to the nearest goal that the item has solved")
    text: float = Field(default=0.60, description="to the item's own text")
    insight: float = Field(default=0.50, description="to an insight's condition")
    covers: float = Field(default=0.90, description="from here on one skill covers the whole goal")
    form: int = Field(
        default=12, description="letters that a program's pattern fixes of a goal, to be enough by itself"
    )
    share: float = Field(default=0.5, description="of a goal's letters that are as telling, however few they are")
    skills: int = 1
    programs: int = Field(default=3, description="skills that may run, each where the one before does not fit the page")
    insights: int = 3


WEIGHTS = {"words": 0.4, "text": 1.0, "solved": 1.0}


def route(plan: Plan, library: Library, *, cache: VectorCache, thresholds: Thresholds | None = None) -> Route:
    """Return what the library offers for each subgoal of the plan, best first; ids only."""
    limits = thresholds or Thresholds()
    parts = [_for_goal(subgoal.text, library, cache, limits) for subgoal in plan.subgoals]
    skills, insights, demonstrations, considered = zip(*parts, strict=True)
    return Route(skills=skills, insights=insights, demonstrations=demonstrations, considered=considered)


def covers(goal: str, library: Library, *, cache: VectorCache, thresholds: Thresholds | None = None) -> bool:
    """Tell whether one skill has solved a goal of this very shape, or nearly so, or its program is for such goals."""
    limits = thresholds or Thresholds()
    skills = list(library.skills.values())
    if form(goal, library, thresholds=limits):
        return True
    _, solved = similarities(goal, [skill_text(s) for s in skills], [s.goals for s in skills], cache)
    return bool((solved >= limits.covers).any())


def form(goal: str, library: Library, *, thresholds: Thresholds | None = None) -> int:
    """Return how many letters of a goal the pattern of some program fixes; 0 where none says enough by itself."""
    limits = thresholds or Thresholds()
    known = _running(goal, list(library.skills.values())).values()
    return max((letters for letters in known if _telling(letters, goal, limits)), default=0)


def nearest_skills(goal: str, library: Library, *, cache: VectorCache) -> list[Skill]:
    """Return the library's skills, those first that have solved goals most like this one, or else say most like it."""
    skills = list(library.skills.values())
    text, solved = similarities(goal, [skill_text(s) for s in skills], [s.goals for s in skills], cache)
    order = np.argsort(-np.maximum(text, solved), kind="stable")
    return [skills[n] for n in order]


def skill_text(skill: Skill) -> str:
    """Return what a skill is searched by: the whole of it, the telling parts first."""
    return "\n".join([skill.name.replace("-", " "), skill.description, *skill.goals[:3], skill.body])


def _for_goal(
    goal: str, library: Library, cache: VectorCache, limits: Thresholds
) -> tuple[tuple[Ranked, ...], tuple[Ranked, ...], tuple[Ranked, ...], tuple[Ranked, ...]]:
    skills = list(library.skills.values())
    ranked = _rank(
        goal,
        [skill.name for skill in skills],
        [skill_text(skill) for skill in skills],
        [skill.goals for skill in skills],
        cache,
        versions=[skill.version for skill in skills],
    )
    chosen = [r for r in ranked if r.parts["solved"] >= limits.solved or r.parts["text"] >= limits.text]
    like, runs = {r.id for r in chosen}, _running(goal, skills)
    fit = [r for r in ranked if r.id in runs and (r.id in like or _telling(runs[r.id], goal, limits))]
    running = sorted(fit, key=lambda r: -runs[r.id])  # stable: equals keep their order
    chosen = running[: limits.programs] or chosen[: limits.skills]
    insights = list(library.insights.values())
    known = _rank(goal, [i.id for i in insights], [_insight_text(i) for i in insights], [()] * len(insights), cache)
    exceptions = _exceptions(goal, insights, cache) if limits.insight > -1 else {}  # from -1 on, all are shown
    fitting = [r for r in known if limits.insight <= r.parts["text"] >= exceptions.get(r.id, -1.0)]
    demos = list(library.demonstrations.values())
    shown = _rank(goal, [d.id for d in demos], [d.goal for d in demos], [(d.goal,) for d in demos], cache)
    similar = [r for r in shown if r.parts["solved"] >= limits.solved]
    return tuple(chosen), tuple(fitting[: limits.insights]), tuple(similar[:1]), tuple(ranked[:3])


def _telling(letters: int, goal: str, limits: Thresholds) -> bool:
    """Tell whether a pattern that fixes so many letters of a goal says enough by itself."""
    return letters >= min(limits.form, limits.share * len(goal))


def _running(goal: str, skills: Sequence[Skill]) -> dict[str, int]:
    """Return those whose programs know a goal of this very form, and how many letters of it are the form's."""
    found = {}
    for skill in skills:
        try:
            program = program_of(skill)
        except InvalidSkill:
            continue  # its words are still of use
        if program is not None and (known := form_of(program.goals, goal)):
            found[skill.name] = known
    return found


def _rank(
    goal: str,
    ids: Sequence[str],
    texts: Sequence[str],
    solved: Sequence[Sequence[str]],
    cache: VectorCache,
    versions: Sequence[int] | None = None,
) -> list[Ranked]:
    text, near = similarities(goal, texts, solved, cache)
    scores = {"words": bm25_scores(goal, texts), "text": text, "solved": near}
    order = sorted(enumerate(fuse(scores, WEIGHTS)), key=lambda pair: (-pair[1], ids[pair[0]]))
    return [
        Ranked(
            id=ids[i],
            score=float(score),
            parts={name: float(values[i]) for name, values in scores.items()},
            version=versions[i] if versions else None,
        )
        for i, score in order
    ]


def _exceptions(goal: str, insights: Sequence[Insight], cache: VectorCache) -> dict[str, float]:
    """Return how near the goal is to what insights say they are not for; those that say nothing of it are left out."""
    said = {one.id: text for one in insights if (text := one.condition.does_not_apply.strip())}
    near, _ = similarities(goal, list(said.values()), [()] * len(said), cache)
    return dict(zip(said, near.tolist(), strict=True))


def _insight_text(insight: Insight) -> str:
    return f"{insight.condition.applies} {insight.explanation} {insight.example}"
