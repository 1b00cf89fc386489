"""The tables of steering."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    MetaData,
    Table,
    Text,
    all_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering.reports import Report, RevokedSession, SnapshotVersion
from cuemark.contracts.steering.routes import BgpPeer, Place
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query

_metadata = MetaData(schema="steering")
_appliance = Table(
    "appliance",
    _metadata,
    Column("appliance_id", Text, primary_key=True),
    Column("url", Text),
    Column("healthy", Boolean),
    Column("in_flight", BigInteger),
    Column("last_report_at", DateTime(timezone=True)),
    Column("inventory_revision", BigInteger),
    Column("capacity_kbps", BigInteger),
    Column("served_kbps", BigInteger),
    Column("announced_only", Boolean),
    Column("place", JSONB(none_as_null=True)),
    Column("peers", JSONB(none_as_null=True)),
    Column("draining", Boolean),
    Column("rolling", Boolean),
    Column("region", Text),
    Column("software", JSONB(none_as_null=True)),
)
_held = Table(
    "held",
    _metadata,
    Column("version_id", Text, primary_key=True),
    Column("appliance_id", Text, primary_key=True),
)
_published = Table(
    "published",
    _metadata,
    Column("position", BigInteger, primary_key=True),
    Column("version_id", Text),
    Column("index_blake3", Text),
    Column("placed_at", DateTime(timezone=True)),
)
_revoked = Table(
    "revoked",
    _metadata,
    Column("position", BigInteger, primary_key=True),
    Column("session_id", Text),
    Column("until_at", DateTime(timezone=True)),
)
_said = ("url", "healthy", "in_flight", "capacity_kbps", "served_kbps", "announced_only", "region")
_state = (
    _appliance.c.appliance_id,
    _appliance.c.last_report_at,
    _appliance.c.place,
    *(_appliance.c[name] for name in _said if name != "region"),
    or_(_appliance.c.draining, _appliance.c.rolling).label("draining"),
)


async def record(transaction: Transaction, report: Report, at: datetime) -> int | None:
    """Store what an appliance says of itself; return the inventory revision known, if any.

    Holds the appliance's row, so reports of one appliance follow one another.
    """
    values = {
        "last_report_at": at,
        "place": report.place and msgspec.to_builtins(report.place),
        "peers": msgspec.to_builtins(report.peers) or None,
        "software": report.software and msgspec.to_builtins(report.software),
        **{name: getattr(report, name) for name in _said},
    }
    said = insert(_appliance).values(appliance_id=report.appliance_id, **values)
    stored = await transaction.execute(
        said.on_conflict_do_update(
            index_elements=["appliance_id"], set_={name: said.excluded[name] for name in values}
        ).returning(_appliance.c.inventory_revision)
    )
    revision: int | None = stored.scalar_one()
    return revision


async def set_draining(transaction: Transaction, appliance_id: ApplianceId, draining: bool) -> bool:
    """Note what operators say of an appliance; False where it has never reported."""
    noted = await transaction.execute(
        update(_appliance)
        .where(_appliance.c.appliance_id == appliance_id)
        .values(draining=draining)
        .returning(_appliance.c.appliance_id)
    )
    return noted.one_or_none() is not None


async def replace_inventory(
    transaction: Transaction,
    appliance_id: ApplianceId,
    revision: int,
    versions: Sequence[VersionId],
) -> None:
    listed = cast(list(versions), ARRAY(Text))
    await transaction.execute(
        delete(_held).where(
            _held.c.appliance_id == appliance_id, _held.c.version_id != all_(listed)
        )
    )
    await transaction.execute(
        insert(_held)
        .from_select(
            ["appliance_id", "version_id"], select(literal(appliance_id), func.unnest(listed))
        )
        .on_conflict_do_nothing()
    )
    await transaction.execute(
        update(_appliance)
        .where(_appliance.c.appliance_id == appliance_id)
        .values(inventory_revision=revision)
    )


_KNOWING = Query(
    select(*_state)
    .join(_held, _held.c.appliance_id == _appliance.c.appliance_id)
    .where(_held.c.version_id == bindparam("of_version"))
)


async def knowing(database: Database, version_id: VersionId) -> list[Appliance]:
    """The appliances that hold a version, dead ones too."""
    rows = await database.ask(_KNOWING, {"of_version": version_id})
    return [_appliance_of(row) for row in rows]


def _appliance_of(row: Any) -> Appliance:
    values = {column.name: getattr(row, column.name) for column in _state}
    place = values.pop("place")
    return Appliance(**values, place=place and msgspec.convert(place, Place))


async def known(transaction: Transaction) -> list[Appliance]:
    """Every appliance that has reported."""
    rows = await transaction.execute(select(*_state).order_by(_appliance.c.appliance_id))
    return [_appliance_of(row) for row in rows]


async def appliances(transaction: Transaction) -> list[tuple[Appliance, int, list[BgpPeer]]]:
    """Every appliance that has reported, with how many versions it holds, and its peers."""
    counted = (
        select(_held.c.appliance_id, func.count().label("versions"))
        .group_by(_held.c.appliance_id)
        .subquery()
    )
    rows = await transaction.execute(
        select(*_state, func.coalesce(counted.c.versions, 0).label("versions"), _appliance.c.peers)
        .outerjoin(counted, counted.c.appliance_id == _appliance.c.appliance_id)
        .order_by(_appliance.c.appliance_id)
    )
    return [
        (_appliance_of(row), row.versions, msgspec.convert(row.peers or [], list[BgpPeer]))
        for row in rows
    ]


async def add_published(transaction: Transaction, version_id: VersionId, index_blake3: str) -> None:
    """List a version for the appliances; one that is listed stays where it is."""
    await transaction.execute(
        insert(_published)
        .values(version_id=version_id, index_blake3=index_blake3)
        .on_conflict_do_nothing(index_elements=["version_id"])
    )


async def place(
    transaction: Transaction, version_ids: Sequence[VersionId], at: datetime
) -> list[VersionId]:
    """Mark published versions as placed; return those that were not before."""
    placed = await transaction.execute(
        update(_published)
        .where(
            _published.c.version_id.in_(version_ids),
            _published.c.placed_at.is_(None),
        )
        .values(placed_at=at)
        .returning(_published.c.version_id)
    )
    return list(placed.scalars())


async def published_after(
    transaction: Transaction, position: int, limit: int
) -> tuple[list[SnapshotVersion], int]:
    """Up to ``limit`` versions after a position, oldest first, and the position reached."""
    rows = (
        await transaction.execute(
            select(_published)
            .where(_published.c.position > position)
            .order_by(_published.c.position)
            .limit(limit)
        )
    ).all()
    versions = [SnapshotVersion(row.version_id, row.index_blake3) for row in rows]
    return versions, rows[-1].position if rows else position


async def last_position(transaction: Transaction) -> int:
    """The position of the newest version; 0 where there is none."""
    last = await transaction.execute(select(func.coalesce(func.max(_published.c.position), 0)))
    position: int = last.scalar_one()
    return position


async def revoke(transaction: Transaction, session_id: PlaySessionId, until_at: datetime) -> None:
    """List a session as revoked until its tokens end; one that is listed stays where it is."""
    await transaction.execute(
        insert(_revoked)
        .values(session_id=session_id, until_at=until_at)
        .on_conflict_do_nothing(index_elements=["session_id"])
    )


async def forget_revoked(transaction: Transaction, now: datetime, limit: int) -> None:
    """Leave no session whose tokens have ended, and of the others the newest ``limit``."""
    oldest = select(_revoked.c.position).order_by(_revoked.c.position.desc()).offset(limit).limit(1)
    await transaction.execute(
        delete(_revoked).where(
            (_revoked.c.until_at <= now) | (_revoked.c.position <= oldest.scalar_subquery())
        )
    )


async def revoked_after(
    transaction: Transaction, position: int, limit: int
) -> tuple[list[RevokedSession], int]:
    """Up to ``limit`` revoked sessions after a position, oldest first, and the position reached."""
    rows = (
        await transaction.execute(
            select(_revoked)
            .where(_revoked.c.position > position)
            .order_by(_revoked.c.position)
            .limit(limit)
        )
    ).all()
    revoked = [RevokedSession(row.session_id, int(row.until_at.timestamp())) for row in rows]
    return revoked, rows[-1].position if rows else position


async def last_revoked(transaction: Transaction) -> int:
    """The last position that a revoked session ever got; 0 where none was revoked."""
    last = await transaction.execute(text("select last_value from steering.revoked_position_seq"))
    position: int = last.scalar_one()
    return position
