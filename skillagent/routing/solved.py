"""Solved: the goals that skills solved since they were written, as the ledger tells, for the router to find them by.

A program counts where it did its part by itself; words where they were followed and the task was solved. A few goals of
each skill are kept, unlike one another. What a reader would get wrong: other words, or another program, begin anew; and
holdout seeds never count, so that nothing moves while a library is measured on them.

One event costs its own skill's goals, however many skills there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from skillagent.goals import shape
from skillagent.ports import VectorCache
from skillagent.programs.text import FILE
from skillagent.routing.followed import followed
from skillagent.routing.outcomes import told
from skillagent.schema import Attempted, Event, Skill, Split, digest_of

MOST = 12  # goals of a skill
Whose = tuple[str, str]  # a skill's name, and the digest of its program or of what it says


class Solved:
    """The goals that skills solved since they were written.

    Args:
        cache: Gives unit vectors.
        events: Returns the ledger, oldest first; read again, from where it was left, whenever something is asked.
        most: How many goals of a skill are kept.
    """

    def __init__(self, cache: VectorCache, events: Callable[[], Iterable[Event]], *, most: int = MOST) -> None:
        self._cache, self._events, self._most, self._read = cache, events, most, 0
        self._goals: dict[Whose, list[str]] = defaultdict(list)
        self._in_words: dict[Whose, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)  # all that were not judged
        self._whose: list[str] = []  # of each goal that came, the skill's name
        self._owners: dict[str, set[str]] = defaultdict(set)

    def goals(self, skill: Skill) -> tuple[str, ...]:
        """Return the goals that a skill solved as it stands, the first ones first; what it tells itself is left out."""
        program = skill.files.get(FILE)
        whose = (skill.name, digest_of(program) if program else skill.says)
        for goal, actions in self._in_words.pop(whose, ()) if not program else ():
            if followed(skill, actions):
                self._add(whose, goal)
        known = {shape(goal) for goal in skill.goals}
        return tuple(goal for goal in self._goals.get(whose, ()) if shape(goal) not in known)

    def since(self, count: int) -> tuple[set[str], int]:
        """Return the names of skills that may have solved more since so many goals had come, and how many have now."""
        self._catch_up()
        return set(self._whose[count:]), len(self._whose)

    def owners(self, goal: str) -> set[str]:
        """Return the names of skills that solved a goal."""
        return self._owners.get(goal, set())

    def _catch_up(self) -> None:
        for event in islice(self._events(), self._read, None):
            self._read += 1
            for run, solved, _ in told(event):
                if solved:
                    self._came(run.skill, run.goal)
                    self._add((run.skill, run.program), run.goal)
            for whose, goal, actions in _in_words(event):
                self._came(whose[0], goal)
                self._in_words[whose].append((goal, actions))  # whether it was followed is told by its text

    def _came(self, name: str, goal: str) -> None:
        self._whose.append(name)
        self._owners[goal].add(name)

    def _add(self, whose: Whose, goal: str) -> None:
        """Take in a goal of a new shape; of too many, the later of the two that are most alike goes."""
        kept = self._goals[whose]
        shapes = [shape(one) for one in (*kept, goal)]
        if shapes[-1] in shapes[:-1]:
            return
        kept.append(goal)
        if len(kept) > self._most:
            rows = self._cache.vectors(shapes)
            alike = np.tril((rows @ rows.T).round(6), -1) + np.triu(np.full((len(rows), len(rows)), -2.0))
            del kept[int(np.argmax(alike)) // len(rows)]


def _in_words(event: Event) -> Iterator[tuple[Whose, str, tuple[str, ...]]]:
    """Yield whose words were shown where the task was solved and no program ran, for what, and what was done."""
    match event.entry:
        case Attempted(void=None, score=float() as score, programs=(), task=task) as one:
            if score >= 1 and task.split is not Split.HOLDOUT:
                for part in one.routed:
                    yield from (((shown.id, shown.says), part.goal, one.actions) for shown in part.shown)
        case _:
            pass
