"""Lock: one writer at a time in a memory folder, whatever it writes there. The lock goes with the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from skillagent.errors import StoreBusy
from skillagent.store import folders


@contextmanager
def locked(memory: Path, *, wait_s: float = 10.0) -> Iterator[None]:
    """Hold the writer's lock of a folder, which is made if it is not there.

    Raises:
        StoreBusy: Another process still holds it after `wait_s` seconds.
    """
    folders.make_folder(memory)
    path = memory / "store.lock"
    lock = FileLock(path, timeout=wait_s, poll_interval=0.01)
    try:
        lock.acquire()
    except Timeout as error:
        raise StoreBusy(
            f"{path}: another process has been writing for {wait_s:g} s; wait until it is done, "
            "or stop it (the lock goes with the process)"
        ) from error
    try:
        yield
    finally:
        lock.release()
