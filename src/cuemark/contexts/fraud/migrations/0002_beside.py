"""Which devices of the account played while one was seen."""

from alembic import op

revision = "fraud_0002"
down_revision = "fraud_0001"


def upgrade() -> None:
    op.execute("alter table fraud.seen add column beside text[] not null default '{}'")
