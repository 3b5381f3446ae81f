"""The vector cache: a real Chroma, in a folder, killed, damaged and as a server; losing it costs time only."""

import contextlib
import multiprocessing
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import chromadb
import numpy as np
import pytest

from skillagent.errors import ConfigError
from skillagent.schema import content_id
from skillagent.store.chroma import Chroma
from skillagent.store.vectors import ChromaVectors, MemoryVectors
from skillagent.testing import HashEmbedder

TEXTS = [f"word{i} and {i % 7} of {i // 3}" for i in range(300)]


class Counting:
    """An embedder that knows how many texts it was given; every text has its own direction."""

    name = "counting-32"

    def __init__(self):
        self.asked = 0

    def embed(self, texts):
        self.asked += len(texts)
        rows = [np.random.default_rng(int(content_id(text)[:8], 16)).normal(size=32) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32).reshape(-1, 32)


class Wide:
    """An embedder of one name whose vectors have some width."""

    name = "wide"

    def __init__(self, width):
        self.width, self.asked = width, 0

    def embed(self, texts):
        self.asked += len(texts)
        rows = [np.random.default_rng(int(content_id(text)[:8], 16)).normal(size=self.width) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32).reshape(-1, self.width)


@pytest.fixture
def embedder():
    return Counting()


@pytest.fixture
def open_cache(embedder):
    opened = []

    def make(**options):
        opened.append(ChromaVectors(embedder, **options))
        return opened[-1]

    yield make
    for cache in opened:
        cache.close()


# ── Keeping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_in_memory_each_text_is_embedded_once_and_rows_follow_the_texts(embedder):
    cache = MemoryVectors(embedder)

    rows = cache.vectors(["a", "b", "a"])
    again = cache.vectors(["b", "c"])

    assert rows.tolist() == embedder.embed(["a", "b", "a"]).tolist()
    assert again[0].tolist() == rows[1].tolist()
    assert embedder.asked - 3 == 3
    assert cache.vectors([]).shape == (0, 32)


def test_a_folder_remembers_vectors_and_nothing_is_made_before_the_first_use(tmp_path, embedder, open_cache):
    cache = open_cache(path=tmp_path / "vectors")
    assert not (tmp_path / "vectors").exists()
    rows = cache.vectors(TEXTS)
    assert np.array_equal(rows, Counting().embed(TEXTS))
    cache.close()

    again = open_cache(path=tmp_path / "vectors").vectors([*TEXTS[::-1], "new"])

    assert np.array_equal(again[:-1], rows[::-1])
    assert embedder.asked == len(TEXTS) + 1


def test_each_embedder_has_its_own_vectors(tmp_path, open_cache):
    open_cache(path=tmp_path).vectors(["a"])
    other = ChromaVectors(HashEmbedder(), path=tmp_path / "other")

    assert other.vectors(["a"]).shape == (1, 64)
    other.close()


def test_deleting_the_folder_is_harmless(tmp_path, embedder, open_cache, caplog):
    cache = open_cache(path=tmp_path / "vectors")
    rows = cache.vectors(TEXTS)
    cache.close()
    shutil.rmtree(tmp_path / "vectors")

    assert np.array_equal(open_cache(path=tmp_path / "vectors").vectors(TEXTS), rows)
    assert embedder.asked == 2 * len(TEXTS)
    assert caplog.messages == []


def test_read_only_use_takes_the_snapshot_and_never_touches_the_writers_folder(tmp_path, embedder, open_cache):
    rows = open_cache(path=tmp_path).vectors(TEXTS)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    reader = open_cache(path=tmp_path, read_only=True)
    assert np.array_equal(reader.vectors([*TEXTS, "new"])[:-1], rows)

    assert embedder.asked == len(TEXTS) + 1
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_read_only_use_of_no_folder_makes_none(tmp_path, open_cache):
    assert open_cache(path=tmp_path / "none", read_only=True).vectors(["a"]).shape == (1, 32)
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_keeps_its_vectors_in_memory(tmp_path, embedder, open_cache):
    rows = open_cache(path=tmp_path).vectors(TEXTS)

    second = open_cache(path=tmp_path)

    assert np.array_equal(second.vectors([*TEXTS, "new"])[:-1], rows)
    assert embedder.asked == len(TEXTS) + 1


def test_a_forked_child_leaves_the_parents_folder_alone(tmp_path, open_cache):
    cache = open_cache(path=tmp_path)
    cache.vectors(TEXTS)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    def child():
        ok = np.array_equal(cache.vectors([*TEXTS, "new"])[:-1], Counting().embed(TEXTS))
        cache.close()
        os._exit(0 if ok else 1)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()

    assert process.exitcode == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


# ── Damage ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _index_files(path, name):
    return list((path / "chroma").glob(f"*/{name}"))


@pytest.mark.parametrize("damage", ["junk in the database", "a cut index", "no index", "no snapshot, junk"])
def test_a_damaged_folder_is_built_anew_with_a_warning(tmp_path, embedder, open_cache, caplog, damage):
    texts = [f"text {i}" for i in range(1200)]
    cache = open_cache(path=tmp_path)
    rows = cache.vectors(texts)
    cache.close()
    assert _index_files(tmp_path, "data_level0.bin"), "so many vectors make Chroma write its index"
    match damage:
        case "junk in the database":
            (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"junk" * 5000)
        case "a cut index":
            _index_files(tmp_path, "data_level0.bin")[0].write_bytes(b"x" * 100)
        case "no index":
            shutil.rmtree(_index_files(tmp_path, "header.bin")[0].parent)
        case "no snapshot, junk":
            (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"junk" * 5000)
            next(tmp_path.glob("*.npz")).write_bytes(b"not a zip")

    assert np.array_equal(open_cache(path=tmp_path).vectors(texts), rows)

    assert "the vector cache cannot be trusted" in caplog.text
    assert "built anew" in caplog.text
    lost = "no snapshot" in damage
    assert embedder.asked == (2 if lost else 1) * len(texts)
    assert ("npz: not readable" in caplog.text) == lost


_ADD_FOR_EVER = """
import logging, sys, pathlib, numpy as np
from skillagent.store.chroma import Chroma
from skillagent.store.vectors import ChromaVectors
logging.disable()
class Wide:
    name = "wide"
    def embed(self, texts):
        rows = np.random.default_rng(0).normal(size=(len(texts), 384)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
cache = ChromaVectors(Wide(), path=pathlib.Path(sys.argv[1]))
for i in range(1_000_000):
    cache.vectors([f"{sys.argv[2]} {i} {j}" for j in range(250)])
"""


_READ = """
import pathlib, sys, chromadb
client = chromadb.PersistentClient(sys.argv[1], settings=chromadb.config.Settings(anonymized_telemetry=False))
for collection in client.list_collections():
    rows = collection.get(include=["embeddings"])["embeddings"]
    collection.query(query_embeddings=rows[:1], n_results=1)
    assert len(rows) == collection.count()
"""


def _kill_while_flushing(path, run, rng):
    """Kill a writer when the index files, which Chroma flushes every 1,000 vectors, have changed a few times."""
    child = subprocess.Popen([sys.executable, "-c", _ADD_FOR_EVER, path, str(run)])
    last, changes, left = None, 0, rng.randrange(5, 8)
    deadline = time.monotonic() + 60
    while changes < left and child.poll() is None and time.monotonic() < deadline:
        now = _index_state(path)
        last, changes = now, changes + (now != last)
    child.kill()
    child.wait()


def _index_state(path):
    found = []
    for file in (path / "chroma").glob("*/*"):
        with contextlib.suppress(FileNotFoundError):
            found.append((file.name, file.stat().st_size, file.stat().st_mtime_ns))
    return found


@pytest.mark.slow
def test_a_writer_killed_while_chroma_flushes_is_recovered_from_in_bounded_time(tmp_path, open_cache, caplog):
    """Kill until plain Chroma cannot read what is left (about every second time), for 12 s at most; mend each time."""
    rng, start, broken, tries = random.Random(0), time.monotonic(), False, 0
    while not broken and time.monotonic() - start < 12:
        path, copy = tmp_path / f"cache-{tries}", tmp_path / f"copy-{tries}"
        _kill_while_flushing(path, tries, rng)
        shutil.copytree(path / "chroma", copy)
        plain = subprocess.run([sys.executable, "-c", _READ, copy], capture_output=True, timeout=60)
        broken = plain.returncode != 0
        tries += 1

        caplog.clear()
        opening = time.monotonic()
        cache = open_cache(path=path)
        assert np.array_equal(cache.vectors(TEXTS), Counting().embed(TEXTS))
        assert time.monotonic() - opening < 30
        cache.close()
        assert "the vector cache cannot be trusted (not closed by its last writer" in caplog.text
    caplog.clear()
    assert np.array_equal(open_cache(path=path).vectors(TEXTS), Counting().embed(TEXTS))
    assert caplog.messages == [], "what was mended stays mended"


# ── A large cache, and a server ──────────────────────────────────────────────────────────────────────────────────────


def test_the_index_knows_what_is_kept_and_what_is_near(tmp_path, embedder, open_cache):
    texts = [f"text {i}" for i in range(1500)]
    cache = open_cache(path=tmp_path)
    rows, ids = cache.vectors(texts), [content_id(text) for text in texts]
    assert cache.near(rows[7], 3)[0] == (ids[7], pytest.approx(1.0, abs=1e-4)), "at once"
    cache.close()

    large = open_cache(path=tmp_path, whole_below=100)
    near = [ids[n] for n in np.argsort(-(rows @ rows[7]))[:5]]
    assert len(set(near) & {key for key, _ in large.near(rows[7], 5)}) >= 4
    assert len(large.near(rows[7], 5000)) <= 1500
    assert np.array_equal(large.vectors(texts), rows)
    assert embedder.asked == len(texts)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, PermissionError, MemoryError])
@pytest.mark.parametrize("large", [False, True])
def test_what_stops_the_opening_takes_nothing_out_of_the_snapshot(
    tmp_path, embedder, open_cache, monkeypatch, fault, large
):
    texts = [f"text {i}" for i in range(2500)]
    cache = open_cache(path=tmp_path)
    cache.vectors(texts)
    cache.close()

    with monkeypatch.context() as patched:
        patched.setattr(np, "load", lambda *_, **__: (_ for _ in ()).throw(fault))
        broken = open_cache(path=tmp_path, whole_below=100 if large else 5000)
        with contextlib.suppress(KeyboardInterrupt):
            broken.vectors([*texts[:10], "new"])
        broken.close()

    asked = embedder.asked
    assert np.array_equal(open_cache(path=tmp_path, read_only=True).vectors(texts), Counting().embed(texts))
    assert embedder.asked == asked


def test_an_embedder_whose_vectors_have_another_width_is_begun_anew(tmp_path, caplog):
    cache = ChromaVectors(Wide(16), path=tmp_path)
    cache.vectors(TEXTS)
    cache.close()
    for texts in (["one more"], TEXTS):
        cache = ChromaVectors(Wide(32), path=tmp_path)
        assert cache.vectors(texts).shape[1] == 32
        cache.close()
    caplog.clear()
    again = ChromaVectors(last := Wide(32), path=tmp_path)
    assert again.vectors(TEXTS).shape[1] == 32
    again.close()
    assert (last.asked, caplog.messages) == (0, []), "what was mended stays mended"


def test_a_large_cache_is_not_written_again_when_it_is_opened_and_leaves_what_came_since(
    tmp_path, embedder, open_cache, monkeypatch
):
    texts = [f"text {i}" for i in range(2500)]
    cache = open_cache(path=tmp_path)
    cache.vectors(texts)
    cache.close()
    put, keep = [], Chroma.put
    monkeypatch.setattr(Chroma, "put", lambda self, ids, rows: (put.extend(ids), keep(self, ids, rows)))

    large = open_cache(path=tmp_path, whole_below=100)
    large.vectors([*texts, "new"])
    assert put == [content_id("new")]
    large.close()

    asked = embedder.asked
    open_cache(path=tmp_path, read_only=True).vectors([*texts, "new"])
    assert embedder.asked == asked


def test_without_a_chroma_to_ask_there_is_no_index(tmp_path, embedder, open_cache):
    row = embedder.embed(["a"])[0]
    first = open_cache(path=tmp_path)
    first.vectors(["a"])

    assert not hasattr(MemoryVectors(embedder), "near")
    assert open_cache(path=tmp_path).near(row, 1) is None, "another one writes"
    assert open_cache(path=tmp_path, read_only=True).near(row, 1) is None


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        Path(sys.executable).parent / "chroma",
        "run",
        "--path",
        folder,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_for(port, process):
    """The server answers. Between two looks at its port its end is waited for, which would be the end of the test."""
    for _ in range(600):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"chroma run did not start: it ended with {process.wait(timeout=0.05)}")
    raise AssertionError("chroma run did not start")


def test_a_server_keeps_vectors_for_several_processes(server, embedder, open_cache):
    rows = open_cache(url=server).vectors(TEXTS)
    assert np.array_equal(rows, Counting().embed(TEXTS))

    other = open_cache(url=server, read_only=True)
    ids = [content_id(text) for text in TEXTS]

    assert np.array_equal(other.vectors(TEXTS[::-1]), rows[::-1])
    assert embedder.asked == len(TEXTS)
    assert other.near(rows[9], 2)[0] == (ids[9], pytest.approx(1.0, abs=1e-4))
    other.vectors(["what a reader asks for is not kept"])
    assert other.near(rows[9], 2) is None


def test_read_only_use_of_a_server_writes_nothing(server, embedder, open_cache):
    open_cache(url=server, read_only=True).vectors(["only read"])
    embedder.asked = 0

    open_cache(url=server).vectors(["only read"])

    assert embedder.asked == 1


def test_a_server_that_does_not_answer_is_the_operators_to_start(open_cache):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"

        with pytest.raises(ConfigError, match=r"no Chroma server answers at .*`chroma run"):
            open_cache(url=url).vectors(["a"])


@pytest.mark.parametrize("url", ["http://localhost:80a", "localhost:99999", "http://[1"])
def test_what_is_no_address_of_a_server_is_the_operators_to_mend(open_cache, url):
    with pytest.raises(ConfigError, match=r"is no address of a Chroma server.*http://HOST:PORT"):
        open_cache(url=url).vectors(["a"])


def test_a_collection_that_fails_later_is_left_and_work_goes_on_in_memory(tmp_path, open_cache, caplog):
    cache = open_cache(path=tmp_path)
    cache.vectors(TEXTS)
    client = chromadb.PersistentClient(
        str(tmp_path / "chroma"), settings=chromadb.config.Settings(anonymized_telemetry=False)
    )
    for collection in client.list_collections():
        client.delete_collection(collection.name)
    client.close()

    assert cache.near(Counting().embed(["new"])[0], 3) is None

    assert "going on in memory" in caplog.text
    rows = cache.vectors([*TEXTS, "new"])
    assert np.array_equal(rows, Counting().embed([*TEXTS, "new"]))
    assert cache.near(rows[0], 3) is None
