"""How many plays an account has begun under its plan: who decides on the places of an account
writes only where nobody else has begun one since."""

from alembic import op

revision = "playback_0010"
down_revision = "playback_0009"


def upgrade() -> None:
    op.execute(
        """
        create table playback.placing (
          account_id text primary key,
          begun bigint not null
        );
        """
    )
