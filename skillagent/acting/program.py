"""Program: runs what the routed skills know how to do without a model, subgoal by subgoal.

A goal that matches one of a program's patterns fills its slots; else the model is asked once for the values, which must
stand in the goal. On the first surprise the model goes on from there, with all that was done; what surprised is kept.
A skill whose program cannot be read is used for its words alone.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from skillagent.errors import InvalidSkill, PromptTooLong
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.programs.perform import Move, Moves, perform
from skillagent.programs.template import filled_by, slots_of_pattern
from skillagent.programs.text import program_of
from skillagent.prompts import fence, render
from skillagent.schema import (
    Action,
    Filled,
    Json,
    Message,
    Outcome,
    Plan,
    Program,
    Ranked,
    Role,
    Route,
    Verb,
)

log = logging.getLogger("skillagent.acting")

_PATIENCE = Action(verb="wait", arguments={"seconds": 0.5})


class Pilot:
    """Says what the programs do next; None as soon as the model must choose.

    Args:
        plan: Each subgoal runs the program of its own skill.
        route: The skills of each subgoal, best first.
        library: Where they are read.
        verbs: Of the environment.
        llm: Is asked for the values of a goal that matches no pattern; None: such a goal runs no program.
    """

    def __init__(self, plan: Plan, route: Route, library: Library, verbs: Sequence[Verb], llm: LLM | None) -> None:
        self._left = [(part.text, skills) for part, skills in zip(plan.subgoals, route.skills, strict=True)]
        self._library, self._llm = library, llm
        self._patience = _PATIENCE if any(verb.name == _PATIENCE.verb for verb in verbs) else None
        self._moves: Moves | None = None
        self.ran: list[str] = []
        self.surprise = ""

    def next(self, outcome: Outcome) -> Move | None:
        """Return the next move, given what the one before led to."""
        if self.surprise:
            return None
        ended: str | None = None
        if self._moves is not None:
            try:
                return self._moves.send(outcome)
            except StopIteration as end:
                ended, self._moves = end.value, None
        while ended is None and self._left:
            text, skills = self._left.pop(0)
            chosen = self._chosen(text, skills)
            if chosen is None:
                self._left = []  # the model does this one, and nobody can tell where it ends
                return None
            name, program, filled = chosen
            self.ran.append(name)
            self._moves = perform(program, filled, outcome.observation, patience=self._patience)
            try:
                return next(self._moves)
            except StopIteration as end:
                ended, self._moves = end.value, None
        self.surprise = ended or ""
        return None

    def _chosen(self, goal: str, skills: Sequence[Ranked]) -> tuple[str, Program, Filled] | None:
        """Return the first skill with a program that the goal fills."""
        known = [(ranked.id, program) for ranked in skills if (program := self._program(ranked.id)) is not None]
        for name, program in known:
            if (filled := filled_by(program.goals, goal)) is not None:
                return name, program, filled
        for name, program in known:
            if self._llm is not None and (filled := asked(program, goal, self._llm)) is not None:
                return name, program, filled
        return None

    def _program(self, name: str) -> Program | None:
        try:
            return program_of(self._library.skills[name])
        except InvalidSkill as fault:
            log.warning("its words alone are used: %s", fault)
            return None


def asked(program: Program, goal: str, llm: LLM) -> Filled | None:
    """Ask the model for a goal's values; None unless it gives, word for word, all that one of the patterns needs."""
    lists = {name: many for pattern in program.goals for name, many in slots_of_pattern(pattern).items()}
    if not lists:
        return None
    prompt = render("fill", goals=fence("goals", "\n".join(program.goals)), goal=fence("goal", goal))
    try:
        reply = llm.reply([Message.user(prompt)], role=Role.ACTOR, schema=_schema(lists), max_tokens=300)
    except PromptTooLong:
        return None
    filled: dict[str, str | tuple[str, ...]] = {}
    for name, value in (reply.data or {}).items():
        values = tuple(str(one) for one in value) if isinstance(value, list) else (str(value),)
        if values and all(one.strip() and one.casefold() in goal.casefold() for one in values):
            filled[name] = values if lists[name] else values[0]
    complete = any(slots_of_pattern(pattern).keys() <= filled.keys() for pattern in program.goals)
    return filled if complete else None


def _schema(lists: dict[str, bool]) -> Json:
    text: Json = {"type": "string", "maxLength": 200}
    return {
        "type": "object",
        "properties": {name: {"type": "array", "items": text, "maxItems": 20} if many else text
                       for name, many in lists.items()},
        "required": list(lists),
        "additionalProperties": False,
    }  # fmt: skip
