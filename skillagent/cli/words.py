"""Words: the package's values as short lines for a person and as small objects for a program.

Both are made here, next to each other, so that a text and its `--json` say the same. Nothing is printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from skillagent.cli.output import shorten
from skillagent.schema import (
    Attempt,
    Change,
    Decision,
    Edit,
    Json,
    Label,
    Labelled,
    Lesson,
    Mended,
    Observation,
    Pair,
    Plan,
    PutDemonstration,
    PutInsight,
    PutSkill,
    Ranked,
    Replanned,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
    Route,
    Score,
    Step,
    Usage,
    Value,
    Verdict,
    Wandered,
)

if TYPE_CHECKING:
    from pydantic import JsonValue

    from skillagent.library import Library

_WIDTH = 160


def of_change(change: Change) -> str:
    """Say what a change does, e.g. `skill log-in v2 (was v1)`."""
    match change:
        case PutSkill(skill=skill, base=None):
            return f"skill {skill.name} v{skill.version} ({'new' if skill.version == 1 else 'back'})"
        case PutSkill(skill=skill, base=base):
            return f"skill {skill.name} v{skill.version} (was v{base})"
        case RetireSkill(name=name, base=base):
            return f"without skill {name} (was v{base})"
        case PutInsight(insight=insight, base=base):
            return f"insight {insight.id} ({'new' if base is None else 'changed'})"
        case RetireInsight(id=key):
            return f"without insight {key}"
        case PutDemonstration(demonstration=demonstration):
            return f"example {demonstration.id}"
        case RetireDemonstration(id=key):
            return f"without example {key}"


def of_changes(changes: Sequence[Change]) -> str:
    """Say what several changes do together."""
    return ", ".join(of_change(change) for change in changes)


def of_undone(changes: Sequence[Change], library: Library) -> str:
    """Say what changes do to a library; where only an insight's links change, that they do."""
    return ", ".join(_of_links(change, library) or of_change(change) for change in changes)


def _of_links(change: Change, library: Library) -> str:
    if not isinstance(change, PutInsight) or (held := library.insights.get(change.key)) is None:
        return ""
    linked = held.model_copy(update={"related": change.insight.related})
    return f"{change.key}'s links" if linked == change.insight else ""


def undo_of(change: Change) -> str:
    """The command that undoes a change."""
    match change:
        case PutSkill(skill=skill):
            return f"skillagent skills rollback {skill.name}"
        case RetireSkill(name=name):
            return f"skillagent skills rollback {name}"
        case PutInsight(insight=insight):
            return f"skillagent insights rollback {insight.id}"
        case RetireInsight(id=key) | RetireDemonstration(id=key):
            return f"skillagent insights rollback {key}"
        case PutDemonstration(demonstration=demonstration):
            return f"skillagent insights rollback {demonstration.id}"


def of_score(score: Score | None) -> str:
    """A score as a number, or the word `unscored`."""
    return "unscored" if score is None else f"{score.value:.3g}"


def of_pair(pair: Pair) -> str:
    """One replay with and without the edit."""
    alone = {"vain": "in vain", "spared": "for nothing, the model was spared"}
    told = f"{of_score(pair.before)} → {of_score(pair.after)}  {pair.outcome}"
    if pair.outcome in alone:
        told = f"{of_score(pair.after)}  {alone[pair.outcome]}"
    return f"{pair.task.id}@{pair.task.seed}  {told}"


def tally(pairs: Sequence[Pair]) -> str:
    """Count wins, losses and ties, and pairs in vain, spared and dropped ones where there are any."""
    kinds = ("win", "loss", "tie", "vain", "spared", "dropped")
    counts = {kind: sum(pair.outcome == kind for pair in pairs) for kind in kinds}
    text = f"{counts['win']} won, {counts['loss']} lost, {counts['tie']} tied"
    text += f", {counts['vain']} in vain" if counts["vain"] else ""
    text += f", {counts['spared']} spared" if counts["spared"] else ""
    return text + (f", {counts['dropped']} dropped" if counts["dropped"] else "")


def of_usage(usage: Usage) -> str:
    """What was spent, e.g. `12,345 tokens, 41 s`."""
    parts = [f"{usage.tokens_in + usage.tokens_out:,} tokens"]
    if usage.cost_usd:
        parts.append(f"${usage.cost_usd:.4f}")
    return ", ".join([*parts, f"{usage.seconds:.0f} s of model time"])


def of_ranked(one: Ranked) -> str:
    """One candidate with its version and what decides whether it is shown: a chance, and cosines."""
    version = f" v{one.version}" if one.version is not None else ""
    parts = [f"{name} {one.parts[name]:.2f}" for name in ("chance", "solved", "text") if name in one.parts]
    return f"{one.id}{version} [{', '.join(parts) or f'{one.score:.2f}'}]"


def of_route(route: Route) -> str:
    """What was chosen, or the nearest that was not."""
    kinds = (("", route.skills), ("insight ", route.insights), ("example ", route.demonstrations))
    chosen = [f"{kind}{of_ranked(one)}" for kind, parts in kinds for part in parts for one in part]
    if chosen:
        return ", ".join(dict.fromkeys(chosen))
    nearest = [part[0] for part in route.considered if part]
    return (
        f"nothing fits (nearest: {of_ranked(nearest[0])})"
        if nearest
        else "nothing fits (no skill is for this environment)"
    )


def of_plan(plan: Plan) -> str:
    """The subgoals in order."""
    if plan.covered:
        return "one skill covers the goal"
    parts = (f"{part.text} (lacks a skill: {part.wanted})" if part.wanted else part.text for part in plan.subgoals)
    return "; ".join(f"{n}. {part}" for n, part in enumerate(parts, start=1))


def of_step(step: Step) -> str:
    """The action, what it acted on, and what went wrong or what it did."""
    target = f"  ({step.target.role} {step.target.name or step.target.near!r})" if step.target else ""
    by = "" if step.by == "model" else f"  [{step.by}]"
    came = f"  ✗ {step.error}" if step.error else f"  {step.note}" if step.note else ""
    return shorten(f"{step.action}{target}{by}{came}", _WIDTH)


def of_verdict(verdict: Verdict) -> str:
    """How it went, and who says so."""
    word = {True: "success", False: "failure", None: "unscored"}[verdict.success]
    partial = f" (score {verdict.score:.2f})" if verdict.score not in (None, 0.0, 1.0) else ""
    return f"{word}{partial}: {verdict.reason}" if verdict.reason else word


def of_labels(labels: Mapping[str, Label]) -> str:
    """What replays of a failed task said about insights."""
    return ", ".join(f"insight {key} is {label.value}" for key, label in labels.items())


def of_wandered(value: Wandered) -> str:
    """What came of trying by chance, without the model."""
    how = "not solved" if value.steps is None else f"solved, steps: {value.steps}"
    return f"seed {value.task.seed}: {how}; tries without the model: {value.tries}, {value.seconds:.0f} s"


def of_mended(value: Mended) -> str:
    """What came of correcting a failed try."""
    how = "not solved" if value.steps is None else f"solved, steps: {value.steps}"
    vain = f", refused before they were done: {value.refused}" if value.refused else ""
    return f"seed {value.task.seed}: {how}; rounds: {value.rounds}{vain}"


def of_decision(decision: Decision) -> str:
    """Accepted or refused, with the reason and the chance of luck.

    The chance is that of the wins; what was accepted without one, for its lower cost, does not rest on it.
    """
    word = "accepted" if decision.accepted else "refused"
    reason = decision.reason.removeprefix(f"{word}: ")
    by_cost = decision.accepted and not any(pair.outcome == "win" for pair in decision.pairs)
    known = decision.p_value is not None and decision.pairs and not by_cost
    p = f", p ≤ {min(1.0, decision.p_value or 0.0):.2g}" if known else ""
    return f"{word}: {reason}{p}"


# ── The same for programs ────────────────────────────────────────────────────────────────────────────────────────────


def event_of(value: Value) -> Json | None:
    """Return a value as one event of `--json`, or None for what a program does not need."""
    match value:
        case Observation():
            return {"event": "start", "goal": value.goal, "url": value.url}
        case Plan():
            wanted: list[JsonValue] = [part.wanted for part in value.subgoals if part.wanted]
            texts: list[JsonValue] = [part.text for part in value.subgoals]
            return {"event": "plan", "covered": value.covered, "subgoals": texts, "wanted": wanted}
        case Replanned():
            return {**(event_of(value.plan) or {}), "event": "replan", "why": value.why, **route_json(value.route)}
        case Route():
            return {"event": "route", **route_json(value)}
        case Step():
            return {
                "event": "step",
                "action": str(value.action),
                "verb": value.action.verb,
                "arguments": dict(value.action.arguments),
                "target": f"{value.target.role} {value.target.name}" if value.target else None,
                "error": value.error,
                "note": value.note,
                "reward": value.reward,
                "by": value.by,
            }
        case Verdict():
            return {"event": "verdict", "success": value.success, **value.model_dump(mode="json")}
        case Labelled():
            return {
                "event": "labelled",
                "attempt": value.attempt,
                "labels": {k: v.value for k, v in value.labels.items()},
            }
        case Lesson():
            return {"event": "lesson", "cause": value.cause.value, "summary": value.summary, "skill": value.skill}
        case Edit():
            return {"event": "edit", "changes": [of_change(change) for change in value.changes], "why": value.why}
        case Pair():
            return {"event": "pair", **pair_json(value)}
        case Decision():
            return {"event": "decision", **decision_json(value)}
        case Wandered():
            told = value.model_dump(mode="json", exclude={"task"})
            return {"event": "wandered", "task": value.task.id, "seed": value.task.seed, **told}
        case Mended():
            told = value.model_dump(mode="json", exclude={"task"})
            return {"event": "mended", "task": value.task.id, "seed": value.task.seed, **told}
        case Attempt():
            return {"event": "attempt", **attempt_json(value)}
        case _:
            return None


def route_json(route: Route) -> Json:
    """Chosen ids with scores, and the best that were considered."""

    def parts(kind: Sequence[Sequence[Ranked]]) -> list[JsonValue]:
        return [one.model_dump(mode="json") for part in kind for one in part]

    return {
        "skills": parts(route.skills),
        "insights": parts(route.insights),
        "demonstrations": parts(route.demonstrations),
        "considered": parts(route.considered),
    }


def pair_json(pair: Pair) -> Json:
    """Task, seed and both sides."""
    return {
        "task": pair.task.id,
        "seed": pair.task.seed,
        "before": pair.before.model_dump(mode="json") if pair.before else None,
        "after": pair.after.model_dump(mode="json") if pair.after else None,
        "outcome": pair.outcome,
    }


def decision_json(decision: Decision) -> Json:
    """The decision with its pairs and what it cost."""
    return {
        "accepted": decision.accepted,
        "reason": decision.reason,
        "changes": [of_change(change) for change in decision.edit.changes],
        "why": decision.edit.why,
        "wins": decision.count("win"),
        "losses": decision.count("loss"),
        "ties": decision.count("tie"),
        "vain": decision.count("vain"),
        "spared": decision.count("spared"),
        "dropped": decision.count("dropped"),
        "p_value": decision.p_value,
        "pairs": [pair_json(pair) for pair in decision.pairs],
        "rehearsed": [pair_json(pair) for pair in decision.rehearsed],
        "usage": decision.usage.model_dump(mode="json"),
    }


def attempt_json(attempt: Attempt) -> Json:
    """One try with its verdict and what it cost."""
    trajectory = attempt.trajectory
    return {
        "id": attempt.id,
        "task": trajectory.task.id,
        "seed": trajectory.task.seed,
        "goal": trajectory.goal,
        "success": attempt.verdict.success,
        "score": attempt.verdict.score,
        "judged_by": attempt.verdict.by,
        "reason": attempt.verdict.reason,
        "void": trajectory.void,
        "steps": len(trajectory.steps),
        "model_free_steps": trajectory.model_free_steps,
        "programs": list(trajectory.programs),
        "surprise": trajectory.surprise,
        "answer": trajectory.answer,
        "usage": trajectory.usage.model_dump(mode="json"),
        "seconds": trajectory.seconds.model_dump(mode="json"),
    }
