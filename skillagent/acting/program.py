"""Program: runs what the routed skills know how to do without a model, subgoal by subgoal.

A goal that matches one of a program's patterns fills its slots; else the model is asked once for the values, which must
stand in the goal. On the first surprise the model goes on from there, with all that was done; what surprised is kept.
Where its first turns only clear the way, say of a window that popped up, the program takes over again. A subgoal that
the model does ends where it says so, or where what can be seen then is seen; the next one's program then begins.
A skill whose program cannot be read is used for its words alone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence

from skillagent.acting.replan import Failed
from skillagent.errors import InvalidSkill, PromptTooLong
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.programs.find import place_of, places_of
from skillagent.programs.perform import Blocked, Move, Moves, Wanted, lacking, perform
from skillagent.programs.template import filled_by, slots_of_pattern
from skillagent.programs.text import FILE, program_of
from skillagent.prompts import fence, render
from skillagent.schema import (
    Action,
    Filled,
    Json,
    Message,
    Observation,
    Outcome,
    Plan,
    Program,
    Ran,
    Ranked,
    Replanned,
    Role,
    Route,
    Subgoal,
    Verb,
    digest_of,
)

log = logging.getLogger("skillagent.acting")

Holds = Callable[[str], bool | None]
Again = Callable[[Failed, Observation], Replanned | None]

_PATIENCE = Action(verb="wait", arguments={"seconds": 0.5})
_HELP = 3  # turns of the model in which a program still hopes to go on


class Pilot:
    """Says what the programs do next; None as soon as the model must choose.

    A program that does not find what it begins with is not for this page: the next skill's is tried. `runs` are those
    that were to run, `unfit` names those that did not begin, `guessed` those for which the model found the values, and
    `surprise` is why the model goes on after the last one that ran, or had to help it.

    Args:
        plan: Each subgoal runs the program of its own skill.
        route: The skills of each subgoal, best first.
        library: Where they are read.
        verbs: Of the environment.
        llm: Is asked for the values of a goal that matches no pattern; None: such a goal runs no program.
        replans: How often another program that knows a subgoal takes over where one comes to its end or is surprised,
            and the task is not done.
        helped: A model is there that may help a program on.
        holds: Tells whether a sentence about the present state is so; None where it cannot.
        again: Plans what is left of a goal of several parts where one failed and no program takes over, so often too.
    """

    def __init__(
        self,
        plan: Plan,
        route: Route,
        library: Library,
        verbs: Sequence[Verb],
        llm: LLM | None,
        *,
        replans: int = 0,
        helped: bool = True,
        holds: Holds = lambda _: None,
        again: Again | None = None,
    ) -> None:
        self._library, self._llm = library, llm
        self._holds, self._again = holds, again if plan.divided else None
        self._known: dict[str, Program | None] = {}
        self._past: list[Subgoal] = []  # carried out under earlier plans
        self._begun_parts = 0
        self._by_model = self._said = self._seen_before = False
        self._so_before: bool | None = None
        self._follow(plan, route)
        self._patience = _PATIENCE if any(verb.name == _PATIENCE.verb for verb in verbs) else None
        self._moves: Moves | None = None
        self._others: Iterator[tuple[str, Program, Filled]] = iter(())
        self._replans, self._plans, self._help = replans, replans, _HELP if helped else 0
        self.runs: list[Ran] = []
        self.guessed: list[str] = []
        self.replanned: list[Replanned] = []
        self.surprise = ""

    def next(self, outcome: Outcome) -> Action | Wanted | None:
        """Return the next move, given what the one before led to; None: the model chooses."""
        now = outcome.observation
        if self._moves is not None:
            try:
                return self._asked_for(self._moves.send(outcome))
            except StopIteration as end:
                if (move := self._after(end.value, now)) is not None:
                    return move
        elif self._said:
            self._said = False
            if self._so() is False:
                self._plan_again(f"it is not so that {self._part.done_when}", now)
        elif self.waiting and not self._seen_before and self._done(now):
            self._by_model = False
        while self._left and not self._by_model:
            part, skills = self._left[0]
            self._begun_parts += 1
            self._so_before = self._so()
            if (move := self._begun(part.text, skills, now)) is not None:
                return move
            self._hand_over(now)
        return None

    @property
    def waiting(self) -> int | None:
        """The number of the next part, from 1, while the model does the one before it and a later one has a program."""
        return self._begun_parts + 1 if self._by_model and any(self._ready[self._begun_parts :]) else None

    @property
    def chains(self) -> bool:
        """Whether a program knows a later part of the plan."""
        return any(self._ready[1:])

    def go_on(self) -> None:
        """Let the next part begin: the one that the model does is done, as it says."""
        self._by_model, self._said = False, True

    @property
    def _left(self) -> Sequence[tuple[Subgoal, Sequence[Ranked]]]:
        return self._parts[self._begun_parts :]

    @property
    def _part(self) -> Subgoal:
        return self._parts[self._begun_parts - 1][0]

    def _follow(self, plan: Plan, route: Route) -> None:
        """Begin a plan; nothing of it is done."""
        self.plan = plan
        self._parts = [
            (part, [one for one in skills if not one.pinned])
            for part, skills in zip(plan.subgoals, route.skills, strict=True)
        ]
        self._begun_parts = 0
        self._by_model = self._said = self._seen_before = False
        self._so_before = None
        new = {one.id for _, skills in self._parts for one in skills} - self._known.keys()
        self._known |= {name: self._program(name) for name in new}
        self._ready = [any(self._matching(part.text, skills)) for part, skills in self._parts]

    def _after(self, surprise: str | None, now: Observation) -> Action | Wanted | None:
        """Return the first move of what takes over from a program that ended; None where the plan goes on by itself."""
        self._moves, ran, last = None, len(self.runs) - 1, not self._left
        if surprise:
            self._helped(ran)
        if not (why := self._undone(surprise)):
            return None
        move = self._instead(ran, now)
        planned = move is None and self._plan_again(why, now)
        if move is not None or planned or not last:
            self._helped(ran)
        if move is None:
            self.surprise = self.surprise or why
            if not planned:
                self._hand_over(now)
        return move

    def _undone(self, surprise: str | None) -> str:
        """Return why the part whose program ended is not done; nothing where it is, as far as anybody can tell."""
        so = self._so()
        if surprise:
            return "" if self._left and so and not self._so_before else surprise
        if so is False:
            return f"its steps are done, but it is not so that {self._part.done_when}"
        return "" if self._left else "its steps are done, the task is not"

    def _plan_again(self, why: str, now: Observation) -> bool:
        """Tell whether there is a new plan for what is left, which then begins."""
        if self._again is None or not self._plans:
            return False
        self._plans -= 1
        carried_out = [*self._past, *(part for part, _ in self._parts[: self._begun_parts - 1])]
        before = [(part, self._holds(part.done_when)) for part in carried_out]
        made = self._again(Failed(plan=self.plan, part=self._part, why=why, before=before), now)
        if made is None:
            return False
        self.replanned.append(made)
        self._past = carried_out
        self._follow(made.plan, made.route)
        return True

    def _so(self) -> bool | None:
        """Tell whether it is so what the present part's plan says of its end; None where the world cannot tell."""
        return self._holds(self._part.done_when)

    def _hand_over(self, now: Observation) -> None:
        """Let the model do the present part. What is seen already does not tell that it is done."""
        self._by_model, self._seen_before = True, self._done(now)

    def _done(self, now: Observation) -> bool:
        seen, so = self._part.done_when, self._so()
        return so if so is not None else bool(seen.strip()) and now.shows(seen)

    def _asked_for(self, move: Move) -> Action | Wanted | None:
        """Return a move, or None where the model is to clear the way."""
        if isinstance(move, Blocked):
            self.surprise = self.surprise or move.why
            self._helped(len(self.runs) - 1)
            return None
        return move

    @property
    def ran(self) -> tuple[str, ...]:
        """The skills whose programs began."""
        return tuple(dict.fromkeys(run.skill for run in self.runs if run.fit))

    @property
    def unfit(self) -> tuple[str, ...]:
        """The skills whose programs did not begin."""
        return tuple(dict.fromkeys(run.skill for run in self.runs if not run.fit))

    def _helped(self, run: int) -> None:
        """Note that the program of a run could not do it by itself."""
        self.runs[run] = self.runs[run].model_copy(update={"helped": True})

    def _begun(self, goal: str, skills: Sequence[Ranked], first: Observation) -> Action | Wanted | None:
        """Begin the first program that fits goal and page, and return its first move."""
        self._others = iter(self._fitting(goal, skills))
        return self._first_of(self._others, goal, first)

    def _instead(self, ran: int, now: Observation) -> Action | Wanted | None:
        """Begin the next program that knows the same part as that run, if there is one, and return its first move."""
        if not self._replans:
            return None
        self._replans -= 1
        return self._first_of(self._others, self.runs[ran].goal, now)

    def _first_of(
        self, programs: Iterator[tuple[str, Program, Filled]], goal: str, first: Observation
    ) -> Action | Wanted | None:
        for name, program, filled in programs:
            digest = digest_of(self._library.skills[name].files[FILE])
            run, begun = Ran(skill=name, program=digest, goal=goal), any(one.fit for one in self.runs)
            moves = perform(program, filled, first, patience=self._patience, begun=begun, help=self._help)
            try:
                move = next(moves)
            except StopIteration as end:
                self.runs.append(run.model_copy(update={"fit": False}))
                if not begun:  # else it would read as what surprised the one that ran
                    self.surprise = end.value or "there is nothing to do"
                continue
            self.runs.append(run)
            self._moves, self.surprise = moves, ""
            return self._asked_for(move)
        return None

    def _fitting(self, goal: str, skills: Sequence[Ranked]) -> Iterator[tuple[str, Program, Filled]]:
        """Yield the programs that know such goals; where none does, the first for which the model finds the values."""
        matching = self._matching(goal, skills)
        yield from matching
        for name, program in self._programs(skills) if not matching and self._llm is not None else ():
            assert self._llm is not None
            if (filled := asked(program, goal, self._llm)) is not None:
                self.guessed.append(name)
                yield name, program, filled
                return

    def _matching(self, goal: str, skills: Sequence[Ranked]) -> list[tuple[str, Program, Filled]]:
        return [
            (name, program, filled)
            for name, program in self._programs(skills)
            if (filled := filled_by(program.goals, goal)) is not None and lacking(program, filled) is None
        ]

    def _programs(self, skills: Sequence[Ranked]) -> Iterator[tuple[str, Program]]:
        for ranked in skills:
            if (program := self._known[ranked.id]) is not None:
                yield ranked.id, program

    def _program(self, name: str) -> Program | None:
        try:
            return program_of(self._library.skills[name])
        except InvalidSkill as fault:
            log.warning("its words alone are used: %s", fault)
            return None


def asked(program: Program, goal: str, llm: LLM) -> Filled | None:
    """Ask the model for a goal's values; None unless it gives, word for word, all that one of the patterns needs.

    No word of the goal is in two values.
    """
    lists = {name: many for pattern in program.goals for name, many in slots_of_pattern(pattern).items()}
    if not lists:
        return None
    prompt = render("fill", goals=fence("goals", "\n".join(program.goals)), goal=fence("goal", goal))
    try:
        reply = llm.reply([Message.user(prompt)], role=Role.ACTOR, schema=_schema(lists), max_tokens=300)
    except PromptTooLong:
        return None
    given: dict[str, tuple[str, ...]] = {}
    for name, value in (reply.data or {}).items():
        values = tuple(str(one).strip() for one in value) if isinstance(value, list) else (str(value).strip(),)
        if values and all(one and place_of(one, goal) for one in values):
            given[name] = values
    complete = [slots for pattern in program.goals if (slots := slots_of_pattern(pattern)).keys() <= given.keys()]
    most = max(complete, key=len, default={})
    filled = {name: given[name] if most[name] else given[name][0] for name in most}
    apart = _apart([one for name in most for one in given[name]], goal)
    return filled if filled and apart and lacking(program, filled) is None else None


def _apart(values: Sequence[str], goal: str) -> bool:
    """Tell whether each value stands in the goal, in words of its own; the one with the fewest places goes first."""
    taken: list[re.Match[str]] = []
    for places in sorted(([*places_of(value, goal)] for value in sorted(values, key=len, reverse=True)), key=len):
        free = [one for one in places if all(one.end() <= two.start() or two.end() <= one.start() for two in taken)]
        if not free:
            return False
        taken.append(free[0])
    return True


def _schema(lists: dict[str, bool]) -> Json:
    text: Json = {"type": "string", "maxLength": 200}
    return {
        "type": "object",
        "properties": {name: {"type": "array", "items": text, "maxItems": 20} if many else text
                       for name, many in lists.items()},
        "required": list(lists),
        "additionalProperties": False,
    }  # fmt: skip
