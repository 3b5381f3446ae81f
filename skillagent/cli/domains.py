"""Domains: what the router learns and forgets as domains of skills come one after another. Shown beside `router`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.output import AsJson, emit, examples, note, say, table
from skillagent.cli.parts import parts_of

if TYPE_CHECKING:
    from skillagent.evaluation.forgetting import Streamed

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)


@app.command(
    epilog=examples(
        "skillagent router stream --ways nothing,prototypes",
        "skillagent router stream --data skills.jsonl --data goals.jsonl --orders 5 --json",
    )
)
def stream(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Option("--data", help="A file of lines with skills or goals; may be repeated. Default: what was learnt."),
    ] = None,
    ways: Annotated[str, typer.Option(help="Ways to learn, with commas between them; not given: all.")] = "",
    orders: Annotated[int, typer.Option(min=1, help="In how many orders the domains come, each once.")] = 1,
    own: Annotated[
        bool,
        typer.Option(
            "--own",
            help="Only skills of a goal's own domain, or of none, are candidates, as where tasks are run; for goals of "
            "skills of no domain, which may be asked in any, all are.",
        ),
    ] = False,
    pull: Annotated[
        float, typer.Option(min=0, max=1e6, help="Of encoders, towards turning nothing; the less, the more they learn.")
    ] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Say what the router learns and forgets when domains of skills come one after another, by each way to learn.

    A domain's skills join the library, and a way learns from the goals that they are for; then goals of all domains so
    far that none learns from are routed. Ways: nothing (no goal is ever solved), prototypes (what the router does),
    and encoders trained further by fine-tune, replay, distillation, l2, ewc, interpolation, backward, topology,
    experts, all-again; these need torch (pip install 'skillagent[train]'). Recall: first choices at the end. Gain: on a
    domain after its practice, less before it. Forgotten: the best it ever was, less the end. Backward: the end, less
    after its practice. Above: at the end, than prototypes. All in points, with 95 % intervals over skills.

    Domains are those of the skills in the library, goals those that they solved, of which every third tests. In a file,
    a line is {"name", "description", "body", "domain"} or {"text", "skill", "split"}; goals of the split holdout test,
    those of practice and gate are learnt from. Nothing is written, and no model is asked.
    """
    from functools import partial

    from skillagent.evaluation.domains import of_library, read
    from skillagent.evaluation.forgetting import streamed
    from skillagent.routing.continual import WAYS
    from skillagent.routing.retune import fit

    parts = parts_of(ctx)
    settings = parts.settings()
    if files:
        domains = read(files)
    else:
        store = parts.store(settings)
        domains = of_library(store.load(), list(store.events()))
    names = [name.strip() for name in ways.split(",") if name.strip()] or list(WAYS)
    found = streamed(
        domains, parts.vectors(settings), names=names, orders=orders, own=own, fit=partial(fit, pull=pull), watch=note
    )
    if as_json:
        emit(found.model_dump(mode="json"))
    else:
        _say(found)


def _say(found: Streamed) -> None:
    say(f"{found.skills} skills; {found.learnt} goals are learnt from and {found.tests} test")
    header = ["way", "recall", "gain", "forgotten", "backward", "above"]
    rows = [
        [name, *map(str, (one.recall, one.gain, one.forgetting, one.backward_transfer, one.above))]
        for name, one in found.ways.items()
    ]
    say(table(header, rows))
