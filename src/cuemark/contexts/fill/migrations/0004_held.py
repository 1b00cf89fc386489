"""Which telling of what is held an appliance's is, so that whoever knows it asks no more."""

from alembic import op

revision = "fill_0004"
down_revision = "fill_0003"


def upgrade() -> None:
    op.execute(
        """
        create sequence fill.held_revision;
        alter table fill.appliance
          add column held_revision bigint not null default nextval('fill.held_revision');
        """
    )
