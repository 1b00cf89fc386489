"""The table of what billing said last of each account."""

from datetime import datetime

import msgspec
from sqlalchemy import Column, DateTime, MetaData, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from cuemark.contracts.billing.subscriptions import Entitlement
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction

_entitlement = Table(
    "entitlement",
    MetaData(schema="playback"),
    Column("account_id", Text, primary_key=True),
    Column("known_at", DateTime(timezone=True)),
    Column("body", JSONB),
)


async def know(transaction: Transaction, entitlement: Entitlement, now: datetime) -> None:
    """Keep what billing said of an account."""
    row = insert(_entitlement).values(
        account_id=entitlement.account_id, known_at=now, body=msgspec.to_builtins(entitlement)
    )
    await transaction.execute(
        row.on_conflict_do_update(
            index_elements=["account_id"],
            set_={"known_at": row.excluded.known_at, "body": row.excluded.body},
        )
    )


async def known(
    transaction: Transaction, account_id: AccountId
) -> tuple[Entitlement, datetime] | None:
    """What billing said last of an account, and when."""
    found = await transaction.execute(
        select(_entitlement).where(_entitlement.c.account_id == account_id)
    )
    row = found.one_or_none()
    return None if row is None else (msgspec.convert(row.body, Entitlement), row.known_at)
