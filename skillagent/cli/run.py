"""Run: one task, shown step by step, and what can be learnt from it.

What a reader would get wrong: a first success only teaches how to do without the model. Where the first try failed, the
same seed is tried again, warmer, until one try shows how it is done. Seeds that evaluation uses, and pages that
cannot be reset, are never learnt from (`tasks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, examples
from skillagent.cli.parts import Set, changes_of, parts_of
from skillagent.cli.tasks import task_from, why_not_learn

if TYPE_CHECKING:
    from skillagent.cli.show import Watching
    from skillagent.envs.film import Film
    from skillagent.loop import Agent
    from skillagent.schema import Attempt, Task, Variation

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

Model = Annotated[str | None, typer.Option(help="The model that acts, e.g. local/qwen2.5-coder-1.5b.")]
TokenLimit = Annotated[int | None, typer.Option(min=1, help="Stop cleanly after this many tokens.")]
CostLimit = Annotated[float | None, typer.Option(min=0, help="Stop cleanly after this many US dollars.")]
TimeLimit = Annotated[float | None, typer.Option(min=0, help="Stop cleanly after this many seconds of model time.")]


@app.command(
    epilog=examples(
        "skillagent run miniwob/login-user",
        "skillagent run miniwob/login-user --seed 7 --no-learn --json",
        "skillagent run metaworld/drawer-open --video drawer.mp4",
        "skillagent run miniwob/login-user --set memory.recall=on --set similar.most=2",
        'skillagent run "Find the opening hours" --url https://example.org --expect Monday',
    )
)
def run(
    ctx: typer.Context,
    task: Annotated[str | None, typer.Argument(help="A task such as miniwob/login-user, or a goal in words.")] = None,
    url: Annotated[str | None, typer.Option(help="The page where a goal in words is to be reached.")] = None,
    env: Annotated[str | None, typer.Option(help="Environment and task, e.g. miniwob/login-user.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which instance of the task; from 1,000,000 on never learnt.")] = 0,
    headed: Annotated[bool, typer.Option("--headed", help="Show the browser's window.")] = False,
    no_learn: Annotated[bool, typer.Option("--no-learn", help="Only do the task.")] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Repeating the task on its page is harmless.")] = False,
    retries: Annotated[int, typer.Option(min=0, help="Warmer tries after a failure, to learn from.")] = 4,
    keep: Annotated[
        Path | None, typer.Option(help="A folder to keep the whole episodes in, for `learn --demos`.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="Film the tries: a file that ends in .gif or .mp4 (extra: video).")
    ] = None,
    set_: Set = None,
    model: Model = None,
    expect: Annotated[str, typer.Option(help="Text that is shown when the task is done.")] = "",
    max_steps: Annotated[
        int | None, typer.Option(min=1, help="Actions that one try may take. Without: 60, of the model 12.")
    ] = None,
    token_limit: TokenLimit = None,
    cost_limit: CostLimit = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
) -> None:
    """Do one task, and learn from it where that is safe.

    A goal in words is for a page, given by --url; a task such as miniwob/login-user sets its own goal and takes no
    words. Shows every step. When the first try fails, the same instance is tried again. What the tries teach is
    replayed on fresh instances; only what helps there, or does as well without asking the model, is kept. With --json,
    one JSON object a line: the events as they happen, the last one has "event": "result".
    """
    from skillagent.build import Options
    from skillagent.cli.show import watching
    from skillagent.envs.film import Film, checked
    from skillagent.errors import BudgetSpent
    from skillagent.evaluation.rows import keep as keep_episode
    from skillagent.loop import run as run_tasks
    from skillagent.practice.explore import Practice

    wanted = task_from(task, env=env, url=url, seed=seed, expect=expect, max_steps=max_steps)
    problem = None if no_learn else why_not_learn(wanted, replay=replay)
    parts = parts_of(ctx)
    settings = parts.settings(
        model=model,
        headed=headed or None,
        token_limit=token_limit,
        cost_limit=cost_limit,
        time_limit_s=time_limit,
    )
    options = Options(practice=Practice(seeds=1, retries=retries)).changed(changes_of(set_))
    film = Film() if video and checked(video) else None
    tried: list[Attempt] = []
    with (
        watching(as_json, most=options.rules.pairs) as watch,
        parts.agent(settings, watch=watch, options=options) as agent,
    ):
        if problem:
            watch.say(f"nothing will be learnt: {problem}")
        spent = None
        if film:
            agent, film.rolling = filmed(agent, film), bool(no_learn or problem)
        try:
            for attempt in run_tasks(agent, [wanted], learning=not (no_learn or problem)):
                tried.append(attempt)
                if keep:
                    keep_episode(attempt, str(len(tried)), (), keep)
        except BudgetSpent as error:
            spent = error
        code = Exit.BUDGET if spent else exit_for(tried)
        if film and video and film.count:
            film.write(video)
            watch.say(f"film    {video}: {film.count} pictures")
        _finish(watch, tried, code, as_json=as_json)
    if spent:
        raise spent
    raise typer.Exit(code)


def filmed(agent: Agent, film: Film) -> Agent:
    """Return the agent with its tries filmed, and nothing that is replayed for the gate."""
    from dataclasses import replace

    def practise(task: Task, attempt: Callable[[Task, Variation], Attempt]) -> Iterator[Attempt]:
        return agent.practise(task, film.rolled(attempt))

    return replace(agent, open=lambda task: film.of(agent.open(task)), practise=practise)


def exit_for(attempts: Sequence[Attempt]) -> Exit:
    """Return the exit code that the tries at one task amount to: a success on a retry is a success."""
    successes = [one.verdict.success for one in attempts]
    if True in successes:
        return Exit.OK
    if False in successes:
        return Exit.FAILED
    return Exit.WORLD if any(one.trajectory.void is not None for one in attempts) else Exit.OK


def _finish(watch: Watching, tried: Sequence[Attempt], code: Exit, *, as_json: bool) -> None:
    from skillagent.cli import words
    from skillagent.cli.output import emit_line
    from skillagent.schema import Usage

    if as_json:
        emit_line(
            {
                "event": "result",
                "exit": int(code),
                "attempts": [words.attempt_json(one) for one in tried],
                "decisions": [words.decision_json(one) for one in watch.decisions],
            }
        )
        return
    acting = sum((one.trajectory.usage for one in tried), Usage())
    learning = sum((one.usage for one in watch.decisions), Usage())
    for one in tried:
        if one.trajectory.answer:
            watch.say(f"answer  {one.trajectory.answer}")
        if one.trajectory.surprise:
            watch.say(f"program {', '.join(one.trajectory.programs) or 'not run'}: {one.trajectory.surprise}")
        if one.trajectory.void is not None:
            watch.say("void    the world failed in this try: it counts for nothing")
    line = f"spent   {words.of_usage(acting)}"
    watch.say(line + (f" acting; {words.of_usage(learning)} in the gate" if watch.decisions else ""))
    for decision in watch.decisions:
        if decision.accepted:
            watch.say(f"learnt  {words.of_changes(decision.edit.changes)}")
            watch.say(f"        undo with `{words.undo_of(decision.edit.changes[0])}`")
