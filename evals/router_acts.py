"""What each way to route is worth at the end, with the model: whole episodes that differ in the order of skills alone.

    SKILLAGENT_CACHE_REPLIES=1 python -m evals.router_acts evals/results/miniwob-ax-self --first 500 --out OUT.json

Pages of the suite are drawn by a fixed seed, one holdout instance each. A way orders the library's skills for the goal
(`evals.router_ladder`). Of the first three those are routed whose programs know the goal word for word, in that order;
where none does, the first one alone. Programs run, then the model goes on with the words of the first. Nobody abstains,
but `the product, abstaining`, which is the product as it comes; `the product` is its own route, programs that know the
goal first, without abstention, and `the product, trained` the same with weights that the gate goals of
`evals.router_data` taught. Goals are done as a whole, and the library is its skills alone: no insight and no
demonstration is shown. With `--distractors` every way that reads goals is also asked where so many unrelated skills lie
in the library. What ways route alike is played once: at temperature 0 it is one episode. Resumable; what tells the ways
apart is played first. Needs the extra `train`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from pydantic import JsonValue

from evals.router_data import Goal, distractors, load
from evals.router_end import CACHE
from evals.router_ladder import Bench, ladder
from evals.router_learned import cases
from skillagent.build import Options, embedder, open_agent
from skillagent.cli.output import note
from skillagent.config import Settings
from skillagent.config import load as load_settings
from skillagent.evaluation.statistics import compare, rate
from skillagent.evaluation.suites import load_suite
from skillagent.library import Library
from skillagent.loop import attempt
from skillagent.ports import VectorCache
from skillagent.programs.template import filled_by
from skillagent.programs.text import program_of
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.rerank import CODE, FEATURES, Trained
from skillagent.routing.train import weighed
from skillagent.schema import Attempt, Plan, Ranked, Route, Split, Task
from skillagent.store.disk import DiskStore
from skillagent.store.trainings import Trainings
from skillagent.store.vectors import ChromaVectors

NONE, PRODUCT, ABSTAINING, CHANCE = "no library", "the product", "the product, abstaining", "random"
TRAINED = "the product, trained"
ORDERS = {
    CHANCE: "random",
    "BM25Plus over descriptions": "BM25Plus over descriptions",
    "BM25Plus over the text": "BM25Plus over the text",
    "dense over the text": "dense over the text",
    "fusion": "bar: z(words) + z(centroid)",
}
WAYS = (PRODUCT, NONE, *ORDERS, ABSTAINING, TRAINED)
READING = (PRODUCT, TRAINED, *(name for name in ORDERS if name != CHANCE))
_PROGRAMS = 3  # as the product's `thresholds.programs`

Row = dict[str, JsonValue]
Router = Callable[[Plan, Library], Route]
Names = tuple[str, ...]
Routes = Mapping[str, Mapping[str, Names]]  # by page and way


def drawn(tasks: Sequence[Task], pages: int) -> list[Task]:
    """Return so many of the tasks in an order that is drawn; of more pages the first ones are the same."""
    order = np.random.default_rng(0).permutation(len(tasks))
    return [tasks[n] for n in order[:pages].tolist()]


def offered(order: Sequence[str], goal: str, library: Library) -> list[str]:
    """Return the skills that are routed where a way orders them so."""
    programs = {name: program_of(library.skills[name]) for name in order[:_PROGRAMS]}
    know = [name for name, one in programs.items() if one is not None and filled_by(one.goals, goal) is not None]
    return know or list(order[:1])


def showing(names: Sequence[str]) -> Router:
    """Return a route that shows just these skills."""
    shown = tuple(Ranked(id=name, score=0.0) for name in names)

    def route(plan: Plan, _: Library) -> Route:
        empty = tuple(() for _ in plan.subgoals)
        kept = tuple(shown for _ in plan.subgoals)
        return Route(skills=kept, insights=empty, demonstrations=empty, considered=empty)

    return route


def orders_of(goals: Sequence[str], library: Library, vectors: ChromaVectors) -> dict[str, dict[str, list[str]]]:
    """Return how each way orders the library's skills for each goal, the best first."""
    asked = [Goal(text=one, skill="", domain="", split="holdout", seed=0, fold="test") for one in goals]
    bench = Bench(asked, list(library.skills.values()), vectors)
    kept, ways = np.ones((len(goals), len(bench.skills)), dtype=bool), ladder(bench, parts=False)
    found: dict[str, dict[str, list[str]]] = {}
    for name, known_as in ORDERS.items():
        order = np.argsort(-ways[known_as](kept), axis=1, kind="stable").tolist()
        found[name] = {goal: [bench.skills[n].name for n in row] for goal, row in zip(goals, order, strict=True)}
    return found


def row_of(tried: Attempt, routed: Names) -> Row:
    """Return what is kept of an episode; tokens are those of the first time that a reply was written."""
    by, usage = [step.by for step in tried.trajectory.steps], tried.trajectory.usage
    return {
        "task": tried.trajectory.task.id,
        "seed": tried.trajectory.task.seed,
        "goal": tried.trajectory.goal,
        "routed": list(routed),
        "success": tried.verdict.success,
        "ran": list(tried.trajectory.programs),
        "turns": by.count("model"),
        "steps": len(by),
        "tokens": usage.tokens_in + usage.tokens_out,
        "seconds": round(tried.trajectory.seconds.total, 1),
        "void": tried.trajectory.void,
    }


def among(way: str, unrelated: int) -> str:
    """Return what a way is called where so many unrelated skills lie in the library."""
    return f"{way}, {unrelated:,} unrelated" if unrelated else way


def agenda(routes: Routes) -> list[tuple[str, Names]]:
    """Return which routes are played at which pages, each once: what tells the ways apart that read goals comes first.

    Then what they all route, nothing and what abstaining adds, what unrelated skills change, and chance.
    """
    apart = [task for task, by in routes.items() if len({by[way] for way in READING}) > 1]
    rest = [way for way in next(iter(routes.values()), {}) if way not in WAYS]
    stages = ((apart, READING), (routes, READING), (routes, (NONE, ABSTAINING)), (routes, rest), (routes, (CHANCE,)))
    return list(dict.fromkeys((task, routes[task][way]) for tasks, ways in stages for task in tasks for way in ways))


def table(routes: Routes, rows: Sequence[Row]) -> dict[str, dict[str, JsonValue]]:
    """Return what each way solved of the pages that it was played at, and its difference to the product.

    Where it routes what the product does it is the same episode, and a tie, played or not; of the other pages those
    count that both were played at.
    """
    played = {(str(row["task"]), tuple(row["routed"])): row for row in rows}  # type: ignore[arg-type]  # names
    found: dict[str, dict[str, JsonValue]] = {}
    for way in next(iter(routes.values()), {}):
        of = [row for task, by in routes.items() if (row := played.get((task, by[way]))) is not None]
        solved = [row["success"] is True for row in of if row["success"] is not None]
        pairs = [
            (task, _score(played.get((task, by[PRODUCT])), same), _score(played.get((task, by[way])), same))
            for task, by in routes.items()
            if (same := by[PRODUCT] == by[way]) or {(task, by[PRODUCT]), (task, by[way])} <= played.keys()
        ]
        product, own = ({(pair[0], 0): pair[side] for pair in pairs} for side in (1, 2))
        found[way] = {
            "solved": rate(sum(solved), len(solved)).model_dump(mode="json"),
            "without the model": sum(row["success"] is True and not row["tokens"] for row in of),
            "tokens": round(float(np.mean([float(str(row["tokens"])) for row in of])), 1) if of else 0.0,
            "as the product": sum(by[PRODUCT] == by[way] for by in routes.values()),
            "to the product": {"pages": len(pairs), **compare(product, own).model_dump(mode="json")},
        }
    return found


def _score(row: Row | None, same: bool) -> float | None:
    if row is None:
        return 0.0 if same else None
    return None if row["success"] is None else float(row["success"] is True)


def taught(cache: VectorCache) -> Trained:
    """Return the router's weights of skills in words, as the gate goals of `evals.router_data` teach them."""
    skills, goals = load()
    index = Catalogue(cache).skills
    index.hold({skill.name: skill for skill in skills})
    weights = weighed(cases([goal for goal in goals if goal.split == Split.GATE], index, own=True))
    told = {"code": CODE, "embedder": cache.name, "features": FEATURES, "events": 0, "compared": {}}
    return Trained(version=1, at="", weights={"words": weights}, **told)


def routes_of(
    settings: Settings, tasks: Sequence[Task], library: Library, counts: Sequence[int], cache: Path
) -> Routes:
    """Return what each way routes at each page, alone and among unrelated skills.

    Args:
        settings: Its memory folder is written to: vectors are those of the cache, and at last the router is trained.
        tasks: One instance of each page.
        library: What is routed.
        counts: How many unrelated skills lie beside it, 0 first.
        cache: Where vectors are kept.
    """
    whole = Options().changed({"planning": "off"})
    forced = whole.changed({"thresholds.chance": 0.0})
    libraries = {count: among_others(library, count) for count in counts}
    found: dict[str, dict[str, Names]] = {task.id: {} for task in tasks}
    goals: list[str] = []

    def keep(way: str, options: Options, counts: Sequence[int]) -> None:
        with open_agent(settings, options=options) as agent:
            goals[:] = goals or [agent.open(task).reset(task).goal for task in tasks]
            for count in counts:
                for task, goal in zip(tasks, goals, strict=True):
                    parts = agent.route(Plan(goal=goal, domain=task.env), libraries[count]).skills
                    found[task.id][among(way, count)] = tuple(one.id for part in parts for one in part)

    keep(PRODUCT, forced, counts)
    keep(ABSTAINING, whole, counts[:1])
    with closing(ChromaVectors(embedder(settings), path=cache)) as vectors:
        for count in counts:
            for name, order in orders_of(goals, libraries[count], vectors).items():
                for task, goal in zip(tasks, goals, strict=True):
                    if not count or name != CHANCE:
                        names = offered(order[goal], goal, libraries[count])
                        found[task.id][among(name, count)] = tuple(names)
        Trainings(settings.memory).append(taught(vectors).model_dump(mode="json"))
    keep(TRAINED, forced, counts)
    return {task: {NONE: (), **by} for task, by in found.items()}


def among_others(library: Library, count: int) -> Library:
    """Return the library with so many unrelated skills."""
    return Library(skills={**library.skills, **{one.name: one for one in distractors(count)}})


def main(
    folder: Annotated[Path, typer.Argument(help="Of a library: skills/ and memory_store/. It is copied.")],
    suite: str = "miniwob-ax",
    pages: int = 24,
    first: Annotated[int, typer.Option(help="The instance, counted from the beginning of the split.")] = 500,
    split: Split = Split.HOLDOUT,
    turns: Annotated[int, typer.Option(help="That the model may take in an episode.")] = 5,
    timeout: Annotated[float, typer.Option(help="Seconds of an episode.")] = 600.0,
    unrelated: Annotated[str, typer.Option("--distractors", help="Unrelated skills beside the library's.")] = "",
    cache: Annotated[Path, typer.Option(help="Where vectors are kept.")] = CACHE,
    out: Path | None = None,
) -> None:
    """Play every page with every way, and write rows and table; the model is the settings' one."""
    rows: list[Row] = []
    if out is not None:
        with suppress(FileNotFoundError):
            rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    caps = {"max_turns": turns, "timeout_s": timeout}
    tasks = [one.model_copy(update=caps) for one in drawn(load_suite(suite).tasks(split, 1, first=first), pages)]
    counts = [0, *(int(count) for count in unrelated.split(",") if count)]
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as copy:
        kept = Path(shutil.copytree(folder, copy, dirs_exist_ok=True))
        shutil.rmtree(kept / "memory_store" / "vectors", ignore_errors=True)
        (kept / "memory_store" / "vectors").symlink_to(cache)
        settings = load_settings(skills=kept / "skills", memory=kept / "memory_store")
        library = Library(skills=DiskStore(settings.skills, settings.memory).load().skills)
        routes = routes_of(settings, tasks, library, counts, cache)
        at, there = {task.id: task for task in tasks}, among_others(library, max(counts))
        with open_agent(settings, options=Options().changed({"planning": "off"})) as agent:
            for page, names in agenda(routes):
                if any((row["task"], row["routed"]) == (page, list(names)) for row in rows):
                    continue
                tried = attempt(replace(agent, route=showing(names)), at[page], there)
                rows.append(row := row_of(tried, names))
                note(f"{page:36} {row['success']} {row['turns']} turns {row['seconds']} s {', '.join(names)}")
                _write(out, settings.model, turns, routes, rows)
        _write(out, settings.model, turns, routes, rows)
    for name, of in table(routes, rows).items():
        print(name, json.dumps(of))


def _write(out: Path | None, model: str, turns: int, routes: Routes, rows: Sequence[Row]) -> None:
    if out is not None:
        known = {"model": model, "turns": turns, "table": table(routes, rows), "routes": routes, "rows": rows}
        out.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
