"""Solved: a skill is found by what it solved since it was written, while it stays what it was; holdout says nothing."""

import pytest

from skillagent.goals import shape
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.explain import explain
from skillagent.routing.fuse import fuse
from skillagent.routing.measured import measured
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.rerank import FEATURES
from skillagent.routing.route import route
from skillagent.routing.solved import MOST, Solved
from skillagent.routing.train import cases
from skillagent.schema import Attempted, Event, Plan, PutSkill, Ran, Ranked, Routed, Skill, Split, Task, digest_of
from skillagent.testing import HashEmbedder

GOAL = "carry the kettle over to the stove"
RUNS = {FILE: "goals: ['set {a} upon {b}']\nsteps: [wave]\n"}
PROGRAM = Skill(name="program", description="Sets.", body="Lift it.", goals=("set it upon it",), files=RUNS)
WORDS = Skill(name="words", description="Sets.", body="1. `lift` the pot\n2. `drop` the pot\n", goals=("set it down",))
LIBRARY = Library(skills={one.name: one for one in (PROGRAM, WORDS)})
LIFT, DROP = '{"verb":"lift","ref":"pot [1]"}', '{"verb":"drop","ref":"pot [1]"}'


def event(seq, entry):
    return Event(seq=seq, at="", library="", entry=entry)


def ran(skill=PROGRAM, goal=GOAL, score=1.0, split=Split.PRACTICE, helped=False, fit=True, **rest):
    run = Ran(skill=skill.name, program=digest_of(skill.files[FILE]), goal=goal, helped=helped, fit=fit)
    task = Task(env="x", name="t", seed=split.first_seed)
    return Attempted(
        attempt="a", task=task, goal=goal, score=score, runs=(run,), programs=(skill.name,) if fit else (), **rest
    )


def read(skill=WORDS, goal=GOAL, score=1.0, split=Split.PRACTICE, actions=(LIFT, DROP), **rest):
    shown = (Ranked(id=skill.name, score=1.0, version=skill.version, says=skill.says),)
    task = Task(env="x", name="t", seed=split.first_seed)
    routed = (Routed(goal=goal, shown=shown),)
    return Attempted(attempt="a", task=task, goal=goal, score=score, actions=actions, routed=routed, **rest)


def known(*entries):
    events = [event(n, entry) for n, entry in enumerate(entries)]
    solved = Solved(HashEmbedder(), lambda: events)
    solved.since(0)
    return solved


def searched(name, *entries, library=LIBRARY):
    """Return the goals that a skill is searched by."""
    events = [event(n, entry) for n, entry in enumerate(entries)]
    catalogue = Catalogue(HashEmbedder(), Solved(HashEmbedder(), lambda: events)).of(library)
    return catalogue.skills.item(name).goals


@pytest.mark.parametrize(
    ("entry", "counts"),
    [
        pytest.param(ran(), True, id="by itself"),
        pytest.param(ran(split=Split.GATE), True, id="on a gate seed"),
        pytest.param(ran(split=Split.HOLDOUT), False, id="on a holdout seed"),
        pytest.param(ran(score=0.5), False, id="in part"),
        pytest.param(ran(score=None), False, id="unscored"),
        pytest.param(ran(helped=True), False, id="with the model's help"),
        pytest.param(ran(surprise="it stopped"), False, id="and the model went on"),
        pytest.param(ran(fit=False), False, id="it did not fit"),
        pytest.param(ran(void="the page fell over"), False, id="void"),
        pytest.param(ran(goal="set it upon it"), False, id="what it tells itself"),
    ],
)
def test_a_program_solved_what_it_did_by_itself(entry, counts):
    assert searched("program", entry) == (*PROGRAM.goals, *((GOAL,) if counts else ()))
    assert searched("words", entry) == WORDS.goals


@pytest.mark.parametrize(
    ("entry", "counts"),
    [
        pytest.param(read(), True, id="followed"),
        pytest.param(read(actions=(DROP,)), False, id="one of two steps"),
        pytest.param(read(actions=()), False, id="nobody knows what was done"),
        pytest.param(read(score=0.0), False, id="failed"),
        pytest.param(read(split=Split.HOLDOUT), False, id="on a holdout seed"),
        pytest.param(read(programs=("program",)), False, id="a program ran"),
        pytest.param(read(WORDS.model_copy(update={"body": WORDS.body + "Slowly."})), False, id="other words"),
    ],
)
def test_words_solved_what_they_were_followed_at(entry, counts):
    assert searched("words", entry) == (*WORDS.goals, *((GOAL,) if counts else ()))


def test_a_rewrite_begins_anew_and_more_goals_of_its_own_do_not():
    other = PROGRAM.model_copy(update={"files": {FILE: RUNS[FILE].replace("wave", "look")}, "version": 2})
    more = PROGRAM.model_copy(update={"goals": (*PROGRAM.goals, "x"), "version": 2, "description": "Puts things down."})
    solved = known(ran(), read())
    assert solved.goals(PROGRAM) == solved.goals(more) == (GOAL,)
    assert solved.goals(other) == ()
    assert solved.goals(WORDS) == solved.goals(WORDS.model_copy(update={"goals": ()})) == (GOAL,)
    assert solved.goals(WORDS.model_copy(update={"body": "1. `lift` the pot\n"})) == ()


def test_a_few_goals_are_kept_unlike_one_another_and_each_shape_once():
    unlike = [f"{word} {word}ing" for word in "abcdefghijkl"]
    assert len(unlike) == MOST
    alike = "a aing ling"
    solved = known(*(ran(goal=goal) for goal in (*unlike, "a aing", alike, 'press "x"', 'press "y"')))
    kept = solved.goals(PROGRAM)
    assert len(kept) == MOST
    assert alike not in kept
    assert len({shape(goal) for goal in kept}) == MOST
    assert known(ran(goal='press "x"'), ran(goal='press "y"')).goals(PROGRAM) == ('press "x"',)


def test_a_process_that_lived_through_it_keeps_the_goals_that_a_fresh_one_reads():
    entries = [read(goal=f"{'so ' * n}far", actions=(LIFT, DROP) if n < 3 else (DROP,)) for n in range(3 + MOST)]
    events = []
    lived = Solved(HashEmbedder(), lambda: events)
    for n, entry in enumerate(entries):
        events.append(event(n, entry))
        lived.since(0)
        kept = lived.goals(WORDS)
    assert known(*entries).goals(WORDS) == kept == ("far", "so far", "so so far")


def test_what_was_solved_finds_the_skill_and_without_the_ledger_it_is_not_found():
    def first(*entries):
        events = [event(n, entry) for n, entry in enumerate(entries)]
        catalogue = Catalogue(HashEmbedder(), Solved(HashEmbedder(), lambda: events))
        return [one.id for one in route(Plan(goal=GOAL), LIBRARY, catalogue=catalogue).skills[0]]

    assert first() == []
    assert first(read()) == ["words"]
    assert first(read(split=Split.HOLDOUT)) == []


def test_measuring_on_holdout_seeds_moves_no_score():
    events = [event(0, ran())]
    catalogue = Catalogue(HashEmbedder(), Solved(HashEmbedder(), lambda: events))
    before = route(Plan(goal=GOAL), LIBRARY, catalogue=catalogue)
    for n in range(20):
        events.append(event(n + 1, ran(goal=f"{GOAL} {n}", split=Split.HOLDOUT)))
        events.append(event(n + 2, read(goal=f"{GOAL} {n}", split=Split.HOLDOUT)))
    assert route(Plan(goal=GOAL), LIBRARY, catalogue=catalogue) == before
    events.append(event(99, read()))
    assert route(Plan(goal=GOAL), LIBRARY, catalogue=catalogue) != before


class Counting(HashEmbedder):
    """Counts the texts that it is asked for."""

    asked = 0

    def vectors(self, texts):
        self.asked += len(texts)
        return super().vectors(texts)


class Asked(Solved):
    """Counts the skills that it is asked about."""

    asked = 0

    def goals(self, skill):
        self.asked += 1
        return super().goals(skill)


def test_one_more_event_costs_its_own_skill_alone():
    library = Library(skills={f"s{n}": WORDS.model_copy(update={"name": f"s{n}", "goals": ()}) for n in range(300)})
    cache, events = Counting(), []
    solved = Asked(cache, lambda: events)
    catalogue = Catalogue(cache, solved).of(library)
    own = library.skills["s7"]
    for turn in range(5):
        cache.asked = solved.asked = 0
        events.append(event(turn, read(own, goal=f"{'very ' * turn}good")))
        catalogue.of(library)
        assert catalogue.skills.item("s7").goals[-1].endswith("good")
        assert cache.asked <= 1 + turn + 1  # its text, and the goals that it solved
        assert solved.asked <= 2
    assert len(catalogue.skills) == 300


def test_a_catalogue_that_grew_is_that_of_a_new_one():
    events, cache = [], HashEmbedder()
    library = Library(skills={f"s{n}": WORDS.model_copy(update={"name": f"s{n}"}) for n in range(12)})
    grown = Catalogue(cache, Solved(cache, lambda: events))
    for turn in range(120):  # often enough that what was taken out is more than what is there
        events.append(event(turn, read(library.skills[f"s{turn % 12}"], goal=f"{'so ' * (turn % 7)}far")))
        if turn == 60:
            skill = library.skills["s3"]
            library = library.with_change(
                PutSkill(skill=skill.model_copy(update={"body": "No.", "version": 2}), base=1)
            )
        likeness = grown.of(library).skills.likeness("so so far")
    fresh = Catalogue(cache, Solved(cache, lambda: events)).of(library).skills
    expected = {fresh[n][0]: score for n, score in zip(*_scored(fresh, "so so far"), strict=True)}
    assert {grown.skills[n][0]: score for n, score in zip(*_scored(grown.skills, "so so far"), strict=True)} == expected
    assert len(likeness.numbers) == 12


def _scored(index, goal):
    like = index.likeness(goal)
    return like.numbers.tolist(), fuse(like).tolist()


def test_training_does_not_see_what_a_goal_taught_its_skill_since():
    bare = WORDS.model_copy(update={"goals": ()})
    library = Library(skills={"words": bare, "other": bare.model_copy(update={"name": "other"})})
    events = [event(0, read(bare, shown=("words",)))]
    cache = HashEmbedder()
    catalogue = Catalogue(cache, Solved(cache, lambda: events))
    (found,) = cases(measured(library, events), library, catalogue, Outcomes(cache, lambda: events))
    assert found.tried.sum() == 1
    assert found.features[found.tried, FEATURES.index("solved")] == 0.0
    assert catalogue.skills.item("words").goals == (GOAL,)  # and afterwards it is there again


def test_explain_names_the_goals_that_it_was_found_by():
    events = [event(0, read()), event(1, read(goal="bring the kettle to me"))]
    told = explain(GOAL, LIBRARY, catalogue=Catalogue(HashEmbedder(), Solved(HashEmbedder(), lambda: events)))
    assert told.solved == {"words": (GOAL, "bring the kettle to me")}
    assert any(f'solved since it was written, too: "{GOAL}", "bring' in line for line in told.why)
    assert explain(GOAL, LIBRARY, catalogue=Catalogue(HashEmbedder())).solved == {}
