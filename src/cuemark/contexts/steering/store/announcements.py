"""The tables of announced routes: the batches of each appliance's epoch, as they came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.routes import AnnounceRoutes
from cuemark.kit.database import Transaction

_metadata = MetaData(schema="steering")
_announcer = Table(
    "announcer",
    _metadata,
    Column("appliance_id", Text, primary_key=True),
    Column("epoch", Text),
    Column("revision", BigInteger),
    Column("changes", BigInteger),
)
_announcement = Table(
    "announcement",
    _metadata,
    Column("appliance_id", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("body", LargeBinary),
)


@dataclass(frozen=True)
class Reached:
    """Where an appliance's telling stands: the last revision of an epoch, 0 before the first."""

    epoch: str
    revision: int
    changes: int = 0


NOTHING = Reached("", 0)


async def reached(transaction: Transaction, appliance_id: ApplianceId) -> Reached:
    """Where an appliance's telling stands. Holds it until the transaction ends."""
    await transaction.execute(
        insert(_announcer)
        .values(appliance_id=appliance_id, epoch="", revision=0, changes=0)
        .on_conflict_do_nothing()
    )
    row = (
        await transaction.execute(
            select(_announcer).where(_announcer.c.appliance_id == appliance_id).with_for_update()
        )
    ).one()
    return Reached(row.epoch, row.revision, row.changes)


async def add(transaction: Transaction, batch: AnnounceRoutes, changes: int) -> None:
    """Keep a batch; the first of an epoch takes the place of all that was before."""
    if batch.revision == 1:
        await transaction.execute(
            delete(_announcement).where(_announcement.c.appliance_id == batch.appliance_id)
        )
    await transaction.execute(
        insert(_announcement).values(
            appliance_id=batch.appliance_id,
            epoch=batch.epoch,
            revision=batch.revision,
            body=msgspec.msgpack.encode(batch),
        )
    )
    await transaction.execute(
        _announcer.update()
        .where(_announcer.c.appliance_id == batch.appliance_id)
        .values(epoch=batch.epoch, revision=batch.revision, changes=changes)
    )


async def all_reached(transaction: Transaction) -> Mapping[ApplianceId, Reached]:
    """Where each appliance's telling stands."""
    rows = await transaction.execute(select(_announcer))
    return {row.appliance_id: Reached(row.epoch, row.revision, row.changes) for row in rows}


async def after(
    transaction: Transaction, appliance_id: ApplianceId, known: Reached, limit: int
) -> Sequence[AnnounceRoutes]:
    """Up to ``limit`` batches of the epoch ``known`` after its revision, in their order."""
    rows = await transaction.execute(
        select(_announcement.c.body)
        .where(
            _announcement.c.appliance_id == appliance_id,
            _announcement.c.epoch == known.epoch,
            _announcement.c.revision > known.revision,
        )
        .order_by(_announcement.c.revision)
        .limit(limit)
    )
    return [msgspec.msgpack.decode(row.body, type=AnnounceRoutes) for row in rows]
