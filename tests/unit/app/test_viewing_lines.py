"""Files of changes between regions, line by line."""

from datetime import UTC, datetime

import msgspec
import pytest

from cuemark.app.cli.viewing import LinesInvalid, changes_in
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId, WorkId
from cuemark.contracts.viewers.exchange import (
    Change,
    ErasureChange,
    MyListChange,
    RatingChange,
    RemovalChange,
    ViewingChange,
)

STAMP = "0006370b2e1c4000.0000.west"
HEAD = b'{"kind":"viewing-changes","region":"west"}\n'
ADA, FILM, WORK = ProfileId("prf_ada"), TitleId("ttl_film"), WorkId("ttl_film")
CHANGES: list[Change] = [
    ViewingChange(
        profile_id=ADA,
        title_id=FILM,
        session_id=PlaySessionId("ses_1"),
        sequence=3,
        position_s=60.0,
        duration_s=600.0,
        watched_at=datetime(2024, 1, 1, tzinfo=UTC),
        stamp="0006370b2e1c4001.0000.west",
        since=STAMP,
    ),
    RemovalChange(profile_id=ADA, title_id=FILM, stamp=STAMP),
    MyListChange(profile_id=ADA, work_id=WORK, listed=True, stamp=STAMP),
    RatingChange(profile_id=ADA, work_id=WORK, rating="love", stamp=STAMP),
    ErasureChange(profile_id=ADA),
]


def test_a_file_is_read_as_it_was_written_and_lines_without_anything_are_passed_over() -> None:
    lines = [HEAD, b"\n", *(msgspec.json.encode(each) + b"\n" for each in CHANGES), b"  \n"]
    found = changes_in(iter(lines))
    assert (found.region, found.changes) == ("west", CHANGES)
    assert found.numbers == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "cannot be read"),
        (b'{"kind":"secret"}', "cannot be read"),
        (b'\xff{"kind":"erasure","profile_id":"prf_ada"}', "cannot be read"),
        (b'{"kind":"erasure","profile_id":"../x"}', "no id"),
        (b'{"kind":"removal","profile_id":"p","title_id":"t","stamp":"now"}', "no stamp"),
        (b'{"kind":"rating","profile_id":"p","work_id":"t","stamp":"x","rating":"9"}', "rating"),
        (msgspec.json.encode(msgspec.structs.replace(CHANGES[0], position_s=-1.0)), "position"),
        (HEAD, "cannot be read"),
    ],
)
def test_a_line_that_is_not_right_is_told_with_its_number(line: bytes, said: str) -> None:
    good = msgspec.json.encode(CHANGES[1])
    with pytest.raises(LinesInvalid, match=f"line 3.*{said}"):
        changes_in(iter([HEAD, good, line, good]))


def test_a_file_that_does_not_say_whose_changes_it_has_is_refused() -> None:
    with pytest.raises(LinesInvalid, match="line 1"):
        changes_in(iter([msgspec.json.encode(CHANGES[1])]))
    with pytest.raises(LinesInvalid, match="first line"):
        changes_in(iter([b"\n"]))
