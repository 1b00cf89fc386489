"""The licence types of the plan that a play began with: without any, the install's."""

from alembic import op

revision = "playback_0012"
down_revision = "playback_0011"


def upgrade() -> None:
    op.execute("alter table playback.session add column licence_types text[] not null default '{}'")
