"""All the SQL of the catalog."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Double,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from cuemark.contexts.catalog.model.listing import Half, Listing, is_launched, title_of
from cuemark.contracts.catalog import Title
from cuemark.contracts.catalog.metadata import Details
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query

SCHEMA = "catalog"

_metadata = MetaData(schema=SCHEMA)
_title = Table(
    "title",
    _metadata,
    Column("title_id", Text, primary_key=True),
    Column("name", Text),
    Column("synopsis", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("series", Text),
    Column("launch_at", DateTime(timezone=True)),
)
_browse = Table(
    "browse",
    _metadata,
    Column("title_id", Text, primary_key=True),
    Column("name", Text),
    Column("synopsis", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("version_id", Text),
    Column("quality", Text),
    Column("duration_s", Double),
    Column("artwork_key", Text),
    Column("published_at", DateTime(timezone=True)),
    Column("chosen_artwork_key", Text),
    Column("artwork_chosen_at", DateTime(timezone=True)),
    Column("chosen_with_name", Boolean),
    Column("series", Text),
    Column("launch_at", DateTime(timezone=True)),
    Column("launch_set_at", DateTime(timezone=True)),
    Column("described_at", DateTime(timezone=True)),
)


_half = Table(
    "half",
    _metadata,
    Column("version_id", Text, primary_key=True),
    Column("published", Text),
    Column("placed", Boolean),
)


async def add_titles(transaction: Transaction, titles: Sequence[Title]) -> None:
    if not titles:
        return
    await transaction.execute(
        _title.insert(),
        [
            {
                "title_id": title.title_id,
                "name": title.name,
                "synopsis": title.synopsis,
                "created_at": title.created_at,
                "series": title.series,
                "launch_at": title.launch_at,
            }
            for title in titles
        ],
    )


_VIEWED = Query(
    select(
        _browse,
        literal_column(
            "(select w.details::text from catalog.work w where w.work_id = browse.title_id)"
        ).label("details"),
    ).where(_browse.c.title_id == bindparam("of_title"))
)
_SOURCE = Query(
    text(
        "select t.title_id, t.name, t.synopsis, t.created_at, t.series, t.launch_at, "
        "w.details::text as details from catalog.title t "
        "left join catalog.work w on w.work_id = t.title_id where t.title_id = :of_title"
    )
)


async def title(
    database: Database, title_id: TitleId, now: datetime
) -> tuple[Title, Details | None] | None:
    """A title with its texts: as the view has it, or as it was created."""
    found = [row._asdict() for row in await database.ask(_VIEWED, {"of_title": title_id})]
    for values in found:
        details = _details(values.pop("details"))
        if viewed := title_of(Listing(**values), now):
            return viewed, details
    for values in [row._asdict() for row in await database.ask(_SOURCE, {"of_title": title_id})]:
        details = _details(values.pop("details"))
        return Title(**values, launched=is_launched(values["launch_at"], now)), details
    return None


def _details(kept: str | None) -> Details | None:
    return None if kept is None else msgspec.json.decode(kept, type=Details)


async def listing(transaction: Transaction, title_id: TitleId) -> Listing | None:
    found = await transaction.execute(select(_browse).where(_browse.c.title_id == title_id))
    row = found.one_or_none()
    return Listing(**row._mapping) if row else None


async def put_listing(transaction: Transaction, listing: Listing) -> None:
    values = msgspec.structs.asdict(listing)
    await transaction.execute(
        insert(_browse)
        .values(values)
        .on_conflict_do_update(index_elements=["title_id"], set_=values)
    )


async def half(transaction: Transaction, version_id: VersionId) -> Half | None:
    found = await transaction.execute(select(_half).where(_half.c.version_id == version_id))
    row = found.one_or_none()
    if row is None:
        return None
    published = row.published and msgspec.json.decode(row.published, type=VersionPublished)
    return Half(published=published, placed=row.placed)


async def put_half(transaction: Transaction, version_id: VersionId, half: Half) -> None:
    published = half.published and msgspec.json.encode(half.published).decode()
    values = {"version_id": version_id, "published": published, "placed": half.placed}
    await transaction.execute(
        insert(_half)
        .values(values)
        .on_conflict_do_update(index_elements=["version_id"], set_=values)
    )


async def drop_half(transaction: Transaction, version_id: VersionId) -> None:
    await transaction.execute(delete(_half).where(_half.c.version_id == version_id))


async def viewed_titles(
    transaction: Transaction,
    before: str | None,
    limit: int,
    now: datetime,
    *,
    published_only: bool,
) -> list[Title]:
    """The newest first: ids grow with time. ``before`` is the last id of the page before."""
    query = select(_browse).where(_browse.c.name.is_not(None))
    query = query.order_by(_browse.c.title_id.desc()).limit(limit)
    if before is not None:
        query = query.where(_browse.c.title_id < before)
    if published_only:
        launched = or_(_browse.c.launch_at.is_(None), _browse.c.launch_at <= now)
        query = query.where(_browse.c.version_id.is_not(None), launched)
    found = [Listing(**row._mapping) for row in await transaction.execute(query)]
    return [title for each in found if (title := title_of(each, now)) is not None]
