"""A run whose process is killed: its workers end, and what goes on from it ends with the same rows."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from pressing import ARMS, FIRST, Pressing

from skillagent.evaluation.rows import Seconds, read_rows
from skillagent.evaluation.run import evaluate
from skillagent.schema import Task

TASKS = [Task(env="corridor", name=name, seed=FIRST + seed) for seed in range(60) for name in ("a", "b")]
SCRIPT = """
import sys
from multiprocessing import active_children
from pathlib import Path

sys.path.insert(0, {here!r})
from pressing import ARMS, Pressing
from test_killed_run import TASKS
from skillagent.evaluation.run import evaluate


def tell(row, done, total):
    print(*(child.pid for child in active_children()), flush=True)


if __name__ == "__main__":
    evaluate(Pressing(), TASKS, ARMS, Path({folder!r}), workers=2, watch=tell)
"""


def test_a_killed_run_leaves_no_worker_and_goes_on_to_the_same_rows(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.format(here=str(Path(__file__).parent), folder=str(tmp_path / "cut")), encoding="utf-8")
    running = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    workers = [os.pidfd_open(int(pid)) for pid in running.stdout.readline().split()]
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    running.stdout.close()
    for worker in workers:
        assert select.select([worker], [], [], 30)[0], "a worker outlived its parent"
        os.close(worker)
    assert 1 <= len(read_rows(tmp_path / "cut" / "rows.jsonl")) < 2 * len(TASKS)
    resumed = evaluate(Pressing(), TASKS, ARMS, tmp_path / "cut")
    whole = evaluate(Pressing(), TASKS, ARMS, tmp_path / "whole")
    assert [row.model_copy(update={"seconds": Seconds()}) for row in resumed] == [
        row.model_copy(update={"seconds": Seconds()}) for row in whole
    ]
