"""Policy: the model as the one who chooses the next action, and what it is shown and may ask for that.

It can only write actions that exist, on elements that are there; what it writes out of form, or has no room for, is a
turn without an action.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from pydantic import Field, JsonValue

from skillagent.acting.disclose import READ, Disclosed, Showing, disclosed, reading
from skillagent.acting.history import conversation, exemplary, like_moments, opening
from skillagent.acting.invent import SELF_MADE, invented
from skillagent.acting.reply import reply_schema
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.ports import LLM, Environment, readable, tokens, window
from skillagent.programs.perform import Wanted
from skillagent.replies import as_action, as_reply
from skillagent.schema import (
    Action,
    Message,
    Moment,
    Observation,
    Outcome,
    Plan,
    Recalled,
    Replanned,
    Role,
    Route,
    Step,
    Value,
    Variation,
    Verb,
)

NO_ACTION = Action(verb="none")
NOTHING = "nothing about that"  # what memory answers where it holds nothing
_REPLY_TOKENS = 400

RECALL = Verb(
    name="recall",
    doc="Ask your memory of earlier tasks; changes nothing on the page.",
    parameters={
        "type": "object",
        "properties": {"question": {"type": "string", "maxLength": 120}},
        "required": ["question"],
        "additionalProperties": False,
    },
)

NEXT = Verb(
    name="next_part",
    doc="Say that the present part of the plan is done and the next one is to begin; changes nothing by itself.",
    parameters={"type": "object", "properties": {}, "additionalProperties": False},
)
_SAID = frozenset({RECALL.name, READ.name, NEXT.name})  # turns in which nothing is done

By = Literal["model", "program"]
Likes = Callable[[str, str, str, Library], Sequence[Moment]]
Recall = Callable[[str, Library], Recalled]
Distil = Callable[[str, Library, LLM, int], Recalled]


class Memory(Value):
    """What the model may do itself to know more.

    With `recall` it may ask the library in the middle of an episode; where the route has no skill and no example, it
    makes up `invent` examples for itself. The `rules` nearest demonstrations, two at least, are shown instead of an
    example where all of them have room; where they have not, it writes a block of rules of them.
    """

    recall: bool = False
    invent: int = Field(default=0, ge=0)
    rules: int = Field(default=0, ge=0)


@dataclass(frozen=True)
class Aids:
    """What helps the model beside the route.

    `likes` gives the moments of demonstrations that are like a goal, a state and the reply before it, for every turn.
    `recall` answers a question out of the library; with it, the model may ask, and each question is a turn. `distil`
    names the demonstrations that are shown for a goal instead of an example, or where there is no room for them gives a
    block of rules. `invent` examples the model makes up for itself where the route has no skill and shows no example.
    `showing` says how much of skills is shown, and what of them it may read.
    """

    likes: Likes | None = None
    recall: Recall | None = None
    distil: Distil | None = None
    invent: int = 0
    showing: Showing = field(default_factory=Showing)


@dataclass(frozen=True)
class Policy:
    """The model as the one who chooses.

    `room` is in characters, fewer where the model can read no more; `seed` is the task's; `told` is what it has written
    for itself before it acts, or without words the demonstrations that it is shown; `instead` of a demonstration it may
    be shown what worked with an insight; `part` is the number of the plan's next part, where a program waits for the
    model to be done with the present one.
    """

    verbs: Sequence[Verb]
    plan: Plan
    route: Route
    library: Library
    llm: LLM
    variation: Variation
    room: int
    seed: int
    aids: Aids
    told: Recalled = field(default_factory=Recalled)
    instead: bool = True
    part: int | None = None

    @classmethod
    def begun(
        cls,
        environment: Environment,
        plan: Plan,
        route: Route,
        library: Library,
        *,
        llm: LLM,
        variation: Variation,
        room: int,
        seed: int,
        aids: Aids,
        chains: bool,
    ) -> Policy:
        """Return the policy of an episode; it may ask its memory where there is one, and with `chains` end a part."""
        asks = (RECALL,) if aids.recall and len(library) else ()
        ends = (NEXT,) if chains else ()
        return cls((*environment.verbs, *asks, *ends), plan, route, library, llm, variation, room, seed, aids)

    def prepared(self, now: Observation) -> Policy:
        """Return the same, about to choose for the first time: with more for its example, or examples for none."""
        if self.aids.distil and (more := self.aids.distil(self.plan.goal, self.library, self.llm, self._room)).of:
            bare = self.route.model_copy(update={"demonstrations": tuple(() for _ in self.route.demonstrations)})
            return replace(self, told=more, route=bare)
        known = any(self.route.skills) or any(self.route.demonstrations)
        shown = known or exemplary(self.route, self.library, self._room)
        if not self.aids.invent or shown or self._like("", now):
            return self
        made = invented(now.goal, self.verbs, self.llm, count=self.aids.invent)
        return replace(self, told=Recalled(text=made, of=(SELF_MADE,))) if made else self

    def following(self, made: Replanned, *, chains: bool) -> Policy:
        """Return the same with a plan that was made again, and the words of its skills.

        What the conversation begins with stays: the insights and examples of the first plan.
        """
        kept = {
            kind: (tuple(one for part in parts for one in part), *(() for _ in made.plan.subgoals[1:]))
            for kind, parts in (("insights", self.route.insights), ("demonstrations", self.route.demonstrations))
        }
        ends = (NEXT,) if chains and NEXT not in self.verbs else ()
        verbs = (*self.verbs, *ends)
        return replace(self, verbs=verbs, plan=made.plan, route=made.route.model_copy(update=kept))

    def without(self, skills: Collection[str], *, part: int | None = None) -> Policy:
        """Return the same with the words of one skill a subgoal, the first that is not one of these, and pinned ones.

        Where they were all, the examples go too: they are not for this page either, and nothing steps in for what the
        episode began with. With `part` the model may say that this part of the plan comes now.
        """
        left = tuple(
            (
                *[one for one in offered if one.id not in skills and not one.pinned][:1],
                *(one for one in offered if one.pinned),
            )
            for offered in self.route.skills
        )
        examples = tuple(
            shown if own or not offered else ()
            for shown, own, offered in zip(self.route.demonstrations, left, self.route.skills, strict=True)
        )
        unfit = any(self.route.skills) and not any(left)
        others = tuple(tuple(one for one in part if one.id not in skills) for part in self.route.considered)
        return replace(
            self,
            route=self.route.model_copy(update={"skills": left, "demonstrations": examples, "considered": others}),
            told=Recalled() if unfit and not self.told.text else self.told,
            instead=not (any(self.route.demonstrations) or self._whole),
            part=part,
        )

    def turn(
        self, environment: Environment, steps: Sequence[Step], now: Observation, wanted: Wanted | None
    ) -> tuple[Step, Outcome]:
        """Choose an action, or what a program left open, and do it."""
        before = as_reply(steps[-1].action, steps[-1].observation) if steps else ""
        moments = self._like(before, now)
        action, outcome = self._chosen(environment, steps, now, wanted, moments)
        shown = (*(one.of for one in moments), *self.told.of)
        return self.noted(steps, now, action, outcome, by="model", shown=shown), outcome

    def noted(
        self,
        steps: Sequence[Step],
        now: Observation,
        action: Action,
        outcome: Outcome,
        *,
        by: By,
        shown: Sequence[str] = (),
    ) -> Step:
        """Return what was done after these steps as a step, with what memory answered where it was asked."""
        remembered = self._recalled(action, steps)
        return Step(
            observation=now,
            action=action,
            error=outcome.error,
            reward=outcome.reward,
            note=outcome.note,
            by=by,
            examples=(*shown, *remembered.of),
            recalled=remembered.text,
        )

    @property
    def _whole(self) -> tuple[str, ...]:
        """The demonstrations that are shown whole."""
        return () if self.told.text else self.told.of

    def _like(self, before: str, now: Observation) -> Sequence[Moment]:
        return self.aids.likes(self.plan.goal, now.text, before, self.library) if self.aids.likes else ()

    @cached_property
    def _room(self) -> int:
        """Characters of conversation that the model can read; who is never asked is not looked at."""
        return readable(self.llm, self.room)

    @cached_property
    def _disclosed(self) -> Disclosed:
        """What is shown of the skills; in a world with a verb of its own that is called so, nothing can be read."""
        showing = self.aids.showing if self._reads else self.aids.showing.model_copy(update={"read": "off"})
        return disclosed(self.route, self.library, showing=showing.within(window(self.llm)), count=self._count)

    @property
    def _reads(self) -> bool:
        return all(verb.name != READ.name for verb in self.verbs)

    def _count(self, text: str) -> int:
        return tokens(self.llm, text)

    def _recalled(self, action: Action, steps: Sequence[Step]) -> Recalled:
        if action.verb == READ.name:
            what = str(action.arguments.get("what"))
            there = what in self._disclosed.unread(steps, self._count)
            return self._disclosed.read(what, steps, self._count) if there else Recalled()
        if action.verb == NEXT.name and self.part is not None:
            return Recalled(text=f"part {self.part} of the plan comes now: {self.plan.subgoals[self.part - 1].text}")
        if self.aids.recall is None or action.verb != RECALL.name:
            return Recalled()
        found = self.aids.recall(str(action.arguments.get("question", "")), self.library)
        return found if found.text else Recalled(text=NOTHING)

    def _chosen(
        self,
        environment: Environment,
        steps: Sequence[Step],
        now: Observation,
        wanted: Wanted | None,
        moments: Sequence[Moment],
    ) -> tuple[Action, Outcome]:
        questions = (one for one in steps if one.action.verb == RECALL.name and one.recalled)
        asked = any(one.observation.text == now.text for one in questions)
        barring = {*([RECALL.name] if asked else []), *([NEXT.name] if self.part is None else [])}
        free = [verb for verb in self.verbs if verb.name not in barring]  # to ask once in each state is enough
        unread = self._disclosed.unread(steps, self._count)
        free += [reading(unread)] if unread else []
        verbs, shown, settled = (free, now, {}) if wanted is None else _open(wanted, free, now)
        tried = [step for step in steps if step.action.verb != NEXT.name]  # two parts may end in the same state
        useless = [*barred(tried, now), *barred(self.variation.avoid, now)]
        if self.variation.focus:
            useless += [step.action for step in steps]  # each thing that the goal names once
        schema = reply_schema(verbs, shown, useless, focus=self.variation.focus)
        if wanted is not None and not schema["anyOf"]:  # no model can answer where nothing may be said
            return NO_ACTION, wasted(environment, f"nothing is left here to {wanted.verb} that was not tried")
        try:
            reply = self.llm.reply(
                self._conversation(steps, now, wanted, moments),
                role=Role.ACTOR,
                schema=schema,
                temperature=self.variation.temperature,
                seed=self.seed + len(steps) + round(1000 * self.variation.temperature),
                max_tokens=_REPLY_TOKENS,
            )
        except PromptTooLong as fault:
            return NO_ACTION, wasted(environment, str(fault)).model_copy(update={"truncated": True})
        if reply.data is None:
            return NO_ACTION, wasted(environment, f"not an action: {reply.text[:80]!r}")
        action = as_action(reply.data, now)
        action = action.model_copy(update={"arguments": {**action.arguments, **settled}})
        if action.verb == NEXT.name and self.part is None:
            return action, wasted(environment, "no part of the plan waits for this one")
        if action.verb == READ.name and self._reads and action.arguments.get("what") not in unread:
            return action, wasted(environment, f"there is no {action.arguments.get('what')!r} to read")
        return action, done(environment, action)

    def _conversation(
        self, steps: Sequence[Step], now: Observation, wanted: Wanted | None, moments: Sequence[Moment]
    ) -> list[Message]:
        whole = [self.library.demonstrations[key] for key in self._whole]
        verbs = (*self.verbs, READ) if self._disclosed.more else self.verbs
        opened = opening(verbs, self.route, self.library, room=self._room, whole=whole, instead=self.instead)
        if self.told.text:
            opened = [opened[0].model_copy(update={"content": f"{opened[0].content}\n\n{self.told.text}"}), *opened[1:]]
        beside, only = like_moments(moments), f"Now only: {wanted.about}" if wanted and wanted.about else ""
        messages = conversation(
            opened, self.plan, steps, now, room=self._room - len(beside), advice=self._disclosed.text
        )
        last = "\n".join(filter(None, [beside, messages[-1].content, only]))
        return [*messages[:-1], messages[-1].model_copy(update={"content": last})]


def _open(
    wanted: Wanted, verbs: Sequence[Verb], now: Observation
) -> tuple[list[Verb], Observation, dict[str, JsonValue]]:
    """Return the one verb without what is settled, the elements that fit, and what is settled."""
    fits = {element.ref: element for some in wanted.elements.values() for element in some}
    lone = {name: some[0].ref for name, some in wanted.elements.items() if len(some) == 1}
    settled: dict[str, JsonValue] = {**wanted.arguments, **lone}
    left = []
    for verb in verbs:
        if verb.name == wanted.verb:
            known, required = verb.parameters.get("properties", {}), verb.parameters.get("required", [])
            assert isinstance(known, dict)
            assert isinstance(required, list)
            fitting = {name: {"only": [element.ref for element in some]} for name, some in wanted.elements.items()}
            open_ = {name: schema for name, schema in known.items() if name not in settled and isinstance(schema, dict)}
            parameters = {
                **verb.parameters,
                "properties": {name: {**schema, **fitting.get(name, {})} for name, schema in open_.items()},
                "required": [name for name in required if name not in settled],
            }
            left.append(verb.model_copy(update={"parameters": parameters}))
    return left, now.model_copy(update={"elements": tuple(fits.values())}) if fits else now, settled


def done(environment: Environment, action: Action) -> Outcome:
    """Do one thing; to ask one's memory, or to say that a part is done, is a turn in which nothing is done."""
    if action.verb in _SAID and all(verb.name != action.verb for verb in environment.verbs):
        return environment.step(NO_ACTION).model_copy(update={"error": None})
    return environment.step(action)


def wasted(environment: Environment, error: str) -> Outcome:
    """Return what a turn without an action led to: the environment refuses it, and it costs a step there too."""
    return environment.step(NO_ACTION).model_copy(update={"error": error})


def barred(steps: Sequence[Step], now: Observation) -> list[Action]:
    """Return the actions already taken from a state that looks like this one: they led nowhere but back to it."""
    return [step.action for step in steps if step.observation.text == now.text]
