"""Speed: how long a reset and a step take here and in BrowserGym, on the same MiniWoB++ pages in one run.

Both are driven through their own public interface with the same clicks, in turns: a page here, the same page there, so
that what else the machine does falls on both. BrowserGym needs an interpreter of its own:

    python -m venv /tmp/browsergym && /tmp/browsergym/bin/pip install browsergym-miniwob
    python evals/web_speed.py --browsergym /tmp/browsergym/bin/python

This file is run by that interpreter too (`--serve`); there it imports nothing of skillagent. Nothing is patched but
the launch of the browser: the path of Chromium and `--no-sandbox`, which root needs.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from skillagent.envs.web.miniwob import MiniWoB

T = TypeVar("T")

PAGES = ("click-test", "click-button", "click-tab", "click-checkboxes", "click-link", "login-user", "email-inbox")
STEPS = 3
RESULT = Path(__file__).parent / "results" / "web-speed.json"


def ours(environment: "MiniWoB", page: str, seed: int) -> dict[str, list[float]]:
    """Return the seconds of one reset and of some steps here."""
    from skillagent.schema import Action, Task

    task = Task(env="miniwob", name=page, seed=seed, max_steps=99)
    resets, seen = timed(lambda: environment.reset(task))
    steps = []
    for _ in range(STEPS):
        ref = seen.elements[0].ref if seen.elements else "1"
        seconds, outcome = timed(lambda ref=ref: environment.step(Action(verb="click", arguments={"ref": ref})))
        steps.append(seconds)
        if outcome.terminated:
            break
        seen = outcome.observation
    return {"reset": [resets], "step": steps}


def serve(chromium: str, folder: str) -> None:
    """Answer one line of JSON a page with the seconds that BrowserGym took; runs in its own interpreter."""
    import browsergym.miniwob  # noqa: F401 (registers the tasks)
    import gymnasium
    from playwright.sync_api import BrowserType

    launch = BrowserType.launch

    def patched(self: BrowserType, **options: Any) -> Any:  # noqa: ANN401 (Playwright's own)
        options["args"] = [*(options.get("args") or []), "--no-sandbox", "--disable-gpu"]
        return launch(self, **{**options, "executable_path": chromium})

    BrowserType.launch = patched
    base = Path(folder).as_uri() + "/"
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        page, seed = json.loads(line)
        environment = gymnasium.make(f"browsergym/miniwob.{page}", task_kwargs={"base_url": base})
        reset, (seen, _) = timed(lambda: environment.reset(seed=seed))  # noqa: B023 (called at once)
        steps = []
        for _ in range(STEPS):
            marked = [bid for bid, extra in seen["extra_element_properties"].items() if extra["clickable"]]
            bid = marked[-1] if marked else "0"
            seconds, (seen, _, ended, cut, _) = timed(lambda bid=bid: environment.step(f'click("{bid}")'))  # noqa: B023
            steps.append(seconds)
            if ended or cut:
                break
        environment.close()
        print(json.dumps({"reset": [reset], "step": steps}), flush=True)


def timed(function: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that a call took, and what it returned."""
    began = time.perf_counter()
    value = function()
    return time.perf_counter() - began, value


def medians(rows: list[dict[str, list[float]]]) -> dict[str, float]:
    """Return the median milliseconds of a reset and of a step."""
    return {f"{key}_ms": round(1000 * statistics.median(s for row in rows for s in row[key]), 1) for key in rows[0]}


def main() -> None:
    """Measure both in turns, print the medians and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browsergym", help="the Python interpreter that has browsergym-miniwob")
    parser.add_argument("--rounds", type=int, default=3, help="seeds of each page")
    parser.add_argument("--serve", nargs=2, metavar=("CHROMIUM", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    from skillagent.envs.web.miniwob import MiniWoB

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    folder = Path(find_spec("miniwob").submodule_search_locations[0]) / "html" / "miniwob"
    other = None
    if options.browsergym:
        command = [options.browsergym, __file__, "--serve", chromium, str(folder)]
        other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        json.loads(other.stdout.readline())
    environment = MiniWoB(executable=Path(chromium))
    rows = {"skillagent": [], "browsergym": []}
    ours(environment, PAGES[0], 0)  # starts the browser; BrowserGym's first is left out too
    for seed in range(options.rounds):
        for page in PAGES:
            rows["skillagent"].append(ours(environment, page, seed))
            if other is not None:
                other.stdin.write(json.dumps([page, seed]) + "\n")
                other.stdin.flush()
                rows["browsergym"].append(json.loads(other.stdout.readline()))
    environment.close()
    report = {name: medians(measured[1:]) for name, measured in rows.items() if measured}
    if other is not None:
        other.stdin.close()
        other.wait()
        report["times_faster"] = {
            key: round(report["browsergym"][key] / report["skillagent"][key], 1) for key in report["skillagent"]
        }
    report["episodes"] = len(rows["skillagent"])
    report["pages"] = list(PAGES)
    report["command"] = " ".join(["python", *sys.argv])
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
