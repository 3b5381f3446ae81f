"""The check of whole worlds: what it says of a good, a broken and a crashing one, and what it does not check again."""

import json

import pytest
import typer

from evals.check_worlds import checked, main, names
from skillagent.errors import ConfigError
from skillagent.testing import Corridor


class Forgetful(Corridor):
    """Starts otherwise each time."""

    def reset(self, task):
        self.starts = getattr(self, "starts", 0) + 1
        return super().reset(task.model_copy(update={"seed": task.seed + self.starts}))


class Crashing(Corridor):
    """Cannot be acted in."""

    def step(self, action):
        raise ValueError("no")


@pytest.mark.parametrize(
    ("world", "fault"),
    [
        (Corridor, ""),
        (Forgetful, "the same seed must give the same first observation"),
        (Crashing, "ValueError: no"),
    ],
)
def test_a_task_is_told_with_what_it_breaks(world, fault):
    found = checked(world, "corridor", "press")
    assert (found["seed"], found["solved"], found["fault"]) == (0, False, fault)


def test_what_kept_its_promises_is_not_checked_again_and_what_broke_one_is(tmp_path, capsys):
    out = tmp_path / "worlds.json"
    good = {"seed": 1, "solved": True, "fault": "", "seconds": 0.1}
    out.write_text(json.dumps({"tasks": {"nowhere/a": good}}), encoding="utf-8")
    main("nowhere/a", out=out)
    assert capsys.readouterr().out == "1 of 1 keep their promises; 1 were solved\n"
    out.write_text(json.dumps({"tasks": {"nowhere/a": good, "nowhere/b": {**good, "fault": "bad"}}}), encoding="utf-8")
    with pytest.raises(ConfigError, match="no environment 'nowhere'"):
        main("nowhere/a,nowhere/b", out=out)


def test_a_broken_promise_is_exit_code_one(tmp_path, capsys):
    out = tmp_path / "worlds.json"
    bad = {"seed": 0, "solved": False, "fault": "bad", "seconds": 0.1}
    out.write_text(json.dumps({"tasks": {"nowhere/b": bad}}), encoding="utf-8")
    with pytest.raises(typer.Exit) as ended:
        main("optimize/two-products", out=out)
    assert ended.value.exit_code == 1
    assert "nowhere/b: bad" in capsys.readouterr().out


def test_a_world_stands_for_all_of_its_tasks():
    assert len(names("tabletop")) == 15
    assert names("babyai/GoTo,babyai/Synth") == [("babyai", "GoTo"), ("babyai", "Synth")]
    with pytest.raises(ConfigError, match="no world 'moon'"):
        names("moon")
