"""Across: one program for successes that were asked for in other words, are of several kinds, or consist of parts.

Where what is done is the same, the wordings share their slots (`wordings`). Where it is not, the program does the one
or the other by which of its goals it was given. Where a goal has parts, the steps for each are a success of their own:
a goal of other parts is then planned from what programs know.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import permutations, product

from pydantic import JsonValue

from skillagent.goals import clauses
from skillagent.learning.compiled import Induced, Shown, compiled, made_of, patterns_of, sound, styles_for
from skillagent.learning.describe import Doubts, Style, by_first, by_fixed_label, by_part, either, never_seen
from skillagent.learning.patterns import fits_all, free, named
from skillagent.learning.wordings import Worded, by_way, in_one_language, named_on, wordings
from skillagent.programs.find import words_of
from skillagent.programs.template import slots_of_pattern
from skillagent.schema import Check, Do, Node, Observation, Program, Repeat, Step, Target, Trajectory, When

_WAYS = 6  # to write the goals of one wording as a pattern
_COMBINED, _FOLLOWED = 48, 3  # combinations of those that are tried, and those that are worth more than one style
_HAS = re.compile(r'"has":"\{')  # what the goal tells, and not a word that a name has anyway
_TOKEN = re.compile(r"\{[^{}]*\}|\s+|[^\s{}]+")
_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)(\.\.\.)?\}")

_Wording = tuple[list[Shown], list[str]]  # its successes, and all goals that are known to be of it


def in_other_words(shown: Sequence[Shown], others: Sequence[Trajectory]) -> list[list[Induced]]:
    """Return programs for successes of several wordings, as if all did the same, and one or the other by its goal."""
    words = named_on(_pages(shown, others))
    told = _told(shown, others, words)
    kinds: dict[frozenset[Hashable], list[_Wording]] = {}
    for one in told:
        kinds.setdefault(_way(one[0][0]), []).append(one)
    made = [_unified(told, words, styles_for(shown, others))] if len(told) > 1 else []
    return [*made, _either([*kinds.values()], others, words)] if len(kinds) > 1 else made


def by_surroundings(shown: Sequence[Shown], others: Sequence[Trajectory]) -> list[Induced]:
    """Return programs for goals that tell by what is near or around them what is meant: `the door on your left`."""
    words = named_on(pages := _pages(shown, others), around=True)
    told = _told(shown, others, words) if words != named_on(pages) else []
    if len({goal for _, goals in told for goal in goals}) < 2:
        return []
    doubts = either(_doubts(shown, others), by_fixed_label)
    made = _unified(told, words, [Style(doubts, prefers=by_part)])
    return [one for one in made if _HAS.search(one.program.model_dump_json())]


def _pages(shown: Sequence[Shown], others: Sequence[Trajectory]) -> list[Observation]:
    pages = [*(one.steps[0].observation for one in shown), *(first_of(one) for one in others)]
    return [one for one in (*pages, *(one.final for one in shown)) if one is not None]


def _told(shown: Sequence[Shown], others: Sequence[Trajectory], words: Collection[str]) -> list[_Wording]:
    goals = [*(one.goal for one in shown), *(one.goal for one in others)]
    ways = [_way(one) for one in shown]
    groups = [part for group in wordings(goals, words) for part in by_way(group, goals, ways, words)]
    return [
        ([shown[n] for n in group if n < len(shown)], [goals[n] for n in group])
        for group in groups
        if group[0] < len(shown)
    ]


def _way(shown: Shown) -> frozenset[Hashable]:
    """Return what was done in a success, elements and amounts aside: the verbs, and where to in space they went."""
    acted = [step.action for step in shown.steps if step.target is not None]
    return frozenset((action.verb, *map(_direction, action.arguments.values())) for action in acted)


def _direction(argument: JsonValue) -> tuple[int, bool] | None:
    """Return along which axis a way in space leads most, and whether forwards; None of anything else."""
    if not isinstance(argument, list) or not all(isinstance(one, int | float) for one in argument) or not any(argument):
        return None
    axis = max(range(len(argument)), key=lambda n: abs(float(str(argument[n]))))
    return axis, float(str(argument[axis])) > 0


def _unified(
    told: Sequence[_Wording], words: Collection[str], styles: Sequence[Style], *, taken: Collection[str] = ()
) -> list[Induced]:
    """Return the programs for some wordings of one thing.

    Of the ways to take a pattern for each wording, those are followed up that make the simplest programs.

    Args:
        told: The wordings.
        words: That pages name things with.
        styles: What to prefer, one after the other.
        taken: What no slot may be called.
    """
    shown = [one for own, _ in told for one in own]
    proposed = [_worded(own, goals, words) for own, goals in told]
    made = list[tuple[Induced, list[str]]]()
    for turn in sorted(product(*map(range, map(len, proposed))), key=sum)[:_COMBINED]:
        renamed = in_one_language([own[n] for own, n in zip(proposed, turn, strict=True)])
        renamed = [_SLOT.sub(lambda slot: f"{{{free(slot[1], taken)}{slot[2] or ''}}}", one) for one in renamed]
        patterns = [pattern for (own, _), pattern in zip(told, renamed, strict=True) for _ in own]
        if all(map(sound, patterns)) and (one := compiled(patterns, shown, Style())) is not None:
            made.append((one, patterns))
    made.sort(key=lambda pair: pair[0].rank)
    return [one for _, patterns in made[:_FOLLOWED] for one in made_of(patterns, shown, styles)]


def _worded(shown: Sequence[Shown], goals: Sequence[str], words: Collection[str]) -> list[Worded]:
    """Return the ways to write the goals of one wording as a pattern.

    Args:
        shown: Its successes.
        goals: All that are known, those of the successes among them.
        words: That pages name things with.
    """
    told, own = [(one.goal, one.steps) for one in shown], dict.fromkeys(one.goal for one in shown)
    proposed = [named([one, *goals], words, listing=listing) for listing in (False, True) for one in own]
    proposed = [one for one in proposed if sound(one) and fits_all(one, own)]
    ways = list(dict.fromkeys([*proposed, *patterns_of(shown, goals)]))[:_WAYS]
    return [Worded(pattern, [goal for goal in goals if fits_all(pattern, [goal])], told) for pattern in ways]


def _either(kinds: Sequence[Sequence[_Wording]], others: Sequence[Trajectory], words: Collection[str]) -> list[Induced]:
    """Return the programs that do one of several things, by which goal they are given."""
    shown = [one for told in kinds for own, _ in told for one in own]
    made, doubts = list[Induced](), _doubts(shown, others)
    for style in (Style(doubts), Style(doubts, prefers=by_first)):
        parts, taken = list[Induced](), set[str]()
        for told in kinds:
            parts += _unified(told, words, [style], taken=taken)[:1]
            taken |= {slot for one in parts for goal in one.program.goals for slot in slots_of_pattern(goal)}
        whole = _joined(parts) if len(parts) == len(kinds) else None
        made += [one for one in (whole and _searching(whole), whole) if one is not None]
    return made


def _doubts(shown: Sequence[Shown], others: Sequence[Trajectory]) -> Doubts:
    return never_seen(others, [one.steps[0].observation for one in shown])


def _joined(parts: Sequence[Induced]) -> Induced | None:
    """Return one program of several; None where nothing tells their goals apart."""
    told = [(one, _given(one.program)) for one in parts]
    last = next((one for one, given in told if given is None), parts[-1])
    steps: Sequence[Node] = last.program.steps
    for one, given in reversed(told):
        if one is last:
            continue
        if given is None:
            return None
        steps = (When(check=Check(given=given), do=tuple(one.program.steps), otherwise=tuple(steps)),)
    told_apart = by_analogy([one.program.goals for one in parts])
    goals = tuple(dict.fromkeys(goal for own in told_apart for goal in own))
    return Induced(
        program=Program(goals=goals, steps=tuple(steps)),
        explains=sum(one.explains for one in parts),
        begins=0,
        cost=sum(one.cost + 1 for one in parts),
    )


def by_analogy(kinds: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the patterns of each kind with those that the others' suggest.

    Where two kinds have a pattern of one wording, `put {a} behind {b}` and `put {c} left of {d}`, a wording that only
    one of them was asked in is said of the other too: of `{a} is behind {b}` follows `{c} is left of {d}`.
    """
    found = [dict.fromkeys(own) for own in kinds]
    for one, other in [*permutations(found, 2)] * len(found):  # what follows may be what something else follows from
        for pair in product(tuple(one), tuple(other)):
            if (alike := _differ(*pair)) is not None:
                other.update(dict.fromkeys(said for pattern in one if (said := _instead(pattern, *alike))))
    return [tuple(own) for own in found]


def _instead(pattern: str, words: list[str], instead: list[str], slots: Mapping[str, str]) -> str:
    """Return a pattern with other words in the one place where some stand, and other slots; else nothing."""
    parts = _TOKEN.findall(pattern)
    at = [n for n in range(len(parts)) if parts[n : n + len(words)] == words]
    if len(at) != 1 or not slots.keys() >= slots_of_pattern(pattern).keys():
        return ""
    parts[at[0] : at[0] + len(words)] = instead
    return "".join(slots[part.strip("{.}")] if part[0] == "{" else part for part in parts)


def _differ(one: str, other: str) -> tuple[list[str], list[str], dict[str, str]] | None:
    """Return the words in which two patterns differ, and how the slots of the first are called in the other.

    None unless they differ in one place and have equal slots.
    """
    ours, theirs = _TOKEN.findall(one), _TOKEN.findall(other)
    bare, other_bare = ([_SLOT.sub("{}", part) for part in parts] for parts in (ours, theirs))
    codes = SequenceMatcher(None, bare, other_bare, autojunk=False).get_opcodes()
    changed = [code for code in codes if code[0] != "equal"]
    slots = [[part for part in parts if part[0] == "{"] for parts in (ours, theirs)]
    if len(changed) != 1 or changed[0][0] != "replace" or [*map(_many, slots[0])] != [*map(_many, slots[1])]:
        return None
    _, start, end, begin, stop = changed[0]
    words, instead = ours[start:end], theirs[begin:stop]
    if any(part[0] == "{" for part in (*words, *instead)):
        return None
    return words, instead, {mine.strip("{.}"): their for mine, their in zip(*slots, strict=True)}


def _many(slot: str) -> bool:
    return "..." in slot


def _searching(made: Induced) -> Induced | None:
    """Return the program with the search of one of its steps before each: what one had to look for, another may too."""
    looking = next(_searches(made.program.steps), None)
    if looking is None:
        return None
    steps = _sought(made.program.steps, looking)
    program = made.program.model_copy(update={"steps": steps})
    return made.model_copy(update={"program": program, "cost": made.cost + 1}) if program != made.program else None


def _searches(nodes: Sequence[Node]) -> Iterator[Repeat]:
    """Yield what is done again and again, to no element, until one is there."""
    for node in nodes:
        match node:
            case Repeat(do=(Do(targets=targets),), until=Check(element=Target(), gone=False)) if not targets:
                yield node
            case When():
                yield from _searches((*node.do, *node.otherwise))


def _sought(nodes: Sequence[Node], looking: Repeat) -> tuple[Node, ...]:
    made = list[Node]()
    for node in nodes:
        match node:
            case When():
                do, other = _sought(node.do, looking), _sought(node.otherwise, looking)
                made.append(node.model_copy(update={"do": do, "otherwise": other}))
            case Do(targets=targets) if (ref := targets.get("ref")) and not (made and isinstance(made[-1], Repeat)):
                made += [looking.model_copy(update={"until": Check(element=ref)}), node]
            case _:
                made.append(node)
    return tuple(made)


def _given(program: Program) -> str | None:
    """Return a slot that all goals of a program have."""
    slots = [slots_of_pattern(goal) for goal in program.goals]
    return next((name for name in slots[0] if all(name in own for own in slots)), None)


def pieces_of(shown: Shown) -> list[Shown]:
    """Return the parts of a success as successes of their own; none where its goal or its steps have no such parts."""
    for parts in clauses(shown.goal):
        ends = _ends(shown.steps, parts) if len(parts) > 1 else None
        if ends is not None:
            starts = [0, *ends[:-1]]
            after = [*(shown.steps[end].observation for end in ends[:-1]), shown.final]
            return [
                Shown(part, shown.steps[start:end], seen)
                for part, start, end, seen in zip(parts, starts, ends, after, strict=True)
            ]
    return []


def _ends(steps: Sequence[Step], parts: Sequence[str]) -> list[int] | None:
    """Return behind which steps the parts of a goal are done, each with what it names; None where that cannot be."""
    names = [words_of(step.target.name) if step.target else frozenset[str]() for step in steps]
    best: dict[int, tuple[int, list[int]]] = {0: (0, [])}  # by the steps that are done: words in common, and the ends
    for part in parts:
        said, following = words_of(part), dict[int, tuple[int, list[int]]]()
        for start, (common, ends) in best.items():
            for end in range(start + 1, len(steps) + 1):
                common += len(names[end - 1] & said)
                if names[end - 1] & said and common > following.get(end, (-1, []))[0]:
                    following[end] = common, [*ends, end]
        best = following
    return best[len(steps)][1] if len(steps) in best else None


def looks_at_parts(other: Trajectory) -> list[Trajectory]:
    """Return looks at the goals that are parts of another episode's, where it began."""
    first = first_of(other)
    parts = next(clauses(other.goal))
    return [other.model_copy(update={"goal": part, "steps": (), "final": first}) for part in parts] if first else []


def first_of(other: Trajectory) -> Observation | None:
    """Return the state in which an episode began."""
    return other.steps[0].observation if other.steps else other.final
