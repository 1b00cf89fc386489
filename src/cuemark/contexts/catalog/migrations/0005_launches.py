"""The series that a title is of, and when members may see it."""

from alembic import op

revision = "catalog_0005"
down_revision = "catalog_0004"


def upgrade() -> None:
    op.execute(
        """
        alter table catalog.title
          add column series text not null default '',
          add column launch_at timestamptz;
        alter table catalog.browse
          add column series text not null default '',
          add column launch_at timestamptz,
          add column launch_set_at timestamptz;
        """
    )
