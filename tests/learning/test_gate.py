"""The gate: what is let in, what is kept out, and for how many replays."""

from itertools import count

import numpy as np
import pytest

from skillagent.learning.gate import Rules, gate, p_value, wealth
from skillagent.library import Library
from skillagent.schema import Condition, Edit, Insight, Pair, PutInsight, PutSkill, Score, Skill, Task

INSIGHT = Insight(
    id="i", taxonomy="x/y/z", kind="pitfall", condition=Condition(applies="When a date is typed"), explanation="month"
)
EDIT = Edit(changes=(PutSkill(skill=Skill(name="s", description="d", body="b")),), why="test")


def tasks():
    return (Task(env="e", name="t", seed=1_000_000 + n) for n in count())


def scripted(before, after, tokens=(100, 100)):
    """Score the n-th task by the n-th entry of each list; the last entry is repeated."""
    asked = []

    def trial(task, library):
        side, scores = ("after", after) if library.skills else ("before", before)
        asked.append((side, task.seed))
        value = scores[min(task.seed - 1_000_000, len(scores) - 1)]
        return None if value is None else Score(value=value, tokens=tokens[side == "after"])

    return trial, asked


@pytest.mark.parametrize(
    ("before", "after", "tokens", "accepted", "replays"),
    [
        pytest.param([0.0], [1.0], (100, 100), True, 4, id="helps every time: four wins are enough"),
        pytest.param([0.0], [0.0], (100, 100), False, 5, id="never helps: stops when it cannot any more"),
        pytest.param(
            [1.0], [0.5], (100, 100), False, 1, id="harms: one loss is more than the other seven could make good"
        ),
        pytest.param(
            [0, 0, 1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 1, 1, 1, 1], (9, 9), False, 3, id="two wins do not outweigh a loss"
        ),
        pytest.param([1.0], [1.0], (100, 70), True, 5, id="as good and cheaper"),
        pytest.param([1.0], [1.0], (100, 90), False, 5, id="hardly cheaper"),
        pytest.param([1, 0, 1, 1, 1], [1.0], (100, 70), True, 6, id="cheaper, and now and then better"),
        pytest.param([1, 1, 1, 1], [1, 1, 0, 1], (100, 70), False, 3, id="cheaper, and once worse"),
        pytest.param([1.0], [1.0], (0, 0), False, 5, id="nothing is not cheaper than nothing"),
        pytest.param([1, 1, 1, 0, 1], [1, 1, 1, 0, 1], (100, 50), True, 6, id="failed on both sides saves nothing"),
        pytest.param([0, None, 0, 0, 0], [1], (100, 100), True, 5, id="an unscored pair is dropped"),
        pytest.param([None], [1.0], (100, 100), False, 4, id="too many unscored pairs"),
        pytest.param([0.0, 0.5], [0.5, 1.0], (100, 100), True, 4, id="partial scores count by their order"),
    ],
)
def test_gate(before, after, tokens, accepted, replays):
    trial, asked = scripted(before, after, tokens)
    decision = gate(EDIT, Library(), trial, fresh=tasks(), rules=Rules(pairs=8, steady=4))
    assert decision.accepted is accepted, decision.reason
    assert len(decision.pairs) == replays
    assert len(asked) == 2 * replays - decision.count("vain")


@pytest.mark.parametrize(
    ("before", "after", "accepted", "replays"),
    [
        pytest.param([1.0], [1.0], True, 11, id="eleven solved pairs without a loss"),
        pytest.param([1.0], [1, 1, 1, 1, 1, 1, 1, 1, 1, 0], False, 11, id="losses from the tenth on"),
        pytest.param(
            [1, 0, 1, 0, *[1] * 16], [1, 0, 1, 0, *[1] * 16], True, 13, id="what was not solved does not count"
        ),
    ],
)
def test_an_edit_that_only_saves_must_hold_what_was_solved(before, after, accepted, replays):
    trial, _ = scripted(before, after, (100, 0))
    decision = gate(EDIT, Library(), trial, fresh=tasks())
    assert decision.accepted is accepted, decision.reason
    assert len(decision.pairs) == replays


@pytest.mark.parametrize(
    ("after", "accepted"),
    [
        pytest.param([0, 0, 110, 0, 110, 0, 0, 110, 110, 0] * 2, True, id="often nothing, else hardly more"),
        pytest.param([0, 0, 400, 0, 400, 0, 0, 400, 400, 0] * 2, False, id="often nothing, else far more"),
        pytest.param([85] * 20, False, id="always a little"),
        pytest.param([0, *[105] * 19], False, id="once nothing, else a little more"),
    ],
)
def test_an_edit_may_save_on_average(after, accepted):
    def trial(task, library):
        tokens = after[task.seed - 1_000_000] if library.skills else 100
        return Score(value=1.0, tokens=tokens)

    decision = gate(EDIT, Library(), trial, fresh=tasks())
    assert decision.accepted is accepted, decision.reason


@pytest.mark.parametrize(
    ("solved", "accepted", "replays"),
    [
        pytest.param([1, 0], True, 21, id="every other one is solved"),
        pytest.param([1, 0, 0], True, 31, id="one in three is solved"),
        pytest.param([1, 0, 0, 0, 0], False, 17, id="one in five is solved: too few to hope"),
    ],
)
def test_an_edit_that_saves_may_take_longer_to_hold_what_is_solved(solved, accepted, replays):
    scores = [float(one) for one in solved * 40]
    trial, _ = scripted(scores, scores, (100, 0))
    decision = gate(EDIT, Library(), trial, fresh=tasks())
    assert decision.accepted is accepted, decision.reason
    assert len(decision.pairs) == replays


def test_an_edit_that_costs_as_much_is_hardly_ever_let_in_for_what_it_saves():
    random, let_in = np.random.default_rng(1), 0
    for _ in range(400):
        costs = {n: (random.integers(50, 200), random.integers(50, 200)) for n in range(20)}

        def trial(task, library, costs=costs):
            return Score(value=1.0, tokens=int(costs[task.seed - 1_000_000][bool(library.skills)]))

        let_in += gate(EDIT, Library(), trial, fresh=tasks()).accepted
    assert let_in <= 0.02 * 400


def test_an_edit_that_spoils_a_fifth_is_hardly_ever_let_in_for_what_it_saves():
    random, let_in = np.random.default_rng(0), 0
    for _ in range(400):
        trial, _ = scripted([1.0] * 20, [float(random.random() > 0.2) for _ in range(20)], (100, 0))
        let_in += gate(EDIT, Library(), trial, fresh=tasks()).accepted
    assert let_in <= 0.13 * 400  # 0.8 ** 11 is 0.086


@pytest.mark.parametrize(
    ("after", "accepted", "replays"),
    [
        pytest.param([1, *[0] * 19], False, 9, id="one win, then eight pairs without: given up"),
        pytest.param([1, 0, 0, 0, 0] * 4, True, 16, id="wins now and then: may go on"),
        pytest.param([1, None, *[0] * 18], False, 10, id="a dropped pair does not count"),
    ],
)
def test_an_edit_that_does_nothing_for_long_is_given_up(after, accepted, replays):
    trial, _ = scripted([0.0], after)
    decision = gate(EDIT, Library(), trial, fresh=tasks(), rules=Rules(pairs=20, patience=8))
    assert decision.accepted is accepted, decision.reason
    assert len(decision.pairs) == replays


def test_until_the_edit_has_scored_something_the_other_side_is_not_asked():
    trial, asked = scripted([1.0], [0.0])
    decision = gate(EDIT, Library(), trial, fresh=tasks(), rules=Rules(patience=3))
    assert [pair.outcome for pair in decision.pairs] == ["vain"] * 3
    assert {side for side, _ in asked} == {"after"}
    assert decision.reason == "refused: no clear lift (0 wins, 0 losses, 0 ties, 3 in vain)"
    assert decision.final


def test_a_try_of_the_edit_that_nobody_scored_is_no_score_either():
    trial, asked = scripted([0.0], [0, None, 0, 0, 0])
    decision = gate(EDIT, Library(), trial, fresh=tasks(), rules=Rules(patience=4))
    assert [pair.outcome for pair in decision.pairs] == ["vain", "dropped", "vain", "vain", "vain"]
    assert {side for side, _ in asked} == {"after"}


def test_a_library_that_cannot_be_scored_is_never_in_vain():
    trial, _ = scripted([None], [1, *[0] * 19])
    decision = gate(EDIT, Library(), trial, fresh=tasks())
    assert {pair.outcome for pair in decision.pairs} == {"dropped"}
    assert not decision.final


def test_a_rehearsal_without_a_score_before_and_a_zero_after_is_refused():
    old = Task(env="e", name="old", seed=7)

    def trial(task, library):
        lost = Score(value=0.0) if library.skills else None
        return lost if task.name == "old" else Score(value=float(bool(library.skills)))

    decision = gate(EDIT, Library(), trial, fresh=tasks(), rehearsals=[old])
    assert (decision.accepted, decision.final) == (False, False)


def test_once_the_edit_has_scored_no_loss_before_that_goes_unseen():
    seen = []
    trial, asked = scripted([0, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1])
    decision = gate(EDIT, Library(), trial, fresh=tasks(), rules=Rules(pairs=6), watch=seen.append)
    assert [pair.outcome for pair in decision.pairs] == ["tie", "loss"]
    assert not decision.accepted
    assert [pair.outcome for pair in seen] == ["vain", "vain", "tie", "loss"]
    assert {seed for side, seed in asked if side == "before"} == {1_000_000, 1_000_001}


@pytest.mark.parametrize(
    ("solved", "accepted", "replayed"),
    [
        pytest.param([], False, [1, 2], id="solves none of its sources: nothing else is paid for"),
        pytest.param([2], True, [1, 2], id="solves one"),
        pytest.param([1], True, [1], id="solves the first: the second is not needed"),
    ],
)
def test_an_edit_must_first_solve_what_it_was_learnt_from(solved, accepted, replayed):
    sources = [(Task(env="e", name="t", seed=seed), Score(value=0.0)) for seed in (1, 2)]

    def trial(task, library):
        return Score(value=float(bool(library.skills) and (task.seed in solved or task.seed >= 1_000_000)))

    decision = gate(EDIT, Library(), trial, fresh=tasks(), sources=sources)
    assert decision.accepted is accepted
    assert [pair.task.seed for pair in decision.verified] == replayed
    assert bool(decision.pairs) is accepted


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        pytest.param((PutInsight(insight=INSIGHT),), False, id="an insight must solve it"),
        pytest.param(EDIT.changes, True, id="a skill may come nearer"),
        pytest.param((PutInsight(insight=INSIGHT), *EDIT.changes), True, id="and so may one with an insight"),
    ],
)
def test_a_source_task_that_is_done_better_and_not_solved_speaks_for_a_skill_and_not_for_an_insight(changes, accepted):
    sources = [(Task(env="e", name="t", seed=1), Score(value=0.0))]

    def trial(task, library):
        return Score(value=0.0 if not len(library) else 0.5 if task.seed == 1 else 1.0)

    decision = gate(Edit(changes=changes, why="test"), Library(), trial, fresh=tasks(), sources=sources)
    assert decision.accepted is accepted
    if not accepted:
        assert decision.reason == "refused: it does not solve what it was learnt from"
        assert (decision.final, decision.pairs) == (True, ())


def test_both_sides_of_a_pair_share_task_and_seed():
    trial, asked = scripted([0.0], [1.0])
    gate(EDIT, Library(), trial, fresh=tasks())
    assert asked[1::2] == [("before", seed) for _, seed in asked[::2]]


def test_an_edit_that_loses_a_task_that_used_to_be_solved_is_refused():
    old = Task(env="e", name="old", seed=7)

    def trial(task, library):
        return Score(value=float(not library.skills) if task.name == "old" else float(bool(library.skills)))

    decision = gate(EDIT, Library(), trial, fresh=tasks(), rehearsals=[old])
    assert not decision.accepted
    assert "e/old" in decision.reason
    assert [pair.outcome for pair in decision.rehearsed] == ["loss"]


def test_an_edit_that_brings_back_the_model_where_it_was_not_needed_is_refused():
    old = Task(env="e", name="old", seed=7)

    def trial(task, library):
        if task.name == "old":
            return Score(value=1.0, tokens=500 if library.skills else 0)
        return Score(value=float(bool(library.skills)))

    decision = gate(EDIT, Library(), trial, fresh=tasks(), rehearsals=[old])
    assert (decision.accepted, decision.final) == (False, True)
    assert "e/old was solved before and needs the model again" in decision.reason


@pytest.mark.parametrize("lost", ["old", "source"])
def test_a_replay_that_cannot_be_scored_never_speaks_for_an_edit_nor_against_it_later(lost):
    old, source = Task(env="e", name="old", seed=7), Task(env="e", name="source", seed=8)

    def trial(task, library):
        return None if task.name == lost else Score(value=float(bool(library.skills) or task.name == "old"))

    sources = [(source, Score(value=0.0))]
    decision = gate(EDIT, Library(), trial, fresh=tasks(), sources=sources, rehearsals=[old])
    assert not decision.accepted
    assert not decision.final
    assert "could not be tried" in decision.reason


def test_a_useless_edit_is_rarely_let_in_by_luck():
    """Two thousand coin-flip edits: at most alpha of them may pass, whenever the gate stops."""
    import numpy as np

    coin = np.random.default_rng(0)
    passed = 0
    for _ in range(2_000):

        def trial(task, library):
            return Score(value=float(coin.random() < 0.5))

        passed += gate(EDIT, Library(), trial, fresh=tasks(), rules=Rules(pairs=12)).accepted
    assert passed / 2_000 <= 0.1


def test_an_edit_that_helps_every_second_time_still_has_a_chance():
    import numpy as np

    coin = np.random.default_rng(1)

    def trial(task, library):
        return Score(value=float(bool(library.skills) and coin.random() < 0.7))

    passed = sum(gate(EDIT, Library(), trial, fresh=tasks()).accepted for _ in range(100))
    assert passed > 60


def test_p_is_the_inverse_of_the_best_wealth_on_the_way():
    def pair(before, after):
        return Pair(task=Task(env="e", name="t"), before=Score(value=before), after=Score(value=after))

    assert p_value([]) == 1.0
    assert p_value([pair(0, 1), pair(0, 1), pair(1, 0)]) == pytest.approx(1 / 1.9**2)
    assert wealth(2, 1) == pytest.approx(0.361)


# ── Edits that are there to save ─────────────────────────────────────────────────────────────────────────────────────


def saving(after, before=1.0, alone=None, costs=lambda seed: 0):
    """Return the decision on an edit that only saves, and which sides the model was asked on."""
    asked = []

    def trial(task, library):
        number = task.seed - 1_000_000
        side = "after" if library.skills else "before"
        asked.append((side, number))
        value = after(number) if side == "after" else before
        return Score(value=value, tokens=costs(number) if side == "after" else 100)

    return gate(EDIT, Library(), trial, fresh=tasks(), alone=lambda task, library: alone), asked


def test_what_an_edit_solves_for_nothing_is_not_asked_of_the_model():
    decision, asked = saving(lambda number: 1.0)
    assert decision.accepted, decision.reason
    assert {pair.outcome for pair in decision.pairs} == {"spared"}
    assert len(decision.pairs) == 15  # three of four would have been solved: as good as eleven that were
    assert {side for side, _ in asked} == {"after"}
    assert "15 spared the model; 100% of the tokens saved" in decision.reason


def test_what_is_solved_for_nothing_without_the_edit_too_saves_nothing():
    decision, asked = saving(lambda number: 1.0, alone=Score(value=1.0))
    assert not decision.accepted
    assert {pair.outcome for pair in decision.pairs} == {"tie"}
    assert {side for side, _ in asked} == {"after"}


def test_what_fails_with_the_edit_is_asked_of_the_model_and_may_be_a_loss():
    decision, asked = saving(lambda number: float(number != 3))
    assert not decision.accepted
    assert ("before", 3) in asked
    assert decision.pairs[3].outcome == "loss"
    fine, asked = saving(lambda number: float(number != 3), before=0.0)
    assert fine.accepted
    assert fine.pairs[3].outcome == "tie"
    assert [number for side, number in asked if side == "before"] == [3]


def test_what_costs_something_with_the_edit_is_compared():
    decision, asked = saving(lambda number: 1.0, costs=lambda number: 20 * (number % 2))
    assert decision.accepted
    assert {number % 2 for side, number in asked if side == "before"} == {1}
    assert {pair.outcome for pair in decision.pairs} == {"spared", "tie"}
