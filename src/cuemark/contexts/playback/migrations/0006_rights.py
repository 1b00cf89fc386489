"""Where plays run, and when those lose their right whose title's rights were changed."""

from alembic import op

revision = "playback_0006"
down_revision = "playback_0005"


def upgrade() -> None:
    op.execute(
        """
        alter table playback.session
          add column territory text not null default '',
          add column right_ends_at timestamptz;
        create index session_without_right on playback.session (right_ends_at)
          where ended_at is null and right_ends_at is not null;
        """
    )
