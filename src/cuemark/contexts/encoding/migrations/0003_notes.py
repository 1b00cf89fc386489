"""What a job says of its film beside how far it got."""

from alembic import op

revision = "encoding_0003"
down_revision = "encoding_0002"


def upgrade() -> None:
    op.execute("alter table encoding.job add column notes text[] not null default '{}'")
