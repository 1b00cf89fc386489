"""How well a play's device says that it protects keys; software in plays of before."""

from alembic import op

revision = "playback_0003"
down_revision = "playback_0002"


def upgrade() -> None:
    op.execute(
        "alter table playback.session add column robustness text not null default 'software'"
    )
