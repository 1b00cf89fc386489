"""The ledger of what was served: nothing twice, nothing lost, nothing without end."""

import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contracts.fill import TrackBytes
from cuemark.contracts.ids import VersionId
from cuemark.edge import ledger as module
from cuemark.edge.access_log import Mark
from cuemark.edge.ledger import KEPT_HOURS, Ledger
from cuemark.edge.tracks import Track
from cuemark.edge.uses import InHour

VERSION = VersionId("ver_" + "0" * 26)
HOUR = 490_000
MARK = Mark(inode=1, head="ab", at=7, written_ns=9)


def counted(hour: int = HOUR, **tracks: int) -> Counter[InHour]:
    return Counter({InHour(hour, Track(VERSION, name)): count for name, count in tracks.items()})


def untold(ledger: Ledger, hour: int = HOUR) -> dict[str, int]:
    """All parts of what is not told of an hour."""
    found: dict[str, int] = {}
    after = None
    while part := ledger.untold(hour, after):
        after = Track(part[-1].version_id, part[-1].track_id)
        found |= {each.track_id: each.of_bytes for each in part}
    return found


def test_totals_grow_until_they_are_told_and_what_grows_is_told_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add(counted(v1=5, v2=7), MARK, HOUR)
    ledger.add(counted(v1=5), MARK, HOUR)
    assert untold(ledger) == {"v1": 10, "v2": 7}
    ledger.tell(HOUR, ledger.untold(HOUR))
    assert (ledger.untold_hours(), untold(ledger)) == ([], {})
    ledger.add(counted(v2=1), MARK, HOUR)
    assert untold(ledger) == {"v2": 8}, "the total of the hour, not what was added"


def test_what_comes_in_while_it_is_told_is_told_the_next_time(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add(counted(v1=5), MARK, HOUR)
    part = ledger.untold(HOUR)
    ledger.add(counted(v1=1), MARK, HOUR)
    ledger.tell(HOUR, part)
    assert untold(ledger) == {"v1": 6}


def test_it_outlives_a_kill_with_the_mark_up_to_which_it_counted(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    assert first.mark is None
    first.add(counted(v1=5), MARK, HOUR)
    second = Ledger(tmp_path)
    assert (second.mark, untold(second)) == (MARK, {"v1": 5})


def test_hours_are_told_oldest_first_and_kept_for_two_days(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add(counted(HOUR + 1, v1=1), MARK, HOUR + 1)
    ledger.add(counted(HOUR, v1=1), MARK, HOUR + 1)
    assert ledger.untold_hours() == [HOUR, HOUR + 1]
    ledger.add(Counter(), MARK, HOUR + 1 + KEPT_HOURS)
    assert ledger.untold_hours() == [HOUR + 1]


def test_hours_of_a_clock_that_was_wrong_are_passed_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add(counted(0, v1=1) + counted(HOUR + 100, v1=1) + counted(v1=2), MARK, HOUR)
    assert (ledger.untold_hours(), untold(ledger)) == ([HOUR], {"v1": 2})


def test_an_hour_has_so_many_tracks_and_the_least_served_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_TRACKS_AN_HOUR", 3)
    monkeypatch.setattr(module, "MOST_TRACKS", 2)
    ledger = Ledger(tmp_path)
    ledger.add(counted(v1=5, v2=1, v3=4, v4=2, v5=3), MARK, HOUR)
    assert len(ledger.untold(HOUR)) == 2
    assert untold(ledger) == {"v1": 5, "v3": 4, "v5": 3}


@pytest.mark.parametrize("body", [b"no database", b""])
def test_a_ledger_that_cannot_be_read_is_made_anew(tmp_path: Path, body: bytes) -> None:
    (tmp_path / module.FILE).write_bytes(body)
    ledger = Ledger(tmp_path)
    ledger.add(counted(v1=1), MARK, HOUR)
    assert untold(Ledger(tmp_path)) == {"v1": 1}


def test_a_ledger_that_the_disk_refuses_counts_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    ledger = Ledger(tmp_path / "file")
    ledger.add(counted(v1=1), MARK, HOUR)
    assert untold(ledger) == {"v1": 1}


def test_a_count_that_cannot_be_written_is_written_with_the_next_or_not_at_all(
    tmp_path: Path,
) -> None:
    ledger = Ledger(tmp_path)
    huge = counted(v1=1, v2=1 << 70)
    with pytest.raises((OverflowError, sqlite3.Error)):
        ledger.add(huge, MARK, HOUR)
    assert (ledger.mark, untold(ledger)) == (None, {})
    ledger.add(counted(v1=1), MARK, HOUR)
    assert untold(ledger) == {"v1": 1}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["v1", "v2", "en"]), st.integers(1, 9))
        | st.none(),
        max_size=20,
    )
)
def test_what_control_has_at_the_end_is_what_was_served(
    steps: list[tuple[int, str, int] | None],
) -> None:
    """Any counting, with tellings (None) in between: the greater total of each counts there."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        there: dict[tuple[int, str], int] = {}
        meant: Counter[tuple[int, str]] = Counter()

        def tell_all() -> None:
            for hour in ledger.untold_hours():
                part: list[TrackBytes] = ledger.untold(hour)
                for each in part:
                    key = hour, each.track_id
                    there[key] = max(there.get(key, 0), each.of_bytes)
                ledger.tell(hour, part)

        for step in steps:
            if step is None:
                tell_all()
            else:
                hour, track, count = step
                ledger.add(counted(HOUR + hour, **{track: count}), MARK, HOUR + 3)
                meant[HOUR + hour, track] += count
        tell_all()
        assert there == dict(meant)
        ledger.close()
