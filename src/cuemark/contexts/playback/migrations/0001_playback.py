"""Playback sessions."""

from alembic import op

revision = "playback_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table playback.session (
          session_id text primary key,
          account_id text not null,
          profile_id text not null,
          title_id text not null,
          version_id text not null,
          duration_s double precision not null,
          device text not null,
          ranking jsonb not null,
          started_at timestamptz not null,
          expires_at timestamptz not null,
          ended_at timestamptz
        );
        """
    )
