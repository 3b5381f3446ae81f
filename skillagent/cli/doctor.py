"""Doctor: tries every part that is needed, and says for each what is wrong and the exact remedy.

Each check does the thing itself (starts the browser, embeds a sentence, opens the store) instead of looking whether it
is installed: that is the difference that matters on a strange machine. Nothing is written, and the model is only asked
with `--deep`, because loading it takes seconds.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from skillagent.cli.exits import Exit
from skillagent.cli.output import AsJson, emit, examples, say
from skillagent.cli.parts import Parts, parts_of

if TYPE_CHECKING:
    from skillagent.config import Settings

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

MINIMUM = (3, 11)


@dataclass(frozen=True)
class Finding:
    """What a check found. `note`: missing, but only some commands need it. `remedy` is what to do or type."""

    name: str
    status: Literal["ok", "problem", "note"]
    detail: str
    remedy: str = ""


@app.command(epilog=examples("skillagent doctor", "skillagent doctor --deep --json"))
def doctor(
    ctx: typer.Context,
    deep: Annotated[bool, typer.Option("--deep", help="Load the model and ask it for one word.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check every part that is needed, and say how to mend it.

    Exits with 1 when something is missing that is needed.
    """
    parts = parts_of(ctx)
    settings = parts.settings()
    found = []
    for finding in findings(parts, settings, deep=deep):
        found.append(finding)
        if not as_json:
            mark = {"ok": "ok      ", "problem": "PROBLEM ", "note": "note    "}[finding.status]
            say(f"{mark} {finding.name:<10} {finding.detail}")
            if finding.remedy:
                say(f"{'':<20}→ {finding.remedy}")
    if as_json:
        emit([finding.__dict__ for finding in found])
    if any(finding.status == "problem" for finding in found):
        raise typer.Exit(Exit.FAILED)


def findings(parts: Parts, settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Yield what each check finds, one after the other; a check that breaks is a problem, not an end."""
    yield _python()
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("browser", lambda: _browser(settings)),
        ("pages", _pages),
        ("drawing", _drawing),
        ("model", lambda: _model(settings, deep=deep)),
        ("embedder", lambda: _embedder(settings)),
        ("store", lambda: _store(parts, settings)),
        ("vectors", lambda: _vectors(settings)),
    )
    for name, check in checks:
        yield _found(name, check)


def _found(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", check())
    except Exception as error:  # whatever is broken on a strange machine is what this command is for
        lines = str(error).strip().splitlines()
        text = lines[0] if lines else type(error).__name__
        status: Literal["problem", "note"] = "note" if name in _OPTIONAL else "problem"
        if told := _TOLD.search(text):
            return Finding(name, status, text[: told.start()], told.group(1))
        return Finding(name, status, text, _REMEDIES.get(name, ""))


_OPTIONAL = ("pages", "drawing")  # only some tasks need them
_TOLD = re.compile(r"[;:] ((?:run `|pip install |set |correct ).*)$")  # most messages end with their own remedy


_REMEDIES = {
    "browser": "run `playwright install chromium`, or install the package `chromium`, or set SKILLAGENT_CHROMIUM",
    "model": "set SKILLAGENT_MODEL, e.g. local/qwen2.5-coder-1.5b, and run `skillagent models pull qwen2.5-coder-1.5b`",
    "embedder": "run `skillagent models pull minilm-int8`",
    "store": "look at the file that is named; the ledger is plain text, one event a line",
    "vectors": "delete the folder `vectors` in the memory folder: it is rebuilt; or correct SKILLAGENT_CHROMA_URL",
}


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= MINIMUM:
        return Finding("python", "ok", version)
    return Finding("python", "problem", version, f"install Python {MINIMUM[0]}.{MINIMUM[1]} or newer")


def _browser(settings: Settings) -> str:
    from skillagent.envs.web.browser import Browser, Launch

    browser = Browser(Launch(executable=settings.chromium))
    try:
        return f"Chromium {browser.call(lambda running: running.version, timeout_s=60)} starts"
    finally:
        browser.close()


def _pages() -> str:
    from skillagent.envs.web.miniwob import tasks

    return f"{len(tasks())} MiniWoB++ pages"


def _drawing() -> str:
    from skillagent.config import draw_without_a_screen
    from skillagent.envs.tabletop.table import Table

    how = draw_without_a_screen() or "the system"
    return f"robots are drawn by {how}, {len(Table(()).picture()) / 1000:.0f} kB a picture"


def _model(settings: Settings, *, deep: bool) -> str:
    import importlib.util

    from skillagent.build import language_model
    from skillagent.errors import ConfigError
    from skillagent.schema import Message, Role

    model = language_model(settings)
    if model.name.startswith("local/") and importlib.util.find_spec("llama_cpp") is None:
        raise ConfigError("llama-cpp-python is not installed: pip install 'skillagent[local]'")
    if not deep:
        return f"{model.name} is set up; --deep asks it"
    reply = model.reply([Message.user("Say: yes")], role=Role.ACTOR, max_tokens=2)
    return f"{model.name} answers ({reply.usage.seconds:.1f} s)"


def _embedder(settings: Settings) -> str:
    from skillagent.build import embedder

    found = embedder(settings)
    rows = found.embed(["Press the button."])
    return f"{found.name}, {rows.shape[1]} dimensions"


def _store(parts: Parts, settings: Settings) -> str:
    from skillagent.errors import StoreBusy

    store = parts.store(settings)
    library = store.load()
    events = sum(1 for _ in store.events())
    lock = settings.memory / "store.lock"
    if lock.exists():
        from filelock import FileLock, Timeout

        try:
            with FileLock(lock, timeout=0.1):
                pass
        except Timeout:
            raise StoreBusy(f"{lock} is held by another process that is writing; wait until it is done") from None
    kinds = f"{len(library.skills)} skills, {len(library.insights)} insights, {len(library.demonstrations)} examples"
    return f"{kinds}, {events} events in {settings.memory}"


def _vectors(settings: Settings) -> str:
    from skillagent.build import vector_cache

    if settings.chroma_url:
        from urllib.request import urlopen

        with urlopen(f"{settings.chroma_url.rstrip('/')}/api/v2/heartbeat", timeout=3):  # noqa: S310 - the operator's
            pass
    cache = vector_cache(settings, read_only=True)
    cache.vectors(["Press the button."])
    return settings.chroma_url or f"{settings.memory / 'vectors'}{_size(settings)}"


def _size(settings: Settings) -> str:
    folder = settings.memory / "vectors"
    if not folder.is_dir():
        return ", empty so far"
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return f", {size / 1e6:.1f} MB"
