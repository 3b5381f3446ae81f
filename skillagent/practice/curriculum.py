"""Curriculum: what to practise next. What failed of late is drawn more often than what went well.

The probability is proportional to 1 - recent success, the adaptive sampling of SkillMimic-V2 (Yu et al. 2025). Of what
failed, a task whose name or goals share words with a skill that plans asked for of late is drawn up to four times as
often: where it is practised, that skill can be learnt. No model reads the words, so one that shares none is not found.
Source: new skills on the planner's demand (Uni-Skill).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from skillagent.schema import Attempted, Event, Split, Task

RECENT = 6  # scored tries that the success of a task is read from
WANTED = 3.0  # how much more often a task is drawn that shares all words of a missing skill
_WANTS = 8  # missing skills, the last that were asked for
_WORD = re.compile(r"[^\W_]{2,}")
_ENDING = re.compile(r"(?:ing|ed|es|s|e)$")
_TWICE = re.compile(r"(.)\1$")  # putting, pressed
_STOP = frozenset(
    re.findall(r"\w+", "an and are as at be but by for from if in into is it its of on or that the then this to with")
)


def surprised(task: Task, events: Iterable[Event], *, most: int = 2) -> list[Task]:
    """Return the practice instances of a task on which a program was surprised and has not run through since.

    The latest first. The world may have changed, or the goal is worded in a way that the program does not know; what
    the model then did is evidence to mend it by.
    """
    open_: dict[int, Task] = {}
    for event in events:
        one = event.entry
        if not isinstance(one, Attempted) or one.task.id != task.id or one.task.split is not Split.PRACTICE:
            continue
        if one.programs and one.void is None:
            open_.pop(one.task.seed, None)
            if one.surprise or any(run.helped for run in one.runs):
                open_[one.task.seed] = task.model_copy(update={"seed": one.task.seed})
    return list(open_.values())[: -most - 1 : -1]


def next_task(
    tasks: Sequence[Task], tried: Iterable[Attempted], random: np.random.Generator, *, seeds: int = 1
) -> Task | None:
    """Return one of the tasks on the first practice seed behind all that were tried; None where none failed of late.

    A task is passed over where fewer than `seeds` practice seeds are left behind that one.

    Args:
        tasks: To draw from; a task that was never tried counts as failed.
        tried: What was tried so far, in this order, whatever the task: its plans may have asked for a skill. Tries on
            other seeds than practice seeds are passed over.
        random: Draws.
    """
    scores: dict[str, list[bool]] = {task.id: [] for task in tasks}
    last = {task.id: task.seed - 1 for task in tasks}
    said = {task.id: _words(task.name) for task in tasks}
    wanted = list[str]()
    for one in tried:
        wanted += one.wanted if one.task.split is Split.PRACTICE else ()
        if one.task.id in scores and one.task.split is Split.PRACTICE:
            last[one.task.id] = max(last[one.task.id], one.task.seed)
            said[one.task.id] |= _words(one.goal)
            if one.score is not None:
                scores[one.task.id].append(one.score >= 1)
    room = [Split.of(last[task.id] + seeds) is Split.PRACTICE for task in tasks]
    failed = np.array([1 - float(np.mean(own[-RECENT:])) if (own := scores[task.id]) else 1.0 for task in tasks]) * room
    if not failed.any():
        return None
    lacking = [_words(text) for text in islice(dict.fromkeys(reversed(wanted)), _WANTS)]
    failed *= [1 + WANTED * max((_share(words, said[task.id]) for words in lacking), default=0.0) for task in tasks]
    drawn = tasks[int(random.choice(len(tasks), p=failed / failed.sum()))]
    return drawn.model_copy(update={"seed": last[drawn.id] + 1})


def _words(text: str) -> set[str]:
    """Return the telling words of a text without their endings: `opening` and `opens` are one."""
    words = {word for word in _WORD.findall(text.casefold()) if word not in _STOP}
    return {_TWICE.sub(r"\1", _ENDING.sub("", word)) for word in words}


def _share(words: set[str], known: set[str]) -> float:
    return len(words & known) / len(words) if words else 0.0
