"""The table of playback sessions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Column,
    DateTime,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from cuemark.contexts.playback.model.session import Session
from cuemark.contexts.playback.store.devices import capabilities_of
from cuemark.contracts.ids import AccountId, PlaySessionId, ProfileId, TitleId, VersionId
from cuemark.contracts.playback import OwnPlay
from cuemark.contracts.steering import RankedAppliance
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query, Values
from cuemark.kit.outbox import telling

_session = Table(
    "session",
    MetaData(schema="playback"),
    Column("session_id", Text, primary_key=True),
    Column("account_id", Text),
    Column("profile_id", Text),
    Column("title_id", Text),
    Column("version_id", Text),
    Column("duration_s", Double),
    Column("device", Text),
    Column("ranking", JSONB),
    Column("started_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("trace_id", Text),
    Column("heard_at", DateTime(timezone=True)),
    Column("robustness", Text),
    Column("steering_token", Text),
    Column("territory", Text),
    Column("licence_types", ARRAY(Text)),
    Column("right_ends_at", DateTime(timezone=True)),
    Column("max_height", Integer),
    Column("title", Text),
    Column("device_id", Text),
    Column("capabilities", JSONB(none_as_null=True)),
    Column("login_id", Text),
)


CLOCKS_APART = timedelta(days=1)
"""No clock of ours is as far from another: what is over for so long is so by all of them."""
_KEPT_AS = {
    "session_id": "text",
    "account_id": "text",
    "profile_id": "text",
    "title_id": "text",
    "version_id": "text",
    "duration_s": "float8",
    "device": "text",
    "ranking": "jsonb",
    "started_at": "timestamptz",
    "expires_at": "timestamptz",
    "trace_id": "text",
    "heard_at": "timestamptz",
    "robustness": "text",
    "steering_token": "text",
    "territory": "text",
    "licence_types": "text[]",
    "max_height": "integer",
    "title": "text",
    "device_id": "text",
    "capabilities": "jsonb",
    "login_id": "text",
}
"""The columns of a session that begins."""
_ALL = ", ".join(f"s.{column.name}" for column in _session.columns)
_STANDING = Query(
    text(
        f"select coalesce(p.begun, 0) as begun, {_ALL} "
        "from (select cast(:of_account as text) as account_id) a "
        "left join playback.placing p on p.account_id = a.account_id "
        "left join playback.session s on s.account_id = a.account_id "
        "and s.ended_at is null and s.expires_at > :over_at"
    )
)
_HEARD_NOW = Query(
    text(
        "update playback.session set heard_at = :now "
        "where session_id = any(:ids) and heard_at > :now"
    )
)
_BEGUN = (
    f"begun as (insert into playback.session ({', '.join(_KEPT_AS)}) "
    f"select {', '.join(f'cast(:{name} as {kind})' for name, kind in _KEPT_AS.items())} "
    "{0} returning session_id) "
)
_BEGIN = Query(text(f"with {_BEGUN.format('')} {telling('begun')}"))
_BEGIN_PLACED = Query(
    text(
        "with placed as (insert into playback.placing as p (account_id, begun) "
        "select cast(:account_id as text), cast(:begun_before as bigint) + 1 "
        "on conflict (account_id) do update set begun = p.begun + 1 "
        "where p.begun = :begun_before returning account_id), "
        "ended as (update playback.session s set ended_at = coalesce(s.ended_at, :ended_at) "
        "from placed where s.session_id = any(:ended_ids)), "
        f"{_BEGUN.format('from placed')} {telling('begun')}"
    )
)
"""What an insertion of an account's first row waits for is another's first play: it then finds that
row, and does nothing."""
_RUNNING = Query(
    text(
        f"select {_ALL} from playback.session s where s.session_id = :of_session "
        "and (:anyones or s.account_id = :of_account) "
        "and s.ended_at is null and s.expires_at > :at"
    )
)
_HEARD = Query(
    text(
        "update playback.session set heard_at = :now "
        "where session_id = :of_session and ended_at is null returning session_id"
    )
)


class Standing(NamedTuple):
    """The plays of an account that nobody has ended, as far as they were not over ``CLOCKS_APART``
    ago, and how many it had ``begun``, as read at one moment."""

    begun: int
    running: list[Session]


async def begin(database: Database, session: Session, told: Values) -> None:
    """Write a session down, with what the log is told."""
    await database.ask(_BEGIN, {**_values(session), **told})


async def begin_placed(
    database: Database,
    session: Session,
    told: Values,
    begun: int,
    ended: Sequence[PlaySessionId],
    now: datetime,
) -> bool:
    """Write a session down and end others, with what the log is told. Nothing of it is done, and
    False given, where another play has begun since ``begun`` was read."""
    changed = {"begun_before": begun, "ended_ids": list(ended), "ended_at": now}
    return bool(await database.ask(_BEGIN_PLACED, {**_values(session), **told, **changed}))


def _values(session: Session) -> dict[str, object]:
    return {
        "session_id": session.session_id,
        "account_id": session.account_id,
        "profile_id": session.profile_id,
        "title_id": session.title_id,
        "version_id": session.version_id,
        "duration_s": session.duration_s,
        "device": session.device,
        "ranking": _json(session.ranking),
        "started_at": session.started_at,
        "expires_at": session.expires_at,
        "trace_id": session.trace_id,
        "heard_at": session.started_at,
        "robustness": session.robustness,
        "steering_token": session.steering_token,
        "territory": session.territory,
        "licence_types": [*session.licence_types],
        "max_height": session.max_height,
        "title": session.title,
        "device_id": session.device_id,
        "capabilities": session.capabilities and _json(session.capabilities),
        "login_id": session.login_id,
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def standing_of(database: Database, account_id: AccountId, now: datetime) -> Standing:
    """One that was heard of later than now was told so by a clock that has been set back since. It
    counts from now on, so that it locks nobody out for longer than any other.
    """
    over_at = now - CLOCKS_APART
    rows = await database.ask(_STANDING, {"of_account": account_id, "over_at": over_at})
    found = [_session_of(row) for row in rows if row.session_id is not None]
    early = [each.session_id for each in found if each.heard_at and each.heard_at > now]
    if early:
        await database.ask(_HEARD_NOW, {"ids": early, "now": now})
    return Standing(rows[0].begun, found)


async def forget_placing(transaction: Transaction, account_id: AccountId) -> None:
    """Of an account that is no more."""
    await transaction.execute(
        text("delete from playback.placing where account_id = :id"), {"id": account_id}
    )


async def running(
    database: Database, session_id: PlaySessionId, account_id: AccountId | None, now: datetime
) -> Session | None:
    """The session, where it is this account's and neither ended nor past its time. Without an
    account it may be anyone's."""
    of = {"of_session": session_id, "of_account": account_id or "", "anyones": account_id is None}
    rows = await database.ask(_RUNNING, {**of, "at": now})
    return _session_of(rows[0]) if rows else None


async def heard(database: Database, session_id: PlaySessionId, now: datetime) -> bool:
    """Note that a play was heard of, unless it has been ended; whether it has not."""
    return bool(await database.ask(_HEARD, {"of_session": session_id, "now": now}))


async def of_title(
    transaction: Transaction, title_id: TitleId, after: str, limit: int
) -> list[tuple[PlaySessionId, VersionId]]:
    """Up to ``limit`` sessions of a title after a cursor, the oldest first, with their versions."""
    rows = await transaction.execute(
        select(_session.c.session_id, _session.c.version_id)
        .where(_session.c.title_id == title_id, _session.c.session_id > after)
        .order_by(_session.c.session_id)
        .limit(limit)
    )
    return [(row.session_id, row.version_id) for row in rows]


async def named(
    transaction: Transaction, session_ids: Sequence[PlaySessionId]
) -> dict[PlaySessionId, Session]:
    """The sessions of these ids, whether they run or not."""
    rows = await transaction.execute(select(_session).where(_session.c.session_id.in_(session_ids)))
    return {session.session_id: session for session in map(_session_of, rows)}


async def own(
    transaction: Transaction, account_id: AccountId, before: str, limit: int
) -> list[OwnPlay]:
    """The plays of an account, the newest first, before a cursor (ids sort by time)."""
    query = select(_session).where(_session.c.account_id == account_id)
    if before:
        query = query.where(_session.c.session_id < before)
    rows = await transaction.execute(query.order_by(_session.c.session_id.desc()).limit(limit))
    return [
        OwnPlay(
            session_id=row.session_id,
            profile_id=row.profile_id,
            title_id=row.title_id,
            device=row.device,
            started_at=row.started_at,
            ended_at=row.ended_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


async def of_profile(
    transaction: Transaction, account_id: AccountId, profile_id: ProfileId, now: datetime
) -> list[Session]:
    """The plays of a profile that run."""
    rows = await transaction.execute(
        select(_session).where(
            _session.c.account_id == account_id,
            _session.c.profile_id == profile_id,
            _session.c.ended_at.is_(None),
            _session.c.expires_at > now,
        )
    )
    return [_session_of(row) for row in rows]


async def erase(
    transaction: Transaction, account_id: AccountId, profile_id: ProfileId | None, now: datetime
) -> list[tuple[PlaySessionId, datetime]]:
    """Take out of all plays of an account, or of one profile of it, whose they were and on which
    device, and end them.

    Returns those that ran, with their ends: their tokens are out there yet.
    """
    theirs = [_session.c.account_id == account_id]
    if profile_id is not None:
        theirs.append(_session.c.profile_id == profile_id)
    ran = await transaction.execute(
        select(_session.c.session_id, _session.c.expires_at)
        .where(
            *theirs,
            _session.c.ended_at.is_(None),
            _session.c.expires_at > now,
        )
        .with_for_update()
    )
    running = [(PlaySessionId(row.session_id), row.expires_at) for row in ran]
    await transaction.execute(
        update(_session)
        .where(*theirs)
        .values(
            account_id=_session.c.account_id if profile_id else "",
            profile_id="",
            device="",
            device_id="",
            capabilities=null(),
            login_id="",
            ended_at=func.coalesce(_session.c.ended_at, now),
        )
    )
    return running


async def latest(
    transaction: Transaction, before: str, now: datetime, heard_since: datetime, limit: int
) -> list[Session]:
    """Plays that run and were heard of, the newest first, before a cursor (ids sort by time)."""
    query = select(_session).where(
        _session.c.ended_at.is_(None),
        _session.c.expires_at > now,
        func.coalesce(_session.c.heard_at, _session.c.started_at) >= heard_since,
    )
    if before:
        query = query.where(_session.c.session_id < before)
    rows = await transaction.execute(query.order_by(_session.c.session_id.desc()).limit(limit))
    return [_session_of(row) for row in rows]


def _session_of(row: Any) -> Session:
    return Session(
        session_id=row.session_id,
        account_id=row.account_id,
        profile_id=row.profile_id,
        title_id=row.title_id,
        version_id=row.version_id,
        duration_s=row.duration_s,
        device=row.device,
        ranking=msgspec.convert(row.ranking, list[RankedAppliance]),
        started_at=row.started_at,
        expires_at=row.expires_at,
        trace_id=row.trace_id,
        heard_at=row.heard_at or row.started_at,
        robustness=row.robustness,
        steering_token=row.steering_token,
        territory=row.territory,
        licence_types=tuple(row.licence_types),
        max_height=row.max_height,
        title=row.title,
        device_id=row.device_id,
        capabilities=capabilities_of(row.capabilities),
        login_id=row.login_id,
    )


async def end(
    transaction: Transaction,
    session_id: PlaySessionId,
    account_id: AccountId | None,
    now: datetime,
) -> datetime | None:
    """End the session; when it would have ended anyway, or None where the account has none of this
    id. Ending again is no change. Without an account it may be anyone's."""
    owned = [_session.c.account_id == account_id] if account_id else []
    ended = await transaction.execute(
        update(_session)
        .where(_session.c.session_id == session_id, *owned)
        .values(ended_at=func.coalesce(_session.c.ended_at, now))
        .returning(_session.c.expires_at)
    )
    expires_at: datetime | None = ended.scalar_one_or_none()
    return expires_at
