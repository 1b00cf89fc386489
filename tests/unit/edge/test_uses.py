"""What the access log tells: which files were hits, and how much was served of each track."""

import json
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contracts.ids import VersionId
from cuemark.edge.store import Store
from cuemark.edge.tracks import Track
from cuemark.edge.uses import InHour, told, used

VERSION = VersionId("ver_" + "0" * 26)
HOUR = 490_000
AT_S = HOUR * 3600 + 12.5


def line(path: str = "v1/9.m4s", cache: str = "cuemark-a; hit", **fields: object) -> bytes:
    every = {
        "time": "x",
        "version": VERSION,
        "path": path,
        "cache": cache,
        "status": 200,
        "bytes": 1000,
        "at_s": AT_S,
        "appliance": "",
    }
    return json.dumps({**every, **fields}).encode() + b"\n"


def served(lines: bytes) -> dict[tuple[int, str], int]:
    return {(at.hour, at.track.track_id): count for at, count in told(lines).served.items()}


def test_only_hits_on_paths_of_a_version_count() -> None:
    lines = [
        line(),
        line(),
        line(cache="cuemark-a; fwd=miss; stored"),
        line("../../etc/passwd"),
        line(version="x"),
        b"half a line\n",
        b"\xff\xfe\n",
        b"[1]\n",
    ]
    assert told(b"".join(lines)).hits == Counter({(VERSION, "v1/9.m4s"): 2})


def test_a_marked_segment_counts_for_both_of_its_variants() -> None:
    hits = told(line("v1/x7.m4s")).hits
    assert set(hits) == {(VERSION, "v1/a7.m4s"), (VERSION, "v1/b7.m4s")}


def test_uses_are_those_of_the_bytes_that_a_view_leads_to(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    store.link(VERSION, "v1/9.m4s", "a" * 64)
    hits = told(line() * 3 + line("v1/8.m4s")).hits
    assert used(hits, store) == Counter({"a" * 64: 3})


def test_bytes_count_by_track_whether_they_were_a_hit_or_a_miss() -> None:
    lines = [
        line(),
        line("v1/x7.m4s", cache="cuemark-a; fwd=miss; stored", bytes=500),
        line("v1.m3u8", bytes=1),
        line("v2/9.m4s", status=206, bytes=7),
        line("en.vtt", bytes=9),
    ]
    assert served(b"".join(lines)) == {(HOUR, "v1"): 1501, (HOUR, "v2"): 7, (HOUR, "en"): 9}


def test_bytes_count_in_the_hour_in_which_the_request_ended() -> None:
    lines = [line(at_s=HOUR * 3600 - 0.001), line(at_s=float(HOUR * 3600))]
    assert served(b"".join(lines)) == {(HOUR - 1, "v1"): 1000, (HOUR, "v1"): 1000}


def test_what_is_no_film_for_a_viewer_does_not_count() -> None:
    lines = [
        line(appliance="appliance-2"),
        line(status=404),
        line(status=304, bytes=0),
        line(cache=""),
        line(bytes=-5),
        line(bytes=1 << 50),
        line(at_s=-1.0),
        line(at_s=1e300),
        line(version="", path=""),
        line(bytes="many"),
    ]
    assert served(b"".join(lines)) == {}


@given(st.lists(st.binary(max_size=60) | st.just(line()), max_size=6))
def test_no_line_whatever_it_is_stops_those_after_it(lines: list[bytes]) -> None:
    found = told(b"".join(each.rstrip(b"\n") + b"\n" for each in lines) + line())
    whole = 1 + sum(each == line() for each in lines)
    assert found.served[InHour(HOUR, Track(VERSION, "v1"))] == 1000 * whole
