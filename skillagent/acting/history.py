"""History: what the model still sees, as a conversation that only grows at its end.

The unchanging part comes first (instructions and verbs, then what the library offers, then the goal) and each turn is
appended: a model that keeps its computed prefix reads every state once. When the conversation outgrows its room, the
oldest states of this episode, and what was said of errors, are replaced by a mark, four at a time; actions are kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from skillagent.library import Library
from skillagent.prompts import defused, fence, render
from skillagent.replies import as_reply
from skillagent.schema import Demonstration, Insight, Message, Moment, Observation, Plan, Ranked, Route, Step, Verb

_GOAL = 800  # characters of an insight's example
_NOTE = 400  # characters of what a verb did
_OMITTED = "<state>\n(an earlier state, left out)\n</state>"


def opening(
    verbs: Sequence[Verb],
    route: Route,
    library: Library,
    *,
    room: int,
    whole: Sequence[Demonstration] = (),
    instead: bool = True,
) -> list[Message]:
    """Return the part of the conversation that is the same for every task with this route.

    At most five insights are shown, what worked with them in at most a third of the room, in characters, and one
    demonstration, as turns that look like the model's own; its states are shortened so that it takes no more either.
    Instead of it those are shown that `fit`, the `whole` of them. Where there is none, what worked with the first
    insight that tells it, and has room, is shown `instead`, as such turns: a small model does what it sees itself do
    sooner than what it is told. A verb that no example shows is shown by its own, if it has one.
    """
    examples = whole or [library.demonstrations[key] for key in _first(route.demonstrations, 1)]
    insights = _insights(route, library)
    lone = exemplary(route, library, room) if instead and not examples else None
    turns = _worked(lone) if lone else []
    shown = "".join([*(step.action for example in examples for step in example.steps), *(lone.worked if lone else ())])
    parts = [render("act", verbs="\n".join(_documented(verb, shown) for verb in verbs))]
    if insights:
        left = room // 3 - _length(turns)
        parts.append("What was learnt before:\n" + fence("insights", _advised(insights, left, told=lone)))
    messages = [Message.system("\n\n".join(parts)), *turns]
    for example in examples:
        messages += _turns(example, None if whole else room // 3)
    return messages


def fit(demonstrations: Sequence[Demonstration], room: int) -> bool:
    """Tell whether demonstrations have room as they are, all of them in the room of one."""
    return _length([turn for one in demonstrations for turn in _turns(one, None)]) <= room // 3


def exemplary(route: Route, library: Library, room: int) -> Insight | None:
    """Return the first insight of the route that tells what worked and has room to show it as turns."""
    told = (one for one in _insights(route, library) if one.worked)
    return next((one for one in told if _length(_worked(one)) <= room // 3), None)


def _insights(route: Route, library: Library) -> list[Insight]:
    return [library.insights[key] for key in _first(route.insights, 5)]


def _length(turns: Sequence[Message]) -> int:
    return sum(len(turn.content) for turn in turns)


def _advised(insights: Sequence[Insight], room: int, *, told: Insight | None) -> str:
    """Return insights as they are shown, each with what worked on the goal that it comes from, while there is room.

    What worked with the one that is `told` stands elsewhere.
    """
    lines = list[str]()
    for one in insights:
        lines.append(f"- {one.condition.applies}: {one.explanation}")
        example = "\n".join([f"  For example, what worked for: {one.example[:_GOAL]}", *one.worked])
        if one.worked and one is not told and len(example) <= room:
            lines.append(example)
            room -= len(example)
    return "\n".join(lines)


def _documented(verb: Verb, shown: str) -> str:
    line = f"- {verb.signature}: {verb.doc}"
    if verb.example is None or f'"verb":"{verb.name}"' in shown:
        return line
    call = json.dumps({"verb": verb.name, **verb.example}, ensure_ascii=False, separators=(",", ":"))
    return f"{line} For example: {call}"


def like_moments(moments: Sequence[Moment]) -> str:
    """Return moments of demonstrations as they are shown beside the present state."""
    shown = [
        "\n".join(
            [
                defused(f"A moment like this, of the task {one.goal}"),
                fence("state", one.step.observation),
                defused(one.step.action),
            ]
        )
        for one in moments
    ]
    return "\n\n".join(shown)


def conversation(
    opened: Sequence[Message],
    plan: Plan,
    steps: Sequence[Step],
    now: Observation,
    *,
    room: int,
    advice: str = "",
) -> list[Message]:
    """Return the whole conversation up to the present state.

    Args:
        opened: What `opening` returned.
        plan: Shown when it has more than one subgoal.
        steps: The steps of this episode so far.
        now: The present state, shown last and never left out.
        room: Characters that the conversation may take, whatever they are for; oldest states go first.
        advice: Shown beside the goal.
    """
    head = "\n".join(filter(None, [_task(plan), advice])) + "\n"
    answers = [defused(as_reply(step.action, step.observation)) for step in steps]
    turns = [fence("state", observation.text) for observation in [*(step.observation for step in steps), now]]
    marks = [_OMITTED] * len(turns)
    for index, step in enumerate(steps, start=1):
        if step.note:
            turns[index] = f"What it did: {defused(' '.join(step.note.split())[:_NOTE])}\n{turns[index]}"
        if step.error:
            turns[index] = f"That did not work:\n{fence('error', step.error)}\n{turns[index]}"
            marks[index] = f"That did not work.\n{_OMITTED}"
        if step.recalled:
            turns[index] = f"You remember:\n{fence('memory', step.recalled)}\n{turns[index]}"
    taken = len(head) + sum(len(message.content) for message in opened) + sum(map(len, answers))
    left_out = _omitted([len(turn) for turn in turns], [len(mark) for mark in marks], room - taken)
    turns = [*marks[:left_out], *turns[left_out:]]
    messages = [*opened, Message.user(head + turns[0])]
    for answer, turn in zip(answers, turns[1:], strict=True):
        messages += [Message(role="assistant", content=answer), Message.user(turn)]
    return messages


def _omitted(lengths: Sequence[int], marks: Sequence[int], room: int) -> int:
    """Return how many of the oldest turns to leave out, a mark instead of each: enough, and by fours.

    Each turn that is left out changes the start of the conversation, which must then be read again. By fours, that
    happens at every fourth turn instead of at every turn. The last one always stays.
    """
    over, count = sum(lengths) - room, 0
    while over > 0 and count < len(lengths) - 1:
        over -= lengths[count] - marks[count]
        count += 1
    return min(-(-count // 4) * 4, len(lengths) - 1)


def _task(plan: Plan) -> str:
    lines = [f"Your task now: {plan.goal}"]
    if len(plan.subgoals) > 1:
        done = [f" (done when: {part.done_when})" if part.done_when else "" for part in plan.subgoals]
        lines += [f"{n}. {part.text}{when}" for n, (part, when) in enumerate(zip(plan.subgoals, done, strict=True), 1)]
    return "\n".join(lines)


def _turns(demonstration: Demonstration, room: int | None) -> list[Message]:
    messages, each = [], None if room is None else room // max(1, len(demonstration.steps))
    for number, step in enumerate(demonstration.steps):
        noted = "".join(f"Note: {note}\n" for note in demonstration.notes.values())
        head = f"An example of a task: {demonstration.goal}\n{noted}" if number == 0 else ""
        messages.append(Message.user(defused(head) + fence("state", step.observation[:each])))
        messages.append(Message(role="assistant", content=defused(step.action)))
    return messages


def _worked(insight: Insight) -> list[Message]:
    """Return what worked on the goal that an insight comes from as turns; what was seen then is not known."""
    messages, head = list[Message](), defused(f"An example of a task: {insight.example[:_GOAL]}\n")
    for said in insight.worked:
        messages += [Message.user(f"{head}{_OMITTED}"), Message(role="assistant", content=defused(said))]
        head = ""
    return messages


def _first(parts: Sequence[Sequence[Ranked]], count: int) -> list[str]:
    ids = [ranked.id for part in parts for ranked in part]
    return list(dict.fromkeys(ids))[:count]
