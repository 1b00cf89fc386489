"""What the line of each appliance carries."""

from alembic import op

revision = "fill_0003"
down_revision = "fill_0002"


def upgrade() -> None:
    op.execute("alter table fill.appliance add column capacity_kbps bigint not null default 0;")
