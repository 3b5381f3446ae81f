"""Gate: an edit enters the library only if replayed tasks say it should.

The comparison is paired: each task is tried with the library as it is and with the edit made, under the same seed.
Unscored pairs are dropped and counted, never read as zeros: a replay that could not be scored never speaks for an edit,
and a refusal for want of scores is not held against it later. Choosing the tasks is the caller's work (`replays`).

The test is exact and may be read after every pair: the wealth of a bettor who stakes a fixed part of it on "the edit
wins this pair". If wins were no likelier than losses the wealth would exceed 1/alpha with probability at most alpha,
whenever one stops (Ville's inequality), so stopping early costs nothing in honesty. Two such bets run at `alpha` each,
on lift and on cost: an edit that is useless in both ways gets in with probability at most twice `alpha`. The one on
cost is split into two at half of it: that the edit saves clearly in most solved pairs, and that it does so on average,
as a program does that runs alone in some episodes and hands over to the model in others.

The side with the edit goes first, and until it has scored anything the other side is not asked: such a pair cannot be
won. Once it has, the other sides of all pairs are made up for, so that no loss goes unseen. Where the question is only
what an edit saves, a pair that it solves for nothing cannot be lost, and the other side is tried without the model:
either that solves it too, and nothing is saved, or the model is spared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

from pydantic import Field

from skillagent.library import Library
from skillagent.schema import Decision, Edit, Pair, PutInsight, Score, Task, Value

Trial = Callable[[Task, Library], Score | None]

SPARED = 0.75  # of the pairs in which the model was spared, so many at least would have been solved by it
STAKE = 0.9  # a win multiplies the wealth by 1.9, a loss by 0.1: one loss needs four more wins


class Rules(Value):
    """What the gate asks for.

    `alpha` bounds the chance that a useless edit is let in by luck. `pairs` is the most that are tried, and twice as
    many for an edit that saves and has lost nothing; drawn pairs that could not be scored do not count, up to `drops`
    of them. After `patience` pairs in a row that speak neither for the edit's lift nor for its thrift it is given up,
    so that the long comparisons go to edits that sometimes help. A cost is clearly lower from `saving` on, as a share
    of the dearer side's tokens; an edit that only saves is let in after `steady` solved pairs without a loss: one that
    spoils a fifth of what is solved gets so far with probability
    at most 0.8 ** 11, less than `alpha`.
    """

    alpha: float = Field(default=0.1, gt=0, lt=1)
    pairs: int = Field(default=20, ge=1)
    patience: int = Field(default=8, ge=1)
    drops: int = Field(default=3, ge=0)
    steady: int = Field(default=11, ge=1)
    saving: float = Field(default=0.2, gt=0, lt=1)


def gate(
    edit: Edit,
    library: Library,
    trial: Trial,
    *,
    fresh: Iterable[Task],
    sources: Sequence[tuple[Task, Score]] = (),
    rehearsals: Sequence[Task] = (),
    rules: Rules | None = None,
    alone: Trial | None = None,
    watch: Callable[[Value], None] = lambda _: None,
) -> Decision:
    """Return the decision on an edit, with every pair that it rests on.

    First the edit must do better on one of the tasks that it was learnt from, and solve it where it only puts insights:
    that costs least and sorts out most. Accepted on
    lift (wins beat losses beyond chance), or where nothing is lost on clearly lower cost. Refused when a rehearsed task
    that used to be solved is lost, or was solved without the model and no longer is; when the remaining pairs could not
    bring acceptance any more; or when too many pairs could not be scored.

    Args:
        edit: Applied to `library` for the other side of each pair.
        trial: Scores one task with one library.
        sources: Practice tasks that the lesson's attempts failed, and how they scored; none: nothing to verify.
        fresh: Tasks on gate seeds that nothing was learnt from; read only as far as needed.
        rehearsals: Tasks that the library solved, and for which the edit changes what is shown.
        rules: How strict to be.
        alone: Tries a task without ever asking the model, for an edit that is there to save; None: to help as well.
        watch: Is shown each pair as it is known.
    """
    rules, replays = rules or Rules(), _Replays(library, library.apply(edit), trial, alone, watch)
    won = partial(_verifies, told=all(isinstance(change, PutInsight) for change in edit.changes))
    verified = _until(won, (replays.again(task, score) for task, score in sources))
    if verified and not won(verified[-1]):
        known = any(one.outcome != "dropped" for one in verified)
        unproven = f"refused: it {'does not solve' if known else 'could not be tried on'} what it was learnt from"
        return Decision(edit=edit, accepted=False, reason=unproven, final=known, verified=verified)
    pairs: list[Pair] = []
    for one in replays.fresh(fresh, rules):
        pairs.append(one)
        if (reason := _settled(pairs, rules)) is not None:
            break
    else:
        reason = "refused: the replays ran out before they said anything"
    accepted, rehearsed = reason.startswith("accepted"), tuple[Pair, ...]()
    final = accepted or sum(one.outcome == "dropped" for one in pairs) <= rules.drops
    if accepted:
        rehearsed = _until(
            lambda one: _spoiled(one) is not None, (replays.again(t, trial(t, library)) for t in rehearsals)
        )
        if rehearsed and (what := _spoiled(rehearsed[-1])) is not None:
            accepted, final = False, rehearsed[-1].outcome != "dropped"
            reason = f"refused: {rehearsed[-1].task.id} was solved before and {what}"
    return Decision(
        edit=edit,
        accepted=accepted,
        reason=reason,
        final=final,
        verified=verified,
        pairs=tuple(pairs),
        rehearsed=rehearsed,
        p_value=p_value(pairs),
    )


def _verifies(source: Pair, *, told: bool) -> bool:
    """Tell whether a task that an edit was learnt from speaks for it; what is only told must solve it."""
    return source.outcome == "win" and source.after is not None and (source.after.success or not told)


def _spoiled(rehearsed: Pair) -> str | None:
    """Return what an edit did to a task that was solved before, or None where it did no harm."""
    if rehearsed.outcome == "dropped":
        return "could not be tried with the edit"
    if rehearsed.outcome == "loss":
        return "is lost with the edit"
    before, after = rehearsed.before, rehearsed.after
    free = before is not None and before.success and not before.tokens
    return "needs the model again with the edit" if free and after is not None and after.tokens else None


@dataclass(frozen=True)
class _Replays:
    """Tries tasks without and with the edit, and shows each pair."""

    library: Library
    candidate: Library
    trial: Trial
    alone: Trial | None
    watch: Callable[[Value], None]

    def again(self, task: Task, before: Score | None) -> Pair:
        """Return a pair of which one side is known."""
        return self._pair(task, before, self.trial(task, self.candidate))

    def fresh(self, tasks: Iterable[Task], rules: Rules) -> Iterator[Pair]:
        """Yield the pairs in their order; as long as the edit has scored nothing, one side of each, at the end."""
        waiting, scored = list[Pair](), False
        for task in tasks:
            after = self.trial(task, self.candidate)
            if not scored and (after is None or after.value == 0):
                waiting.append(self._pair(task, None, after, asked=False))
                if _settled(waiting, rules) is not None:
                    break
                continue
            for one in waiting:
                yield one if one.after is None else self._pair(one.task, self.trial(one.task, self.library), one.after)
            waiting, scored = [], True
            yield self._compared(task, after)
        yield from waiting

    def _compared(self, task: Task, after: Score | None) -> Pair:
        """Return the pair with the other side; the model is spared where it could say nothing against the edit."""
        if self.alone is not None and after is not None and after.success and not after.tokens:
            before = self.alone(task, self.library)
            solved = before is not None and before.success
            return self._pair(task, before if solved else None, after, asked=solved)
        return self._pair(task, self.trial(task, self.library), after)

    def _pair(self, task: Task, before: Score | None, after: Score | None, *, asked: bool = True) -> Pair:
        one = Pair(task=task, before=before, after=after, asked=asked)
        self.watch(one)
        return one


def _until(last: Callable[[Pair], bool], pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Return the pairs up to and with the first for which `last` holds."""
    taken: list[Pair] = []
    for one in pairs:
        taken.append(one)
        if last(one):
            break
    return tuple(taken)


def wealth(wins: int, losses: int) -> float:
    """Return what 1 has become after betting on each win and loss."""
    return float((1 + STAKE) ** wins * (1 - STAKE) ** losses)


def p_value(pairs: Sequence[Pair]) -> float:
    """Return the anytime-valid p of "wins are no likelier than losses", from the best moment so far."""
    best, wins, losses = 1.0, 0, 0
    for pair in pairs:
        wins, losses = wins + (pair.outcome == "win"), losses + (pair.outcome == "loss")
        best = max(best, wealth(wins, losses))
    return 1 / best


def _settled(pairs: Sequence[Pair], rules: Rules) -> str | None:
    """Return why no further pair is needed, or None while it is open."""
    outcomes = [pair.outcome for pair in pairs]
    wins, losses, drops = outcomes.count("win"), outcomes.count("loss"), outcomes.count("dropped")
    if drops > rules.drops:
        return f"refused: {drops} of {len(pairs)} pairs could not be scored"
    tally = f"{wins} wins, {losses} losses, {outcomes.count('tie')} ties"
    tally += "".join(
        f", {outcomes.count(kind)} {word}"
        for kind, word in (("vain", "in vain"), ("spared", "spared the model"))
        if kind in outcomes
    )
    if wealth(wins, losses) >= 1 / rules.alpha:
        return f"accepted: it helps ({tally})"
    saved = _savings(pairs)
    held = SPARED * outcomes.count("spared") + sum(
        pair.outcome != "dropped" and pair.before is not None and pair.before.success for pair in pairs
    )
    if losses == 0 and held >= rules.steady and _thrift(saved, rules.saving) >= 2 / rules.alpha:
        return f"accepted: as good and cheaper ({tally}; {sum(saved) / len(saved):.0%} of the tokens saved)"
    saves = losses == 0 and _thrift(saved, rules.saving) >= 2 / rules.alpha
    left = max(0, rules.pairs - (len(pairs) - drops))
    more = max(0, 2 * rules.pairs - (len(pairs) - drops)) if saves else left  # it only has to hold what is solved
    can_help = left > 0 and wealth(wins + left, losses) >= 1 / rules.alpha
    can_save = more > 0 and losses == 0 and held + more >= rules.steady
    can_save = can_save and _thrift([*saved, *[1.0] * more], rules.saving) >= 2 / rules.alpha
    if not (can_help or can_save) or _barren(pairs, rules):
        return f"refused: no clear lift ({tally})"
    return None


def _barren(pairs: Sequence[Pair], rules: Rules) -> bool:
    """Return whether the last `patience` scored pairs were neither won nor solved more cheaply."""
    scored = [pair for pair in pairs if pair.outcome != "dropped"][-rules.patience :]
    won = any(pair.outcome == "win" for pair in scored)
    return len(scored) == rules.patience and not won and all(one < rules.saving for one in _savings(scored))


def _savings(pairs: Sequence[Pair]) -> list[float]:
    """Return what the edit saved in each solved tie, as a share of the dearer side's tokens: in [-1, 1].

    Where the model was spared, that is all of them.
    """
    ties = [(p.before, p.after) for p in pairs if p.outcome == "tie" and p.before and p.after and p.after.success]
    spared = sum(pair.outcome == "spared" for pair in pairs)
    return [1.0] * spared + [
        (before.tokens - after.tokens) / max(before.tokens, after.tokens, 1) for before, after in ties
    ]


def _thrift(saved: Sequence[float], saving: float) -> float:
    """Return the better of two wealths: of bets that the next saving is a clear one, and on how much it is."""
    cheaper = sum(one >= saving for one in saved)
    return max(wealth(cheaper, len(saved) - cheaper), prod(1 + STAKE * (one - saving) / (1 + saving) for one in saved))
