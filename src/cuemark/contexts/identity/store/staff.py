"""Staff, the tokens and browsers that they are logged in by, and links that open one."""

from datetime import datetime

from sqlalchemy import (
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from cuemark.contexts.identity.store.tables import SCHEMA, sweep
from cuemark.contracts.identity.staff import StaffMember
from cuemark.contracts.ids import StaffId
from cuemark.kit.database import Transaction

_metadata = MetaData(schema=SCHEMA)
_staff = Table(
    "staff",
    _metadata,
    Column("staff_id", Text, primary_key=True),
    Column("email", Text),
    Column("role", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
)
_login = Table(
    "staff_login",
    _metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("staff_id", Text),
    Column("expires_at", DateTime(timezone=True)),
)
_link = Table(
    "staff_link",
    _metadata,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("staff_id", Text),
    Column("expires_at", DateTime(timezone=True)),
)


async def add(transaction: Transaction, member: StaffMember) -> bool:
    """Whether the mail address was free among those who are there."""
    row = insert(_staff).values(
        staff_id=member.staff_id,
        email=member.email,
        role=member.role,
        created_at=member.created_at,
    )
    added = await transaction.execute(row.on_conflict_do_nothing().returning(_staff.c.staff_id))
    return added.one_or_none() is not None


async def all_there(transaction: Transaction, now: datetime) -> list[StaffMember]:
    logins = (
        select(func.count())
        .select_from(_login)
        .where(_login.c.staff_id == _staff.c.staff_id, _login.c.expires_at > now)
        .scalar_subquery()
    )
    found = await transaction.execute(
        select(_staff, logins.label("logins"))
        .where(_staff.c.ended_at.is_(None))
        .order_by(_staff.c.email)
    )
    return [
        StaffMember(
            staff_id=StaffId(row.staff_id),
            email=row.email,
            role=row.role,
            created_at=row.created_at,
            logins=row.logins,
        )
        for row in found
    ]


async def lock(transaction: Transaction, staff_id: StaffId) -> StaffMember | None:
    """One of those who are there, whom nobody else changes until the transaction ends."""
    found = await transaction.execute(
        select(_staff)
        .where(_staff.c.staff_id == staff_id, _staff.c.ended_at.is_(None))
        .with_for_update()
    )
    row = found.one_or_none()
    if row is None:
        return None
    return StaffMember(
        staff_id=StaffId(row.staff_id), email=row.email, role=row.role, created_at=row.created_at
    )


async def set_role(transaction: Transaction, staff_id: StaffId, role: str) -> None:
    await transaction.execute(update(_staff).where(_staff.c.staff_id == staff_id).values(role=role))


async def end(transaction: Transaction, staff_id: StaffId, now: datetime) -> None:
    await transaction.execute(
        update(_staff).where(_staff.c.staff_id == staff_id).values(ended_at=now)
    )


async def add_login(
    transaction: Transaction,
    token_sha256: bytes,
    staff_id: StaffId,
    now: datetime,
    expires_at: datetime,
) -> None:
    await transaction.execute(
        _login.insert().values(token_sha256=token_sha256, staff_id=staff_id, expires_at=expires_at)
    )
    await sweep(transaction, _login, _login.c.token_sha256, now)


async def login(
    transaction: Transaction, token_sha256: bytes, now: datetime
) -> tuple[StaffMember, datetime] | None:
    """Whose token this is, with when it ends."""
    found = await transaction.execute(
        select(_staff, _login.c.expires_at)
        .join(_login, _login.c.staff_id == _staff.c.staff_id)
        .where(
            _login.c.token_sha256 == token_sha256,
            _login.c.expires_at > now,
            _staff.c.ended_at.is_(None),
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    member = StaffMember(
        staff_id=StaffId(row.staff_id), email=row.email, role=row.role, created_at=row.created_at
    )
    return member, row.expires_at


async def remove_login(transaction: Transaction, token_sha256: bytes) -> None:
    await transaction.execute(delete(_login).where(_login.c.token_sha256 == token_sha256))


async def end_logins(transaction: Transaction, staff_id: StaffId) -> int:
    """Of one of staff: tokens, browsers, and links that would open one."""
    await transaction.execute(delete(_link).where(_link.c.staff_id == staff_id))
    ended = await transaction.execute(delete(_login).where(_login.c.staff_id == staff_id))
    return ended.rowcount


async def add_link(
    transaction: Transaction,
    code_sha256: bytes,
    staff_id: StaffId,
    now: datetime,
    expires_at: datetime,
) -> None:
    await transaction.execute(
        _link.insert().values(code_sha256=code_sha256, staff_id=staff_id, expires_at=expires_at)
    )
    await sweep(transaction, _link, _link.c.code_sha256, now)


async def spend_link(transaction: Transaction, code_sha256: bytes, now: datetime) -> StaffId | None:
    """Whose link it was, for the one caller who takes it."""
    spent = await transaction.execute(
        delete(_link)
        .where(_link.c.code_sha256 == code_sha256, _link.c.expires_at > now)
        .returning(_link.c.staff_id)
    )
    staff_id = spent.scalar_one_or_none()
    return StaffId(staff_id) if staff_id is not None else None
