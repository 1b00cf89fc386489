"""Passkeys: their public keys, and the counters of those that count."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from cuemark.contexts.identity.model.passkeys import MadePasskey
from cuemark.contexts.identity.store import tables
from cuemark.contracts.identity.factors import Passkey
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction


class KeptPasskey(NamedTuple):
    told: Passkey
    credential_id: bytes
    account_id: AccountId
    public_key: bytes
    transports: list[str]


async def add_passkey(
    transaction: Transaction, account_id: AccountId, told: Passkey, made: MadePasskey
) -> bool:
    """False where this credential is kept already, whoever's it is."""
    added = await transaction.execute(
        insert(tables.passkey)
        .values(
            passkey_id=told.passkey_id,
            credential_id=made.credential_id,
            account_id=account_id,
            name=told.name,
            public_key=made.public_key,
            sign_count=made.sign_count,
            transports=" ".join(made.transports),
            made_at=told.made_at,
            used_at=told.used_at,
        )
        .on_conflict_do_nothing(index_elements=["credential_id"])
        .returning(tables.passkey.c.passkey_id)
    )
    return added.one_or_none() is not None


async def passkeys_of(transaction: Transaction, account_id: AccountId) -> list[KeptPasskey]:
    """Those of an account, the oldest first."""
    found = await transaction.execute(
        select(tables.passkey)
        .where(tables.passkey.c.account_id == account_id)
        .order_by(tables.passkey.c.made_at, tables.passkey.c.passkey_id)
    )
    return [
        KeptPasskey(
            Passkey(
                passkey_id=row.passkey_id,
                name=row.name,
                made_at=row.made_at,
                used_at=row.used_at,
                suspect=row.suspect,
            ),
            row.credential_id,
            AccountId(row.account_id),
            row.public_key,
            row.transports.split(),
        )
        for row in found
    ]


async def key_of(
    transaction: Transaction, credential_id: bytes
) -> tuple[AccountId, str, bytes] | None:
    """Account, id and public key of the passkey with this credential."""
    row = (
        await transaction.execute(
            select(
                tables.passkey.c.account_id,
                tables.passkey.c.passkey_id,
                tables.passkey.c.public_key,
            ).where(tables.passkey.c.credential_id == credential_id)
        )
    ).one_or_none()
    return (AccountId(row.account_id), row.passkey_id, row.public_key) if row else None


async def take_count(
    transaction: Transaction, passkey_id: str, sign_count: int, now: datetime
) -> bool:
    """Note a use with this counter; False where the counter has not gone on since the last.

    Those that do not count say 0 each time.
    """
    kept = tables.passkey.c.sign_count
    noted = await transaction.execute(
        update(tables.passkey)
        .where(
            tables.passkey.c.passkey_id == passkey_id,
            kept < sign_count if sign_count else kept == 0,
        )
        .values(sign_count=sign_count, used_at=now)
        .returning(tables.passkey.c.passkey_id)
    )
    return noted.one_or_none() is not None


async def suspect(transaction: Transaction, passkey_id: str) -> str | None:
    """Note that a passkey may have been copied; its name, or None where it is gone."""
    noted = await transaction.execute(
        update(tables.passkey)
        .where(tables.passkey.c.passkey_id == passkey_id)
        .values(suspect=True)
        .returning(tables.passkey.c.name)
    )
    name: str | None = noted.scalar_one_or_none()
    return name


async def rename(
    transaction: Transaction, account_id: AccountId, passkey_id: str, name: str
) -> bool:
    renamed = await transaction.execute(
        update(tables.passkey)
        .where(tables.passkey.c.account_id == account_id, tables.passkey.c.passkey_id == passkey_id)
        .values(name=name)
        .returning(tables.passkey.c.passkey_id)
    )
    return renamed.one_or_none() is not None


async def remove(transaction: Transaction, account_id: AccountId, passkey_id: str) -> str | None:
    """The name of what was removed; None where the account has no such passkey."""
    removed = await transaction.execute(
        delete(tables.passkey)
        .where(tables.passkey.c.account_id == account_id, tables.passkey.c.passkey_id == passkey_id)
        .returning(tables.passkey.c.name)
    )
    name: str | None = removed.scalar_one_or_none()
    return name
