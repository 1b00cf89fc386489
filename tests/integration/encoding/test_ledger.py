"""What the workflows write: publication, what a job waits for, and uploads' leftovers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from cuemark.contexts.encoding import store, wiring
from cuemark.contexts.encoding.service import Ledger, sweep_uploads
from cuemark.contexts.encoding.store import JobRow, UploadRow
from cuemark.contracts.encoding.versions import Timeline, Version
from cuemark.contracts.ids import TitleId, UploadId, VersionId
from cuemark.kit import outbox
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log

TODAY = datetime(2026, 1, 2, tzinfo=UTC)
YESTERDAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    migrate(database_url, outbox.SCHEMA, outbox.MIGRATIONS)
    migrate(database_url, wiring.SCHEMA, wiring.MIGRATIONS)
    database = Database(database_url)
    yield database
    await database.close()


def ledger(database: Database, now: datetime) -> Ledger:
    clock = ManualClock(now)
    return Ledger(database, Log(clock), clock)


def job(name: str) -> JobRow:
    return JobRow(
        version_id=VersionId(name),
        quick_version_id=VersionId(f"quick {name}"),
        title_id=TitleId("title"),
        master_sha256="",
        captions=[],
        trace_id="",
        created_at=TODAY,
    )


def version(name: str) -> Version:
    return Version(
        version_id=VersionId(name),
        title_id=TitleId("title"),
        quality="full",
        duration_s=1.0,
        frame_rate="25/1",
        renditions=[],
        audio=[],
        captions=[],
        video_timeline=Timeline(timescale=25, start=0, durations=[25]),
        audio_timeline=None,
        scheme="cbcs",
        artwork_key="",
        index_blake3="",
        published_at=TODAY,
    )


async def begun(database: Database, name: str) -> JobRow:
    async with database.transaction() as transaction:
        await store.insert_job(transaction, job(name))
        await store.set_running(transaction, name)
    return job(name)


async def waiting(database: Database, name: str) -> str:
    async with database.transaction() as transaction:
        return (await store.find_jobs(transaction, version_id=name))[0].waiting


async def test_a_version_that_is_published_after_the_clock_was_set_back_is_the_later(
    database: Database,
) -> None:
    first, second = await begun(database, "first"), await begun(database, "second")
    await ledger(database, TODAY).publish(first, version("first"))
    await ledger(database, YESTERDAY).publish(second, version("second"))
    async with database.transaction() as transaction:
        found = await transaction.execute(
            text("select version_id, published_at from encoding.version order by published_at")
        )
        published = [row.version_id for row in found]
        jobs = await store.find_jobs(transaction, version_id="second")
    assert published == ["first", "second"]
    assert jobs[0].good_s == 0.0, "no job took less than no time"


async def test_a_job_tells_what_it_waits_for_until_something_is_done(database: Database) -> None:
    await begun(database, "job")
    now = ledger(database, TODAY)
    await now.wait("job", "waiting for room")
    assert await waiting(database, "job") == "waiting for room"
    await now.finish("job", "encode", "a chunk")
    assert await waiting(database, "job") == ""


async def test_a_job_that_is_over_waits_for_nothing(database: Database) -> None:
    row = await begun(database, "job")
    now = ledger(database, TODAY)
    await now.wait("job", "waiting for room")
    await now.fail(row, "no film")
    await now.wait("job", "waiting for room")
    assert await waiting(database, "job") == ""


async def test_spool_files_of_uploads_that_are_complete_or_unknown_are_swept(
    database: Database, tmp_path: Path
) -> None:
    objects = Objects(tmp_path)
    (tmp_path / "uploads").mkdir()
    async with database.transaction() as transaction:
        for name in ("open", "complete"):
            row = UploadRow(
                upload_id=UploadId(name),
                name="film.mp4",
                size_bytes=1,
                announced_sha256="",
                sha256="",
                asset_id=None,
            )
            await store.insert_upload(transaction, row, TODAY)
            if name == "complete":
                await store.store_asset(transaction, row, "sha256", "asset", TODAY)
    for name in ("open", "complete", "unknown"):
        (tmp_path / "uploads" / f"{name}.part").touch()
    await sweep_uploads(database, objects)
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == ["open.part"]
