"""Files of lines by the hour, of which only what was taken counts."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

from cuemark.contexts.telemetry.store.archive import Archive
from cuemark.contracts.ids import ApplianceId

HOUR = datetime(2026, 1, 31, 20, tzinfo=UTC)
FILE = Archive.file_of(HOUR, ApplianceId("appliance-1"))


def test_batches_of_an_hour_are_one_gzip_together(tmp_path: Path) -> None:
    archive, end = Archive(tmp_path), 0
    for text in (b"1\n", b"2\n", b"3\n"):
        body = gzip.compress(text)
        assert archive.append(FILE, end, body) == end
        end += len(body)
    assert gzip.decompress((tmp_path / FILE).read_bytes()) == b"1\n2\n3\n"
    assert FILE == "2026-01-31/20/appliance-1.ndjson.gz"


def test_what_was_written_and_not_taken_is_overwritten(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append(FILE, 0, b"first")
    archive.append(FILE, 5, b"never taken, and long")
    assert archive.append(FILE, 5, b"second") == 5
    assert (tmp_path / FILE).read_bytes() == b"firstsecond"
    assert archive.read(FILE, 5, 6) == b"second"


def test_a_file_that_is_shorter_than_was_noted_goes_on_where_it_ends(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    assert archive.append(FILE, 1000, b"after a restore") == 0
    assert (tmp_path / FILE).read_bytes() == b"after a restore"
    assert archive.read(FILE, 2000, 5) == b""
    assert archive.read("2026-01-31/21/appliance-1.ndjson.gz", 0, 5) == b""


def test_days_that_are_over_are_forgotten(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.forget(date(2026, 2, 1))
    for day in (30, 31):
        archive.append(archive.file_of(HOUR.replace(day=day), ApplianceId("a")), 0, b"x")
    archive.forget(date(2026, 1, 31))
    assert [path.name for path in tmp_path.iterdir()] == ["2026-01-31"]
