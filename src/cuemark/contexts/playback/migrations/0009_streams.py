"""Which device plays what, what it can play, and the devices of an account."""

from alembic import op

revision = "playback_0009"
down_revision = "playback_0008"


def upgrade() -> None:
    op.execute(
        """
        alter table playback.session
          add column title text not null default '',
          add column device_id text not null default '',
          add column capabilities jsonb;
        create table playback.device (
          account_id text not null,
          device_id text not null,
          name text not null,
          first_seen_at timestamptz not null,
          seen_at timestamptz not null,
          capabilities jsonb,
          primary key (account_id, device_id)
        );
        """
    )
