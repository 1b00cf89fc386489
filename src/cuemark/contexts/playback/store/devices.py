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
    null,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from cuemark.contexts.playback.model.session import Session
from cuemark.contracts.ids import AccountId
from cuemark.contracts.playback.devices import MOST_DEVICES, Capabilities, Device
from cuemark.kit.database import Transaction

_device = Table(
    "device",
    MetaData(schema="playback"),
    Column("account_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("name", Text),
    Column("first_seen_at", DateTime(timezone=True)),
    Column("seen_at", DateTime(timezone=True)),
    Column("capabilities", JSONB),
)


async def see(transaction: Transaction, session: Session) -> None:
    """Keep what the device of a play said. What is too much of an account's devices is forgotten,
    first those that were not used for the longest time."""
    row = insert(_device).values(
        account_id=session.account_id,
        device_id=session.device_id,
        name=session.device,
        first_seen_at=session.started_at,
        seen_at=session.started_at,
        capabilities=_said(session.capabilities),
    )
    seen = await transaction.execute(
        row.on_conflict_do_update(
            index_elements=["account_id", "device_id"],
            set_={
                "name": row.excluded.name,
                "seen_at": func.greatest(_device.c.seen_at, row.excluded.seen_at),
                "capabilities": row.excluded.capabilities,
            },
        ).returning(literal_column("xmax = 0", Boolean))
    )
    is_new = seen.scalar_one()
    if is_new:
        stale = (
            select(_device.c.device_id)
            .where(_device.c.account_id == session.account_id)
            .order_by(_device.c.seen_at.desc(), _device.c.device_id)
            .offset(MOST_DEVICES)
        )
        await transaction.execute(
            delete(_device).where(
                _device.c.account_id == session.account_id, _device.c.device_id.in_(stale)
            )
        )


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


def _said(capabilities: Capabilities | None) -> object:
    return null() if capabilities is None else msgspec.to_builtins(capabilities)


def capabilities_of(kept: object) -> Capabilities | None:
    return None if kept is None else msgspec.convert(kept, Capabilities)
