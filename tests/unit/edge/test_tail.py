"""A log read to its end and on, whatever happens to it."""

import os
from pathlib import Path

import pytest

from cuemark.edge.tail import MOST_LINE_BYTES, Position, Tail
from cuemark.kit.log_file import rotate

MOST = 100


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.jsonl"


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def drained(tail: Tail) -> bytes:
    """All that is there, with the patience that a renamed file gets."""
    found = b""
    for _ in range(8):
        while raw := tail.read():
            found += raw
    return found


def test_half_a_line_is_read_when_it_is_whole(log: Path) -> None:
    tail = Tail(log, Position(), MOST)
    assert tail.read() == b""
    add(log, "one\ntw")
    assert tail.read() == b"one\n"
    assert tail.read() == b""
    add(log, "o\n")
    assert tail.read() == b"two\n"


def test_no_more_lines_are_read_at_once_than_a_batch_has(log: Path) -> None:
    tail = Tail(log, Position(), 2)
    add(log, "1\n2\n3\n4\n5\n")
    assert [tail.read(), tail.read(), tail.read()] == [b"1\n2\n", b"3\n4\n", b"5\n"]


def test_who_comes_back_goes_on_where_it_was(log: Path) -> None:
    tail = Tail(log, Position(), MOST)
    add(log, "1\n")
    tail.read()
    position = tail.position
    add(log, "2\n")
    assert tail.read() == b"2\n"
    assert Tail(log, position, MOST).read() == b"2\n"


def test_a_log_that_was_moved_is_read_to_its_end_first(log: Path) -> None:
    tail = Tail(log, Position(), MOST)
    add(log, "1\n")
    assert tail.read() == b"1\n"
    writer = log.open("a")
    rotate(log)
    add(log, "3\n")
    assert tail.read() == b""
    writer.write("2\n")
    writer.close()
    assert drained(tail) == b"2\n3\n"


def test_who_was_away_over_two_rotations_reads_all_of_them(log: Path) -> None:
    tail = Tail(log, Position(), MOST)
    add(log, "1\n")
    tail.read()
    position = tail.position
    tail.close()
    for text in ("2\n", "3\n"):
        add(log, text)
        rotate(log)
    add(log, "4\n")
    assert drained(Tail(log, position, MOST)) == b"2\n3\n4\n"


def test_where_its_place_is_gone_it_goes_on_with_the_oldest(log: Path) -> None:
    add(log, "1\n")
    rotate(log)
    add(log, "2\n")
    assert drained(Tail(log, Position(inode=1, offset=77), MOST)) == b"1\n2\n"


def test_a_log_that_was_cut_off_is_read_from_its_beginning(log: Path) -> None:
    tail = Tail(log, Position(), MOST)
    add(log, "long enough\n")
    tail.read()
    os.truncate(log, 0)
    add(log, "new\n")
    assert drained(tail) == b"new\n"


def test_a_line_without_end_is_passed_over(log: Path) -> None:
    tail = Tail(log, Position(), MOST)
    add(log, "x" * (MOST_LINE_BYTES + 1))
    assert drained(tail) == b""
    add(log, "rest\nnext\n")
    assert drained(tail) == b"rest\nnext\n"
