"""The router's data set: goals in words with the skill that each belongs to, a text for every skill, and distractors.

    python -m evals.router_data --out evals/data

Frozen in `evals/data/router-{skills,goals}.jsonl`; `load` reads it back. A skill is a task or, where tasks cannot be
told apart by what they ask (BabyAI's levels, MiniWoB pages with the same words), a family of them. Practice goals are
those that the skill has solved; gate goals calibrate, holdout goals measure. Where a task has three wordings each split
has one to itself, so a holdout goal is never worded as a solved one. `fold` divides families, never rows, for training.
MiniWoB's goals are those that stand in `evals/results`, as drawing them needs a browser; gate goals are not among them.

Distractors are what botocore says of the operations of some 400 services ("Creates a …"), chosen by the digest of their
names: texts of tools, as a large library holds them. They are not frozen; a digest tells whether two runs had the same.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import html
import importlib.util
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from skillagent.envs import robot
from skillagent.envs.babyai.walker import levels
from skillagent.envs.optimize.environment import Optimize
from skillagent.envs.registry import open_environment
from skillagent.envs.tabletop import tasks as tabletop
from skillagent.goals import shape
from skillagent.schema import Skill, Split, Task
from skillagent.store.skillfile import read

FOLDER = Path(__file__).with_name("data")
_RESULTS = Path(__file__).with_name("results")
_MOST = {Split.PRACTICE: 5, Split.GATE: 4, Split.HOLDOUT: 5}  # different goals of a skill
_TRIED = 12  # seeds looked at for them
_WORDINGS = 3
_TEST_SHARE = 0.4
_SHORTEST, _LONGEST = 120, 1_500  # characters of a distractor's body


@dataclass(frozen=True)
class Goal:
    """What is asked, and the one skill that is for it. `fold` is the family's: train or test."""

    text: str
    skill: str
    domain: str
    split: str
    seed: int
    fold: str


# ── Goals ────────────────────────────────────────────────────────────────────────────────────────────────────────────

Drawn = dict[tuple[str, str], list[tuple[int, str]]]  # of a domain and a family: seeds with what they ask


def babyai() -> Drawn:
    """Return the missions of all levels, by what they ask for: levels share it, and mix it."""
    found: Drawn = defaultdict(list)
    world = open_environment("babyai")
    for level in levels():
        for split in Split:
            seeds = range(split.first_seed, split.first_seed + 3)
            for seed in seeds:
                goal = world.reset(Task(env="babyai", name=level, seed=seed)).goal
                found["babyai", mission(goal)].append((seed, goal))
    world.close()
    return found


def mission(goal: str) -> str:
    """Return what kind of mission it is."""
    if re.search(r", then | after you ", goal):
        return "in-order"
    if " and " in goal:
        return "both"
    if re.search(r"on your (left|right)|in front of you|behind you", goal):
        return "somewhere"
    return {"go": "go-to", "pick": "pick-up", "put": "put-next", "open": "open"}[goal.split()[0]]


def metaworld() -> Drawn:
    """Return the three wordings of the arm's tasks, one a split."""
    text = Path(robot.__file__).with_name("tasks.yaml").read_text(encoding="utf-8")
    said: Mapping[str, Mapping[str, Sequence[str]]] = yaml.safe_load(text)
    return {
        ("metaworld", name): [(_seed(split, n), told["say"][n]) for n, split in enumerate(Split)]
        for name, told in said.items()
    }


def table() -> Drawn:
    """Return what is asked at the table, one of the three wordings a split."""
    return {
        ("tabletop", name): [
            (seed, tabletop.draw(name, seed).goal)
            for n, split in enumerate(Split)
            for seed in range(_seed(split, n), _seed(split, n) + _TRIED * _WORDINGS, _WORDINGS)
        ]
        for name in tabletop.wordings()
    }


def optimize() -> Drawn:
    """Return word problems of every family."""
    world = Optimize(None)
    suite = yaml.safe_load((Path(__file__).with_name("suites") / "optimize.yaml").read_text(encoding="utf-8"))
    names = [task.split("/")[1] for task in suite["tasks"]]
    return {
        ("optimize", name): [
            (seed, world.reset(Task(env="optimize", name=name, seed=seed)).goal)
            for split in Split
            for seed in range(split.first_seed, split.first_seed + _TRIED)
        ]
        for name in names
    }


def miniwob() -> Drawn:
    """Return the goals of pages that were played on practice and holdout seeds; pages with the same words are one."""
    asked: dict[str, dict[int, str]] = defaultdict(dict)
    for file in sorted(_RESULTS.glob("**/*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for one in (row, row.get("event", {}), row.get("entry", {})):
                task, goal = one.get("task"), one.get("goal")
                if isinstance(task, str) and task.startswith("miniwob/") and goal:
                    asked[task.split("/")[1]][one["seed"]] = goal
                elif isinstance(task, dict) and task.get("env") == "miniwob" and goal:
                    asked[task["name"]][task.get("seed", 0)] = goal
    found: Drawn = {}
    for pages in _same_words(asked):
        goals = sorted({(seed, goal) for page in pages for seed, goal in asked[page].items()})
        if {Split.of(seed) for seed, _ in goals} >= {Split.PRACTICE, Split.HOLDOUT}:
            found["miniwob", pages[0]] = goals
    return found


def _same_words(asked: Mapping[str, Mapping[int, str]]) -> list[list[str]]:
    """Return the pages in groups that no goal's shape divides."""
    groups = [({page}, {shape(goal) for goal in goals.values()}) for page, goals in sorted(asked.items())]
    apart: list[tuple[set[str], set[str]]] = []
    for pages, shapes in groups:
        akin = [group for group in apart if group[1] & shapes]
        apart = [group for group in apart if not group[1] & shapes]
        apart.append((pages.union(*(one for one, _ in akin)), shapes.union(*(one for _, one in akin))))
    return sorted(sorted(pages, key=lambda page: (len(page), page)) for pages, _ in apart)


def _seed(split: Split, wording: int) -> int:
    """Return the first seed of a split that takes a wording."""
    return split.first_seed + (wording - split.first_seed) % _WORDINGS


def goals_of(drawn: Drawn) -> Iterator[Goal]:
    """Yield different goals of each family, so many a split, none of them in two splits."""
    for (domain, family), asked in sorted(drawn.items()):
        fold = _fold(f"{domain}/{family}")
        seen, counts = set[str](), dict.fromkeys(Split, 0)
        for seed, text in _turns(asked):
            split = Split.of(seed)
            if text not in seen and counts[split] < _MOST[split]:
                counts[split] += 1
                seen.add(text)
                yield Goal(text, f"{domain}-{family}", domain, split, seed, fold)


def _turns(asked: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the goals of the three splits by turns, so that none takes all the different ones; practice first."""
    by = {split: list(dict.fromkeys(one for one in asked if Split.of(one[0]) is split)) for split in Split}
    longest = max(map(len, by.values()))
    order = (Split.PRACTICE, Split.HOLDOUT, Split.GATE)
    return [by[split][n] for n in range(longest) for split in order if n < len(by[split])]


def _fold(family: str) -> str:
    share = int(hashlib.sha256(family.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return "test" if share < _TEST_SHARE else "train"


# ── Skills ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_STEPS = {
    "babyai": "1. `look` round for the thing\n2. `go_to` it\n3. do with it what the mission says",
    "metaworld": "1. open the hand\n2. move above the object\n3. grasp it, or push with a closed hand\n4. move on",
    "tabletop": "1. `pick` the object that the goal names\n2. `place` it where the goal says\n3. `done`",
    "optimize": "1. name the variables\n2. write the objective\n3. write each limit as a constraint\n4. `solve`",
    "miniwob": "1. find what the goal names\n2. `click` or `fill` it\n3. `click` the button that ends the task",
}


def skills_of(goals: Sequence[Goal]) -> Iterator[Skill]:
    """Yield a skill for each family, in the product's form: those that were learnt where there are such."""
    told = yaml.safe_load((FOLDER / "router-descriptions.yaml").read_text(encoding="utf-8"))
    told["miniwob"] = _page_descriptions()
    learnt = _learnt()
    families = dict.fromkeys((goal.skill, goal.domain) for goal in goals)
    for name, domain in families:
        practised = [one.text for one in goals if one.skill == name and one.split == Split.PRACTICE]
        first = practised[0]
        family = name.removeprefix(f"{domain}-")
        known = learnt.get(shape(first)) if domain == "miniwob" else None
        what = known.description if known else told[domain][family]
        when = f"Use when the goal is like this: {shape(first)}"
        title = family.replace("-", " ").capitalize()
        body = f"# {title}\n\n{what}\n\n## When to use\n\n{when}\n\n## Steps\n\n{_STEPS[domain]}"
        yield Skill(
            name=name,
            description=what,
            body=known.body if known else body,
            domain=domain,
            goals=tuple(practised),
        )


def _learnt() -> dict[str, Skill]:
    """Return skills that the product wrote, by the shape of a goal that they solved."""
    files = sorted((_RESULTS / "miniwob-ax-demos" / "skills").glob("*/SKILL.md"))
    skills = [read(file.parent) for file in files]
    return {shape(goal): skill for skill in skills for goal in skill.goals}


def _page_descriptions() -> dict[str, str]:
    """Return what the package miniwob says of its pages; read, not imported, as it would start Selenium's client."""
    spec = importlib.util.find_spec("miniwob")
    assert spec and spec.submodule_search_locations, "pip install --no-deps miniwob==1.1.0"
    package = Path(spec.submodule_search_locations[0])
    found = {}
    for page in (package / "html" / "miniwob").glob("*.html"):  # some pages have a title and nothing else
        title = re.search(r"<title>(.+?)</title>", page.read_text(encoding="utf-8", errors="replace"))
        found[page.stem] = title[1] if title else page.stem
    for node in ast.parse((package / "envs" / "miniwob_envs.py").read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        said = re.search(r"## Description\s+(.+?)\s+## ", ast.get_docstring(node) or "", re.DOTALL)
        for part in node.body:
            if isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant) and said:
                found[str(part.value.value)] = " ".join(said[1].split())
    return found


# ── Distractors ──────────────────────────────────────────────────────────────────────────────────────────────────────


def distractors(count: int) -> list[Skill]:
    """Return so many unrelated skills with real texts; a longer list begins with a shorter one."""
    chosen = sorted(_operations().items(), key=lambda item: hashlib.sha256(item[0].encode()).digest())[:count]
    assert len(chosen) == count, f"botocore describes {len(chosen)} operations at some length"
    return [Skill(name=name, description=f"{text.split('. ')[0][:300]}.", body=text) for name, text in chosen]


def _operations() -> dict[str, str]:
    """Return what botocore says of its operations, by service and name."""
    spec = importlib.util.find_spec("botocore")
    assert spec and spec.submodule_search_locations, "botocore comes with litellm"
    found = {}
    for file in sorted(Path(spec.submodule_search_locations[0]).glob("data/*/*/service-2.json.gz")):
        for name, operation in json.loads(gzip.decompress(file.read_bytes()))["operations"].items():
            said = html.unescape(re.sub(r"<[^>]+>", " ", operation.get("documentation", "")))
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", f"{file.parts[-3]}-{name}").lower()
            if len(said := " ".join(said.split())) > _SHORTEST:
                found[re.sub(r"[^a-z0-9]+", "-", words)[:64].strip("-")] = said[:_LONGEST]
    return found


# ── Freezing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def load(folder: Path = FOLDER) -> tuple[list[Skill], list[Goal]]:
    """Return the skills and goals as they were frozen."""
    skills = [Skill.model_validate_json(line) for line in _lines(folder / "router-skills.jsonl")]
    return skills, [Goal(**json.loads(line)) for line in _lines(folder / "router-goals.jsonl")]


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def main() -> int:
    """Draw everything anew and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER)
    wanted = parser.parse_args()
    goals = list(goals_of({**babyai(), **metaworld(), **table(), **optimize(), **miniwob()}))
    skills = list(skills_of(goals))
    rows = {
        "router-skills.jsonl": [skill.model_dump(mode="json", exclude_defaults=True) for skill in skills],
        "router-goals.jsonl": [asdict(goal) for goal in goals],
    }
    for name, content in rows.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        wanted.out.mkdir(parents=True, exist_ok=True)
        (wanted.out / name).write_text(lines, encoding="utf-8")
    for domain in dict.fromkeys(goal.domain for goal in goals):
        of = [goal for goal in goals if goal.domain == domain]
        counts = {str(split): sum(goal.split == split for goal in of) for split in Split}
        print(f"{domain}: {len({goal.skill for goal in of})} skills, {counts}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
