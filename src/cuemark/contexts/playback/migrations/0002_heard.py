"""When a play was last heard of, and the trace of its start."""

from alembic import op

revision = "playback_0002"
down_revision = "playback_0001"


def upgrade() -> None:
    op.execute(
        """
        alter table playback.session
          add column trace_id text not null default '',
          add column heard_at timestamptz;
        create index session_open on playback.session (session_id) where ended_at is null;
        """
    )
