"""How far each playback session got, and from where each title goes on."""

from alembic import op

revision = "viewers_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table viewers.session (
          profile_id text not null,
          title_id text not null,
          session_id text not null,
          sequence bigint not null,
          position_s double precision not null,
          reported_at timestamptz not null,
          primary key (profile_id, title_id, session_id)
        );
        create table viewers.progress (
          profile_id text not null,
          title_id text not null,
          resume_s double precision not null,
          duration_s double precision not null,
          watched_at timestamptz not null,
          primary key (profile_id, title_id)
        );
        create index progress_watching on viewers.progress (profile_id, watched_at, title_id)
          where resume_s > 0;
        """
    )
