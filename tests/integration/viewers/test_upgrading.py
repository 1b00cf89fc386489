"""What viewers of an older release wrote, brought up to date, and written beside it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from cuemark.contexts.viewers import wiring
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId
from cuemark.contracts.viewers import GetResumePoint, ListWatching, RecordProgress
from cuemark.contracts.viewers.exchange import ExportChanges, ViewingChange
from cuemark.contracts.viewers.history import ListHistory
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.hybrid_clock import Stamp

WATCHED_AT = datetime(2025, 12, 31, 20, 0, 1, 234567, tzinfo=UTC)
ADA, FILM = ProfileId("prf_ada"), TitleId("ttl_film")
_OLD = (
    "insert into viewers.session values (:profile, 'ttl_film', 'pls_old', 7, 120, :at)",
    "insert into viewers.progress values (:profile, 'ttl_film', 120, 600, :at)",
)


async def old_writes(database: Database, profile: str) -> None:
    """As the release before did it."""
    columns = {
        "session": "(profile_id, title_id, session_id, sequence, position_s, reported_at)",
        "progress": "(profile_id, title_id, resume_s, duration_s, watched_at)",
    }
    async with database.transaction() as transaction:
        for statement in _OLD:
            for table, names in columns.items():
                statement = statement.replace(f"viewers.{table} ", f"viewers.{table} {names} ")
            await transaction.execute(text(statement), {"profile": profile, "at": WATCHED_AT})


async def test_progress_of_an_older_release_is_history_and_goes_on_and_is_told_to_regions(
    database_url: str, tmp_path: Path
) -> None:
    before = tmp_path / "migrations"
    shutil.copytree(wiring.MIGRATIONS, before, ignore=shutil.ignore_patterns("0002*", "__*"))
    migrate(database_url, wiring.SCHEMA, before)
    database = Database(database_url)
    await old_writes(database, ADA)
    migrate(database_url, wiring.SCHEMA, wiring.MIGRATIONS)
    await old_writes(database, "prf_beside")
    clock = ManualClock(WATCHED_AT + timedelta(days=1))
    viewers = wiring.build(database, clock).service
    asked = GetResumePoint(profile_id=ADA, title_id=FILM)
    assert (await viewers.get_resume_point(asked)).position_s == 120
    for profile in (ADA, ProfileId("prf_beside")):
        watching = await viewers.list_watching(ListWatching(profile_id=profile))
        assert [each.position_s for each in watching.titles] == [120]
    (viewing,) = (await viewers.list_history(ListHistory(profile_id=ADA))).viewings
    assert (viewing.position_s, viewing.duration_s) == (120, 600)
    (change,) = (await viewers.export_changes(ExportChanges())).changes
    assert isinstance(change, ViewingChange)
    assert Stamp.parsed(change.stamp).at == WATCHED_AT
    for sequence, position_s in ((7, 50.0), (8, 130.0)):
        await viewers.record_progress(
            RecordProgress(
                profile_id=ADA,
                title_id=FILM,
                session_id=PlaySessionId("pls_old"),
                sequence=sequence,
                position_s=position_s,
                duration_s=600.0,
            )
        )
    assert (await viewers.get_resume_point(asked)).position_s == 130
    await database.close()
