"""The tables of what appliances tell: what they are and hold, and what they served by the hour."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np
from sqlalchemy import text

from cuemark.contexts.fill.model.hours import Counts, merged
from cuemark.contexts.fill.model.stock import Held, KnownAppliance, ServedHour
from cuemark.contracts.fill import TellHeld, TellServed, TrackBytes
from cuemark.contracts.ids import ApplianceId
from cuemark.kit.database import Transaction

_TOLD = (
    "unnest(cast(:versions as text[]), cast(:tracks as text[]), cast(:of_bytes as bigint[])) "
    "as told (version_id, track_id, of_bytes)"
)
_HELD = msgspec.json.Decoder(list[TrackBytes])


async def record_appliance(transaction: Transaction, told: TellHeld, at: datetime) -> bool:
    """Keep what an appliance is; whether it is another one than was known.

    Holds its row, so that what it tells follows one another.
    """
    values = {
        "id": told.appliance_id,
        "region": told.region,
        "timezone": told.timezone,
        "storage_bytes": told.storage_bytes,
        "capacity_kbps": told.capacity_kbps,
        "at": at,
    }
    await transaction.execute(
        text("insert into fill.appliance values (:id, '', '', 0, :at) on conflict do nothing"),
        values,
    )
    same = await transaction.execute(
        text(
            "select (region, timezone, storage_bytes, capacity_kbps) "
            "= (:region, :timezone, :storage_bytes, :capacity_kbps) "
            "from fill.appliance where appliance_id = :id for update"
        ),
        values,
    )
    known = bool(same.scalar_one())
    await transaction.execute(
        text(
            "update fill.appliance set region = :region, timezone = :timezone, "
            "storage_bytes = :storage_bytes, capacity_kbps = :capacity_kbps, told_at = :at "
            "where appliance_id = :id"
        ),
        values,
    )
    return not known


async def record_held(transaction: Transaction, told: TellHeld) -> int:
    """Keep a part of what an appliance holds; how many parts of this telling there are now."""
    where = {"id": told.appliance_id}
    if told.part == 1:
        await transaction.execute(
            text("delete from fill.held where appliance_id = :id and not whole"), where
        )
    await transaction.execute(
        text(
            "insert into fill.held (appliance_id, whole, part, body) "
            "values (:id, false, :part, :body) "
            "on conflict (appliance_id, whole, part) do update set body = excluded.body"
        ),
        {**where, "part": told.part, "body": msgspec.json.encode(told.held)},
    )
    found = await transaction.execute(
        text("select count(*) from fill.held where appliance_id = :id and not whole"), where
    )
    return int(found.scalar_one())


async def make_whole(transaction: Transaction, appliance_id: ApplianceId) -> bool:
    """The parts that came take the place of what was held before; whether that is the first."""
    where = {"id": appliance_id}
    before = await transaction.execute(
        text("delete from fill.held where appliance_id = :id and whole returning part"), where
    )
    first = not before.scalars().all()
    await transaction.execute(
        text("update fill.held set whole = true where appliance_id = :id"), where
    )
    await transaction.execute(
        text(
            "update fill.appliance set held_revision = nextval('fill.held_revision') "
            "where appliance_id = :id"
        ),
        where,
    )
    return first


@dataclass(frozen=True)
class ToldHeld:
    """What an appliance told as held, in the parts in which it was told."""

    appliance_id: ApplianceId
    revision: int
    storage_bytes: int
    parts: Sequence[bytes]

    def held(self) -> Held:
        """What it holds, in bytes."""
        return _held(self.parts)


async def revisions(
    transaction: Transaction, enrolled: Collection[ApplianceId]
) -> dict[ApplianceId, int]:
    """Which telling is the last of each enrolled appliance that has told what it holds."""
    found = await transaction.execute(
        text(
            "select appliance_id, held_revision from fill.appliance where exists "
            "(select from fill.held where held.appliance_id = appliance.appliance_id and whole) "
            "order by held_revision"
        )
    )
    return {row.appliance_id: row.held_revision for row in found if row.appliance_id in enrolled}


async def told_held(
    transaction: Transaction, appliance_ids: Collection[ApplianceId]
) -> list[ToldHeld]:
    """What these told last, by id."""
    found = await transaction.execute(
        text(
            "select appliance_id, held_revision, storage_bytes, array_agg(body order by part) "
            "as parts from fill.appliance join fill.held using (appliance_id) "
            "where whole and appliance_id = any(:ids) "
            "group by appliance_id order by appliance_id"
        ),
        {"ids": list(appliance_ids)},
    )
    return [
        ToldHeld(row.appliance_id, row.held_revision, row.storage_bytes, row.parts) for row in found
    ]


async def appliances(
    transaction: Transaction, enrolled: Collection[ApplianceId], storage: Collection[ApplianceId]
) -> list[KnownAppliance]:
    """The enrolled appliances that have told what they hold, by id."""
    bodies: dict[ApplianceId, list[bytes]] = {}
    for row in await transaction.execute(
        text("select appliance_id, body from fill.held where whole order by appliance_id, part")
    ):
        bodies.setdefault(row.appliance_id, []).append(row.body)
    found = await transaction.execute(text("select * from fill.appliance order by appliance_id"))
    return [
        KnownAppliance(
            appliance_id=row.appliance_id,
            region=row.region,
            timezone=row.timezone,
            storage_bytes=row.storage_bytes,
            capacity_kbps=row.capacity_kbps,
            told_at=row.told_at,
            tier="storage" if row.appliance_id in storage else "edge",
            held=_held(bodies[row.appliance_id]),
        )
        for row in found
        if row.appliance_id in enrolled and row.appliance_id in bodies
    ]


def _held(parts: Sequence[bytes]) -> Held:
    return {
        (each.version_id, each.track_id): each.of_bytes
        for body in parts
        for each in _HELD.decode(body)
    }


async def record_served(transaction: Transaction, told: TellServed) -> None:
    """Keep what an appliance served in an hour: of each track the greater of what it told.

    What no version that was published has is left out.
    """
    where = {"id": told.appliance_id, "hour": told.hour}
    await transaction.execute(
        text(
            "insert into fill.served (appliance_id, hour, region, tracks, of_bytes) "
            "values (:id, :hour, '', '', '') on conflict do nothing"
        ),
        where,
    )
    locked = await transaction.execute(
        text(
            "select tracks, of_bytes from fill.served "
            "where appliance_id = :id and hour = :hour for update"
        ),
        where,
    )
    row = locked.one()
    counts = merged(
        Counts.read(row.tracks, row.of_bytes), await _numbered(transaction, told.served)
    )
    await transaction.execute(
        text(
            "update fill.served set region = :region, tracks = :tracks, of_bytes = :of_bytes "
            "where appliance_id = :id and hour = :hour"
        ),
        {
            **where,
            "region": told.region,
            "tracks": counts.tracks.astype("<i4").tobytes(),
            "of_bytes": counts.of_bytes.astype("<i8").tobytes(),
        },
    )


async def _numbered(transaction: Transaction, served: Sequence[TrackBytes]) -> Counts:
    values = {
        "versions": [each.version_id for each in served],
        "tracks": [each.track_id for each in served],
        "of_bytes": [each.of_bytes for each in served],
    }
    # Of a version that could not be read yet nobody knows the tracks: those that are told count.
    await transaction.execute(
        text(
            f"insert into fill.track (version_id, track_id) select version_id, track_id "
            f"from {_TOLD} join fill.version using (version_id) where not learned "
            "on conflict do nothing"
        ),
        values,
    )
    found = await transaction.execute(
        text(
            "select number, told.of_bytes from fill.track "
            f"join {_TOLD} using (version_id, track_id)"
        ),
        values,
    )
    rows = found.all()
    numbers = np.array([row.number for row in rows], dtype=np.int64)
    return Counts(numbers, np.array([row.of_bytes for row in rows], dtype=np.int64))


async def hours(
    transaction: Transaction, since: datetime, without: Collection[ApplianceId]
) -> list[ServedHour]:
    """What was served in the hours from ``since`` on, but by these appliances."""
    found = await transaction.execute(
        text(
            "select region, hour, tracks, of_bytes from fill.served "
            "where hour >= :since and appliance_id != all(:without) order by hour, appliance_id"
        ),
        {"since": since, "without": list(without)},
    )
    served = []
    for row in found:
        counts = Counts.read(row.tracks, row.of_bytes)
        served.append(ServedHour(row.region, row.hour, counts.tracks, counts.of_bytes))
    return served


async def forget(transaction: Transaction, before: datetime) -> None:
    """Forget the hours before then, and the appliances that told nothing since."""
    for statement in (
        "delete from fill.served where hour < :before",
        "delete from fill.held using fill.appliance "
        "where held.appliance_id = appliance.appliance_id and told_at < :before",
        "delete from fill.appliance where told_at < :before",
    ):
        await transaction.execute(text(statement), {"before": before})
