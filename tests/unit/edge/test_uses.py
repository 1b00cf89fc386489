"""What the access log tells of uses, however it is cut, moved or damaged."""

import json
from collections import Counter
from pathlib import Path

import pytest

from cuemark.contracts.ids import VersionId
from cuemark.edge import uses
from cuemark.edge.store import Store
from cuemark.edge.uses import AccessLog, hits, used

VERSION = VersionId("ver_" + "0" * 26)


def line(path: str = "v1/9.m4s", cache: str = "cuemark-a; hit", version: str = VERSION) -> bytes:
    fields = {"time": "x", "version": version, "path": path, "cache": cache, "status": 200}
    return json.dumps(fields).encode() + b"\n"


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
    assert hits(b"".join(lines)) == Counter({(VERSION, "v1/9.m4s"): 2})


def test_a_marked_segment_counts_for_both_of_its_variants() -> None:
    assert set(hits(line("v1/x7.m4s"))) == {(VERSION, "v1/a7.m4s"), (VERSION, "v1/b7.m4s")}


def test_what_was_there_before_does_not_count_and_half_a_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_bytes(line())
    log = AccessLog(path)
    assert log.read() == b""
    with path.open("ab", buffering=0) as file:
        file.write(line()[:20])
        assert log.read() == b""
        file.write(line()[20:])
        assert log.read() == line()
    log.close()


def test_a_log_that_is_moved_away_is_read_to_its_end_and_then_the_next(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    log = AccessLog(path)
    assert log.read() == b""
    path.write_bytes(line("v1/1.m4s"))
    assert log.read() == line("v1/1.m4s")
    with path.open("ab") as file:
        file.write(line("v1/2.m4s"))
    path.rename(tmp_path / "access.jsonl.1")
    path.write_bytes(line("v1/3.m4s"))
    assert b"".join(log.read() for _ in range(4)) == line("v1/2.m4s") + line("v1/3.m4s")
    path.write_bytes(b"")
    path.write_bytes(line("v1/4.m4s")[:-1] + b" \n")
    log.close()


def test_a_reader_that_fell_behind_goes_on_near_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "PIECE_BYTES", 1000)
    monkeypatch.setattr(uses, "BEHIND_BYTES", 5000)
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"")
    log = AccessLog(path)
    path.write_bytes(line("v1/1.m4s") * 100 + line("v1/2.m4s"))
    read = b"".join(log.read() for _ in range(3))
    assert len(read) <= 1000
    assert hits(read)[VERSION, "v1/2.m4s"] == 1
    assert log.read() == b""
    log.close()


def test_uses_are_those_of_the_bytes_that_a_view_leads_to(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_bytes(b"")
    store, log = Store(tmp_path, 100), AccessLog(path)
    store.link(VERSION, "v1/9.m4s", "a" * 64)
    path.write_bytes(line() * 3 + line("v1/8.m4s"))
    assert used(log, store) == Counter({"a" * 64: 3})
    log.close()
