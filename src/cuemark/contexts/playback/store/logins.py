"""The logins that have ended lately."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from cuemark.contracts.ids import AccountId, LoginId, PlaySessionId
from cuemark.kit.database import Transaction


async def note_ended(
    transaction: Transaction, account_id: AccountId, login_id: LoginId, now: datetime
) -> None:
    """Again is no change."""
    await transaction.execute(
        text(
            "insert into playback.ended_login (login_id, account_id, noted_at) "
            "values (:login_id, :account_id, :now) on conflict do nothing"
        ),
        {"login_id": login_id, "account_id": account_id, "now": now},
    )


async def going_on(transaction: Transaction, now: datetime, limit: int) -> list[PlaySessionId]:
    """Up to ``limit`` plays that run although the login by which they began has ended."""
    rows = await transaction.execute(
        text(
            "select s.session_id from playback.ended_login e join playback.session s "
            "on s.account_id = e.account_id and s.login_id = e.login_id "
            "where s.ended_at is null and s.expires_at > :now limit :limit"
        ),
        {"now": now, "limit": limit},
    )
    return list(rows.scalars())


async def noted_before(transaction: Transaction, before: datetime, limit: int) -> list[LoginId]:
    """Up to ``limit`` of them that were noted before then."""
    rows = await transaction.execute(
        text("select login_id from playback.ended_login where noted_at < :before limit :limit"),
        {"before": before, "limit": limit},
    )
    return list(rows.scalars())


async def forget_ended(transaction: Transaction, login_ids: Sequence[LoginId]) -> None:
    await transaction.execute(
        text("delete from playback.ended_login where login_id = any(:ids)"),
        {"ids": list(login_ids)},
    )


async def forget_account(transaction: Transaction, account_id: AccountId) -> None:
    """Of one that is no more."""
    await transaction.execute(
        text("delete from playback.ended_login where account_id = :id"), {"id": account_id}
    )
