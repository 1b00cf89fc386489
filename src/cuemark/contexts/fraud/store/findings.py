"""What was found, with its reasons, until it expires."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, or_, select, tuple_, update

from cuemark.contexts.fraud.store import tables
from cuemark.contracts.fraud import Finding, Kind, Reason
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction

_finding = tables.finding
_read_reasons = msgspec.json.Decoder(list[Reason]).decode


async def add(transaction: Transaction, findings: Sequence[Finding]) -> None:
    if findings:
        await transaction.execute(
            insert(_finding),
            [
                {
                    **{name: getattr(each, name) for name in each.__struct_fields__},
                    "reasons": msgspec.json.encode(each.reasons).decode(),
                }
                for each in findings
            ],
        )


async def holding(
    transaction: Transaction,
    kind: Kind | None,
    before: tuple[datetime, str] | None,
    now: datetime,
    limit: int,
) -> list[Finding]:
    """Those that have neither expired nor been forgiven, the newest first."""
    query = (
        select(_finding)
        .where(_finding.c.expires_at > now, _finding.c.forgiven_at.is_(None))
        .order_by(_finding.c.found_at.desc(), _finding.c.finding_id.desc())
        .limit(limit)
    )
    if kind is not None:
        query = query.where(_finding.c.kind == kind)
    if before is not None:
        query = query.where(tuple_(_finding.c.found_at, _finding.c.finding_id) < before)
    return [_of(row) for row in await transaction.execute(query)]


async def of_account(
    transaction: Transaction, account_id: AccountId, mail: str, limit: int
) -> list[Finding]:
    query = (
        select(_finding)
        .where(_about(account_id, mail))
        .order_by(_finding.c.found_at.desc(), _finding.c.finding_id.desc())
        .limit(limit)
    )
    return [_of(row) for row in await transaction.execute(query)]


async def forgive(transaction: Transaction, account_id: AccountId, mail: str, now: datetime) -> int:
    done = await transaction.execute(
        update(_finding)
        .where(
            _about(account_id, mail),
            _finding.c.forgiven_at.is_(None),
            _finding.c.expires_at > now,
        )
        .values(forgiven_at=now)
    )
    return done.rowcount


async def erase(transaction: Transaction, account_id: AccountId) -> None:
    await transaction.execute(delete(_finding).where(_finding.c.account_id == account_id))


async def drop_before(transaction: Transaction, expired: datetime) -> None:
    await transaction.execute(delete(_finding).where(_finding.c.expires_at < expired))


def _about(account_id: AccountId, mail: str) -> Any:
    of_account = _finding.c.account_id == account_id
    return or_(of_account, _finding.c.subject == mail) if mail else of_account


def _of(row: Row[Any]) -> Finding:
    return Finding(
        finding_id=row.finding_id,
        kind=row.kind,
        subject=row.subject,
        account_id=AccountId(row.account_id),
        step=row.step,
        score=row.score,
        reasons=_read_reasons(row.reasons),
        found_at=row.found_at,
        expires_at=row.expires_at,
        forgiven_at=row.forgiven_at,
    )
