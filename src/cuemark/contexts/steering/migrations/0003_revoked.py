"""The playback sessions whose tokens are to open nothing any more."""

from alembic import op

revision = "steering_0003"
down_revision = "steering_0002"


def upgrade() -> None:
    op.execute(
        """
        create table steering.revoked (
            position bigint generated always as identity primary key,
            session_id text not null unique,
            until_at timestamptz not null
        );
        create index revoked_until on steering.revoked (until_at);
        """
    )
