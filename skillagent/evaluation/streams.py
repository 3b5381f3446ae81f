"""Streams: a life in blocks. All tasks are tested, a few are trained, all are tested again, and so on to the end.

Testing is on holdout seeds and never teaches; training is on practice seeds, in a library of the stream's own below its
folder. Experts are what the stream is set against: each trains one task as the stream does, but alone, from the library
that the stream began with. What is written is what `lifelong` reads, `ll_logs/<suite>/` and `ste_logs/<task>/`, and the
success on each task after each block. A stream that is started again goes on where it stopped.

What a reader would get wrong: what the tries of a task teach enters the library after the last of them. So the curve of
a training tells what was known before it, and differs from the expert's by what earlier tasks had taught.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from skillagent.config import Settings, changed
from skillagent.evaluation.arms import Arm, Open, OpenArm
from skillagent.evaluation.blocks import Block, write_blocks
from skillagent.evaluation.engine import Opener
from skillagent.evaluation.lifelong import StreamMetrics, stream
from skillagent.evaluation.rows import Row, read_rows
from skillagent.evaluation.run import begun, cost, evaluate
from skillagent.evaluation.suites import Suite
from skillagent.evaluation.training import (
    Change,
    Expert,
    Record,
    learning,
    read_record,
    scores_in,
    spent_by,
    train,
    write_record,
)
from skillagent.llm.meter import Budget
from skillagent.schema import Attempt, Split, Task, Usage, Value

START = "start"
LEARNER = "learning"


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

    @property
    def stages(self) -> list[str]:
        """The names of the rows of `success`."""
        return ["untrained", *(f"after block {number + 1}" for number in range(len(self.changes)))]

    @property
    def figures(self) -> StreamMetrics:
        """Forward transfer, forgetting and area under the curve."""
        return stream(self.by_block, self.curves)


def begin(settings: Settings, folder: Path, open_agent: Open) -> Settings:
    """Return the settings with the library that the stream began with, which is kept below its folder from now on.

    The stream and its experts each start from a copy of that, whenever they start.
    """
    if not (folder / START).is_dir():
        new = learning(f"{START}.new")
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
    budget: Budget | None = None,
    watch: Callable[[Row, int, int], None] = lambda row, done, total: None,
    trained: Callable[[Attempt], None] = lambda tried: None,
    shown: Sequence[Attempt] = (),
) -> Life:
    """Live the stream to its end, and return it; what was lived before is read from the folder.

    Args:
        opener: Opens the agent of an arm; the arm that learns keeps its library below the folder.
        suite: Its groups are the blocks.
        folder: Is made.
        seeds: Holdout instances of each task in a test; default: the suite's.
        budget: Of tests and training together; looked at after each episode of a test and before each task's training.
        watch: Called with each row of a test, how many there are and how many there will be.
        trained: Called with each attempt of a training.
        shown: What others did at its tasks on practice seeds: a task's training learns from that too.

    Raises:
        BudgetSpent: What was lived has used it up, and there is more to live.
    """
    tasks, learner, limit = suite.tasks(Split.HOLDOUT, seeds), learning(LEARNER), budget or Budget()
    record, rows = read_record(folder), read_rows(folder / "rows.jsonl")
    for block in range(len(suite.groups) + 1):
        if not _tested(block, tasks, rows):
            with opener(learner) as agent:
                arm, spent = Arm(name=after(block), library=agent.store.load()), cost(rows) + spent_by(agent)
            limit.check(spent)
            tested = evaluate(opener, tasks, [arm], folder, watch=_within(limit, spent, watch))
            rows = [*(row for row in rows if row.arm != arm.name), *tested]
        if left := _to_train(suite, block, record.changes):
            with opener(learner) as agent:
                for task in left:
                    limit.check(cost(rows) + spent_by(agent))
                    events = train(agent, learner, task, folder, record, trained, shown)
                    record = record.with_training(block, task.id, events)
                    write_record(folder, record)
    life = _life(suite, record, rows)
    write_blocks(_blocks(life, rows), folder / "ll_logs" / suite.name, about={"suite": suite.name})
    return life


def train_experts(
    opener: Opener,
    suite: Suite,
    folder: Path,
    *,
    budget: Budget | None = None,
    trained: Callable[[Attempt], None] = lambda tried: None,
    shown: Sequence[Attempt] = (),
) -> Mapping[str, Expert]:
    """Train each task alone, and return the experts by task; one that is known is not trained again.

    Args:
        opener: Opens the agent of an arm; each expert keeps its library below the folder.
        suite: Its tasks are trained as `live` trains them: on the same seeds, as often.
        folder: The stream's; `ste_logs` in it is written.
        budget: Of the stream and the experts together; looked at before each of them.
        trained: Called with each attempt.
        shown: As the stream was shown it.

    Raises:
        BudgetSpent: The stream and the experts so far have used it up, and there is more to train.
    """
    record, limit = read_record(folder), budget or Budget()
    with opener(learning(LEARNER)) as agent:
        lived = cost(read_rows(folder / "rows.jsonl")) + spent_by(agent)
    for task in suite.tasks(Split.PRACTICE, 1):
        if task.id in record.experts:
            continue
        name = task.id.replace("/", "--")
        arm = learning(f"experts/{name}")
        with opener(arm) as agent:
            limit.check(sum((known.spent for known in record.experts.values()), lived + spent_by(agent)))
            scores = scores_in(train(agent, arm, task, folder, record, trained, shown))
            record = record.with_expert(task.id, Expert(scores=scores, spent=spent_by(agent)))
        if scores:
            write_blocks([Block(number=0, kind="train", task=task.id, performance=scores)], folder / "ste_logs" / name)
        write_record(folder, record)
    return record.experts


def _within(budget: Budget, spent: Usage, watch: Callable[[Row, int, int], None]) -> Callable[[Row, int, int], None]:
    """Return `watch`, followed by a look at the budget after each row but the last one."""

    def tell(row: Row, done: int, total: int) -> None:
        nonlocal spent
        spent += cost([row])
        watch(row, done, total)
        if done < total:
            budget.check(spent)

    return tell


def read_life(folder: Path) -> Life | None:
    """Return the stream that is kept in a run's folder, as far as it was lived; None where there is none."""
    record = read_record(folder)
    if not record.changes:
        return None
    return _life(Suite.model_validate(begun(folder)["suite"]), record, read_rows(folder / "rows.jsonl"))


def _life(suite: Suite, record: Record, rows: Sequence[Row]) -> Life:
    cells = _cells(rows)
    success = tuple(
        tuple(_rate(cells[after(block), task]) for task in suite.ids) for block in range(len(record.changes) + 1)
    )
    return Life(tasks=suite.ids, success=success, changes=record.changes, training=record.training)


def _to_train(suite: Suite, block: int, changes: Sequence[Change]) -> list[Task]:
    """Return the tasks of a block that are still to be trained, on their first practice seeds."""
    if block == len(suite.groups):
        return []
    done = changes[block].trained if block < len(changes) else ()
    return [task for task in suite.tasks(Split.PRACTICE, 1) if task.id in suite.groups[block] and task.id not in done]


def after(blocks: int) -> str:
    """Return the name of the arm that is tested after so many blocks of training."""
    return f"after-{blocks}"


def _tested(block: int, tasks: Sequence[Task], rows: Sequence[Row]) -> bool:
    played = {row.key for row in rows if row.arm == after(block)}
    return {(task.id, task.seed) for task in tasks} <= played


def _cells(rows: Sequence[Row]) -> Mapping[tuple[str, str], list[Row]]:
    """Return the rows by arm and task."""
    cells: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        cells[row.arm, row.task].append(row)
    return cells


def _rate(rows: Sequence[Row]) -> float | None:
    return _mean([None if row.success is None else float(row.success) for row in rows])


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _blocks(life: Life, rows: Sequence[Row]) -> list[Block]:
    """Return tests and trainings in the order in which they were lived."""
    cells, blocks = _cells(rows), []
    for block in range(len(life.success)):
        for task in life.tasks:
            if scores := tuple(row.reward for row in cells[after(block), task] if row.reward is not None):
                blocks.append(Block(number=2 * block, kind="test", task=task, performance=scores))
        blocks += [one for one in life.training if one.number == 2 * block + 1]
    return blocks
