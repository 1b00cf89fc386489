"""The labels of the keys that a session may have."""

from alembic import op

revision = "licensing_0008"
down_revision = "licensing_0007"


def upgrade() -> None:
    op.execute("alter table licensing.session add column labels text[]")
