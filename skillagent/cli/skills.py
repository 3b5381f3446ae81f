"""Skills: what was learnt as skills: listing, history, comparison, undo, checks.

History is read from the ledger alone, so `log`, `diff` and `rollback` work after a skill's folder has been deleted.
What a reader would get wrong: `refused` edits never were in the library; they are shown because the reasons are worth
knowing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, emit, examples, note, say, shorten, table
from skillagent.cli.parts import parts_of
from skillagent.cli.upkeep import DryRun, look_after

if TYPE_CHECKING:
    from skillagent.library import Library
    from skillagent.ports import Store
    from skillagent.schema import Event, Skill

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A skill's name.")]


@app.callback(epilog=examples("skillagent skills list", "skillagent skills log log-in"))
def _skills() -> None:
    """See, compare, check and undo what was learnt as skills."""


@app.command("list", epilog=examples("skillagent skills list", "skillagent skills list --json"))
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the skills with how often they helped.

    A use is a scored try in which the skill was shown to the model. A skill that runs has a program, which is tried
    before the model is asked; where the program is unreadable, the words alone are used.
    """
    from skillagent.store.ledger import outcomes

    _, library, events = _opened(ctx)
    tallies = outcomes(events)
    if as_json:
        emit(
            [
                {
                    "name": skill.name,
                    "version": skill.version,
                    "domain": skill.domain,
                    "description": skill.description,
                    "uses": tallies[skill.name].uses if skill.name in tallies else 0,
                    "successes": tallies[skill.name].successes if skill.name in tallies else 0,
                    "foreign": skill.foreign,
                    "program": _program(skill) == "runs",
                }
                for skill in _sorted(library)
            ]
        )
        return
    if not library.skills:
        say("no skills yet; `skillagent learn SUITE` makes some")
        return
    rows = []
    for skill in _sorted(library):
        tally = tallies.get(skill.name)
        used = f"{tally.successes}/{tally.uses}" if tally else "-"
        origin = "yours" if skill.foreign else skill.domain or "-"
        rows.append([skill.name, f"v{skill.version}", origin, _program(skill), used, shorten(skill.description, 90)])
    say(table(["name", "", "from", "program", "solved/used", "description"], rows))


@app.command(epilog=examples("skillagent skills show log-in", "skillagent skills show log-in --version 1"))
def show(
    ctx: typer.Context,
    name: Name,
    version: Annotated[int | None, typer.Option(help="An earlier version, from the ledger.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a skill as it is written in SKILL.md."""
    from skillagent.cli.texts import contents, known_skill, text_of

    _, library, events = _opened(ctx)
    skill = known_skill(library, name) if version is None else contents(library, events, name).at(version)
    if as_json:
        emit({**skill.model_dump(mode="json"), "text": text_of(skill)})
    else:
        say(text_of(skill).rstrip("\n"))


@app.command(
    epilog=examples("skillagent skills log", "skillagent skills log log-in", "skillagent skills log --refused")
)
def log(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A skill's name; default: all.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Show what was refused instead, and why.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show when each version came, why, and on which replays.

    With --refused: the edits that the lint or the gate turned down, with their reasons.
    """
    from skillagent.cli.history import accepted_of, as_lines, refused_of
    from skillagent.cli.texts import check_known

    _, library, events = _opened(ctx)
    if name is not None and not refused:
        check_known(library, events, name)
    entries = refused_of(events, name) if refused else accepted_of(events, name)
    if as_json:
        emit([entry.json for entry in entries])
        return
    if not entries:
        say("nothing was refused" if refused else "the ledger holds no change of a skill yet")
    for line in as_lines(entries):
        say(line)


@app.command(epilog=examples("skillagent skills diff log-in", "skillagent skills diff log-in 1 3"))
def diff(
    ctx: typer.Context,
    name: Name,
    old: Annotated[int | None, typer.Argument(metavar="V1", help="Version; default: the one before the last.")] = None,
    new: Annotated[int | None, typer.Argument(metavar="V2", help="Version; default: the last.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions of a skill, line by line."""
    from skillagent.cli.texts import contents, unified

    _, library, events = _opened(ctx)
    before, after = contents(library, events, name).pair(old, new)
    text = unified(before, after)
    if as_json:
        emit({"name": name, "from": before.version if before else None, "to": after.version, "diff": text})
    else:
        say(text or f"{name}: the two versions read alike")


@app.command(epilog=examples("skillagent skills rollback log-in", "skillagent skills rollback log-in 1"))
def rollback(
    ctx: typer.Context,
    name: Name,
    version: Annotated[int | None, typer.Argument(help="Which version; default: the one before the last.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put an earlier version of a skill back.

    It comes back as a new version, so this can be undone as well; the example that belongs to it goes back with it.
    The state before the first version is "not there".
    """
    from skillagent.cli.texts import check_known
    from skillagent.cli.undo import rolled_back
    from skillagent.cli.words import of_changes

    store, library, events = _opened(ctx)
    check_known(library, events, name)
    entry = rolled_back(library, events, name, version, why="asked for by a person")
    after = store.commit(entry)
    now = after.skills.get(name)
    if as_json:
        emit({"name": name, "version": now.version if now else None, "changes": of_changes(entry.changes)})
    else:
        say(f"rolled back: {of_changes(entry.changes)}")


@app.command(
    epilog=examples(
        'skillagent skills correct pick-place "2 cm higher at the end"',
        'skillagent skills correct pick-place "5 mm to the left at step 2"',
    )
)
def correct(
    ctx: typer.Context,
    name: Name,
    words: Annotated[str, typer.Argument(help="How far, which way and where: 1 cm further away in the middle.")],
    as_json: AsJson = False,
) -> None:
    """Move one point of the way that an arm's program takes; what is near it moves along, the rest stays as it is.

    How far: a number with mm, cm or m. Which way: left, right, away or further, towards or closer, up or higher, down
    or lower. Where: at the start, in the middle or at the end, of a step or of all; at step 2 is where step 2 ends.
    Without a place it is the end. It becomes a new version, not replayed; `skillagent skills rollback` takes it back.
    """
    from skillagent.cli.correct import corrected
    from skillagent.cli.texts import known_skill, unified
    from skillagent.cli.words import of_changes

    store, library, _ = _opened(ctx)
    old = known_skill(library, name)
    entry = corrected(old, words)
    text = unified(old, store.commit(entry).skills[name])
    made = of_changes(entry.decision.edit.changes)
    if as_json:
        emit({"name": name, "changes": made, "diff": text})
    else:
        say(text)
        say(f"corrected: {made}")
        note(f"undo with `skillagent skills rollback {name}`")


@app.command(
    epilog=examples(
        "skillagent skills essentials pick-place",
        "skillagent skills essentials pick-place --task metaworld/pick-place --seeds 10",
        "skillagent skills essentials pick-place --note",
    )
)
def essentials(
    ctx: typer.Context,
    name: Name,
    task: Annotated[
        str | None, typer.Option(help="Where it is tried; default: the task that it was learnt from.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Practice instances that the program does, to replay on.")] = 5,
    first: Annotated[int, typer.Option(min=0, help="The first practice seed that is tried.")] = 100,
    note_: Annotated[
        bool, typer.Option("--note", help="Write what was found into the skill, as a new version.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which steps of a skill's program matter, by replays with one thing changed.

    On practice instances that the program does by itself, each step is left out, each two neighbours are turned round,
    and each offset is moved by 1, 2 and 4 cm along each axis. A step without which four of five still succeed is free.
    No model is asked, and nothing is written without --note; `skillagent skills rollback` takes that back.
    """
    from skillagent.cli.essentials import essentials as found_in
    from skillagent.cli.essentials import noted, practice, program_in, source
    from skillagent.cli.texts import known_skill
    from skillagent.cli.words import of_changes
    from skillagent.evaluation.perturbed import changed

    parts = parts_of(ctx)
    store, library, events = _opened(ctx)
    skill = known_skill(library, name)
    many, tasks = len(changed(program_in(skill))), practice(task or source(skill, events), seeds, first)
    note(f"{many} changes, each replayed on up to {seeds} instances of {tasks[0].id}")
    with parts.agent(parts.settings(), read_only=True) as agent:
        found = found_in(agent, skill, tasks, seeds)
    made = None
    if note_:
        entry = noted(skill, found.lines)
        store.commit(entry)
        made = of_changes(entry.decision.edit.changes)
    if as_json:
        emit({"name": name, **found.model_dump(mode="json"), "changes": made})
        return
    for line in found.lines:
        say(line)
    note(f"replayed on seeds {', '.join(map(str, found.instances))}")
    if made:
        say(f"noted: {made}")
        note(f"undo with `skillagent skills rollback {name}`")


@app.command(epilog=examples("skillagent skills retire log-in"))
def retire(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Take a skill out of the library.

    Its history stays in the ledger, and `skillagent skills rollback` brings it back.
    """
    from skillagent.cli.texts import known_skill
    from skillagent.cli.undo import retired
    from skillagent.cli.words import of_changes

    store, library, events = _opened(ctx)
    known_skill(library, name)
    entry = retired(library, events, name, why="asked for by a person")
    store.commit(entry)
    made = of_changes(entry.decision.edit.changes)
    if as_json:
        emit({"name": name, "changes": made})
    else:
        say(f"retired: {made}")
        note(f"undo with `skillagent skills rollback {name}`")


@app.command(epilog=examples("skillagent skills evolve --dry-run", "skillagent skills evolve"))
def evolve(ctx: typer.Context, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Look after the skills by what the ledger tells; no model is asked.

    A program under which less succeeds than without it at the same tasks goes, and its skill stays in words; a skill in
    words that makes success less likely, beyond chance, goes. Undo with `skillagent skills rollback`.
    """
    look_after(ctx, ("programs",), changes={}, dry=dry_run, model=None, as_json=as_json)


@app.command(epilog=examples("skillagent skills validate", "skillagent skills validate skills/log-in"))
def validate(
    ctx: typer.Context,
    path: Annotated[Path | None, typer.Argument(help="A skill's folder, or a folder of skills.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check that skills are written as Agent Skills are.

    Exits with 1 when one of them cannot be read, or says something in a way that other clients would misread. That a
    skill's steps in words are not what its program does is only noted.
    """
    from skillagent.cli.texts import checked

    found = checked(path or parts_of(ctx).settings().skills)
    if as_json:
        emit([{"path": str(one.folder), "problems": [*one.problems], "notes": [*one.notes]} for one in found])
    else:
        for one in found:
            say(f"{one.folder}: {'ok' if not one.problems else ''}".rstrip())
            for problem in one.problems:
                say(f"  {problem}")
            for said in one.notes:
                say(f"  note: {said}")
        if not found:
            say(f"no skills in {path or parts_of(ctx).settings().skills}")
    if any(one.problems for one in found):
        raise typer.Exit(Exit.FAILED)


@app.command(epilog=examples("skillagent skills export log-in ~/other/skills"))
def export(
    ctx: typer.Context,
    name: Name,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The skill's folder is made in there.")],
    as_json: AsJson = False,
) -> None:
    """Copy a skill, for another agent to use.

    What is written is a plain Agent Skill: any client of the format can read it.
    """
    from skillagent.cli.texts import exported, known_skill
    from skillagent.errors import ConfigError

    _, library, _ = _opened(ctx)
    skill = known_skill(library, name)
    try:
        target = exported(skill, folder.expanduser())
    except OSError as error:
        raise ConfigError(f"cannot write into {folder} ({error.strerror}): name another folder") from error
    if as_json:
        emit({"name": name, "path": str(target)})
    else:
        say(str(target))


def _opened(ctx: typer.Context) -> tuple[Store, Library, list[Event]]:
    parts = parts_of(ctx)
    store = parts.store(parts.settings())
    return store, store.load(), list(store.events())


def _program(skill: Skill) -> str:
    """Return in a word what becomes of the skill's program."""
    from skillagent.errors import InvalidSkill
    from skillagent.programs.text import program_of

    try:
        return "-" if program_of(skill) is None else "runs"
    except InvalidSkill:
        return "unreadable"


def _sorted(library: Library) -> list[Skill]:
    return [library.skills[name] for name in sorted(library.skills)]
