"""When the catalog last told what series a title lies in, so that what is older says no more."""

from alembic import op

revision = "fill_0005"
down_revision = "fill_0004"


def upgrade() -> None:
    op.execute("alter table fill.title add column described_at timestamptz;")
