"""The sessions of a title, whatever became of them, are compared with a copy that was found."""

from alembic import op

revision = "playback_0004"
down_revision = "playback_0003"


def upgrade() -> None:
    op.execute("create index session_of_title on playback.session (title_id, session_id)")
