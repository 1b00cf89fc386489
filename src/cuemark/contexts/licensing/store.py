"""The tables of licensing."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from cuemark.contexts.licensing.model.keys import LicenceSession, WrappedKey
from cuemark.contracts.ids import AccountId, PlaySessionId, VersionId
from cuemark.contracts.licensing import KeyId
from cuemark.contracts.protection import KeySignal
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query

_metadata = MetaData(schema="licensing")
_key = Table(
    "content_key",
    _metadata,
    Column("version_id", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("period", Integer, primary_key=True),
    Column("kid", Text),
    Column("wrapped", LargeBinary),
    Column("iv", Text),
    Column("signals", JSONB),
    Column("master", Integer),
)
_session = Table(
    "session",
    _metadata,
    Column("session_id", Text, primary_key=True),
    Column("account_id", Text),
    Column("version_id", Text),
    Column("expires_at", DateTime(timezone=True)),
    Column("closed", Boolean),
    Column("robustness", Text),
    Column("title_id", Text),
    Column("territory", Text),
    Column("licence_types", ARRAY(Text)),
    Column("labels", ARRAY(Text)),
    Column("login_id", Text),
)

_FRESH = insert(_session)
_OPEN = Query(
    _FRESH.on_conflict_do_update(
        index_elements=["session_id"],
        set_={"expires_at": _FRESH.excluded.expires_at},
        where=(_session.c.account_id == _FRESH.excluded.account_id)
        & (_session.c.version_id == _FRESH.excluded.version_id)
        & ~_session.c.closed,
    ).returning(_session.c.session_id)
)
_CLOSE = Query(text("update licensing.session set closed = true where session_id = any(:ids)"))

_ROWS_AT_ONCE = 1000
"""A statement has 65,535 values at most."""


async def add_keys(
    transaction: Transaction, version_id: VersionId, keys: Sequence[WrappedKey]
) -> None:
    """Store the keys of labels that have none yet in a period, and whose ids no other key has.

    Waits for whoever stores the same just now; in one order, so that no two wait for each other.
    """
    rows = [
        {
            "version_id": version_id,
            "label": key.label,
            "period": key.period,
            "kid": key.kid,
            "wrapped": key.wrapped,
            "iv": key.iv,
            "signals": msgspec.to_builtins(key.signals) if key.signals else null(),
            "master": key.master,
        }
        for key in sorted(keys, key=lambda each: (each.period, each.label))
    ]
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        few = rows[first : first + _ROWS_AT_ONCE]
        await transaction.execute(insert(_key).values(few).on_conflict_do_nothing())


async def keys_of(transaction: Transaction, version_id: VersionId) -> list[WrappedKey]:
    rows = await transaction.execute(
        select(
            *(_key.c.label, _key.c.kid, _key.c.wrapped, _key.c.iv, _key.c.signals),
            *(_key.c.period, _key.c.master),
        )
        .where(_key.c.version_id == version_id)
        .order_by(_key.c.period, _key.c.label)
    )
    return [
        WrappedKey(
            row.label,
            row.kid,
            row.wrapped,
            row.iv,
            msgspec.convert(row.signals or (), tuple[KeySignal, ...]),
            row.period,
            row.master,
        )
        for row in rows
    ]


async def key_ids_of(
    transaction: Transaction, version_id: VersionId, after: tuple[int, str] | None, limit: int
) -> list[KeyId]:
    """By period and label, those after this one."""
    asked = select(_key.c.kid, _key.c.label, _key.c.period).where(_key.c.version_id == version_id)
    if after is not None:
        period, label = after
        later = (_key.c.period == period) & (_key.c.label > label)
        asked = asked.where((_key.c.period > period) | later)
    rows = await transaction.execute(asked.order_by(_key.c.period, _key.c.label).limit(limit))
    return [KeyId(kid=row.kid, label=row.label, period=row.period) for row in rows]


async def known_elsewhere(
    transaction: Transaction, version_id: VersionId, periods: set[int], wrapped: Sequence[bytes]
) -> bool:
    """Whether another version, or another period than these, has a key that is stored so.

    Equal keys are equal when they are wrapped by one master key.
    """
    elsewhere = (_key.c.version_id != version_id) | ~_key.c.period.in_(periods)
    found = await transaction.execute(
        select(_key.c.kid).where(_key.c.wrapped.in_(wrapped), elsewhere).limit(1)
    )
    return found.one_or_none() is not None


async def counted_by_master(transaction: Transaction) -> dict[int, int]:
    """How many content keys are stored under each master key."""
    rows = await transaction.execute(select(_key.c.master, func.count()).group_by(_key.c.master))
    return {row.master: int(row[1]) for row in rows}


async def wrapped_by(
    transaction: Transaction, masters: Sequence[int], limit: int
) -> list[tuple[str, int, bytes]]:
    """Key ids that are stored under one of these master keys, with which and how, locked: the
    rows that another process has locked are left out."""
    rows = await transaction.execute(
        select(_key.c.kid, _key.c.master, _key.c.wrapped)
        .where(_key.c.master.in_(masters))
        .order_by(_key.c.kid)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(row.kid, row.master, row.wrapped) for row in rows]


async def wrap_anew(
    transaction: Transaction, master: int, wrapped: Sequence[tuple[str, bytes]]
) -> None:
    """Store keys, by their ids, as they are when wrapped by another master key."""
    await transaction.execute(
        update(_key)
        .where(_key.c.kid == bindparam("of_kid"))
        .values(master=master, wrapped=bindparam("anew")),
        [{"of_kid": kid, "anew": anew} for kid, anew in wrapped],
    )


def versions_with_keys(connection: Connection) -> set[VersionId]:
    """The versions that have content keys."""
    return set(connection.execute(select(_key.c.version_id).distinct()).scalars())


async def open_session(database: Database, session: LicenceSession) -> bool:
    """Store the session, or move the end of the same one; False where it is another's or over."""
    stored = await database.ask(
        _OPEN,
        {
            "session_id": session.session_id,
            "account_id": session.account_id,
            "version_id": session.version_id,
            "expires_at": session.expires_at,
            "closed": session.closed,
            "robustness": session.robustness,
            "title_id": session.title_id,
            "territory": session.territory,
            "licence_types": [*session.licence_types],
            "labels": session.labels,
            "login_id": session.login_id,
        },
    )
    return bool(stored)


async def close_session(database: Database, session_id: PlaySessionId) -> None:
    await database.ask(_CLOSE, {"ids": [session_id]})


async def close_of_account(transaction: Transaction, account_id: AccountId) -> None:
    """Close every session of an account that is no more, and forget whose they were."""
    await transaction.execute(
        update(_session)
        .where(_session.c.account_id == account_id)
        .values(account_id="", login_id="", closed=True)
    )


async def session_of(transaction: Transaction, session_id: PlaySessionId) -> LicenceSession | None:
    row = (
        await transaction.execute(select(_session).where(_session.c.session_id == session_id))
    ).one_or_none()
    return LicenceSession(**row._mapping) if row else None
