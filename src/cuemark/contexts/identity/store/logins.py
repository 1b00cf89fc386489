"""Logins of members, and what is known of the devices that they are open on."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update

from cuemark.contexts.identity.store import tables
from cuemark.contexts.identity.store.tables import sweep
from cuemark.contracts.identity import Caller
from cuemark.contracts.identity.logins import OpenLogin
from cuemark.contracts.ids import AccountId, LoginId, ProfileId
from cuemark.kit.database import Transaction

MOST_LOGINS = 100


async def add_login(
    transaction: Transaction,
    token_sha256: bytes,
    account_id: AccountId,
    opened: OpenLogin,
    profile_id: ProfileId | None,
    level: int,
    proved_at: datetime | None,
) -> list[LoginId]:
    """Open a login, and those that ended for it: an account keeps its ``MOST_LOGINS`` latest. Some
    late ones are swept."""
    await transaction.execute(
        tables.login.insert().values(
            token_sha256=token_sha256,
            account_id=account_id,
            created_at=opened.created_at,
            expires_at=opened.expires_at,
            login_id=opened.login_id,
            device=opened.device,
            network=opened.network,
            seen_at=opened.seen_at,
            profile_id=profile_id,
            level=level,
            proved_at=proved_at,
        )
    )
    surplus = (
        select(tables.login.c.token_sha256)
        .where(tables.login.c.account_id == account_id)
        .order_by(tables.login.c.created_at.desc(), tables.login.c.token_sha256)
        .offset(MOST_LOGINS)
        .with_for_update(skip_locked=True)
    )
    ended = await _end(transaction, tables.login.c.token_sha256.in_(surplus))
    await sweep(transaction, tables.login, tables.login.c.token_sha256, opened.created_at)
    return ended


async def login(
    transaction: Transaction, token_sha256: bytes, now: datetime
) -> tuple[Caller, datetime] | None:
    """Who a login that is open now is of, and when it ends.

    A login that is on no profile counts as on the account's only one, where that has no PIN.
    """
    account, login, profile = tables.account.c, tables.login.c, tables.profile.c
    any_of = tables.profile.alias()
    only = (
        select(func.min(any_of.c.profile_id))
        .where(any_of.c.account_id == login.account_id)
        .having(func.count() == 1, func.bool_and(any_of.c.pin_hash.is_(None)))
        .scalar_subquery()
    )
    two_steps = or_(
        exists().where(
            tables.totp.c.account_id == account.account_id,
            tables.totp.c.confirmed_at.is_not(None),
        ),
        exists().where(tables.passkey.c.account_id == account.account_id),
    )
    found = await transaction.execute(
        select(
            *(account.account_id, account.email, login.login_id, login.expires_at),
            *(login.level, login.proved_at, two_steps.label("two_steps")),
            *(profile.profile_id, profile.name, profile.maturity, profile.kids, profile.language),
        )
        .join_from(tables.login, tables.account, account.account_id == login.account_id)
        .outerjoin(tables.profile, profile.profile_id == func.coalesce(login.profile_id, only))
        .where(login.token_sha256 == token_sha256, login.expires_at > now)
    )
    row = found.one_or_none()
    if row is None:
        return None
    caller = Caller(
        role="member",
        account_id=AccountId(row.account_id),
        profile_id=ProfileId(row.profile_id or ""),
        email=row.email,
        profile_name=row.name or "",
        login_id=LoginId(row.login_id),
        maturity=row.maturity,
        kids=bool(row.kids),
        language=row.language or "",
        level=row.level,
        proved_at=row.proved_at,
        two_steps=row.two_steps,
    )
    return caller, row.expires_at


async def note_proof(
    transaction: Transaction,
    account_id: AccountId,
    login_id: LoginId,
    level: int,
    proved_at: datetime,
) -> bool:
    """Note that a login was proved to be its owner's; False where it is none of the account."""
    noted = await transaction.execute(
        update(tables.login)
        .where(tables.login.c.account_id == account_id, tables.login.c.login_id == login_id)
        .values(level=level, proved_at=proved_at)
        .returning(tables.login.c.login_id)
    )
    return noted.one_or_none() is not None


async def extend_login(
    transaction: Transaction, token_sha256: bytes, now: datetime, until: datetime, network: str
) -> None:
    """Let a login that is still there last longer, and note that it was used."""
    await transaction.execute(
        update(tables.login)
        .where(tables.login.c.token_sha256 == token_sha256, tables.login.c.expires_at < until)
        .values(expires_at=until, seen_at=now, **({"network": network} if network else {}))
    )


async def remove_login(
    transaction: Transaction, token_sha256: bytes
) -> tuple[AccountId, LoginId] | None:
    """End the login that has this token; None where there is none."""
    removed = await transaction.execute(
        delete(tables.login)
        .where(tables.login.c.token_sha256 == token_sha256)
        .returning(tables.login.c.account_id, tables.login.c.login_id)
    )
    row = removed.one_or_none()
    return None if row is None else (AccountId(row.account_id), LoginId(row.login_id))


async def login_id_of(transaction: Transaction, token_sha256: bytes) -> LoginId:
    """The id of the login that has this token; empty where there is none."""
    found = await transaction.execute(
        select(tables.login.c.login_id).where(tables.login.c.token_sha256 == token_sha256)
    )
    return LoginId(found.scalar_one_or_none() or "")


async def open_logins(
    transaction: Transaction, account_id: AccountId, now: datetime
) -> list[OpenLogin]:
    """The latest seen first; a login of an older release was seen when it was made."""
    seen_at = func.coalesce(tables.login.c.seen_at, tables.login.c.created_at)
    found = await transaction.execute(
        select(tables.login, seen_at.label("last_seen_at"))
        .where(tables.login.c.account_id == account_id, tables.login.c.expires_at > now)
        .order_by(seen_at.desc(), tables.login.c.login_id)
        .limit(MOST_LOGINS)
    )
    return [
        OpenLogin(
            login_id=LoginId(row.login_id),
            device=row.device,
            network=row.network,
            created_at=row.created_at,
            seen_at=row.last_seen_at,
            expires_at=row.expires_at,
        )
        for row in found
    ]


async def end_login(
    transaction: Transaction, account_id: AccountId, login_id: LoginId
) -> list[LoginId]:
    """Those that were ended: none where the account has no such login."""
    login = tables.login.c
    return await _end(transaction, login.account_id == account_id, login.login_id == login_id)


async def end_logins(
    transaction: Transaction, account_id: AccountId, keep: LoginId
) -> list[LoginId]:
    """End the logins of an account but ``keep``, and what would open one: links, devices that were
    let in and have not asked yet, and logins that wait for a second factor."""
    for table in (tables.link, tables.device, tables.challenge):
        await transaction.execute(delete(table).where(table.c.account_id == account_id))
    login = tables.login.c
    return await _end(transaction, login.account_id == account_id, login.login_id != keep)


async def end_logins_on(transaction: Transaction, profile_id: ProfileId) -> list[LoginId]:
    return await _end(transaction, tables.login.c.profile_id == profile_id)


async def _end(transaction: Transaction, *which: ColumnElement[bool]) -> list[LoginId]:
    ended = await transaction.execute(
        delete(tables.login).where(*which).returning(tables.login.c.login_id)
    )
    return [LoginId(login_id) for login_id in ended.scalars()]
