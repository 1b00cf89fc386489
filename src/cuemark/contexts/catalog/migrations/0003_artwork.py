"""The artwork that an operator chose for a title, which stands whatever is published."""

from alembic import op

revision = "catalog_0003"
down_revision = "catalog_0002"


def upgrade() -> None:
    op.execute(
        """
        alter table catalog.browse
          add column chosen_artwork_key text not null default '',
          add column artwork_chosen_at timestamptz;
        """
    )
