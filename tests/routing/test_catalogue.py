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
        self.kept, self.missed, self.asked = {}, missed, []

    def vectors(self, texts):
        rows = super().vectors(texts)
        self.kept |= {content_id(text): row for text, row in zip(texts, rows, strict=True)}
        return rows

    def near(self, query, top):
        self.asked.append(top)
        ids, rows = list(self.kept), np.array(list(self.kept.values()))
        order = np.argsort(-(rows @ query), kind="stable")[self.missed :]
        return [ids[n] for n in order[:top]]


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


@pytest.mark.parametrize("goal", GOALS)
def test_the_best_of_those_that_an_index_names_are_the_best_of_all(goal):
    (whole, all_of_them), (found, few) = routed(HashEmbedder(), goal, 10_000), routed(Indexed(), goal, 100)
    assert (all_of_them, found) == (900, whole)
    assert 100 < few < 450, "two hundred by words at most, and the owners of two hundred texts"


def test_what_a_program_knows_is_looked_at_though_nothing_else_speaks_for_it():
    library = LIBRARY.with_change(
        PutSkill(
            skill=Skill(
                name="odd", description="z", body="z", files={FILE: 'goals: ["fling {a} at {b}"]\nsteps: [done]'}
            )
        )
    )
    catalogue = Catalogue(Indexed(), exact=100).of(library)
    numbers = catalogue.skills.likeness("fling the lamp at the door").numbers.tolist()
    assert "odd" in [catalogue.skills[number][0] for number in numbers]


def test_words_find_what_the_index_misses():
    goal = "carry the door of house h6"
    (whole, _), (found, _) = routed(HashEmbedder(), goal, 10_000), routed(Indexed(missed=20), goal, 100)
    assert found.considered[0][0] == whole.considered[0][0]


@pytest.mark.parametrize(
    ("cache", "asked"),
    [
        pytest.param(HashEmbedder(), None, id="no index"),
        pytest.param(Indexed(missed=1490), [200, 800], id="one that knows too few, also when asked for more"),
    ],
)
def test_all_are_looked_at_where_the_index_is_of_no_use(cache, asked):
    (whole, _), (found, looked_at) = routed(HashEmbedder(), GOALS[0], 10_000), routed(cache, GOALS[0], 100)
    assert (found, looked_at) == (whole, 900)
    assert asked is None or cache.asked[-2:] == asked


def test_more_neighbours_are_asked_for_where_the_nearest_are_of_no_use_here():
    here = {one.name: one.model_copy(update={"domain": "here"}) for one in LIBRARY.skills.values()}
    cache = Indexed()
    cache.vectors([f"{GOALS[0]} {n}" for n in range(300)])  # asked before, and nobody's
    found, few = routed(cache, GOALS[0], 100, Library(skills=here), "here")
    assert found == routed(HashEmbedder(), GOALS[0], 10_000, Library(skills=here), "here")[0]
    assert cache.asked[-2:] == [200, 800]
    assert 200 < few < 900


def test_what_comes_and_goes_is_known_to_be_there_or_not():
    catalogue, goal = Catalogue(Indexed(), exact=100), "polish the silver spoon"
    catalogue.of(LIBRARY).skills.likeness(goal)
    more = LIBRARY.with_change(PutSkill(skill=Skill(name="spoons", description=goal, body=goal)))
    first = route(Plan(goal=goal), more, catalogue=catalogue).considered[0][0]
    assert first.id == "spoons"
    less = more.with_change(RetireSkill(name="spoons", base=more.skills["spoons"].version))
    assert "spoons" not in {one.id for one in route(Plan(goal=goal), less, catalogue=catalogue).considered[0]}
