"""`eval …`: what is measured, shown, compared, and with which code it ends. Real stages, a tiny world."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace

import pytest
from corridor_parts import Lucky, parts
from filelock import FileLock

from skillagent.cli import main
from skillagent.errors import EnvironmentFailed
from skillagent.evaluation.blocks import Block, write_blocks
from skillagent.evaluation.training import read_record, write_record
from skillagent.library import Library
from skillagent.schema import Decided, Decision, Edit, PutSkill, Skill, Split
from skillagent.testing import Corridor, MemoryStore

SUITE = "corridor/press,corridor/push"
SKILL = Skill(name="press", description="Press a button", body="## Steps\n1. Press.", goals=('press the "red" button',))


@pytest.fixture
def measured(tmp_path, capsys):
    """Measure with and without a library, and return how, and the run's folder."""
    used = parts(tmp_path, store=MemoryStore(Library(skills={SKILL.name: SKILL})))
    folder = tmp_path / "run"

    def measure(*options, out=folder):
        code = main(["eval", SUITE, "--seeds", "2", "--out", str(out), *options], parts=used)
        return code, capsys.readouterr()

    return measure, folder


def test_a_suite_is_measured_arm_by_arm_and_the_same_command_adds_nothing(measured):
    measure, folder = measured
    code, said = measure("--json")
    assert code == 0
    summary = json.loads(said.out)
    assert {name: arm["episodes"] for name, arm in summary["arms"].items()} == {"none": 4, "frozen": 4}
    assert "frozen-none" in summary["paired"]
    assert "8/8" in said.err
    rows = (folder / "rows.jsonl").read_text()
    assert measure()[0] == 0
    assert (folder / "rows.jsonl").read_text() == rows


def test_a_filter_leaves_tasks_out_and_one_that_leaves_none_is_refused(measured):
    measure, _ = measured
    assert json.loads(measure("--json", "--filter", "push")[1].out)["arms"]["none"]["episodes"] == 2
    code, said = measure("--filter", "pull")
    assert (code, "no task of given" in said.err) == (2, True)


@pytest.mark.parametrize("options", [["--arms", "frosen"], ["--engine", "threads"], ["--arms", "colour=red"]])
def test_what_is_not_there_is_refused_before_anything_is_played(measured, options):
    measure, folder = measured
    code, said = measure(*options)
    assert (code, folder.exists(), said.err.startswith("error: no ")) == (2, False, True)


def test_a_run_in_which_nothing_was_scored_is_the_worlds_fault(tmp_path, capsys):
    class Crashing(Corridor):
        def step(self, action):
            raise EnvironmentFailed("gone")

    used = parts(tmp_path, store=MemoryStore(), environment=Crashing())
    assert main(["eval", SUITE, "--arms", "none", "--seeds", "1", "--out", str(tmp_path / "r")], parts=used) == 3


def test_a_suite_limits_what_a_run_of_it_costs_unless_the_command_does(tmp_path, capsys):
    used, suite, folder = parts(tmp_path, store=MemoryStore()), tmp_path / "s.yaml", tmp_path / "run"
    text = "name: s\ntasks: [corridor/press, corridor/push]\nseeds: {holdout: 2}\n"
    suite.write_text(text + "token_limit: 1\n", encoding="utf-8")
    command = ["eval", str(suite), "--arms", "none", "--out", str(folder)]
    assert main(command, parts=used) == 4
    assert "of 1 tokens are spent" in capsys.readouterr().err
    assert len((folder / "rows.jsonl").read_text().splitlines()) == 1
    suite.write_text(text + "token_limit: 2\ncost_limit: 5\n", encoding="utf-8")
    assert main(command, parts=used) == 4
    assert main([*command, "--token-limit", "100000"], parts=used) == 0
    assert len((folder / "rows.jsonl").read_text().splitlines()) == 4
    suite.write_text(text + "token_limit: 1\n", encoding="utf-8")
    assert main(["eval", "stream", str(suite), "--out", str(tmp_path / "life")], parts=used) == 4


def test_a_suite_s_limit_in_dollars_asks_for_a_known_price(tmp_path):
    suite, asked = tmp_path / "s.yaml", []
    suite.write_text("name: s\ntasks: [corridor/press]\ncost_limit: 5\n", encoding="utf-8")
    used = parts(tmp_path, store=MemoryStore())

    def agent(settings, **options):
        asked.append(settings.cost_limit)
        return used.agent(settings, **options)

    command = ["eval", str(suite), "--arms", "none", "--out", str(tmp_path / "run")]
    for more in ([], ["--cost-limit", "9", "--seeds", "6"]):
        assert main([*command, *more], parts=replace(used, agent=agent)) == 0
    assert asked == [5, 9]


def test_a_run_is_shown_again_as_table_json_and_csv(measured, capsys):
    measure, folder = measured
    measure()
    assert main(["eval", "show", str(folder)]) == 0
    assert "frozen-none" in capsys.readouterr().out
    assert main(["eval", "show", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["suite"] == "given"
    assert main(["eval", "show", str(folder), "--csv"]) == 0
    assert len(list(csv.DictReader(io.StringIO(capsys.readouterr().out)))) == 8
    assert main(["eval", "show", str(folder / "none")]) == 2
    assert "there is no summary.json" in capsys.readouterr().err


def test_an_arm_that_learns_goes_on_from_the_library_that_it_began_with_or_not_at_all(tmp_path, capsys):
    used, folder = parts(tmp_path), tmp_path / "run"
    command = ["eval", "corridor/press", "--arms", "none,learning", "--out", str(folder)]
    assert main([*command, "--seeds", "1"], parts=used) == 0
    store = used.store(used.settings())
    store.commit(
        Decided(decision=Decision(edit=Edit(changes=(PutSkill(skill=SKILL),), why="w"), accepted=True, reason="r"))
    )
    rows = (folder / "rows.jsonl").read_text()
    capsys.readouterr()
    assert main([*command, "--seeds", "2"], parts=used) == 2
    said = f"arm 'learning' was begun with library {Library().digest}, this one is {store.load().digest}"
    assert said in capsys.readouterr().err
    assert (folder / "rows.jsonl").read_text() == rows
    shutil.rmtree(tmp_path / "skills")
    assert main([*command, "--seeds", "2"], parts=used) == 0


def test_a_later_command_adds_to_a_run_and_all_ways_of_looking_at_it_agree(measured, capsys):
    measure, folder = measured
    measure()
    for later in (["--arms", "none", "--filter", "push"], ["--arms", "shuffled,frozen", "--seeds", "1"]):
        measure(*later)
    written = json.loads((folder / "summary.json").read_text())
    assert {arm: one["episodes"] for arm, one in written["arms"].items()} == {"none": 4, "frozen": 4, "shuffled": 2}
    assert list(written["paired"]) == ["frozen-none", "shuffled-none", "shuffled-frozen"]
    assert sum(written["paired"]["shuffled-none"][how] for how in ("wins", "losses", "ties")) == 2
    libraries = written["provenance"]["libraries"]
    assert libraries["none"] == Library().digest != libraries["frozen"] == libraries["shuffled"]
    main(["eval", "show", str(folder), "--json"])
    assert json.loads(capsys.readouterr().out) == written
    main(["eval", "show", str(folder), "--csv"])
    assert len(capsys.readouterr().out.splitlines()) == 1 + 10
    main(["eval", "report", str(folder)])
    assert "10 episodes of 2 tasks" in (folder / "report.html").read_text()


def test_what_a_killed_command_has_played_is_shown_and_reported(measured, capsys):
    measure, folder = measured
    measure("--arms", "none", "--filter", "push")
    summary = (folder / "summary.json").read_text()
    measure()
    (folder / "summary.json").write_text(summary)
    capsys.readouterr()
    main(["eval", "show", str(folder), "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert {arm: one["episodes"] for arm, one in shown["arms"].items()} == {"none": 4, "frozen": 4}
    assert "eval report" not in shown["command"]
    assert main(["eval", "report", str(folder)]) == 0
    assert "8 episodes of 2 tasks" in (folder / "report.html").read_text()
    (folder / "summary.json").write_text(summary[:40])
    assert main(["eval", "show", str(folder)]) == 2
    assert measure()[0] == 0
    assert json.loads((folder / "summary.json").read_text())["arms"].keys() == {"none", "frozen"}


def test_an_arm_is_held_to_its_library_on_every_task_of_a_run(tmp_path, capsys):
    command = ["eval", SUITE, "--arms", "frozen", "--seeds", "1", "--out", str(tmp_path / "run"), "--filter"]
    assert main([*command, "press"], parts=parts(tmp_path, store=MemoryStore())) == 0
    grown = parts(tmp_path, store=MemoryStore(Library(skills={SKILL.name: SKILL})))
    assert main([*command, "push"], parts=grown) == 2
    assert "arm 'frozen' was begun with library" in capsys.readouterr().err


def test_instances_that_were_never_seen_are_added_to_a_run(measured):
    measure, folder = measured
    measure("--arms", "none")
    assert measure("--arms", "none", "--first", "20")[0] == 0
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted({row["seed"] for row in rows}) == [2000000, 2000001, 2000020, 2000021]


def test_the_score_so_far_is_that_of_the_run_and_not_of_the_command(measured):
    measure, _ = measured
    measure("--arms", "none", "--seeds", "1")
    *_, last = (line for line in measure("--arms", "none")[1].err.splitlines() if "seed" in line)
    assert last.strip().startswith("4/4  none")
    assert re.search(r"\[none \d/4;", last)


def test_one_of_anything_is_told_as_one(measured, capsys):
    measure, folder = measured
    said = measure("--arms", "frozen", "--seeds", "1", "--filter", "press", "--keep")[1]
    assert ", 1 step, " in said.err
    assert "word for word: corridor/press on 1 seed\n" in said.err
    assert "\n1 row in " in said.out
    (kept,) = (folder / "episodes" / "frozen").glob("*.json")
    assert main(["replay", str(kept)], parts=parts(folder)) == 0
    assert capsys.readouterr().out == "1 step replayed, all as they were\n"
    assert main(["replay", str(kept)], parts=parts(folder, environment=Corridor({"red": "green"}))) == 1
    assert capsys.readouterr().out.endswith("1 step replayed, 1 difference\n")


def test_an_episode_that_the_world_could_not_play_is_not_said_to_be_as_it_was(tmp_path, capsys):
    class Crashing(Corridor):
        def step(self, action):
            raise EnvironmentFailed("gone")

    used = parts(tmp_path, store=MemoryStore(), environment=Crashing())
    main(
        ["eval", "corridor/press", "--arms", "none", "--seeds", "1", "--keep", "--out", str(tmp_path / "r")], parts=used
    )
    capsys.readouterr()
    assert main(["replay", str(next(tmp_path.rglob("*@*.json")))], parts=used) == 2
    assert "the world could not play it (gone)" in capsys.readouterr().err


def test_two_runs_are_compared(measured, capsys, tmp_path):
    measure, folder = measured
    other = tmp_path / "other"
    measure("--arms", "none"), measure("--arms", "frozen", out=other)
    assert main(["eval", "compare", str(folder), str(other), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["frozen-none"]
    assert found["frozen-none"]["wins"] + found["frozen-none"]["losses"] + found["frozen-none"]["ties"] == 4
    assert main(["eval", "compare", str(folder), str(other), "--arms", "frozen,none"]) == 2
    assert "has none; " in capsys.readouterr().err


def test_a_comparison_names_what_it_compares_and_what_else_was_different(measured, capsys, tmp_path):
    measure, folder = measured
    other = tmp_path / "other"
    measure("--arms", "none"), measure("--arms", "none", out=other)
    begun = json.loads((other / "run.json").read_text())
    begun |= {"model": "a/larger-one", "suite": begun["suite"] | {"max_steps": 99, "name": "more", "ids": ["a/b"]}}
    (other / "run.json").write_text(json.dumps(begun))
    capsys.readouterr()
    assert main(["eval", "compare", str(folder), str(other)]) == 0
    told = capsys.readouterr().err
    assert f"{folder}: suite given; model " in told
    assert f"{other}: suite more; model a/larger-one; code " in told
    assert "they differ in more than the arm: model " in told
    assert "they differ in more than the arm: suite.max_steps 10, then 99" in told
    assert "suite.ids" not in told


def test_a_run_is_shown_and_compared_on_the_tasks_of_another_suite(measured, capsys, tmp_path):
    measure, folder = measured
    measure("--arms", "none,frozen")
    assert main(["eval", "show", str(folder), "--suite", "corridor/press", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["arms"]["none"]["episodes"] == 2
    pairing = ["eval", "compare", str(folder), str(folder), "--arms", "none,frozen", "--json"]
    assert main([*pairing, "--suite", "corridor/press"]) == 0
    (pair,) = json.loads(capsys.readouterr().out).values()
    assert pair["wins"] + pair["losses"] + pair["ties"] == 2
    assert main(["eval", "show", str(folder), "--suite", "corridor/pull"]) == 2
    assert "holds no episode of its tasks" in capsys.readouterr().err


def test_a_misspelt_command_is_not_taken_for_a_suite(capsys):
    assert main(["eval", "shw", "runs/x"]) == 2
    assert "did you mean 'show'?" in capsys.readouterr().err


def test_a_faulty_suite_that_is_called_much_like_a_command_is_told_its_fault(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evals" / "suites").mkdir(parents=True)
    for name in ("evals/suites/shop.yaml", "check.yaml"):
        (tmp_path / name).write_text("name: shop\ntasks: [a/b]\nmax_step: 3\n", encoding="utf-8")
    for given in ("shop", "check.yaml"):
        assert main(["eval", given]) == 2
        assert "max_step: there is no such key" in capsys.readouterr().err


def test_a_run_that_goes_on_with_other_threads_says_so(measured):
    measure, folder = measured
    measure("--arms", "none")
    begun = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(begun | {"threads": 64}))
    _, told = measure("--arms", "none")
    assert "begun with 64 threads a model" in told.err


def test_settings_of_the_metrics_that_there_are_not_and_damaged_logs_are_mistakes(tmp_path, capsys):
    write_blocks([Block(number=0, kind="test", task="b", performance=(0.2,))], tmp_path / "ll_logs" / "s")
    how, log = tmp_path / "how.json", tmp_path / "ll_logs" / "s" / "0" / "0-test" / "data-log.tsv"
    command = ["eval", "lifelong", str(tmp_path / "ll_logs")]
    assert main(command) == 0
    how.write_text('{"smoothing_metod": "none"}')
    assert main([*command, "--settings", str(how)]) == 2
    assert "smoothing_metod: there is no such key; did you mean smoothing_method?" in capsys.readouterr().err
    whole = log.read_text()
    log.write_text(whole.replace("0.2", "nan"))
    assert main(command) == 2
    assert "line 2: performance is nan" in capsys.readouterr().err
    log.write_text("")
    assert main(command) == 2
    assert "there is no complete experience in it" in capsys.readouterr().err


def test_lifelong_metrics_of_a_folder_of_logs(tmp_path, capsys):
    blocks = [
        Block(number=0, kind="test", task="b", performance=(0.2,)),
        Block(number=1, kind="train", task="a", performance=(1, 2)),
        Block(number=2, kind="test", task="b", performance=(0.4,)),
    ]
    write_blocks(blocks, tmp_path / "s")
    (tmp_path / "how.json").write_text('{"normalization_method": "none", "smoothing_method": "none"}')
    command = ["eval", "lifelong", str(tmp_path / "s"), "--settings", str(tmp_path / "how.json")]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["forward_transfer_ratio"], found["perf_recovery"]) == (2.0, None)
    assert main(command) == 0
    assert "forward_transfer_ratio" in capsys.readouterr().out


def test_a_stream_is_lived_told_and_reported(tmp_path, capsys):
    used, folder = parts(tmp_path), tmp_path / "life"
    command = ["eval", "stream", SUITE, "--seeds", "1", "--out", str(folder)]
    assert main([*command, "--json"], parts=used) == 0
    life = json.loads(capsys.readouterr().out)["life"]
    assert len(life["success"]) == 3
    assert life["changes"][0]["skills"] == ["press-white"]
    assert (folder / "learning" / "skills" / "press-white" / "SKILL.md").is_file()
    assert not (tmp_path / "skills").exists()
    assert main(command, parts=used) == 0
    assert (
        "block 1 (corridor/press) changed: skills press-white; tools press-white; demonstrations press-white"
        in capsys.readouterr().out
    )
    assert main(["eval", "lifelong", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["num_ex"], found["sample_efficiency"]) == (6, 1.0)
    assert found["stream"] == pytest.approx({"forward_transfer": 0.7, "forgetting": 0.0, "area": 0.85})
    for looked in ("lifelong", "show"):
        assert main(["eval", looked, str(folder)]) == 0
        assert "forward transfer 0.7000, forgetting 0.0000, area under the curve 0.8500" in capsys.readouterr().out
    assert found["ste_rel_perf"] == pytest.approx((1 + 101) / 2)  # the second task needs nothing more to be learnt
    assert main(["eval", "report", str(folder), "--json"], parts=used) == 0
    plots = json.loads(capsys.readouterr().out)["plots"]
    assert any(plot.endswith("success-on-each-task-after-each-block.png") for plot in plots)
    page = (folder / "report.html").read_text()
    assert "What learning cost" in page
    leads = re.findall(r'<p class="lead">(.*?)</p>', page)
    assert [lead.split(":")[0] for lead in leads[:3]] == ["after-0", "after-2", "after-2-after-0"]
    assert leads[3].startswith("forward transfer 0.7")
    assert "<p>block 1 (corridor/press) changed: skills press-white" in page


def test_a_streams_summary_says_what_it_began_with_and_what_learning_cost(tmp_path, capsys):
    used, folder, suite = parts(tmp_path), tmp_path / "life", tmp_path / "eight.yaml"
    tasks = ", ".join(f"corridor/{number}" for number in range(8))
    suite.write_text(f"name: eight\ntasks: [{tasks}]\nblocks: [4, 4]\nseeds: {{practice: 1, holdout: 1}}\n")
    assert main(["eval", "stream", str(suite), "--no-experts", "--out", str(folder)], parts=used) == 0
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["provenance"]["libraries"] == {"start": Library().digest}
    assert summary["arms"]["after-1"]["success"] == summary["arms"]["after-2"]["success"] == 1
    assert all(summary["learning"][what]["tokens_in"] > 0 for what in ("acting", "reflecting", "gating"))
    assert summary["payoff"].keys() == {"after-2-after-0"}  # the costs are those of the whole stream
    capsys.readouterr()
    main(["eval", "show", str(folder), "--json"])
    assert json.loads(capsys.readouterr().out) == summary


def test_a_stream_tells_every_kind_of_thing_that_changed(tmp_path, capsys):
    used, folder = parts(tmp_path), tmp_path / "life"
    command = ["eval", "stream", "corridor/press", "--seeds", "1", "--no-experts", "--out", str(folder)]
    assert main(command, parts=used) == 0
    record = read_record(folder)
    more = {"tools": ("press-white",), "insights": ("i-1", "i-2"), "demonstrations": ("d-1",)}
    write_record(folder, record.model_copy(update={"changes": (record.changes[0].model_copy(update=more),)}))
    capsys.readouterr()
    assert main(command, parts=used) == 0
    told = "changed: skills press-white; tools press-white; insights i-1, i-2; demonstrations d-1\n"
    assert told in capsys.readouterr().out
    assert main([*command, "--json"], parts=used) == 0
    (change,) = json.loads(capsys.readouterr().out)["life"]["changes"]
    assert {kind: tuple(change[kind]) for kind in more} == more


def test_a_life_learns_from_what_it_is_shown_and_is_held_to_it(tmp_path, capsys):
    """The agent never finds the way by itself; another, who knows it, shows it once."""
    knows, never, shown = Lucky(), Lucky(), str(tmp_path / "shown")
    knows._cold, never._warm = knows._warm, never._cold
    arguments = ["run", "corridor/press", "--no-learn", "--keep", shown]
    assert main(arguments, parts=parts(tmp_path, store=MemoryStore(), llm=knows)) == 0
    used, folder = parts(tmp_path, llm=never), tmp_path / "life"
    command = ["eval", "stream", "corridor/press", "--seeds", "1", "--no-experts", "--out", str(folder)]
    assert main([*command, "--demos", shown], parts=used) == 0
    assert (folder / "learning" / "skills" / "press-white").is_dir()
    assert main(command, parts=used) == 2
    assert "was begun with" in capsys.readouterr().err


def test_experts_start_from_the_library_that_the_stream_began_with(tmp_path, capsys):
    used, folder = parts(tmp_path), tmp_path / "life"
    command = ["eval", "stream", SUITE, "--seeds", "1", "--out", str(folder), "--json"]
    assert main([*command, "--no-experts"], parts=used) == 0
    assert json.loads(capsys.readouterr().out)["experts"] == {}
    shutil.copytree(folder / "learning" / "skills", tmp_path / "skills")  # it has been learnt elsewhere since
    assert main(command, parts=used) == 0
    said = capsys.readouterr()
    curves = json.loads(said.out)["experts"]
    assert {task: curve[:4] for task, curve in curves.items()} == {task: [0, 0, 0, 1] for task in SUITE.split(",")}
    assert "expert corridor/push seed 2: score 0.0" in said.err
    assert (folder / "experts" / "corridor--push" / "skills" / "press-white" / "SKILL.md").is_file()


def test_a_stream_stops_at_its_budget_and_the_same_command_goes_on(tmp_path, capsys):
    used, folder = parts(tmp_path), tmp_path / "life"
    command = ["eval", "stream", SUITE, "--seeds", "1", "--out", str(folder), "--json"]
    assert main([*command, "--token-limit", "1"], parts=used) == 4
    said = capsys.readouterr()
    assert json.loads(said.out) == {"life": None, "stream": None, "experts": {}}
    assert "of 1 tokens are spent" in said.err
    assert json.loads((folder / "summary.json").read_text())["arms"]["after-0"]["episodes"] == 1
    assert main(command, parts=used) == 0
    assert json.loads(capsys.readouterr().out)["experts"].keys() == set(SUITE.split(","))


def test_a_stream_that_is_interrupted_in_training_goes_on(tmp_path, capsys):
    class Interrupted(Corridor):
        def reset(self, task):
            if task.split is Split.PRACTICE:
                raise KeyboardInterrupt
            return super().reset(task)

    folder = tmp_path / "life"
    command = ["eval", "stream", SUITE, "--seeds", "1", "--out", str(folder)]
    assert main(command, parts=parts(tmp_path, environment=Interrupted())) == 130
    assert "goes on from here" in capsys.readouterr().err
    assert main(command, parts=parts(tmp_path)) == 0


def test_a_stream_that_another_process_lives_is_left_alone(tmp_path, capsys):
    folder = tmp_path / "life"
    folder.mkdir()
    with FileLock(folder / "stream.lock"):
        assert main(["eval", "stream", SUITE, "--out", str(folder)], parts=parts(tmp_path)) == 2
    assert "another process" in capsys.readouterr().err
    assert not (folder / "rows.jsonl").exists()


def test_another_library_is_measured_by_its_folder(tmp_path, capsys):
    used, folder = parts(tmp_path), tmp_path / "life"
    main(["eval", "stream", "corridor/press", "--seeds", "1", "--out", str(folder)], parts=used)
    command = ["eval", SUITE, "--seeds", "1", "--out", str(tmp_path / "run"), "--json"]
    capsys.readouterr()
    assert main([*command, "--library", str(folder / "learning")], parts=used) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["arms"]["frozen"]["success"] == 1
    assert summary["provenance"]["seeds"] == [2_000_000]
    assert main([*command, "--library", str(tmp_path)], parts=used) == 2


def test_runs_that_have_nothing_in_common_are_not_compared_and_a_killed_run_is_shown(tmp_path, capsys):
    used = parts(tmp_path, store=MemoryStore())
    for name in ("press", "push"):
        command = ["eval", f"corridor/{name}", "--arms", "none", "--seeds", "1", "--out", str(tmp_path / name)]
        assert main(command, parts=used) == 0
    capsys.readouterr()
    assert main(["eval", "compare", str(tmp_path / "press"), str(tmp_path / "push")], parts=used) == 2
    assert "no task and seed in common" in capsys.readouterr().err
    (tmp_path / "press" / "summary.json").unlink()
    assert main(["eval", "show", str(tmp_path / "press")], parts=used) == 0
    assert "corridor/press" in capsys.readouterr().out


def test_a_frozen_arm_without_a_library_says_that_it_is_none(tmp_path, capsys):
    command = ["eval", "corridor/press", "--seeds", "1", "--out", str(tmp_path / "r")]
    assert main(command, parts=parts(tmp_path, store=MemoryStore())) == 0
    assert "arm frozen: the library is empty" in capsys.readouterr().err


def test_a_report_on_a_ledger_that_is_not_there_is_a_mistake(tmp_path, capsys):
    used, folder = parts(tmp_path, store=MemoryStore()), tmp_path / "r"
    assert main(["eval", "corridor/press", "--arms", "none", "--seeds", "1", "--out", str(folder)], parts=used) == 0
    assert main(["eval", "report", str(folder), "--memory", str(tmp_path / "nowhere")], parts=used) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_the_report_of_a_stream_tells_what_the_stream_learnt(tmp_path, capsys):
    used, folder = parts(tmp_path), tmp_path / "life"
    command = ["eval", "stream", "corridor/press", "--seeds", "1", "--no-experts", "--out", str(folder)]
    assert main(command, parts=used) == 0
    assert main(["eval", "report", str(folder)], parts=used) == 0
    assert "skill press-white" in (folder / "report.html").read_text(encoding="utf-8")
