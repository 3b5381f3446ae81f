"""Trainings: lines of JSON in the memory folder, written whole, and read back or refused by number."""

from pathlib import Path

import pytest

from skillagent.errors import LibraryError, StoreBusy
from skillagent.store.lock import locked
from skillagent.store.trainings import Trainings


def test_lines_come_back_in_their_order_and_nothing_is_made_before_the_first(tmp_path):
    file = Trainings(tmp_path / "memory")
    assert file.lines() == []
    assert not (tmp_path / "memory").exists()
    file.append({"kind": "trained", "version": 1, "at": "ü"})
    file.append({"kind": "chosen", "version": 0})
    assert Trainings(tmp_path / "memory").lines() == [
        {"kind": "trained", "version": 1, "at": "ü"},
        {"kind": "chosen", "version": 0},
    ]


@pytest.mark.parametrize("line", [b"{half", b"[1]", b"\xff\xfe"])
def test_a_damaged_line_is_named_and_nothing_is_added_to_it(tmp_path, line):
    file = Trainings(tmp_path)
    file.append({"version": 1})
    file.path.write_bytes(file.path.read_bytes() + line + b"\n")
    before = file.path.read_bytes()
    for does in (file.lines, lambda: file.append({"version": 2})):
        with pytest.raises(LibraryError, match=r"router\.jsonl: line [12] is damaged"):
            does()
    assert file.path.read_bytes() == before


def test_empty_lines_and_line_separators_in_a_string_are_no_damage(tmp_path):
    file = Trainings(tmp_path)
    file.append({"at": "a\u2028b"})
    file.path.write_bytes(b"\n" + file.path.read_bytes() + b"\n")
    assert file.lines() == [{"at": "a\u2028b"}]


def test_one_writer_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(StoreBusy), locked(tmp_path, wait_s=0.01):
        pass
    with locked(tmp_path):
        pass


def writes(text):
    def write(folder):
        (folder / "inner").mkdir(parents=True)
        (folder / "inner" / "file").write_text(text, encoding="utf-8")

    return write


def test_a_model_is_kept_whole_under_its_digest_and_found_again(tmp_path):
    file = Trainings(tmp_path)
    name, sha256 = file.keep("1-programs", writes("one"))
    assert name == f"router/1-programs-{sha256[:8]}"
    assert file.folder(name, sha256) == tmp_path / name
    assert (tmp_path / name / "inner" / "file").read_text(encoding="utf-8") == "one"
    other, _ = file.keep("1-programs", writes("other"))
    assert other != name
    assert file.folder(name, sha256).is_dir(), "what was kept stays"
    assert file.keep("1-programs", writes("one")) == (name, sha256)


def test_what_a_killed_process_left_of_a_model_is_gone_at_the_next_one(tmp_path):
    file = Trainings(tmp_path)

    def cut(folder):
        writes("half")(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        file.keep("1-programs", cut)
    name, _ = file.keep("2-words", writes("one"))
    assert [folder.name for folder in (tmp_path / "router").iterdir()] == [Path(name).name]


@pytest.mark.parametrize("damage", ["gone", "changed", "less", "renamed"])
def test_a_model_that_is_not_there_or_not_as_it_was_is_refused(tmp_path, damage):
    file = Trainings(tmp_path)
    name, sha256 = file.keep("1-programs", writes("one"))
    inner = tmp_path / name / "inner" / "file"
    match damage:
        case "gone":
            (tmp_path / name).rename(tmp_path / "elsewhere")
        case "changed":
            inner.write_text("two", encoding="utf-8")
        case "less":
            inner.unlink()
        case "renamed":
            inner.rename(inner.with_name("other"))
    said = "is not there" if damage == "gone" else "does not hold what was kept there"
    with pytest.raises(LibraryError, match=f"{said}.* train the router anew"):
        file.folder(name, sha256)
