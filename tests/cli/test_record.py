"""`demos record` and `demos read` in the real simulator; what they write is read, learnt and done without a model."""

import json
from functools import partial

import pytest

from skillagent.build import open_agent
from skillagent.cli import main
from skillagent.cli.parts import Parts
from skillagent.config import load
from skillagent.evaluation.rows import read_kept
from skillagent.schema import Reply, Usage

DRAWER = "metaworld/drawer-open"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Return the folder with a demonstration of the drawer, and the raw recording of the same."""
    folder = tmp_path_factory.mktemp("shown")
    assert main(["demos", "record", DRAWER, "--out", str(folder / "demos"), "--raw", str(folder)]) == 0
    return folder


def test_a_scripted_policy_is_written_as_an_episode_in_verbs(shown):
    (file,) = (shown / "demos").rglob("*.json")
    tried = read_kept(file).attempt
    assert (file.name, tried.verdict.success) == ("metaworld--drawer-open@0.json", True)
    assert {step.action.verb for step in tried.trajectory.steps} == {"move_to", "retrace"}
    assert tried.trajectory.shown


def test_another_recording_of_that_name_is_not_overwritten(tmp_path, capsys):
    mine = tmp_path / "drawer-open-0.jsonl"
    mine.write_text("mine", encoding="utf-8")
    assert main(["demos", "record", DRAWER, "--out", str(tmp_path / "demos"), "--raw", str(tmp_path)]) == 2
    assert "holds another recording: say another folder with --raw" in capsys.readouterr().err
    assert mine.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("first", "split"), [(1_000_000, "gate"), (2_000_000, "holdout"), (999_999, "gate")])
def test_no_other_seed_than_one_of_practice_is_recorded(tmp_path, capsys, first, split):
    arguments = ["demos", "record", DRAWER, "--first", str(first), "--seeds", "2", "--out", str(tmp_path / "demos")]
    assert main(arguments) == 2
    assert f"is a {split} seed; demonstrations are made on practice seeds only" in capsys.readouterr().err
    assert not (tmp_path / "demos").exists()


def test_a_world_without_scripted_policies_says_what_else_there_is(tmp_path, capsys):
    assert main(["demos", "record", "optimize/knapsack", "--out", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "optimize has no scripted policy to show optimize/knapsack" in err
    assert "skillagent run TASK --keep DIR" in err


def test_a_recording_without_a_seed_is_tried_on_practice_instances(shown, tmp_path, capsys):
    text = (shown / "drawer-open-0.jsonl").read_text(encoding="utf-8").replace('"seed":0,', "")
    (tmp_path / "mine.jsonl").write_text(text, encoding="utf-8")
    assert main(["demos", "read", str(tmp_path / "mine.jsonl"), "--out", str(tmp_path / "demos"), "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)
    assert (line["task"], line["seed"]) == (DRAWER, 0)
    assert read_kept(tmp_path / "demos" / "episodes" / "mine" / "metaworld--drawer-open@0.json").attempt.verdict.success


def test_a_recording_that_does_not_do_its_task_is_told_and_the_others_are_written(shown, tmp_path, capsys):
    head, *rows = (shown / "drawer-open-0.jsonl").read_text(encoding="utf-8").splitlines()
    short = tmp_path / "short.jsonl"
    short.write_text("\n".join([head, *rows[:10]]), encoding="utf-8")
    whole = shown / "drawer-open-0.jsonl"
    assert main(["demos", "read", str(short), str(whole), "--out", str(tmp_path / "demos")]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert "short.jsonl: metaworld/drawer-open seed 0: not written: no way to say it in the arm's verbs does" in first
    assert second.endswith("episodes/drawer-open-0/metaworld--drawer-open@0.json")


def test_nothing_is_written_where_one_of_several_cannot_be_read(shown, tmp_path, capsys):
    head, *rows = (shown / "drawer-open-0.jsonl").read_text(encoding="utf-8").splitlines()
    torn = tmp_path / "torn.jsonl"
    torn.write_text("\n".join([head, *rows[:6], rows[6][:20]]), encoding="utf-8")
    whole = shown / "drawer-open-0.jsonl"
    assert main(["demos", "read", str(whole), str(torn), "--out", str(tmp_path / "demos")]) == 2
    assert "torn.jsonl, line 8: invalid JSON" in capsys.readouterr().err
    assert not (tmp_path / "demos").exists()


def test_another_recording_of_that_name_takes_the_place_of_none(shown, tmp_path, capsys):
    whole = shown / "drawer-open-0.jsonl"
    head, *rows = whole.read_text(encoding="utf-8").splitlines()
    (other,) = [tmp_path / whole.name]
    other.write_text("\n".join([head, rows[0], *rows]), encoding="utf-8")
    arguments = ["demos", "read", str(whole), "--out", str(tmp_path / "demos")]
    assert main(arguments) == main(arguments) == 0, "the same again is no other"
    (file,) = (tmp_path / "demos").rglob("*.json")
    before = file.read_bytes()
    assert main(["demos", "read", str(other), "--out", str(tmp_path / "demos")]) == 1
    assert "holds another demonstration: name the recording otherwise" in capsys.readouterr().out
    assert file.read_bytes() == before


class Silent:
    """Never says anything in any form."""

    name = "none"

    def reply(self, messages, *, role, schema=None, **_):
        return Reply(text="", data=None, usage=Usage())


@pytest.mark.slow
@pytest.mark.model  # its embedder
def test_a_recording_becomes_a_skill_that_does_it_where_the_drawer_stands_elsewhere(shown, tmp_path, capsys):
    def agent(settings, *, watch, options=None, read_only=False):
        still = options.changed({"wandering.tries": 0, "practice.retries": 0})
        return open_agent(settings, options=still, watch=watch, llm=Silent(), read_only=read_only)

    given = Parts(settings=partial(load, skills=tmp_path / "skills", memory=tmp_path / "memory"), agent=agent)
    recording, demos = str(shown / "drawer-open-0.jsonl"), str(tmp_path / "demos")
    assert main(["demos", "read", recording, "--out", demos], parts=given) == 0
    assert main(["learn", DRAWER, "--demos", demos, "--seeds", "1", "--retries", "0"], parts=given) == 0
    assert "gate    accepted" in capsys.readouterr().out
    assert main(["run", DRAWER, "--seed", "7", "--no-learn"], parts=given) == 0
    assert "verdict success" in capsys.readouterr().out
