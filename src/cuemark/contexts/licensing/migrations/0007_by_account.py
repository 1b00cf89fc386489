"""The licences of one account are closed when the account is erased."""

from alembic import op

revision = "licensing_0007"
down_revision = "licensing_0006"


def upgrade() -> None:
    op.execute("create index session_by_account on licensing.session (account_id)")
