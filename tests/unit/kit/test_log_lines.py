"""Lines of several logs as one story."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.log_errors import last_errors
from cuemark.kit.log_file import rotate
from cuemark.kit.log_lines import LogSource, Tail, line_of, read

TRACE, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "0" * 31 + "1"
AT_S = 1_800_000_000


def event(second: float, name: str, **fields: object) -> str:
    stamp = f"2027-01-15T08:00:{second:06.3f}Z"
    values = {"process": "control", "level": "info", "trace_id": TRACE, "event": name}
    return json.dumps({"timestamp": stamp, **values, **fields}) + "\n"


def access(second: float, **fields: object) -> str:
    values = {"at_s": AT_S + second, "trace_id": TRACE, "status": 200, "request_time": 0.0}
    return json.dumps({**values, **fields}) + "\n"


def sources(folder: Path) -> list[LogSource]:
    return [
        LogSource("cuemark", folder / "cuemark.jsonl", 0),
        LogSource("edge", folder / "edge.jsonl", 1),
        LogSource("origin", folder / "origin.jsonl", 2),
    ]


def test_a_line_stands_where_what_it_tells_began(tmp_path: Path) -> None:
    control, edge, origin = (source.path for source in sources(tmp_path))
    control.write_text(event(9, "late") + event(1, "request", ms=500.0))
    edge.write_text(access(4, request_time=3.0, path="1.m4s"))
    origin.write_text(access(2, request_time=0.5) + access(1, request_time=0.0))
    found = read(sources(tmp_path), lambda line: True)
    assert [line.process for line in found] == ["control", "edge", "origin", "origin", "control"]
    assert [line.event for line in found] == ["request", "access", "access", "access", "late"]
    assert found[0].duration_s == 0.5
    assert found[1].fields["path"] == "1.m4s"


def test_a_trace_is_found_in_logs_that_were_rotated(tmp_path: Path) -> None:
    (log, *_) = sources(tmp_path)
    log.path.write_text(event(1, "first") + event(2, "not mine", trace_id=OTHER))
    rotate(log.path)
    log.path.write_text(event(3, "second"))
    found = read([log], lambda line: line.trace_id == TRACE, holding=[TRACE.encode()])
    assert [line.event for line in found] == ["first", "second"]


def test_only_the_tail_is_read_where_a_bound_is_given(tmp_path: Path) -> None:
    (log, *_) = sources(tmp_path)
    line = event(1, "same")
    log.path.write_text(line * 50)
    rotate(log.path)
    log.path.write_text(line * 10)
    found = read([log], lambda line: True, tail_bytes=len(line) * 15 + 3)
    assert 13 <= len(found) <= 15


def test_who_follows_misses_nothing_of_a_rotation_and_no_half_line(tmp_path: Path) -> None:
    (log, *_) = sources(tmp_path)
    log.path.write_text(event(1, "before"))
    tail = Tail(log)
    whole = event(2, "torn")
    with log.path.open("a") as file:
        file.write(whole[:20])
    assert tail.new_lines() == []
    with log.path.open("a") as file:
        file.write(whole[20:] + event(3, "last of the old"))
    rotate(log.path)
    log.path.write_text(event(4, "first of the new"))
    names = [line.event for line in tail.new_lines()]
    tail.close()
    assert names == ["torn", "last of the old", "first of the new"]


@given(
    st.binary(max_size=200)
    | st.dictionaries(
        st.sampled_from(["timestamp", "at_s", "ms", "status", "level", "event", "trace_id"]),
        st.none() | st.integers() | st.floats() | st.text(max_size=30) | st.lists(st.integers()),
    ).map(lambda values: json.dumps(values).encode())
)
def test_whatever_stands_in_a_log_is_a_line_or_none(raw: bytes) -> None:
    line_of(raw, LogSource("x", Path("x")))


def test_the_last_errors_are_told_once_each_with_their_trace(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        event(1, "request", method="GET", route="/a", status=200, ms=1.0)
        + event(2, "request_failed", level="error", exception="Traceback\nValueError: no luck")
        + event(3, "request", method="GET", route="/a", status=500, ms=1.0)
        + event(4, "request", method="GET", route="/b", status=503, ms=1.0, trace_id=OTHER)
        + event(5, "child_ended", level="warning", child="worker-1", status=-9, trace_id="")
        + event(6, "neighbour_away", level="warning", reason="slow")
    )
    found = last_errors(path, 10)
    assert [(error.event, error.message, error.trace_id) for error in found] == [
        ("child_ended", "worker-1 ended by itself with status -9", ""),
        ("request", "GET /b answered 503", OTHER),
        ("request_failed", "ValueError: no luck", TRACE),
    ]
    assert [error.event for error in last_errors(path, 1)] == ["child_ended"]
    assert last_errors(tmp_path / "absent", 5) == []
