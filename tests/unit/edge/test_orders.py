"""What an agent hands on of control's orders, and reports of what came of them."""

from pathlib import Path

import pytest

from cuemark.contracts.steering.reports import ReleaseOrder
from cuemark.edge.answers import Answers
from cuemark.edge.orders import HEARD, KEPT, ORDER, Kept, Orders, read_kept, read_order, write_kept
from cuemark.kit.clock import ManualClock
from cuemark.kit.release import release_here

ORDERED = ReleaseOrder(order_id="rol_1-1", release="0.2.0+abc")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


def agent(folder: Path, *, kept: bool = True) -> Orders:
    return Orders(folder, kept, Answers(ManualClock()))


def test_an_order_is_there_as_long_as_control_says_so(folder: Path) -> None:
    orders = agent(folder)
    orders.take(None)
    assert read_order(folder) is None
    orders.take(ORDERED)
    orders.take(ORDERED)
    assert read_order(folder) == ORDERED
    orders.take(None)
    assert read_order(folder) is None


def test_an_order_from_before_a_start_counts_once_control_says_it_again(folder: Path) -> None:
    """A machine that was off for a week obeys nothing that it was told a week ago."""
    agent(folder).take(ORDERED)
    (folder / HEARD).unlink()
    assert read_order(folder) is None
    orders = agent(folder)
    assert read_order(folder) is None
    orders.take(None)
    assert read_order(folder) is None
    orders.take(ORDERED)
    assert read_order(folder) == ORDERED


def test_who_is_not_kept_takes_no_order_and_says_so(folder: Path) -> None:
    orders = agent(folder, kept=False)
    orders.take(ORDERED)
    assert list((folder / "run").iterdir()) == []
    said = orders.software()
    assert (said.release, said.can_update, said.order_id) == (release_here(), False, "")


def test_what_came_of_an_order_is_reported(folder: Path) -> None:
    write_kept(folder, Kept(release="0.2.0+abc", order_id="rol_1-1", trouble="it ended"))
    said = agent(folder).software()
    assert (said.can_update, said.order_id, said.trouble) == (True, "rol_1-1", "it ended")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"order_id": 1}', b"\xff", b"[" * 100_000])
def test_files_that_cannot_be_read_say_nothing(folder: Path, body: bytes) -> None:
    for name in (ORDER, KEPT, HEARD):
        (folder / name).write_bytes(body)
    assert read_order(folder) is None
    assert read_kept(folder) == Kept()


def test_fields_that_a_later_release_added_are_no_hindrance(folder: Path) -> None:
    (folder / HEARD).write_bytes(b"")
    (folder / ORDER).write_bytes(b'{"order_id":"o","release":"r","by":"anna"}')
    (folder / KEPT).write_bytes(b'{"release":"r","since":"2030"}')
    found = read_order(folder)
    assert found is not None
    assert (found.release, read_kept(folder).release) == ("r", "r")
