"""Forgetting: figures by hand, the default is the router itself, and what a domain gains and loses is seen."""

import sys
from functools import partial

import numpy as np
import pytest

from skillagent.errors import ConfigError
from skillagent.evaluation import forgetting
from skillagent.evaluation.domains import Domain, of_library, read
from skillagent.evaluation.forgetting import Lived, drawn, live, measures, streamed, table
from skillagent.evaluation.lifelong import stream as libero
from skillagent.library import Library
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.measured import Query
from skillagent.routing.route import route
from skillagent.schema import Plan, Skill
from skillagent.testing import HashEmbedder

CACHE = HashEmbedder()
NAN = np.nan


def test_the_figures_of_a_matrix_are_those_worked_out_by_hand():
    full = np.array([[0.6, NAN, NAN], [0.8, 0.9, NAN], [0.7, 0.5, 1.0]])
    found = measures(full, np.array([0.2, 0.4, 0.5]))
    assert found["recall"] == pytest.approx((0.7 + 0.5 + 1.0) / 3)
    assert found["gain"] == pytest.approx((0.4 + 0.5 + 0.5) / 3)
    assert found["forgetting"] == pytest.approx(((0.8 - 0.7) + (0.9 - 0.5)) / 2)
    assert found["backward_transfer"] == pytest.approx(((0.7 - 0.6) + (0.5 - 0.9)) / 2)
    told = libero([[0.6, None, None], [0.8, 0.9, None], [0.7, 0.5, 1.0]])
    assert told.forgetting == pytest.approx(((-0.2 - 0.1) / 2 + 0.4) / 2)
    assert told.area == pytest.approx((0.7 + 0.7 + 1.0) / 3)


def test_hits_become_a_table_and_families_are_drawn_whole():
    weights = drawn([["a", "a", "b"], ["c", "d"]])
    assert weights[0][0].tolist() == [1, 1, 1]
    assert np.array_equal(weights[0][:, 0], weights[0][:, 1])
    assert set((weights[0][1:, 0] + weights[0][1:, 2]).tolist()) == {2.0}
    hits = [np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), np.array([[NAN, NAN], [1.0, 0.0]])]
    full, before = table(Lived([np.array([0.0, 0.0, 0.0]), np.array([0.0, 1.0])], hits), weights)
    np.testing.assert_allclose(full[0], [[2 / 3, NAN], [1 / 3, 0.5]])
    assert before[0].tolist() == [0.0, 0.5]


# ── A small stream ───────────────────────────────────────────────────────────────────────────────────────────────────

# What is asked shares no word with the skill that is for it, but with goals that are asked alike.
KINDS = {
    "home": {"tidy": ("dust", "sofa"), "cook": ("fry", "onion")},
    "farm": {"milk": ("herd", "barn"), "sow": ("seed", "furrow")},
    "sea": {"sail": ("rope", "mast"), "fish": ("bait", "hook")},
}


def asked(name, verb, thing, n):
    return Query((name, n), f"{verb} the {thing} {['again', 'and', 'once', 'more'][n]}", "", "words", {name: 1.0})


def domain(name):
    skills = [Skill(name=one, description=f"To {one}.", body="Do it well.", domain=name) for one in KINDS[name]]
    goals = [[asked(one, verb, thing, n) for one, (verb, thing) in KINDS[name].items()] for n in range(4)]
    return Domain(name=name, skills=skills, learn=(*goals[0], *goals[1]), test=(*goals[2], *goals[3]))


DOMAINS = [domain(name) for name in KINDS]


def test_what_is_solved_is_gained_by_the_default_and_by_nothing_it_is_not():
    found = streamed(DOMAINS, CACHE, names=["nothing"])
    default, nothing = found.ways["prototypes"], found.ways["nothing"]
    assert (default.recall.value, default.forgetting.value, default.backward_transfer.value) == (100.0, 0.0, 0.0)
    assert nothing.gain.value == 0.0
    before = live(DOMAINS, ["prototypes"], CACHE)["prototypes"].before
    assert default.gain.value == pytest.approx(100 - 100 * np.mean(before), abs=0.05)
    assert default.gain.low > 0
    assert default.above.value == 0.0
    assert nothing.above.value == nothing.recall.value - 100.0
    assert found.orders == (("home", "farm", "sea"),)


@pytest.mark.parametrize("own", [False, True])
def test_the_default_hits_where_the_router_puts_a_right_skill_first(own):
    lived = live(DOMAINS, ["prototypes"], CACHE, own=own)["prototypes"]
    solved = {
        skill.name: tuple(goal.goal for goal in one.learn if goal.family == skill.name)
        for one in DOMAINS
        for skill in one.skills
    }
    skills = [skill.model_copy(update={"goals": solved[skill.name]}) for one in DOMAINS for skill in one.skills]
    library = Library(skills={one.name: one for one in skills})
    first = partial(route, library=library, catalogue=Catalogue(CACHE))
    for one, hits in zip(DOMAINS, lived.hits, strict=True):
        for goal, hit in zip(one.test, hits[-1], strict=True):
            found = first(Plan(goal=goal.goal, domain=one.name if own else "")).considered[0][0]
            assert (found.id == goal.family) == bool(hit)


def test_a_later_domain_can_draw_goals_away_and_that_is_forgetting():
    thief = Skill(name="thief", description="dust the sofa once more and more", body="dust sofa", domain="farm")
    goals = tuple(
        Query(("thief", n), f"dust the sofa {w}", "", "words", {"thief": 1.0}) for n, w in enumerate(("x", "y"))
    )
    farm = Domain(name="farm", skills=(thief,), learn=goals[:1], test=goals[1:])
    (before, after) = (
        streamed([DOMAINS[0], farm], CACHE, names=["prototypes"], own=own).ways["prototypes"] for own in (True, False)
    )
    assert before.forgetting.value == 0.0
    assert after.forgetting.value > 0.0
    assert after.backward_transfer.value == -after.forgetting.value
    anywhere = [one.model_copy(update={"domain": ""}) for one in DOMAINS[0].skills]
    home = DOMAINS[0].model_copy(update={"skills": anywhere})
    assert streamed([home, farm], CACHE, names=["prototypes"], own=True).ways["prototypes"] == after, "asked in any"


def test_skills_of_a_domain_that_tests_nothing_are_candidates_from_the_start():
    thief = Skill(name="thief", description="dust the sofa once and more", body="dust the sofa", domain="farm")
    alone = streamed(DOMAINS[:2], CACHE, names=["nothing"])
    with_it = streamed([*DOMAINS[:2], Domain(name="x", skills=(thief,), learn=(), test=())], CACHE, names=["nothing"])
    assert with_it.orders == alone.orders
    assert with_it.skills == alone.skills + 1
    assert with_it.ways["nothing"].recall.value < alone.ways["nothing"].recall.value


def test_every_way_lives_through_a_stream_and_the_same_seed_gives_the_same():
    pytest.importorskip("torch")
    found = streamed(DOMAINS, CACHE, orders=2)
    assert found == streamed(DOMAINS, CACHE, orders=2)
    assert {len(tables) for tables in found.tables.values()} == {2}
    assert all(one.recall.low <= one.recall.value <= one.recall.high for one in found.ways.values())


def test_without_torch_the_remedy_is_named_before_anything_is_learnt(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    said = []
    with pytest.raises(ConfigError, match=r"pip install 'skillagent\[train\]'.*prototypes need none"):
        streamed(DOMAINS, CACHE, names=["replay"], watch=said.append)
    assert not said
    assert set(streamed(DOMAINS, CACHE, names=["nothing"]).ways) == {"nothing", "prototypes"}


def test_one_domain_is_no_stream_and_an_unknown_way_is_named():
    with pytest.raises(ConfigError, match=r"there is home \(4 to learn, 4 to test\)"):
        streamed(DOMAINS[:1], CACHE)
    with pytest.raises(ConfigError, match=r"no way 'rehearsal'; the ways are nothing, prototypes, fine-tune"):
        streamed(DOMAINS, CACHE, names=["rehearsal"])


# ── Where domains come from ──────────────────────────────────────────────────────────────────────────────────────────

LINES = """\
{"name": "log-in", "description": "Logs in.", "body": "Fill.", "domain": "web", "goals": ["log in as ann"]}
{"text": "log in as ann", "skill": "log-in", "split": "practice", "seed": 3}
{"text": "log in as bob", "skill": "log-in", "split": "gate"}
{"text": "log in as cid", "skill": "log-in", "split": "holdout"}
{"text": "log in as ann", "skill": "log-in", "split": "holdout"}
"""


def test_a_file_tells_of_domains_and_a_goal_that_is_learnt_from_tests_nothing(tmp_path):
    (tmp_path / "all.jsonl").write_text(LINES, encoding="utf-8")
    (web,) = read([tmp_path / "all.jsonl"])
    assert (web.name, [skill.goals for skill in web.skills]) == ("web", [()])
    assert [goal.goal for goal in web.learn] == ["log in as ann", "log in as bob"]
    assert [goal.goal for goal in web.test] == ["log in as cid"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1: no JSON"),
        ('{"text": "x", "skill": "none", "split": "gate"}', "line 1: there is no line for the skill 'none'"),
        ('{"text": "x", "skill": "none", "split": "exam"}', "line 1: split: "),
        ('{"name": "x"}', "line 1: description: "),
        ('\n{"name": "x"}', "line 2: description: "),
        (2 * '{"name": "x", "description": "y"}\n', "line 2: the skill 'x' is given twice"),
    ],
)
def test_a_line_that_says_nothing_is_named(tmp_path, line, said):
    (tmp_path / "bad.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read([tmp_path / "bad.jsonl"])
    with pytest.raises(ConfigError, match="cannot be read"):
        read([tmp_path / "none.jsonl"])


def test_a_text_may_have_any_separator_in_it_and_a_file_a_byte_order_mark(tmp_path):
    line = '{"name": "x", "description": "one\u2028two"}\n'
    (tmp_path / "all.jsonl").write_text(line, encoding="utf-8-sig")
    ((skill,),) = (one.skills for one in read([tmp_path / "all.jsonl"]))
    assert skill.description == "one\u2028two"


def test_goals_that_differ_in_their_values_alone_are_either_learnt_from_or_test():
    goals = ('press "a"', 'press "b"', 'press "c"', "press it", 'press "d" twice', 'press "e" twice', 'press "f"')
    one = Skill(name="press", description="x", body="x", domain="web", goals=goals)
    (web,) = of_library(Library(skills={"press": one}), [])
    assert [goal.goal for goal in web.learn] == ['press "a"', 'press "b"', 'press "c"', "press it", 'press "f"']
    assert [goal.goal for goal in web.test] == ['press "d" twice', 'press "e" twice']


def test_what_was_learnt_tells_of_domains_and_every_third_goal_of_a_skill_tests():
    goals = tuple(f"log in as {name}" for name in ("ann", "bob", "cid", "dan"))
    one = Skill(name="log-in", description="x", body="x", domain="web", goals=goals)
    anywhere = Skill(name="note", description="x", body="x", goals=("note it",))
    web, every = of_library(Library(skills={"log-in": one, "note": anywhere}), [])
    assert [goal.goal for goal in web.learn] == [goals[0], goals[1], goals[3]]
    assert [goal.goal for goal in web.test] == [goals[2]]
    assert (every.name, [goal.goal for goal in every.learn], every.test) == ("any", ["note it"], ())


def test_orders_come_once_each_and_no_more_than_there_are():
    assert forgetting._orders(3, 1) == [[0, 1, 2]]
    assert sorted(forgetting._orders(2, 5)) == [[0, 1], [1, 0]]
    few = forgetting._orders(5, 4)
    assert len({tuple(order) for order in few}) == 4
    assert forgetting._orders(5, 6)[:4] == few
