"""How well a session's device says that it protects keys; software in sessions of before."""

from alembic import op

revision = "licensing_0004"
down_revision = "licensing_0003"


def upgrade() -> None:
    op.execute(
        "alter table licensing.session add column robustness text not null default 'software'"
    )
