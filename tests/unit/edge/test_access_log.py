"""The access log is read once, however it is cut, moved, damaged, or left and taken up again."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from cuemark.edge import access_log
from cuemark.edge.access_log import MOST_LINE_BYTES, AccessLog, Mark
from cuemark.kit.log_file import KEPT_FILES, rotate


def read_all(log: AccessLog) -> bytes:
    """All that is there: a log that was moved away is left after some reads without news."""
    return b"".join(log.read() for _ in range(4 * (KEPT_FILES + 2)))


def test_what_was_there_before_does_not_count_and_half_a_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"old\n")
    log = AccessLog(path)
    assert log.read() == b""
    with path.open("ab", buffering=0) as file:
        file.write(b"ne")
        assert log.read() == b""
        file.write(b"w\n")
        assert log.read() == b"new\n"
    log.close()


def test_a_log_that_is_moved_away_is_read_to_its_end_and_then_the_next(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    log = AccessLog(path)
    assert log.read() == b""
    path.write_bytes(b"1\n")
    assert log.read() == b"1\n"
    rotate(path)
    path.write_bytes(b"4\n")
    assert log.read() == b""
    with path.with_name("access.jsonl.1").open("ab") as file:
        file.write(b"2\n3\n")
    assert read_all(log) == b"2\n3\n4\n", "nginx wrote to the old one for a moment"
    log.close()


def test_a_reader_that_fell_behind_goes_on_near_the_end_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "PIECE_BYTES", 1000)
    monkeypatch.setattr(access_log, "BEHIND_BYTES", 5000)
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"")
    log = AccessLog(path)
    path.write_bytes(b"one line of many\n" * 1000 + b"the last\n")
    read = b"".join(log.read() for _ in range(3))
    assert len(read) <= 1000
    assert read.endswith(b"the last\n")
    assert log.skipped_bytes == 17 * 1000 + 9 - 1000
    assert log.behind_bytes == 0
    log.close()


def test_a_new_reader_goes_on_at_the_mark_in_whichever_file_that_is(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"")
    log = AccessLog(path)
    path.write_bytes(b"1\n2\n3")
    assert log.read() == b"1\n2\n"
    mark = log.mark
    log.close()
    with path.open("ab") as file:
        file.write(b"3\n")
    rotate(path)
    path.write_bytes(b"4\n")
    rotate(path)
    path.write_bytes(b"5\n")
    again = AccessLog(path, mark)
    assert read_all(again) == b"33\n4\n5\n"
    again.close()


def test_a_mark_in_a_file_that_is_gone_leads_to_the_oldest_that_came_after(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"4\n")
    gone = Mark(inode=path.stat().st_ino, head="00", at=1, written_ns=1)
    rotate(path)
    path.write_bytes(b"5\n")
    log = AccessLog(path, gone)
    assert read_all(log) == b"4\n5\n", "an inode is had by another file later"
    log.close()
    late = Mark(inode=1, head="00", at=1, written_ns=1 << 62)
    log = AccessLog(path, late)
    assert read_all(log) == b"", "nothing was written after the mark"
    log.close()


def test_where_every_line_counts_it_begins_with_the_oldest_and_passes_none_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "BEHIND_BYTES", 100)
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"one line of many\n" * 1000)
    rotate(path)
    path.write_bytes(b"the last\n")
    log = AccessLog(path, every_line=True)
    assert read_all(log) == b"one line of many\n" * 1000 + b"the last\n"
    assert log.skipped_bytes == 0
    log.close()


def test_no_more_lines_are_read_at_once_than_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"1\n2\n3\n4\n5\n")
    log = AccessLog(path, every_line=True)
    assert [log.read(2), log.read(2), log.read(2)] == [b"1\n2\n", b"3\n4\n", b"5\n"]
    log.close()


def test_a_reader_can_go_back_and_reads_the_same_again(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"1\n")
    log = AccessLog(path, every_line=True)
    assert log.read() == b"1\n"
    mark = log.mark
    for number in (2, 3):
        rotate(path)
        path.write_bytes(b"%d\n" % number)
    assert read_all(log) == b"2\n3\n"
    log.go_to(mark)
    assert read_all(log) == b"2\n3\n"
    log.go_to(None)
    assert read_all(log) == b"1\n2\n3\n"
    log.close()


def test_a_log_that_was_cut_off_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"long enough\n")
    log = AccessLog(path, every_line=True)
    assert log.read() == b"long enough\n"
    os.truncate(path, 0)
    with path.open("ab") as file:
        file.write(b"new\n")
    assert read_all(log) == b"new\n"
    log.close()


def test_a_line_without_end_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"x" * (MOST_LINE_BYTES + 1))
    log = AccessLog(path, every_line=True)
    assert read_all(log) == b""
    with path.open("ab") as file:
        file.write(b"rest\nnext\n")
    assert read_all(log) == b"rest\nnext\n"
    log.close()


class Reading(RuleBasedStateMachine):
    """Any writing, rotating, reading and starting again: each line comes once, in its order."""

    every_line = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "access.jsonl"
        self.path.write_bytes(b"")
        self.log = AccessLog(self.path, every_line=self.every_line)
        self.written: list[bytes] = []
        self.read_lines: list[bytes] = []
        self.marked: tuple[Mark | None, int] = (self.log.mark, 0)
        self.rotations = 0

    @rule(count=st.integers(1, 5), torn=st.booleans())
    def write(self, count: int, torn: bool) -> None:
        lines = [b"line %d" % (len(self.written) + number) for number in range(count)]
        self.written += lines
        with self.path.open("ab", buffering=0) as file:
            for each in lines:
                file.write(each[:3])
                if torn:
                    self.read()
                file.write(each[3:] + b"\n")

    @rule()
    def read(self) -> None:
        self.read_lines += self.log.read().splitlines()

    @rule()
    def mark(self) -> None:
        self.marked = (self.log.mark, len(self.read_lines))
        self.rotations = 0

    @rule()
    def rotate(self) -> None:
        if self.rotations < KEPT_FILES - 1 and self.path.stat().st_size:
            self.rotations += 1
            rotate(self.path)
            self.path.write_bytes(b"")

    @rule()
    def kill_and_start(self) -> None:
        """What was read beyond the mark is read again, as what was counted with it is lost."""
        mark, count = self.marked
        self.log.close()
        self.log = AccessLog(self.path, mark, every_line=self.every_line)
        del self.read_lines[count:]

    def teardown(self) -> None:
        self.read_lines += read_all(self.log).splitlines()
        assert self.read_lines == self.written
        self.log.close()
        self.folder.cleanup()


class ReadingEveryLine(Reading):
    every_line = True


TestReading = Reading.TestCase
TestReadingEveryLine = ReadingEveryLine.TestCase
TestReading.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestReadingEveryLine.settings = TestReading.settings
