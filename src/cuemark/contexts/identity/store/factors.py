"""Authenticator apps and recovery codes. What is good once is taken by one statement, which of all
who try at once, in whatever process, one alone gets done."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from cuemark.contexts.identity.store import tables
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction


class Totp(NamedTuple):
    sealed_secret: bytes
    begun_at: datetime
    confirmed_at: datetime | None


async def totp_of(transaction: Transaction, account_id: AccountId) -> Totp | None:
    row = (
        await transaction.execute(
            select(
                tables.totp.c.sealed_secret, tables.totp.c.begun_at, tables.totp.c.confirmed_at
            ).where(tables.totp.c.account_id == account_id)
        )
    ).one_or_none()
    return Totp(row.sealed_secret, row.begun_at, row.confirmed_at) if row else None


async def begin_totp(
    transaction: Transaction, account_id: AccountId, sealed_secret: bytes, now: datetime
) -> bool:
    """Set up an app in place of one that was never confirmed; False where one was."""
    row = insert(tables.totp).values(
        account_id=account_id, sealed_secret=sealed_secret, begun_at=now
    )
    begun = await transaction.execute(
        row.on_conflict_do_update(
            index_elements=["account_id"],
            set_={"sealed_secret": row.excluded.sealed_secret, "begun_at": row.excluded.begun_at},
            where=tables.totp.c.confirmed_at.is_(None),
        ).returning(tables.totp.c.account_id)
    )
    return begun.one_or_none() is not None


async def confirm_totp(
    transaction: Transaction, account_id: AccountId, step: int, now: datetime
) -> bool:
    """Let an app hold from now on, with the step of its first code taken; False where it does."""
    confirmed = await transaction.execute(
        update(tables.totp)
        .where(tables.totp.c.account_id == account_id, tables.totp.c.confirmed_at.is_(None))
        .values(confirmed_at=now, last_step=step)
        .returning(tables.totp.c.account_id)
    )
    return confirmed.one_or_none() is not None


async def take_step(transaction: Transaction, account_id: AccountId, step: int) -> bool:
    """Take a time step for good; False where it, or one after it, was taken before."""
    taken = await transaction.execute(
        update(tables.totp)
        .where(
            tables.totp.c.account_id == account_id,
            tables.totp.c.confirmed_at.is_not(None),
            or_(tables.totp.c.last_step.is_(None), tables.totp.c.last_step < step),
        )
        .values(last_step=step)
        .returning(tables.totp.c.account_id)
    )
    return taken.one_or_none() is not None


async def remove_totp(transaction: Transaction, account_id: AccountId) -> bool:
    """False where there is no app that holds."""
    removed = await transaction.execute(
        delete(tables.totp)
        .where(tables.totp.c.account_id == account_id, tables.totp.c.confirmed_at.is_not(None))
        .returning(tables.totp.c.account_id)
    )
    return removed.one_or_none() is not None


async def set_recovery_codes(
    transaction: Transaction, account_id: AccountId, digests: Sequence[bytes]
) -> None:
    """These, and none of before."""
    await transaction.execute(
        delete(tables.recovery_code).where(tables.recovery_code.c.account_id == account_id)
    )
    rows = [{"code_hmac": digest, "account_id": account_id} for digest in digests]
    if rows:
        await transaction.execute(tables.recovery_code.insert(), rows)


async def recovery_codes_left(transaction: Transaction, account_id: AccountId) -> int:
    found = await transaction.execute(
        select(func.count())
        .select_from(tables.recovery_code)
        .where(tables.recovery_code.c.account_id == account_id)
    )
    return int(found.scalar_one())


async def spend_recovery_code(
    transaction: Transaction, account_id: AccountId, digest: bytes
) -> bool:
    spent = await transaction.execute(
        delete(tables.recovery_code)
        .where(
            tables.recovery_code.c.code_hmac == digest,
            tables.recovery_code.c.account_id == account_id,
        )
        .returning(tables.recovery_code.c.account_id)
    )
    return spent.one_or_none() is not None


async def remove_all(transaction: Transaction, account_id: AccountId) -> bool:
    """Take every factor off an account; False where it had none."""
    removed = 0
    for table in (tables.recovery_code, tables.totp, tables.passkey):
        gone = await transaction.execute(delete(table).where(table.c.account_id == account_id))
        removed += gone.rowcount
    return removed > 0
