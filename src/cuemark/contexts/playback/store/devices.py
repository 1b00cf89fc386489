"""The table of devices: what each of an account said last."""

import msgspec
from sqlalchemy import Column, DateTime, MetaData, Table, Text, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB

from cuemark.contexts.playback.model.session import Session
from cuemark.contracts.ids import AccountId
from cuemark.contracts.playback.devices import MOST_DEVICES, Capabilities, Device
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query

_device = Table(
    "device",
    MetaData(schema="playback"),
    Column("account_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("name", Text),
    Column("first_seen_at", DateTime(timezone=True)),
    Column("seen_at", DateTime(timezone=True)),
    Column("capabilities", JSONB(none_as_null=True)),
)


_SEE = Query(
    text(
        "with seen as (insert into playback.device as d "
        "(account_id, device_id, name, first_seen_at, seen_at, capabilities) "
        "values (:account_id, :device_id, :name, :seen_at, :seen_at, cast(:capabilities as jsonb)) "
        "on conflict (account_id, device_id) do update set name = excluded.name, "
        "seen_at = greatest(d.seen_at, excluded.seen_at), capabilities = excluded.capabilities "
        "returning xmax = 0 as is_new) "
        "delete from playback.device where account_id = :account_id "
        "and exists (select from seen where is_new) and device_id in "
        "(select device_id from playback.device where account_id = :account_id "
        "order by seen_at desc, device_id offset :most_others)"
    )
)
"""The deletion does not see the device that comes with it."""


async def see(database: Database, session: Session) -> None:
    """Keep what the device of a play said. What is too much of an account's devices is forgotten,
    first those that were not used for the longest time."""
    said = session.capabilities
    values = {
        "account_id": session.account_id,
        "device_id": session.device_id,
        "name": session.device,
        "seen_at": session.started_at,
        "capabilities": None if said is None else msgspec.json.encode(said).decode(),
        "most_others": MOST_DEVICES - 1,
    }
    await database.ask(_SEE, values)


async def of_account(transaction: Transaction, account_id: AccountId) -> list[Device]:
    """The devices of an account, the latest first."""
    rows = await transaction.execute(
        select(_device)
        .where(_device.c.account_id == account_id)
        .order_by(_device.c.seen_at.desc(), _device.c.device_id)
    )
    return [
        Device(
            device_id=row.device_id,
            name=row.name,
            first_seen_at=row.first_seen_at,
            seen_at=row.seen_at,
            capabilities=capabilities_of(row.capabilities),
        )
        for row in rows
    ]


async def forget(transaction: Transaction, account_id: AccountId) -> None:
    """Forget all devices of an account."""
    await transaction.execute(delete(_device).where(_device.c.account_id == account_id))


def capabilities_of(kept: object) -> Capabilities | None:
    return None if kept is None else msgspec.convert(kept, Capabilities)
