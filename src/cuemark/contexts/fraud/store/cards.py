"""Which cards were given lately, from where, and which of them were declined."""

from datetime import datetime

from sqlalchemy import delete, distinct, func, insert, select, update

from cuemark.contexts.fraud.model.cards import Counts, Given
from cuemark.contexts.fraud.store import tables
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction

_card = tables.card


async def add(transaction: Transaction, given: Given, card: bytes, now: datetime) -> None:
    await transaction.execute(
        insert(_card).values(
            account_id=given.account_id,
            login=given.login,
            address=given.address,
            network=given.network,
            card=card,
            given_at=now,
            forgiven=False,
        )
    )


async def counted(transaction: Transaction, column: str, value: str, since: datetime) -> Counts:
    """Of what has this value in a column."""
    if not value:
        return Counts()
    row = (
        await transaction.execute(
            select(
                func.count(),
                func.count(distinct(_card.c.card)),
                func.count(_card.c.declined_at),
                func.count(distinct(_card.c.account_id)),
                func.max(_card.c.given_at),
            ).where(_card.c[column] == value, _card.c.given_at > since, ~_card.c.forgiven)
        )
    ).one()
    return Counts(*row)


async def everyone(transaction: Transaction, since: datetime) -> tuple[int, int]:
    """Cards that were given to all accounts, and how many of them were declined."""
    row = (
        await transaction.execute(
            select(func.count(), func.count(_card.c.declined_at)).where(_card.c.given_at > since)
        )
    ).one()
    return row[0], row[1]


async def decline(transaction: Transaction, account_id: AccountId, now: datetime) -> None:
    """The card that the account gave last was declined; telling so again changes nothing."""
    last = (
        select(func.max(_card.c.given_at)).where(_card.c.account_id == account_id).scalar_subquery()
    )
    await transaction.execute(
        update(_card)
        .where(
            _card.c.account_id == account_id,
            _card.c.given_at == last,
            _card.c.declined_at.is_(None),
        )
        .values(declined_at=now)
    )


async def forgive(transaction: Transaction, account_id: AccountId) -> None:
    await transaction.execute(
        update(_card).where(_card.c.account_id == account_id).values(forgiven=True)
    )


async def erase(transaction: Transaction, account_id: AccountId) -> None:
    await transaction.execute(delete(_card).where(_card.c.account_id == account_id))


async def drop_before(transaction: Transaction, day: datetime) -> None:
    await transaction.execute(delete(_card).where(_card.c.given_at < day))
