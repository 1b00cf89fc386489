"""What a plan allows: to each session, and to each account as it was last known."""

from alembic import op

revision = "playback_0008"
down_revision = "playback_0007"


def upgrade() -> None:
    op.execute(
        """
        alter table playback.session add column max_height integer not null default 0;
        create index session_running on playback.session (account_id, heard_at)
          where ended_at is null;
        create table playback.entitlement (
          account_id text primary key,
          known_at timestamptz not null,
          body jsonb not null
        );
        """
    )
