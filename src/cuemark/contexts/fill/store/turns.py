"""The one row by which processes take turns at planning."""

from datetime import datetime

from sqlalchemy import text

from cuemark.contexts.fill.model.turns import Turn
from cuemark.kit.database import Transaction


async def turn(transaction: Transaction) -> Turn:
    found = await transaction.execute(
        text(
            "select asked_at, planned_at, tried_at, trouble, unread_trouble, holder, until_at "
            "from fill.turn"
        )
    )
    return Turn(**found.one()._mapping)


async def ask(transaction: Transaction, at: datetime) -> None:
    """Something is other than the plan knows: the first word of it counts."""
    await transaction.execute(
        text("update fill.turn set asked_at = coalesce(asked_at, :at)"), {"at": at}
    )


async def take(transaction: Transaction, holder: str, now: datetime, until_at: datetime) -> bool:
    """Whether the turn is ours until then: it is where nobody has it whose time is not over."""
    taken = await transaction.execute(
        text(
            "update fill.turn set holder = :holder, until_at = :until_at, tried_at = :now "
            "where holder = '' or until_at <= :now returning holder"
        ),
        {"holder": holder, "until_at": until_at, "now": now},
    )
    return taken.one_or_none() is not None


async def end(transaction: Transaction, holder: str, begun_at: datetime) -> bool:
    """Give the turn back with a plan; False where it is not ours any more.

    What was asked for after ``begun_at`` is still to be planned.
    """
    ended = await transaction.execute(
        text(
            "update fill.turn set holder = '', until_at = null, trouble = '', "
            "planned_at = :begun_at, "
            "asked_at = case when asked_at <= :begun_at then null else asked_at end "
            "where holder = :holder returning holder"
        ),
        {"holder": holder, "begun_at": begun_at},
    )
    return ended.one_or_none() is not None


async def give_back(transaction: Transaction, holder: str, trouble: str) -> None:
    """Give the turn back without a plan; ``trouble`` says why there is none, where that is
    known."""
    await transaction.execute(
        text(
            "update fill.turn set holder = '', until_at = null, trouble = :trouble "
            "where holder = :holder"
        ),
        {"holder": holder, "trouble": trouble},
    )


async def note_unread(transaction: Transaction, trouble: str) -> None:
    """Why published versions could not be read the last time; empty where they could."""
    await transaction.execute(
        text("update fill.turn set unread_trouble = :trouble where unread_trouble != :trouble"),
        {"trouble": trouble},
    )
