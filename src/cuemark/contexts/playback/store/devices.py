"""The table of devices: what each of an account said last."""

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    MetaData,
    Table,
    Text,
    delete,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

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


_ROW = insert(_device)
_SEE = Query(
    _ROW.on_conflict_do_update(
        index_elements=["account_id", "device_id"],
        set_={
            "name": _ROW.excluded.name,
            "seen_at": func.greatest(_device.c.seen_at, _ROW.excluded.seen_at),
            "capabilities": _ROW.excluded.capabilities,
        },
    ).returning(literal_column("xmax = 0", Boolean).label("is_new"))
)
_FORGET_STALE = Query(
    text(
        "delete from playback.device where account_id = :of_account and device_id in "
        "(select device_id from playback.device where account_id = :of_account "
        "order by seen_at desc, device_id offset :most)"
    )
)


async def see(database: Database, session: Session) -> None:
    """Keep what the device of a play said. What is too much of an account's devices is forgotten,
    first those that were not used for the longest time."""
    said = session.capabilities
    seen = await database.ask(
        _SEE,
        {
            "account_id": session.account_id,
            "device_id": session.device_id,
            "name": session.device,
            "first_seen_at": session.started_at,
            "seen_at": session.started_at,
            "capabilities": None if said is None else msgspec.to_builtins(said),
        },
    )
    if seen[0].is_new:
        await database.ask(_FORGET_STALE, {"of_account": session.account_id, "most": MOST_DEVICES})


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
