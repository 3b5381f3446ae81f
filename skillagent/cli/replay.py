"""Replay: do again what a kept episode did, action by action, in a fresh world, and say where it comes out otherwise.

No model is asked and nothing is learnt.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, emit, examples, say, shorten
from skillagent.cli.parts import parts_of

if TYPE_CHECKING:
    from skillagent.evaluation.rows import Kept

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.command(
    epilog=examples(
        "skillagent replay runs/forms/episodes/frozen/miniwob--login-user@2000000.json",
        "skillagent replay runs/forms/episodes/frozen/miniwob--login-user@2000000.json --show",
        "skillagent replay runs/forms/episodes/frozen/miniwob--login-user@2000000.json --headed",
    )
)
def replay(
    ctx: typer.Context,
    episode: Annotated[Path, typer.Argument(help="An episode that `skillagent eval … --keep` kept.")],
    show: Annotated[bool, typer.Option("--show", help="Only show it, with what was seen before each step.")] = False,
    headed: Annotated[bool, typer.Option("--headed", help="Show the browser's window.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do again what a kept episode did, or step through it.

    Compares what is seen at the start and after each step, what is refused, where the task ends, and the reward. The
    exit code is 1 when the world answers otherwise than it did then.
    """
    from skillagent.errors import ConfigError
    from skillagent.evaluation.replay import play_again
    from skillagent.evaluation.rows import read_kept
    from skillagent.evaluation.table import counted

    kept = read_kept(episode)
    if not show and (void := kept.attempt.trajectory.void) is not None:
        raise ConfigError(f"{episode}: the world could not play it ({void}), so nothing of it can be replayed")
    if show:
        _show(kept, episode, as_json=as_json)
        return
    parts = parts_of(ctx)
    with parts.agent(parts.settings(headed=headed or None), read_only=True) as agent:
        differences = play_again(agent, kept.attempt.trajectory)
    steps = kept.attempt.trajectory.steps
    if as_json:
        emit({"steps": len(steps), "differences": [one.model_dump(mode="json") for one in differences]})
    else:
        for one in differences:
            say(f"step {one.step}: {one.what} was {shorten(one.was, 80)!r}, is {shorten(one.now, 80)!r}")
        say(
            f"{counted(len(steps), 'step')} replayed, "
            + (counted(len(differences), "difference") if differences else "all as they were")
        )
    raise typer.Exit(Exit.FAILED if differences else Exit.OK)


def _show(kept: Kept, file: Path, *, as_json: bool) -> None:
    if as_json:
        emit(kept.model_dump(mode="json"))
        return
    trajectory = kept.attempt.trajectory
    pictures = [str(file.with_name(name)) for name in kept.pictures] + [""] * (len(trajectory.steps) + 1)
    say(f"goal    {trajectory.goal}")
    for number, (step, picture) in enumerate(zip(trajectory.steps, pictures, strict=False), start=1):
        say(f"\n-- before step {number}  {picture}\n{step.observation.text}\n   {step.action}" +
            (f"  ✗ {step.error}" if step.error else ""))  # fmt: skip
    verdict = kept.attempt.verdict
    say(f"\nverdict score {verdict.score}, by {verdict.by}: {verdict.reason}")
