"""Router: why a skill is shown for a goal, or none, what routing has come to, and training it. No model is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli import domains
from skillagent.cli.output import AsJson, emit, examples, note, say, table
from skillagent.cli.parts import Parts, Set, changes_of, parts_of

if TYPE_CHECKING:
    from skillagent.config import Settings
    from skillagent.routing.explain import Explanation
    from skillagent.routing.rerank import Compared, Trained
    from skillagent.schema import Ranked

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)
app.add_typer(domains.app)

_PARTS = ("words", "text", "solved", "whole", "chance")
_TRAINED = ("expected", "learned", "works")


@app.callback(
    epilog=examples(
        'skillagent router explain "Enter 05/20/2010 as the date and hit submit."', "skillagent router eval"
    )
)
def _router() -> None:
    """See why the router shows a skill, what came of it, and train it."""


@app.command(
    epilog=examples(
        'skillagent router explain "Enter 05/20/2010 as the date and hit submit."',
        'skillagent router explain "/date-entry Enter 05/20/2010" --env miniwob --json',
        'skillagent router explain "Enter 05/20/2010" --set thresholds.chance=0.7 --set remembering=off',
        "skillagent router explain --attempt 'miniwob/login-user@3#1a2b3c4d'",
    )
)
def explain(
    ctx: typer.Context,
    goal: Annotated[str, typer.Argument(help="What is to be done, in words.")] = "",
    attempt: Annotated[str, typer.Option(help="An attempt's id: what was routed then, as the ledger tells.")] = "",
    env: Annotated[str, typer.Option(help="The environment that it is to be done in; not given: any.")] = "",
    untrained: Annotated[bool, typer.Option("--untrained", help="As it would be without training.")] = False,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Say which skill would be shown for a goal and why, with scores, runners-up, and what would change it.

    words: how much of the goal the skill's text and solved goals account for; text, solved: cosine to its text and to
    the nearest goal that it solved; whole: cosine to both together. Score: whole and a part of words. Chance: that the
    best one fits at all, from its score and its lead. Of several programs that know a goal of this form, first comes
    what did such goals by itself, and what fixes more of the goal. Where the router was trained: learned, what that
    adds, and from what; works: that the skill does it, by training; and what would come first without it. Only skills
    of that environment, or of none, are candidates; one that the goal names, as in /skill-name, is shown anywhere.
    Goals that a skill solved since it was written are named. --set is that of run, learn and chat: what they would be
    told, so that this tells what they would show. A goal whose parts programs know, and together better than the whole,
    is explained part by part. With --attempt, in place of a goal, it is told what was routed in that attempt, by the
    numbers of then; nothing is worked out anew.
    """
    from functools import partial

    from skillagent.acting.stitch import stitched
    from skillagent.build import Options
    from skillagent.errors import ConfigError
    from skillagent.goals import named
    from skillagent.routing.catalogue import Catalogue
    from skillagent.routing.explain import explain as explained
    from skillagent.routing.outcomes import Outcomes
    from skillagent.routing.route import form
    from skillagent.routing.solved import Solved
    from skillagent.store.before import history

    if bool(goal.strip()) == bool(attempt):
        raise ConfigError("say either a goal or --attempt ID")
    if attempt and (set_ or untrained or env):
        raise ConfigError("--attempt tells what was routed then: --set, --untrained and --env go with a goal")
    if attempt:
        _recount(parts_of(ctx), attempt, as_json=as_json)
        return
    parts, options = parts_of(ctx), Options().changed(changes_of(set_))
    settings, limits = parts.settings(), options.thresholds
    store, vectors = parts.store(settings), parts.vectors(settings)
    events = history(settings.memory, store.events)
    catalogue = Catalogue(vectors, Solved(vectors, events) if options.remembering else None)
    known, library = Outcomes(vectors, events), store.load()
    trained = None if untrained or not options.reranking else _in_use(parts, settings)
    told = partial(explained, library=library, catalogue=catalogue, domain=env, outcomes=known, trained=trained)
    told, asked, words = partial(told, thresholds=limits), *named(goal, library.skills)
    fits = partial(form, library=library, domain=env, catalogue=catalogue, thresholds=limits)
    divided = () if asked or not (options.planning and options.programs) else stitched(words, fits)
    found = [told(part) for part in divided or (goal,)]
    if as_json:
        inner = [one.model_dump(mode="json") for one in found if divided]
        emit(told(goal).model_dump(mode="json") | {"parts": inner, "version": trained.version if trained else 0})
        return
    for number, one in enumerate(found, start=1):
        if divided:
            say(f"part {number} of {len(found)}: {one.goal}")
        _say(one)


def _recount(parts: Parts, attempt: str, *, as_json: bool) -> None:
    """Say what was routed in an attempt, the last one of that id."""
    from skillagent.errors import NotFound, near
    from skillagent.routing.recount import recount

    store = parts.store(parts.settings())
    library = store.load()
    told = {found.attempt: found for event in store.events() if (found := recount(event, library))}
    if attempt not in told:
        raise NotFound(f"no attempt {attempt!r} in the ledger{near(attempt, told)}")
    found = told[attempt]
    if as_json:
        emit(found.model_dump(mode="json"))
        return
    score = "unscored" if found.score is None else f"score {found.score:g}"
    say(f"{found.attempt} at {found.at}, library {found.library}, {score}: {found.goal}")
    if not found.parts:
        say(f"its line is from before routes were kept; shown: {', '.join(found.shown) or 'nothing'}")
    for number, part in enumerate(found.parts, start=1):
        if len(found.parts) > 1:
            say(f"part {number} of {len(found.parts)}: {part.goal}")
        for line in part.why:
            say(line)
    for line in found.since:
        say(line)


def _say(found: Explanation) -> None:
    for line in (*found.why, *found.otherwise):
        say(line)
    if found.considered:
        say()
        say(table(["candidate", "score", *_PARTS], [_row(one, _PARTS) for one in found.considered]))
        say()
    if any("learned" in one.parts for one in found.shown):
        say(table(["shown", "score", *_TRAINED], [_row(one, _TRAINED) for one in found.shown]))
        say()


def _row(one: Ranked, names: tuple[str, ...]) -> list[str]:
    parts = [f"{one.parts[name]:.2f}" if name in one.parts and _told(name, one.parts[name]) else "-" for name in names]
    return [one.id, f"{one.score:.2f}", *parts]


def _told(name: str, value: float) -> bool:
    return value > -1 or name == "learned"  # a cosine of -1 stands for none


@app.command("eval", epilog=examples("skillagent router eval", "skillagent router eval --top 20 --json"))
def evaluate(
    ctx: typer.Context,
    top: Annotated[int, typer.Option(min=1, help="How many goals without a skill to name.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Say what routing has come to: which skills were of use, which misled, which never came, and what is lacking.

    Read off the ledger. Alone: its program did the task by itself. Helped: solved, and the model took part. Misled: not
    solved. Ignored: the model did something else than its words say, so it neither helped nor misled. Of those shown,
    its program ran, or its words were followed, in so many. Every attempt counts that was scored. First choices: where
    the ledger knows what several skills were worth for a goal, what the one is worth that the untrained router tries
    first, without what came of that goal, beside the best of them and a choice by chance.
    """
    from skillagent.evaluation.ranking import first_choices
    from skillagent.routing.credit import routing
    from skillagent.routing.doing import of_kinds

    parts = parts_of(ctx)
    settings = parts.settings()
    store = parts.store(settings)
    library, events = store.load(), list(store.events())
    found, trained = routing(library, events), _in_use(parts, settings)
    chosen = first_choices(library, events, lambda: parts.vectors(settings))
    if as_json:
        version = trained.model_dump(mode="json") if trained else None
        first = {kind: one.model_dump(mode="json") for kind, one in chosen.items()}
        emit(
            found.model_dump(mode="json")
            | {"trained": version, "first_choices": first, "wanted_by_kind": of_kinds(found.wanted)}
        )
        return
    for line in _of_version(trained):
        say(line)
    if not found.attempts:
        say("nothing was tried yet; `skillagent learn SUITE` or `skillagent chat` does")
        return
    if found.credits:
        rows = [[str(cell) for cell in one.model_dump().values()] for one in found.credits]
        say(table(list(found.credits[0].model_dump()), rows))
        say()
    for order, came in chosen.items():
        goals = f"{came.goals} goals of {came.families} tasks that several were tried for"
        rest = f"the best {came.best:.1%}, by chance {came.average:.1%}"
        say(f"first choices of {order}, {goals}: {came.first:.1%}; {rest}")
    if found.unused:
        say(f"never shown: {', '.join(found.unused)}")
    failed = sum(one.failed for one in found.lacking)
    say(f"no skill was shown in {found.abstained} of {found.attempts} attempts, of which {failed} failed")
    for one in found.lacking[:top]:
        say(f"  {one.failed} of {one.tried} failed: {one.shape[:100]}")
    for kind, asked in of_kinds(found.wanted[:top]).items():
        for words in asked:
            say(f"  asked for by a plan{f' ({kind})' if kind else ''}: {words}")


@app.command(
    epilog=examples(
        "skillagent router train --dry-run",
        "skillagent router train",
        "skillagent router train --encoder",
        "skillagent router train --fine-tune",
    )
)
def train(
    ctx: typer.Context,
    encoder: Annotated[
        bool, typer.Option("--encoder", help="Train an encoder of goals and texts, in place of weights of features.")
    ] = False,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="Fine-tune a model of sentence-transformers, in place of weights.")
    ] = False,
    base: Annotated[
        str,
        typer.Option(
            help="The model to fine-tune: a folder, or a name to download; default: a sentence-transformers embedder, "
            "else minilm."
        ),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Train and compare, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the order of candidates on what came of them, and keep it only if it is better.

    Learnt are weights of what the router knows of a program, or of a skill in words, from goals on which the ledger
    tells what several of them were worth; holdout seeds never count. With --encoder it is a matrix instead, which turns
    the vectors of goals and of skills' texts towards what works. With --fine-tune it is the last two layers of a model
    of sentence-transformers (`skillagent models pull minilm`): minutes, and 91 MB in the memory folder if it is kept.
    Better means that first choices for tasks that did not train do better than the untrained router's, beyond chance;
    else it is kept as it was, and that is written down too. Needs torch (pip install 'skillagent[train]'); routing with
    weights and encoders does not, with a fine-tuned model it does. `--set reranking=off` of run, learn and chat leaves
    it aside; `skillagent router rollback` takes it back.
    """
    from datetime import UTC, datetime

    from skillagent.errors import ConfigError
    from skillagent.evaluation.ranking import train as trained_on
    from skillagent.routing.rerank import Trained, chosen, records
    from skillagent.routing.tune import tune
    from skillagent.store.trainings import Trainings
    from skillagent.trained import base_of, finetuner

    if encoder and fine_tune:
        raise ConfigError("--encoder and --fine-tune are two ways to train: say one of them")
    if base and not fine_tune:
        raise ConfigError("--base is what --fine-tune begins with: say both")
    parts = parts_of(ctx)
    settings = parts.settings()
    store, file = parts.store(settings), Trainings(settings.memory)
    before = records(file.lines())
    found = trained_on(
        store.load(),
        list(store.events()),
        parts.vectors(settings),
        version=1 + max((one.version for one in before if isinstance(one, Trained)), default=0),
        at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        tune=tune if encoder else None,
        finetune=finetuner(lambda: base_of(settings, base), note) if fine_tune else None,
        keep=None if dry_run else file.keep,
        watch=note,
    )
    if not dry_run:
        file.append(found.model_dump(mode="json"))
    now = found if found.accepted else chosen(before)
    if as_json:
        accepted = bool(found.accepted)
        emit(found.model_dump(mode="json") | {"accepted": accepted, "written": not dry_run, "in_use": _number(now)})
        return
    for kind, compared in found.compared.items():
        say(f"{kind}: {_of_compared(compared)}")
    if found.accepted:
        say(f"version {found.version} {'would be' if dry_run else 'is'} in use for {' and '.join(found.accepted)}")
    else:
        say(f"not better beyond chance: {_kept(now)}")


@app.command(epilog=examples("skillagent router rollback", "skillagent router rollback --to 0"))
def rollback(
    ctx: typer.Context,
    to: Annotated[
        int | None, typer.Option(min=0, help="A version; 0: untrained. Default: the one before that was accepted.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Go back to an earlier training of the router, or to the untrained one; nothing is lost by it."""
    from datetime import UTC, datetime

    from skillagent.errors import ConfigError, NotFound
    from skillagent.routing.rerank import Chosen, Trained, chosen, records
    from skillagent.store.trainings import Trainings

    parts = parts_of(ctx)
    file = Trainings(parts.settings().memory)
    known = records(file.lines())
    accepted = [one.version for one in known if isinstance(one, Trained) and one.accepted]
    now = _number(chosen(known))
    if to is None and not now:
        raise ConfigError("nothing that was trained is in use; `skillagent router train` trains the router")
    wanted = to if to is not None else max((one for one in accepted if one < now), default=0)
    if wanted not in (0, *accepted):
        kept = ", ".join(map(str, accepted)) or "none"
        raise NotFound(f"no version {wanted} of the router that was accepted; accepted: {kept}; 0 is untrained")
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    file.append(Chosen(version=wanted, at=at).model_dump(mode="json"))
    if as_json:
        emit({"from": now, "to": wanted})
    else:
        what = f"version {wanted} of the router is in use" if wanted else "the router is untrained"
        say(f"{what}; before: {f'version {now}' if now else 'untrained'}")


def _in_use(parts: Parts, settings: Settings) -> Trained | None:
    from skillagent.store.trainings import Trainings
    from skillagent.trained import trained_router

    known = Trainings(settings.memory).path.exists()
    return trained_router(settings, parts.vectors(settings).name) if known else None


def _number(trained: Trained | None) -> int:
    return trained.version if trained else 0


def _kept(trained: Trained | None) -> str:
    return f"version {trained.version} stays in use" if trained else "kept untrained"


def _of_version(trained: Trained | None) -> list[str]:
    if trained is None:
        return ["the router is untrained", ""]
    lines = [f"version {trained.version} of the router is in use, trained {trained.at} on {trained.events} events"]
    for kind in trained.accepted:
        model = f"a fine-tuned model ({trained.models[kind].folder}), " if kind in trained.models else ""
        lines.append(f"  {kind}: {model}{_of_compared(trained.compared[kind])}")
    return [*lines, ""]


def _of_compared(one: Compared) -> str:
    points = f"{100 * one.difference:+.1f} points ({100 * one.low:+.1f} to {100 * one.high:+.1f})"
    return (
        f"first choices on held-out families {one.untrained:.1%} untrained, {one.trained:.1%} trained: {points}, "
        f"{one.better} goals better and {one.worse} worse of {one.goals} in {one.families} families"
    )
