"""What the log tells of one title is read page by page, by those who follow its job."""

from alembic import op

revision = "log_0002"
down_revision = "log_0001"


def upgrade() -> None:
    op.execute("create index event_by_key on log.event (key, xid, position)")
