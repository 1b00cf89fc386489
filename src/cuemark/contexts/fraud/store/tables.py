"""The tables of fraud."""

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

SCHEMA = "fraud"

_metadata = MetaData(schema=SCHEMA)
finding = Table(
    "finding",
    _metadata,
    Column("finding_id", Text, primary_key=True),
    Column("kind", Text),
    Column("subject", Text),
    Column("account_id", Text),
    Column("step", Text),
    Column("score", Integer),
    Column("reasons", Text),
    Column("found_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("forgiven_at", DateTime(timezone=True)),
)
card = Table(
    "card",
    _metadata,
    Column("account_id", Text),
    Column("login", Text),
    Column("address", Text),
    Column("network", Text),
    Column("card", LargeBinary),
    Column("given_at", DateTime(timezone=True)),
    Column("declined_at", DateTime(timezone=True)),
    Column("forgiven", Boolean),
)
seen = Table(
    "seen",
    _metadata,
    Column("account_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("login", Text, primary_key=True),
    Column("network", Text, primary_key=True),
    Column("territory", Text),
    Column("first_at", DateTime(timezone=True)),
    Column("last_at", DateTime(timezone=True)),
    Column("beside", ARRAY(Text)),
)
