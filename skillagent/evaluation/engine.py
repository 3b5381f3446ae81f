"""Engine: plays episodes, here or in other processes. It writes no rows.

A player is one process's agents, each opened when it is first needed. Processes are made by `spawn`, one environment
and one model each; Ray does the same on more than one machine. All engines yield the same rows, in any order.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial, reduce
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, Literal

from skillagent.errors import ConfigError, EnvironmentFailed
from skillagent.evaluation.arms import Arm
from skillagent.evaluation.rows import Practised, Row, as_row, keep, note_practised, read_practised
from skillagent.library import Library
from skillagent.loop import Agent, Watch, attempt, run
from skillagent.ports import Environment
from skillagent.schema import (
    Attempt,
    Observation,
    Plan,
    Route,
    Split,
    Step,
    Task,
    Trajectory,
    Value,
    Variation,
    digest_of,
)  # fmt: skip

Opener = Callable[[Arm], AbstractContextManager[Agent]]
Engine = Literal["process", "ray"]

VOID_RETRIES = 1


class Job(Value):
    """An episode to play: a task with an arm. With `practise` the arm first learns on the task's practice seeds.

    What it has practised in an earlier process, which was killed before there was a row, is not practised again.
    """

    arm: str
    task: Task
    practise: bool = False


class Player:
    """Plays episodes of several arms in this process.

    Args:
        opener: Opens the agent of an arm; arms that differ in their library alone share one.
        arms: By name.
        folder: The run's; an arm that learns notes in it, under its name, what it has practised.
        keeping: Keep whole episodes with pictures in the folder.
    """

    def __init__(self, opener: Opener, arms: Mapping[str, Arm], folder: Path, keeping: bool = False) -> None:
        self._opener, self._arms, self._folder, self._keeping = opener, arms, folder, keeping
        self._agents: dict[str, Agent] = {}
        self._open = ExitStack()

    def play(self, job: Job) -> Row:
        """Return the row of one episode; a void one is tried once more, and what it had cost counts."""
        arm, task = self._arms[job.arm], job.task
        agent = self._agent(arm)
        learnt = self._practised(agent, arm, task) if job.practise else None
        library = agent.store.load() if arm.learning else arm.library
        tries: list[Attempt] = []
        for _ in range(1 + VOID_RETRIES):
            tried, pictures = self._attempt(_reading(agent, arm.contents), task, library)
            tries.append(tried)
            if tried.trajectory.void is None:
                break
        episode = keep(tried, arm.name, pictures, self._folder) if self._keeping else ""
        row = as_row(tried, arm.name, memory=arm.contents or library, learnt=learnt, episode=episode)
        return reduce(Row.after, (as_row(one, arm.name) for one in tries[:-1]), row)

    def _attempt(self, agent: Agent, task: Task, library: Library) -> tuple[Attempt, list[bytes]]:
        """Try a task, and take a picture of every state where episodes are kept."""
        pictures: list[bytes] = []

        def camera(value: Value) -> None:
            if isinstance(value, Observation | Step):
                pictures.append(agent.open(task).screenshot())

        watched = replace(agent, watch=camera) if self._keeping else agent
        return attempt(watched, task, library), pictures

    def _practised(self, agent: Agent, arm: Arm, task: Task) -> Practised:
        """Return what it cost to practise the task: now, or before a kill that left it without a row."""
        file = self._folder / arm.name / "practised.jsonl"
        if (known := read_practised(file).get(task.id)) is not None:
            return known
        start, before = time.monotonic(), agent.spent()
        for _ in run(agent, [task.model_copy(update={"seed": Split.PRACTICE.first_seed})]):
            pass
        done = Practised(task=task.id, usage=agent.spent() - before, seconds=time.monotonic() - start)
        note_practised(done, file)
        return done

    def close(self) -> None:
        """Let go of every agent."""
        self._open.close()

    def _agent(self, arm: Arm) -> Agent:
        key = digest_of([dict(arm.settings), dict(arm.options), arm.name if arm.learning else ""])
        if key not in self._agents:
            self._agents[key] = self._open.enter_context(self._opener(arm))
        return self._agents[key]


def _reading(agent: Agent, contents: Library | None) -> Agent:
    """Return the agent with what was routed to read from other contents, where there are any."""
    if contents is None:
        return agent

    def act(
        environment: Environment,
        task: Task,
        first: Observation,
        plan: Plan,
        route: Route,
        library: Library,
        *,
        variation: Variation,
        watch: Watch,
    ) -> Trajectory:
        return agent.act(environment, task, first, plan, route, contents, variation=variation, watch=watch)

    return replace(agent, act=act)


def play(
    jobs: Sequence[Job],
    opener: Opener,
    arms: Mapping[str, Arm],
    folder: Path,
    *,
    engine: Engine = "process",
    workers: int = 1,
    keeping: bool = False,
) -> Iterator[Row]:
    """Yield the row of every job, in the order in which they end.

    With one worker, everything happens in this process. Arms that learn are played in their order by one process.

    Raises:
        EnvironmentFailed: A worker died.
        ConfigError: Ray is asked for and not installed.
    """
    player = partial(Player, opener, arms, folder, keeping)
    if engine == "ray":
        return _with_ray(_lanes(jobs, arms, workers), player, workers)
    if workers > 1:
        return _in_processes(_lanes(jobs, arms, workers), player)
    return _here(jobs, player())


def _here(jobs: Sequence[Job], player: Player) -> Iterator[Row]:
    try:
        yield from map(player.play, jobs)
    finally:
        player.close()


_player: Player | None = None  # of this worker process


def _begin(player: partial[Player]) -> None:
    global _player
    _player = player()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _play(job: Job) -> Row:
    assert _player is not None
    return _player.play(job)


Lane = tuple[Sequence[Job], int]


def _lanes(jobs: Sequence[Job], arms: Mapping[str, Arm], workers: int) -> list[Lane]:
    """Return what may be played side by side, and by how many: what learns is played by one."""
    learning = [job for job in jobs if arms[job.arm].learning]
    rest = [job for job in jobs if not arms[job.arm].learning]
    return [(lane, count) for lane, count in ((learning, 1), (rest, workers)) if lane]


def _in_processes(lanes: Sequence[Lane], player: partial[Player]) -> Iterator[Row]:
    pools: list[ProcessPoolExecutor] = []
    futures: list[Future[Row]] = []
    try:
        for lane, count in lanes:
            pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_begin, initargs=(player,))
            pools.append(pool)
            futures += [pool.submit(_play, job) for job in lane]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise EnvironmentFailed(
            f"a worker died ({error}); the same command goes on, perhaps with fewer --workers"
        ) from None
    finally:
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)


def _with_ray(lanes: Sequence[Lane], player: partial[Player], workers: int) -> Iterator[Row]:
    try:
        import ray
    except ImportError:
        raise ConfigError("--engine ray: Ray is not installed; run `pip install 'skillagent[ray]'`") from None
    mine = not ray.is_initialized()
    if mine:
        ray.init(num_cpus=workers + 1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        actor: Any = ray.remote(num_cpus=1)(Player)
        idle: list[Any] = []
        playing: dict[Any, Any] = {}
        for lane, count in lanes:
            queue = deque(lane)
            idle += [(actor.remote(*player.args), queue) for _ in range(count)]
        while idle or playing:
            while idle:
                one, queue = idle.pop()
                if queue:
                    playing[one.play.remote(queue.popleft())] = (one, queue)
            if playing:
                (ended, *_), _ = ray.wait(list(playing), num_returns=1)
                idle.append(playing.pop(ended))
                yield ray.get(ended)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayActorError as error:
        raise EnvironmentFailed(f"a worker died ({str(error).splitlines()[0]}); the same command goes on") from None
    finally:
        if mine:
            ray.shutdown()
