"""The table of what billing said last of each account."""

from datetime import datetime

import msgspec
from sqlalchemy import Column, DateTime, MetaData, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from cuemark.contracts.billing.subscriptions import Entitlement
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query

_entitlement = Table(
    "entitlement",
    MetaData(schema="playback"),
    Column("account_id", Text, primary_key=True),
    Column("known_at", DateTime(timezone=True)),
    Column("body", JSONB),
)


_ROW = insert(_entitlement)
_KNOW = Query(
    _ROW.on_conflict_do_update(
        index_elements=["account_id"],
        set_={"known_at": _ROW.excluded.known_at, "body": _ROW.excluded.body},
    )
)


async def know(database: Database, entitlement: Entitlement, asked_at: datetime) -> None:
    """Keep what billing said of an account when it was asked."""
    body = msgspec.to_builtins(entitlement)
    await database.ask(
        _KNOW, {"account_id": entitlement.account_id, "known_at": asked_at, "body": body}
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
