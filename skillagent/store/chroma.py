"""Chroma: opening one, embedded or as a server, and knowing whether it can be trusted.

A kill while an embedded Chroma flushes can leave files on which it fails for ever, or on which its native code brings
down the process that reads them, even after another process has read them well. So a folder that was not closed is
never opened: a writer takes away the `clean` mark when it opens a folder, and puts it back with the sizes and times of
all files when it closes it; where the mark is missing or does not fit, the folder is built anew, with a warning. What a
reader would get wrong: Chroma's `count` still answers when vectors are lost, so only reading them back proves anything.

Which texts the vectors belong to, and what to do without them, is for `vectors`.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from filelock import FileLock, Timeout

from skillagent.errors import ConfigError
from skillagent.ports import Vectors

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_log = logging.getLogger("skillagent.store")

PAGE = 1_000


class Chroma:
    """One collection of an open Chroma. Every method may raise whatever Chroma raises (see `is_fault`)."""

    def __init__(
        self,
        client: ClientAPI,
        collection: str,
        *,
        embedder: str,
        folder: Path | None = None,
        lock: FileLock | None = None,
    ) -> None:
        self._client = client
        self._folder = folder
        self._lock = lock
        self._pid = os.getpid()
        self._closed = False
        self._collection = client.get_or_create_collection(
            collection,
            embedding_function=None,
            metadata={"embedder": embedder},
            configuration={"hnsw": {"space": "ip"}},  # of unit vectors; "cosine" would alter their last bits
        )

    @property
    def ours(self) -> bool:
        """False in a forked child, which must leave the parent's Chroma alone."""
        return self._pid == os.getpid()

    def count(self) -> int:
        """Return how many vectors Chroma believes it has."""
        return self._collection.count()

    def pages(self, *, at_most: int) -> Iterator[tuple[list[str], Vectors]]:
        """Read everything back, page by page; of more than `at_most` vectors only a first and a last page.

        Raises:
            ValueError: Vectors are missing or not of unit length.
        """
        count = self.count()
        for start in range(0, count, PAGE) if count <= at_most else (0, count - PAGE):
            found: Any = self._collection.get(include=["embeddings"], limit=PAGE, offset=start)
            rows = np.asarray(found["embeddings"], dtype=np.float32)
            if len(rows) != min(PAGE, count - start):
                raise ValueError(f"{len(rows)} vectors from {start} on, of {count}")
            check_unit(rows)
            if start == 0:
                self.near(rows[0], 1)
            yield found["ids"], rows

    def ids(self) -> list[str]:
        """Return the ids of all vectors, without reading these."""
        found: list[str] = self._collection.get(include=[])["ids"]
        return found

    def get(self, ids: Sequence[str]) -> Iterator[tuple[list[str], Vectors]]:
        """Yield those of the vectors that are there."""
        for start in range(0, len(ids), PAGE):
            found: Any = self._collection.get(ids=list(ids[start : start + PAGE]), include=["embeddings"])
            if found["ids"]:
                rows = np.asarray(found["embeddings"], dtype=np.float32)
                check_unit(rows)
                yield found["ids"], rows

    def put(self, ids: Sequence[str], rows: Vectors) -> None:
        """Keep the vectors."""
        for start in range(0, len(ids), PAGE):
            self._collection.upsert(ids=list(ids[start : start + PAGE]), embeddings=rows[start : start + PAGE])

    def near(self, query: Vectors, top: int) -> list[tuple[str, float]]:
        """Return ids and cosines, the nearest first, by Chroma's index."""
        found: Any = self._collection.query(query_embeddings=query[np.newaxis], n_results=top, include=["distances"])
        return [(key, 1.0 - float(far)) for key, far in zip(found["ids"][0], found["distances"][0], strict=True)]

    def close(self, *, clean: bool = True) -> None:
        """Let go of it, and mark its folder as `clean`; a second call, or one in a forked child, does nothing."""
        if self._closed or not self.ours:
            return
        self._closed = True
        with suppress(Exception):
            _close(self._client)
            if clean and self._folder is not None:
                _mark_of(self._folder).write_text(json.dumps(_fingerprint(self._folder)), encoding="utf-8")
        if self._lock is not None:
            self._lock.release()


def open_server(url: str, collection: str, *, embedder: str) -> Chroma:
    """Return the collection on a server.

    Raises:
        ConfigError: It does not answer, or the URL is none.
    """
    import chromadb

    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port, secure = parts.hostname or "localhost", parts.port, parts.scheme == "https"
    except ValueError as error:
        raise ConfigError(f"{url!r} is no address of a Chroma server ({error}): write http://HOST:PORT") from error
    try:
        client = chromadb.HttpClient(host, port or (443 if secure else 8000), ssl=secure, settings=_settings())
        return Chroma(client, collection, embedder=embedder)
    except Exception as error:  # chromadb raises ValueError, its own errors and httpx's
        raise ConfigError(
            f"no Chroma server answers at {url} ({brief(error)}): start one with "
            "`chroma run --path FOLDER --port PORT`, or take the setting away to use a folder"
        ) from error


def open_folder(path: Path, collection: str, *, embedder: str) -> Chroma | None:
    """Return the collection in `path/chroma`, which has been read back or built anew; None while another has it."""
    path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / "writer.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        _log.info("%s: another process writes the vector cache; new vectors stay in memory", path)
        return None
    folder = path / "chroma"
    try:
        trouble = None if _is_clean(folder) else "not closed by its last writer, or changed since"
        if trouble is None:
            try:
                return _connect(folder, collection, embedder, lock)
            except BaseException as error:
                if not is_fault(error):
                    raise
                trouble = brief(error)
        return _rebuilt(folder, collection, embedder, lock, trouble)
    except BaseException:
        lock.release()
        raise


def reopen(chroma: Chroma, trouble: BaseException, collection: str, *, embedder: str) -> Chroma:
    """Return an empty collection in the place of one that could not be read, with a warning."""
    folder, lock = chroma._folder, chroma._lock
    assert folder is not None
    assert lock is not None
    with suppress(Exception):
        _close(chroma._client)
    return _rebuilt(folder, collection, embedder, lock, brief(trouble))


def is_fault(error: BaseException) -> bool:
    """Tell a failure from a person's interrupt: a panic in Chroma's native code is no Exception."""
    return not isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)


def brief(error: BaseException) -> str:
    """Return the error in one short line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def check_unit(rows: Vectors) -> None:
    """Raise ValueError unless every row has unit length."""
    if rows.ndim != 2 or not np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-2):
        raise ValueError("vectors that are not of unit length")


def _connect(folder: Path, collection: str, embedder: str, lock: FileLock | None) -> Chroma:
    import chromadb

    folder.mkdir(parents=True, exist_ok=True)
    _mark_of(folder).unlink(missing_ok=True)
    client = chromadb.PersistentClient(str(folder), settings=_settings())
    try:
        return Chroma(client, collection, embedder=embedder, folder=folder, lock=lock)
    except BaseException:
        with suppress(Exception):  # or the next client in this process would be given the same broken parts
            _close(client)
        raise


def _rebuilt(folder: Path, collection: str, embedder: str, lock: FileLock, trouble: str) -> Chroma:
    _log.warning("%s: the vector cache cannot be trusted (%s); built anew", folder, trouble)
    shutil.rmtree(folder)
    return _connect(folder, collection, embedder, lock)


def _close(client: ClientAPI) -> None:
    servers = [getattr(part, "_server", None) for part in (client, getattr(client, "_admin_client", None))]
    client.close()  # type: ignore[attr-defined]
    for server in servers:  # Chroma's HTTP client leaves the connections of both its parts open
        if (session := getattr(server, "_session", None)) is not None:
            session.close()


def _settings() -> Any:  # noqa: ANN401  # chromadb's own type, imported only when it is used
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


# ── Trust ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _mark_of(folder: Path) -> Path:
    return folder.with_name("clean")


def _fingerprint(folder: Path) -> list[list[str | int]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [[str(p.relative_to(folder)), p.stat().st_size, p.stat().st_mtime_ns] for p in files]


def _is_clean(folder: Path) -> bool:
    if not folder.exists():
        return True
    try:
        return bool(json.loads(_mark_of(folder).read_text(encoding="utf-8")) == _fingerprint(folder))
    except (OSError, ValueError):
        return False
