"""The tables of identity, and the sweeping of what is late."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    delete,
    select,
)

from cuemark.kit.database import Transaction

SCHEMA = "identity"
_SWEEP_ROWS = 100

_metadata = MetaData(schema=SCHEMA)
account = Table(
    "account",
    _metadata,
    Column("account_id", Text, primary_key=True),
    Column("email", Text),
    Column("password_hash", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("erased_at", DateTime(timezone=True)),
)
profile = Table(
    "profile",
    _metadata,
    Column("profile_id", Text, primary_key=True),
    Column("account_id", Text),
    Column("name", Text),
    Column("is_default", Boolean),
    Column("color", Text),
    Column("avatar", Text),
    Column("language", Text),
    Column("sound_languages", ARRAY(Text)),
    Column("caption_languages", ARRAY(Text)),
    Column("maturity", Integer),
    Column("kids", Boolean),
    Column("pin_hash", Text),
    Column("autoplay", Boolean),
)
login = Table(
    "login",
    _metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("account_id", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("login_id", Text),
    Column("device", Text),
    Column("network", Text),
    Column("seen_at", DateTime(timezone=True)),
    Column("profile_id", Text),
    Column("level", SmallInteger),
    Column("proved_at", DateTime(timezone=True)),
)
link = Table(
    "login_link",
    _metadata,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("account_id", Text),
    Column("expires_at", DateTime(timezone=True)),
)
operator_login = Table(
    "operator_login",
    _metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("expires_at", DateTime(timezone=True)),
)
operator_link = Table(
    "operator_link",
    _metadata,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("expires_at", DateTime(timezone=True)),
)
code = Table(
    "code",
    _metadata,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("purpose", Text),
    Column("email", Text),
    Column("account_id", Text),
    Column("expires_at", DateTime(timezone=True)),
)
tried = Table(
    "tried",
    _metadata,
    Column("key_sha256", LargeBinary, primary_key=True),
    Column("tries", Integer),
    Column("expires_at", DateTime(timezone=True)),
)
device = Table(
    "device",
    _metadata,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("user_code", Text),
    Column("device", Text),
    Column("network", Text),
    Column("state", Text),
    Column("account_id", Text),
    Column("interval_s", Integer),
    Column("asked_at", DateTime(timezone=True)),
    Column("polled_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
)
totp = Table(
    "totp",
    _metadata,
    Column("account_id", Text, primary_key=True),
    Column("sealed_secret", LargeBinary),
    Column("begun_at", DateTime(timezone=True)),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("last_step", BigInteger),
)
recovery_code = Table(
    "recovery_code",
    _metadata,
    Column("code_hmac", LargeBinary, primary_key=True),
    Column("account_id", Text),
)
passkey = Table(
    "passkey",
    _metadata,
    Column("passkey_id", Text, primary_key=True),
    Column("credential_id", LargeBinary),
    Column("account_id", Text),
    Column("name", Text),
    Column("public_key", LargeBinary),
    Column("sign_count", BigInteger),
    Column("transports", Text),
    Column("made_at", DateTime(timezone=True)),
    Column("used_at", DateTime(timezone=True)),
    Column("suspect", Boolean),
)
challenge = Table(
    "challenge",
    _metadata,
    Column("challenge_sha256", LargeBinary, primary_key=True),
    Column("purpose", Text),
    Column("account_id", Text),
    Column("tries", Integer),
    Column("expires_at", DateTime(timezone=True)),
)


async def sweep(
    transaction: Transaction, table: Table, key: ColumnElement[bytes], now: datetime
) -> None:
    """Delete some of the rows whose time is over."""
    late = (
        select(key)
        .where(table.c.expires_at <= now)
        .limit(_SWEEP_ROWS)
        .with_for_update(skip_locked=True)
    )
    await transaction.execute(delete(table).where(key.in_(late)))
