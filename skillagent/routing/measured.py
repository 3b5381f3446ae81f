"""Measured: what skills were worth on goals that were tried, as the ledger tells, ready for training.

A program is worth the share of its tries that did it by themselves, a skill in words the share of tries that solved the
task where it was followed, for the part of a plan that it was shown for. Replays of the gate count where they tell
whose they are and the ledger knows the goal. What a reader would get wrong: holdout seeds never count, what a skill was
written from says nothing of it, and a skill that was rewritten, by whatever version number, begins anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.followed import followed
from skillagent.routing.outcomes import Instance, told
from skillagent.routing.rerank import Kind
from skillagent.schema import Attempted, Change, Decided, Event, PutSkill, RolledBack, Skill, Split, digest_of


@dataclass(frozen=True)
class Query:
    """A goal that was tried at an instance, and what candidates of one kind were worth there, 0 to 1, by name.

    `beside` are the other goals of that instance, as plans divided it: what came of them came of the same tries.
    """

    at: Instance
    goal: str
    domain: str
    kind: Kind
    worth: Mapping[str, float]
    beside: frozenset[str] = frozenset()

    @property
    def family(self) -> str:
        """The task that the goal is an instance of: what training is split by."""
        return self.at[0]

    @property
    def varied(self) -> bool:
        """True where one candidate did better than another: only such a goal teaches an order."""
        return len(set(self.worth.values())) > 1


@dataclass
class _Table:
    """Tries by goal and kind, then by whose they are: a program's digest, or a skill's name."""

    tries: dict[tuple[Instance, str, str, Kind], dict[str, list[bool]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def add(self, at: Instance, goal: str, domain: str, kind: Kind, whose: str, solved: bool) -> None:
        self.tries[at, goal, domain, kind][whose].append(solved)

    def forget(self, name: str) -> None:
        for key, of in self.tries.items():
            if key[-1] == "words":
                of.pop(name, None)


def measured(library: Library, events: Iterable[Event]) -> list[Query]:
    """Return the goals on which the worth of skills of this library is known, in the order in which they were tried."""
    known, table = list(events), _Table()
    attempts = [event.entry for event in known if isinstance(event.entry, Attempted)]
    goals = {(one.task.id, one.task.seed): one.goal for one in attempts}
    asked = defaultdict[Instance, set[str]](set)
    for one in attempts:
        parts = {part.goal for part in one.routed} | {run.goal for run in one.runs}
        asked[one.task.id, one.task.seed] |= {one.goal} | parts
    for event in known:
        for run, solved, at in told(event):
            table.add(at, run.goal, at[0].partition("/")[0], "programs", run.program, solved)
        match event.entry:
            case Attempted() as one:
                for goal, name, solved in _in_words(one, library):
                    table.add((one.task.id, one.task.seed), goal, one.task.env, "words", name, solved)
            case Decided(decision=decision, replaced=replaced) as entry:
                for name in _rewritten(decision.edit.changes, replaced) if decision.accepted else ():
                    table.forget(name)
                _add_replays(table, entry, library, goals)
            case RolledBack(changes=changes, replaced=replaced):
                for name in _rewritten(changes, replaced):
                    table.forget(name)
            case _:
                pass
    return list(_queries(table, library, asked))


def _in_words(one: Attempted, library: Library) -> Iterator[tuple[str, str, bool]]:
    """Yield for what goals skills were shown and followed, where no program ran, and whether the task was solved.

    A skill that was shown as an example of another, or by a line from before routes were kept, was for the whole goal.
    """
    if one.void is not None or one.score is None or one.task.split is Split.HOLDOUT or one.programs:
        return
    parts = dict.fromkeys((shown.id, part.goal) for part in one.routed for shown in part.shown)
    apart = {name for name, _ in parts}
    for name, goal in (*parts, *((name, one.goal) for name in one.shown if name not in apart)):
        if (skill := library.skills.get(name)) is not None and followed(skill, one.actions):
            yield goal, name, one.score >= 1


def _add_replays(table: _Table, entry: Decided, library: Library, goals: Mapping[Instance, str]) -> None:
    """Take in the replays of an edit that puts one skill, as it stands in the library."""
    put = [change.skill for change in entry.decision.edit.changes if isinstance(change, PutSkill)]
    if len(put) != 1 or not _same(put[0], library.skills.get(put[0].name)):
        return
    kind: Kind = "programs" if FILE in put[0].files else "words"
    whose = digest_of(put[0].files[FILE]) if kind == "programs" else put[0].name
    for pair in (*entry.decision.pairs, *entry.decision.rehearsed):
        at = (pair.task.id, pair.task.seed)
        goal = pair.task.goal or goals.get(at)
        if pair.after is not None and goal and pair.task.split is not Split.HOLDOUT:
            by_itself = kind == "words" or not pair.after.tokens
            table.add(at, goal, pair.task.env, kind, whose, pair.after.success and by_itself)


def _rewritten(changes: Sequence[Change], replaced: Sequence[Change]) -> Iterator[str]:
    """Yield the skills whose words changed."""
    old = {one.skill.name: one.skill for one in replaced if isinstance(one, PutSkill)}
    for change in changes:
        if not isinstance(change, PutSkill) or not _same(change.skill, old.get(change.key)):
            yield change.key


def _same(one: Skill, other: Skill | None) -> bool:
    """Tell whether two skills say and run the same; what they solved meanwhile makes no difference."""
    return other is not None and (one.description, one.body, one.files.get(FILE)) == (
        other.description,
        other.body,
        other.files.get(FILE),
    )


def _queries(table: _Table, library: Library, asked: Mapping[Instance, Collection[str]]) -> Iterator[Query]:
    skills = dict[str, str]()
    for name, skill in sorted(library.skills.items(), reverse=True):  # of skills with one program, the first
        skills[digest_of(skill.files[FILE]) if FILE in skill.files else name] = name
    for (at, goal, domain, kind), of in table.tries.items():
        worth = {skills[whose]: sum(tries) / len(tries) for whose, tries in of.items() if whose in skills}
        if worth:
            yield Query(at, goal, domain, kind, worth, frozenset(asked.get(at, ())) - {goal})
