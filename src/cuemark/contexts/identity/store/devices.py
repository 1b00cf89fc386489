"""Devices that ask to be let in by a code."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from cuemark.contexts.identity.model.devices import Asked
from cuemark.contexts.identity.store import tables
from cuemark.contexts.identity.store.tables import sweep
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction


class AskingDevice(NamedTuple):
    user_code: str
    device: str
    network: str
    state: Asked
    account_id: AccountId | None
    interval_s: int
    asked_at: datetime
    polled_at: datetime | None
    ends_at: datetime


async def add_device(transaction: Transaction, code_sha256: bytes, device: AskingDevice) -> bool:
    """Let a device ask; False where another one shows this user code."""
    await sweep(transaction, tables.device, tables.device.c.code_sha256, device.asked_at)
    added = await transaction.execute(
        insert(tables.device)
        .values(
            code_sha256=code_sha256,
            user_code=device.user_code,
            device=device.device,
            network=device.network,
            state=device.state,
            account_id=device.account_id,
            interval_s=device.interval_s,
            asked_at=device.asked_at,
            expires_at=device.ends_at,
        )
        .on_conflict_do_nothing(index_elements=["user_code"])
        .returning(tables.device.c.user_code)
    )
    return added.one_or_none() is not None


async def lock_device(transaction: Transaction, code_sha256: bytes) -> AskingDevice | None:
    """The device that has this secret; no other question of it is answered meanwhile."""
    row = (
        await transaction.execute(
            select(tables.device)
            .where(tables.device.c.code_sha256 == code_sha256)
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        return None
    return AskingDevice(
        user_code=row.user_code,
        device=row.device,
        network=row.network,
        state=row.state,
        account_id=row.account_id and AccountId(row.account_id),
        interval_s=row.interval_s,
        asked_at=row.asked_at,
        polled_at=row.polled_at,
        ends_at=row.expires_at,
    )


async def note_poll(
    transaction: Transaction, code_sha256: bytes, now: datetime, interval_s: int
) -> None:
    await transaction.execute(
        update(tables.device)
        .where(tables.device.c.code_sha256 == code_sha256)
        .values(polled_at=now, interval_s=interval_s)
    )


async def remove_device(transaction: Transaction, code_sha256: bytes) -> None:
    await transaction.execute(
        delete(tables.device).where(tables.device.c.code_sha256 == code_sha256)
    )


async def waiting_device(
    transaction: Transaction, user_code: str, now: datetime
) -> tuple[str, str, datetime] | None:
    """Name, network and time of a device that waits for its answer."""
    found = await transaction.execute(
        select(tables.device.c.device, tables.device.c.network, tables.device.c.asked_at).where(
            tables.device.c.user_code == user_code,
            tables.device.c.state == "waiting",
            tables.device.c.expires_at > now,
        )
    )
    row = found.one_or_none()
    return (row.device, row.network, row.asked_at) if row else None


async def answer_device(
    transaction: Transaction, user_code: str, account_id: AccountId, state: Asked, now: datetime
) -> bool:
    """Answer a device that waits, once; False where none does."""
    answered = await transaction.execute(
        update(tables.device)
        .where(
            tables.device.c.user_code == user_code,
            tables.device.c.state == "waiting",
            tables.device.c.expires_at > now,
        )
        .values(state=state, account_id=account_id)
        .returning(tables.device.c.user_code)
    )
    return answered.one_or_none() is not None
