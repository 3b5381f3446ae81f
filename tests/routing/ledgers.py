"""Ledgers for the tests of training: families of goals, each known by two programs in the same words."""

import random

import numpy as np

from skillagent.goals import shape
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.rerank import Encoder
from skillagent.schema import Attempted, Event, Ran, Skill, Split, Task, digest_of

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def words_of(family, count=4):
    """Return words that no other family has."""
    chance = random.Random(family)
    return " ".join("".join(chance.choices(_LETTERS, k=6)) for _ in range(count))


def goal_of(family):
    return f"go and {words_of(family)} it now"


def skill(family, name, steps):
    """Return a skill of a family whose program has these steps; what it says is the same for all of a family."""
    text = f"goals: ['{goal_of(family)}']\nsteps: [{', '.join(steps)}]\n"
    return Skill(name=f"{name}-{family}", description=words_of(family), body="Do it.", domain="x", files={FILE: text})


def plain(family):
    return skill(family, "a-plain", [f"go_{family}"])


def checked(family):
    return skill(family, "b-checked", [f"go_{family}", "expect: {shows: there}"])


def tried(skill, family, score, seed=0, **rest):
    task, goal = Task(env="x", name=f"t{family}", seed=seed), goal_of(family)
    run = Ran(skill=skill.name, program=digest_of(skill.files[FILE]), goal=goal)
    rest = {"goal": goal, "runs": (run,), "programs": (skill.name,)} | rest
    return Attempted(attempt="a", task=task, score=score, **rest)


def ledger(*entries):
    return [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]


def world(families, works, split=Split.PRACTICE):
    """Return a library and its ledger: one goal a family, tried by each of two programs, by itself.

    `works(family)` is what the plain one and the checked one come to.
    """
    pairs = [(plain(n), checked(n)) for n in range(families)]
    entries = [
        tried(one, n, score, split.first_seed)
        for n, pair in enumerate(pairs)
        for one, score in zip(pair, works(n), strict=True)
    ]
    return Library(skills={one.name: one for pair in pairs for one in pair}), ledger(*entries)


def looks_first(_):
    """What looks before it acts works."""
    return 0.0, 1.0


def by_chance(family):
    """Nothing tells which one works."""
    return [(0.0, 1.0), (1.0, 0.0)][random.Random(f"coin {family}").randrange(2)]


def ridge(given, used):
    """Fit weights in one line, so that what surrounds the fitting is tested without torch."""
    better, worse = [], []
    for case, use in zip(given, used, strict=True):
        worth = np.where(use, np.nan_to_num(case.worth), np.nan)
        better.append(case.features[np.nanargmax(worth)])
        worse.append(case.features[np.nanargmin(worth)])
    apart = np.array(better) - np.array(worse)
    return np.linalg.solve(apart.T @ apart + 5 * np.eye(apart.shape[1]), apart.sum(axis=0))


def turning(given, used, rows):
    """Fit an encoder in closed form: texts turn to the goals as far as they are like those that did better."""
    apart = []
    for case, use in zip(given, used, strict=True):
        worth = np.where(use, np.nan_to_num(case.worth), np.nan)
        better, worse = rows([case.texts[np.nanargmax(worth)], case.texts[np.nanargmin(worth)]])
        apart.append(better - worse)
    down, up = np.mean(apart, axis=0), 3 * rows([shape(case.goal) for case in given]).mean(axis=0)
    return Encoder(down=tuple((x,) for x in down.tolist()), up=(tuple(up.tolist()),))
