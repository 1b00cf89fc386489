"""Accounts and their profiles."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from cuemark.contexts.identity.store import tables
from cuemark.contracts.identity import Account
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit.database import Transaction

_ACCOUNT = (
    tables.account.c.account_id,
    tables.account.c.email,
    tables.account.c.created_at,
    tables.profile.c.profile_id,
    tables.profile.c.name.label("profile_name"),
)


async def add_account(
    transaction: Transaction, account: Account, password_hash: str | None
) -> bool:
    """Add an account with its default profile; False where the mail address has one."""
    added = await transaction.execute(
        insert(tables.account)
        .values(
            account_id=account.account_id,
            email=account.email,
            password_hash=password_hash,
            created_at=account.created_at,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(tables.account.c.account_id)
    )
    if added.one_or_none() is None:
        return False
    await transaction.execute(
        tables.profile.insert().values(
            profile_id=account.profile_id,
            account_id=account.account_id,
            name=account.profile_name,
            is_default=True,
        )
    )
    return True


async def account_by_email(
    transaction: Transaction, email: str
) -> tuple[Account, str | None] | None:
    """The account of a mail address with the hash of its password, where it has one."""
    found = await transaction.execute(
        joined().add_columns(tables.account.c.password_hash).where(tables.account.c.email == email)
    )
    row = found.one_or_none()
    return (account_of(row), row.password_hash) if row else None


async def account(transaction: Transaction, account_id: AccountId) -> Account:
    found = await transaction.execute(joined().where(tables.account.c.account_id == account_id))
    return account_of(found.one())


async def accounts(transaction: Transaction, account_ids: Sequence[AccountId]) -> list[Account]:
    found = await transaction.execute(joined().where(tables.account.c.account_id.in_(account_ids)))
    return [account_of(row) for row in found]


async def with_hash(
    transaction: Transaction, account_id: AccountId
) -> tuple[Account, str | None] | None:
    """An account with the hash of its password, where it has one."""
    found = await transaction.execute(
        joined()
        .add_columns(tables.account.c.password_hash)
        .where(tables.account.c.account_id == account_id)
    )
    row = found.one_or_none()
    return (account_of(row), row.password_hash) if row else None


async def has_hash(transaction: Transaction, account_id: AccountId, password_hash: str) -> bool:
    """Whether the account's password is still the one that was hashed so."""
    found = await transaction.execute(
        select(tables.account.c.account_id).where(
            tables.account.c.account_id == account_id,
            tables.account.c.password_hash == password_hash,
        )
    )
    return found.one_or_none() is not None


async def lock(transaction: Transaction, account_id: AccountId) -> Account | None:
    """The account, which nobody else changes meanwhile; None where it is gone."""
    await transaction.execute(
        select(tables.account.c.account_id)
        .where(tables.account.c.account_id == account_id)
        .with_for_update()
    )
    found = await with_hash(transaction, account_id)
    return found[0] if found else None


async def set_password_hash(
    transaction: Transaction, account_id: AccountId, password_hash: str | None
) -> None:
    await transaction.execute(
        update(tables.account)
        .where(tables.account.c.account_id == account_id)
        .values(password_hash=password_hash)
    )


async def set_email(transaction: Transaction, account_id: AccountId, email: str) -> bool:
    """Give the account this address; False where another account has it."""
    try:
        async with transaction.begin_nested():
            await transaction.execute(
                update(tables.account)
                .where(tables.account.c.account_id == account_id)
                .values(email=email)
            )
    except IntegrityError:
        return False
    return True


async def set_erasure(
    transaction: Transaction, account_id: AccountId, erased_at: datetime | None
) -> bool:
    """Say when the account is to be erased, or that it is not; False where that stood so before."""
    changed = await transaction.execute(
        update(tables.account)
        .where(
            tables.account.c.account_id == account_id,
            tables.account.c.erased_at.is_distinct_from(erased_at),
        )
        .values(erased_at=erased_at)
        .returning(tables.account.c.account_id)
    )
    return changed.one_or_none() is not None


async def due_for_erasure(transaction: Transaction, now: datetime, limit: int) -> list[AccountId]:
    """Accounts whose time has come, locked; those that somebody else has in hand are left out."""
    found = await transaction.execute(
        select(tables.account.c.account_id)
        .where(tables.account.c.erased_at <= now)
        .order_by(tables.account.c.erased_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [AccountId(row.account_id) for row in found]


async def erase(transaction: Transaction, account_id: AccountId) -> None:
    """Delete the account with all that belongs to it."""
    for table in (
        tables.login,
        tables.link,
        tables.code,
        tables.device,
        tables.challenge,
        tables.recovery_code,
        tables.totp,
        tables.passkey,
        tables.profile,
        tables.account,
    ):
        await transaction.execute(delete(table).where(table.c.account_id == account_id))


def joined() -> Select[tuple[object, ...]]:
    return (
        select(*_ACCOUNT)
        .join_from(
            tables.account,
            tables.profile,
            tables.profile.c.account_id == tables.account.c.account_id,
        )
        .where(tables.profile.c.is_default)
    )


def account_of(row: Row[tuple[object, ...]]) -> Account:
    return Account(
        account_id=AccountId(row.account_id),
        email=row.email,
        profile_id=ProfileId(row.profile_id),
        profile_name=row.profile_name,
        created_at=row.created_at,
    )
