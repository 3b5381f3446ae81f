"""Record: demonstrations as `learn --demos` reads them, of a world's scripted policies or of an arm's raw recordings.

What a reader would get wrong: a recording is not kept as it is. It is said in the world's verbs, relative to things,
and only what was then seen to do the task is written. No model is asked, and nothing is learnt here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, emit, examples, note, say
from skillagent.cli.parts import parts_of

if TYPE_CHECKING:
    from skillagent.envs.robot.recording import Recording
    from skillagent.envs.worlds import Worlds
    from skillagent.schema import Action, Json, Task

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="The folder that they are written below, for `learn --demos`.")]
_ARM = "oracle"


@app.callback(epilog=examples("skillagent demos record metaworld/drawer-open", "skillagent demos read teleop.jsonl"))
def _demos() -> None:
    """Write demonstrations: a world's own, or an arm's recordings."""


@app.command(
    epilog=examples(
        "skillagent demos record metaworld/drawer-open --seeds 1 --out demos",
        "skillagent demos record metaworld --seeds 3 --out demos",
        "skillagent demos record metaworld/pick-place --raw recordings",
    )
)
def record(
    ctx: typer.Context,
    suite: Annotated[str, typer.Argument(help="A suite's name or file, or task,task,…")],
    seeds: Annotated[int, typer.Option(min=1, help="Practice instances of each task.")] = 1,
    first: Annotated[int, typer.Option(min=0, help="The first seed of them; a practice seed.")] = 0,
    out: Out = Path("demos"),
    raw: Annotated[
        Path | None, typer.Option(help="A folder to write an arm's raw recordings in too, as `demos read` reads them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what a world's own scripted policy does, said in the verbs that the agent has.

    Of the worlds that ship, Meta-World has such policies; of yours, those with a `shows(task)`. Practice seeds only. No
    model is asked. Exits with 1 when some instance could not be shown; the others are written.
    """
    from skillagent.errors import ConfigError
    from skillagent.evaluation.suites import load_suite
    from skillagent.ports import scripted, shows
    from skillagent.schema import Split

    last = first + seeds - 1
    if Split.of(last) is not Split.PRACTICE:
        raise ConfigError(
            f"--first {first}: seed {last} is a {Split.of(last)} seed; demonstrations are made on practice seeds only, "
            f"below {Split.GATE.first_seed:,}"
        )
    lines: list[Json] = []
    with _worlds(ctx) as worlds:
        for task in load_suite(suite).tasks(Split.PRACTICE, seeds, first=first):
            if not scripted(worlds.open(task)):
                raise ConfigError(
                    f"{task.env} has no scripted policy to show {task.id}, as metaworld has; `skillagent run TASK "
                    "--keep DIR` writes what the agent did, and `skillagent demos read` what an arm recorded"
                )
            actions = shows(worlds.open(task), task)
            why = "its scripted policy does not do it, or not in the agent's verbs"
            lines.append(_line(worlds, task, actions, _ARM, out, why))
            if raw is not None and actions and (kept := _raw(worlds, task, raw)) is not None:
                lines[-1]["raw"] = str(kept)
            if not as_json:
                _tell(lines[-1])
    _finish(lines, suite, out, as_json=as_json)


@app.command(
    epilog=examples(
        "skillagent demos read teleop.jsonl --out demos",
        "skillagent demos read recordings/*.jsonl --out demos",
    )
)
def read(
    ctx: typer.Context,
    recordings: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Recordings, a line each control step.")],
    out: Out = Path("demos"),
    tries: Annotated[
        int, typer.Option(min=1, help="Practice instances on which a recording without a seed is tried.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Write demonstrations of raw recordings of an arm: where the hand and things were, a line each control step.

    The first line says the task, {"task": "metaworld/drawer-open", "seed": 0, "hz": 80}, each other one a control step:
    {"hand": [x, y, z], "gripper": 1.0, "things": {"drawer handle": [x, y, z]}}, in metres; the gripper is told 1 to
    open and 0 to close. A recording is cut where the hand touches something and said relative to things, in several
    ways; the first that does the task again, on its seed or without one on some practice instance, is written. All are
    read before any is tried. Exits with 1 when some recording does not do its task; the others are written.
    """
    from skillagent.envs.robot.recording import read_recording
    from skillagent.errors import ConfigError

    given = list[tuple[Path, "Recording"]]()
    for file in recordings:
        try:
            given.append((file, read_recording(file.read_text(encoding="utf-8-sig"), str(file))))
        except UnicodeDecodeError as error:
            raise ConfigError(f"{file}: not UTF-8 at byte {error.start}: write it as UTF-8") from None
    lines: list[Json] = []
    with _worlds(ctx) as worlds:
        for file, recording in given:
            task, actions = _found(worlds, recording, tries)
            lines.append({"recording": str(file), **_line(worlds, task, actions, file.stem, out, _why(recording))})
            if not as_json:
                _tell(lines[-1])
    _finish(lines, ",".join(dict.fromkeys(one.task.id for _, one in given)), out, as_json=as_json)


@contextmanager
def _worlds(ctx: typer.Context) -> Iterator[Worlds]:
    from functools import partial

    from skillagent.build import environment_options
    from skillagent.envs.registry import open_environment
    from skillagent.envs.worlds import Worlds

    worlds = Worlds(partial(open_environment, options=environment_options(parts_of(ctx).settings())))
    try:
        yield worlds
    finally:
        worlds.close()


def _found(worlds: Worlds, recording: Recording, tries: int) -> tuple[Task, list[Action] | None]:
    """Return the instance on which a recording does its task, and how; None: on none of those that are tried."""
    from skillagent.envs.robot.world import MetaWorld

    world, task = worlds.open(recording.task), recording.task
    assert isinstance(world, MetaWorld)
    for seed in [task.seed] if recording.head.seed is not None else range(tries):
        task = task.model_copy(update={"seed": seed})
        if actions := world.retold(task, recording.demo):
            return task, actions
    return recording.task, None


def _why(recording: Recording) -> str:
    where = "its seed" if recording.head.seed is not None else "the practice instances that were tried"
    return (
        f"no way to say it in the arm's verbs does the task on {where}; look whether the task is done at the end, hz "
        "is right, and things are where the recording says"
    )


def _line(worlds: Worlds, task: Task, actions: Sequence[Action] | None, arm: str, out: Path, why: str) -> Json:
    """Write the episode in which these actions do the task, and return what came of it; nothing is overwritten."""
    from skillagent.acting.play import played, reciting
    from skillagent.evaluation.rows import keep, kept_at, read_kept
    from skillagent.learning.judge import judge
    from skillagent.schema import Attempt

    line: Json = {"task": task.id, "seed": task.seed, "written": None}
    if not actions:
        return {**line, "why": why}
    trajectory = played(worlds.open(task), task, reciting(actions))
    tried = Attempt(plan=None, route=None, trajectory=trajectory, verdict=judge(trajectory), library="")
    file = kept_at(task, arm, out)
    if not tried.verdict.success:
        return {**line, "why": why}
    if file.exists() and read_kept(file).attempt.id != tried.id:
        return {**line, "why": f"{file} holds another demonstration: name the recording otherwise, or another --out"}
    keep(tried, arm, (), out)
    return {**line, "written": str(file)}


def _raw(worlds: Worlds, task: Task, folder: Path) -> Path | None:
    """Write what the scripted policy of an arm's task does as a raw recording; None where it is no arm's."""
    from skillagent.envs.robot.phases import recorded
    from skillagent.envs.robot.recording import written
    from skillagent.envs.robot.world import MetaWorld
    from skillagent.errors import ConfigError

    world = worlds.open(task)
    if not isinstance(world, MetaWorld):
        return None
    world.reset(task)
    demo = recorded(world.simulation, task.name, task.seed)
    assert demo is not None  # it was shown just now
    file = folder / f"{task.name}-{task.seed}.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    text = written(task, demo)
    if file.exists() and file.read_text(encoding="utf-8", errors="replace") != text:
        raise ConfigError(f"{file} holds another recording: say another folder with --raw")
    file.write_text(text, encoding="utf-8")
    return file


def _tell(line: Json) -> None:
    source = f"{line['recording']}: " if "recording" in line else ""
    came = line["written"] or f"not written: {line['why']}"
    say(f"{source}{line['task']} seed {line['seed']}: {came}")
    if line.get("raw"):
        say(f"  raw: {line['raw']}")


def _finish(lines: Sequence[Json], suite: str, out: Path, *, as_json: bool) -> None:
    if as_json:
        emit([*lines])
    elif any(line["written"] for line in lines):
        note(f"learn from them with `skillagent learn {suite} --demos {out}`")
    raise typer.Exit(Exit.OK if all(line["written"] for line in lines) else Exit.FAILED)
