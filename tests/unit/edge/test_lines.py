"""Lines of telemetry out of lines of nginx."""

import gzip
import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contracts.telemetry import Cmcd, Line
from cuemark.edge import lines

MISS = {
    "time": "2026-01-31T20:15:00+00:00",
    "trace_id": "ab" * 16,
    "method": "GET",
    "version": f"ver_{'0' * 26}",
    "path": "v1/9.m4s",
    "cache": "cuemark-appliance-1; fwd=miss; stored; detail=peer",
    "refused": "",
    "source": "peer appliance-2",
    "trouble": "",
    "waited_s": "0.012",
    "cmsd": ";rtt=20",
    "cmcd": "\tbl=2000\t\tbs",
    "cmcd_query": "",
    "at_s": 1770000000.123,
    "status": 200,
    "bytes": 5000,
    "request_time": 0.034,
}


def logged(**changes: object) -> bytes:
    return json.dumps({**MISS, **changes}).encode() + b"\n"


def test_a_miss_says_who_sent_it_and_after_how_long() -> None:
    (line,), bad = lines.read(logged())
    assert bad == 0
    assert (line.source, line.source_name, line.waited_s) == ("peer", "appliance-2", 0.012)
    assert (line.sc_status, line.sc_bytes, line.time_taken_s) == (200, 5000, 0.034)
    assert (line.rtt_ms, line.cmcd) == (20, Cmcd(bl=2000, bs=True))


def test_who_asked_is_told_where_it_was_an_appliance() -> None:
    (client, peer), _ = lines.read(logged() + logged(appliance="appliance-2"))
    assert (client.asked_by, peer.asked_by) == ("", "appliance-2")


def test_a_hit_waited_for_nobody() -> None:
    (line,), _ = lines.read(logged(cache="cuemark-a; hit", source="", waited_s="-", cmsd=""))
    assert (line.source, line.source_name, line.waited_s, line.rtt_ms) == ("", "", None, None)


def test_of_an_upstream_that_was_tried_twice_the_last_time_counts() -> None:
    (line,), _ = lines.read(logged(waited_s="0.002, 0.150"))
    assert line.waited_s == 0.15
    (line,), _ = lines.read(logged(waited_s="- : -"))
    assert line.waited_s is None


def test_headers_say_it_before_the_query() -> None:
    (line,), _ = lines.read(logged(cmcd_query="br%3D7%2Csu"))
    assert line.cmcd == Cmcd(bl=2000, bs=True)
    (line,), _ = lines.read(logged(cmcd="", cmcd_query="br%3D7%2Csu"))
    assert line.cmcd == Cmcd(br=7, su=True)


def test_a_line_that_cannot_be_read_costs_no_other() -> None:
    whole = logged()
    found, bad = lines.read(whole + b'{"at_s":\n' + b"\xff\xfe\n" + whole)
    assert (len(found), bad) == (2, 2)


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_lines_or_counted(data: bytes) -> None:
    found, bad = lines.read(logged() + data.replace(b"\n", b" ") + b"\n" + logged())
    assert len(found) >= 2
    assert bad <= 1


def test_what_is_packed_is_json_by_the_line() -> None:
    found, _ = lines.read(logged() * 3)
    told = gzip.decompress(lines.packed(found)).splitlines()
    assert [msgspec.json.decode(each, type=Line) for each in told] == found
    assert b"null" not in told[0]
