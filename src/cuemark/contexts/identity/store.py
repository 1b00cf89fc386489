"""All the SQL of identity."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    LargeBinary,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    delete,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from cuemark.contracts.identity import Account
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit.database import Transaction

SCHEMA = "identity"
MOST_LOGINS = 100
_SWEEP_ROWS = 100

_metadata = MetaData(schema=SCHEMA)
_account = Table(
    "account",
    _metadata,
    Column("account_id", Text, primary_key=True),
    Column("email", Text),
    Column("password_hash", Text),
    Column("created_at", DateTime(timezone=True)),
)
_profile = Table(
    "profile",
    _metadata,
    Column("profile_id", Text, primary_key=True),
    Column("account_id", Text),
    Column("name", Text),
    Column("is_default", Boolean),
)
_login = Table(
    "login",
    _metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("account_id", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
)
_link = Table(
    "login_link",
    _metadata,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("account_id", Text),
    Column("expires_at", DateTime(timezone=True)),
)
_operator_login = Table(
    "operator_login",
    _metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("expires_at", DateTime(timezone=True)),
)
_operator_link = Table(
    "operator_link",
    _metadata,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("expires_at", DateTime(timezone=True)),
)
_ACCOUNT = (
    _account.c.account_id,
    _account.c.email,
    _account.c.created_at,
    _profile.c.profile_id,
    _profile.c.name.label("profile_name"),
)


async def add_account(
    transaction: Transaction, account: Account, password_hash: str | None
) -> bool:
    """Add an account with its default profile; False where the mail address has one."""
    added = await transaction.execute(
        insert(_account)
        .values(
            account_id=account.account_id,
            email=account.email,
            password_hash=password_hash,
            created_at=account.created_at,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(_account.c.account_id)
    )
    if added.one_or_none() is None:
        return False
    await transaction.execute(
        _profile.insert().values(
            profile_id=account.profile_id,
            account_id=account.account_id,
            name=account.profile_name,
            is_default=True,
        )
    )
    return True


async def account_by_email(
    transaction: Transaction, email: str
) -> tuple[Account, str | None] | None:
    """The account of a mail address with the hash of its password, where it has one."""
    found = await transaction.execute(
        _accounts().add_columns(_account.c.password_hash).where(_account.c.email == email)
    )
    row = found.one_or_none()
    return (_account_of(row), row.password_hash) if row else None


async def account(transaction: Transaction, account_id: AccountId) -> Account:
    found = await transaction.execute(_accounts().where(_account.c.account_id == account_id))
    return _account_of(found.one())


async def accounts(transaction: Transaction, account_ids: Sequence[AccountId]) -> list[Account]:
    found = await transaction.execute(_accounts().where(_account.c.account_id.in_(account_ids)))
    return [_account_of(row) for row in found]


async def replace_password_hash(
    transaction: Transaction, account_id: AccountId, old: str, new: str
) -> None:
    """Keep ``new``, unless the password was changed since ``old`` was read."""
    await transaction.execute(
        update(_account)
        .where(_account.c.account_id == account_id, _account.c.password_hash == old)
        .values(password_hash=new)
    )


async def add_login(
    transaction: Transaction,
    token_sha256: bytes,
    account_id: AccountId,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Open a login. An account keeps its ``MOST_LOGINS`` latest; some late ones are swept."""
    await transaction.execute(
        _login.insert().values(
            token_sha256=token_sha256,
            account_id=account_id,
            created_at=now,
            expires_at=expires_at,
        )
    )
    surplus = (
        select(_login.c.token_sha256)
        .where(_login.c.account_id == account_id)
        .order_by(_login.c.created_at.desc(), _login.c.token_sha256)
        .offset(MOST_LOGINS)
        .with_for_update(skip_locked=True)
    )
    await transaction.execute(delete(_login).where(_login.c.token_sha256.in_(surplus)))
    await _sweep(transaction, _login, _login.c.token_sha256, now)


async def login(
    transaction: Transaction, token_sha256: bytes, now: datetime
) -> tuple[Account, datetime] | None:
    """The account of a login that is open now, and when the login ends."""
    found = await transaction.execute(
        _accounts()
        .add_columns(_login.c.expires_at)
        .join(_login, _login.c.account_id == _account.c.account_id)
        .where(_login.c.token_sha256 == token_sha256, _login.c.expires_at > now)
    )
    row = found.one_or_none()
    return (_account_of(row), row.expires_at) if row else None


async def extend_login(transaction: Transaction, token_sha256: bytes, until: datetime) -> None:
    """Let a login that is still there last longer."""
    await transaction.execute(
        update(_login)
        .where(_login.c.token_sha256 == token_sha256, _login.c.expires_at < until)
        .values(expires_at=until)
    )


async def remove_login(transaction: Transaction, token_sha256: bytes) -> None:
    await transaction.execute(delete(_login).where(_login.c.token_sha256 == token_sha256))


async def add_link(
    transaction: Transaction,
    code_sha256: bytes,
    account_id: AccountId,
    now: datetime,
    expires_at: datetime,
) -> None:
    await transaction.execute(
        _link.insert().values(code_sha256=code_sha256, account_id=account_id, expires_at=expires_at)
    )
    await _sweep(transaction, _link, _link.c.code_sha256, now)


async def spend_link(
    transaction: Transaction, code_sha256: bytes, now: datetime
) -> AccountId | None:
    """The account of a link that is not spent or late, for the one caller who takes it.

    Of callers at once the row's lock lets one delete it; the others find it gone.
    """
    spent = await transaction.execute(
        delete(_link)
        .where(_link.c.code_sha256 == code_sha256, _link.c.expires_at > now)
        .returning(_link.c.account_id)
    )
    account_id = spent.scalar_one_or_none()
    return AccountId(account_id) if account_id is not None else None


async def add_operator_link(
    transaction: Transaction, code_sha256: bytes, now: datetime, expires_at: datetime
) -> None:
    await transaction.execute(
        _operator_link.insert().values(code_sha256=code_sha256, expires_at=expires_at)
    )
    await _sweep(transaction, _operator_link, _operator_link.c.code_sha256, now)


async def spend_operator_link(transaction: Transaction, code_sha256: bytes, now: datetime) -> bool:
    """Whether the link was there in time, for the one caller who takes it (see ``spend_link``)."""
    spent = await transaction.execute(
        delete(_operator_link)
        .where(_operator_link.c.code_sha256 == code_sha256, _operator_link.c.expires_at > now)
        .returning(_operator_link.c.code_sha256)
    )
    return spent.one_or_none() is not None


async def add_operator_login(
    transaction: Transaction, token_sha256: bytes, now: datetime, expires_at: datetime
) -> None:
    await transaction.execute(
        _operator_login.insert().values(token_sha256=token_sha256, expires_at=expires_at)
    )
    await _sweep(transaction, _operator_login, _operator_login.c.token_sha256, now)


async def operator_login(
    transaction: Transaction, token_sha256: bytes, now: datetime
) -> datetime | None:
    """When the operator's login ends, where there is one that is open now."""
    found = await transaction.execute(
        select(_operator_login.c.expires_at).where(
            _operator_login.c.token_sha256 == token_sha256, _operator_login.c.expires_at > now
        )
    )
    ends: datetime | None = found.scalar_one_or_none()
    return ends


async def remove_operator_login(transaction: Transaction, token_sha256: bytes) -> None:
    await transaction.execute(
        delete(_operator_login).where(_operator_login.c.token_sha256 == token_sha256)
    )


async def _sweep(
    transaction: Transaction, table: Table, key: ColumnElement[bytes], now: datetime
) -> None:
    late = (
        select(key)
        .where(table.c.expires_at <= now)
        .limit(_SWEEP_ROWS)
        .with_for_update(skip_locked=True)
    )
    await transaction.execute(delete(table).where(key.in_(late)))


def _accounts() -> Select[tuple[object, ...]]:
    return (
        select(*_ACCOUNT)
        .join_from(_account, _profile, _profile.c.account_id == _account.c.account_id)
        .where(_profile.c.is_default)
    )


def _account_of(row: Row[tuple[object, ...]]) -> Account:
    return Account(
        account_id=AccountId(row.account_id),
        email=row.email,
        profile_id=ProfileId(row.profile_id),
        profile_name=row.profile_name,
        created_at=row.created_at,
    )
