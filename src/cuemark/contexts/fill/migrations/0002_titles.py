"""Of each title the series that it is of, and when it is launched."""

from alembic import op

revision = "fill_0002"
down_revision = "fill_0001"


def upgrade() -> None:
    op.execute(
        """
        create table fill.title (
          title_id text primary key,
          series text not null default '',
          launch_at timestamptz,
          launch_set_at timestamptz
        );
        """
    )
