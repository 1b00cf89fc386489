"""Challenges that wait for a second factor or a passkey; of each its SHA-256 is kept."""

from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import delete, select, update

from cuemark.contexts.identity.store import tables
from cuemark.contexts.identity.store.tables import sweep
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction

Purpose = Literal["second_step", "enter", "register", "prove"]


class Challenge(NamedTuple):
    """``account_id`` is None for one that any passkey may answer."""

    account_id: AccountId | None


async def add_challenge(
    transaction: Transaction,
    challenge_sha256: bytes,
    purpose: Purpose,
    account_id: AccountId | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    await transaction.execute(
        tables.challenge.insert().values(
            challenge_sha256=challenge_sha256,
            purpose=purpose,
            account_id=account_id,
            tries=0,
            expires_at=expires_at,
        )
    )
    await sweep(transaction, tables.challenge, tables.challenge.c.challenge_sha256, now)


async def email_of(transaction: Transaction, challenge_sha256: bytes, now: datetime) -> str | None:
    """The mail address of who is asked for a second factor; None where nobody is any more."""
    found = await transaction.execute(
        select(tables.account.c.email)
        .join(tables.challenge, tables.challenge.c.account_id == tables.account.c.account_id)
        .where(
            tables.challenge.c.challenge_sha256 == challenge_sha256,
            tables.challenge.c.purpose == "second_step",
            tables.challenge.c.expires_at > now,
        )
    )
    return found.scalar_one_or_none()


async def try_challenge(
    transaction: Transaction, challenge_sha256: bytes, purpose: Purpose, now: datetime, most: int
) -> Challenge | None:
    """Count a try at a challenge; None where it is spent, late, or was tried ``most`` times."""
    tried = await transaction.execute(
        update(tables.challenge)
        .where(
            tables.challenge.c.challenge_sha256 == challenge_sha256,
            tables.challenge.c.purpose == purpose,
            tables.challenge.c.expires_at > now,
            tables.challenge.c.tries < most,
        )
        .values(tries=tables.challenge.c.tries + 1)
        .returning(tables.challenge.c.account_id)
    )
    row = tried.one_or_none()
    return Challenge(row.account_id and AccountId(row.account_id)) if row else None


async def spend_challenge(
    transaction: Transaction, challenge_sha256: bytes, purpose: Purpose, now: datetime
) -> Challenge | None:
    """The challenge that is not spent or late, for the one caller who takes it."""
    spent = await transaction.execute(
        delete(tables.challenge)
        .where(
            tables.challenge.c.challenge_sha256 == challenge_sha256,
            tables.challenge.c.purpose == purpose,
            tables.challenge.c.expires_at > now,
        )
        .returning(tables.challenge.c.account_id)
    )
    row = spent.one_or_none()
    return Challenge(row.account_id and AccountId(row.account_id)) if row else None
