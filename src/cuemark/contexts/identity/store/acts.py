"""The log of acts: entries go in one after the other, by the lock of its head."""

from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from cuemark.contexts.identity.model import chain
from cuemark.contexts.identity.model.chain import Head
from cuemark.contexts.identity.store.tables import SCHEMA
from cuemark.contracts.identity.staff import Act
from cuemark.contracts.ids import StaffId
from cuemark.kit.database import Transaction
from cuemark.kit.errors import Unavailable

_metadata = MetaData(schema=SCHEMA)
_act = Table(
    "act",
    _metadata,
    Column("number", BigInteger, primary_key=True),
    Column("at", DateTime(timezone=True)),
    Column("staff_id", Text),
    Column("who", Text),
    Column("role", Text),
    Column("action", Text),
    Column("subject", Text),
    Column("result", Text),
    Column("of", BigInteger),
    Column("status", Integer),
    Column("client_address", Text),
    Column("trace_id", Text),
    Column("digest", LargeBinary),
)
_head = Table(
    "act_head",
    _metadata,
    Column("only_row", Boolean, primary_key=True),
    Column("number", BigInteger),
    Column("digest", LargeBinary),
    Column("seal", LargeBinary),
)


async def add(transaction: Transaction, key: bytes, act: Act) -> Act:
    """Append an entry, whose number and digest are given here; ``Unavailable`` where it cannot be
    written, whatever the reason.

    Whoever appends waits for who appended before to commit: numbers are in the order of commits.
    """
    try:
        return await _add(transaction, key, act)
    except DBAPIError as error:
        raise Unavailable("the log of acts cannot be written") from error


async def _add(transaction: Transaction, key: bytes, act: Act) -> Act:
    first = chain.sealed(key, 0, chain.BEGINNING)
    row = insert(_head).values(number=0, digest=first.digest, seal=first.seal, only_row=True)
    await transaction.execute(row.on_conflict_do_nothing())
    found = await transaction.execute(select(_head).with_for_update())
    last = found.one()
    act = msgspec.structs.replace(act, number=last.number + 1)
    digest = chain.digest_of(key, last.digest, act)
    values = msgspec.structs.asdict(act) | {"digest": digest}
    await transaction.execute(_act.insert().values(**values))
    head = chain.sealed(key, act.number, digest)
    await transaction.execute(
        update(_head).values(number=head.number, digest=head.digest, seal=head.seal)
    )
    return msgspec.structs.replace(act, digest=digest.hex())


async def head(transaction: Transaction) -> Head | None:
    found = await transaction.execute(select(_head))
    row = found.one_or_none()
    return Head(row.number, row.digest, row.seal) if row else None


async def entry(transaction: Transaction, number: int) -> Act | None:
    found = await transaction.execute(select(_act).where(_act.c.number == number))
    row = found.one_or_none()
    return _act_of(row) if row else None


async def after(transaction: Transaction, number: int, limit: int) -> list[Act]:
    """In the order of numbers."""
    found = await transaction.execute(
        select(_act).where(_act.c.number > number).order_by(_act.c.number).limit(limit)
    )
    return [_act_of(row) for row in found]


async def before(transaction: Transaction, number: int, limit: int, staff_id: StaffId) -> list[Act]:
    """The latest first; ``number`` 0 is the end, and an empty ``staff_id`` everybody's."""
    asked = select(_act).order_by(_act.c.number.desc()).limit(limit)
    if number:
        asked = asked.where(_act.c.number < number)
    if staff_id:
        asked = asked.where(_act.c.staff_id == staff_id)
    return [_act_of(row) for row in await transaction.execute(asked)]


def _act_of(row: Row[Any]) -> Act:
    return Act(
        number=row.number,
        at=row.at,
        staff_id=StaffId(row.staff_id),
        who=row.who,
        role=row.role,
        action=row.action,
        subject=row.subject,
        result=row.result,
        of=row.of,
        status=row.status,
        client_address=row.client_address,
        trace_id=row.trace_id,
        digest=row.digest.hex(),
    )
