"""Codes that were sent by mail, and counts of tries."""

from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert

from cuemark.contexts.identity.store import tables
from cuemark.contexts.identity.store.tables import sweep
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction

Purpose = Literal["sign_up", "reset", "change_email", "restore_email"]


class Code(NamedTuple):
    """``email`` is the address that it was sent to, or the one that it gives back."""

    purpose: Purpose
    email: str
    account_id: AccountId | None


async def add_code(
    transaction: Transaction, code_sha256: bytes, code: Code, now: datetime, expires_at: datetime
) -> None:
    await transaction.execute(
        tables.code.insert().values(
            code_sha256=code_sha256,
            purpose=code.purpose,
            email=code.email,
            account_id=code.account_id,
            expires_at=expires_at,
        )
    )
    await sweep(transaction, tables.code, tables.code.c.code_sha256, now)


async def spend_code(
    transaction: Transaction, code_sha256: bytes, purpose: Purpose, now: datetime
) -> Code | None:
    """The code that is not spent or late, for the one caller who takes it."""
    spent = await transaction.execute(
        delete(tables.code)
        .where(
            tables.code.c.code_sha256 == code_sha256,
            tables.code.c.purpose == purpose,
            tables.code.c.expires_at > now,
        )
        .returning(tables.code.c.email, tables.code.c.account_id)
    )
    row = spent.one_or_none()
    return Code(purpose, row.email, row.account_id and AccountId(row.account_id)) if row else None


async def find_code(
    transaction: Transaction, code_sha256: bytes, purpose: Purpose, now: datetime
) -> Code | None:
    found = await transaction.execute(
        select(tables.code.c.email, tables.code.c.account_id).where(
            tables.code.c.code_sha256 == code_sha256,
            tables.code.c.purpose == purpose,
            tables.code.c.expires_at > now,
        )
    )
    row = found.one_or_none()
    return Code(purpose, row.email, row.account_id and AccountId(row.account_id)) if row else None


async def drop_codes(transaction: Transaction, account_id: AccountId, *purposes: Purpose) -> None:
    """Make codes of an account worth nothing."""
    await transaction.execute(
        delete(tables.code).where(
            tables.code.c.account_id == account_id, tables.code.c.purpose.in_(purposes)
        )
    )


async def drop_sign_ups(transaction: Transaction, email: str) -> None:
    await transaction.execute(
        delete(tables.code).where(tables.code.c.email == email, tables.code.c.purpose == "sign_up")
    )


async def count_try(
    transaction: Transaction, key_sha256: bytes, now: datetime, window_ends_at: datetime
) -> tuple[int, datetime]:
    """Count one try; how many there were in this window, with this one, and when it ends."""
    row = insert(tables.tried).values(key_sha256=key_sha256, tries=1, expires_at=window_ends_at)
    over = tables.tried.c.expires_at <= now
    counted = await transaction.execute(
        row.on_conflict_do_update(
            index_elements=["key_sha256"],
            set_={
                "tries": case((over, 1), else_=tables.tried.c.tries + 1),
                "expires_at": case(
                    (over, row.excluded.expires_at), else_=tables.tried.c.expires_at
                ),
            },
        ).returning(tables.tried.c.tries, tables.tried.c.expires_at)
    )
    tried = counted.one()
    await sweep(transaction, tables.tried, tables.tried.c.key_sha256, now)
    return int(tried.tries), tried.expires_at


async def forget_tries(transaction: Transaction, key_sha256: bytes) -> None:
    await transaction.execute(delete(tables.tried).where(tables.tried.c.key_sha256 == key_sha256))
