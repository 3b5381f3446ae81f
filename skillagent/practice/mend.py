"""Mend: after a failed try the model proposes how it is done from the start; it is a success only if the world says so.

The model is told the goal, what was done and what each action led to, the world's verdict or a person's words, and how
near skills do their tasks. It writes a plan, and for each part of it all actions anew. What they lead to is not known
yet, so an element is told by its role and name, and looked for in the state in which it is needed. What can be seen to
be wrong before it is done (`vet`) is told to the model and not done; what goes wrong in the world is told too; it may
correct the proposal, a few times in all. A mended success is the agent's own work with the model; one that follows a
person's words is the person's. Only a success is kept. That a reset makes the world anew is for the caller to see to.
Source: in-context abstraction learning (ICAL, Sarch et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from skillagent.library import Library
from skillagent.ports import LLM, readable
from skillagent.practice.neighbours import neighbours
from skillagent.practice.vet import Proposal, doubts, faults, proposed, schema
from skillagent.practice.wander import Play
from skillagent.prompts import fence, render
from skillagent.replies import as_reply, called, written
from skillagent.schema import (
    Action,
    Attempt,
    Json,
    Mended,
    Message,
    Observation,
    Outcome,
    Role,
    Skill,
    Step,
    Trajectory,
    Usage,
    Value,
    Verb,
)

ROUNDS = 5  # at most; a person's words are worth all of them
_REPLY_TOKENS = 1_200
_LONGEST = 40  # actions
_KEPT = 2  # rounds that the model still sees
_TOLD = 1_200  # characters of what came of one
_LISTED = 12  # elements
_EXAMPLES = "How tasks are done that may be like it; {slots} stand for values of their goals:"
_AGAIN = " If it is right as it is, write the same once more."
_FAULTS = 8  # of a proposal, that are told


def mended(
    tried: Sequence[Attempt],
    play: Play,
    verbs: Sequence[Verb],
    library: Library,
    *,
    llm: LLM,
    rounds: int,
    near: Callable[[str, Library, str], Sequence[Skill]] = lambda *_: (),
    shown: int = 2,
    solved: int = 2,
    room: int = 11_000,
    watch: Callable[[Value], None] = lambda _: None,
) -> Iterator[Attempt]:
    """Yield at most one success for each instance on which all failed, until enough are solved.

    Args:
        tried: The attempts at one task, each with the world's verdict or with a person's.
        play: Plays an instance from its start.
        verbs: What can be done there.
        library: Its skills near the goal are examples.
        llm: Proposes.
        rounds: How often it may, for an instance; for a try that a person spoke of, `ROUNDS`.
        near: Returns the skills of use in a domain, the nearest to a goal first.
        shown: So many of them are told to the model.
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
        ours = [one for one in failed if one.trajectory.task == task]
        best = _promising(ours)
        most = ROUNDS if best.verdict.by == "person" else rounds
        if len(done) >= solved or not most:
            return
        can_read = readable(llm, room)
        examples = neighbours(near(best.trajectory.goal, library, task.env)[:shown], can_read // 6)
        asked = _asked(best, verbs, examples, can_read)
        mending = _Mending(best, play, verbs, llm, seen=[now for one in ours for now in _seen(one.trajectory)])
        success = mending.success(asked, most)
        steps = len(success.trajectory.steps) if success is not None else None
        watch(Mended(task=task, rounds=mending.rounds, steps=steps, refused=mending.refused))
        if success is not None:
            done.add(task)
            yield success


def _promising(failed: Sequence[Attempt]) -> Attempt:
    """Return the failure with the highest score, of those the first one with the fewest errors."""

    def promise(one: Attempt) -> tuple[float, int]:
        return one.verdict.score or 0.0, -sum(step.error is not None for step in one.trajectory.steps)

    return max(failed, key=promise)


@dataclass
class _Mending:
    """The rounds at one instance.

    `seen` are the states that were seen so far, the first one first; `refused` counts proposals that were not done.
    """

    failed: Attempt
    play: Play
    verbs: Sequence[Verb]
    llm: LLM
    seen: list[Observation]
    rounds: int = 0
    refused: int = 0
    doubted: bool = False
    known: set[str] = field(default_factory=set)

    def success(self, asked: str, rounds: int) -> Attempt | None:
        """Return a success that the model made of the failure; None where it was given up."""
        task, spent, rest = self.failed.trajectory.task, Usage(), list[Message]()
        form = schema(self.verbs, self._most)
        for self.rounds in range(1, rounds + 1):
            messages = [Message.user(asked), *rest[-2 * _KEPT :]]
            reply = self.llm.reply(messages, role=Role.REFLECTOR, schema=form, seed=task.seed, max_tokens=_REPLY_TOKENS)
            spent += reply.usage
            proposal = proposed(reply.data)
            if not (proposal.parts or proposal.loose) or str(proposal) in self.known:
                return None  # the world begins anew: the same would come of it
            self.known.add(str(proposal))
            if wrong := self._wrong(proposal, last=self.rounds == rounds):
                self.refused, again = self.refused + 1, str(proposal) not in self.known
                rest += [Message(role="assistant", content=str(proposal)), Message.user(self._refusal(wrong, again))]
                continue
            course = _Course(proposal.actions)
            one = self.play(task, lambda _: course.player)  # noqa: B023
            if one.verdict.success:
                return _credited(one, self.failed, spent)
            if one.trajectory.void is not None:
                return None
            self.seen += _seen(one.trajectory)
            rest += [Message(role="assistant", content=str(proposal)), Message.user(_came_of(one, course))]
        return None

    @property
    def _most(self) -> int:
        return min(self.failed.trajectory.task.max_steps, _LONGEST)

    def _wrong(self, proposal: Proposal, *, last: bool) -> list[str]:
        """Return why a proposal is not done. Doubts are told once, where the model can answer; then it has its way."""
        wrong = faults(proposal, self.verbs, self.seen[0] if self.seen else None, self._most)
        if not wrong and not last and not self.doubted and (wrong := doubts(proposal, self.verbs, self.seen)):
            self.doubted = True
            self.known.discard(str(proposal))
        return wrong

    def _refusal(self, wrong: Sequence[str], again: bool) -> str:
        """Return what is wrong with a proposal, for the model that wrote it; it may write it `again`."""
        there = ", ".join(map(written, self.seen[0].elements[:_LISTED])) if self.seen else ""
        return "\n".join(
            [
                "That was not done yet, for something is wrong with it:",
                fence("verdict", "\n".join(wrong[:_FAULTS])),
                "What there is at the start:",
                fence("state", there or "(nothing)"),
                f"Correct the plan and its actions, and write all of it again.{_AGAIN * again}",
            ]
        )


def _seen(trajectory: Trajectory) -> list[Observation]:
    """Return the states of a try, the first one first."""
    return [*(step.observation for step in trajectory.steps), *filter(None, [trajectory.final])]


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


def _asked(failed: Attempt, verbs: Sequence[Verb], examples: str, room: int) -> str:
    trajectory = failed.trajectory
    first = next(iter(_seen(trajectory)), None)
    return render(
        "mend",
        verbs="\n".join(f"- {verb.signature}: {verb.doc}" for verb in verbs),
        goal=fence("goal", trajectory.goal),
        state=fence("state", first.text[: room // 4] if first else ""),
        examples=f"{_EXAMPLES}\n{fence('skills', examples)}\n" if examples else "",
        steps=fence("steps", _told(trajectory, room // 3 - len(examples)) or "(nothing)"),
        verdict=fence("verdict", _judged(failed)),
    )


def _judged(one: Attempt) -> str:
    if one.verdict.by == "person":
        return f"A person says: {one.verdict.reason}"
    return f"Not done: {one.verdict.reason}, score {one.verdict.score}"


def _came_of(one: Attempt, course: _Course) -> str:
    """Return what came of a proposal, for the model that wrote it."""
    what = " ".join(filter(None, [course.stopped, _judged(one)]))
    there = ["What there was instead:", fence("state", course.there)] if course.there else []
    return "\n".join(
        [
            "That was done from the start:",
            fence("steps", _told(one.trajectory, _TOLD) or "(nothing)"),
            *there,
            fence("verdict", what),
            "Correct the plan and its actions, and write all of it again.",
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
