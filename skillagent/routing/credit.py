"""Credit: what routing has come to, as the ledger tells: which skills were of use, which misled, and what was lacking.

Read off the ledger anew each time; nothing is decided here, and nothing counted anywhere else. Void and unscored
attempts say nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from skillagent.goals import shape
from skillagent.library import Library
from skillagent.routing.followed import followed
from skillagent.schema import Attempted, Event, Value


class Credit(Value):
    """What came of a skill. Each attempt at which it was shown counts once.

    `alone`: its program did the task, or its part, by itself. `helped`: the task was solved, and the model had to take
    part. `misled`: the task was not solved. `ignored`: its program did not run, and what was done is not what its words
    say, so it neither helped nor misled. Of those shown, its program `ran` in so many, and its words were `followed` in
    so many; where neither can be told it counts as used.
    """

    skill: str
    shown: int = 0
    ran: int = 0
    followed: int = 0
    alone: int = 0
    helped: int = 0
    misled: int = 0
    ignored: int = 0


class Lacking(Value):
    """Goals of one shape for which nothing was shown: how often they were tried, and failed."""

    shape: str
    tried: int
    failed: int


class Routing(Value):
    """What routing has come to. `unused` skills were never shown; in `abstained` attempts none of the skills was.

    `wanted` are the skills that plans asked for, in the planner's words, the latest first, each once.
    """

    attempts: int
    abstained: int
    credits: tuple[Credit, ...]
    unused: tuple[str, ...]
    lacking: tuple[Lacking, ...]
    wanted: tuple[str, ...] = ()


def routing(library: Library, events: Iterable[Event]) -> Routing:
    """Return what routing has come to for the skills of a library, and for goals that had none."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in library.skills}
    tried, failed, wanted = Counter[str](), Counter[str](), list[str]()
    attempts = abstained = 0
    for event in events:
        match event.entry:
            case Attempted(void=None, score=float() as score) as one:
                attempts += 1
                wanted += one.wanted
                used = [name for name in dict.fromkeys((*one.shown, *one.programs)) if name in counts]
                for name in used:
                    ran = name in one.programs
                    heeded = None if ran else followed(library.skills[name], one.actions)
                    counts[name].update(("shown", "ignored" if heeded is False else _came(one, name)))
                    counts[name].update(ran=ran, followed=heeded is True)
                if not used and not one.programs:
                    abstained += 1
                    tried[shape(one.goal)] += 1
                    failed[shape(one.goal)] += score < 1
    return Routing(
        attempts=attempts,
        abstained=abstained,
        credits=tuple(
            Credit(skill=name, **count)
            for name, count in sorted(counts.items(), key=lambda item: (-item[1]["shown"], item[0]))
            if count["shown"]
        ),
        unused=tuple(name for name, count in counts.items() if not count["shown"]),
        lacking=tuple(
            Lacking(shape=goal, tried=tried[goal], failed=count) for goal, count in failed.most_common() if count
        ),
        wanted=tuple(dict.fromkeys(reversed(wanted))),
    )


def _came(one: Attempted, name: str) -> str:
    begun = [run.skill for run in one.runs if run.fit] or one.programs  # a line from before runs were told has names
    last, helped = name in begun[-1:], any(run.helped for run in one.runs if run.skill == name)
    by_itself = name in begun and not helped and not (last and one.surprise)
    if (one.score or 0) < 1:
        return (
            "alone" if name in begun and not last and not helped else "misled"
        )  # its part was done: the next had begun
    return "alone" if by_itself else "helped"
