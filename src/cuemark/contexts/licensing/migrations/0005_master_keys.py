"""Which master key each content key is stored under."""

from alembic import op

revision = "licensing_0005"
down_revision = "licensing_0004"


def upgrade() -> None:
    op.execute(
        """
        alter table licensing.content_key add column master integer not null default 1;
        create index content_key_by_master on licensing.content_key (master);
        """
    )
