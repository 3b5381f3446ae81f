"""Among very many items only those are looked at that may be the best, and the best are the same."""

import numpy as np
import pytest

from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.route import route
from skillagent.schema import Plan, PutSkill, RetireSkill, Skill, content_id
from skillagent.testing import HashEmbedder

WORDS = [
    "lamp",
    "door",
    "valve",
    "kettle",
    "window",
    "drawer",
    "button",
    "ladder",
    "engine",
    "garden",
    "bridge",
    "gate",
]
VERBS = ["open", "close", "turn", "paint", "wash", "mend", "carry", "count"]


class Indexed(HashEmbedder):
    """Vectors with an index of all that was ever asked for; so many of the nearest are not known to it."""

    def __init__(self, missed=0):
        super().__init__()
        self.kept, self.missed, self.asked = {}, missed, 0

    def vectors(self, texts):
        rows = super().vectors(texts)
        self.kept |= {content_id(text): row for text, row in zip(texts, rows, strict=True)}
        return rows

    def near(self, query, top):
        self.asked += 1
        ids, near = list(self.kept), np.array(list(self.kept.values())) @ query
        order = np.argsort(-near, kind="stable")[self.missed :]
        return [(ids[n], float(near[n])) for n in order[:top]]


def skill(number, domain=""):
    verb, thing, other = VERBS[number % 8], WORDS[number // 8 % 12], WORDS[number // 96 % 12]
    words = f"{verb} the {thing} beside the {other} of house h{number}"
    return Skill(
        name=f"skill-{number}",
        description=words,
        body=f"1. {verb} the {thing}",
        goals=(words,) if number % 3 else (),
        domain=domain,
        files={FILE: f'goals: ["{words} for {{who}}"]\nsteps: [done]'} if number % 50 == 0 else {},
    )


LIBRARY = Library(skills={one.name: one for one in (skill(number) for number in range(900))})
GOALS = [
    "turn the ladder beside the lamp of house h50",
    "open the lamp beside the lamp of house h0 for Ann",
    "wash the kettle",
    "something quite different",
]


def routed(cache, goal, exact, library=LIBRARY, domain=""):
    """Return the route of a goal and how many items it was chosen from."""
    catalogue = Catalogue(cache, exact=exact).of(library)
    found = route(Plan(goal=goal, domain=domain), library, catalogue=catalogue)
    return found, len(catalogue.skills.likeness(goal, domain).numbers)


def looked_at(library, goal, domain=""):
    """Return the names of the skills that an index lets the router look at."""
    index = Catalogue(Indexed(), exact=100).of(library).skills
    return {index[number][0] for number in index.likeness(goal, domain).numbers.tolist()}


@pytest.mark.parametrize("goal", GOALS)
def test_the_best_of_those_that_an_index_names_are_the_best_of_all(goal):
    (whole, all_of_them), (found, few) = routed(HashEmbedder(), goal, 10_000), routed(Indexed(), goal, 100)
    assert (all_of_them, found) == (900, whole)
    assert 20 <= few < 900


def test_few_are_looked_at():
    cache = Indexed()
    assert routed(cache, GOALS[0], 100)[1] < 400
    assert cache.asked == 2, "once for a route"
    assert routed(cache, GOALS[0], 900)[1] == 900, "up to so many, all are"


def test_what_a_program_knows_is_looked_at_though_nothing_else_speaks_for_it():
    odd = Skill(name="odd", description="z", body="z", files={FILE: 'goals: ["fling {a} at {b}"]\nsteps: [done]'})
    elsewhere = odd.model_copy(update={"name": "elsewhere", "domain": "elsewhere"})
    library = LIBRARY.with_change(PutSkill(skill=odd)).with_change(PutSkill(skill=elsewhere))
    assert looked_at(library, "fling the lamp at the door") >= {"odd", "elsewhere"}
    here = looked_at(library, "fling the lamp at the door", "here")
    assert "odd" in here and "elsewhere" not in here


def test_what_words_alone_speak_for_is_looked_at():
    """The index is near other texts; the words of one score higher than the last of them could."""
    found, _ = routed(Indexed(missed=20), LIBRARY.skills["skill-6"].description, 100)
    assert found.considered[0][0].id == "skill-6"


def test_what_solved_a_goal_is_found_by_it():
    solved = Skill(name="solver", description="z", body="z", goals=("polish the silver spoon",))
    found, few = routed(Indexed(), "polish the silver spoon", 100, LIBRARY.with_change(PutSkill(skill=solved)))
    assert found.considered[0][0].id == "solver"
    assert few < 901


def at(*places):
    """Return a unit row with these amounts at these places, and the rest where nothing else is."""
    row = np.zeros(64, dtype=np.float32)
    for place, amount in places:
        row[place] = amount
    row[63] = np.sqrt(max(0.0, 1 - float(row @ row)))
    return row


class Placed(Indexed):
    """Vectors that are told for some texts."""

    def __init__(self, rows, missed=0):
        super().__init__(missed)
        self.rows = rows

    def embed(self, texts):
        return np.array([next((row for word, row in self.rows.items() if word in text), at((62, 1))) for text in texts])


CROWDED = {"aaa": at((0, 1)), "few": at((0, 0.66)), "many": at((0, 0.3))}
CROWD = [Skill(name=f"crowd-{n}", description=f"{'few' if n < 30 else 'many'} {n}", body="d") for n in range(300)]


def test_what_the_index_misses_is_found_by_its_words():
    hit = Skill(name="hit", description="eee zzz", body="e")
    cache = Placed({"eee": at((0, 0.95))} | CROWDED, missed=2)  # the goal, and the hit
    found, few = routed(cache, "aaa zzz", 100, Library(skills={one.name: one for one in (*CROWD, hit)}))
    assert found.considered[0][0].id == "hit"
    assert few < 301


def test_a_prototype_that_is_nearer_than_each_of_its_parts_is_looked_at():
    rows = CROWDED | {"few": at((0, 0.8)), "many": at((0, 0.66))}
    rows |= {"bbb": at((0, 0.55), (1, 0.8)), "ccc": at((0, 0.55), (1, -0.8))}
    between = Skill(name="between", description="bbb", body="b", goals=("ccc",))
    library = Library(skills={one.name: one for one in (*CROWD, between)})
    found, _ = routed(Placed(rows), "aaa", 100, library)
    assert found.considered[0][0].id == "between"
    assert found == routed(Placed(rows), "aaa", 10_000, library)[0]


@pytest.mark.parametrize(
    "cache",
    [
        pytest.param(HashEmbedder(), id="no index"),
        pytest.param(Indexed(missed=1490), id="one that knows too few that are of use here"),
    ],
)
def test_all_are_looked_at_where_the_index_is_of_no_use(cache):
    (whole, _), (found, looked) = routed(HashEmbedder(), GOALS[0], 10_000), routed(cache, GOALS[0], 100)
    assert (found, looked) == (whole, 900)


def test_what_was_asked_before_changes_nothing():
    crowd = [Skill(name=f"many-{n}", description=f"old {n}", body="o", goals=("ask",)) for n in range(30)]
    rows = {"goal": at((0, 1)), "ask": at((0, 0.9)), "good": at((0, 0.85))}
    good = Skill(name="good", description="good", body="good")
    library = Library(skills={one.name: one for one in (*LIBRARY.skills.values(), *crowd, good)})
    cache = Placed(rows)
    cache.vectors([f"ask {n}" for n in range(300)])  # nobody's
    found, _ = routed(cache, "goal", 100, library)
    assert found == routed(Placed(rows), "goal", 10_000, library)[0]
    assert "good" in [one.id for one in found.considered[0]]


def test_what_comes_and_goes_is_known_to_be_there_or_not():
    catalogue, goal = Catalogue(Indexed(), exact=100), "polish the silver spoon"
    catalogue.of(LIBRARY).skills.likeness(goal)
    more = LIBRARY.with_change(PutSkill(skill=Skill(name="spoons", description=goal, body=goal)))
    first = route(Plan(goal=goal), more, catalogue=catalogue).considered[0][0]
    assert first.id == "spoons"
    less = more.with_change(RetireSkill(name="spoons", base=more.skills["spoons"].version))
    assert "spoons" not in {one.id for one in route(Plan(goal=goal), less, catalogue=catalogue).considered[0]}


def test_an_index_that_is_built_anew_knows_whose_texts_are_whose():
    catalogue = Catalogue(Indexed(), exact=100)
    catalogue.of(LIBRARY).skills.likeness(GOALS[0])
    turned = Library(
        skills={one.name: one.model_copy(update={"body": f"{one.body}!"}) for one in LIBRARY.skills.values()}
    )
    for library in (turned, LIBRARY, turned):  # the rows of what was taken out are the most, and thrown away
        found = route(Plan(goal=GOALS[0]), library, catalogue=catalogue.of(library))
        assert found == routed(HashEmbedder(), GOALS[0], 10_000, library)[0]
