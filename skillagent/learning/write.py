"""Write: from a lesson to edits, most promising first.

Steps, programs, names of elements and pitfalls are read off the trajectories; the model only names the skill, says what
it is for and when it applies. A model that writes out of form costs the nicer words, never the steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Literal, get_args

from pydantic import Field

from skillagent.errors import InvalidSkill
from skillagent.goals import clauses, shape
from skillagent.learning.demote import example_of, retired, words_only
from skillagent.learning.distinguish import Nearest, connected, distinguished
from skillagent.learning.distinguish import alone as unrelated
from skillagent.learning.explanation import explained
from skillagent.learning.induce import induce
from skillagent.learning.lint import lint
from skillagent.learning.prose import prose
from skillagent.learning.prove import has_hole, narrowed, proven, widened
from skillagent.learning.trace import COPIED_WORDS, instruct, instructions, shorten, useful_steps
from skillagent.learning.wording import kebab, plain_text, sentence, texts, whole_sentences
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.programs.template import filled_by
from skillagent.programs.text import FILE, dump, parse, program_of
from skillagent.prompts import fence, render
from skillagent.replies import as_reply
from skillagent.schema import (
    Attempt,
    Cause,
    Demonstration,
    Edit,
    Insight,
    KeyStep,
    Lesson,
    Message,
    Program,
    PutDemonstration,
    PutInsight,
    PutSkill,
    Role,
    Score,
    Skill,
    Split,
    Task,
    Trajectory,
    Value,
)

Alone = Callable[[Task, Library], Attempt]
Note = Literal["causal", "state-change", "subgoal", "construal"]
Notes = Mapping[Note, str]
_NOTES: tuple[Note, ...] = get_args(Note)

_ELEMENT = re.compile(r'^\[\w+\] (?:[^":]*"[^"]*" )?')  # as errors name it: [4] button "Save"
_KEPT_GOALS = 12
_SHOWN_STATE = 1_200
_VARIANTS = 4  # successes whose own programs are tried beside what all suggest
_TRIED = 10  # programs that are tried by themselves


class Induction(Value):
    """How programs are made of successes. Each part can be left out, to measure what it is worth.

    At most `most` programs are proposed for a lesson; 0: words alone. Each is tried by itself on `instances` practice
    instances first; the goals and first pages of `looks` more tell what varies. Without `anti_unify` each is made of a
    single success; without `ask` those with a hole for the model are not proposed; without `repair` a skill that failed
    is not revised, only demoted and retired.
    """

    most: int = Field(default=2, ge=0)
    instances: int = Field(default=5, ge=1)
    looks: int = Field(default=10, ge=0)
    anti_unify: bool = True
    ask: bool = True
    repair: bool = True


class Writing(Value):
    """What is written of a lesson. Without one of the two, the other is all that is learnt; without both, nothing."""

    skills: bool = True
    insights: bool = True


def write(
    lesson: Lesson,
    library: Library,
    alone: Alone,
    *,
    llm: LLM,
    induction: Induction | None = None,
    annotating: bool = False,
    writing: Writing | None = None,
    near: Nearest = unrelated,
) -> Iterator[Edit]:
    """Yield what the lesson suggests: a skill with its demonstration from a success, an insight from failures.

    A skill that runs comes first, by the programs that the successes suggest and that do best by themselves on practice
    seeds, then the same in words alone. Where the skill that is blamed has a program, which may be right for other
    goals, what does not replace it is proposed as a skill of its own. A skill under which nothing succeeded is proposed
    without its program, then not at all.
    Later edits are only written, and paid for, when asked for; none is of what the library does by itself by now.

    Args:
        lesson: What was seen.
        library: Whose names are taken, and which holds the skill that the lesson blames.
        alone: Tries a task with a library without ever asking the model; with an empty one it only looks.
        llm: Finds the words.
        induction: How programs are made.
        annotating: Let the model say of each demonstration what mattered in it.
        writing: What is written at all.
        near: Finds the insights of a library that say something near a new one.
    """
    how, writing = induction or Induction(), writing or Writing()
    if _learnt_since(lesson, library, alone):
        return
    if not writing.skills:
        pass
    elif lesson.success is not None:
        if how.repair or lesson.skill is None:
            noted = _notes(lesson.success, llm) if annotating else {}
            yield from _skill_edits(lesson, lesson.success, library, alone, llm, how, noted)
    elif lesson.skill and lesson.skill in library.skills:
        yield from _without(library.skills[lesson.skill], lesson, library)
    if not writing.insights or lesson.cause is Cause.EFFORT or lesson.known:
        return  # there is nothing to explain, or it is known
    insight = explained(lesson, library, llm=llm) if lesson.failures else None
    if insight is not None and insight.id not in library.insights:
        insight, others = _without_copies(insight, lesson), near(insight, library)
        changes = connected(distinguished(insight, others, llm=llm), others)
        yield Edit(changes=changes, why=lesson.summary, evidence=lesson.evidence)


def _learnt_since(lesson: Lesson, library: Library, alone: Alone) -> bool:
    """Tell whether all tries were made with an earlier library, and this one does every task by itself."""
    tries = [one for one in (lesson.success, *lesson.successes, *lesson.failures) if one is not None]
    if not (tries and library.skills) or any(one.library in ("", library.digest) for one in tries):
        return False
    return all(alone(task, library).verdict.success for task in {one.trajectory.task: None for one in tries})


def _without_copies(insight: Insight, lesson: Lesson) -> Insight:
    """Return the insight, without what worked where only that is not to be kept: say, a sentence of a page."""

    def fits(one: Insight) -> bool:
        return lint(Edit(changes=(PutInsight(insight=one),), why=""), lesson, Library(), ()) is None

    bare = insight.model_copy(update={"worked": ()})
    return bare if not fits(insight) and fits(bare) else insight


def _skill_edits(
    lesson: Lesson, success: Attempt, library: Library, alone: Alone, llm: LLM, how: Induction, notes: Notes
) -> Iterator[Edit]:
    """Yield the edits that create a skill from a success, or revise the skill that the lesson blames."""
    trajectory = success.trajectory
    steps = instructions(useful_steps(trajectory), trajectory.goal)
    old = library.skills.get(lesson.skill) if lesson.skill else None
    words, played, proposed = _words(trajectory.goal, steps, llm), dict[str, Attempt](), list[Program]()

    def edited(program: Program, old: Skill | None) -> Edit:
        whole, shown = _with_known_goals(program, old), played.get(program.digest, success)
        return _skill_edit(lesson, shown, notes, words, prose(whole), old, library, {FILE: dump(whole)})

    def tries(program: Program, task: Task) -> Score | None:
        tried = alone(task, Library().apply(_as_new(edited(program, old))))
        if tried.trajectory.void is not None:
            return None
        ended = tried.trajectory.terminated or not trajectory.terminated  # who says `done` says it in the program too
        if ended and tried.verdict.success and len(tried.trajectory.steps) < len(useful_steps(trajectory)):
            played[program.digest] = tried  # without detours, and seen to succeed: the better example
        # Where it stopped before the end there is no score yet: it has not solved the task.
        return Score(value=(tried.verdict.score or 0.0) if ended else 0.0, steps=len(tried.trajectory.steps))

    if how.most:
        own_kind = [one.trajectory for one in lesson.successes or (success,)]
        solved = [*own_kind, *(one.trajectory for one in lesson.others)]
        failed = [one.trajectory for one in lesson.failures]
        tasks, tried = practice_tasks(solved, failed, how.instances), {one.task for one in (*solved, *failed)}
        others = more = failed
        if how.anti_unify:
            seen = practice_tasks(solved, failed, how.instances + how.looks)
            looks = {task: alone(task, Library()).trajectory for task in seen if task not in tried}
            more = [*failed, *(one for one in looks.values() if one.void is None)]
            others = [one for one in more if one.task in (*tasks, *tried)]
        found = _found(own_kind, more, how, beside=solved[len(own_kind) :])
        wide = [(one, wider) for one in found if (wider := widened(one, others)) is not None]
        bases = {wider.digest: one for one, wider in wide}
        sound = [
            one
            for one in [*found, *(wider for _, wider in wide)]
            if lint(_as_new(edited(one, old)), lesson, Library(), ()) is None
        ]
        for program in proven(sound, tasks, tries, seen={one.task for one in solved}, most=how.most):
            base = bases.get(program.digest)
            made_of = [one.task for one in solved]
            proposed.append(program if base is None else narrowed(program, base, others, tries, sources=made_of))
            yield edited(proposed[-1], old)
    own = None if old is not None and FILE in old.files else old  # words alone never take the place of a program
    if own is not old and proposed:
        yield edited(proposed[0], own)
    if lesson.cause is not Cause.EFFORT:
        yield _skill_edit(lesson, success, notes, words, steps, own, library, {})


def _found(
    solved: Sequence[Trajectory], others: Sequence[Trajectory], how: Induction, beside: Sequence[Trajectory] = ()
) -> list[Program]:
    """Return the programs that the successes suggest, the most plausible first; others tell what varies.

    Successes beside them asked in other words or for something else: what is for no part of the own goals is left out.
    """
    enough = _TRIED if how.ask else 3 * _TRIED
    if how.anti_unify:  # what single successes suggest is for goals of their own wording, should those be of two kinds
        many = len(solved) + len(beside) > 1
        alone = [one for success in solved[:_VARIANTS] for one in induce([success], most=1)] if many else []
        least = enough - len(alone)
        proposed = [*induce([*solved, *beside], others, most=least * 3 if beside else least), *alone]
    else:  # the best of each success, then the second best
        each = [induce([one], most=enough) for one in solved]
        proposed = [one for rank in zip_longest(*each) for one in rank if one is not None]
    goals = {part for one in solved for parts in ((one.goal,), *clauses(one.goal)) for part in parts}
    own = [one.program for one in proposed if any(filled_by(one.program.goals, goal) is not None for goal in goals)]
    found = {one.digest: one for one in own if how.ask or not has_hole(one.steps)}
    return [*found.values()][:_TRIED]


def practice_tasks(solved: Sequence[Trajectory], failed: Sequence[Trajectory], most: int) -> list[Task]:
    """Return the instances that were tried, then the next ones of the same task; solved ones first."""
    known = list(dict.fromkeys(one.task for one in (*solved, *failed)))
    last = max(known, key=lambda task: task.seed)
    following = (last.model_copy(update={"seed": last.seed + n}) for n in range(1, most + 1))
    fresh = [task for task in following if task.split is Split.PRACTICE]
    return [*known, *fresh][:most]


def _as_new(edit: Edit) -> Edit:
    """Return an edit of a skill as one that fits an empty library."""
    changes = [one.model_copy(update={"base": None}) if isinstance(one, PutSkill) else one for one in edit.changes]
    return edit.model_copy(update={"changes": tuple(changes)})


def _skill_edit(
    lesson: Lesson,
    shown: Attempt,
    notes: Notes,
    words: dict[str, str],
    steps: Sequence[str],
    old: Skill | None,
    library: Library,
    files: dict[str, str],
) -> Edit:
    assert lesson.success is not None
    trajectory = lesson.success.trajectory
    name = old.name if old else _free_name(words["name"], library)
    parts = _parts([one.trajectory.goal for one in lesson.successes], files.get(FILE))
    kept = {path: text for path, text in (old.files if old else {}).items() if path != FILE}
    skill = Skill(
        name=name,
        description=old.description if old else f"{words['what']} {words['when']}",
        body=_body(name, words, steps, _pitfalls(lesson, trajectory.goal)),
        version=old.version + 1 if old else 1,
        domain=trajectory.task.env,
        goals=tuple(dict.fromkeys((trajectory.goal, *parts, *(old.goals if old else ()))))[:_KEPT_GOALS],
        license=old.license if old else None,
        metadata=old.metadata if old else {},
        files={**kept, **files},
    )
    changes = (
        PutSkill(skill=skill, base=old.version if old else None),
        PutDemonstration(
            demonstration=demonstration(shown.trajectory, example_of(name), notes=notes, learnt_from=lesson.success)
        ),
    )
    return Edit(changes=changes, why=lesson.summary, evidence=lesson.evidence)


def _parts(goals: Sequence[str], text: str | None) -> list[str]:
    """Return the parts of goals that were solved, where a program is for all of them: it did these too."""
    patterns = parse(text).goals if text else ()
    divided = [parts for goal in goals if len(parts := next(clauses(goal))) > 1]
    known = (parts for parts in divided if all(filled_by(patterns, part) is not None for part in parts))
    return list(dict.fromkeys(part for parts in known for part in parts))


def _without(skill: Skill, lesson: Lesson, library: Library) -> Iterator[Edit]:
    """Yield the edits that take back what only failed: the program, then the whole skill with its example."""
    if FILE in skill.files:
        why = f"{lesson.summary}: without its program"
        yield Edit(changes=(words_only(skill),), why=why, evidence=lesson.evidence)
    why = f"{lesson.summary}: without the skill"
    yield Edit(changes=retired(skill, library), why=why, evidence=lesson.evidence)


def _with_known_goals(program: Program, old: Skill | None) -> Program:
    """Return the program with the goals of the one that it replaces, where that did the very same."""
    try:
        known = program_of(old) if old else None
    except InvalidSkill:
        return program
    if known is None or known.steps != program.steps:
        return program
    return program.model_copy(update={"goals": tuple(dict.fromkeys((*known.goals, *program.goals)))})


def demonstration(trajectory: Trajectory, key: str, *, notes: Notes, learnt_from: Attempt) -> Demonstration:
    """Return a success cut to its useful steps, in the very form in which the model acts.

    Args:
        trajectory: What is shown: the attempt that it was learnt from, or a shorter way that a program found.
        key: The demonstration's id.
        notes: What mattered.
        learnt_from: The attempt that is cited.
    """
    return Demonstration(
        id=key,
        domain=trajectory.task.env,
        goal=trajectory.goal,
        steps=tuple(
            KeyStep(observation=step.observation.text[:_SHOWN_STATE], action=as_reply(step.action, step.observation))
            for step in useful_steps(trajectory)
        ),
        source=learnt_from.trajectory.shown_by or "self",
        evidence=(learnt_from.id,),
        notes=notes,
    )


def _notes(success: Attempt, llm: LLM) -> Notes:
    """Ask what mattered in a success; what is not said is left out."""
    trajectory = success.trajectory
    steps = "\n".join(instructions(useful_steps(trajectory), trajectory.goal))
    prompt = render("annotate", goal=fence("goal", trajectory.goal), steps=fence("steps", steps))
    schema = texts({kind.replace("-", "_"): 140 for kind in _NOTES})
    data = llm.reply([Message.user(prompt)], role=Role.REFLECTOR, schema=schema, max_tokens=300).data or {}
    said = {kind: plain_text(str(data.get(kind.replace("-", "_"), ""))) for kind in _NOTES}
    return {kind: text for kind, text in said.items() if text}


def _body(name: str, words: dict[str, str], steps: Sequence[str], pitfalls: Sequence[str]) -> str:
    parts = [f"# {name.replace('-', ' ').capitalize()}", "", words["what"], ""]
    parts += ["## When to use", "", words["when"], "", "## When not to use", "", words["not_when"], ""]
    parts += ["## Steps", "", *(f"{n}. {step}" for n, step in enumerate(steps, start=1)), ""]
    if pitfalls:
        parts += ["## Pitfalls", "", *(f"- {pitfall}" for pitfall in pitfalls), ""]
    return "\n".join(parts)


def _pitfalls(lesson: Lesson, goal: str) -> list[str]:
    """Say, for each failed attempt, the first thing it did that the success did not."""
    assert lesson.success is not None
    right = {instruct(step, goal) for step in useful_steps(lesson.success.trajectory)}
    found = []
    for failure in lesson.failures:
        trajectory = failure.trajectory
        for step in trajectory.steps:
            line = instruct(step, trajectory.goal)
            if line not in right and step.action.verb != "none" and not step.recalled:  # those did nothing
                found.append(f"Not: {line}" + (f" (error: {_fault(step.error)})" if step.error else ""))
                break
    return list(dict.fromkeys(found))[:3]


def _fault(error: str) -> str:
    """Return how the error begins, without the element's ref and name: few words, as it may quote the page."""
    return shorten(_ELEMENT.sub("", error.strip().partition("\n")[0]), COPIED_WORDS - 1)


def _words(goal: str, steps: Sequence[str], llm: LLM) -> dict[str, str]:
    goal = shape(goal)  # without the values of this one task, so that none of them gets into a name
    prompt = render("name_skill", goals=fence("goal", goal), steps=fence("steps", "\n".join(steps)))
    lengths = {"name": 48, "what": 160, "when": 200, "not_when": 160}
    data = llm.reply([Message.user(prompt)], role=Role.REFLECTOR, schema=texts(lengths), max_tokens=300).data or {}
    words = {
        key: sentence(whole_sentences(str(data.get(key, "")), lengths[key])) for key in ("what", "when", "not_when")
    }
    if words["when"] and not words["when"].casefold().startswith("use "):
        words["when"] = f"Use when the goal is like this: {words['when']}"
    if not words["not_when"].casefold().startswith("not "):
        words["not_when"] = ""  # small models repeat the goal here, or go on with what they were saying
    plain = sentence(f"Does tasks like: {kebab(goal).replace('-', ' ')}")
    return {
        "name": kebab(str(data.get("name", ""))) or kebab(goal) or "skill",
        "what": words["what"] or plain,
        "when": words["when"] or f"Use when the goal resembles: {sentence(plain_text(goal))}",
        "not_when": words["not_when"] or "Not when the goal names other kinds of elements.",
    }


def _free_name(name: str, library: Library) -> str:
    if name not in library.skills:
        return name
    return next(f"{name}-{n}" for n in range(2, 1_000) if f"{name}-{n}" not in library.skills)
