"""The log that several processes write and that cannot fill the disk."""

import json
import multiprocessing
from pathlib import Path

from cuemark.kit.log_file import LogFile, files_of, older


def write_lines(path: Path, writer: int, count: int, most_bytes: int, kept: int) -> None:
    log = LogFile(path, most_bytes, kept)
    for number in range(count):
        log.write(json.dumps({"writer": writer, "number": number, "filler": "x" * 60}) + "\n")
    log.close()


def test_no_line_is_lost_or_torn_while_two_processes_rotate_one_log(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    context = multiprocessing.get_context("spawn")
    arguments = [(path, writer, 400, 12_000, 7) for writer in range(2)]
    writers = [context.Process(target=write_lines, args=each) for each in arguments]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    lines = [line for file in files_of(path) for line in file.read_text().splitlines()]
    found = [json.loads(line) for line in lines]
    assert len(files_of(path)) > 3
    assert {(line["writer"], line["number"]) for line in found} == {
        (writer, number) for writer in range(2) for number in range(400)
    }


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write_lines(path, 0, 2000, 10_000, 3)
    assert len(list(tmp_path.iterdir())) == 4
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 4 * 10_200
    assert json.loads(path.read_text().splitlines()[-1])["number"] == 1999


def test_a_log_that_was_removed_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = LogFile(path)
    log.write("one\n")
    path.unlink()
    log.write("two\n")
    path.rename(older(path, 1))
    log.write("three\n")
    log.close()
    assert (older(path, 1).read_text(), path.read_text()) == ("two\n", "three\n")


def test_a_full_disk_costs_the_line_and_not_the_process(tmp_path: Path) -> None:
    path = tmp_path / "full"
    path.symlink_to("/dev/full")
    log = LogFile(path)
    log.write("no room\n")
    log.close()
