"""What a job waits for, in one sentence."""

from alembic import op

revision = "encoding_0004"
down_revision = "encoding_0003"


def upgrade() -> None:
    op.execute("alter table encoding.job add column waiting text not null default ''")
