"""Routing: the right item first, values of one task ignored, and nothing where nothing fits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillagent.errors import LLMUnavailable
from skillagent.goals import named, shape
from skillagent.library import Library
from skillagent.programs.template import form_of
from skillagent.programs.text import FILE
from skillagent.routing.catalogue import Catalogue, text_of, windows
from skillagent.routing.fuse import Likeness, chance, fuse
from skillagent.routing.lexical import Words, bm25_scores
from skillagent.routing.patterns import Patterns, fixed_words
from skillagent.routing.route import Thresholds, covers, form, nearest_skills, route
from skillagent.schema import Condition, Demonstration, Insight, KeyStep, Plan, PutSkill, RetireSkill, Skill
from skillagent.testing import HashEmbedder

LOGIN = 'Enter the username "bob" and the password "x1" into the text fields and press login.'
LIBRARY = Library(
    skills={
        "log-in": Skill(name="log-in", description="Logs in.", body="Fill both fields.", goals=(LOGIN,)),
        "pick-date": Skill(
            name="pick-date", description="Picks dates.", body="Open it.", goals=("Select 03/04/2020 as the date.",)
        ),
    },
    demonstrations={
        "d": Demonstration(id="d", domain="web", goal=LOGIN, steps=(KeyStep(observation="o", action="a"),))
    },
    insights={
        "i": Insight(
            id="i",
            taxonomy="web/form/login",
            kind="pitfall",
            condition=Condition(applies="the username and the password text fields"),
            explanation="Press login.",
        )
    },
)


def afresh():
    return Catalogue(HashEmbedder())


def routed(goal, library=LIBRARY, domain=""):
    return route(Plan(goal=goal, domain=domain), library, catalogue=afresh())


@pytest.mark.parametrize(
    ("goal", "masked"),
    [
        ('Enter "bob" and "x1" now.', "Enter … now."),
        ("Select Helli from the list.", "Select … from the list."),
        ("Select gHF2, AU and press it.", "Select … and press it."),
        ("Buy 3 shares at $5.40. Then stop.", "Buy … shares at …. Then stop."),
        ("For the user @leo, click it.", "For the user …, click it."),
        ("It's the user's page", "It's the user's page"),
    ],
)
def test_values_are_masked(goal, masked):
    assert shape(goal) == masked


def test_a_goal_with_other_values_finds_the_skill_and_its_example():
    found = routed(LOGIN.replace("bob", "alice").replace("x1", "secret"))
    assert [r.id for r in found.skills[0]] == ["log-in"]
    assert [r.id for r in found.demonstrations[0]] == ["d"]
    assert [r.id for r in found.insights[0]] == ["i"]


def test_a_skill_that_can_run_for_this_goal_comes_before_one_that_is_nearer_and_cannot():
    runs = Skill(
        name="z-runs",
        description="Does it.",
        body="It is done.",
        goals=(LOGIN,),
        files={FILE: "goals: ['Enter the username \"{a}\" and {b}']\nsteps: [done]"},
    )
    other = runs.model_copy(update={"name": "z-other", "files": {FILE: "goals: [Something else]\nsteps: [done]"}})
    broken = runs.model_copy(update={"name": "z-broken", "files": {FILE: "steps: ["}})
    skills = {skill.name: skill for skill in (*LIBRARY.skills.values(), other, broken, runs)}
    assert [r.id for r in routed(LOGIN, Library(skills=skills)).skills[0]] == ["z-runs"]


def test_several_skills_that_can_run_are_all_tried_the_one_whose_form_says_most_first():
    def skill(name, goal):
        return Skill(
            name=name, description="d", body="b", goals=(LOGIN,), files={FILE: f"goals: ['{goal}']\nsteps: [done]"}
        )

    loose, strict = skill("loose", "Enter {all}"), skill("strict", "Enter the username {all}")
    found = routed(LOGIN, Library(skills={"loose": loose, "strict": strict}))
    assert [r.id for r in found.skills[0]] == ["strict", "loose"]


def test_a_goal_that_a_program_s_pattern_fits_word_for_word_needs_no_likeness():
    """Its values may be many and long; a pattern that fixes hardly anything is no reason."""
    goal = "Water the lilies, the roses, the old oak and the neighbour's cat as well"

    def knowing(pattern):
        runs = Skill(name="w", description="d", body="b", files={FILE: f"goals: ['{pattern}']\nsteps: [done]"})
        library = Library(skills={"w": runs})
        return [r.id for r in routed(goal, library).skills[0]], covers(goal, library, catalogue=afresh())

    assert knowing("Water {plants...} as well and all") == ([], False)
    assert knowing("Water the {plants...} as well") == (["w"], True)
    assert knowing("Water {plants}") == ([], False)
    goal = "Water the lilies"
    assert knowing("Water the {plants}") == (["w"], True), "ten letters are most of so short a goal"
    assert knowing("Water {plants}") == ([], False)


@pytest.mark.parametrize(
    ("solved", "letters"), [("Water the old oak today", 6), ("Repaint the garden fence in green", 0)]
)
def test_a_loose_form_counts_where_the_goal_is_like_one_that_was_solved(solved, letters):
    files = {FILE: "goals: ['Water {plants}']\nsteps: [done]"}
    library = Library(skills={"w": Skill(name="w", description="d", body="b", files=files, goals=(solved,))})
    assert form("Water the old oak tree today", library, catalogue=afresh()) == letters


def test_the_router_abstains_where_nothing_fits_and_says_what_it_considered():
    found = routed("Water all plants on the balcony")
    assert found.ids == ()
    assert {r.id for r in found.considered[0]} == {"log-in", "pick-date"}


def test_an_empty_library_offers_nothing():
    assert routed(LOGIN, Library()).ids == ()
    assert not covers(LOGIN, Library(), catalogue=afresh())


def test_a_skill_that_solved_a_goal_of_this_shape_covers_it():
    assert covers(LOGIN.replace("bob", "eve"), LIBRARY, catalogue=afresh())
    assert not covers("Log in and then pay the bill", LIBRARY, catalogue=afresh())


def test_bm25_ranks_the_document_that_shares_the_rare_word_first():
    scores = bm25_scores("pay invoice", ["write a letter", "pay the invoice", "pay a visit"])
    assert scores.argmax() == 1
    assert scores[0] == 0
    assert bm25_scores("zzz", ["a letter"]).tolist() == [0]
    assert bm25_scores("zzz", []).shape == (0,)


def test_a_word_that_is_in_most_of_a_few_texts_still_speaks_for_them():
    assert min(bm25_scores("press", ["press it", "press that", "write"])[:2]) > 0


def test_words_that_come_and_go_count_as_if_they_had_always_been_there_or_never():
    words = Words(["pay the invoice", "write a letter"])
    gone = words.add("pay a visit to the tax office")
    words.remove(gone, "pay a visit to the tax office")
    words.add("pay later")
    fresh = Words(["pay the invoice", "write a letter", "pay later"])
    assert words.scores("pay the letter")[[0, 1, 3]].tolist() == fresh.scores("pay the letter").tolist()
    assert words.scores("visit pay")[gone] == 0


def test_a_share_of_words_says_the_same_in_a_library_of_any_size():
    small = Words(["pay the invoice", "write a letter"])
    large = Words(["pay the invoice", "write a letter", *(f"item number{n}" for n in range(500))])
    assert small.shares("pay the invoice")[0] == pytest.approx(large.shares("pay the invoice")[0], abs=0.1)
    assert small.shares("nothing of this").tolist() == [0, 0]


def test_a_skill_of_another_environment_is_no_candidate():
    skills = {name: skill.model_copy(update={"domain": "miniwob"}) for name, skill in LIBRARY.skills.items()}
    library = Library(skills=skills)
    assert [r.id for r in routed(LOGIN, library, domain="miniwob").skills[0]] == ["log-in"]
    assert [r.id for r in routed(LOGIN, library).skills[0]] == ["log-in"], "an unknown environment may be any"
    assert [r.id for r in routed(LOGIN, LIBRARY, domain="tabletop").skills[0]] == ["log-in"], "of use everywhere"
    found = routed(LOGIN, library, domain="tabletop")
    assert (found.ids, found.considered) == ((), ((),))


def test_a_program_of_another_environment_does_not_run_here():
    runs = Skill(name="w", description="d", body="b", domain="a", files={FILE: "goals: [Water it all]\nsteps: [done]"})
    library = Library(skills={"w": runs})
    assert routed("Water it all", library, domain="a").ids == ("w",)
    assert routed("Water it all", library, domain="b").ids == ()


def test_a_skill_that_the_user_names_is_shown_and_no_other_and_a_pinned_one_beside_what_fits():
    plan = Plan(goal=LOGIN)
    limits = Thresholds(pinned=("pick-date",))
    asked = route(plan.model_copy(update={"named": "pick-date"}), LIBRARY, catalogue=afresh(), thresholds=limits)
    assert [r.id for r in asked.skills[0]] == ["pick-date"]
    pinned = route(
        plan,
        LIBRARY,
        catalogue=afresh(),
        thresholds=Thresholds.model_validate({"pinned": "pick-date,x"}),
    )
    assert [r.id for r in pinned.skills[0]] == ["log-in", "pick-date"]


@pytest.mark.parametrize(
    ("goal", "found"),
    [
        ("/log-in Enter it.", ("log-in", "Enter it.")),
        ("/log-out Enter it.", ("", "/log-out Enter it.")),
        ("/log-in", ("", "/log-in")),
        ("Enter /log-in now", ("", "Enter /log-in now")),
    ],
)
def test_a_goal_may_begin_with_the_name_of_a_skill(goal, found):
    assert named(goal, LIBRARY.skills) == found


def test_a_catalogue_that_grew_and_shrank_finds_what_a_fresh_one_does():
    catalogue, cache = Catalogue(HashEmbedder()), HashEmbedder()
    plan = Plan(goal=LOGIN)
    more = {
        f"s{n}": Skill(name=f"s{n}", description=f"Does thing {n}.", body="x", goals=(f"do thing {n}",))
        for n in range(200)
    }
    revised = LIBRARY.skills["log-in"].model_copy(update={"body": "Press login.", "version": 2})
    for skills in (LIBRARY.skills, {**LIBRARY.skills, **more}, {**LIBRARY.skills, "log-in": revised}, {}, more):
        library = LIBRARY.model_copy(update={"skills": skills})
        grown = route(plan, library, catalogue=catalogue)
        assert grown == route(plan, library, catalogue=Catalogue(cache))


def test_a_likelier_skill_has_a_greater_chance_and_the_chance_does_not_hang_on_the_size_of_a_library():
    few = chance(0.9, np.array([0.2]), proven=True)
    many = chance(0.9, np.array([0.2, *[0.1] * 500]), proven=True)
    assert few == pytest.approx(many)
    assert chance(0.9, np.array([0.85] * 19), proven=True) < few < chance(1.1, np.array([0.2]), proven=True)


FORMS = {
    1: ["Water the {plants...} as well", "Water {all}"],
    2: ['Enter "{name}"and press it'],
    3: ["{anything} please"],
    4: ["un{what} the box"],
    5: ["{a} {{b}} {c}"],
}


@pytest.mark.parametrize(
    "goal",
    [
        "Water the lilies, roses as well",
        "Water a lily as well",
        "unlock an box",
        "WATER  the lilies as well",
        'enter "Bob"and press it',
        "Do this please",
        "unlock the box",
        "it {b} that",
        "Nothing of the kind",
    ],
)
def test_the_index_of_forms_finds_just_what_reading_them_all_does(goal):
    patterns = Patterns()
    for number, forms in FORMS.items():
        patterns.add(number, forms)
    found = {number: letters for number, forms in FORMS.items() if (letters := form_of(forms, goal))}
    assert patterns.fitting(goal) == found
    for number in FORMS:
        patterns.remove(number)
    assert patterns.fitting(goal) == {}


def test_what_was_considered_has_the_chance_by_which_it_was_left_out():
    twins = {
        f"s{n}": Skill(name=f"s{n}", description="Logs in.", body="Fill both fields.", goals=(f"log in there {n}",))
        for n in range(9)
    }
    found = routed("log in there again", Library(skills=twins))
    best = found.considered[0][0]
    assert best.parts["chance"] == pytest.approx(chance(best.score, np.full(8, best.score), proven=True), abs=0.05)
    assert bool(found.skills[0]) == (best.parts["chance"] >= 0.5 or best.parts["solved"] >= 0.9)


def test_only_words_that_no_slot_touches_stand_in_every_goal_of_a_form():
    assert fixed_words('Enter "{name}"and un{what} the Box') == {"enter", "and", "box"}


def test_the_nearest_skills_are_those_of_use_in_a_domain_the_nearest_first():
    known = (LIBRARY.skills["log-in"], LIBRARY.skills["pick-date"])
    other = known[0].model_copy(update={"name": "far", "domain": "elsewhere"})
    library = Library(skills={one.name: one for one in (other, *known)})
    date = "Pick 05/20/2010 as the date"
    assert [one.name for one in nearest_skills(LOGIN, library, "web", catalogue=afresh())] == ["log-in", "pick-date"]
    assert [one.name for one in nearest_skills(date, library, "web", catalogue=afresh())] == ["pick-date", "log-in"]
    assert len(nearest_skills(LOGIN, library, catalogue=afresh())) == 3


MANY = {
    f"s{n}": Skill(name=f"s{n}", description=f"Does thing {n}.", body="x", goals=(f"do thing {n}",)) for n in range(40)
}


def test_what_comes_and_goes_of_many_is_found_as_in_a_fresh_catalogue():
    held, fewer = afresh(), {name: one for name, one in MANY.items() if name != "s7"}
    revised = {**MANY, "s7": MANY["s7"].model_copy(update={"body": "Log in with the password.", "version": 2})}
    for skills in (MANY, {**MANY, **LIBRARY.skills}, revised, fewer, MANY):
        for goal in (LOGIN, "do thing 7"):
            library = Library(skills=skills)
            found, fresh = (route(Plan(goal=goal), library, catalogue=one).considered[0] for one in (held, afresh()))
            assert [(one.id, one.version) for one in found] == [(one.id, one.version) for one in fresh]
            assert [one.score for one in found] == pytest.approx([one.score for one in fresh], abs=1e-5)


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "log in", "date"]), st.booleans()), max_size=12)
)
def test_a_catalogue_that_is_told_what_changed_finds_what_a_fresh_one_does(changes):
    held, library, kept = afresh(), Library(skills=MANY), [Library(skills=MANY)]
    for name, body, held_now in changes:
        old = library.skills.get(name)
        if body:
            new = Skill(name=name, description="Does.", body=body, version=old.version + 1 if old else 1)
            library = library.with_change(PutSkill(skill=new, base=old.version if old else None))
        elif old:
            library = library.with_change(RetireSkill(name=name, base=old.version))
        kept.append(library)
        if held_now:
            held.of(library)
    for one in (library, kept[len(kept) // 2], library):
        index, fresh = held.of(one).skills, afresh().of(one).skills
        found = [{index_of[int(n)][0]: round(w, 6) for n, w in zip(like.numbers, like.words, strict=True)}
                 for index_of in (index, fresh) for like in [index_of.likeness("log in on a date")]]  # fmt: skip
        assert found[0] == found[1]
        assert all(index.find(name) is skill for name, skill in one.skills.items())


def test_where_vectors_fail_the_catalogue_stays_as_it_was():
    class Failing(HashEmbedder):
        fails = False

        def vectors(self, texts):
            if self.fails:
                raise LLMUnavailable("no vectors")
            return super().vectors(texts)

    cache, library = Failing(), Library(skills={**MANY, **LIBRARY.skills})
    catalogue, retired = Catalogue(cache), Library(skills={**MANY, "pick-date": LIBRARY.skills["pick-date"]})
    assert route(Plan(goal=LOGIN), library, catalogue=catalogue).ids == ("log-in",)
    cache.fails = True
    with pytest.raises(LLMUnavailable):
        route(Plan(goal="a goal never asked"), retired, catalogue=catalogue)
    cache.fails = False
    assert route(Plan(goal=LOGIN), library, catalogue=catalogue).ids == ("log-in",)


def test_a_library_of_one_skill_does_not_cost_what_is_held_of_a_large_one():
    catalogue = afresh()
    route(Plan(goal=LOGIN), Library(skills=MANY), catalogue=catalogue)
    assert route(Plan(goal=LOGIN), LIBRARY, catalogue=catalogue).ids[0] == "log-in"
    assert len(catalogue.skills) == len(MANY)


def test_an_empty_library_asks_for_no_vectors():
    class Mute(HashEmbedder):
        def vectors(self, texts):
            raise AssertionError(texts)

    assert route(Plan(goal=LOGIN), Library(), catalogue=Catalogue(Mute())).ids == ()


RUNS = {FILE: "goals: [Water it all]\nsteps: [done]"}
OTHERS = Library(
    skills={"w": Skill(name="w", description="d", body="b", domain="a", files=RUNS, goals=("Water it all",))},
    demonstrations={
        "x": Demonstration(id="x", domain="a", goal="Water it all", steps=LIBRARY.demonstrations["d"].steps)
    },
)


@pytest.mark.parametrize(("domain", "known"), [("", True), ("a", True), ("b", False)])
def test_what_is_of_use_elsewhere_is_not_looked_at_by_anyone(domain, known):
    goal, catalogue = "Water it all", afresh()
    assert bool(form(goal, OTHERS, domain, catalogue=catalogue)) is known
    assert covers(goal, OTHERS, domain, catalogue=catalogue) is known
    assert bool(nearest_skills(goal, OTHERS, domain, catalogue=catalogue)) is known
    found = route(Plan(goal=goal, domain=domain), OTHERS, catalogue=catalogue)
    assert (bool(found.skills[0]), bool(found.demonstrations[0])) == (known, known)
    words_alone = Library(skills={"w": OTHERS.skills["w"].model_copy(update={"files": {}})})
    assert covers(goal, words_alone, domain, catalogue=catalogue) is known


def test_a_pinned_skill_of_another_environment_is_not_shown():
    limits, plan = Thresholds(pinned=("w",)), Plan(goal=LOGIN, domain="b")
    assert route(plan, OTHERS, catalogue=afresh(), thresholds=limits).ids == ()


def test_the_score_and_the_chance_are_those_of_the_handbook():
    like = Likeness(
        numbers=np.array([0, 1]), words=np.array([0.5, 0.5]), whole=np.array([0.8, 0.8]), proven=np.array([True, False])
    )
    assert fuse(like).tolist() == [0.95, 1.1]
    lead = 0.95 - (0.6 + 18 * 0.1) / 19
    assert chance(0.95, np.array([0.6]), proven=True) == pytest.approx(1 / (1 + np.exp(10.6 - 8.1 * 0.95 - 6.4 * lead)))
    assert chance(0.95, np.array([0.6]), proven=False) == pytest.approx(1 / (1 + np.exp(7.1 - 3.5 * 0.95 - 9.0 * lead)))


class Brief(HashEmbedder):
    """Reads the first thousand letters of a text and no more, as an embedder with a window does."""

    def vectors(self, texts):
        return super().vectors([text[:1000] for text in texts])


def long_skill(name, tail):
    filler = " ".join(["sweep the house"] * 100)
    return Skill(name=name, description="Keeps a house.", body=f"{filler}\n{tail}")


def test_what_stands_at_the_end_of_a_long_text_is_found_by_its_meaning_too():
    library = Library(
        skills={one.name: one for one in (long_skill("a", "Feed fish."), long_skill("b", "Polish brass."))}
    )
    index = Catalogue(Brief()).of(library).skills
    for goal, name in (("feed fish", "a"), ("polish brass", "b")):
        text = dict(zip((index[n][0] for n in (0, 1)), (near for near, _ in index.near(goal, [0, 1])), strict=True))
        assert max(text, key=text.get) == name
        assert max(text.values()) > min(text.values()) + 0.1


def test_a_text_that_is_read_to_its_end_keeps_its_very_vector_and_none_is_lost_of_a_longer_one():
    cache, short = HashEmbedder(), LIBRARY.skills["log-in"]
    index = Catalogue(cache).of(LIBRARY).skills
    assert index._texts._rows[0].tobytes() == cache.vectors([text_of(short)])[0].tobytes()
    assert windows("x" * 1000) == ["x" * 1000]
    parts = windows(text_of(long_skill("a", "Feed fish.")))
    assert len(parts) > 1
    assert max(map(len, parts)) <= 800
    assert " ".join(parts).split() == text_of(long_skill("a", "Feed fish.")).split()
