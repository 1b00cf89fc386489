"""With what a running play asks where to fetch from; none in plays of before."""

from alembic import op

revision = "playback_0005"
down_revision = "playback_0004"


def upgrade() -> None:
    op.execute("alter table playback.session add column steering_token text not null default ''")
