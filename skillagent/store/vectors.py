"""Vectors: texts are embedded once and their vectors kept, under the digest of the text, in a cache that may be lost.

The cache is Chroma, embedded in a folder or as a server (`chroma` opens it and mends it). Beside an embedded one lies a
snapshot in numpy's format: read-only processes read that, never the writer's Chroma, and a rebuild starts from it. What
a reader would get wrong: only one process writes; a second one that opens the same folder finds the lock taken and
keeps its new vectors in memory.

Losing any of it costs time and never knowledge. What is similar enough is not decided here.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skillagent.ports import Embedder, Vectors
from skillagent.schema import content_id
from skillagent.store.chroma import Chroma, brief, check_unit, is_fault, open_folder, open_server, reopen

_log = logging.getLogger("skillagent.store")

WHOLE_BELOW = 50_000


class MemoryVectors:
    """Vectors kept for the life of the process."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._table = _Table()

    @property
    def name(self) -> str:
        """The embedder's name."""
        return self._embedder.name

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, shape (len(texts), d); each text is embedded once."""
        ids = [content_id(text) for text in texts]
        self._compute(ids, texts)
        return self._table.take(ids) if ids else self._embedder.embed(texts)

    def _compute(self, ids: Sequence[str], texts: Sequence[str]) -> list[str]:
        """Embed what the table lacks and return the new ids."""
        missing = {key: text for key, text in zip(ids, texts, strict=True) if key not in self._table}
        if missing:
            rows = np.asarray(self._embedder.embed(list(missing.values())), dtype=np.float32)
            if self._table.width not in (None, rows.shape[1]):
                _log.warning("%s: cached vectors have another width; embedded anew", self._embedder.name)
                self._forget()
                return self._compute(ids, texts)
            self._table.add(list(missing), rows)
        return list(missing)

    def _forget(self) -> None:
        """Let go of all vectors."""
        self._table = _Table()


class ChromaVectors(MemoryVectors):
    """Vectors kept in Chroma, in the folder `path` or on the server at `url`; opened at the first use.

    Args:
        embedder: Its name chooses the collection.
        path: The cache's own folder. It may be deleted whenever no process uses it.
        url: A Chroma server, e.g. `http://localhost:8000`; goes before `path`.
        read_only: Write nothing. With a folder: read its snapshot only, and compute the rest in memory.
        whole_below: Up to so many vectors are all read back when a folder is opened. Of more the snapshot is read, and
            what it lacks when it is asked for.
    """

    def __init__(
        self,
        embedder: Embedder,
        *,
        path: Path | None = None,
        url: str | None = None,
        read_only: bool = False,
        whole_below: int = WHOLE_BELOW,
    ) -> None:
        super().__init__(embedder)
        self._path = None if url else path
        self._url = url
        self._read_only = read_only
        self._whole_below = whole_below
        self._slug = content_id(embedder.name)[:16]
        self._opened = False
        self._whole = True
        self._chroma: Chroma | None = None
        self._unkept = set[str]()  # what the table has and Chroma may not have
        self._in_snapshot = 0
        self._writes_snapshot = True

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, shape (len(texts), d), computing and keeping those not yet known.

        Raises:
            ConfigError: The server at `url` does not answer.
        """
        self._open()
        ids = [content_id(text) for text in texts]
        self._fetch(ids)
        if new := self._compute(ids, texts):
            self._keep(new)
        return self._table.take(ids) if ids else self._embedder.embed(texts)

    def near(self, query: Vectors, top: int) -> list[tuple[str, float]] | None:
        """Return the `content_id`s of the `top` nearest texts, with their cosines, by Chroma's index.

        It may miss a few. None where there is no Chroma to ask, or it has not all that was asked for: without a folder,
        beside another writer, for a reader, or after a fault.

        Args:
            query: One unit row, shape (d,).
            top: At least 1.
        """
        self._open()
        if self._chroma is None or self._unkept:
            return None
        try:
            return self._chroma.near(query, top)
        except BaseException as error:
            self._give_up(error)
            return None

    def close(self) -> None:
        """Leave a snapshot and let go of the folder or the server; a second call does nothing."""
        if self._chroma is not None and self._chroma.ours:
            self._leave_snapshot()
            self._chroma.close()
        self._chroma, self._opened, self._table = None, False, _Table()
        self._unkept.clear()

    def _open(self) -> None:
        if self._opened:
            if self._chroma is not None and not self._chroma.ours:
                self._chroma, self._whole = None, True
            return
        self._whole, self._in_snapshot, self._writes_snapshot = True, 0, True
        names = {"collection": f"v1-{self._slug}", "embedder": self._embedder.name}
        if self._url:
            self._chroma, self._whole = open_server(self._url, **names), False
        elif self._path is not None:
            self._chroma = None if self._read_only else open_folder(self._path, **names)
            held = set[str]()
            if self._chroma is not None:
                self._chroma, held = self._read_back(self._chroma, **names)
            self._read_snapshot()
            if lacking := [key for key in self._table.ids if key not in held]:
                self._keep(lacking)
        if self._chroma is not None:
            weakref.finalize(self, self._chroma.close)
        self._opened = True

    def _read_back(self, chroma: Chroma, *, collection: str, embedder: str) -> tuple[Chroma, set[str]]:
        """Return it, or one that is built anew where it cannot be trusted, and the ids that it holds."""
        try:
            self._whole = chroma.count() <= self._whole_below
            for ids, rows in chroma.pages(at_most=self._whole_below):
                self._table.add(ids, rows)
            return chroma, set(self._table.ids if self._whole else chroma.ids())
        except BaseException as error:
            if not is_fault(error):
                raise
            self._table, self._whole = _Table(), True
            return reopen(chroma, error, collection, embedder=embedder), set()

    def _fetch(self, ids: Sequence[str]) -> None:
        """Bring into memory what only Chroma has."""
        if self._whole or self._chroma is None:
            return
        try:
            for found, rows in self._chroma.get([key for key in dict.fromkeys(ids) if key not in self._table]):
                self._table.add(found, rows)
        except BaseException as error:
            self._give_up(error)

    def _keep(self, ids: Sequence[str]) -> None:
        self._unkept.update(ids)
        if self._chroma is None or self._read_only:
            return
        try:
            self._chroma.put(ids, self._table.take(ids))
        except BaseException as error:
            self._give_up(error)
            return
        self._unkept.difference_update(ids)
        if len(self._table) > 1.1 * self._in_snapshot:
            self._leave_snapshot()

    def _give_up(self, error: BaseException) -> None:
        """Go on without Chroma; the next process that opens it will mend it."""
        if not is_fault(error):
            raise error
        _log.warning("the vector cache failed (%s); going on in memory", brief(error))
        self._whole = True
        if self._chroma is not None:
            self._chroma.close(clean=False)
        self._chroma = None

    def _forget(self) -> None:
        super()._forget()
        self._in_snapshot = 0
        if self._path is not None and not self._read_only and self._chroma is not None:
            self._snapshot.unlink(missing_ok=True)

    # ── The snapshot ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _leave_snapshot(self) -> None:
        """The snapshot holds the table, if that has all of the one before; of a large cache, what was asked for."""
        if self._path is None or not (self._opened and self._writes_snapshot):
            return
        if len(self._table) <= self._in_snapshot:
            return
        ids, temporary = self._table.ids, self._snapshot.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.savez(file, ids=np.array(ids, dtype="S32"), rows=self._table.take(ids))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._snapshot)
        self._in_snapshot = len(ids)

    @property
    def _snapshot(self) -> Path:
        assert self._path is not None
        return self._path / f"{self._slug}.npz"

    def _read_snapshot(self) -> None:
        """Add what the snapshot has and the table lacks."""
        try:
            with np.load(self._snapshot, allow_pickle=False) as content:
                ids, rows = [key.decode("ascii") for key in content["ids"]], content["rows"]
            check_unit(rows)
            if len(ids) != len(rows):
                raise ValueError(f"{len(ids)} names for {len(rows)} vectors")
        except FileNotFoundError:
            return
        except Exception as error:  # a flipped bit makes zipfile and numpy raise anything
            _log.warning("%s: not readable (%s); left out", self._snapshot, brief(error))
            self._writes_snapshot = not isinstance(error, OSError | MemoryError)  # it may be whole
            return
        if self._table.width in (None, rows.shape[1]):
            self._in_snapshot = len(ids)
            fresh = [i for i, key in enumerate(ids) if key not in self._table]
            self._table.add([ids[i] for i in fresh], rows[fresh])


class _Table:
    """Rows by content id, in one growing array."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._rows: Vectors | None = None

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, key: str) -> bool:
        return key in self._index

    @property
    def ids(self) -> list[str]:
        return list(self._index)

    @property
    def width(self) -> int | None:
        return None if self._rows is None else self._rows.shape[1]

    def add(self, ids: Sequence[str], rows: Vectors) -> None:
        for row, key in zip(rows, ids, strict=True):
            if self._rows is None:
                self._rows = np.zeros((256, len(row)), dtype=np.float32)
            if len(self._index) == len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            at = self._index.setdefault(key, len(self._index))
            self._rows[at] = row

    def take(self, ids: Sequence[str]) -> Vectors:
        assert self._rows is not None
        return self._rows[[self._index[key] for key in ids]]
