"""Suites: the shipped ones are whole, and a wrong one is answered with what is wrong."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from skillagent.envs.babyai.walker import levels
from skillagent.envs.libero.scene import tasks as households
from skillagent.envs.optimize.problems import templates
from skillagent.envs.robot.simulator import descriptions
from skillagent.envs.tabletop.tasks import wordings
from skillagent.envs.web.miniwob import standard, tasks
from skillagent.errors import ConfigError
from skillagent.evaluation.suites import load_suite, read_suite
from skillagent.schema import Split

STANDARD = ("object", "spatial", "goal")  # of LIBERO, ten tasks each
FOLDER = Path(__file__).parents[2] / "evals" / "suites"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_suite_names_tasks_that_exist(file):
    suite = read_suite(file)
    assert suite.name == file.stem
    known = {
        "miniwob": tasks(),
        "optimize": templates(),
        "metaworld": descriptions(),
        "tabletop": wordings(),
        "babyai": levels(),
        "libero": households() if find_spec("libero") else [f"{s}-{n + 1}" for s in STANDARD for n in range(10)],
    }
    assert set(suite.ids) <= {f"{world}/{name}" for world, names in known.items() for name in names}
    assert len(set(suite.ids)) == len(suite.ids)


def test_the_standard_suite_is_the_standard_set():
    assert {task.removeprefix("miniwob/") for task in load_suite("miniwob-125", folders=[FOLDER]).ids} == set(
        standard()
    )


def test_the_seeds_of_the_splits_do_not_meet():
    suite = load_suite("demo", folders=[FOLDER])
    seeds = [{task.seed for task in suite.tasks(split, 50)} for split in Split]
    assert not seeds[0] & seeds[1] | seeds[0] & seeds[2] | seeds[1] & seeds[2]
    assert all(task.split is split for split in Split for task in suite.tasks(split, 3))


def test_later_seeds_of_a_split_can_be_taken():
    some = load_suite("web/a").tasks(Split.HOLDOUT, 2, first=20)
    assert [task.seed - Split.HOLDOUT.first_seed for task in some] == [20, 21]


def test_all_tasks_of_one_seed_come_before_the_next_seed():
    some = load_suite("web/a,web/b").tasks(Split.PRACTICE, 2)
    assert [(task.name, task.seed) for task in some] == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("name: x\ntasks: []\n", "tasks"),
        ("name: x\ntasks: [a/b]\ncolour: red\n", "colour"),
        ("name: x\ntasks: [a/b]\nmax_step: 3\n", "max_step: there is no such key; did you mean max_steps?"),
        ("name: x\ntasks: a/b\n", "tasks: should be a list, got 'a/b'"),
        ("tasks: [a/b]\n", "name: this key is needed"),
        ("name: x\ntask: [a/b]\n", "task: there is no such key; did you mean tasks?"),
        ("name: x\ntasks: [a/b]\nseeds: {practice: true}\n", "seeds.practice: should be a whole number, got True"),
        ("name: x\ntasks: [a/b]\ntimeout_s: .inf\n", "timeout_s: should be a finite number, got inf"),
        ("name: x\ntasks: [a/b]\ntasks: [a/c]\n", "key 'tasks' twice"),
        ("name: x\ntasks: [a/b]\nmax_steps: 0\n", "max_steps: should be greater than or equal to 1, got 0"),
        ("name: x\ntasks: [a/b]\nseeds: {holdout: 0}\n", "seeds.holdout: .*greater than or equal to 1"),
        ("name: x\ntasks: [a/b]\nseeds: {practice: -3}\n", "seeds.practice: .*greater than or equal to 1"),
        ("name: x\ntasks: [a/b]\nseeds: {practice: 1000001}\n", "seeds.practice: .*less than or equal to 1000000"),
        ("name: x\ntasks: [a/b]\nseeds: {test: 3}\n", "seeds.test"),
        ("name: x\ntasks: [a/b, login]\n", "tasks: 'login' is no task; write env/task"),
        ("name: x\ntasks: [a/b/c]\n", "tasks: 'a/b/c' is no task"),
        ("name: x\ntasks: [a/]\n", "tasks: 'a/' is no task"),
        ("name: x\ntasks: [a/b, a/c, a/b]\n", "tasks: a/b twice"),
        ("name: x\ntasks: [a/b]\nblocks: [2]\n", "yaml: blocks .2. do not add up to the number of tasks, 1"),
        ("name: [x\n", "suite"),
        ("- a\n- b\n", "suite"),
    ],
)
def test_a_file_that_is_no_suite_is_refused_with_what_is_wrong(tmp_path, text, what):
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=what) as refused:
        load_suite(str(file))
    assert str(refused.value).startswith(f"suite {file}: ")


@pytest.mark.parametrize(("given", "what"), [("web/a,web/a", "web/a twice"), ("web/a,web/a/b", "no suite")])
def test_tasks_that_are_named_wrongly_are_refused_as_in_a_file(given, what):
    with pytest.raises(ConfigError, match=what):
        load_suite(given)


def test_a_suite_of_the_working_folder_comes_before_a_shipped_one(tmp_path):
    (tmp_path / "demo.yaml").write_text("name: mine\ntasks: [web/a]\n", encoding="utf-8")
    assert load_suite("demo", folders=[tmp_path, FOLDER]).name == "mine"
    assert load_suite("miniwob-15", folders=[tmp_path, FOLDER]).name == "miniwob-15"


def test_the_shipped_suites_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_suite("demo").name == "demo"


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(ConfigError, match="demo"):
        load_suite("dem", folders=[FOLDER])


@pytest.mark.parametrize("name", ["../../evil", "a/b", ".hidden", ""])
def test_a_suite_whose_name_leads_elsewhere_is_refused(name, tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(f"name: '{name}'\ntasks: [corridor/press]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="name"):
        read_suite(file)
