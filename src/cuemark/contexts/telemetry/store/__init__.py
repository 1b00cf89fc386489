"""All the SQL of telemetry."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from cuemark.contexts.telemetry.model import WAIT_BOUNDS_S, Key, Sum
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.contracts.telemetry import Outcome, Source, TakeLines
from cuemark.kit.database import Transaction

SCHEMA = "telemetry"
_TURN = 0x7E1E3E721
"""Of the advisory lock: batches are taken one at a time, and their numbers ascend as they are."""

_metadata = MetaData(schema=SCHEMA)
_KEYS = ("at", "appliance_id", "version_id", "outcome", "source")
_COUNTS = ("requests", "sent_bytes", "told", "starved", "lost_lines")
_WAITS = tuple(f"wait_{number}" for number in range(len(WAIT_BOUNDS_S) + 1))
_minute = Table(
    "minute",
    _metadata,
    Column("at", DateTime(timezone=True), primary_key=True),
    *(Column(name, Text, primary_key=True) for name in _KEYS[1:]),
    *(Column(name, BigInteger) for name in (*_COUNTS, *_WAITS)),
)
_batch = Table(
    "batch",
    _metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("appliance_id", Text),
    Column("epoch", Text),
    Column("sequence", BigInteger),
    Column("taken_at", DateTime(timezone=True)),
    Column("lines", Integer),
    Column("file", Text),
    Column("first_byte", BigInteger),
    Column("bytes", BigInteger),
)
_file = Table(
    "file", _metadata, Column("file", Text, primary_key=True), Column("bytes", BigInteger)
)
_led_past = Table(
    "led_past",
    _metadata,
    Column("trace_id", Text, primary_key=True),
    Column("at", DateTime(timezone=True)),
)


@dataclass(frozen=True)
class Piece:
    """Where the lines of a batch are."""

    number: int
    appliance_id: ApplianceId
    lines: int
    file: str
    first_byte: int
    size_bytes: int


@dataclass(frozen=True)
class Row:
    """What was added up of an appliance, by outcome and source."""

    appliance_id: ApplianceId
    outcome: Outcome
    source: Source
    requests: int
    sent_bytes: int
    told: int
    starved: int
    lost_lines: int
    waits: Sequence[int]


async def wait_for_turn(transaction: Transaction) -> None:
    """Let no other transaction take a batch until this one is over."""
    await transaction.execute(select(func.pg_advisory_xact_lock(_TURN)))


async def is_taken(transaction: Transaction, batch: TakeLines) -> bool:
    found = await transaction.execute(
        select(_batch.c.number).where(
            _batch.c.appliance_id == batch.appliance_id,
            _batch.c.epoch == batch.epoch,
            _batch.c.sequence == batch.sequence,
        )
    )
    return found.first() is not None


async def add_batch(
    transaction: Transaction, batch: TakeLines, now: datetime, file: str, first_byte: int
) -> None:
    """Note that a batch was taken, and how long its file is with it."""
    await transaction.execute(
        insert(_batch).values(
            appliance_id=batch.appliance_id,
            epoch=batch.epoch,
            sequence=batch.sequence,
            taken_at=now,
            lines=batch.count,
            file=file,
            first_byte=first_byte,
            bytes=len(batch.body),
        )
    )
    row = insert(_file).values(file=file, bytes=first_byte + len(batch.body))
    await transaction.execute(
        row.on_conflict_do_update(index_elements=["file"], set_={"bytes": row.excluded.bytes})
    )


async def end_of(transaction: Transaction, file: str) -> int:
    """How many bytes of a file were taken."""
    found = await transaction.execute(select(_file.c.bytes).where(_file.c.file == file))
    return int(found.scalar_one_or_none() or 0)


async def lose_pieces(transaction: Transaction, file: str, from_byte: int) -> None:
    """Note that the lines of batches which reach beyond ``from_byte`` of a file are gone."""
    behind = _batch.c.first_byte + _batch.c.bytes > from_byte
    await transaction.execute(update(_batch).where(_batch.c.file == file, behind).values(bytes=0))


async def add_sums(
    transaction: Transaction, appliance_id: ApplianceId, sums: Mapping[Key, Sum]
) -> None:
    rows = [
        {
            "at": datetime.fromtimestamp(key.at_s, UTC),
            "appliance_id": appliance_id,
            "version_id": key.version_id,
            "outcome": key.outcome,
            "source": key.source,
            **{name: getattr(total, name) for name in _COUNTS},
            **dict(zip(_WAITS, total.waits, strict=True)),
        }
        for key, total in sorted(sums.items())
    ]
    row = insert(_minute)
    more = {name: _minute.c[name] + row.excluded[name] for name in (*_COUNTS, *_WAITS)}
    await transaction.execute(row.on_conflict_do_update(index_elements=[*_KEYS], set_=more), rows)


async def sums_since(
    transaction: Transaction,
    since: datetime,
    appliance_id: ApplianceId | None,
    version_ids: Collection[VersionId],
) -> list[Row]:
    totals = [func.sum(_minute.c[name]).label(name) for name in (*_COUNTS, *_WAITS)]
    keys = [_minute.c.appliance_id, _minute.c.outcome, _minute.c.source]
    query = select(*keys, *totals).where(_minute.c.at >= since).group_by(*keys).order_by(*keys)
    if appliance_id is not None:
        query = query.where(_minute.c.appliance_id == appliance_id)
    if version_ids:
        query = query.where(_minute.c.version_id.in_(version_ids))
    found = (await transaction.execute(query)).mappings()
    return [
        Row(
            appliance_id=row["appliance_id"],
            outcome=row["outcome"],
            source=row["source"],
            **{name: int(row[name]) for name in _COUNTS},
            waits=[int(row[name]) for name in _WAITS],
        )
        for row in found
    ]


async def pieces_after(
    transaction: Transaction, number: int, appliance_id: ApplianceId | None, limit: int
) -> list[Piece]:
    """Batches from ``number`` on, the oldest first."""
    query = select(_batch).where(_batch.c.number >= number)
    if appliance_id is not None:
        query = query.where(_batch.c.appliance_id == appliance_id)
    return _pieces((await transaction.execute(query.order_by(_batch.c.number).limit(limit))).all())


async def last_pieces(
    transaction: Transaction, appliance_id: ApplianceId | None, limit: int
) -> list[Piece]:
    """The last batches, the newest first."""
    query = select(_batch)
    if appliance_id is not None:
        query = query.where(_batch.c.appliance_id == appliance_id)
    ordered = query.order_by(_batch.c.number.desc()).limit(limit)
    return _pieces((await transaction.execute(ordered)).all())


def _pieces(rows: Sequence[Any]) -> list[Piece]:
    return [
        Piece(row.number, row.appliance_id, row.lines, row.file, row.first_byte, row.bytes)
        for row in rows
    ]


async def lead_past(transaction: Transaction, trace_id: str, at: datetime) -> None:
    """Note that a play was led past an appliance that was nearer to it."""
    row = insert(_led_past).values(trace_id=trace_id, at=at)
    await transaction.execute(row.on_conflict_do_nothing())


async def led_past(transaction: Transaction, trace_ids: Collection[str]) -> set[str]:
    """Those of plays that were led past one."""
    found = await transaction.execute(
        select(_led_past.c.trace_id).where(_led_past.c.trace_id.in_(trace_ids))
    )
    return set(found.scalars())


async def forget(transaction: Transaction, sums_before: datetime, batches_before: datetime) -> None:
    """Let go of what is older: sums and files of the one, batches and plays of the other."""
    await transaction.execute(delete(_minute).where(_minute.c.at < sums_before))
    await transaction.execute(delete(_file).where(_file.c.file < f"{sums_before:%Y-%m-%d}/"))
    await transaction.execute(delete(_batch).where(_batch.c.taken_at < batches_before))
    await transaction.execute(delete(_led_past).where(_led_past.c.at < batches_before))
