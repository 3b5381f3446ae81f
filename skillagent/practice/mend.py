"""Mend: the model corrects a failed try, which is then done from the start; a success is one only if the world says so.

The model is told the goal, what was done and what each action led to, and the world's verdict or a person's words; it
writes all actions anew. What they lead to is not known yet, so an element is told by its role and name, and looked for
in the state in which it is needed. Where that goes wrong the model is told so, and may correct the list, a few times.
A mended success is the agent's own work with the model; one that follows a person's words is the person's. Only a
success is kept. That a reset makes the world anew is for the caller to see to. Source: in-context abstraction learning
(ICAL, Sarch et al. 2024).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from skillagent.ports import LLM, readable
from skillagent.practice.wander import Play
from skillagent.prompts import fence, render
from skillagent.replies import as_reply, bounded, called, written
from skillagent.schema import (
    Action,
    Attempt,
    Json,
    Mended,
    Message,
    Observation,
    Outcome,
    Role,
    Step,
    Trajectory,
    Usage,
    Value,
    Verb,
)

ROUNDS = 5  # at most; a person's words are worth all of them
_REPLY_TOKENS = 1_200
_LONGEST = 40  # actions
_NAME = 80  # characters of what an element is called
_KEPT = 2  # rounds that the model still sees
_TOLD = 1_200  # characters of what came of one
_LISTED = 12  # elements


def mended(
    tried: Sequence[Attempt],
    play: Play,
    verbs: Sequence[Verb],
    *,
    llm: LLM,
    rounds: int,
    solved: int = 2,
    room: int = 11_000,
    watch: Callable[[Value], None] = lambda _: None,
) -> Iterator[Attempt]:
    """Yield at most one success for each instance on which all failed, until enough are solved.

    Args:
        tried: The attempts at one task, each with the world's verdict or with a person's.
        play: Plays an instance from its start.
        verbs: What can be done there.
        llm: Corrects.
        rounds: How often it may, for an instance; for a try that a person spoke of, `ROUNDS`.
        solved: Instances that are enough, with those that were solved anyway.
        room: Characters to read, fewer where the model can read no more.
        watch: Is told what came of it, instance by instance.

    Raises:
        PromptTooLong: The model cannot read it.
        LLMUnavailable: No answer.
    """
    done = {one.trajectory.task for one in tried if one.verdict.success}
    failed = [one for one in tried if one.verdict.success is False]
    for task in dict.fromkeys(one.trajectory.task for one in failed if one.trajectory.task not in done):
        best = _promising([one for one in failed if one.trajectory.task == task])
        most = ROUNDS if best.verdict.by == "person" else rounds
        if len(done) >= solved or not most:
            return
        success, number = _mend(best, play, verbs, llm, most, room)
        steps = len(success.trajectory.steps) if success is not None else None
        watch(Mended(task=task, rounds=number, steps=steps))
        if success is not None:
            done.add(task)
            yield success


def _promising(failed: Sequence[Attempt]) -> Attempt:
    """Return the failure with the highest score, of those the first one with the fewest errors."""

    def promise(one: Attempt) -> tuple[float, int]:
        return one.verdict.score or 0.0, -sum(step.error is not None for step in one.trajectory.steps)

    return max(failed, key=promise)


def _mend(
    failed: Attempt, play: Play, verbs: Sequence[Verb], llm: LLM, rounds: int, room: int
) -> tuple[Attempt | None, int]:
    """Return a success that the model made of a failure, and after how many rounds it was one or given up."""
    task, spent, known = failed.trajectory.task, Usage(), set[str]()
    asked, rest = Message.user(_asked(failed, verbs, readable(llm, room))), list[Message]()
    schema = _schema(verbs, min(task.max_steps, _LONGEST))
    for number in range(1, rounds + 1):
        messages = [asked, *rest[-2 * _KEPT :]]
        reply = llm.reply(messages, role=Role.REFLECTOR, schema=schema, seed=task.seed, max_tokens=_REPLY_TOKENS)
        spent += reply.usage
        course = _Course(_said(reply.data))
        listed = json.dumps({"actions": course.actions}, ensure_ascii=False, separators=(",", ":"))
        if not course.actions or listed in known:
            return None, number  # the world begins anew: the same would come of it
        known.add(listed)
        one = play(task, lambda _: course.player)  # noqa: B023
        if one.verdict.success:
            return _credited(one, failed, spent), number
        if one.trajectory.void is not None:
            return None, number
        rest += [Message(role="assistant", content=listed), Message.user(_came_of(one, course))]
    return None, rounds


def _credited(one: Attempt, failed: Attempt, spent: Usage) -> Attempt:
    """Return a success with what it cost, and with who is to be thanked for it."""
    by = "person" if failed.verdict.by == "person" else "mended"
    steps = tuple(step.model_copy(update={"by": by}) for step in one.trajectory.steps)
    return one.model_copy(update={"trajectory": one.trajectory.model_copy(update={"steps": steps, "usage": spent})})


@dataclass
class _Course:
    """A list of actions, each found in the state in which it is to be done.

    `stopped` says why one was not done, in our words and the model's; `there` what was there instead, in the page's.
    """

    actions: Sequence[Json]
    stopped: str = ""
    there: str = ""

    def player(self, first: Observation) -> Generator[Action, Outcome, None]:
        """Yield the actions until one cannot be done."""
        now = first
        for number, said in enumerate(self.actions, start=1):
            found: dict[str, JsonValue] = {}
            for name, value in said.items():
                element = called(value, now) if name.endswith("ref") and isinstance(value, str) else None
                if name.endswith("ref") and element is None:
                    self.there = ", ".join(map(written, now.elements[:_LISTED])) or "(nothing)"
                    self.stopped = f"Action {number}: nothing is called {value!r} there."
                    return
                if name != "verb":
                    found[name] = element.ref if element is not None else value
            outcome = yield Action(verb=str(said["verb"]), arguments=found)
            if outcome.error is not None:
                self.stopped = f"Action {number} could not be done, and nothing after it was."
                return
            now = outcome.observation


def _said(data: Json | None) -> list[Json]:
    actions = (data or {}).get("actions")
    return [one for one in actions if isinstance(one, dict) and "verb" in one] if isinstance(actions, list) else []


def _schema(verbs: Sequence[Verb], most: int) -> Json:
    """Return the schema of a list of actions whose elements are told in words."""
    choices: list[JsonValue] = []
    for verb in verbs:
        properties, required = verb.parameters.get("properties", {}), verb.parameters.get("required", [])
        assert isinstance(properties, dict)
        assert isinstance(required, list)
        known: dict[str, JsonValue] = {"verb": {"const": verb.name}}
        for name, parameter in properties.items():
            assert isinstance(parameter, dict)
            is_ref = parameter.get("format") == "ref"
            known[name] = {"type": "string", "minLength": 1, "maxLength": _NAME} if is_ref else bounded(parameter)
        form: Json = {"type": "object", "properties": known, "required": ["verb", *required]}
        choices.append({**form, "additionalProperties": False})
    actions: Json = {"type": "array", "items": {"anyOf": choices}, "minItems": 1, "maxItems": most}
    return {
        "type": "object",
        "properties": {"actions": actions},
        "required": ["actions"],
        "additionalProperties": False,
    }


def _asked(failed: Attempt, verbs: Sequence[Verb], room: int) -> str:
    trajectory = failed.trajectory
    first = trajectory.steps[0].observation if trajectory.steps else trajectory.final
    return render(
        "mend",
        verbs="\n".join(f"- {verb.signature}: {verb.doc}" for verb in verbs),
        goal=fence("goal", trajectory.goal),
        state=fence("state", first.text[: room // 4] if first else ""),
        steps=fence("steps", _told(trajectory, room // 3) or "(nothing)"),
        verdict=fence("verdict", _judged(failed)),
    )


def _judged(one: Attempt) -> str:
    if one.verdict.by == "person":
        return f"A person says: {one.verdict.reason}"
    return f"Not done: {one.verdict.reason}, score {one.verdict.score}"


def _came_of(one: Attempt, course: _Course) -> str:
    """Return what came of the corrected list, for the model that wrote it."""
    what = " ".join(filter(None, [course.stopped, _judged(one)]))
    there = ["What there was instead:", fence("state", course.there)] if course.there else []
    return "\n".join(
        [
            "That was done from the start:",
            fence("steps", _told(one.trajectory, _TOLD) or "(nothing)"),
            *there,
            fence("verdict", what),
            "Correct the list, and write all of it again.",
        ]
    )


def _told(trajectory: Trajectory, room: int) -> str:
    """Return what was done, as the model writes it, and what each action led to; that in so many characters in all."""
    steps, lines = trajectory.steps, list[str]()
    each = max(60, room // max(1, len(steps)))
    following = [*(step.observation for step in steps[1:]), trajectory.final]
    for number, (step, after) in enumerate(zip(steps, following, strict=False), start=1):
        ended = trajectory.terminated and number == len(steps)
        led = _led_to(step, after, ended=ended)
        lines.append(f"{number}. {as_reply(step.action, step.observation)}")
        lines.append(f"   {led if len(led) <= each else f'{led[:each]}…'}")
    return "\n".join(lines)


def _led_to(step: Step, after: Observation | None, *, ended: bool) -> str:
    if step.error is not None:
        return f"error: {step.error}"
    if ended:
        return "the task ended"
    known = set(step.observation.text.splitlines())
    new = [line.strip() for line in after.text.splitlines() if line not in known] if after is not None else []
    if not new:
        return "nothing changed" if after is None or after.text == step.observation.text else "something was gone"
    return f"then there was: {'; '.join(filter(None, new))}"
