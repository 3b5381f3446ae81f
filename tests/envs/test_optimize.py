"""Optimisation problems: the restricted models, our own problems against independent answers, files, the episode."""

import itertools
import json
import math

import pytest

from skillagent.envs.optimize.environment import Optimize
from skillagent.envs.optimize.model import Model, solve
from skillagent.envs.optimize.problems import of_split, problem_of, read, templates
from skillagent.errors import AgentFault, ConfigError, EnvironmentFailed
from skillagent.schema import Action, Split, Task
from skillagent.testing import check_environment


def model(objective="x + y", *constraints, sense="maximize", **rest):
    return Model(sense=sense, objective=objective, constraints=constraints, **rest)


def best(objective, *constraints, **rest):
    return solve(model(objective, *constraints, **rest)).objective


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (("3*x + 2*y", "x + y <= 4", "x <= 3"), 11),
        (("3x + 2 y", "x+y<=4", "x ≤ 3"), 11),
        (("2(x + y) - x", "0 <= x <= 3", "y = 1"), 5),
        (("10 - x", "2*x >= 5"), 7.5),
        (("x/2", "x <= 1e1"), 5),
        (("x", "x <= 0.4*(x + y)", "x + y <= 10"), 4),
        (("-x + 2 - 1", "x >= 1"), 0),
        (("x2 + y2", "x2 <= 1", "y2 <= 2"), 3),
    ],
)
def test_a_model_is_read_as_it_is_written(written, found):
    assert best(*written) == pytest.approx(found)


def test_whole_and_free_variables_are_what_they_are_called():
    assert best("x", "2*x <= 7", integers=("x",)) == pytest.approx(3)
    assert best("x", "x >= -5", sense="minimize") == pytest.approx(0)
    assert best("x", "x >= -5", sense="minimize", free=("x",)) == pytest.approx(-5)


def test_whole_numbers_are_solved_to_the_very_best():
    assert best("10000*x + y", "x <= 3", "y <= 0.5 + x", integers=("x", "y")) == pytest.approx(30003)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (("x*y", "x <= 1"), "is not linear"),
        (("x", "x/(x + y) >= 0.4"), "is written x >= 0.4"),
        (("x", "x + 1"), "compares nothing"),
        (("x", "x < 5"), "x < 5 is x <= 4"),
        (("x", "x != 5"), "only <=, >= and =="),
        (("x", "number of x <= 5"), "without spaces"),
        (("x",), "unbounded"),
        (("x", "x <= 1", "x >= 2"), "infeasible"),
        (("3",), "no variable"),
        (("sum(x)", "x <= 1"), "what is not allowed: 'sum(x)'"),
        (("x**2", "x <= 1"), "is not linear"),
        (("x", "x <= 1e999"), "what is not allowed"),
        (("x", f"x <= {'9' * 310}"), "what is not allowed"),
        (("*".join(["9e14"] * 22) + "*x", "x <= 1"), "too large"),
        (("x/1e-300/1e-300", "x <= 1"), "too large"),
        (("x", "x <= 9e14*9e14 - 9e14*9e14*x"), "too large"),
        (("x", "x <= 1/0"), "is not linear"),
        (("x", "x <= True"), "what is not allowed: 'x <= True'"),
        (("x" * 500, "x <= 1"), "longer than 400"),
        (("__import__('os').system('true')", "x <= 1"), "what is not allowed"),
    ],
)
def test_what_cannot_be_solved_is_told_to_the_agent(written, told):
    with pytest.raises(AgentFault) as fault:
        best(*written)
    assert told in str(fault.value)


@pytest.mark.parametrize("deep", ["(" * 199 + "x" + ")" * 199, "-" * 398 + "x", "(" * 399, "x" + "+(x" * 90 + ")" * 90])
def test_deep_nesting_is_solved_or_told_and_nothing_else(deep):
    try:
        best(deep, "x <= 1", "x >= -1")
    except AgentFault as fault:
        assert "cannot be read" in str(fault)


def test_a_declared_variable_must_be_used():
    with pytest.raises(AgentFault, match="no expression names z; variables are x"):
        best("x", "x <= 1", integers=("z",))


def test_what_is_decided_is_said_first():
    assert Optimize.verbs[0].parameters["required"][0] == "variables"
    assert next(iter(Optimize.verbs[0].parameters["properties"])) == "variables"


def test_a_variable_that_expressions_name_must_be_told_where_any_is():
    told = ("x: litres", "y")
    assert best("x + y", "x + y <= 3", variables=told) == 3
    with pytest.raises(AgentFault, match="do not tell z; they tell x, y; write each as `name: what it counts`"):
        best("x + z", "x + z <= 1", variables=told)
    with pytest.raises(AgentFault, match="no expression names y; tell only what is decided"):
        best("x", "x <= 1", variables=told)


# The same answers by other means than a linear model, from what the texts say.
INDEPENDENT = {
    "shortest-way": lambda v: min(v["hb"] + v["bo"], v["hb"] + v["bf"] + v["fo"], v["hf"] + v["fo"]),
    "who-does-what": lambda v: min(
        sum(v[f"{who}{job}"] for who, job in zip("pqr", jobs, strict=True))
        for jobs in itertools.permutations((1, 2, 3))
    ),
    "pack-a-bag": lambda v: max(
        sum(v[f"v{i}"] for i in chosen)
        for chosen in subsets(range(1, 5))
        if sum(v[f"w{i}"] for i in chosen) <= v["w"]
    ),
    "choose-projects": lambda v: max(
        sum(v[f"s{i}"] for i in chosen)
        for chosen in subsets(range(1, 5))
        if sum(v[f"c{i}"] for i in chosen) <= v["b"] and not {3, 4} <= set(chosen)
    ),
    "one-needs-the-other": lambda v: max(
        sum(v[f"v{i}"] for i in chosen)
        for chosen in subsets(range(1, 4))
        if sum(v[f"c{i}"] for i in chosen) <= v["b"] and (2 not in chosen or 1 in chosen)
    ),
    "finish-early": lambda v: v["n"] / (v["a"] + v["b"]),
    "fair-shares": lambda v: v["n"] / (1 / v["a"] + 1 / v["b"] + 1 / v["c"]),
    "nurses-by-shift": lambda v: min(
        x + y + z
        for x, y, z in itertools.product(range(17), repeat=3)
        if x + z >= v["a"] and x + y >= v["b"] and y + z >= v["c"]
    ),
    "discount-by-the-box": lambda v: min(
        v["s"] * max(0, v["n"] - 6 * boxes - 30 * trays) + v["b"] * boxes + v["t"] * trays
        for boxes in range(20)
        for trays in range(5)
    ),
    "cover-the-districts": lambda v: min(
        sum(v[f"c{i}"] for i in chosen)
        for chosen in subsets("abcd")
        if set("1234") <= set("".join({"a": "12", "b": "23", "c": "34", "d": "14"}[i] for i in chosen))
    ),
    "make-or-buy": lambda v: min(
        v["m"] * made + v["b"] * (v["n"] - made) for made in range(int(min(v["n"], v["t"] // v["h"])) + 1)
    ),
    "gain-or-loss": lambda v: (v["p"] - v["q"]) * min(v["m"], v["b"] / v["k"]),
    "product-limits": lambda v: max(
        v["ea"] * a + v["eb"] * min(v["mb"], v["m"] - a) for a in range(int(v["ma"]) + 1)
    ),
    "through-a-hub": lambda v: min(
        v["ch"] * hills + (v["l1"] + v["l2"]) * (v["m"] - hills)
        for hills in range(int(v["h"]) + 1)
        if 0 <= v["m"] - hills <= v["l"]
    ),
    "two-products": lambda v: max(
        v["ea"] * a + v["eb"] * b
        for a in range(200)
        for b in range(200)
        if v["wa"] * a + v["wb"] * b <= v["w"] and v["pa"] * a + v["pb"] * b <= v["p"]
    ),
    "greatest-flow": lambda v: max(
        mt + min(v["ft"], v["sf"] + mf)
        for mt in range(int(v["mt"]) + 1)
        for mf in range(int(v["mf"]) + 1)
        if mt + mf <= v["sm"]
    ),
}  # fmt: skip


def subsets(items):
    items = list(items)
    return [chosen for n in range(len(items) + 1) for chosen in itertools.combinations(items, n)]


def drawn_values(template, seed):
    """Return what the seed drew, read off a model whose constraints are the places themselves."""
    shown = template.model_copy(
        update={"model": Model(sense="minimize", objective="", constraints=tuple(f"{{{k}}}" for k in template.draw))}
    )
    values = dict(zip(template.draw, shown.drawn(seed)[1].constraints, strict=True))
    return {key: float(value) for key, value in values.items() if value.replace(".", "").isdigit()}


@pytest.mark.parametrize("name", INDEPENDENT)
def test_the_answers_are_those_found_without_a_linear_model(name):
    template = templates()[name]
    for seed in (0, 1, 2, 1_000_000, 2_000_000):
        assert template.problem(seed).answer == pytest.approx(INDEPENDENT[name](drawn_values(template, seed)))


def test_there_are_problems_enough_and_each_has_an_answer_on_any_seed():
    assert len(templates()) >= 30
    for template in templates().values():
        drawn = [template.problem(seed) for seed in range(25)]
        assert len({one.answer for one in drawn}) > 3, f"{template.name}: the seed must change the answer"
        for one in drawn:
            assert "{" not in one.text
            assert math.isfinite(one.answer)
            assert abs(one.answer) > 0.01, f"{template.name}: zero is what an empty model finds"


def task(name="two-products", seed=3, **rest):
    return Task(env="optimize", name=name, seed=seed, **rest)


def handing_in(model):
    def oracle(_):
        yield Action(verb="model", arguments=json.loads(model.model_dump_json()))

    return oracle


@pytest.mark.parametrize("name", ["two-products", "gain-or-loss", "where-to-build"])
def test_it_is_an_environment(name):
    pytest.importorskip("PIL", reason="pictures need the extra [report]")
    wanted = task(name)
    check_environment(Optimize, wanted, handing_in(templates()[name].drawn(wanted.seed)[1]))


def test_a_wrong_objective_ends_the_task_and_a_model_without_an_optimum_does_not():
    world = Optimize()
    world.reset(task(max_steps=3))
    unbounded = {"sense": "maximize", "objective": "x", "constraints": [], "integers": []}
    first = world.step(Action(verb="model", arguments=unbounded))
    assert (first.reward, first.terminated, first.truncated) == (0.0, False, False)
    assert "unbounded" in first.error
    assert "unbounded" in first.observation.text
    wrong = world.step(Action(verb="model", arguments=unbounded | {"constraints": ["x <= 1"]}))
    assert (wrong.reward, wrong.terminated, wrong.error) == (0.0, True, None)
    assert "objective 1 at x = 1" in wrong.observation.text


def test_turns_are_counted_and_the_answer_is_never_shown():
    world = Optimize()
    seen = world.reset(task(max_steps=2))
    answer = f"{templates()['two-products'].problem(3).answer:g}"
    assert world.step(Action(verb="guess")).truncated is False
    last = world.step(Action(verb="model", arguments={"sense": "most"}))
    assert last.truncated
    assert "sense" in last.error
    assert not any(answer in text for text in (seen.goal, seen.text, last.observation.text, last.error))


@pytest.fixture
def folder(tmp_path):
    entries = [{"description": f"Problem {n}: how many?", "ground_truth": float(n), "task_id": n} for n in range(30)]
    (tmp_path / "mine.json").write_text(json.dumps([*entries, entries[0]]))
    return tmp_path


def test_a_file_is_cut_into_three_that_share_nothing(folder):
    read.cache_clear()
    whole = read(folder / "mine.json")
    parts = [of_split(whole, split) for split in Split]
    assert len(whole) == 30
    assert sorted(one.text for part in parts for one in part) == sorted(one.text for one in whole)
    assert all(parts)
    shuffled = of_split(tuple(reversed(whole)), Split.HOLDOUT)
    assert shuffled == parts[2]
    fewer = of_split(whole[7:], Split.HOLDOUT)
    assert fewer == tuple(one for one in parts[2] if one in whole[7:]), "a problem's split depends on its words alone"
    for split, part in zip(Split, parts, strict=True):
        assert problem_of(task("mine", split.first_seed + 1), folder) == part[1]


def test_what_is_learnt_on_goes_round_and_what_is_measured_on_does_not(folder):
    for split in (Split.PRACTICE, Split.GATE):
        count = len(of_split(read(folder / "mine.json"), split))
        first, again = (problem_of(task("mine", split.first_seed + n), folder) for n in (1, count + 1))
        assert first == again
    count = len(of_split(read(folder / "mine.json"), Split.HOLDOUT))
    with pytest.raises(EnvironmentFailed, match=f"has {count} holdout problems; there is no number {count}"):
        problem_of(task("mine", Split.HOLDOUT.first_seed + count), folder)
    (folder / "empty.json").write_text("[]")
    with pytest.raises(EnvironmentFailed, match="has 0 practice problems"):
        problem_of(task("empty", 0), folder)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "cannot be read as JSON"),
        ("{}", "a list of objects"),
        ('[{"description": "x"}]', "entry 0 lacks"),
        ('[{"description": "x", "ground_truth": 1}, {"ground_truth": 2}]', "entry 1 lacks"),
        ('[{"description": "x", "ground_truth": NaN}, {"description": "y", "ground_truth": "none"}]', "2 of 2 entries"),
        ("[3]", "entry 0 lacks"),
        ('[{"description": " ", "ground_truth": 1}]', "entry 0 lacks"),
        ('[{"description": "x", "ground_truth": true}]', "entry 0 lacks"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("9" * 5_000, "cannot be read as JSON"),
    ],
)
def test_a_file_that_is_amiss_is_the_operators(tmp_path, content, told):
    read.cache_clear()
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(ConfigError, match=told):
        problem_of(task("bad"), tmp_path)


def test_problems_without_an_optimum_are_left_out_and_counted(tmp_path, caplog):
    read.cache_clear()
    truths = [6, "7.5", "No Best Solution", None]
    entries = [{"description": f"Problem {n}", "ground_truth": truth} for n, truth in enumerate(truths)]
    (tmp_path / "mixed.json").write_text(json.dumps(entries))
    assert [one.answer for one in read(tmp_path / "mixed.json")] == [6, 7.5]
    assert "2 of 4 entries have no number" in caplog.text


def test_a_name_that_is_not_there_is_answered_with_those_near_it(folder):
    with pytest.raises(ConfigError, match="near it: two-products"):
        problem_of(task("two-product"))
    with pytest.raises(ConfigError, match="SKILLAGENT_PROBLEMS"):
        problem_of(task("zzz"))
    with pytest.raises(ConfigError, match="near it: mine"):
        problem_of(task("mines"), folder)


@pytest.mark.parametrize(
    ("seed", "told"), [(3, True), (Split.GATE.first_seed, False), (Split.HOLDOUT.first_seed, False)]
)
def test_what_would_have_been_right_is_told_at_the_end_of_practice_alone(seed, told):
    world = Optimize()
    world.reset(task(seed=seed))
    assert world.step(Action(verb="guess")).truth == ""
    wrong = {"sense": "maximize", "objective": "x", "constraints": ["x <= 1"], "integers": []}
    answer = f"{templates()['two-products'].problem(seed).answer:g}"
    assert world.step(Action(verb="model", arguments=wrong)).truth == (
        f"the best objective is {answer}" if told else ""
    )
