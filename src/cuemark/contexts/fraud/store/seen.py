"""Where accounts were seen: a row for each day, device and network."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import delete, distinct, func, select, text
from sqlalchemy.dialects.postgresql import insert

from cuemark.contexts.fraud.model.sharing import Seen
from cuemark.contexts.fraud.store import tables
from cuemark.contracts.fraud import Place
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction

MOST_ROWS = 5000
MOST_PLACES = 50
_seen = tables.seen


class Sight(NamedTuple):
    account_id: AccountId
    login: str
    network: str
    territory: str
    at: datetime
    beside: frozenset[str] = frozenset()


async def add(transaction: Transaction, sights: Sequence[Sight]) -> None:
    """Sights of one day, device and network are one row; the same key stands here once."""
    if not sights:
        return
    row = insert(_seen).values(
        [
            {
                "account_id": each.account_id,
                "day": each.at.date(),
                "login": each.login,
                "network": each.network,
                "territory": each.territory,
                "first_at": each.at,
                "last_at": each.at,
                "beside": sorted(each.beside),
            }
            for each in sights
        ]
    )
    await transaction.execute(
        row.on_conflict_do_update(
            index_elements=["account_id", "day", "login", "network"],
            set_={
                "last_at": func.greatest(_seen.c.last_at, row.excluded.last_at),
                "territory": row.excluded.territory,
                "beside": text("array(select distinct unnest(seen.beside || excluded.beside))"),
            },
        )
    )


async def of_account(transaction: Transaction, account_id: AccountId, since: date) -> list[Seen]:
    rows = await transaction.execute(
        select(_seen)
        .where(_seen.c.account_id == account_id, _seen.c.day > since)
        .order_by(_seen.c.day.desc())
        .limit(MOST_ROWS)
    )
    return [
        Seen(row.day, row.login, row.network, row.territory, frozenset(row.beside)) for row in rows
    ]


async def places(transaction: Transaction, account_id: AccountId) -> list[Place]:
    rows = await transaction.execute(
        select(
            _seen.c.network,
            func.max(_seen.c.territory).label("territory"),
            func.count(distinct(_seen.c.day)).label("days"),
            func.count(distinct(_seen.c.login)).label("devices"),
            func.min(_seen.c.first_at).label("first_at"),
            func.max(_seen.c.last_at).label("last_at"),
        )
        .where(_seen.c.account_id == account_id)
        .group_by(_seen.c.network)
        .order_by(func.count(distinct(_seen.c.day)).desc(), _seen.c.network)
        .limit(MOST_PLACES)
    )
    return [
        Place(
            network=row.network,
            territory=row.territory,
            days=row.days,
            devices=row.devices,
            first_at=row.first_at,
            last_at=row.last_at,
        )
        for row in rows
    ]


async def erase(transaction: Transaction, account_id: AccountId) -> None:
    await transaction.execute(delete(_seen).where(_seen.c.account_id == account_id))


async def drop_before(transaction: Transaction, day: date) -> None:
    await transaction.execute(delete(_seen).where(_seen.c.day < day))
