"""Trainings: lines of JSON in the memory folder, written whole, and read back or refused by number."""

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


def test_one_writer_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(StoreBusy), locked(tmp_path, wait_s=0.01):
        pass
    with locked(tmp_path):
        pass
