"""The kill test in small: as many kills as fit in twenty seconds; `evals/kill.py` runs more of the same."""

import importlib.util
import logging
import sys
from pathlib import Path

import pytest

_PATH = Path(__file__).parents[2] / "evals" / "kill.py"


@pytest.fixture
def kill():
    spec = importlib.util.spec_from_file_location("evals_kill", _PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_it_acknowledged_and_tears_nothing(tmp_path, caplog, kill):
    caplog.set_level(logging.ERROR)

    found = kill.torture(tmp_path, kills=1_000, seconds=20.0, seed=1)

    assert (found["lost"], found["torn"], found["disagreements"]) == (0, 0, 0)
    assert found["kills"] >= 10
    assert found["acknowledged"] >= 1
    assert found["left_pending"] >= 1, "no kill hit a commit: the test has shown nothing"
