"""One-time login links, and the operator's logins."""

from datetime import datetime

from sqlalchemy import delete, literal, select

from cuemark.contexts.identity.store import tables
from cuemark.contexts.identity.store.tables import sweep
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction


async def add_link(
    transaction: Transaction,
    code_sha256: bytes,
    account_id: AccountId,
    now: datetime,
    expires_at: datetime,
) -> None:
    """A link for an account; for none the same statement, and no link."""
    row = select(literal(code_sha256), tables.account.c.account_id, literal(expires_at)).where(
        tables.account.c.account_id == account_id
    )
    await transaction.execute(
        tables.link.insert().from_select(["code_sha256", "account_id", "expires_at"], row)
    )
    await sweep(transaction, tables.link, tables.link.c.code_sha256, now)


async def spend_link(
    transaction: Transaction, code_sha256: bytes, now: datetime
) -> AccountId | None:
    """The account of a link that is not spent or late, for the one caller who takes it.

    Of callers at once the row's lock lets one delete it; the others find it gone.
    """
    spent = await transaction.execute(
        delete(tables.link)
        .where(tables.link.c.code_sha256 == code_sha256, tables.link.c.expires_at > now)
        .returning(tables.link.c.account_id)
    )
    account_id = spent.scalar_one_or_none()
    return AccountId(account_id) if account_id is not None else None


async def add_operator_link(
    transaction: Transaction, code_sha256: bytes, now: datetime, expires_at: datetime
) -> None:
    await transaction.execute(
        tables.operator_link.insert().values(code_sha256=code_sha256, expires_at=expires_at)
    )
    await sweep(transaction, tables.operator_link, tables.operator_link.c.code_sha256, now)


async def spend_operator_link(transaction: Transaction, code_sha256: bytes, now: datetime) -> bool:
    """Whether the link was there in time, for the one caller who takes it (see ``spend_link``)."""
    spent = await transaction.execute(
        delete(tables.operator_link)
        .where(
            tables.operator_link.c.code_sha256 == code_sha256,
            tables.operator_link.c.expires_at > now,
        )
        .returning(tables.operator_link.c.code_sha256)
    )
    return spent.one_or_none() is not None


async def add_operator_login(
    transaction: Transaction, token_sha256: bytes, now: datetime, expires_at: datetime
) -> None:
    await transaction.execute(
        tables.operator_login.insert().values(token_sha256=token_sha256, expires_at=expires_at)
    )
    await sweep(transaction, tables.operator_login, tables.operator_login.c.token_sha256, now)


async def operator_login(
    transaction: Transaction, token_sha256: bytes, now: datetime
) -> datetime | None:
    """When the operator's login ends, where there is one that is open now."""
    found = await transaction.execute(
        select(tables.operator_login.c.expires_at).where(
            tables.operator_login.c.token_sha256 == token_sha256,
            tables.operator_login.c.expires_at > now,
        )
    )
    ends: datetime | None = found.scalar_one_or_none()
    return ends


async def remove_operator_login(transaction: Transaction, token_sha256: bytes) -> None:
    await transaction.execute(
        delete(tables.operator_login).where(tables.operator_login.c.token_sha256 == token_sha256)
    )
