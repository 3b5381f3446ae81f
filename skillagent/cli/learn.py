"""Learn: practise a suite of tasks, one after the other, and let the library grow.

Stopping at any moment is fine: everything that was committed stands, refusals are remembered, and the same command
goes on from there. A spent budget stops it in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, examples, hush
from skillagent.cli.parts import Set, changes_of, parts_of
from skillagent.cli.run import CostLimit, Model, TimeLimit, TokenLimit

if TYPE_CHECKING:
    from skillagent.cli.show import Watching
    from skillagent.loop import Agent
    from skillagent.schema import Attempt, Decision, Event, Json, Task, Usage

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.command(
    epilog=examples(
        "skillagent learn demo",
        "skillagent learn miniwob/login-user,miniwob/click-option --seeds 3",
        "skillagent learn demo --tasks miniwob/login-user --token-limit 200000",
        "skillagent learn miniwob-ax --resume",
        "skillagent learn miniwob-ax --resume --more 50",
        "skillagent learn demo --demos recorded/ --retries 0",
        "skillagent learn demo --set programs=off --set rules.pairs=40",
    )
)
def learn(
    ctx: typer.Context,
    suite: Annotated[str, typer.Argument(help="A suite's name or file, or task,task,…")],
    tasks: Annotated[str | None, typer.Option(help="Only these tasks of the suite: task,task,…")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Practice instances of each task that are tried first.")] = 3,
    retries: Annotated[int, typer.Option(min=0, help="Warmer tries after failures, to find out how it is done.")] = 6,
    demos: Annotated[
        Path | None, typer.Option(help="A folder of episodes to learn from too, as `run --keep` writes them.")
    ] = None,
    set_: Set = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Leave out tasks that were practised before; the last one is done again.")
    ] = False,
    more: Annotated[
        int, typer.Option(min=0, help="Then so many more tasks, drawn by what failed of late and what plans lacked.")
    ] = 0,
    steps: Annotated[bool, typer.Option("--steps", help="Show plans, routes and single steps too.")] = False,
    model: Model = None,
    token_limit: TokenLimit = None,
    cost_limit: CostLimit = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
) -> None:
    """Practise a suite of tasks and let the library grow.

    Each task is tried on a few practice instances; where it fails, warmer tries look for a way, and where those
    find none either, it is tried by chance, without the model (wandering.tries, wandering.seconds; 0 tries: not).
    What succeeds is replayed on fresh instances before it is kept. With --demos, what others did on practice
    instances is learnt from in the same way; of an arm's demonstrations, those that do not fit the others are
    refused, and the mean of the rest is learnt from too. With --more, tasks that failed of late are practised
    again, on instances that were never tried, rather those that are near a skill that plans asked for. Then the
    library is looked after, as `skillagent skills evolve` and `skillagent insights evolve` do. At the end: what was
    accepted, what was refused and why, and what it cost.
    Ctrl-C stops at any time, and what was committed stands. Exits with 3 when the world failed in every try.
    With --json, one JSON object a line: the events as they happen, the last one has "event": "result".
    """
    from collections import deque

    from skillagent.build import Options
    from skillagent.cli.demos import compared, noting, with_means, with_rests
    from skillagent.cli.show import watching
    from skillagent.errors import BudgetSpent
    from skillagent.loop import evolve
    from skillagent.practice.explore import Practice

    pool = chosen = practice_tasks(suite, tasks)
    parts = parts_of(ctx)
    settings = parts.settings(model=model, token_limit=token_limit, cost_limit=cost_limit, time_limit_s=time_limit)
    options = Options(practice=Practice(seeds=seeds, retries=retries)).changed(changes_of(set_))
    shown = read_shown(demos) if demos else []
    with (
        watching(as_json, steps=steps, most=options.rules.pairs) as watch,
        parts.agent(settings, watch=watch, options=options) as agent,
    ):
        if idle := sorted({one.trajectory.task.id for one in shown} - {task.id for task in pool}):
            watch.say(f"--demos: nothing is learnt from {', '.join(idle)}: not among the tasks that are practised")
        shown = compared([one for one in shown if one.trajectory.task.id not in idle], watch.say)
        shown, varies = with_means(agent, shown, watch.say)
        shown, agent = with_rests(agent, shown, watch.say), noting(agent, varies)
        if resume:
            chosen = _left(chosen, agent.store.events(), watch)
        tried: list[Attempt] = []
        error, code = None, Exit.OK
        try:
            _practise(agent, chosen, shown, tried, watch, count=len(chosen))
            _practise(agent, _drawn(agent, pool, more, seeds, watch), shown, tried, watch, count=more)
            if agent.store.load():
                watch.say("── looking after the library")
                deque(evolve(agent), maxlen=0)
        except KeyboardInterrupt:
            code = Exit.INTERRUPTED
            hush()
        except BudgetSpent as spent:
            error, code = spent, Exit.BUDGET
        left = len({task.id for task in chosen} - {one.trajectory.task.id for one in tried})
        summary = Summary(tried, watch.decisions, agent.spent(), left=left, stopped=code is not Exit.OK)
        if code is Exit.OK and tried and all(one.trajectory.void is not None for one in tried):
            code = Exit.WORLD
        _finish(watch, summary, code, as_json=as_json)
    if error:
        raise error
    raise typer.Exit(code)


def practice_tasks(suite: str, tasks: str | None = None) -> list[Task]:
    """Return each task of the suite on its first practice seed.

    Raises:
        ConfigError: There is no such suite, or the suite has no such task; the message names near ones.
    """
    import difflib

    from skillagent.errors import ConfigError
    from skillagent.evaluation.suites import load_suite
    from skillagent.schema import Split

    known = {task.id: task for task in load_suite(suite).tasks(Split.PRACTICE, 1)}
    wanted = [part.strip() for part in tasks.split(",")] if tasks else list(known)
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3) or list(known)
            raise ConfigError(f"suite {suite} has no task {name!r}; it has {', '.join(near[:8])}")
    return [known[name] for name in wanted]


def _left(chosen: Sequence[Task], events: Iterable[Event], watch: Watching) -> list[Task]:
    """Return the tasks that were not practised before, and the one practised last: it may have been cut short."""
    from skillagent.schema import Attempted, Split

    tried = [e.entry.task for e in events if isinstance(e.entry, Attempted) and e.entry.task.split is Split.PRACTICE]
    done = {task.id for task in tried} - {task.id for task in tried[-1:]}
    left = [task for task in chosen if task.id not in done]
    watch.say(f"{len(chosen) - len(left)} of {len(chosen)} tasks were practised before")
    return left


def read_shown(folder: Path) -> list[Attempt]:
    """Return the episodes that a folder holds, in the order of their names; those who acted are not the agent.

    Raises:
        ConfigError: There are none, one cannot be read, or one was not made on a practice seed.
    """
    from skillagent.errors import ConfigError
    from skillagent.evaluation.rows import read_kept
    from skillagent.schema import Split

    files = sorted(folder.rglob("*.json"))
    if not files:
        raise ConfigError(
            f"--demos {folder}: no episodes there; `skillagent run TASK --keep {folder}` writes some, "
            "and `skillagent demos` those of scripted policies and of an arm's recordings"
        )
    shown = []
    for file in files:
        attempt = read_kept(file).attempt
        task = attempt.trajectory.task
        if task.split is not Split.PRACTICE:
            raise ConfigError(f"{file}: seed {task.seed} is a {task.split} seed; learning uses practice seeds only")
        steps = tuple(
            step if step.by == "person" else step.model_copy(update={"by": "oracle"})
            for step in attempt.trajectory.steps
        )
        shown.append(attempt.model_copy(update={"trajectory": attempt.trajectory.model_copy(update={"steps": steps})}))
    return shown


def _practise(
    agent: Agent,
    chosen: Iterable[Task],
    shown: Sequence[Attempt],
    tried: list[Attempt],
    watch: Watching,
    *,
    count: int,
) -> None:
    from skillagent.loop import run

    for number, task in enumerate(chosen, start=1):
        watch.say(f"── {number} of {count}: {task.id}" + (f" from seed {task.seed}" if task.seed else ""))
        for attempt in run(agent, [task], shown=shown):
            tried.append(attempt)


def _drawn(agent: Agent, pool: Sequence[Task], count: int, seeds: int, watch: Watching) -> Iterator[Task]:
    """Yield tasks that failed of late; each is drawn by what the ledger then holds."""
    import numpy as np

    from skillagent.practice.curriculum import next_task
    from skillagent.schema import Attempted

    for _ in range(count):
        tried = [event.entry for event in agent.store.events() if isinstance(event.entry, Attempted)]
        task = next_task(pool, tried, np.random.default_rng(len(tried)), seeds=seeds)
        if task is None:
            watch.say("nothing failed of late: there is no more to practise")
            return
        yield task


class Summary:
    """What a session of practice came to.

    Args:
        tried: Every attempt.
        decisions: Every decision of the gate.
        total: What was spent on everything.
        left: Tasks that were not reached.
        stopped: Before the end; then what an unfinished try or replay cost is counted with the reflecting.
    """

    def __init__(
        self, tried: Sequence[Attempt], decisions: Sequence[Decision], total: Usage, *, left: int, stopped: bool
    ) -> None:
        from skillagent.schema import Usage

        self.tried, self.decisions, self.left, self.stopped = tried, decisions, left, stopped
        self.acting = sum((one.trajectory.usage for one in tried), Usage())
        self.gating = sum((one.usage for one in decisions), Usage())
        self.reflecting = total - self.acting - self.gating

    @property
    def json(self) -> Json:
        """The whole summary for a program."""
        from skillagent.cli import words

        return {
            "attempts": [words.attempt_json(one) for one in self.tried],
            "decisions": [words.decision_json(one) for one in self.decisions],
            "tasks_left": self.left,
            "spent": {
                "acting": self.acting.model_dump(mode="json"),
                "gating": self.gating.model_dump(mode="json"),
                "reflecting": self.reflecting.model_dump(mode="json"),
            },
        }

    @property
    def text(self) -> str:
        """The whole summary for a person."""
        from skillagent.cli import words
        from skillagent.cli.output import table

        rows = [
            ["accepted" if one.accepted else "refused", words.of_changes(one.edit.changes), _reason(one)]
            for one in self.decisions
        ]
        parts = [table(["", "what", "why"], rows) if rows else "nothing was proposed"]
        rest = "reflecting, unfinished" if self.stopped else "reflecting"
        shares = (("acting", self.acting), ("gating", self.gating), (rest, self.reflecting))
        costs = [
            [what, f"{u.tokens_in + u.tokens_out:,}", f"{u.seconds:.0f}", f"{u.cost_usd:.4f}"] for what, u in shares
        ]
        parts.append(table(["spent on", "tokens", "model seconds", "US dollars"], costs))
        solved = sum(bool(one.verdict.success) for one in self.tried)
        parts.append(f"{solved} of {len(self.tried)} tries succeeded while practising")
        return "\n\n".join(parts)


def _reason(decision: Decision) -> str:
    from skillagent.cli import words
    from skillagent.cli.output import shorten

    return shorten(words.of_decision(decision).partition(": ")[2], 110)


def _finish(watch: Watching, summary: Summary, code: Exit, *, as_json: bool) -> None:
    from skillagent.cli.output import emit_line

    if as_json:
        emit_line({"event": "result", "exit": int(code), **summary.json})
        return
    watch.say(f"\n{summary.text}")
    if code is Exit.WORLD:
        watch.say("\nthe world failed in every try: nothing could be learnt")
    if summary.stopped:
        watch.say(
            f"\nstopped; tasks not reached: {summary.left}. What is listed above stands. "
            "The same command goes on with what has been learnt."
        )
