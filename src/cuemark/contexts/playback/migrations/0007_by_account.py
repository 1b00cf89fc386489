"""The plays of one account are listed for its member, and erased when the account is."""

from alembic import op

revision = "playback_0007"
down_revision = "playback_0006"


def upgrade() -> None:
    op.execute("create index session_by_account on playback.session (account_id, session_id)")
