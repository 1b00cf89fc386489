"""By which login a play began, and the logins that have ended: those that there are, by any."""

from alembic import op

revision = "playback_0011"
down_revision = "playback_0010"


def upgrade() -> None:
    op.execute(
        """
        alter table playback.session add column login_id text not null default '';
        create table playback.ended_login (
          login_id text primary key,
          account_id text not null,
          noted_at timestamptz not null
        );
        """
    )
