"""Versions of which one half is known: that they are published, or that an appliance has them."""

from alembic import op

revision = "catalog_0002"
down_revision = "catalog_0001"


def upgrade() -> None:
    op.execute(
        """
        create table catalog.half (
          version_id text primary key,
          published text,
          placed boolean not null
        );
        """
    )
