"""Continual: what is kept is routed among the skills of now, what keeps nothing fine-tunes, and shifts are seen."""

from functools import partial

import numpy as np
import pytest

from skillagent.goals import shape
from skillagent.library import Items, Library
from skillagent.routing import retune
from skillagent.routing.catalogue import Catalogue, text_of
from skillagent.routing.continual import (
    WAYS,
    all_again,
    backward,
    distillation,
    diverse,
    elastic,
    fine_tune,
    interpolation,
    liking,
    near_old,
    prototypes,
    replay,
    topology,
)
from skillagent.routing.experts import Experts, assigned, experts
from skillagent.routing.measured import Query
from skillagent.routing.rebatch import Rebatch
from skillagent.routing.rerank import Encoder
from skillagent.routing.tune import RANK, scores
from skillagent.schema import Skill
from skillagent.testing import HashEmbedder

CACHE = HashEmbedder()
WORDS = [
    ("open", "door"),
    ("lift", "stone"),
    ("paint", "wall"),
    ("sell", "horse"),
    ("write", "letter"),
    ("boil", "egg"),
]


def skill(n, *goals):
    return Skill(
        name=f"skill-{n}", description=f"{WORDS[n][0]} something", body=f"So it is done: {WORDS[n][1]}.", goals=goals
    )


def asked(n, text=""):
    return Query(
        (f"skill-{n}", n), text or f"please {WORDS[n][0]} that {WORDS[n][1]} today", "", "words", {f"skill-{n}": 1.0}
    )


def among(*skills):
    return Rebatch(Library(skills={one.name: one for one in skills}), Catalogue(CACHE))


OLD, NEW = [asked(0), asked(1)], [asked(2), asked(3)]
THEN, LATER = [skill(n) for n in (0, 1, 2, 3)], skill(4)
START = retune.fresh(64, 0)


def turning(of, to):
    """Return an encoder of the usual rank that turns rows like one towards another."""
    down, up = np.zeros((64, RANK)), np.zeros((RANK, 64))
    down[:, 0], up[0] = of, to
    return Encoder(down=tuple(map(tuple, down.tolist())), up=tuple(map(tuple, up.tolist())))


TURNED = turning(0.1 * CACHE.vectors(["open door"])[0], np.full(64, 0.3))


class Watched:
    """Fits nothing: says with what it was asked, and returns what it was told to."""

    def __init__(self, made=TURNED):
        self.made, self.asked = made, []

    def __call__(self, start, given, rows, terms=(), *, rounds=1.0):
        self.asked.append((start, list(given), list(terms), rounds))
        return self.made


TERMS = {"right": replay, "scores": distillation, "matrix": near_old, "what matters": elastic, "topology": topology}


@pytest.mark.parametrize("keeps", [keeps for keeps in TERMS if keeps != "matrix"])
def test_a_kept_goal_is_learnt_with_a_skill_that_came_later_among_its_candidates(keeps):
    before, after = Watched(), Watched()
    TERMS[keeps](START, NEW, OLD, among(*THEN), fit=before)
    TERMS[keeps](START, NEW, OLD, among(*THEN, LATER), fit=after)
    for fit, there in ((before, False), (after, True)):
        ((_, _, (term,), _),) = fit.asked
        kept = [case for case in term.goals if case.goal in {goal.goal for goal in OLD}]
        assert term.keeps == keeps
        assert [text_of(LATER) in case.texts for case in kept] == [there, there]


def test_an_encoder_that_turns_old_goals_to_a_skill_that_came_later_is_not_taken():
    old = asked(0)
    drawing = Skill(name="a-later", description="egg egg egg", body="x")
    goal, own, other = CACHE.vectors([shape(old.goal), text_of(THEN[0]), text_of(drawing)])
    turns = turning(goal, own + 3 * other)
    assert backward(START, [old], [old], among(*THEN), fit=Watched(turns)) == turns
    assert backward(START, [old], [old], among(*THEN, drawing), fit=Watched(turns)) is START
    assert interpolation(START, [old], [old], among(*THEN), fit=Watched(turns)).up != START.up
    assert interpolation(START, [old], [old], among(*THEN, drawing), fit=Watched(turns)) == START


@pytest.mark.parametrize("way", [*TERMS.values(), interpolation, backward])
def test_a_weight_of_zero_asks_for_fine_tuning(way):
    fit, plain = Watched(), Watched()
    assert way(START, NEW, OLD, among(*THEN), weight=0.0, fit=fit) == TURNED
    fine_tune(START, NEW, OLD, among(*THEN), fit=plain)
    ((start, given, terms, rounds),), ((same, taught, none, once),) = fit.asked, plain.asked
    assert (start, [case.goal for case in given], rounds) == (same, [case.goal for case in taught], once)
    assert not none
    assert all(term.weight == 0 for term in terms)


@pytest.mark.parametrize("way", [*TERMS.values(), interpolation, backward])
def test_a_weight_of_zero_is_fine_tuning(way):
    pytest.importorskip("torch")
    began = fine_tune(START, OLD, [], among(*THEN))
    assert began != START
    found = way(began, NEW, OLD, among(*THEN), weight=0.0)
    assert found == fine_tune(began, NEW, OLD, among(*THEN))


def test_experts_that_never_see_a_shift_fine_tune():
    pytest.importorskip("torch")
    one, now = START, among(*THEN)
    found = experts(START, OLD, [], now, sigmas=np.inf)
    found = experts(found, NEW, OLD, now, sigmas=np.inf)
    for goals in (OLD, NEW):
        one = fine_tune(one, goals, [], now)
    (only,) = found.experts
    assert only.encoder == one
    assert [scores(case, found, CACHE).tolist() for case in now(NEW)] == [
        scores(case, one, CACHE).tolist() for case in now(NEW)
    ]


def moved(keeps, one, other, now):
    """Return how far an encoder is from another in what a term is to keep."""
    import torch

    cases = now(OLD)
    match keeps:
        case "right":
            return -liking(one, cases, CACHE)
        case "scores":
            both = [*cases, *now(NEW)]
            return sum(np.abs(scores(case, one, CACHE) - scores(case, other, CACHE)).sum() for case in both)
        case "matrix":
            matrices = [np.array(each.down) @ np.array(each.up) for each in (one, other)]
            return np.linalg.norm(matrices[0] - matrices[1])
        case _:
            batch = retune._batch(cases, CACHE.vectors)
            now_, was = ((torch.tensor(each.down), torch.tensor(each.up)) for each in (one, other))
            if keeps == "topology":
                return float((retune._alike(batch, *now_) - retune._alike(batch, *was)).abs().sum())
            fisher = retune._fisher(batch, was)
            return float(sum((f * (a - b) ** 2).sum() for f, a, b in zip(fisher, now_, was, strict=True)))


@pytest.mark.parametrize("keeps", TERMS)
def test_what_a_term_keeps_moves_less_than_by_fine_tuning(keeps):
    pytest.importorskip("torch")
    now = among(*THEN, LATER)
    fit = partial(retune.fit, pull=0.01)
    began = fine_tune(START, OLD, [], now, fit=fit)
    free = moved(keeps, fine_tune(began, NEW, OLD, now, fit=fit), began, now)
    held = moved(keeps, TERMS[keeps](began, NEW, OLD, now, weight=1e4, fit=fit), began, now)
    assert held < free


def test_all_again_learns_every_goal_in_as_many_more_steps():
    fit = Watched()
    all_again(START, NEW, OLD, among(*THEN), fit=fit)
    ((_, given, terms, rounds),) = fit.asked
    assert [case.goal for case in given] == [goal.goal for goal in [*NEW, *OLD]]
    assert (terms, rounds) == ([], 2.0)
    assert WAYS["all-again"].keeps is None


def test_prototypes_train_nothing():
    fit = Watched()
    assert prototypes(START, NEW, OLD, among(*THEN), fit=fit) is START
    assert not fit.asked
    assert [name for name, way in WAYS.items() if not way.trains] == ["nothing", "prototypes"]


def test_a_goal_that_is_learnt_from_is_not_yet_solved_by_its_skill():
    solved = among(skill(0, asked(0).goal), *THEN[1:])
    assert [case.untrained.tolist() for case in solved([asked(0)])] == [
        case.untrained.tolist() for case in among(*THEN)([asked(0)])
    ]


def test_a_buffer_is_bounded_and_its_goals_are_unlike_one_another():
    alike = [asked(0, f"open the door number {n}") for n in "abcdefgh"]
    found = diverse([*alike, asked(1), asked(2)], 3, CACHE)
    assert found == [alike[0], *found[1:]]
    assert {goal.family for goal in found} == {"skill-0", "skill-1", "skill-2"}
    assert diverse(alike, 60, CACHE) == alike


# ── Shifts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def rows_about(*axes):
    """Return unit rows, each near an axis, and goals for them."""
    chance = np.random.default_rng(0)
    rows = np.array([np.eye(8)[axis] + 0.05 * chance.standard_normal(8) for axis in axes], dtype=np.float32)
    return [asked(0, f"goal {n}") for n in range(len(axes))], rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("axes", "whose"),
    [
        pytest.param([0] * 30, [0] * 30, id="no shift"),
        pytest.param([0] * 30 + [1] * 10, [0] * 30 + [1] * 10, id="a shift opens one, with the goals that told of it"),
        pytest.param([0] * 30 + [1] + [0] * 9, [0] * 40, id="one goal far off opens none"),
        pytest.param([0] * 30 + [1, 0, 0] * 5, [0] * 45, id="nor do five of them that are not in a row"),
        pytest.param(
            [0] * 30 + [1] * 10 + [0] * 5 + [2] * 9,
            [0] * 30 + [1] * 10 + [0] * 5 + [2] * 9,
            id="a goal of before goes to its own, and another shift opens a third",
        ),
    ],
)
def test_a_shift_opens_an_expert(axes, whose):
    made, found = assigned(Experts(down=START.down, up=START.up), *rows_about(*axes))
    assert found.tolist() == whose
    assert len(made) == len(set(whose))


def test_a_goal_is_answered_by_the_expert_that_it_is_nearest_to():
    goals, rows = rows_about(*[0] * 30, *[1] * 10)
    made, _ = assigned(Experts(down=((0.0,),) * 8, up=((0.0,) * 8,)), goals, rows)
    turns = Encoder(down=tuple((x,) for x in np.eye(8)[1].tolist()), up=(tuple(np.eye(8)[2].tolist()),))
    found = Experts(
        down=((0.0,),) * 8, up=((0.0,) * 8,), experts=(made[0], made[1].model_copy(update={"encoder": turns}))
    )
    texts = np.eye(8, dtype=np.float32)[2:3]
    assert found.added(rows[0], texts) == pytest.approx([0.0], abs=1e-6)
    assert found.added(rows[-1], texts) == pytest.approx([2**-0.5], abs=0.1)


class Looked(Items):
    """Skills that count how often all of them are gone through."""

    times = 0

    def items(self):
        Looked.times += 1
        return super().items()


def test_one_more_goal_does_not_go_through_all_skills():
    library = Library.model_construct(skills=Looked({one.name: one for one in THEN}))
    now = Rebatch(library, Catalogue(CACHE))
    now([asked(0)])
    before = Looked.times
    assert len(now([asked(1), asked(2)])) == 2
    assert Looked.times == before


def test_a_goal_is_routed_as_if_none_of_its_skills_had_solved_it():
    goal = asked(0)
    solved = [skill(0, goal.goal), *THEN[1:]]
    (case,), (bare,) = among(*solved)([goal]), among(*THEN)([goal])
    assert case.untrained.tolist() == bare.untrained.tolist()
