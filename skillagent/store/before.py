"""Before: what happened to a library before it was copied, kept in the copy beside a ledger of its own.

What was learnt from the past, how it went and what solved what, is as true of the copy; what it cost and what can be
undone is not, so this is no part of the copy's ledger and nothing writes to it after the copy was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import chain
from pathlib import Path

from skillagent.schema import Event
from skillagent.store.ledger import Ledger

FILE = "before.jsonl"  # in the memory folder of a copy


def history(
    memory: Path, events: Callable[[], Iterable[Event]], *, once: bool = False
) -> Callable[[], Iterable[Event]]:
    """Return what tells of all that happened to a library, oldest first, also before it was copied.

    Args:
        memory: Its folder.
        events: Tells of what happened since.
        once: Tell ever after what there was when first asked, whatever others write.
    """
    before = cache(Ledger(memory / FILE).events)

    def told() -> Iterable[Event]:
        return chain(before(), events())

    return cache(lambda: tuple(told())) if once else told


def keep(memory: Path, copy: Path) -> None:
    """In the memory folder `copy` stands what happened in `memory` so far, and before; no file where nothing did."""
    files = (file for file in (memory / FILE, memory / "ledger.jsonl") if file.is_file())
    if lines := b"".join(content[: content.rfind(b"\n") + 1] for content in (file.read_bytes() for file in files)):
        (copy / FILE).write_bytes(lines)
