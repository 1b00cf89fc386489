"""A catalog that an older release wrote, brought up to date."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from cuemark.contexts.catalog import wiring
from cuemark.contracts.catalog import GetTitle, SetLaunch
from cuemark.contracts.catalog.works import CreateWork, GetWork, PlaceWork
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.kit import outbox
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.contract.catalog.house import called

MADE_AT = datetime(2025, 1, 1, tzinfo=UTC)
FILM = TitleId("ttl_" + "1" * 26)


async def test_titles_of_an_older_release_are_works_and_keep_what_they_had(
    database_url: str, tmp_path: Path
) -> None:
    before = tmp_path / "migrations"
    shutil.copytree(wiring.MIGRATIONS, before, ignore=shutil.ignore_patterns("0006*", "__*"))
    migrate(database_url, outbox.SCHEMA, outbox.MIGRATIONS)
    migrate(database_url, wiring.SCHEMA, before)
    database = Database(database_url)
    async with database.transaction() as transaction:
        for table in ("title", "browse"):
            more = ", quality, duration_s, artwork_key" if table == "browse" else ""
            values = ", 'none', 0, ''" if table == "browse" else ""
            await transaction.execute(
                text(
                    f"insert into catalog.{table} (title_id, name, synopsis, created_at, series"
                    f"{more}) values (:id, 'It''s a \"Film\"', 'Of it.', :at, 'The Show'{values})"
                ),
                {"id": FILM, "at": MADE_AT},
            )
    migrate(database_url, wiring.SCHEMA, wiring.MIGRATIONS)
    clock = ManualClock()
    room = wiring.build(database, Log(clock), clock, Ids(clock))
    work = await room.service.get_work(GetWork(work_id=WorkId(FILM)))
    assert (work.kind, work.details.texts[0].name) == ("movie", 'It\'s a "Film"')
    title = await room.service.get_title(GetTitle(title_id=FILM))
    assert (title.name, title.synopsis, title.series) == ('It\'s a "Film"', "Of it.", "The Show")
    series = await room.service.create_work(CreateWork(kind="series", details=called("Other")))
    place = PlaceWork(work_id=work.work_id, parent_id=series.work_id, number=1, kind="episode")
    await room.service.place_work(place)
    await room.followers[0].catch_up()
    assert (await room.service.get_title(GetTitle(title_id=FILM))).series == "Other"
    await room.service.place_work(PlaceWork(work_id=work.work_id))
    await room.service.set_launch(SetLaunch(title_id=FILM))
    await room.followers[0].catch_up()
    assert (await room.service.get_title(GetTitle(title_id=FILM))).series == "The Show"
    await database.close()
