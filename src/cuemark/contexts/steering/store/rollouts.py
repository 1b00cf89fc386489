"""The tables of rollouts: the last one is the one that counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import text

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.reports import Software
from cuemark.contracts.steering.rollouts import Rollout
from cuemark.kit.database import Transaction

_TURN = 0x63756572_6F6C6C73
"""Of the advisory lock: one process at a time changes a rollout. "cuerolls" in ASCII."""


@dataclass(frozen=True)
class Said:
    """What an appliance last reported of its software, and what operators said of it."""

    region: str
    software: Software | None
    draining: bool


async def take_turn(transaction: Transaction) -> None:
    """Wait until nobody else changes a rollout; held until the end of the transaction."""
    await transaction.execute(text("select pg_advisory_xact_lock(:turn)"), {"turn": _TURN})


async def last(transaction: Transaction) -> Rollout | None:
    found = await transaction.execute(
        text("select body from steering.rollout order by position desc limit 1")
    )
    body = found.scalar_one_or_none()
    return None if body is None else msgspec.convert(body, Rollout)


async def add(transaction: Transaction, rollout: Rollout) -> None:
    await transaction.execute(
        text("insert into steering.rollout (rollout_id, body) values (:id, cast(:body as jsonb))"),
        {"id": rollout.rollout_id, "body": msgspec.json.encode(rollout).decode()},
    )


async def keep(transaction: Transaction, rollout: Rollout) -> None:
    """Write a rollout down as it is now."""
    await transaction.execute(
        text("update steering.rollout set body = cast(:body as jsonb) where rollout_id = :id"),
        {"id": rollout.rollout_id, "body": msgspec.json.encode(rollout).decode()},
    )


async def set_rolling(transaction: Transaction, appliance_ids: Sequence[ApplianceId]) -> None:
    """Have plays led away from these for a rollout's sake, and from no others."""
    await transaction.execute(
        text(
            "update steering.appliance set rolling = not rolling "
            "where rolling <> (appliance_id = any(:ids))"
        ),
        {"ids": list(appliance_ids)},
    )


async def software(transaction: Transaction) -> Mapping[ApplianceId, Said]:
    rows = await transaction.execute(
        text("select appliance_id, region, software, draining from steering.appliance")
    )
    return {
        row.appliance_id: Said(
            row.region, row.software and msgspec.convert(row.software, Software), row.draining
        )
        for row in rows
    }
