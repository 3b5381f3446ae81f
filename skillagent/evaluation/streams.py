"""Streams: a life in blocks. All tasks are tested, a few are trained, all are tested again, and so on to the end.

Testing is on holdout seeds and never teaches; training is on practice seeds, in a library of the stream's own below its
folder. Experts are what the stream is set against: each trains one task as the stream does, but alone, from the library
that the stream began with. What is written is what `lifelong` reads, `ll_logs/<suite>/` and `ste_logs/<task>/`, and the
success on each task after each block. A stream that is started again goes on where it stopped.

What a reader would get wrong: what the tries of a task teach enters the library after the last of them. So the curve of
a training tells what was known before it, and differs from the expert's by what earlier tasks had taught.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import Field, JsonValue

from skillagent.config import Settings, changed
from skillagent.evaluation.arms import Arm, Open, OpenArm
from skillagent.evaluation.blocks import Block, write_blocks
from skillagent.evaluation.engine import Opener
from skillagent.evaluation.rows import Row, read_rows
from skillagent.evaluation.run import evaluate
from skillagent.evaluation.suites import Suite
from skillagent.library import Library
from skillagent.loop import Agent, run
from skillagent.schema import Attempt, Split, Task, Value

START = "start"
LEARNER = "learning"


class Change(Value):
    """What a block of training changed in the library, by names."""

    block: int
    trained: tuple[str, ...]
    skills: tuple[str, ...] = ()
    insights: tuple[str, ...] = ()
    demonstrations: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


class Life(Value):
    """A stream so far: success[i][j] is the success on task j in the test after i blocks of training.

    None where nobody scored it.
    """

    tasks: tuple[str, ...]
    success: tuple[tuple[float | None, ...], ...]
    changes: tuple[Change, ...]
    training: tuple[Block, ...]

    @property
    def by_block(self) -> list[list[float | None]]:
        """S[i][j]: the success on block j's tasks after block i was trained; what `lifelong.stream` takes."""
        at = {task: number for number, task in enumerate(self.tasks)}
        groups = [[at[task] for task in change.trained] for change in self.changes]
        return [[_mean([row[i] for i in group]) for group in groups] for row in self.success[1:]]

    @property
    def curves(self) -> list[list[float]]:
        """The scores of the tries while each block was trained; what `lifelong.stream` takes beside `by_block`."""
        return [
            [score for one in self.training if one.number == 2 * block + 1 for score in one.performance]
            for block in range(len(self.changes))
        ]


def begin(settings: Settings, folder: Path, open_agent: Open) -> Settings:
    """Return the settings with the library that the stream began with, which is kept below its folder from now on.

    The stream and its experts each start from a copy of that, whenever they start.
    """
    if not (folder / START).is_dir():
        new = Arm(name=f"{START}.new", library=Library(), learning=True)
        shutil.rmtree(folder / new.name, ignore_errors=True)  # half a copy
        with OpenArm(settings, folder, open=open_agent)(new):
            pass
        (folder / new.name).rename(folder / START)
    return changed(settings, places(folder, START))


def places(folder: Path, name: str) -> dict[str, JsonValue]:
    """Return the settings of where a library below a stream's folder is: `start`, `learning`, or an expert's."""
    return {"skills": str(folder / name / "skills"), "memory": str(folder / name / "memory_store")}


def live(
    opener: Opener,
    suite: Suite,
    folder: Path,
    *,
    seeds: int | None = None,
    watch: Callable[[Row, int, int], None] = lambda row, done, total: None,
    trained: Callable[[Attempt], None] = lambda tried: None,
) -> Life:
    """Live the stream to its end, and return it; what was lived before is read from the folder.

    Args:
        opener: Opens the agent of an arm; the arm that learns keeps its library below the folder.
        suite: Its groups are the blocks.
        folder: Is made.
        seeds: Holdout instances of each task in a test; default: the suite's.
        watch: Called with each row of a test, how many there are and how many there will be.
        trained: Called with each attempt of a training.
    """
    tasks = suite.tasks(Split.HOLDOUT, seeds)
    record = _read(folder)
    for block in range(len(suite.groups) + 1):
        if not _tested(block, tasks, folder):
            with opener(_learning(LEARNER)) as agent:
                library = agent.store.load()
            evaluate(opener, tasks, [Arm(name=_name(block), library=library)], folder, watch=watch)
        if left := _to_train(suite, block, record.changes):
            with opener(_learning(LEARNER)) as agent:
                for task in left:
                    record = record.with_training(block, *_train(agent, block, task, trained))
                    _write(folder, record)
    life = _life(folder, suite, record)
    write_blocks(_blocks(life, folder), folder / "ll_logs" / suite.name, about={"suite": suite.name})
    return life


def train_experts(
    opener: Opener, suite: Suite, folder: Path, *, trained: Callable[[Attempt], None] = lambda tried: None
) -> Mapping[str, tuple[float, ...]]:
    """Train each task alone, and return the scores of the tries; an expert that is known is not trained again.

    Args:
        opener: Opens the agent of an arm; each expert keeps its library below the folder.
        suite: Its tasks are trained as `live` trains them: on the same seeds, as often.
        folder: The stream's; `ste_logs` in it is written.
        trained: Called with each attempt.
    """
    record = _read(folder)
    for task in suite.tasks(Split.PRACTICE, 1):
        if task.id in record.experts:
            continue
        name = task.id.replace("/", "--")
        with opener(_learning(f"experts/{name}")) as agent:
            _, curve = _train(agent, 0, task, trained)
        if curve:
            write_blocks([Block(number=0, kind="train", task=task.id, performance=curve)], folder / "ste_logs" / name)
        record = record.model_copy(update={"experts": {**record.experts, task.id: curve}})
        _write(folder, record)
    return record.experts


def _learning(name: str) -> Arm:
    return Arm(name=name, library=Library(), learning=True)


def read_life(folder: Path, suite: Suite) -> Life | None:
    """Return the stream that is kept in a folder, as far as it was lived; None where there is none."""
    record = _read(folder)
    return _life(folder, suite, record) if record.changes else None


def _life(folder: Path, suite: Suite, record: _Record) -> Life:
    success = _matrix(folder, suite, len(record.changes))
    return Life(tasks=suite.ids, success=success, changes=record.changes, training=record.training)


def _to_train(suite: Suite, block: int, changes: Sequence[Change]) -> list[Task]:
    """Return the tasks of a block that are still to be trained, on their first practice seeds."""
    if block == len(suite.groups):
        return []
    done = changes[block].trained if block < len(changes) else ()
    return [task for task in suite.tasks(Split.PRACTICE, 1) if task.id in suite.groups[block] and task.id not in done]


def _train(
    agent: Agent, block: int, task: Task, trained: Callable[[Attempt], None]
) -> tuple[Change, tuple[float, ...]]:
    """Train one task, and return what that changed and the scores of the tries."""
    scores = []
    before = agent.store.load()
    for tried in run(agent, [task]):
        trained(tried)
        if tried.verdict.score is not None:
            scores.append(tried.verdict.score)
    return _changed(block, task.id, before, agent.store.load()), tuple(scores)


def _changed(block: int, task: str, before: Library, after: Library) -> Change:
    def new(kind: str) -> tuple[str, ...]:
        was, now = getattr(before, kind), getattr(after, kind)
        return tuple(sorted(key for key in {*was, *now} if was.get(key) != now.get(key)))

    skills = new("skills")
    return Change(
        block=block,
        trained=(task,),
        skills=skills,
        insights=new("insights"),
        demonstrations=new("demonstrations"),
        tools=tuple(name for name in skills if name in after.skills and after.skills[name].files),
    )


def _joined(earlier: Sequence[Change], change: Change) -> Change:
    """Return one change of what a block has changed before and what it changed now."""
    if not earlier:
        return change
    parts = {
        name: tuple(dict.fromkeys([*getattr(earlier[0], name), *getattr(change, name)]))
        for name in ("trained", "skills", "insights", "demonstrations", "tools")
    }
    return change.model_copy(update=parts)


def _name(block: int) -> str:
    return f"after-{block}"


def _tested(block: int, tasks: Sequence[Task], folder: Path) -> bool:
    played = {row.key for row in read_rows(folder / "rows.jsonl") if row.arm == _name(block)}
    return {(task.id, task.seed) for task in tasks} <= played


def _matrix(folder: Path, suite: Suite, trained: int) -> tuple[tuple[float | None, ...], ...]:
    rows = read_rows(folder / "rows.jsonl")
    return tuple(
        tuple(_rate([row for row in rows if row.arm == _name(block) and row.task == task]) for task in suite.ids)
        for block in range(trained + 1)
    )


def _rate(rows: Sequence[Row]) -> float | None:
    return _mean([None if row.success is None else float(row.success) for row in rows])


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _blocks(life: Life, folder: Path) -> list[Block]:
    """Return tests and trainings in the order in which they were lived."""
    rows, blocks = read_rows(folder / "rows.jsonl"), []
    for block in range(len(life.success)):
        for task in life.tasks:
            own = [row for row in rows if row.arm == _name(block) and row.task == task and row.reward is not None]
            if own:
                scores = tuple(row.reward for row in own if row.reward is not None)
                blocks.append(Block(number=2 * block, kind="test", task=task, performance=scores))
        blocks += [one for one in life.training if one.number == 2 * block + 1]
    return blocks


class _Record(Value):
    """What `stream.json` holds: all that the rows do not tell."""

    changes: tuple[Change, ...] = ()
    training: tuple[Block, ...] = ()
    experts: Mapping[str, tuple[float, ...]] = Field(default_factory=dict)

    def with_training(self, block: int, change: Change, scores: tuple[float, ...]) -> _Record:
        """Return the record with one more task trained in a block."""
        task = change.trained[0]
        curve = [Block(number=2 * block + 1, kind="train", task=task, performance=scores)] if scores else []
        changes = (*self.changes[:block], _joined(self.changes[block:], change))
        return self.model_copy(update={"changes": changes, "training": (*self.training, *curve)})


def _read(folder: Path) -> _Record:
    file = folder / "stream.json"
    return _Record.model_validate_json(file.read_text(encoding="utf-8")) if file.is_file() else _Record()


def _write(folder: Path, record: _Record) -> None:
    new = folder / "stream.new"
    new.write_text(json.dumps(record.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")
    new.replace(folder / "stream.json")
