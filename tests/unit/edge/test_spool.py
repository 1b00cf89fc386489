"""Batches on their way: bounded, in order, and none twice after a crash."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cuemark.contracts.telemetry import MOST_LINES, Line
from cuemark.edge.access_log import Mark
from cuemark.edge.spool import FOLDER, Batch, Spool

NOW = datetime(2026, 1, 31, 20, 15, tzinfo=UTC)
PLENTY = 1 << 20


def some(count: int, at_s: float = 1.0) -> list[Line]:
    return [Line(at_s=at_s + n, sc_status=200, path=f"v1/{n}.m4s") for n in range(count)]


def mark(at: int) -> Mark:
    return Mark(inode=7, head="00", at=at, written_ns=1)


def taken(spool: Spool) -> list[Batch]:
    """All batches, the oldest first, as control would take them."""
    found = []
    while batch := spool.oldest():
        found.append(batch)
        spool.drop(batch.name)
    return found


def test_batches_go_out_in_order_with_what_is_in_them(tmp_path: Path) -> None:
    spool = Spool(tmp_path, PLENTY, NOW)
    for number in range(1, 4):
        spool.put(some(number, at_s=100.0 * number), mark(number))
    heads = [batch.head for batch in taken(spool)]
    assert [(head.sequence, head.count) for head in heads] == [(1, 1), (2, 2), (3, 3)]
    assert (heads[2].first_at_s, heads[2].last_at_s) == (300.0, 302.0)
    assert spool.read_to == mark(3)
    assert spool.oldest() is None


def test_a_later_epoch_comes_after_an_earlier_one(tmp_path: Path) -> None:
    Spool(tmp_path, PLENTY, NOW).put(some(1), mark(1))
    again = Spool(tmp_path, PLENTY, NOW + timedelta(seconds=1))
    assert again.read_to == mark(1)
    again.put(some(2), mark(2))
    first, second = taken(again)
    assert (first.head.count, second.head.count) == (1, 2)
    assert first.head.epoch != second.head.epoch


def test_a_crash_before_the_place_was_noted_reads_nothing_twice(tmp_path: Path) -> None:
    spool = Spool(tmp_path, PLENTY, NOW)
    spool.put(some(1), mark(10))
    noted = (tmp_path / FOLDER / "read_to.json").read_bytes()
    spool.put(some(1), mark(20))
    (tmp_path / FOLDER / "read_to.json").write_bytes(noted)
    assert Spool(tmp_path, PLENTY, NOW + timedelta(seconds=1)).read_to == mark(20)


def test_a_clock_that_was_set_back_changes_no_order(tmp_path: Path) -> None:
    Spool(tmp_path, PLENTY, NOW).put(some(1), mark(10))
    spool = Spool(tmp_path, PLENTY, NOW - timedelta(days=1))
    spool.put(some(2), mark(20))
    assert Spool(tmp_path, PLENTY, NOW).read_to == mark(20)
    assert [batch.head.count for batch in taken(spool)] == [1, 2]


def test_lines_that_were_none_move_the_place_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path, PLENTY, NOW)
    spool.put([], mark(5))
    assert (len(spool), Spool(tmp_path, PLENTY, NOW).read_to) == (0, mark(5))


def test_past_its_bound_the_oldest_go_and_the_next_tells_how_many_lines(tmp_path: Path) -> None:
    spool = Spool(tmp_path, PLENTY, NOW)
    spool.put(some(50), mark(1))
    bound = spool.held_bytes * 3
    spool = Spool(tmp_path, bound, NOW + timedelta(seconds=1))
    for number in range(2, 8):
        spool.put(some(50), mark(number))
        assert spool.held_bytes <= bound * 1.1
    found = taken(spool)
    lost = sum(batch.head.lost_lines for batch in found)
    assert lost >= 50
    assert lost + sum(batch.head.count for batch in found) == 7 * 50


def test_a_batch_that_the_disk_has_changed_is_passed_over(tmp_path: Path) -> None:
    spool = Spool(tmp_path, PLENTY, NOW)
    for number in range(1, 4):
        spool.put(some(number), mark(number))
    first, second, _ = sorted((tmp_path / FOLDER).glob("*.batch"))
    first.write_bytes(first.read_bytes()[:-5])
    second.write_bytes(b"\xff")
    assert [batch.head.count for batch in taken(spool)] == [3]
    assert not list((tmp_path / FOLDER).glob("*.batch"))


def test_a_place_that_cannot_be_read_is_the_beginning(tmp_path: Path) -> None:
    Spool(tmp_path, PLENTY, NOW).put([], mark(5))
    (tmp_path / FOLDER / "read_to.json").write_bytes(b"{")
    assert Spool(tmp_path, PLENTY, NOW).read_to is None


def test_a_batch_has_no_more_lines_than_one_may_have(tmp_path: Path) -> None:
    spool = Spool(tmp_path, PLENTY, NOW)
    with pytest.raises(ValueError, match="5000 lines at most"):
        spool.put(some(MOST_LINES + 1), mark(1))
