"""What people type or write for an install: settings, options, the line of a device."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from cuemark.app import folder_format, settings
from cuemark.app.cli.ingest import ingest, parse_captions
from cuemark.app.cli.logs import logs, parse_since, parse_trace
from cuemark.app.cli.viewing import LinesInvalid, changes_in
from cuemark.app.farm import ticket
from cuemark.app.folder import DataFolder
from cuemark.contracts.viewers.exchange import ErasureChange
from cuemark.kit.hybrid_clock import Stamp
from cuemark.player.line import LineInvalid, parse
from tests.fuzz.tables import DEEP, Table

INGEST, LOGS = click.Context(ingest), click.Context(logs)
CAPTIONS = next(option for option in ingest.params if option.name == "captions")
SINCE = next(option for option in logs.params if option.name == "since")
TRACE = next(option for option in logs.params if option.name == "trace_id")


def read_settings(data: bytes) -> None:
    """A file, and after a line of dashes an environment: a line for each variable."""
    file, _, lines = data.partition(b"\n--\n")
    pairs = (line.partition("=") for line in os.fsdecode(lines).split("\n"))
    environment = {f"CUEMARK_{name.upper()}": value for name, _, value in pairs}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / settings.FILE_NAME).write_bytes(file)
        try:
            found = settings.load(Path(folder), environment)
        except settings.SettingsInvalid:
            return
        (Path(folder) / settings.FILE_NAME).unlink()
        again = {
            f"CUEMARK_{name.upper()}": _in_environment(getattr(found, name))
            for name in settings.Settings.__struct_fields__
            if name not in settings.TABLES
        }
        untouched = {name: getattr(settings.Settings(), name) for name in settings.TABLES}
        without_tables = msgspec.structs.replace(found, **untouched)
        assert settings.load(Path(folder), again) == without_tables
    assert 0 < found.port < 1 << 16
    assert min(found.workers, found.appliances, found.origin_limit_kbps) >= 0
    for text in (found.service_name, found.bind, found.nginx, found.postgres_url):
        assert b"\0" not in text.encode()


def _in_environment(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def read_format(data: bytes) -> None:
    """What is no such file says nothing; what is one is read again as it was written."""
    with tempfile.TemporaryDirectory() as name:
        folder = DataFolder(Path(name))
        (folder.root / folder_format.FILE_NAME).write_bytes(data)
        found = folder_format.read(folder)
        try:
            folder_format.check(folder)
        except folder_format.FolderTooNew:
            assert found.format > folder_format.FORMAT
        folder_format.write(folder, found.pipeline)
        assert folder_format.read(folder).pipeline == found.pipeline


def read_ticket(data: bytes) -> None:
    """What is no ticket is refused; what is one is read again as it was written."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ticket"
        path.write_bytes(data)
        try:
            found = ticket.read(path)
        except ticket.TicketUnusable:
            return
        ticket.write(found, path)
        assert ticket.read(path) == found


def read_options(data: bytes) -> None:
    """``--captions``, one a line, and ``--since`` and ``--trace`` of ``cuemark logs``."""
    text = os.fsdecode(data)
    try:
        found = parse_captions(INGEST, CAPTIONS, tuple(text.split("\n")))
    except click.BadParameter:
        pass
    else:
        assert all(language and path.is_file() for language, path in found.items())
    try:
        since = parse_since(LOGS, SINCE, text)
    except click.BadParameter:
        pass
    else:
        assert since is not None
        assert since.utcoffset() is not None
        assert isinstance(since < datetime.now(UTC), bool)
    try:
        trace = parse_trace(LOGS, TRACE, text)
    except click.BadParameter:
        return
    assert trace == text.lower()


def read_line(data: bytes) -> None:
    """A line carries anything in the end, more of it no sooner, and that is reckoned at once."""
    try:
        line = parse(os.fsdecode(data))
    except LineInvalid:
        return
    assert 0 <= line.carried_at_s(0, 1) <= line.carried_at_s(0, 10**7)


def read_changes(data: bytes) -> None:
    """A line that is not right is told; what is right can be ordered and is in some profile."""
    try:
        found = changes_in(iter(data.splitlines(keepends=True)))
    except LinesInvalid:
        return
    assert len(found.changes) == len(found.numbers)
    for change in found.changes:
        assert change.profile_id
        if not isinstance(change, ErasureChange):
            assert str(Stamp.parsed(change.stamp)) == change.stamp


PARSERS: Table = {
    "changes": (
        read_changes,
        [
            b'{"kind":"viewing-changes","region":"w"}\n'
            b'{"kind":"my_list","profile_id":"p","work_id":"t","listed":true,'
            b'"stamp":"0006370b2e1c4000.0000.west"}\n{"kind":"erasure","profile_id":"p"}',
            b'{"kind":"viewing-changes","region":"w"}\n{"kind":"viewing","profile_id":"p",'
            b'"title_id":"t","session_id":"s","sequence":1,"position_s":1,"duration_s":9,'
            b'"watched_at":"2024-01-01T00:00:00Z","stamp":"0006370b2e1c4000.0000.west"}',
            DEEP,
        ],
    ),
    "settings": (
        read_settings,
        [
            b'bind = "0.0.0.0"\nport = 80\n--\nworkers=3\nnginx=/n',
            b'[objects]\nstore = "s3://b/c"\nendpoint = "http://h:1"\n[farm]\nlisten = "h"',
        ],
    ),
    "format": (
        read_format,
        [b'{"format":1,"release":"0.1.0","pipeline":"a"}', b'{"format":2}', DEEP],
    ),
    "ticket": (read_ticket, [b'{"format":1,"bucket":{"bucket":"b"}}', b"{", DEEP]),
    "options": (
        read_options,
        [b"en=/etc/passwd\npt-BR=pyproject.toml", b"10m", b"2026-01-31T20:15"],
    ),
    "line": (
        read_line,
        [
            b"8000,600@5s,8000@15s",
            b'[{"duration_ms": 1000, "bandwidth_kbps": 900}]',
            b"0.0 1.25\n1.0 3\n",
            b"[" + DEEP,
        ],
    ),
}
